//! Made by `UPDATE=1 cargo test -p pleach-schedule snippets`: code for Candle, a module for each schedule.

mod constant {
    pub fn rate(_step: u64) -> f64 {
        0.1
    }
}

mod cosine {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        (1.0 + (PI * (step / 300.0).min(1.0)).cos()) / 2.0
    }
}

mod cosine_floor {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.3 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 240.0 {
            return 0.1 + 0.9 * ((1.0 + (PI * (step / 240.0)).cos()) / 2.0);
        }
        0.1
    }
}

mod warmup_cosine {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.3 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 30.0 {
            return step / 30.0;
        }
        0.01 + 0.99 * ((1.0 + (PI * ((step - 30.0) / 270.0).min(1.0)).cos()) / 2.0)
    }
}

mod cosine_powers {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.3 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        ((1.0 + (PI * (step / 300.0).min(1.0).powf(1.5)).cos()) / 2.0).powf(2.0)
    }
}

mod linear {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        1.0 - 0.9 * (step / 300.0).min(1.0)
    }
}

mod line_up {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 40.0 {
            return 0.25 + 0.75 * (step / 40.0);
        }
        1.0
    }
}

mod warmup_linear {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 30.0 {
            return 0.1 + 0.9 * (step / 30.0);
        }
        1.0 - ((step - 30.0) / 270.0).min(1.0)
    }
}

mod poly {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        (1.0 - (step / 300.0).min(1.0)).powf(2.0)
    }
}

mod geometric {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        0.01_f64.powf((step / 300.0).min(1.0))
    }
}

mod wsd {
    pub fn rate(step: u64) -> f64 {
        0.3 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 30.0 {
            return step / 30.0;
        }
        if step < 240.0 {
            return 1.0;
        }
        1.0 - ((step - 240.0) / 60.0).min(1.0).powf(0.5)
    }
}

mod rex {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        (1.0 - (step / 300.0).min(1.0)) / (1.0 - 0.5 * (step / 300.0).min(1.0))
    }
}

mod tanh {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        (1.0 - (-7.0 + 10.0 * (step / 300.0).min(1.0)).tanh()) / 2.0
    }
}

mod cooldown {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 240.0 {
            return 1.0;
        }
        0.05 + 0.95 * ((0.1_f64.powf(((step - 240.0) / 60.0).min(1.0)) - 0.1) / 0.9)
    }
}

mod one_cycle {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.3 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 90.0 {
            return 1.0 - 0.96 * ((1.0 + (PI * (step / 90.0)).cos()) / 2.0);
        }
        4e-6 + 0.999996 * ((1.0 + (PI * ((step - 90.0) / 210.0).min(1.0)).cos()) / 2.0)
    }
}

mod three_phase {
    pub fn rate(step: u64) -> f64 {
        0.3 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 90.0 {
            return 0.04 + 0.96 * (step / 90.0);
        }
        if step < 180.0 {
            return 1.0 - 0.96 * ((step - 90.0) / 90.0);
        }
        0.04 - 0.0399 * ((step - 180.0) / 120.0).min(1.0)
    }
}

mod steps {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        0.1_f64.powf((step / 90.0).floor())
    }
}

mod steps_apart {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        0.9_f64.powf((step / 7.3).floor())
    }
}

mod multistep {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        0.1_f64.powf([150.0, 225.0].iter().filter(|at| **at <= step).count() as f64)
    }
}

mod decay {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        0.9_f64.powf(step / 10.0)
    }
}

mod decay_slow {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        1.01_f64.powf(step)
    }
}

mod decay_floor {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        0.98_f64.powf(step).max(0.1)
    }
}

mod inverse_time {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        1.0 / (1.0 + step / 30.0)
    }
}

mod inverse_sqrt {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 30.0 {
            return step / 30.0;
        }
        (1.0 + (step - 30.0) / 30.0).powf(-0.5)
    }
}

mod noam {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        let step = step + 1.0;
        if step < 40.0 {
            return step / 40.0;
        }
        (1.0 + (step - 40.0) / 40.0).powf(-0.5)
    }
}

mod epochs {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        let step = (step / 25.0).floor() * 25.0;
        (1.0 + (PI * (step / 300.0).min(1.0)).cos()) / 2.0
    }
}

mod triangular {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn body(u: f64) -> f64 {
        if u < 0.5 {
            return u / 0.5;
        }
        1.0 - ((u - 0.5) / 0.5).min(1.0)
    }
    fn cycle(t: f64) -> f64 {
        let index = (t / 60.0).floor();
        0.1 + 0.9 * body((t - index * 60.0) / 60.0)
    }
    fn profile(step: f64) -> f64 {
        cycle(step)
    }
}

mod triangular2 {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn body(u: f64) -> f64 {
        if u < 0.5 {
            return u / 0.5;
        }
        1.0 - ((u - 0.5) / 0.5).min(1.0)
    }
    fn cycle(t: f64) -> f64 {
        let index = (t / 60.0).floor();
        let gain = 0.5_f64.powf(index);
        0.1 + 0.9 * (gain * body((t - index * 60.0) / 60.0))
    }
    fn profile(step: f64) -> f64 {
        cycle(step)
    }
}

