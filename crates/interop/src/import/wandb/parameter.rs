//! One parameter of W&B as an axis, or as a fixed value.

use std::fmt::Write;

use pleach_core::spec;

use super::{Entry, ImportError, Kind, Node, Reader, names, word};
use crate::import::{number, quoted};

/// So many points of an axis are tried by a grid where the file does not say.
const POINTS: u32 = 5;

/// Beyond this, whole numbers are not drawn one by one.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// What a parameter can say.
const KEYS: [&str; 12] = [
    "value",
    "values",
    "probabilities",
    "distribution",
    "min",
    "max",
    "q",
    "mu",
    "sigma",
    "a",
    "b",
    "parameters",
];

/// A parameter with the name that its program has for it: of one in another, both with a dot between.
struct Parameter<'a> {
    name: String,
    line: u64,
    entries: &'a [Entry],
    /// Keys that were read.
    used: Vec<&'a str>,
}

enum Axis {
    Fixed(String),
    Swept(String),
}

impl Reader {
    pub(super) fn parameters(&mut self, node: &Node) -> Result<(), ImportError> {
        let mut parameters = Vec::new();
        self.flat(node, "", &mut parameters)?;
        self.names = names(parameters.iter().map(|parameter| parameter.name.as_str()));
        for (index, parameter) in parameters.iter_mut().enumerate() {
            let name = self.names[index].clone();
            let wrong = |message| ImportError::At { line: parameter.line, message };
            if let Some(obstacle) = name.obstacle() {
                return Err(wrong(obstacle));
            }
            let is_double = self.names[..index].iter().any(|other| other.theirs == parameter.name);
            if is_double {
                return Err(wrong(format!("`{}` is there twice", word(&parameter.name))));
            }
            if let Some(change) = name.change() {
                self.note(parameter.line, change);
            }
            match self.axis(parameter)? {
                Axis::Fixed(value) => self.fixed.push((name.here.clone(), value)),
                Axis::Swept(axis) => self.axes.push((name.here.clone(), axis)),
            }
            self.left(parameter);
            self.flag(parameter, name.here);
        }
        Ok(())
    }

