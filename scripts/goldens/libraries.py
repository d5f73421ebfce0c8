"""How each library is asked: its class or function, its arguments, the rates of some updates (or after each evaluation)."""
import functools, importlib.metadata, importlib.util, itertools, math, tempfile, types, warnings

import numpy

warnings.filterwarnings("ignore")


def version(package):
    return f"{package} {importlib.metadata.version(package)}"


def stepped(optimizer, scheduler, at):
    """The rate of those updates, the scheduler stepped after each, as PyTorch has it."""
    values = [float(optimizer.param_groups[0]["lr"])]
    for _ in range(at[-1]):
        optimizer.step()
        scheduler.step()
        values.append(float(optimizer.param_groups[0]["lr"]))
    return [values[step] for step in at]


def sgd(rate):
    import torch
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate, momentum=0.9)


def torch(name, peak, arguments, at, metrics):
    from torch.optim import lr_scheduler, swa_utils
    optimizer = sgd(1.0 if peak is None else peak)
    if name == "SWALR":
        return stepped(optimizer, swa_utils.SWALR(optimizer, **arguments), at)
    if name in ("LambdaLR", "MultiplicativeLR"):
        values = arguments["lr_lambda"]
        after = values[-1] if name == "LambdaLR" else 1.0
        arguments = {"lr_lambda": lambda step: values[step] if step < len(values) else after}
    if name == "ReduceLROnPlateau":
        return plateau(optimizer, lr_scheduler.ReduceLROnPlateau(optimizer, **watched(arguments)), metrics)
    return stepped(optimizer, getattr(lr_scheduler, name)(optimizer, **arguments), at)


def watched(arguments):
    return {key: value for key, value in arguments.items() if key != "monitor"}


def plateau(optimizer, scheduler, metrics):
    values = []
    for metric in metrics:
        scheduler.step(metric)
        values.append(float(optimizer.param_groups[0]["lr"]))
    return values


def hf(name, peak, arguments, at, metrics):
    from transformers import get_scheduler
    optimizer = sgd(peak)
    rest = {key: value for key, value in arguments.items() if key not in ("num_warmup_steps", "num_training_steps")}
    scheduler = get_scheduler(
        name,
        optimizer,
        num_warmup_steps=arguments.get("num_warmup_steps", 0),
        num_training_steps=arguments.get("num_training_steps", at[-1] + 1),
        scheduler_specific_kwargs=watched(rest) or None,
    )
    return plateau(optimizer, scheduler, metrics) if metrics else stepped(optimizer, scheduler, at)


def timm(name, peak, arguments, at, metrics):
    import timm.scheduler as schedulers
    from timm.scheduler.wsd_lr import WSDLRScheduler
    optimizer = sgd(peak)
    scheduler = (WSDLRScheduler if name == "WSDLRScheduler" else getattr(schedulers, name))(optimizer, **watched(arguments))
    if metrics:
        epochs = itertools.count(1)
        return plateau(optimizer, types.SimpleNamespace(step=lambda metric: scheduler.step(next(epochs), metric)), metrics)
    values = []
    for step in at:
        scheduler.step(step)
        values.append(float(optimizer.param_groups[0]["lr"]))
    return values


def keras(name, peak, arguments, at, metrics):
    import keras as library
    if name == "ReduceLROnPlateau":
        # Without a model there are no metrics by which `auto` could tell.
        mode = "max" if "acc" in arguments.get("monitor", "") else "min"
        callback = library.callbacks.ReduceLROnPlateau(**{"monitor": "val_loss", "mode": mode, **arguments})
        optimizer = types.SimpleNamespace(learning_rate=numpy.float32(peak))
        callback.set_model(types.SimpleNamespace(optimizer=optimizer))
        callback.on_train_begin()
        values = []
        for epoch, metric in enumerate(metrics):
            callback.on_epoch_end(epoch, {callback.monitor: metric})
            values.append(float(optimizer.learning_rate))
        return values
    schedule = getattr(library.optimizers.schedules, name)(**arguments)
    return [float(schedule(step)) for step in at]


def optax(name, peak, arguments, at, metrics):
    import optax as library
    arguments = dict(arguments)
    if name == "reduce_on_plateau":
        rule = library.contrib.reduce_on_plateau(**arguments)
        state, values = rule.init(numpy.float32(0.0)), []
        for metric in metrics:
            _, state = rule.update(numpy.float32(0.0), state, value=metric)
            values.append(peak * float(state.scale))
        return values
    if name == "sgdr_schedule":
        keys = list(arguments)
        return called(library.sgdr_schedule([dict(zip(keys, row)) for row in zip(*arguments.values())]), at)
    if "boundaries" in arguments:
        arguments["boundaries_and_scales"] = dict(zip(arguments.pop("boundaries"), arguments.pop("scales")))
    return called(getattr(library, name)(**arguments), at)


def called(schedule, at):
    return [float(schedule(step)) for step in at]


