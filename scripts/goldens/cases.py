"""The cases: which class, with which arguments, for how many updates, or at which of them."""
import random

CASES = []


def case(use, *, peak=None, steps=25, at=None, budget=None, metrics=None, **arguments):
    one = {"use": use}
    if peak is not None:
        one["peak"] = peak
    one["arguments"] = arguments
    if metrics is not None:
        one["metrics"] = metrics
    elif at is not None:
        one["at"] = sorted(set(at))
    else:
        one["steps"] = steps
    if budget is not None:
        one["budget"] = budget
    CASES.append(one)


# PyTorch: the rate is the optimizer's.
def torch(name, peak=0.1, **rest):
    case("torch." + name, peak=peak, **rest)


torch("LambdaLR", lr_lambda=[1.0, 0.5, 0.25, 2.0], steps=8)
torch("MultiplicativeLR", lr_lambda=[9.0, 0.5, 0.9, 1.5], steps=8)
torch("StepLR", step_size=4, gamma=0.3)
torch("StepLR", step_size=30, at=[0, 29, 30, 59, 60, 89, 90, 299])
torch("StepLR", step_size=1, gamma=0.9)
torch("StepLR", step_size=5, gamma=0.0)
torch("StepLR", step_size=5, gamma=1.0)
torch("MultiStepLR", milestones=[3, 8, 8, 20], gamma=0.5)
torch("MultiStepLR", milestones=[20, 3, 8], gamma=0.5)
torch("MultiStepLR", milestones=[3, 3], gamma=0.1, steps=6)
torch("MultiStepLR", milestones=[0, 5], gamma=0.1, steps=8)
torch("MultiStepLR", milestones=[5, 500])
torch("ConstantLR")
torch("ConstantLR", factor=0.5, total_iters=4)
torch("ConstantLR", factor=0.5, total_iters=0, compat=True, steps=4)
torch("ConstantLR", factor=0.0, total_iters=9, steps=9)
torch("LinearLR")
torch("LinearLR", start_factor=1.0, end_factor=0.1, total_iters=7)
torch("LinearLR", start_factor=0.001, total_iters=100, at=[0, 1, 50, 99, 100, 101, 500])
torch("LinearLR", start_factor=0.5, total_iters=0, compat=True, steps=4)
torch("ExponentialLR", gamma=0.9)
torch("ExponentialLR", gamma=0.0, steps=5)
torch("ExponentialLR", gamma=1.01, steps=12)
torch("ExponentialLR", gamma=0.999, at=[0, 1, 999, 2000])
torch("PolynomialLR", total_iters=12, power=2.0)
torch("PolynomialLR", total_iters=12, power=0.5)
torch("PolynomialLR")
torch("PolynomialLR", total_iters=0, compat=True, steps=4)
torch("CosineAnnealingLR", T_max=24, eta_min=0.001)
torch("CosineAnnealingLR", T_max=6, eta_min=0.001, compat=True, steps=30)
torch("CosineAnnealingLR", T_max=1, compat=True, steps=6)
torch("CosineAnnealingLR", T_max=1, eta_min=0.01, steps=2)
torch("CosineAnnealingLR", T_max=1000, at=[0, 1, 333, 500, 999, 1000])
torch("CosineAnnealingLR", T_max=5, eta_min=0.3, steps=6)
torch("CosineAnnealingWarmRestarts", T_0=2, T_mult=2, eta_min=0.001, steps=40)
torch("CosineAnnealingWarmRestarts", T_0=1, T_mult=3, at=[0, 1, 2, 3, 4, 12, 13, 39, 40, 41, 120, 121, 122, 363, 364, 365, 399])
torch("CosineAnnealingWarmRestarts", T_0=1, T_mult=10, at=[0, 1, 10, 11, 12, 110, 111, 112, 1110, 1111, 1112])
torch("CosineAnnealingWarmRestarts", T_0=7, steps=30)
torch("CyclicLR", peak=None, base_lr=0.01, max_lr=0.1, step_size_up=3, step_size_down=5, steps=30)
torch("CyclicLR", peak=None, base_lr=0.01, max_lr=0.1, step_size_up=3, mode="triangular2", steps=30)
torch("CyclicLR", peak=None, base_lr=0.01, max_lr=0.1, step_size_up=3, mode="exp_range", gamma=0.97, steps=30)
torch("CyclicLR", peak=None, base_lr=0.001, max_lr=0.1, at=[0, 1, 1000, 1999, 2000, 2001, 3999, 4000, 4001])
torch("CyclicLR", peak=None, base_lr=0.0, max_lr=1.0, step_size_up=1, step_size_down=7, mode="triangular2", steps=26)
for total, share in [(20, 0.3), (20, 0.35), (97, 0.25), (7, 0.5), (100, 0.29), (10, 0.3), (10, 0.0), (10, 0.05), (1, 0.3), (2, 0.9)]:
    for strategy in ["cos", "linear"]:
        for three in [False, True]:
            if three and (share * total < 1 or 0.5 <= share):
                continue
            at = range(total) if total < 20 else {0, 1, total - 2, total - 1} | {
                int(corner) + near for corner in (share * total - 1, 2 * share * total - 2) for near in range(-1, 3)
            } | set(range(0, total, 7))
            torch("OneCycleLR", peak=None, max_lr=0.1, total_steps=total, pct_start=share, anneal_strategy=strategy, three_phase=three, at=at)
