//! The part of Python's expressions that calls of schedulers are written in.

use std::collections::BTreeMap;

use super::{CallError, token::Token};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Number(f64),
    Text(String),
    /// So many times the length of a data loader.
    Epochs(f64),
    List(Vec<Value>),
    Dictionary(Vec<(Value, Value)>),
    Call(Call),
    /// Whatever has no value here, as it was written.
    Other(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    /// Without a name: by position.
    pub(super) arguments: Vec<(Option<String>, Value)>,
}

pub(super) type Names = BTreeMap<String, Value>;

/// Deeper nesting than any call has; keeps a hostile text from exhausting the stack.
const MAX_DEPTH: u32 = 32;

/// Runs a statement: the value of its expression, which a name on its left has from now on.
pub(super) fn run(tokens: &[Token], names: &mut Names) -> Result<Value, CallError> {
    let mut reader = Reader { tokens, names, depth: 0 };
    let mut target = None;
    if let [Token::Name(name), Token::Sign("="), rest @ ..] = tokens {
        (target, reader.tokens) = (Some(name.clone()), rest);
    }
    let value = reader.expression()?;
    // `a, b = …`, annotations and further statements in a line do not matter.
    if let Some(target) = target {
        names.insert(target, value.clone());
    }
    Ok(value)
}

struct Reader<'a> {
    tokens: &'a [Token],
    names: &'a Names,
    depth: u32,
}

fn unexpected(token: Option<&Token>) -> CallError {
    let what = match token {
        None => "the end".to_owned(),
        Some(Token::Number(number)) => number.to_string(),
        Some(Token::Text(text)) => format!("\"{text}\""),
        Some(Token::Name(name)) => format!("`{name}`"),
        Some(Token::Sign(sign)) => format!("`{sign}`"),
    };
    CallError::new(
        format!("{what} has no meaning here"),
        "paste one call, such as StepLR(optimizer, step_size=30)",
    )
}

impl<'a> Reader<'a> {
    fn take(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.tokens.first(), Some(Token::Sign(next)) if *next == sign);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    fn expression(&mut self) -> Result<Value, CallError> {
        self.depth += 1;
        if MAX_DEPTH < self.depth {
            return Err(CallError::new(
                "this is nested too deeply",
                "paste the call of one schedule",
            ));
        }
        let mut value = self.term()?;
        loop {
            if self.takes("+") {
                value = combined(value, "+", self.term()?);
            } else if self.takes("-") {
                value = combined(value, "-", self.term()?);
            } else {
                self.depth -= 1;
                return Ok(value);
            }
        }
    }

    fn term(&mut self) -> Result<Value, CallError> {
        let mut value = self.factor()?;
        loop {
            let sign = ["*", "//", "/", "%"].into_iter().find(|sign| self.takes(sign));
            let Some(sign) = sign else { return Ok(value) };
            value = combined(value, sign, self.factor()?);
        }
    }

    fn factor(&mut self) -> Result<Value, CallError> {
        if self.takes("-") {
            return Ok(combined(Value::Number(0.0), "-", self.factor()?));
        }
        let base = self.atom()?;
        if self.takes("**") {
            return Ok(combined(base, "**", self.factor()?));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Result<Value, CallError> {
        match self.take() {
            Some(Token::Number(number)) => Ok(Value::Number(*number)),
            Some(Token::Text(text)) => Ok(Value::Text(text.clone())),
            Some(Token::Sign("(")) => {
                let mut items = self.list(")")?;
                // A single one in brackets is itself.
                Ok(if items.len() == 1 { items.swap_remove(0) } else { Value::List(items) })
            }
            Some(Token::Sign("[")) => Ok(Value::List(self.list("]")?)),
            Some(Token::Sign("{")) => self.dictionary(),
            Some(Token::Name(name)) if name == "lambda" => Ok(self.function()),
            Some(Token::Name(name)) => self.named(name),
            other => Err(unexpected(other)),
        }
    }

    fn named(&mut self, name: &str) -> Result<Value, CallError> {
        if self.takes("(") {
            return Ok(called(Call { name: name.to_owned(), arguments: self.arguments()? }));
        }
        let mut value = match name {
            "None" => Value::None,
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            _ => self.names.get(name).cloned().unwrap_or_else(|| Value::Other(name.to_owned())),
        };
        while self.takes("[") {
            let _index = self.list("]")?;
            value = Value::Other(name.to_owned());
        }
        Ok(value)
    }

    fn list(&mut self, end: &str) -> Result<Vec<Value>, CallError> {
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.expression()?);
            if !self.takes(",")
                && !matches!(self.tokens.first(), Some(Token::Sign(sign)) if *sign == end)
            {
                return Err(unexpected(self.tokens.first()));
            }
        }
        Ok(items)
    }

