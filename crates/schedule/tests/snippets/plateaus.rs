//! Made by `UPDATE=1 cargo test -p pleach-schedule snippets`: code for Candle, a module for each schedule.

mod pytorch {
    pub fn rate(_step: u64) -> f64 {
        0.1
    }
    pub struct Plateau {
        pub multiplier: f64,
        best: f64,
        bad: u32,
        cooldown: u32,
    }
    impl Default for Plateau {
        fn default() -> Self {
            Self { multiplier: 1.0, best: f64::INFINITY, bad: 0, cooldown: 0 }
        }
    }
    impl Plateau {
        pub fn observe(&mut self, metric: f64) {
            let is_better = metric < self.best * (1.0 - 0.01);
            self.bad = if is_better { 0 } else { self.bad + 1 };
            if is_better {
                self.best = metric;
            }
            if self.cooldown > 0 {
                self.cooldown -= 1;
                self.bad = 0;
            }
            if self.bad > 2 {
                self.multiplier = (self.multiplier * 0.5).max(0.01);
                self.bad = 0;
                self.cooldown = 1;
            }
        }
    }
}

mod pytorch_max {
    pub fn rate(_step: u64) -> f64 {
        0.1
    }
    pub struct Plateau {
        pub multiplier: f64,
        best: f64,
        bad: u32,
    }
    impl Default for Plateau {
        fn default() -> Self {
            Self { multiplier: 1.0, best: f64::NEG_INFINITY, bad: 0 }
        }
    }
    impl Plateau {
        pub fn observe(&mut self, metric: f64) {
            let is_better = metric > self.best + 0.001;
            self.bad = if is_better { 0 } else { self.bad + 1 };
            if is_better {
                self.best = metric;
            }
            if self.bad > 1 {
                let lower = (self.multiplier * 0.3).max(0.0);
                if self.multiplier - lower > 0.01 {
                    self.multiplier = lower;
                }
                self.bad = 0;
            }
        }
    }
}

mod keras {
    pub fn rate(_step: u64) -> f64 {
        0.2
    }
    pub struct Plateau {
        pub multiplier: f64,
        best: f64,
        bad: u32,
        cooldown: u32,
    }
    impl Default for Plateau {
        fn default() -> Self {
            Self { multiplier: 1.0, best: f64::INFINITY, bad: 0, cooldown: 0 }
        }
    }
    impl Plateau {
        pub fn observe(&mut self, metric: f64) {
            let is_better = metric < self.best - 0.003;
            self.bad = if is_better { 0 } else { self.bad + 1 };
            if is_better {
                self.best = metric;
            }
            if self.cooldown > 0 {
                self.cooldown -= 1;
                self.bad = 0;
            }
            if self.bad > 2 {
                self.multiplier = (self.multiplier * 0.5).max(0.02);
                self.bad = 0;
                self.cooldown = 2;
            }
        }
    }
}

mod keras_at_1 {
    pub fn rate(_step: u64) -> f64 {
        0.2
    }
    pub struct Plateau {
        pub multiplier: f64,
        best: f64,
        bad: u32,
    }
    impl Default for Plateau {
        fn default() -> Self {
            Self { multiplier: 1.0, best: f64::INFINITY, bad: 0 }
        }
    }
    impl Plateau {
        pub fn observe(&mut self, metric: f64) {
            let is_better = metric < self.best - 0.0;
            self.bad = if is_better { 0 } else { self.bad + 1 };
            if is_better {
                self.best = metric;
            }
            if self.bad > 0 {
                self.multiplier = (self.multiplier * 0.5).max(0.0);
                self.bad = 0;
            }
        }
    }
}

mod scikit_learn {
    pub fn rate(_step: u64) -> f64 {
        0.3
    }
    pub struct Plateau {
        pub multiplier: f64,
        best: f64,
        bad: u32,
    }
    impl Default for Plateau {
        fn default() -> Self {
            Self { multiplier: 1.0, best: f64::INFINITY, bad: 0 }
        }
    }
    impl Plateau {
        pub fn observe(&mut self, metric: f64) {
            let is_better = metric <= self.best - 0.0001;
            self.bad = if is_better { 0 } else { self.bad + 1 };
            if metric < self.best {
                self.best = metric;
            }
            if self.bad > 1 {
                self.multiplier = (self.multiplier * 0.2).max(0.00032);
                self.bad = 0;
            }
        }
    }
}

