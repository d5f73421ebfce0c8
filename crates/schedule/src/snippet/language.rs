//! The languages that formulas are written in.

/// Where a formula runs, which decides its words and its precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Plain Python numbers, 64 bits.
    Python,
    /// JAX arrays, 32 bits.
    Jax,
    /// Tensors of any Keras backend, 32 bits.
    Keras,
    Rust,
}

use Language::{Jax, Keras, Python, Rust};

/// In parentheses, unless it needs none.
pub(super) fn atom(text: &str) -> String {
    let mut depth = 0;
    let is_open = text.chars().any(|character| {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        character == ' ' && depth == 0
    });
    if is_open || text.starts_with('-') { format!("({text})") } else { text.to_owned() }
}

/// The relative error of a number in 32 bits.
pub(super) fn single_error(value: f64) -> f64 {
    (f64::from(value as f32) - value).abs() / value
}

impl Language {
    /// Whether it computes in 32 bits.
    pub(super) fn is_single(self) -> bool {
        matches!(self, Jax | Keras)
    }

    pub(super) fn number(self, value: f64) -> String {
        if self == Rust {
            // With a point or an exponent, so that it is no integer.
            return format!("{value:?}");
        }
        let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
        if is_whole { format!("{value}") } else { format!("{value:?}") }
    }

    fn list(self, values: &[f64]) -> String {
        let values: Vec<String> = values.iter().map(|value| self.number(*value)).collect();
        format!("[{}]", values.join(", "))
    }

    pub(super) fn returns(self, value: &str) -> String {
        if self == Rust { value.to_owned() } else { format!("return {value}") }
    }

    pub(super) fn assign(self, name: &str, value: &str) -> String {
        if self == Rust { format!("let {name} = {value};") } else { format!("{name} = {value}") }
    }

    /// The lines that every function of a step starts with.
    pub(super) fn opening(self) -> Vec<String> {
        match self {
            Python | Rust => Vec::new(),
            Jax => vec!["step = jnp.asarray(step, jnp.float32)".to_owned()],
            Keras => vec!["step = ops.cast(step, \"float32\")".to_owned()],
        }
    }

    pub(super) fn function(
        self,
        name: &str,
        argument: &str,
        doc: Option<&str>,
        body: &[String],
    ) -> String {
        let lines: Vec<String> = body.iter().map(|line| format!("    {line}\n")).collect();
        let lines = lines.concat();
        if self == Rust {
            let doc = doc.map_or(String::new(), |doc| format!("/// {doc}\n"));
            format!("{doc}fn {name}({argument}: f64) -> f64 {{\n{lines}}}\n")
        } else {
            let doc = doc.map_or(String::new(), |doc| format!("    \"\"\"{doc}\"\"\"\n"));
            format!("def {name}({argument}):\n{doc}{lines}")
        }
    }

    /// The lines that end with the value of the first condition that holds.
    pub(super) fn cases(self, cases: &[(String, String)], otherwise: &str) -> Vec<String> {
        let lines = |(condition, value): &(String, String)| match self {
            Rust => [format!("if {condition} {{"), format!("    return {value};"), "}".to_owned()]
                .to_vec(),
            _ => [format!("if {condition}:"), format!("    return {value}")].to_vec(),
        };
        match self {
            Python | Rust => {
                let lines = cases.iter().flat_map(lines);
                lines.chain([self.returns(otherwise)]).collect()
            }
            Jax | Keras => {
                let module = self.module();
                let (conditions, values): (Vec<&str>, Vec<&str>) =
                    cases.iter().map(|(condition, value)| (&**condition, &**value)).unzip();
                let parts = match cases {
                    [] => return vec![self.returns(otherwise)],
                    [(condition, value)] => {
                        (format!("{module}.where("), condition.clone(), value.clone())
                    }
                    _ => {
                        let list = |texts: &[&str]| format!("[{}]", texts.join(", "));
                        (format!("{module}.select("), list(&conditions), list(&values))
                    }
                };
                let arguments = [parts.1, parts.2, otherwise.to_owned()];
                let arguments = arguments.map(|argument| format!("    {argument},"));
                let mut lines = vec![self.returns(&parts.0)];
                lines.extend(arguments);
                lines.push(")".to_owned());
                lines
            }
        }
    }

    pub(super) fn either(self, condition: &str, value: &str, otherwise: &str) -> String {
        match self {
            Python => format!("{} if {condition} else {otherwise}", atom(value)),
            Rust => format!("if {condition} {{ {value} }} else {{ {otherwise} }}"),
            Jax | Keras => format!("{}.where({condition}, {value}, {otherwise})", self.module()),
        }
    }

