"""Prints random calls of every class with the library's own rates, one a line: what `compare` reads.

A call that the library refuses is drawn again. Rates end where the library fails or gives no finite number.
"""
import contextlib, io, json, math, random, signal, sys

import libraries
from libraries import LIBRARIES
from signatures import LEARNER, callable_of

CALLS = 200
# Of these, whose libraries take seconds for one.
FEWER = {"optax.reduce_on_plateau": 40, "fastai.fit_one_cycle": 40, "fastai.fit_flat_cos": 40, "fastai.fit_sgdr": 40, "fastai.LRFinder": 40}
CALLED = libraries.called
PERCENT = [0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.95, 1.0]


def one_of(*values):
    return lambda draw: draw.choice(values)


def list_of(item, least=1, most=5):
    return lambda draw: [item(draw) for _ in range(draw.randint(least, most))]


def between(low, high):
    return lambda draw: max(low, round(draw.uniform(low, high), draw.choice([1, 3, 6])))


def either(*draws):
    return lambda draw: draw.choice(draws)(draw)


rate = either(one_of(0.1, 1.0, 0.05, 1e-3, 3.0), between(0.001, 2.0))
low = either(one_of(0.0, 1e-5, 0.01, 0.3, 1.5), between(0.0, 0.2))
factor = either(one_of(0.0, 0.1, 0.5, 0.9, 1.0, 1.1), between(0.0, 1.2))
share = either(one_of(0.0, 0.1, 0.5, 1.0), between(0.0, 1.0))
steps = one_of(1, 2, 3, 4, 5, 7, 10, 13, 20, 30, 60)
maybe_none = one_of(0, 1, 2, 3, 5, 7, 10, 20)
power = one_of(0.5, 0.9, 1.0, 2.0, 3.0)
flag = one_of(True, False)
pct = one_of(*PERCENT)
shape = one_of("cos", "linear")
patience = one_of(0, 1, 2, 3)
cycles = one_of(0.3, 0.5, 1.0, 1.5, 2.0)
waves = one_of(1, 2, 3)

T_WARMUP = {"num_warmup_steps": maybe_none}
T_TOTAL = {**T_WARMUP, "num_training_steps": steps}
PLATEAU = {
    "mode?": one_of("min", "max"), "factor?": between(0.05, 0.95), "patience?": patience, "threshold?": one_of(0.0, 1e-4, 0.01, 0.1),
    "threshold_mode?": one_of("rel", "abs"), "cooldown?": patience, "min_lr?": low, "eps?": one_of(0.0, 1e-8, 1e-3),
}
K_RATE = {"initial_learning_rate": rate}
TIMM_WARMUP = {"warmup_t?": maybe_none, "warmup_lr_init?": low, "warmup_prefix?": flag}
TIMM_CYCLES = {"t_initial": steps, "lr_min?": low, "cycle_mul?": one_of(1.0, 2.0, 1.5), "cycle_decay?": one_of(1.0, 0.5, 0.9), "cycle_limit?": waves, **TIMM_WARMUP}
MX = {"base_lr?": rate, "warmup_steps?": maybe_none, "warmup_begin_lr?": low, "warmup_mode?": one_of("linear", "constant")}
ONE_CYCLE = {"transition_steps": steps, "peak_value": rate, "pct_start?": pct, "div_factor?": one_of(1.0, 10.0, 25.0), "final_div_factor?": one_of(1.0, 100.0, 1e4)}
DECAY = {"transition_steps": maybe_none, "decay_rate": either(factor, one_of(2.0)), "transition_begin?": maybe_none, "staircase?": flag, "end_value?": low}

