"""What the benchmarks share: a process measured from outside, a Python environment for the peers, a table, the machine."""
import os, pathlib, platform, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def measure(command, **options):
    """Runs a program to its end: (seconds, peak resident bytes of its largest process, standard output)."""
    with tempfile.TemporaryFile() as complaint:
        begin = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=complaint, **options)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            complaint.seek(0)
            sys.exit(f"{command[0]} ended with {process.returncode}: {complaint.read().decode(errors='replace')}")
    return seconds, usage.ru_maxrss * 1024, out.decode()


def build(*arguments):
    """Builds with optimisation; answers with the folder of programs."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "--locked", *arguments], cwd=ROOT, check=True)
    return TARGET / "release"


def python_with(*packages):
    """A Python that has these packages (`name==version`), in an environment kept under `target/`."""
    home = TARGET / "bench-python"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    return python


def machine():
    """One line: processor, cores, memory, system."""
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def spread(values):
    """Median, and the lowest and highest beside it: `0.034 (0.033–0.041)`."""
    return f"{digits(statistics.median(values))} ({digits(min(values))}–{digits(max(values))})"


def digits(value):
    """Three significant digits, never in the form 1e-05."""
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1000 else thousands(round(value)) if abs(value) >= 1000 else f"{value:.5f}"


def thousands(number):
    """`100 000`."""
    return f"{number:,}".replace(",", " ")


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def progress(text):
    print(text, file=sys.stderr, flush=True)