torch("OneCycleLR", peak=None, max_lr=3.0, epochs=3, steps_per_epoch=5, div_factor=10.0, final_div_factor=100.0, steps=15)
torch("OneCycleLR", peak=None, max_lr=1.0, total_steps=300, at=[0, 1, 88, 89, 90, 91, 150, 298, 299])
torch("SWALR", swa_lr=0.05, anneal_epochs=5, steps=12)
torch("SWALR", swa_lr=0.05, anneal_epochs=5, anneal_strategy="linear", steps=12)
torch("SWALR", swa_lr=0.2, steps=14)
torch("SWALR", swa_lr=0.05, anneal_epochs=0, steps=4)


# Hugging Face.
def hf(name, peak=1.0, steps=16, **rest):
    case("hf." + name, peak=peak, steps=steps, **rest)


hf("constant", steps=3)
hf("constant_with_warmup", num_warmup_steps=4)
hf("constant_with_warmup")
T = {"num_warmup_steps": 4, "num_training_steps": 12}
hf("linear", **T)
hf("linear", num_training_steps=12)
hf("linear", num_warmup_steps=12, num_training_steps=12)
hf("linear", num_warmup_steps=1, num_training_steps=2, steps=4)
hf("cosine", **T, steps=13)
hf("cosine", **T, compat=True, steps=40)
hf("cosine", **T, num_cycles=1, steps=13)
hf("cosine", **T, num_cycles=2, steps=13)
hf("cosine", **T, num_cycles=1.5, compat=True, steps=30)
hf("cosine", num_warmup_steps=5, num_training_steps=5, steps=6, budget=6, at=range(5))
hf("cosine_with_restarts", **T, num_cycles=2)
hf("cosine_with_restarts", **T)
hf("cosine_with_restarts", num_training_steps=12, num_cycles=3)
hf("polynomial", **T, lr_end=0.1, power=2.0)
hf("polynomial", **T, peak=5e-5)
hf("polynomial", **T, peak=1e-3, power=0.5)
hf("inverse_sqrt", num_warmup_steps=4)
hf("inverse_sqrt", num_warmup_steps=4, timescale=16)
hf("inverse_sqrt", num_warmup_steps=8, timescale=2)
hf("inverse_sqrt", at=[0, 1, 9999, 10000, 20000])
hf("cosine_with_min_lr", **T, min_lr=0.1, steps=13)
hf("cosine_with_min_lr", **T, min_lr_rate=0.1, steps=13, peak=0.01)
hf("cosine_with_min_lr", **T, min_lr_rate=0.1, compat=True, steps=40)
hf("cosine_with_min_lr", **T, min_lr_rate=0.1, num_cycles=1, steps=13)
hf("cosine_warmup_with_min_lr", **T, min_lr_rate=0.1, steps=12)
hf("cosine_warmup_with_min_lr", **T, min_lr=0.0, steps=12)
hf("cosine_warmup_with_min_lr", **T, min_lr_rate=0.1, warmup_lr_rate=0.2, steps=12)
hf("cosine_warmup_with_min_lr", **T, min_lr_rate=0.1, compat=True, steps=30)
W = {"num_warmup_steps": 4, "num_decay_steps": 5}
for shape in ["linear", "cosine", "1-sqrt"]:
    hf("warmup_stable_decay", **W, num_stable_steps=3, decay_type=shape, min_lr_ratio=0.1)
    hf("warmup_stable_decay", **W, num_stable_steps=3, warmup_type=shape)