    fn dictionary(&mut self) -> Result<Value, CallError> {
        let mut entries = Vec::new();
        while !self.takes("}") {
            let key = self.expression()?;
            if !self.takes(":") {
                return Err(unexpected(self.tokens.first()));
            }
            entries.push((key, self.expression()?));
            self.takes(",");
        }
        Ok(Value::Dictionary(entries))
    }

    fn arguments(&mut self) -> Result<Vec<(Option<String>, Value)>, CallError> {
        let mut arguments = Vec::new();
        while !self.takes(")") {
            // `*arguments` and `**arguments` hold who knows what.
            let is_spread = self.takes("**") || self.takes("*");
            let name = match self.tokens {
                [Token::Name(name), Token::Sign("="), rest @ ..] => {
                    self.tokens = rest;
                    Some(name.clone())
                }
                _ => None,
            };
            let value = self.expression()?;
            if !is_spread {
                arguments.push((name, value));
            }
            if !self.takes(",") && !matches!(self.tokens.first(), Some(Token::Sign(")"))) {
                return Err(unexpected(self.tokens.first()));
            }
        }
        Ok(arguments)
    }

    /// What a `lambda` computes is not known here.
    fn function(&mut self) -> Value {
        let mut depth = 0;
        while let Some(token) = self.tokens.first() {
            match token {
                Token::Sign("(" | "[" | "{") => depth += 1,
                Token::Sign(")" | "]" | "}" | ",") if depth == 0 => break,
                Token::Sign(")" | "]" | "}") => depth -= 1,
                _ => {}
            }
            self.tokens = &self.tokens[1..];
        }
        Value::Other("lambda".to_owned())
    }
}

/// A function of numbers is computed; the length of anything is an epoch's.
fn called(call: Call) -> Value {
    let numbers: Option<Vec<f64>> = call
        .arguments
        .iter()
        .map(|(_, value)| if let Value::Number(number) = value { Some(*number) } else { None })
        .collect();
    match (call.name.as_str(), numbers.as_deref()) {
        ("len", _) => Value::Epochs(1.0),
        ("int", Some([number])) => Value::Number(number.trunc()),
        ("round", Some([number])) => Value::Number(number.round_ties_even()),
        ("float", Some([number])) => Value::Number(*number),
        ("max", Some([first, rest @ ..])) => {
            Value::Number(rest.iter().copied().fold(*first, f64::max))
        }
        ("min", Some([first, rest @ ..])) => {
            Value::Number(rest.iter().copied().fold(*first, f64::min))
        }
        ("int" | "round", None) => match call.arguments.as_slice() {
            // Whole steps of an epoch.
            [(None, Value::Epochs(epochs))] => Value::Epochs(*epochs),
            _ => Value::Call(call),
        },
        _ => Value::Call(call),
    }
}

fn combined(left: Value, sign: &str, right: Value) -> Value {
    use Value::{Epochs, Number};
    match (left, sign, right) {
        (Number(a), "+", Number(b)) => Number(a + b),
        (Number(a), "-", Number(b)) => Number(a - b),
        (Number(a), "*", Number(b)) => Number(a * b),
        (Number(a), "/", Number(b)) => Number(a / b),
        (Number(a), "//", Number(b)) => Number((a / b).floor()),
        (Number(a), "%", Number(b)) => Number(a - b * (a / b).floor()),
        (Number(a), "**", Number(b)) => Number(a.powf(b)),
        (Epochs(a), "*", Number(b)) | (Number(b), "*", Epochs(a)) => Epochs(a * b),
        (Epochs(a), "/" | "//", Number(b)) => Epochs(a / b),
        (Epochs(a), "+", Epochs(b)) => Epochs(a + b),
        (Epochs(a), "-", Epochs(b)) => Epochs(a - b),
        (_, _, other @ Value::Other(_)) | (other @ Value::Other(_), ..) => other,
        _ => Value::Other(format!("… {sign} …")),
    }
}
