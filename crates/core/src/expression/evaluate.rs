//! What an expression is worth for one configuration.

use std::cmp::Ordering;

use pleach_schedule::duration::{Duration, Horizon};

use super::{Comparison, Expression, ExpressionError, Function, Node, NodeKind, Operand, Operator};
use crate::value::Value;

/// Durations that differ by less are equal.
const TOLERANCE: f64 = 1e-9;

/// Why an expression has no value here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// A name that stands in it has no value in this branch: the expression does not apply.
    Absent,
    /// A duration in epochs or steps, and nobody knows yet how long the trial is.
    Horizon,
    /// It makes no sense.
    Wrong(ExpressionError),
}

/// The values of one configuration. `value` says what a name has; `horizon` how long the trial is, once known.
pub struct Evaluation<'a> {
    pub value: &'a dyn Fn(&str) -> Option<Value>,
    pub horizon: Option<Horizon>,
}

impl Expression {
    /// Its value; a duration is a text in `%`.
    pub fn value(&self, evaluation: &Evaluation) -> Result<Value, Unknown> {
        match evaluation.of(&self.root)? {
            Operand::Bool(value) => Ok(Value::Bool(value)),
            Operand::Int(value) => Ok(Value::Int(value)),
            Operand::Float(value) if value.is_finite() => Ok(Value::Float(value)),
            Operand::Fraction(value) if value.is_finite() && 0.0 <= value => {
                let rounded = (value / TOLERANCE).round() * TOLERANCE;
                Ok(Value::Text(Duration::Fraction(round_12(rounded)).to_string()))
            }
            Operand::Text(text) => Ok(Value::Text(text)),
            Operand::Duration(duration) => Ok(Value::Text(duration.to_string())),
            Operand::Float(_) | Operand::Fraction(_) => {
                Err(wrong(&self.root, "this is no finite number, or a negative duration"))
            }
        }
    }

    /// Whether it holds.
    pub fn holds(&self, evaluation: &Evaluation) -> Result<bool, Unknown> {
        match evaluation.of(&self.root)? {
            Operand::Bool(value) => Ok(value),
            _ => {
                Err(wrong(&self.root, "a condition must be true or false: compare with something"))
            }
        }
    }
}

fn wrong(node: &Node, message: impl Into<String>) -> Unknown {
    Unknown::Wrong(ExpressionError { message: message.into(), span: node.span.clone() })
}

/// To 12 significant digits, so that arithmetic on decimals gives decimals.
pub(crate) fn round_12(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

impl Evaluation<'_> {
    fn of(&self, node: &Node) -> Result<Operand, Unknown> {
        Ok(match &node.kind {
            NodeKind::Literal(operand) => self.plain(operand.clone())?,
            NodeKind::Name(name) => {
                let value = (self.value)(name).ok_or(Unknown::Absent)?;
                self.plain(
                    operand(value).ok_or_else(|| wrong(node, "a list cannot be computed with"))?,
                )?
            }
            NodeKind::Not(inner) => Operand::Bool(!self.truth(inner)?),
            NodeKind::Negative(inner) => match self.of(inner)? {
                Operand::Int(value) => {
                    Operand::Int(value.checked_neg().ok_or_else(|| wrong(node, "too large"))?)
                }
                Operand::Float(value) => Operand::Float(-value),
                Operand::Fraction(value) => Operand::Fraction(-value),
                _ => return Err(wrong(inner, "not a number")),
            },
            NodeKind::Binary(Operator::And, left, right) => {
                // Both sides are looked at: an absent name makes all of it not apply.
                let (left, right) = (self.truth(left)?, self.truth(right)?);
                Operand::Bool(left && right)
            }
            NodeKind::Binary(Operator::Or, left, right) => {
                let (left, right) = (self.truth(left)?, self.truth(right)?);
                Operand::Bool(left || right)
            }
            NodeKind::Binary(operator, left, right) => {
                arithmetic(*operator, &self.of(left)?, &self.of(right)?)
                    .map_err(|message| wrong(node, message))?
            }
            NodeKind::Compare(first, rest) => {
                let mut left = self.of(first)?;
                let mut holds = true;
                for (comparison, right) in rest {
                    let right = self.of(right)?;
                    holds &= compare(*comparison, &left, &right)
                        .map_err(|message| wrong(node, message))?;
                    left = right;
                }
                Operand::Bool(holds)
            }
            NodeKind::Member { item, list, expected } => {
                let item = self.of(item)?;
                let mut found = false;
                for other in list {
                    let equal = compare(Comparison::Equal, &item, &self.of(other)?);
                    found |= equal.map_err(|message| wrong(node, message))?;
                }
                Operand::Bool(found == *expected)
            }
            NodeKind::Choose { condition, then, otherwise } => {
                if self.truth(condition)? {
                    self.of(then)?
                } else {
                    self.of(otherwise)?
                }
            }
            NodeKind::Call(function, arguments) => {
                let arguments =
                    arguments.iter().map(|node| self.of(node)).collect::<Result<Vec<_>, _>>()?;
                call(*function, &arguments).map_err(|message| wrong(node, message))?
            }
        })
    }

    fn truth(&self, node: &Node) -> Result<bool, Unknown> {
        match self.of(node)? {
            Operand::Bool(value) => Ok(value),
            _ => Err(wrong(node, "this is neither true nor false")),
        }
    }

    /// Durations become fractions.
    fn plain(&self, operand: Operand) -> Result<Operand, Unknown> {
        Ok(match operand {
            Operand::Duration(Duration::Fraction(fraction)) => Operand::Fraction(fraction),
            Operand::Duration(duration) => {
                Operand::Fraction(duration.as_fraction(self.horizon.ok_or(Unknown::Horizon)?))
            }
            operand => operand,
        })
    }
}