hf("warmup_stable_decay", **W, num_training_steps=12, warmup_type="1-sqrt", min_lr_ratio=0.1)
hf("warmup_stable_decay", num_decay_steps=12, num_training_steps=12)


# timm.
def timm(name, peak=1.0, steps=24, **rest):
    case("timm." + name, peak=peak, steps=steps, **rest)


P = {"warmup_t": 3, "warmup_lr_init": 0.01}
for name in ["CosineLRScheduler", "TanhLRScheduler", "PolyLRScheduler"]:
    timm(name, t_initial=10, lr_min=0.1)
    timm(name, t_initial=10, lr_min=0.1, **P)
    timm(name, t_initial=10, lr_min=0.1, **P, warmup_prefix=True)
    timm(name, t_initial=5, lr_min=0.1, cycle_decay=0.5, cycle_limit=3)
    timm(name, t_initial=2, lr_min=0.1, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=3)
    # Not at the exact restarts, some of which the library misses.
    timm(name, t_initial=1, cycle_mul=3.0, cycle_limit=6, at=[0, 2, 3, 5, 12, 14, 39, 41, 120, 122, 300])
timm("CosineLRScheduler", t_initial=10, lr_min=0.1, k_decay=1.5)
timm("CosineLRScheduler", t_initial=300, warmup_t=5, warmup_lr_init=1e-6, lr_min=1e-5, peak=1e-3, at=[0, 1, 4, 5, 6, 150, 299, 300, 310])
timm("TanhLRScheduler", t_initial=10, lb=-4.0, ub=4.0)
timm("PolyLRScheduler", t_initial=10, power=2.0, lr_min=0.1, k_decay=1.5)
timm("StepLRScheduler", decay_t=4, decay_rate=0.5)
timm("StepLRScheduler", decay_t=4, decay_rate=0.5, **P)
timm("StepLRScheduler", decay_t=4, decay_rate=0.5, **P, warmup_prefix=False)
timm("StepLRScheduler", decay_t=2.5, decay_rate=0.97)
timm("MultiStepLRScheduler", decay_t=[3, 6], decay_rate=0.1)
timm("MultiStepLRScheduler", decay_t=[1, 7], decay_rate=0.1)
timm("MultiStepLRScheduler", decay_t=[4, 7], decay_rate=0.1, **P)
timm("MultiStepLRScheduler", decay_t=[4, 7], decay_rate=0.1, **P, warmup_prefix=False)
for shape in [{"decay_fn": "linear"}, {}, {"decay_fn": "cosine"}, {"decay_fn": "power", "decay_power": 0.7}, {"decay_fn": "exp"}, {"decay_fn": "exp", "decay_ratio": 0.01}]:
    timm("WSDLRScheduler", t_initial=12, decay_t=5, warmup_t=3, lr_min=0.1, **shape)
