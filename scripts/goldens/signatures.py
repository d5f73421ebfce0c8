"""Prints what each class takes in its own library, one a line: our name, its path and its parameters there."""
import functools, importlib, inspect, json, re

from libraries import LIBRARIES, mxnet_file

# The classes that are no attribute of a module under their own names.
PATHS = {
    "torch": "torch.optim.lr_scheduler.",
    "torch.SWALR": "torch.optim.swa_utils.SWALR",
    "keras": "keras.optimizers.schedules.",
    "keras.ReduceLROnPlateau": "keras.callbacks.ReduceLROnPlateau",
    "optax": "optax.schedules.",
    "optax.reduce_on_plateau": "optax.contrib.reduce_on_plateau",
    "timm": "timm.scheduler.",
    "timm.WSDLRScheduler": "timm.scheduler.wsd_lr.WSDLRScheduler",
    "fastai": "fastai.callback.schedule.",
    "pytorch_optimizer": "pytorch_optimizer.lr_scheduler.",
    "mxnet": "mxnet.lr_scheduler.",
}
LEARNER = ["fit_one_cycle", "fit_flat_cos", "fit_sgdr"]
# Of an estimator's parameters, those that the rate depends on.
ESTIMATOR = {"eta0", "power_t", "learning_rate_init"}
ADAPTIVE = {*ESTIMATOR, "tol", "n_iter_no_change"}
RELEVANT = {
    "constant": ESTIMATOR,
    "invscaling": ESTIMATOR,
    "optimal": {*ESTIMATOR, "alpha"},
    "adaptive": ADAPTIVE,
    "mlp_constant": ESTIMATOR,
    "mlp_invscaling": ESTIMATOR,
    "mlp_adaptive": ADAPTIVE,
}
# The book defines its classes in the text of section 12.11; it has no package.
BOOK = {
    "SquareRootScheduler": "lr=0.1",
    "FactorScheduler": "factor=1, stop_factor_lr=1e-07, base_lr=0.1",
    "CosineScheduler": "max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0",
}


def object_at(path):
    module, name = path.rsplit(".", 1)
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError:
        return getattr(object_at(module), name)


def callable_of(library, name):
    """Where it stands in its library, and it."""
    if library == "hf":
        from transformers.optimization import TYPE_TO_SCHEDULER_FUNCTION
        function = TYPE_TO_SCHEDULER_FUNCTION[name]
        return f"transformers.{function.__name__}", function
    if library == "mxnet":
        return PATHS[library] + name, getattr(mxnet_file(), name)
    if library == "fastai" and name in LEARNER:
        import fastai.callback.schedule
        from fastai.learner import Learner
        return f"fastai.learner.Learner.{name}", functools.partial(getattr(Learner, name), None)
    if library == "sklearn":
        path = "sklearn.neural_network.MLPClassifier" if name.startswith("mlp_") else "sklearn.linear_model.SGDClassifier"
        return path, object_at(path)
    path = PATHS.get(f"{library}.{name}", PATHS[library] + name)
    return path, object_at(path)


def literal(value):
    """A default as text without blanks; what cannot be written in a sweep file is `none`."""
    if value is None or value is inspect.Parameter.empty:
        return "none"
    if isinstance(value, (bool, int, float, str, list, tuple)):
        return re.sub(r"\s", "", json.dumps(value))
    return "none"


def parameters(function, relevant=None):
    told = []
    for parameter in inspect.signature(function).parameters.values():
        if relevant and parameter.name not in relevant:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in told:
            told.append("*")
        default = "" if parameter.default is parameter.empty else f"={literal(parameter.default)}"
        told.append(parameter.name + default)
    return ", ".join(told)


def of_class(use):
    library, name = use.split(".")
    if library == "d2l":
        return f"{use} d2l.{name}({BOOK[name]})"
    path, function = callable_of(library, name)
    relevant = RELEVANT[name] if library == "sklearn" else None
    return f"{use} {path}({parameters(function, relevant)})"


if __name__ == "__main__":
    from cases import CASES

    # `papers` have no library.
    for use in sorted({case["use"] for case in CASES if not case["use"].startswith("papers.")}):
        print(of_class(use))