    fn module(self) -> &'static str {
        match self {
            Jax => "jnp",
            Keras => "ops",
            Python | Rust => "math",
        }
    }

    fn call(self, python: &str, rust: &str, value: &str) -> String {
        match self {
            Rust => format!("{}.{rust}()", atom(value)),
            _ => format!("{}.{python}({value})", self.module()),
        }
    }

    /// The cosine of pi times a value.
    pub(super) fn cosine(self, value: &str) -> String {
        let pi = if self == Rust { "PI" } else { "math.pi" };
        self.call("cos", "cos", &format!("{pi} * {}", atom(value)))
    }

    pub(super) fn tangent(self, value: &str) -> String {
        self.call("tanh", "tanh", value)
    }

    pub(super) fn smaller(self, a: &str, b: &str) -> String {
        match self {
            Python => format!("min({a}, {b})"),
            Rust => format!("{}.min({b})", atom(a)),
            Jax | Keras => format!("{}.minimum({a}, {b})", self.module()),
        }
    }

    pub(super) fn larger(self, a: &str, b: &str) -> String {
        match self {
            Python => format!("max({a}, {b})"),
            Rust => format!("{}.max({b})", atom(a)),
            Jax | Keras => format!("{}.maximum({a}, {b})", self.module()),
        }
    }

    /// `a / b`, rounded down.
    pub(super) fn floor_of(self, a: &str, b: &str) -> String {
        match self {
            // Not `a // b`, which is something else for numbers with a fraction.
            Python => format!("math.floor({} / {b})", atom(a)),
            Rust => format!("({} / {b}).floor()", atom(a)),
            Jax | Keras => format!("{}.floor({} / {b})", self.module(), atom(a)),
        }
    }

    pub(super) fn power(self, base: &str, exponent: f64) -> String {
        let exponent_text = self.number(exponent);
        match self {
            _ if exponent == 1.0 => base.to_owned(),
            Rust => format!("{}.powf({exponent_text})", atom(base)),
            _ => format!("{} ** {}", atom(base), atom(&exponent_text)),
        }
    }

    /// A number to the power of a text.
    pub(super) fn exponential(self, base: f64, exponent: &str) -> String {
        match self {
            Rust => format!("{}_f64.powf({exponent})", self.number(base)),
            // The rounding error of the base itself would grow with the exponent.
            Jax | Keras if 0.0 < base && single_error(base) != 0.0 => {
                let slope = self.number(base.ln());
                format!("{}.exp({slope} * {})", self.module(), atom(exponent))
            }
            _ => format!("{} ** {}", self.number(base), atom(exponent)),
        }
    }

    pub(super) fn minus(self, name: &str, from: f64) -> String {
        match from {
            0.0 => name.to_owned(),
            from if from < 0.0 => format!("{name} + {}", self.number(-from)),
            from => format!("{name} - {}", self.number(from)),
        }
    }

    pub(super) fn times(self, factor: f64, value: &str) -> String {
        match factor {
            1.0 => value.to_owned(),
            factor => format!("{} * {}", self.number(factor), atom(value)),
        }
    }

    /// `start + slope * value`.
    pub(super) fn line(self, start: f64, slope: f64, value: &str) -> String {
        let product = self.times(slope.abs(), value);
        match (start, slope) {
            (_, 0.0) => self.number(start),
            (0.0, slope) if 0.0 < slope => product,
            (start, slope) if slope < 0.0 => {
                format!(
                    "{} - {}",
                    self.number(start),
                    if slope == -1.0 { atom(&product) } else { product }
                )
            }
            (start, _) => format!("{} + {product}", self.number(start)),
        }
    }

    /// How many of some times are not after a time.
    pub(super) fn reached(self, time: &str, at: &[f64]) -> String {
        let list = self.list(at);
        match self {
            Python => format!("sum({time} >= at for at in {list})"),
            Rust => format!("{list}.iter().filter(|at| **at <= {time}).count() as f64"),
            Jax => format!("jnp.sum({time} >= jnp.array({list}))"),
            Keras => format!("ops.sum(ops.cast({time} >= ops.array({list}), \"float32\"))"),
        }
    }

    /// The element of a list at an index, the last one for all after it.
    pub(super) fn element(self, values: &[f64], index: &str) -> String {
        let (list, last) = (self.list(values), values.len() - 1);
        match self {
            Python => format!("{list}[min({index}, {last})]"),
            Rust => format!("{list}[({index} as usize).min({last})]"),
            Jax => format!("jnp.array({list})[jnp.minimum({index}, {last}).astype(int)]"),
            Keras => format!(
                "ops.take(ops.array({list}), ops.cast(ops.minimum({index}, {last}), \"int32\"))"
            ),
        }
    }
}