timm("WSDLRScheduler", t_initial=12, decay_t=12)
timm("WSDLRScheduler", t_initial=12, decay_t=5, warmup_t=3, stable_fn="rsqrt", decay_fn="linear")
timm("WSDLRScheduler", t_initial=12, decay_t=5, stable_fn="power", stable_timescale=4.0, stable_power=0.3)


# Keras: rates are absolute.
def keras(name, rate=1.0, steps=20, **rest):
    case("keras." + name, initial_learning_rate=rate, steps=steps, **rest)


keras("ExponentialDecay", decay_steps=3, decay_rate=0.5)
keras("ExponentialDecay", decay_steps=3, decay_rate=0.5, staircase=True)
keras("ExponentialDecay", rate=0.1, decay_steps=100000, decay_rate=0.96, at=[0, 1, 50000, 99999, 100000])
keras("ExponentialDecay", decay_steps=3, decay_rate=0.0, steps=5)
case("keras.PiecewiseConstantDecay", boundaries=[3, 6], values=[1.0, 0.5, 0.1], steps=20)
case("keras.PiecewiseConstantDecay", boundaries=[0, 1], values=[0.1, 0.5, 0.0], steps=5)
case("keras.PiecewiseConstantDecay", boundaries=[100], values=[0.01, 1.0], at=[0, 99, 100, 101, 102, 200])
keras("PolynomialDecay", decay_steps=8, end_learning_rate=0.1, power=2.0)
keras("PolynomialDecay", decay_steps=8)
keras("PolynomialDecay", rate=0.1, decay_steps=10000, end_learning_rate=0.01, power=0.5, at=[0, 1, 5000, 9999, 10000, 10001])
keras("InverseTimeDecay", decay_steps=4, decay_rate=0.5)
keras("InverseTimeDecay", decay_steps=4, decay_rate=0.5, staircase=True)
keras("InverseTimeDecay", decay_steps=4, decay_rate=0.0, steps=5)
keras("CosineDecay", decay_steps=8, alpha=0.1)
keras("CosineDecay", rate=0.2, decay_steps=8, alpha=0.1, warmup_target=1.0, warmup_steps=4)
keras("CosineDecay", rate=0.0, decay_steps=1000, warmup_target=0.1, warmup_steps=1000, at=[0, 1, 999, 1000, 1001, 1500, 1999, 2000, 2500])
keras("CosineDecay", rate=0.5, decay_steps=8, warmup_target=0.25, warmup_steps=2)
keras("CosineDecayRestarts", first_decay_steps=3, m_mul=0.5, alpha=0.1, steps=45)
keras("CosineDecayRestarts", first_decay_steps=4, t_mul=1.0, m_mul=0.9)
keras("CosineDecayRestarts", first_decay_steps=2, t_mul=3.0, at=[0, 1, 3, 7, 9, 20, 27, 60])


# optax: a function each.
def optax(name, steps=20, **rest):
    case("optax." + name, steps=steps, **rest)