# Each argument and its values; with a question mark those that may be left out.
SPECS = {
    "torch.LambdaLR": {"lr_lambda": list_of(between(0.0, 2.0))},
    "torch.MultiplicativeLR": {"lr_lambda": list_of(between(0.0, 1.5))},
    "torch.StepLR": {"step_size": maybe_none, "gamma?": factor},
    "torch.MultiStepLR": {"milestones": list_of(maybe_none, 0), "gamma?": factor},
    "torch.ConstantLR": {"factor?": share, "total_iters?": maybe_none},
    "torch.LinearLR": {"start_factor?": share, "end_factor?": share, "total_iters?": maybe_none},
    "torch.ExponentialLR": {"gamma": factor},
    "torch.PolynomialLR": {"total_iters?": maybe_none, "power?": power},
    "torch.CosineAnnealingLR": {"T_max": maybe_none, "eta_min?": low},
    "torch.CosineAnnealingWarmRestarts": {"T_0": steps, "T_mult?": one_of(1, 2, 3, 4), "eta_min?": low},
    "torch.CyclicLR": {
        "base_lr": low, "max_lr": rate, "step_size_up?": steps, "step_size_down?": maybe_none, "mode?": one_of("triangular", "triangular2", "exp_range"),
        "gamma?": one_of(1.0, 0.9, 0.99), "cycle_momentum": flag, "base_momentum?": one_of(0.0, 0.7, 0.8), "max_momentum?": one_of(0.85, 0.9, 0.99),
    },
    "torch.OneCycleLR": {
        "max_lr": rate, "total_steps?": steps, "epochs": one_of(1, 2, 5), "steps_per_epoch": one_of(1, 3, 7), "pct_start?": pct, "anneal_strategy?": shape,
        "cycle_momentum": flag, "base_momentum?": one_of(0.0, 0.85, 0.9), "max_momentum?": one_of(0.9, 0.95), "div_factor?": one_of(2.0, 10.0, 25.0),
        "final_div_factor?": one_of(1.0, 100.0, 1e4), "three_phase?": flag,
    },
    "torch.SWALR": {"swa_lr": low, "anneal_epochs?": maybe_none, "anneal_strategy?": shape},
    "torch.ReduceLROnPlateau": PLATEAU,
    "keras.ExponentialDecay": {**K_RATE, "decay_steps": steps, "decay_rate": factor, "staircase?": flag, "name?": one_of("decay")},
    "keras.PiecewiseConstantDecay": {"boundaries": list_of(steps, 1, 4), "values": list_of(rate, 2, 5)},
    "keras.PolynomialDecay": {**K_RATE, "decay_steps": steps, "end_learning_rate?": low, "power?": power, "cycle?": flag},
    "keras.InverseTimeDecay": {**K_RATE, "decay_steps": steps, "decay_rate": share, "staircase?": flag},
    "keras.CosineDecay": {**K_RATE, "decay_steps": steps, "alpha?": share, "warmup_target?": rate, "warmup_steps?": maybe_none},
    "keras.CosineDecayRestarts": {**K_RATE, "first_decay_steps": steps, "t_mul?": one_of(1.0, 2.0, 1.5), "m_mul?": one_of(1.0, 0.5, 0.9), "alpha?": share},
    "keras.ReduceLROnPlateau": {
        "monitor": one_of("val_loss", "val_accuracy"), "factor?": between(0.05, 0.95), "patience?": patience, "verbose?": one_of(0),
        "min_delta?": one_of(0.0, 1e-4, 0.1), "cooldown?": patience, "min_lr?": low,
    },
    "hf.constant": {},
    "hf.constant_with_warmup": T_WARMUP,
    "hf.linear": T_TOTAL,
    "hf.cosine": {**T_TOTAL, "num_cycles?": cycles},
    "hf.cosine_with_restarts": {**T_TOTAL, "num_cycles?": waves},
    "hf.polynomial": {**T_TOTAL, "lr_end?": one_of(1e-7, 1e-3, 0.0), "power?": power},
    "hf.inverse_sqrt": {**T_WARMUP, "timescale?": steps},
    "hf.cosine_with_min_lr": {**T_TOTAL, "num_cycles?": cycles, "min_lr?": low, "min_lr_rate?": share},
    "hf.cosine_warmup_with_min_lr": {**T_TOTAL, "num_cycles?": cycles, "min_lr?": low, "min_lr_rate?": share, "warmup_lr_rate?": share},
    "hf.warmup_stable_decay": {
        **T_WARMUP, "num_decay_steps": maybe_none, "num_training_steps?": steps, "num_stable_steps?": maybe_none, "warmup_type?": one_of("linear", "cosine", "1-sqrt"),
        "decay_type?": one_of("linear", "cosine", "1-sqrt"), "min_lr_ratio?": share, "num_cycles?": cycles,
    },
    "hf.reduce_lr_on_plateau": PLATEAU,
    "optax.constant_schedule": {"value": rate},
    "optax.linear_schedule": {"init_value": low, "end_value": rate, "transition_steps": maybe_none, "transition_begin?": maybe_none},
    "optax.polynomial_schedule": {"init_value": rate, "end_value": low, "power": power, "transition_steps": maybe_none, "transition_begin?": maybe_none},
    "optax.exponential_decay": {"init_value": rate, **DECAY},
    "optax.cosine_decay_schedule": {"init_value": rate, "decay_steps": maybe_none, "alpha?": share, "exponent?": power},
    "optax.piecewise_constant_schedule": {"init_value": rate, "boundaries?": list_of(maybe_none), "scales": list_of(factor, 5, 5)},
    "optax.piecewise_interpolate_schedule": {"interpolate_type": one_of("linear", "cosine"), "init_value": rate, "boundaries?": list_of(maybe_none), "scales": list_of(factor, 5, 5)},
    "optax.linear_onecycle_schedule": {**ONE_CYCLE, "pct_final?": pct},
    "optax.cosine_onecycle_schedule": ONE_CYCLE,
    "optax.warmup_constant_schedule": {"init_value": low, "peak_value": rate, "warmup_steps": maybe_none},
    "optax.warmup_cosine_decay_schedule": {"init_value": low, "peak_value": rate, "warmup_steps": maybe_none, "decay_steps": steps, "end_value?": low, "exponent?": power},
    "optax.warmup_exponential_decay_schedule": {"init_value": low, "peak_value": rate, "warmup_steps": maybe_none, **DECAY},
    "optax.sgdr_schedule": {"init_value": list_of(low, 2, 2), "peak_value": list_of(rate, 2, 2), "warmup_steps": list_of(maybe_none, 2, 2), "decay_steps": list_of(steps, 2, 2), "end_value": list_of(low, 2, 2)},
    "optax.reduce_on_plateau": {"factor?": between(0.05, 0.95), "patience?": patience, "rtol?": one_of(0.0, 1e-4, 0.1), "atol?": one_of(0.0, 0.05), "cooldown?": patience, "min_scale?": share},
    "timm.CosineLRScheduler": {**TIMM_CYCLES, "k_decay?": one_of(1.0, 1.5, 0.5)},
    "timm.StepLRScheduler": {"decay_t": either(steps, one_of(2.5)), "decay_rate?": factor, **TIMM_WARMUP},
    "timm.MultiStepLRScheduler": {"decay_t": list_of(maybe_none, 0), "decay_rate?": factor, **TIMM_WARMUP},
    "timm.TanhLRScheduler": {**TIMM_CYCLES, "lb?": one_of(-7.0, -4.0, 0.0), "ub?": one_of(3.0, 4.0, 1.0)},
    "timm.PolyLRScheduler": {**TIMM_CYCLES, "power?": power, "k_decay?": one_of(1.0, 1.5, 0.5)},
    "timm.WSDLRScheduler": {
        "t_initial": steps, "decay_t": maybe_none, "lr_min?": low, "stable_fn?": one_of("constant", "rsqrt", "power"), "stable_timescale?": steps,
        "stable_power?": power, "decay_fn?": one_of("linear", "1-sqrt", "cosine", "power", "exp"), "decay_power?": power, "decay_ratio?": one_of(0.1, 0.01, 0.5),
        "warmup_t?": maybe_none, "warmup_lr_init?": low,
    },
    "timm.PlateauLRScheduler": {"decay_rate?": between(0.05, 0.95), "patience_t?": patience, "threshold?": one_of(0.0, 1e-4, 0.1), "cooldown_t?": patience, "lr_min?": low, "mode": one_of("min", "max")},
    "fastai.fit_one_cycle": {"n_epoch": one_of(1, 2, 5), "lr_max": rate, "div?": one_of(1.0, 10.0, 25.0), "div_final?": one_of(1.0, 1e3, 1e5), "pct_start?": pct},
    "fastai.fit_flat_cos": {"n_epoch": one_of(1, 2, 5), "lr": rate, "div_final?": one_of(1.0, 1e3, 1e5), "pct_start?": pct},
    "fastai.fit_sgdr": {"n_cycles": waves, "cycle_len": one_of(1, 2), "lr_max": rate, "cycle_mult?": one_of(1, 2, 3)},
    "fastai.LRFinder": {"start_lr?": one_of(1e-7, 1e-3, 0.1), "end_lr?": one_of(10, 1.0, 0.01), "num_it?": one_of(1, 5, 20, 40)},
    "fastai.SchedNo": {"start": rate, "end": rate},
    "fastai.SchedLin": {"start": rate, "end": low},
    "fastai.SchedCos": {"start": low, "end": rate},
    "fastai.SchedExp": {"start": rate, "end": low},
    "fastai.SchedPoly": {"start": low, "end": rate, "power": power},
    "fastai.combined_cos": {"pct": pct, "start": low, "middle": rate, "end": low},
    "sklearn.constant": {"eta0?": rate},
    "sklearn.optimal": {"alpha?": one_of(1e-4, 1e-2, 0.5)},
    "sklearn.invscaling": {"eta0?": rate, "power_t": one_of(0.0, 0.25, 0.5, 1.0)},
    "sklearn.adaptive": {"eta0": rate, "tol": one_of(0.0, 1e-3, 0.1), "n_iter_no_change": one_of(1, 2, 5)},
    "sklearn.mlp_constant": {"learning_rate_init?": rate},
    "sklearn.mlp_invscaling": {"n_samples": one_of(1, 50, 1797), "learning_rate_init?": rate, "power_t?": one_of(0.25, 0.5, 1.0)},
    "sklearn.mlp_adaptive": {"learning_rate_init": rate, "tol?": one_of(0.0, 1e-4, 0.1), "n_iter_no_change?": one_of(1, 2, 5)},
    "mxnet.FactorScheduler": {"step": maybe_none, "factor?": factor, "stop_factor_lr?": one_of(1e-8, 0.01, 0.0), **MX},
    "mxnet.MultiFactorScheduler": {"step": list_of(maybe_none), "factor?": factor, **MX},
    "mxnet.PolyScheduler": {"max_update": steps, "pwr?": one_of(1, 2, 3), "final_lr?": low, **MX},
    "mxnet.CosineScheduler": {"max_update": steps, "final_lr?": low, **MX},
    "d2l.SquareRootScheduler": {"lr?": rate},
    "d2l.FactorScheduler": {"factor?": factor, "stop_factor_lr?": one_of(1e-7, 0.01), "base_lr?": rate},
    "d2l.CosineScheduler": {"max_update": steps, "base_lr?": rate, "final_lr?": low, "warmup_steps?": maybe_none, "warmup_begin_lr?": low},
    "pytorch_optimizer.get_wsd_schedule": {
        "num_warmup_steps": maybe_none, "num_stable_steps": maybe_none, "num_decay_steps": maybe_none, "min_lr_ratio?": share, "num_cycles?": cycles,
        "cooldown_type?": one_of("cosine", "1-sqrt", "linear", "1-square"),
    },
    "pytorch_optimizer.REXScheduler": {"total_steps": steps, "max_lr?": rate, "min_lr?": low},
    "papers.noam": {"d_model": one_of(64, 512), "warmup_steps?": steps, "factor?": rate},
    "papers.rex": {"total_steps": steps},
}
OF_OPTIMIZER = {"torch", "hf", "timm", "pytorch_optimizer"}
OWN_RATE = {"torch.CyclicLR", "torch.OneCycleLR", "pytorch_optimizer.REXScheduler"}
PLATEAUS = {use for use in SPECS if "lateau" in use or use.endswith("adaptive")}


