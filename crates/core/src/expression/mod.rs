//! Expressions over a configuration's parameters, for `where` and derived values: arithmetic, comparisons, `and`, `or`,
//! `not`, `A if C else B`, and a few functions. Durations are values of their own (`warmup + cooldown <= 100%`): each is
//! its fraction of the trial's budget, compared to 1e-9. There is nothing to loop with, so every expression ends.

mod evaluate;
mod parse;

use std::ops::Range;

use pleach_schedule::duration::Duration;

pub(crate) use evaluate::round_12;
pub use evaluate::{Evaluation, Unknown};

/// A read expression, and its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub text: String,
    root: Node,
}

/// What is wrong with an expression, and where in its text (in bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    pub message: String,
    pub span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
struct Node {
    span: Range<usize>,
    kind: NodeKind,
}

#[derive(Clone, Debug, PartialEq)]
enum NodeKind {
    Literal(Operand),
    Name(String),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    /// `a < b <= c`: each neighbouring pair holds.
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    /// `x in [a, b]`, or its contrary.
    Member {
        item: Box<Node>,
        list: Vec<Node>,
        expected: bool,
    },
    /// `then if condition else otherwise`.
    Choose {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Call(Function, Vec<Node>),
}

/// A value in an expression.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Duration(Duration),
    /// A fraction of the trial's budget.
    Fraction(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Abs,
    Min,
    Max,
    Round,
    Floor,
    Ceil,
    Sqrt,
    Exp,
    Log,
    Log2,
    Log10,
}

impl Function {
    const NAMES: [(&str, Self); 11] = [
        ("abs", Self::Abs),
        ("min", Self::Min),
        ("max", Self::Max),
        ("round", Self::Round),
        ("floor", Self::Floor),
        ("ceil", Self::Ceil),
        ("sqrt", Self::Sqrt),
        ("exp", Self::Exp),
        ("log", Self::Log),
        ("log2", Self::Log2),
        ("log10", Self::Log10),
    ];
}

impl Expression {
    pub fn read(text: &str) -> Result<Self, ExpressionError> {
        parse::parse(text).map(|root| Self { text: text.to_owned(), root })
    }

    /// Calls `each` with every name that stands in it, and its place.
    pub fn names<'a>(&'a self, each: &mut impl FnMut(&'a str, Range<usize>)) {
        self.root.names(each);
    }
}

impl Node {
    fn names<'a>(&'a self, each: &mut impl FnMut(&'a str, Range<usize>)) {
        match &self.kind {
            NodeKind::Literal(_) => {}
            NodeKind::Name(name) => each(name, self.span.clone()),
            NodeKind::Not(node) | NodeKind::Negative(node) => node.names(each),
            NodeKind::Binary(_, left, right) => {
                left.names(each);
                right.names(each);
            }
            NodeKind::Compare(first, rest) => {
                first.names(each);
                for (_, node) in rest {
                    node.names(each);
                }
            }
            NodeKind::Member { item, list, .. } => {
                item.names(each);
                for node in list {
                    node.names(each);
                }
            }
            NodeKind::Choose { condition, then, otherwise } => {
                for node in [condition, then, otherwise] {
                    node.names(each);
                }
            }
            NodeKind::Call(_, arguments) => {
                for node in arguments {
                    node.names(each);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