mod any_max {
    pub fn rate(_step: u64) -> f64 {
        0.3
    }
    pub struct Plateau {
        pub multiplier: f64,
        best: f64,
        bad: u32,
        cooldown: u32,
    }
    impl Default for Plateau {
        fn default() -> Self {
            Self { multiplier: 1.0, best: f64::NEG_INFINITY, bad: 0, cooldown: 0 }
        }
    }
    impl Plateau {
        pub fn observe(&mut self, metric: f64) {
            let is_better = metric >= self.best * (1.0 + 0.01);
            self.bad = if is_better { 0 } else { self.bad + 1 };
            if metric > self.best {
                self.best = metric;
            }
            if self.cooldown > 0 {
                self.cooldown -= 1;
                self.bad = 0;
            }
            if self.bad > 2 {
                let lower = (self.multiplier * 0.7).max(0.0);
                if self.multiplier - lower > 0.002 {
                    self.multiplier = lower;
                }
                self.bad = 0;
                self.cooldown = 1;
            }
        }
    }
}

mod warmed {
    use std::f64::consts::PI;
    pub fn rate(step: u64) -> f64 {
        0.3 * profile(step as f64)
    }
    fn profile(step: f64) -> f64 {
        if step < 30.0 {
            return step / 30.0;
        }
        0.1 + 0.9 * ((1.0 + (PI * ((step - 30.0) / 270.0).min(1.0)).cos()) / 2.0)
    }
    pub struct Plateau {
        pub multiplier: f64,
        best: f64,
        bad: u32,
    }
    impl Default for Plateau {
        fn default() -> Self {
            Self { multiplier: 1.0, best: f64::INFINITY, bad: 0 }
        }
    }
    impl Plateau {
        pub fn observe(&mut self, metric: f64) {
            let is_better = metric < self.best * (1.0 - 0.01);
            self.bad = if is_better { 0 } else { self.bad + 1 };
            if is_better {
                self.best = metric;
            }
            if self.bad > 1 {
                self.multiplier = (self.multiplier * 0.5).max(0.05);
                self.bad = 0;
            }
        }
    }
}

pub(super) type Rate = fn(u64, &[f64]) -> Vec<f64>;

pub(super) const RATES: &[(&str, Rate)] = &[
    ("pytorch", |steps, metrics| { let mut plateau = pytorch::Plateau::default(); super::follow(steps, metrics, pytorch::rate, |metric| { plateau.observe(metric); plateau.multiplier }) }),
    ("pytorch_max", |steps, metrics| { let mut plateau = pytorch_max::Plateau::default(); super::follow(steps, metrics, pytorch_max::rate, |metric| { plateau.observe(metric); plateau.multiplier }) }),
    ("keras", |steps, metrics| { let mut plateau = keras::Plateau::default(); super::follow(steps, metrics, keras::rate, |metric| { plateau.observe(metric); plateau.multiplier }) }),
    ("keras_at_1", |steps, metrics| { let mut plateau = keras_at_1::Plateau::default(); super::follow(steps, metrics, keras_at_1::rate, |metric| { plateau.observe(metric); plateau.multiplier }) }),
    ("scikit_learn", |steps, metrics| { let mut plateau = scikit_learn::Plateau::default(); super::follow(steps, metrics, scikit_learn::rate, |metric| { plateau.observe(metric); plateau.multiplier }) }),
    ("any_max", |steps, metrics| { let mut plateau = any_max::Plateau::default(); super::follow(steps, metrics, any_max::rate, |metric| { plateau.observe(metric); plateau.multiplier }) }),
    ("warmed", |steps, metrics| { let mut plateau = warmed::Plateau::default(); super::follow(steps, metrics, warmed::rate, |metric| { plateau.observe(metric); plateau.multiplier }) }),
];