def called_at_once(schedule, at):
    """All steps in one call: JAX is slow to begin."""
    import jax
    return [float(value) for value in jax.vmap(schedule)(jax.numpy.asarray(list(at)))]


def drawn(draw, use):
    arguments = {}
    for name, values in SPECS[use].items():
        if not name.endswith("?") or draw.random() < 0.6:
            arguments[name.removesuffix("?")] = values(draw)
    if use == "torch.OneCycleLR" and "total_steps" in arguments:
        del arguments["epochs"], arguments["steps_per_epoch"]
    if "boundaries" in arguments and use.startswith("optax"):
        arguments["boundaries"] = list(dict.fromkeys(arguments["boundaries"]))
        arguments["scales"] = arguments["scales"][: len(arguments["boundaries"])]
    elif use.startswith("optax.piecewise"):
        arguments |= {"boundaries": [], "scales": []}
    if use == "hf.warmup_stable_decay" and not {"num_training_steps", "num_stable_steps"} & set(arguments):
        arguments["num_stable_steps"] = 3
    if use == "timm.MultiStepLRScheduler":
        arguments["decay_t"].sort()
    if use == "keras.PiecewiseConstantDecay":
        arguments["boundaries"] = sorted(set(arguments["boundaries"]))
        arguments["values"] = (arguments["values"] * 5)[: len(arguments["boundaries"]) + 1]
    return arguments