fn operand(value: Value) -> Option<Operand> {
    Some(match value {
        Value::Bool(value) => Operand::Bool(value),
        Value::Int(value) => Operand::Int(value),
        Value::Float(value) => Operand::Float(value),
        Value::Text(text) => match text.parse() {
            Ok(duration) => Operand::Duration(duration),
            Err(_) => Operand::Text(text),
        },
        Value::List(_) => return None,
    })
}

fn number(operand: &Operand) -> Option<f64> {
    match operand {
        Operand::Int(value) => Some(*value as f64),
        Operand::Float(value) | Operand::Fraction(value) => Some(*value),
        _ => None,
    }
}

fn is_duration(operand: &Operand) -> bool {
    matches!(operand, Operand::Fraction(_))
}

fn arithmetic(operator: Operator, left: &Operand, right: &Operand) -> Result<Operand, String> {
    if let (Operand::Int(left), Operand::Int(right)) = (left, right) {
        let whole = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
            Operator::FloorDivide if *right != 0 => left
                .checked_div_euclid(*right)
                .map(|q| if *right < 0 && left.rem_euclid(*right) != 0 { q - 1 } else { q }),
            Operator::Remainder if *right != 0 => left.checked_rem_euclid(*right),
            Operator::Power => {
                u32::try_from(*right).ok().and_then(|exponent| left.checked_pow(exponent))
            }
            _ => None,
        };
        if let Some(whole) = whole {
            return Ok(Operand::Int(whole));
        }
    }
    let (Some(a), Some(b)) = (number(left), number(right)) else {
        return Err("only numbers and durations can be computed with".to_owned());
    };
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide | Operator::FloorDivide | Operator::Remainder if b == 0.0 => {
            return Err("a division by zero".to_owned());
        }
        Operator::Divide => a / b,
        Operator::FloorDivide => (a / b).floor(),
        Operator::Remainder => a.rem_euclid(b),
        Operator::Power => a.powf(b),
        Operator::And | Operator::Or => return Err("only truths can be joined".to_owned()),
    };
    if !result.is_finite() {
        return Err("the result is not a finite number".to_owned());
    }
    let is_ratio = operator == Operator::Divide && is_duration(left) && is_duration(right);
    let is_duration = (is_duration(left) || is_duration(right)) && !is_ratio;
    Ok(if is_duration { Operand::Fraction(result) } else { Operand::Float(round_12(result)) })
}

fn compare(comparison: Comparison, left: &Operand, right: &Operand) -> Result<bool, String> {
    let order = match (left, right) {
        (Operand::Text(left), Operand::Text(right)) => left.cmp(right),
        (Operand::Bool(left), Operand::Bool(right)) => left.cmp(right),
        (Operand::Int(left), Operand::Int(right)) => left.cmp(right),
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) if is_duration(left) || is_duration(right) => {
                if (a - b).abs() <= TOLERANCE { Ordering::Equal } else { a.total_cmp(&b) }
            }
            (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            _ => match comparison {
                Comparison::Equal => return Ok(false),
                Comparison::NotEqual => return Ok(true),
                _ => return Err("a text and a number have no order".to_owned()),
            },
        },
    };
    Ok(match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
    })
}

fn call(function: Function, arguments: &[Operand]) -> Result<Operand, String> {
    if let Function::Min | Function::Max = function {
        let comparison =
            if function == Function::Min { Comparison::Less } else { Comparison::Greater };
        let mut best = &arguments[0];
        for argument in &arguments[1..] {
            if compare(comparison, argument, best)? {
                best = argument;
            }
        }
        return Ok(best.clone());
    }
    let argument = &arguments[0];
    let Some(x) = number(argument) else { return Err("not a number".to_owned()) };
    let whole = |value: f64| {
        if value.abs() < 9e15 {
            Ok(Operand::Int(value as i64))
        } else {
            Err("too large".to_owned())
        }
    };
    let result = match function {
        Function::Abs => match argument {
            Operand::Int(value) => return Ok(Operand::Int(value.saturating_abs())),
            Operand::Fraction(value) => return Ok(Operand::Fraction(value.abs())),
            _ => x.abs(),
        },
        Function::Round => return whole(x.round()),
        Function::Floor => return whole(x.floor()),
        Function::Ceil => return whole(x.ceil()),
        Function::Sqrt => x.sqrt(),
        Function::Exp => x.exp(),
        Function::Log => x.ln(),
        Function::Log2 => x.log2(),
        Function::Log10 => x.log10(),
        Function::Min | Function::Max => x,
    };
    if result.is_finite() {
        Ok(Operand::Float(round_12(result)))
    } else {
        Err(format!("this has no value for {x}"))
    }
}