    /// Every parameter, those in others too.
    fn flat<'a>(
        &mut self,
        node: &'a Node,
        prefix: &str,
        parameters: &mut Vec<Parameter<'a>>,
    ) -> Result<(), ImportError> {
        for Entry { key, line, node } in node.table("`parameters`")? {
            let name = format!("{prefix}{key}");
            let shown = word(&name);
            let entries = node.table(&format!("the parameter `{shown}`"))?;
            let mut parameter = Parameter { name, line: *line, entries, used: Vec::new() };
            if let Some(inner) = parameter.take("parameters") {
                self.note(*line, format!("`{shown}`: what is in it has a dot in its name"));
                self.left(&parameter);
                self.flat(inner, &format!("{}.", parameter.name), parameters)?;
            } else {
                parameters.push(parameter);
            }
        }
        Ok(())
    }

    /// Notes what was not read.
    fn left(&mut self, parameter: &Parameter) {
        let name = word(&parameter.name);
        for entry in parameter.entries {
            let key = entry.key.as_str();
            if !KEYS.contains(&key) {
                self.unknown(entry, &format!("the parameter `{name}`"), &KEYS);
            } else if !parameter.used.contains(&key) {
                let used = parameter.used.join("`, `");
                self.note(
                    entry.line,
                    format!("`{name}`: `{key}` is left out: it means nothing beside `{used}`"),
                );
            }
        }
    }

    fn flag(&mut self, parameter: &mut Parameter, here: String) {
        let value = parameter.take("value");
        let values = match parameter.take("values").map(|node| &node.kind) {
            Some(Kind::List(nodes)) if value.is_none() => nodes.as_slice(),
            _ => value.map(std::slice::from_ref).unwrap_or_default(),
        };
        let is_bool = |node: &Node| matches!(node.kind, Kind::Bool(_));
        if !values.iter().any(is_bool) {
            return;
        }
        let name = word(&parameter.name);
        self.note(
            parameter.line,
            format!("`{name}`: the program is told true or false, not True or False"),
        );
        if values.iter().all(is_bool) {
            let fixed = match values {
                [Node { kind: Kind::Bool(value), .. }] => Some(*value),
                _ => None,
            };
            self.flags.push((here, fixed));
        }
    }

    fn axis(&mut self, parameter: &mut Parameter) -> Result<Axis, ImportError> {
        if let Some(value) = parameter.take("value") {
            self.is_of(parameter, &["constant"]);
            return Ok(Axis::Fixed(self.value(&parameter.name, value)?));
        }
        if let Some(values) = parameter.take("values") {
            if let Some(odds) = parameter.take("probabilities") {
                self.note(
                    odds.line,
                    format!("`{}`: its values are equally likely", word(&parameter.name)),
                );
            }
            self.is_of(parameter, &["categorical", "categorical_w_probabilities"]);
            let nodes = values.list(&format!("the values of `{}`", word(&parameter.name)))?;
            if nodes.is_empty() {
                return Err(values.wrong(format!(
                    "`{}` has no values: give it some, or take it out",
                    word(&parameter.name)
                )));
            }
            let mut texts = Vec::new();
            for node in nodes {
                texts.push(self.value(&parameter.name, node)?);
            }
            return Ok(Axis::Swept(format!("[{}]", texts.join(", "))));
        }
        let distribution = match parameter.take("distribution") {
            Some(node) => node.text("`distribution`")?,
            None if parameter.are_whole() => "int_uniform",
            None => "uniform",
        };
        Ok(Axis::Swept(match distribution {
            "normal" | "q_normal" | "log_normal" | "q_log_normal" | "beta" | "q_beta" => {
                self.unbounded(parameter, distribution)?
            }
            _ => self.bounded(parameter, distribution)?,
        }))
    }

    /// Notes a distribution that is none of these.
    fn is_of(&mut self, parameter: &mut Parameter, expected: &[&str]) {
        let Some(node) = parameter.take("distribution") else { return };
        if !matches!(&node.kind, Kind::Text(text) if expected.contains(&text.as_str())) {
            let (name, what) = (word(&parameter.name), node.what());
            self.note(
                node.line,
                format!(
                    "`{name}`: the distribution {what} is left out, since its values are given"
                ),
            );
        }
    }

    /// A value in TOML.
    fn value(&mut self, name: &str, node: &Node) -> Result<String, ImportError> {
        let name = word(name);
        let text = match &node.kind {
            Kind::Bool(value) => return Ok(value.to_string()),
            Kind::Int(value) => return Ok(value.to_string()),
            Kind::Float(value) if value.is_finite() => return Ok(number(*value)),
            Kind::Text(text) => text.clone(),
            Kind::Float(_) | Kind::Null => {
                let what = node.what();
                // As Python writes it.
                let told = if node.kind == Kind::Null { "None" } else { &*what.to_lowercase() };
                let told = told.to_owned();
                self.note(
                    node.line,
                    format!("`{name}`: {what} is told as the text {told}, as W&B tells it"),
                );
                told
            }
            Kind::List(_) | Kind::Table(_) => {
                self.note(node.line, format!("`{name}`: {} is told as JSON text", node.what()));
                json(node)
            }
        };
        if text.contains('\0') {
            return Err(node.wrong(format!("a value of `{name}` cannot be told: it has NUL in it")));
        }
        Ok(quoted(&text))
    }

    fn bounded(
        &mut self,
        parameter: &mut Parameter,
        distribution: &str,
    ) -> Result<String, ImportError> {
        let (low, high) = (parameter.number("min")?, parameter.number("max")?);
        if high <= low {
            return Err(parameter.wrong("`min` must be below `max`"));
        }
        let is_exponent = distribution.ends_with("log_uniform");
        let end = |value: f64| if is_exponent { value.exp() } else { value };
        match distribution {
            "int_uniform" if parameter.are_whole() => {
                let step = if self.is_grid { ", step = 1" } else { "" };
                let [low, high] = parameter.whole_ends(low, high)?;
                Ok(format!("{{ int = [{low}, {high}]{step} }}"))
            }
            "int_uniform" => Err(parameter.wrong("`int_uniform` needs whole ends")),
            "uniform" => self.range(parameter, "uniform", low, high),
            "q_uniform" => self.steps(parameter, low, high),
            "log_uniform_values" | "log_uniform" | "inv_log_uniform_values" => {
                self.range(parameter, "log", end(low), end(high))
            }
            "inv_log_uniform" => self.range(parameter, "log", end(-high), end(-low)),
            "q_log_uniform" | "q_log_uniform_values" => {
                self.rounded(parameter, end(low), end(high))
            }
            "constant" => Err(parameter.wrong("a constant needs a `value`")),
            "categorical" | "categorical_w_probabilities" => {
                Err(parameter.wrong("a list of `values` is missing"))
            }
            other => Err(parameter.wrong(format!("there is no distribution `{}`", word(other)))),
        }
    }

    /// A logarithmic range of multiples of `q`.
    fn rounded(
        &mut self,
        parameter: &mut Parameter,
        low: f64,
        high: f64,
    ) -> Result<String, ImportError> {
        let q = parameter.take("q").map(|node| &node.kind);
        let is_whole = matches!(q, None | Some(Kind::Int(_)));
        if !matches!(q, None | Some(Kind::Int(1))) {
            self.note(
                parameter.line,
                format!("`{}`: it is not rounded to multiples of `q`", word(&parameter.name)),
            );
        }
        if !is_whole || low < 0.5 || high.round() <= low.round() {
            return self.range(parameter, "log", low, high);
        }
        let [low, high] = parameter.whole_ends(low, high)?;
        let points = self.points(parameter);
        Ok(format!("{{ log_int = [{low}, {high}]{points} }}"))
    }

    /// Multiples of `q`: whole ones if it is whole. A grid of W&B's stops before `max`.
    fn steps(
        &mut self,
        parameter: &mut Parameter,
        low: f64,
        high: f64,
    ) -> Result<String, ImportError> {
        let q = parameter.take("q");
        let step = q.map(|node| node.number("`q`")).transpose()?.unwrap_or(1.0);
        if step <= 0.0 {
            return Err(parameter.wrong("`q` must be above 0"));
        }
        let name = word(&parameter.name);
        let is_whole =
            matches!(q.map(|node| &node.kind), None | Some(Kind::Int(_))) && parameter.are_whole();
        let last = ((high - low) / step).ceil() - 1.0;
        if !self.is_grid && spec::MAX_POINTS as f64 <= last {
            self.note(
                parameter.line,
                format!("`{name}`: steps of `q` are too many to count: any number between the ends is drawn"),
            );
            if is_whole {
                let [low, high] = parameter.whole_ends(low, high)?;
                return Ok(format!("{{ int = [{low}, {high}] }}"));
            }
            return self.range(parameter, "uniform", low, high);
        }
        let high = if self.is_grid { low + step * last } else { high };
        if !self.is_grid && low % step != 0.0 {
            self.note(parameter.line, format!("`{name}`: its steps begin at `min`"));
        }
        if is_whole {
            parameter.whole_ends(low, high)?;
        }
        let text = |value: f64| if is_whole { format!("{value:.0}") } else { number(value) };
        let [low_text, high_text, step] = [low, high, step].map(text);
        if high <= low {
            return Ok(format!("[{low_text}]"));
        }
        let kind = if is_whole { "int" } else { "uniform" };
        Ok(format!("{{ {kind} = [{low_text}, {high_text}], step = {step} }}"))
    }

    fn unbounded(
        &mut self,
        parameter: &mut Parameter,
        distribution: &str,
    ) -> Result<String, ImportError> {
        let name = word(&parameter.name);
        if distribution.ends_with("beta") {
            for key in ["a", "b", "q"] {
                parameter.take(key);
            }
            self.note(
                parameter.line,
                format!("`{name}`: `{distribution}` is uniform from 0 to 1 here"),
            );
            return self.range(parameter, "uniform", 0.0, 1.0);
        }
        let mut given = |key: &'static str, default: f64| match parameter.take(key) {
            Some(node) => node.number(&format!("`{key}`")),
            None => Ok(default),
        };
        let (mean, sd) = (given("mu", 0.0)?, given("sigma", 1.0)?);
        if sd <= 0.0 {
            return Err(parameter.wrong("`sigma` must be above 0"));
        }
        let (low, high) = (mean - 2.0 * sd, mean + 2.0 * sd);
        if distribution.starts_with("q_") {
            self.note(parameter.line, format!("`{name}`: it is not rounded to multiples of `q`"));
            parameter.take("q");
        }
        if distribution.contains("log") {
            self.note(
                parameter.line,
                format!("`{name}`: `{distribution}` is log-uniform over two deviations here"),
            );
            return self.range(parameter, "log", low.exp(), high.exp());
        }
        if self.is_grid {
            self.note(
                parameter.line,
                format!("`{name}`: `{distribution}` is even over two deviations in a grid"),
            );
            return self.range(parameter, "uniform", low, high);
        }
        Ok(format!("{{ normal = [{}, {}] }}", number(mean), number(sd)))
    }

    fn range(
        &mut self,
        parameter: &Parameter,
        kind: &str,
        low: f64,
        high: f64,
    ) -> Result<String, ImportError> {
        if !low.is_finite() || !(high - low).is_finite() {
            return Err(parameter.wrong(
                "its ends are beyond all numbers: `log_uniform` takes exponents of e, `log_uniform_values` the values themselves",
            ));
        }
        if kind == "log" && low <= 0.0 {
            return Err(parameter.wrong("a logarithm needs ends above 0"));
        }
        if high <= low {
            return Err(parameter.wrong("its ends are one number"));
        }
        let points = self.points(parameter);
        Ok(format!("{{ {kind} = [{}, {}]{points} }}", number(low), number(high)))
    }

    /// A grid needs to know how many.
    fn points(&mut self, parameter: &Parameter) -> String {
        if !self.is_grid {
            return String::new();
        }
        let name = word(&parameter.name);
        self.note(parameter.line, format!("`{name}`: a grid of {POINTS} points is a guess"));
        format!(", n = {POINTS}")
    }
}