def text(draw, use, arguments, has_optimizer):
    """The call as a person would write it."""
    library, name = use.split(".")
    path = use if library in ("sklearn", "d2l", "papers") else callable_of(library, name)[0]
    if name in LEARNER:
        path = f"learn.{name}"
    arguments = dict(arguments)
    if use == "optax.sgdr_schedule":
        rows = [dict(zip(arguments, row)) for row in zip(*arguments.values())]
        return f"{path}(cosine_kwargs={rows!r})"
    if use.startswith("optax.piecewise"):
        arguments["boundaries_and_scales"] = dict(zip(arguments.pop("boundaries"), arguments.pop("scales")))
    told = [f"{key}={value!r}" for key, value in arguments.items()]
    if arguments.get("mode") == "max" and not use.startswith("keras"):
        told.append("monitor='val_accuracy'")
    if has_optimizer:
        told.insert(0, draw.choice(["optimizer", "optimizer=optimizer"]))
    if has_optimizer and not use.endswith("ateau") and library != "timm" and library + name != "pytorch_optimizerREXScheduler" and draw.random() < 0.2:
        told.append("last_epoch=-1")
    return draw.choice(["", "scheduler = "]) + path + "(" + ", ".join(told) + draw.choice(["", ","] if told else [""]) + ")"