def fastai(name, peak, arguments, at, metrics):
    """The fits are run, on nothing much: so many updates in epochs of four."""
    steps = at[-1] + 1
    from fastai.callback import schedule
    if not name.startswith("fit_") and name != "LRFinder":
        annealer = getattr(schedule, name)(**arguments)
        return [float(annealer(step / steps)) for step in at]
    import torch as framework
    from fastai.basics import DataLoaders, Learner
    data = [(framework.zeros(1), framework.zeros(1))] * 4
    loaders = DataLoaders.from_dsets(data, data, bs=1, device="cpu")
    loss = framework.nn.functional.mse_loss
    learner = Learner(loaders, framework.nn.Linear(1, 1), loss_func=loss, path=tempfile.mkdtemp())
    with learner.no_bar(), learner.no_logging():
        if name == "LRFinder":
            learner.fit(-(-steps // 4), cbs=schedule.LRFinder(**arguments))
        elif name == "fit_sgdr":
            learner.fit_sgdr(**arguments)
        else:
            getattr(learner, name)(-(-steps // 4), **arguments)
    return [float(learner.recorder.lrs[step]) for step in at]


def sklearn(name, peak, arguments, at, metrics):
    if name.startswith("mlp_"):
        return sklearn_mlp(name.removeprefix("mlp_"), dict(arguments), at, metrics)
    if name == "adaptive":
        return sklearn_adaptive(arguments, metrics)
    # With a gradient of one, each update's change of the weight is the rate.
    from sklearn.linear_model import SGDRegressor
    regressor = SGDRegressor(loss="epsilon_insensitive", epsilon=0.0, penalty=None, fit_intercept=False, learning_rate=name, **{"power_t": 0.5, **arguments})
    values, before = [], 0.0
    for _ in at:
        regressor.partial_fit([[1.0]], [1e9])
        values.append(float(regressor.coef_[0]) - before)
        before = float(regressor.coef_[0])
    return values


def sklearn_mlp(name, arguments, at, metrics):
    from sklearn.neural_network import MLPClassifier
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer
    n = arguments.pop("n_samples", 1)
    tol, patience = arguments.pop("tol", 1e-4), arguments.pop("n_iter_no_change", 10)
    optimizer = SGDOptimizer([], lr_schedule=name, **{"learning_rate_init": 0.001, **arguments})
    if not metrics:
        values = []
        for epoch in at:
            values.append(float(optimizer.learning_rate))
            optimizer.iteration_ends((epoch + 1) * n)
        return values
    network = types.SimpleNamespace(loss_curve_=[], best_loss_=math.inf, tol=tol, _no_improvement_count=0)
    values = []
    for metric in metrics:
        network.loss_curve_.append(metric)
        MLPClassifier._update_no_improvement_count(network, False, None, None, None)
        if patience < network._no_improvement_count:
            optimizer.trigger_stopping("", False)
            network._no_improvement_count = 0
        values.append(float(optimizer.learning_rate))
    return values


def sklearn_adaptive(arguments, metrics):
    """The rule of scikit-learn's compiled `_plain_sgd`, written out: it cannot be asked by itself."""
    rate, best, bad, values = arguments["eta0"], math.inf, 0, []
    for metric in metrics:
        bad = bad + 1 if best - arguments["tol"] < metric else 0
        best = min(best, metric)
        if arguments["n_iter_no_change"] <= bad:
            rate, bad = (rate / 5 if 1e-6 < rate else rate), 0
        values.append(rate)
    return values


@functools.cache
def mxnet_file():
    path = importlib.metadata.distribution("mxnet").locate_file("mxnet/lr_scheduler.py")
    spec = importlib.util.spec_from_file_location("mxnet_lr_scheduler", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mxnet(name, peak, arguments, at, metrics):
    # The trainer counts updates from 1.
    return called(getattr(mxnet_file(), name)(**arguments), [step + 1 for step in at])


def pytorch_optimizer(name, peak, arguments, at, metrics):
    from pytorch_optimizer import lr_scheduler
    optimizer = sgd(1.0 if peak is None else peak)
    return stepped(optimizer, getattr(lr_scheduler, name)(optimizer, **arguments), at)


def d2l(name, peak, arguments, at, metrics):
    """The classes of the book's section 12.11, by their formulas."""
    get = {"lr": 0.1, "factor": 1, "stop_factor_lr": 1e-7, "base_lr": 0.1, **arguments}.get
    if name == "SquareRootScheduler":
        return [get("lr") * (step + 1.0) ** -0.5 for step in at]
    if name == "FactorScheduler":
        values, rate = [], get("base_lr")
        for _ in at:
            rate = max(get("stop_factor_lr"), rate * get("factor"))
            values.append(rate)
        return values
    warmup, most = get("warmup_steps", 0), get("max_update")
    begin, end, rate = get("warmup_begin_lr", 0), get("final_lr", 0), arguments.get("base_lr", 0.01)

    def cosine(step):
        if step < warmup:
            return begin + (rate - begin) * step / warmup
        if most < warmup:
            return rate
        share = min(step - warmup, most - warmup) / (most - warmup)
        return end + (rate - end) * (1 + math.cos(math.pi * share)) / 2

    return [cosine(step) for step in at]


def papers(name, peak, arguments, at, metrics):
    """By the papers' formulas."""
    if name == "rex":
        shares = [min(step / arguments["total_steps"], 1) for step in at]
        return [peak * (1 - z) / (0.5 + 0.5 * (1 - z)) for z in shares]
    width, warmup, factor = (arguments.get(key, default) for key, default in [("d_model", 0), ("warmup_steps", 4000), ("factor", 1)])
    return [factor * width**-0.5 * min(t**-0.5, t * warmup**-1.5) for t in (step + 1 for step in at)]


# What stands before the dot: how it is asked, and its package.
LIBRARIES = {
    "torch": (torch, "torch"),
    "hf": (hf, "transformers"),
    "timm": (timm, "timm"),
    "keras": (keras, "keras"),
    "optax": (optax, "optax"),
    "fastai": (fastai, "fastai"),
    "sklearn": (sklearn, "scikit-learn"),
    "mxnet": (mxnet, "mxnet"),
    "pytorch_optimizer": (pytorch_optimizer, "pytorch_optimizer"),
    "d2l": (d2l, None),
    "papers": (papers, None),
}