mod fading {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn body(u: f64) -> f64 {
        if u < 0.5 {
            return u / 0.5;
        }
        1.0 - ((u - 0.5) / 0.5).min(1.0)
    }
    fn cycle(t: f64) -> f64 {
        let index = (t / 60.0).floor();
        let gain = 0.99_f64.powf(t);
        0.1 + 0.9 * (gain * body((t - index * 60.0) / 60.0))
    }
    fn profile(step: f64) -> f64 {
        cycle(step)
    }
}

mod restarts {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn body(u: f64) -> f64 {
        (1.0 + (PI * u.min(1.0)).cos()) / 2.0
    }
    fn cycle(t: f64) -> f64 {
        let index = [20.0, 60.0, 140.0].iter().filter(|at| **at <= t).count() as f64;
        let start = 20.0 * (2.0_f64.powf(index) - 1.0);
        let length = 20.0 * 2.0_f64.powf(index);
        body((t - start) / length)
    }
    fn profile(step: f64) -> f64 {
        cycle(step)
    }
}

mod fading_restarts {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn body(u: f64) -> f64 {
        (1.0 + (PI * u.min(1.0)).cos()) / 2.0
    }
    fn cycle(t: f64) -> f64 {
        let index = [20.0, 60.0, 140.0].iter().filter(|at| **at <= t).count() as f64;
        let start = 20.0 * (2.0_f64.powf(index) - 1.0);
        let length = 20.0 * 2.0_f64.powf(index);
        let gain = 0.5_f64.powf(t / 100.0);
        gain * body((t - start) / length)
    }
    fn profile(step: f64) -> f64 {
        cycle(step)
    }
}

mod falling_peaks {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn body(u: f64) -> f64 {
        (1.0 + (PI * u.min(1.0)).cos()) / 2.0
    }
    fn cycle(t: f64) -> f64 {
        let index = [20.0, 50.0, 95.0].iter().filter(|at| **at <= t).count() as f64;
        let start = 40.0 * (1.5_f64.powf(index) - 1.0);
        let length = 20.0 * 1.5_f64.powf(index);
        let gain = 0.5_f64.powf(index);
        if t < 162.5 { 0.01 + (gain - 0.01) * body(((t - start) / length).max(0.0)) } else { 0.01 }
    }
    fn profile(step: f64) -> f64 {
        cycle(step)
    }
}

mod table {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        [1.0, 0.5, 0.25, 0.1][((step / 50.0).floor() as usize).min(3)]
    }
}

mod product {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn factor(step: f64) -> f64 {
        (1.0 + (PI * (step / 300.0).min(1.0)).cos()) / 2.0
    }
    fn factor_2(step: f64) -> f64 {
        if step < 30.0 {
            return step / 30.0;
        }
        1.0
    }
    fn profile(step: f64) -> f64 {
        factor(step) * factor_2(step)
    }
}

mod between_steps {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 99.9 {
            return 1.0;
        }
        if step < 199.8 {
            return 1.0 - 0.9 * ((step - 99.9) / 99.9);
        }
        0.1
    }
}

mod jump {
    pub fn rate(step: u64) -> f64 {
        0.1 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 30.0 {
            return 0.1;
        }
        if step < 130.5 {
            return 1.0 - 0.8 * ((step - 30.0) / 100.5);
        }
        0.5
    }
}

pub(super) type Rate = fn(u64) -> f64;

pub(super) const RATES: &[(&str, Rate)] = &[
    ("constant", constant::rate),
    ("cosine", cosine::rate),
    ("cosine_floor", cosine_floor::rate),
    ("warmup_cosine", warmup_cosine::rate),
    ("cosine_powers", cosine_powers::rate),
    ("linear", linear::rate),
    ("line_up", line_up::rate),
    ("warmup_linear", warmup_linear::rate),
    ("poly", poly::rate),
    ("geometric", geometric::rate),
    ("wsd", wsd::rate),
    ("rex", rex::rate),
    ("tanh", tanh::rate),
    ("cooldown", cooldown::rate),
    ("one_cycle", one_cycle::rate),
    ("three_phase", three_phase::rate),
    ("steps", steps::rate),
    ("steps_apart", steps_apart::rate),
    ("multistep", multistep::rate),
    ("decay", decay::rate),
    ("decay_slow", decay_slow::rate),
    ("decay_floor", decay_floor::rate),
    ("inverse_time", inverse_time::rate),
    ("inverse_sqrt", inverse_sqrt::rate),
    ("noam", noam::rate),
    ("epochs", epochs::rate),
    ("triangular", triangular::rate),
    ("triangular2", triangular2::rate),
    ("fading", fading::rate),
    ("restarts", restarts::rate),
    ("fading_restarts", fading_restarts::rate),
    ("falling_peaks", falling_peaks::rate),
    ("table", table::rate),
    ("product", product::rate),
    ("between_steps", between_steps::rate),
    ("jump", jump::rate),
];