impl<'a> Parameter<'a> {
    /// What a key says, which counts as read.
    fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        self.used.push(key);
        Some(&entry.node)
    }

    fn wrong(&self, message: impl Into<String>) -> ImportError {
        let message = format!("`{}`: {}", word(&self.name), message.into());
        ImportError::At { line: self.line, message }
    }

    fn number(&mut self, key: &'static str) -> Result<f64, ImportError> {
        match self.take(key) {
            Some(node) => node.number(&format!("`{key}`")),
            None => Err(self.wrong(format!(
                "a parameter needs `value`, `values`, or `min` and `max`: there is no `{key}`"
            ))),
        }
    }

    fn are_whole(&self) -> bool {
        ["min", "max"].iter().all(|key| {
            let entry = self.entries.iter().find(|entry| entry.key == *key);
            matches!(entry.map(|entry| &entry.node.kind), Some(Kind::Int(_)))
        })
    }

    fn whole_ends(&self, low: f64, high: f64) -> Result<[String; 2], ImportError> {
        if WHOLE <= low.abs().max(high.abs()) {
            return Err(self.wrong("whole numbers are drawn up to 2^53: make its range smaller"));
        }
        Ok([low, high].map(|end| format!("{end:.0}")))
    }
}

/// As `json.dumps` of Python writes it, infinities and NaN included.
fn json(node: &Node) -> String {
    let all =
        |texts: Vec<String>, [open, close]: [&str; 2]| [open, &texts.join(", "), close].concat();
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(value) => value.to_string(),
        Kind::Float(value) if value.is_nan() => "NaN".to_owned(),
        Kind::Float(value) if value.is_infinite() => {
            let sign = if *value < 0.0 { "-" } else { "" };
            format!("{sign}Infinity")
        }
        Kind::Float(value) => number(*value),
        Kind::Text(text) => quoted(text),
        Kind::List(nodes) => all(nodes.iter().map(json).collect(), ["[", "]"]),
        Kind::Table(entries) => {
            let pair = |Entry { key, node, .. }: &Entry| {
                let mut pair = quoted(key);
                let _infallible = write!(pair, ": {}", json(node));
                pair
            };
            all(entries.iter().map(pair).collect(), ["{", "}"])
        }
    }
}