optax("constant_schedule", value=0.1, steps=3)
optax("linear_schedule", init_value=0.0, end_value=0.1, transition_steps=5)
optax("linear_schedule", init_value=1.0, end_value=0.1, transition_steps=5, transition_begin=3)
optax("linear_schedule", init_value=0.5, end_value=0.1, transition_steps=0, compat=True, steps=4)
optax("polynomial_schedule", init_value=1.0, end_value=0.1, power=2, transition_steps=8, transition_begin=3)
optax("polynomial_schedule", init_value=0.1, end_value=1.0, power=0.5, transition_steps=8)
optax("exponential_decay", init_value=1.0, transition_steps=2, decay_rate=0.5, transition_begin=3, end_value=0.05)
optax("exponential_decay", init_value=1.0, transition_steps=4, decay_rate=0.5, staircase=True)
optax("exponential_decay", init_value=1.0, transition_steps=3, decay_rate=0.5, transition_begin=4, staircase=True)
optax("exponential_decay", init_value=0.1, transition_steps=3, decay_rate=2.0, end_value=1.0)
optax("exponential_decay", init_value=0.1, transition_steps=3, decay_rate=2.0, end_value=1.0, staircase=True, transition_begin=1)
optax("exponential_decay", init_value=0.1, transition_steps=3, decay_rate=2.0, end_value=0.05)
optax("exponential_decay", init_value=0.1, transition_steps=3, decay_rate=0.5, end_value=0.2)
optax("exponential_decay", init_value=0.1, transition_steps=3, decay_rate=0.0, compat=True, steps=5)
optax("exponential_decay", init_value=0.1, transition_steps=0, decay_rate=0.5, compat=True, steps=5)
optax("cosine_decay_schedule", init_value=1.0, decay_steps=8, alpha=0.1, exponent=2.0)
optax("cosine_decay_schedule", init_value=0.1, decay_steps=8)
optax("piecewise_constant_schedule", init_value=1.0, boundaries=[3, 6], scales=[0.5, 0.2])
optax("piecewise_constant_schedule", init_value=1.0, boundaries=[6, 3], scales=[0.5, 0.2])
optax("piecewise_constant_schedule", init_value=1.0, steps=3)
for shape in ["linear", "cosine"]:
    optax("piecewise_interpolate_schedule", interpolate_type=shape, init_value=1.0, boundaries=[3, 6], scales=[0.5, 0.2])
optax("linear_onecycle_schedule", transition_steps=20, peak_value=1.0, steps=24)
optax("linear_onecycle_schedule", transition_steps=97, peak_value=0.1, pct_start=0.25, pct_final=0.7, at=[0, 23, 24, 25, 66, 67, 68, 95, 96, 97, 100])
optax("linear_onecycle_schedule", transition_steps=3, peak_value=1.0, steps=5)
optax("cosine_onecycle_schedule", transition_steps=20, peak_value=1.0, steps=24)
optax("cosine_onecycle_schedule", transition_steps=3, peak_value=1.0, steps=5)
optax("cosine_onecycle_schedule", transition_steps=7, peak_value=1.0, pct_start=0.5, div_factor=10.0, final_div_factor=100.0, steps=9)
optax("warmup_constant_schedule", init_value=0.0, peak_value=0.1, warmup_steps=5, steps=8)
optax("warmup_constant_schedule", init_value=0.01, peak_value=0.1, warmup_steps=0, compat=True, steps=4)
optax("warmup_cosine_decay_schedule", init_value=0.1, peak_value=1.0, warmup_steps=3, decay_steps=11, end_value=0.05)
optax("warmup_cosine_decay_schedule", init_value=0.0, peak_value=1.0, warmup_steps=2, decay_steps=8, exponent=2.0)
optax("warmup_cosine_decay_schedule", init_value=0.0, peak_value=1.0, warmup_steps=0, decay_steps=8, steps=10)
optax("warmup_exponential_decay_schedule", init_value=0.0, peak_value=1.0, warmup_steps=3, transition_steps=4, decay_rate=0.5)
optax("warmup_exponential_decay_schedule", init_value=0.0, peak_value=1.0, warmup_steps=3, transition_steps=4, decay_rate=0.5, transition_begin=2, staircase=True, end_value=0.2)
optax("sgdr_schedule", init_value=[0.0, 0.1], peak_value=[1.0, 0.5], warmup_steps=[2, 3], decay_steps=[6, 12], end_value=[0.1, 0.0], steps=20)
optax("sgdr_schedule", init_value=[0.1, 0.1], peak_value=[1.0, 2.0], warmup_steps=[0, 2], decay_steps=[5, 5], steps=12)