def momenta(name, rate, arguments, n):
    """What PyTorch's momentum is at each step."""
    from torch.optim import lr_scheduler
    from libraries import sgd
    optimizer = sgd(rate)
    scheduler = getattr(lr_scheduler, name)(optimizer, **arguments)
    values = [float(optimizer.param_groups[0]["momentum"])]
    for _ in range(n - 1):
        optimizer.step()
        scheduler.step()
        values.append(float(optimizer.param_groups[0]["momentum"]))
    return values


def asked(use, peak, arguments, n, metrics):
    """The rates of the first `n` updates, or of fewer if the library fails."""
    library, name = use.split(".")
    ask, _ = LIBRARIES[library]
    while True:
        try:
            return ask(name, peak, arguments, range(n), metrics)
        except Exception:
            if n <= 2 or metrics or library == "fastai":
                raise
            n = n // 2 if 8 < n else n - 1


def call(draw, use):
    library, name = use.split(".")
    libraries.called = called_at_once if library == "optax" else CALLED
    arguments = drawn(draw, use)
    has_optimizer = library in OF_OPTIMIZER
    metrics = None
    peak = draw.choice([0.1, 1.0, 1e-3, 0.37])
    if use in PLATEAUS:
        metrics = [round(draw.uniform(0.2, 1.2) * 0.95**n, 3) for n in range(12 if library == "optax" else 30)]
    elif not has_optimizer or use in OWN_RATE:
        peak = None if library != "papers" or name != "rex" else peak
    n = draw.choice([5, 24, 40])
    if use == "torch.OneCycleLR":
        n = arguments.get("total_steps") or arguments["epochs"] * arguments["steps_per_epoch"]
    if use.startswith("fastai.fit_"):
        epochs = arguments["n_epoch"] if name != "fit_sgdr" else sum(arguments["cycle_len"] * arguments.get("cycle_mult", 2) ** i for i in range(arguments["n_cycles"]))
        n = 4 * epochs
    if use == "fastai.LRFinder":
        n = arguments.get("num_it", 100)
    theirs = dict(arguments)
    if name in LEARNER:
        theirs.pop("n_epoch", None)
    values = asked(use, peak, theirs, n, metrics)
    finite = next((i for i, value in enumerate(values) if not math.isfinite(value)), len(values))
    if finite == 0:
        raise ValueError("no finite rate")
    one = {"class": use, "call": text(draw, use, arguments, has_optimizer), "values": values[:finite]}
    if peak is not None and (has_optimizer or use in PLATEAUS or use == "papers.rex") and not use.startswith("sklearn"):
        one["peak"] = peak
    if metrics:
        one["metrics"] = metrics
    if use in ("torch.CyclicLR", "torch.OneCycleLR"):
        one["momentum"] = momenta(name, 1.0, arguments, len(one["values"])) if arguments["cycle_momentum"] else None
    return one


class TooLong(Exception):
    pass


def main(wanted):
    def stop(*_):
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    for use in SPECS:
        if wanted and not use.startswith(tuple(wanted)):
            continue
        draw = random.Random(use)
        found = tried = 0
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            # Imports may take their time.
            call(random.Random(use), use)
        calls = FEWER.get(use, CALLS)
        while found < calls and tried < 20 * calls:
            tried += 1
            try:
                signal.alarm(60)
                with contextlib.redirect_stdout(io.StringIO()):
                    one = call(draw, use)
            except Exception:
                continue
            finally:
                signal.alarm(0)
            found += 1
            print(json.dumps(one, separators=(",", ":")))
        print(f"{use}: {found} calls, {tried - found} refused by the library", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
