"""The Python environment of the libraries, under target/."""
import os, pathlib, subprocess, sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOME = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "goldens-python"
PYTHON = HOME / "bin" / "python"

# MXNet is retired and no longer imports; its schedulers are one file that needs nothing.
MXNET = "mxnet==1.9.1"


def pip(*arguments):
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def install():
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    pip("--requirement", HERE / "requirements.txt")
    pip("--no-deps", MXNET)


def printed_by(script, *arguments):
    """What a script of this folder prints there."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [PYTHON, HERE / script, *arguments], env=environment, stdout=subprocess.PIPE, check=True
    ).stdout