# fastai: shares of the whole, which is the budget.
case("fastai.fit_one_cycle", lr_max=1.0, steps=40)
case("fastai.fit_one_cycle", lr_max=0.01, div=10.0, div_final=1000.0, pct_start=0.3, steps=12)
case("fastai.fit_flat_cos", lr=1.0, steps=40)
case("fastai.fit_flat_cos", lr=0.01, div_final=100.0, pct_start=0.5, steps=12)
# It misses the restart at 12, by the rounding of 12/28 in single precision.
case("fastai.fit_sgdr", lr_max=1.0, n_cycles=3, cycle_len=1, cycle_mult=2, at=[*range(12), *range(13, 28)])
case("fastai.LRFinder", start_lr=1e-4, end_lr=1.0, num_it=20, steps=20)
case("fastai.SchedNo", start=0.1, end=0.3, steps=4)
case("fastai.SchedLin", start=0.1, end=0.3, steps=10)
case("fastai.SchedCos", start=0.3, end=0.1, steps=10)
case("fastai.SchedExp", start=0.1, end=1.0, steps=10)
case("fastai.SchedPoly", start=1.0, end=0.1, power=2.0, steps=10)
case("fastai.combined_cos", pct=0.25, start=0.1, middle=1.0, end=0.01, steps=16)

# scikit-learn.
case("sklearn.constant", eta0=0.1, steps=3)
case("sklearn.invscaling", eta0=1.0, power_t=0.25, steps=30)
case("sklearn.invscaling", eta0=0.01, steps=30)
case("sklearn.optimal", alpha=0.0001, steps=30)
case("sklearn.optimal", alpha=0.01, steps=30)
case("sklearn.mlp_constant", learning_rate_init=0.1, steps=3)
case("sklearn.mlp_invscaling", n_samples=200, learning_rate_init=0.1, steps=12)
case("sklearn.mlp_invscaling", n_samples=1797, power_t=0.25, steps=5)

# MXNet.
M = {"warmup_steps": 3, "warmup_begin_lr": 0.01}
for extra in [{}, M, {**M, "warmup_mode": "constant"}, {**M, "warmup_steps": 12}]:
    case("mxnet.FactorScheduler", step=5, factor=0.5, base_lr=1.0, **extra, steps=24)
    case("mxnet.MultiFactorScheduler", step=[5, 9], factor=0.1, base_lr=1.0, **extra, steps=24)
    case("mxnet.PolyScheduler", max_update=20, base_lr=1.0, final_lr=0.1, **extra, steps=24)
    case("mxnet.CosineScheduler", max_update=20, base_lr=1.0, final_lr=0.1, **extra, steps=24)
case("mxnet.FactorScheduler", step=2, factor=0.5, stop_factor_lr=0.1, base_lr=1.0, steps=16)
case("mxnet.PolyScheduler", max_update=10, pwr=1, steps=14)

# Dive into Deep Learning, and papers.
case("d2l.SquareRootScheduler", lr=1.0, steps=30)
case("d2l.SquareRootScheduler", steps=5)
case("d2l.FactorScheduler", factor=0.9, stop_factor_lr=1e-2, base_lr=2.0, steps=60)
case("d2l.CosineScheduler", max_update=20, base_lr=0.3, final_lr=0.01, steps=30)
case("d2l.CosineScheduler", max_update=20, base_lr=0.3, final_lr=0.01, warmup_steps=5, steps=30)
case("papers.noam", d_model=512, warmup_steps=5, steps=30)
case("papers.noam", d_model=256, factor=2.0, at=[0, 1, 3998, 3999, 4000, 10000])
case("papers.rex", peak=1.0, total_steps=10, steps=12)

# pytorch_optimizer.
for shape in ["cosine", "1-sqrt", "linear", "1-square"]:
    case("pytorch_optimizer.get_wsd_schedule", peak=1.0, num_warmup_steps=3, num_stable_steps=7, num_decay_steps=5, cooldown_type=shape, steps=18)
    case("pytorch_optimizer.get_wsd_schedule", peak=1.0, num_warmup_steps=3, num_stable_steps=7, num_decay_steps=5, cooldown_type=shape, min_lr_ratio=0.1, compat=True, steps=18)
