//! Code for the half of a schedule that evaluations decide: a library's own class where it has exactly that rule,
//! otherwise the rule itself, a few lines around a multiplier of the rate.

use super::{call, rate};
use crate::plateau::{Best, Direction, Plateau, Threshold};

/// PyTorch's own class, for an optimizer whose rate nothing else changes.
pub(super) fn pytorch(rule: &Plateau, peak: f64) -> Option<String> {
    if rule.best == Best::Any {
        return None;
    }
    let mode = rule.goal().word();
    let threshold_mode = match rule.threshold_is {
        Threshold::Relative => "rel",
        Threshold::Absolute => "abs",
    };
    let arguments = [
        "optimizer".to_owned(),
        format!("mode=\"{mode}\""),
        format!("factor={}", rate(rule.factor)),
        format!("patience={}", rule.patience),
        format!("threshold={}", rate(rule.threshold)),
        format!("threshold_mode=\"{threshold_mode}\""),
        format!("cooldown={}", rule.cooldown),
        format!("min_lr={}", rate(rule.min * peak)),
        format!("eps={}", rate(rule.eps * peak)),
    ];
    Some(call("torch.optim.lr_scheduler.ReduceLROnPlateau", &arguments))
}

/// Keras's own callback, for an optimizer whose rate nothing else changes.
pub(super) fn keras(rule: &Plateau, peak: f64) -> Option<String> {
    let is_own = rule.best == Best::Improved && rule.threshold_is == Threshold::Absolute;
    if !is_own || rule.eps != 0.0 {
        return None;
    }
    let mode = rule.goal().word();
    // Its patience and its cooldown count one evaluation more than ours (see `Plateau::keras`).
    let arguments = [
        format!("monitor=\"{}\"", watched(rule)),
        format!("factor={}", rate(rule.factor)),
        format!("patience={}", u64::from(rule.patience) + 1),
        format!("mode=\"{mode}\""),
        format!("min_delta={}", rate(rule.threshold)),
        format!("cooldown={}", u64::from(rule.cooldown) + 1),
        format!("min_lr={}", rate(rule.min * peak)),
    ];
    Some(call("keras.callbacks.ReduceLROnPlateau", &arguments))
}

/// The metric's name; that of the loss on held-out data where the rule says none.
pub(super) fn watched(rule: &Plateau) -> &str {
    rule.monitor.as_ref().map_or("val_loss", |monitor| &monitor.metric)
}

/// What an improvement is and what becomes the best, written alike in Python and in Rust.
struct Comparisons {
    worst: &'static str,
    improvement: String,
    becomes_best: &'static str,
}

fn comparisons(rule: &Plateau) -> Comparisons {
    let (sign, than, worst) = match rule.goal() {
        Direction::Min => ('-', "<", "inf"),
        Direction::Max => ('+', ">", "-inf"),
    };
    let threshold = rate(rule.threshold);
    let enough = match rule.threshold_is {
        Threshold::Relative => format!("self.best * (1.0 {sign} {threshold})"),
        Threshold::Absolute => format!("self.best {sign} {threshold}"),
    };
    let (improvement, becomes_best) = match (rule.best, rule.goal()) {
        (Best::Improved, _) => (format!("metric {than} {enough}"), "is_better"),
        (Best::Any, Direction::Min) => (format!("metric <= {enough}"), "metric < self.best"),
        (Best::Any, Direction::Max) => (format!("metric >= {enough}"), "metric > self.best"),
    };
    Comparisons { worst, improvement, becomes_best }
}

/// A class `Plateau`, which needs `math`.
pub(super) fn python(rule: &Plateau) -> String {
    let Comparisons { worst, improvement, becomes_best } = comparisons(rule);
    let Plateau { factor, patience, cooldown, min, eps, .. } = rule;
    let worst = worst.replace("inf", "math.inf");
    let lower = format!("max(self.multiplier * {}, {})", rate(*factor), rate(*min));
    let (start, cooling, again) = match cooldown {
        0 => ("self.bad = 0", "", "self.bad = 0".to_owned()),
        _ => (
            "self.bad, self.cooldown = 0, 0",
            "        if self.cooldown > 0:\n            self.bad, self.cooldown = 0, self.cooldown - 1\n",
            format!("self.bad, self.cooldown = 0, {cooldown}"),
        ),
    };
    let fall = match eps {
        0.0 => format!("            self.multiplier = {lower}\n"),
        _ => format!(
            "            lower = {lower}\n            if self.multiplier - lower > {}:\n                self.multiplier = lower\n",
            rate(*eps)
        ),
    };
    format!(
        "class Plateau:\n    def __init__(self):\n        self.multiplier, self.best = 1.0, {worst}\n        {start}\n\n    def observe(self, metric):\n        is_better = {improvement}\n        self.bad = 0 if is_better else self.bad + 1\n        if {becomes_best}:\n            self.best = metric\n{cooling}        if self.bad > {patience}:\n{fall}            {again}\n"
    )
}

/// The same in Rust.
pub(super) fn rust(rule: &Plateau) -> String {
    let Comparisons { worst, improvement, becomes_best } = comparisons(rule);
    let Plateau { factor, patience, cooldown, min, eps, .. } = rule;
    let worst = if worst == "inf" { "f64::INFINITY" } else { "f64::NEG_INFINITY" };
    let watched = watched(rule);
    let lower = format!("(self.multiplier * {factor:?}).max({min:?})");
    let (field, start, cooling, again) = match cooldown {
        0 => ("", "", "", String::new()),
        _ => (
            "    cooldown: u32,\n",
            ", cooldown: 0",
            "        if self.cooldown > 0 {\n            self.cooldown -= 1;\n            self.bad = 0;\n        }\n",
            format!("            self.cooldown = {cooldown};\n"),
        ),
    };
    let fall = match eps {
        0.0 => format!("            self.multiplier = {lower};\n"),
        _ => format!(
            "            let lower = {lower};\n            if self.multiplier - lower > {eps:?} {{\n                self.multiplier = lower;\n            }}\n"
        ),
    };
    format!(
        "\n/// A multiplier of the rate. After each evaluation: `plateau.observe({watched})`; before each update:\n/// `optimizer.set_learning_rate(rate(step) * plateau.multiplier)`.\npub struct Plateau {{\n    pub multiplier: f64,\n    best: f64,\n    bad: u32,\n{field}}}\n\nimpl Default for Plateau {{\n    fn default() -> Self {{\n        Self {{ multiplier: 1.0, best: {worst}, bad: 0{start} }}\n    }}\n}}\n\nimpl Plateau {{\n    pub fn observe(&mut self, metric: f64) {{\n        let is_better = {improvement};\n        self.bad = if is_better {{ 0 }} else {{ self.bad + 1 }};\n        if {becomes_best} {{\n            self.best = metric;\n        }}\n{cooling}        if self.bad > {patience} {{\n{fall}            self.bad = 0;\n{again}        }}\n    }}\n}}\n"
    )
}