case("pytorch_optimizer.REXScheduler", total_steps=10, max_lr=1.0, at=range(1, 14))
case("pytorch_optimizer.REXScheduler", total_steps=10, max_lr=0.5, min_lr=0.05, compat=True, steps=14)

# What only evaluations decide: the rate after each.
random.seed(3)
CREEPING = [round(1.0 - 4e-5 * n, 5) for n in range(14)]
WALK = [round(random.uniform(0.5, 1.5) * 0.97**n, 3) for n in range(60)]
SCORES = [round(1.0 - 0.4 * value, 3) for value in WALK]
for metrics in [WALK, CREEPING]:
    plain = {"peak": 0.1, "metrics": metrics}
    for name in ["torch.ReduceLROnPlateau", "hf.reduce_lr_on_plateau"]:
        case(name, factor=0.5, patience=2, **plain)
        case(name, factor=0.5, patience=1, cooldown=3, threshold=0.01, threshold_mode="abs", min_lr=0.01, **plain)
        case(name, patience=0, eps=1e-4, **plain)
    case("keras.ReduceLROnPlateau", factor=0.5, patience=2, **plain)
    case("keras.ReduceLROnPlateau", factor=0.5, patience=2, cooldown=3, min_delta=0.01, min_lr=0.01, **plain)
    case("optax.reduce_on_plateau", factor=0.5, patience=2, **plain)
    case("optax.reduce_on_plateau", factor=0.5, patience=2, cooldown=2, rtol=0.0, atol=0.01, min_scale=0.1, **plain)
    case("timm.PlateauLRScheduler", decay_rate=0.5, patience_t=2, mode="min", **plain)
    case("timm.PlateauLRScheduler", decay_rate=0.5, patience_t=1, cooldown_t=2, lr_min=0.01, mode="min", **plain)
    case("sklearn.mlp_adaptive", learning_rate_init=0.1, n_iter_no_change=2, metrics=metrics)
    case("sklearn.adaptive", eta0=0.1, tol=1e-3, n_iter_no_change=2, metrics=metrics)
case("torch.ReduceLROnPlateau", peak=0.1, mode="max", monitor="val_accuracy", factor=0.5, patience=2, metrics=SCORES)
case("keras.ReduceLROnPlateau", peak=0.1, monitor="val_accuracy", factor=0.5, patience=3, metrics=SCORES)


def in_turn(at):
    from libraries import sgd, stepped
    from torch.optim import lr_scheduler as torch
    optimizer = sgd(0.1)
    parts = [torch.LinearLR(optimizer, 0.1, 1.0, 3), torch.CosineAnnealingLR(optimizer, 9)]
    return stepped(optimizer, torch.SequentialLR(optimizer, parts, [3]), at)


def together(at):
    from libraries import sgd, stepped
    from torch.optim import lr_scheduler as torch
    optimizer = sgd(0.1)
    parts = [torch.LinearLR(optimizer, 0.1, 1.0, 3), torch.ExponentialLR(optimizer, 0.9)]
    return stepped(optimizer, torch.ChainedScheduler(parts, optimizer), at)


def joined(at):
    import optax
    parts = [optax.linear_schedule(0.0, 1.0, 5), optax.constant_schedule(1.0), optax.cosine_decay_schedule(1.0, 5)]
    schedule = optax.join_schedules(parts, [5, 9])
    return [float(schedule(step)) for step in at]


# What a library composes, and the line that means the same.
COMPOSED = [
    ("0.1: 0.1 > 1 linear for 3st, > 0 cosine for 9st", "torch", in_turn, 12),
    ("0.1: 0.1 > 1 linear for 3st, hold ; times decay(gamma=0.9,tau=1st)", "torch", together, 12),
    ("1: 0 > 1 linear for 5st, hold 4st, > 0 cosine for 5st", "optax", joined, 16),
]
