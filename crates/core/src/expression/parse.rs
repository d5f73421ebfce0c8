//! From text to a tree: precedence climbing over a list of tokens.

use std::ops::Range;

use super::{Comparison, ExpressionError, Function, Node, NodeKind, Operand, Operator};
use crate::diagnostic::suggest;

/// Deeper nesting was not written by a person.
const MAX_DEPTH: u32 = 100;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Literal(Operand),
    Word(String),
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 20] = [
    "**", "//", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "<", ">", "(", ")",
    "[", "]", ",",
];

pub(super) fn parse(text: &str) -> Result<Node, ExpressionError> {
    let mut parser = Parser { tokens: tokens(text)?, position: 0, depth: 0 };
    let node = parser.choice()?;
    match parser.peek() {
        (Token::End, _) => Ok(node),
        (_, span) => Err(error("this does not belong to the expression", span.clone())),
    }
}

fn error(message: impl Into<String>, span: Range<usize>) -> ExpressionError {
    ExpressionError { message: message.into(), span }
}

fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let (token, length) = if first.is_whitespace() {
            start += first.len_utf8();
            continue;
        } else if first.is_ascii_digit() || first == '.' {
            number(rest).ok_or_else(|| error("not a number", start..start + 1))?
        } else if first.is_alphabetic() || first == '_' {
            let length =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            (Token::Word(rest[..length].to_owned()), length)
        } else if first == '"' || first == '\'' {
            let length = rest[1..]
                .find(first)
                .ok_or_else(|| error("this text has no end", start..text.len()))?;
            (Token::Literal(Operand::Text(rest[1..=length].to_owned())), length + 2)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            let help = if first == '=' {
                "write `==` to compare"
            } else {
                "this means nothing in an expression"
            };
            return Err(error(help, start..start + first.len_utf8()));
        };
        tokens.push((token, start..start + length));
        start += length;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

/// A number or a duration at the beginning of `text`, and its length. `10%3` is a remainder, `10%` a duration.
fn number(text: &str) -> Option<(Token, usize)> {
    let digits =
        |from: usize| text[from..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let mut length = digits(0);
    let rest = &text.as_bytes()[length..];
    if let [b'e' | b'E', after @ ..] = rest {
        let sign = usize::from(matches!(after, [b'+' | b'-', ..]));
        let exponent = digits(length + 1 + sign);
        if 0 < exponent {
            length += 1 + sign + exponent;
        }
    }
    let continues = |from: usize| {
        text[from..]
            .trim_start()
            .chars()
            .next()
            .is_some_and(|c| c.is_alphanumeric() || "_([.".contains(c))
    };
    for unit in ["%", "ep", "st"] {
        let end = length + unit.len();
        let is_word = |from: usize| {
            text[from..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_')
        };
        let is_unit = text[length..].starts_with(unit)
            && if unit == "%" {
                !continues(end) || text[end..].starts_with(' ') && is_operator_word(&text[end..])
            } else {
                !is_word(end)
            };
        if is_unit {
            let duration = text[..end].parse().ok()?;
            return Some((Token::Literal(Operand::Duration(duration)), end));
        }
    }
    let number = &text[..length];
    let literal = match number.parse::<i64>() {
        Ok(integer) => Operand::Int(integer),
        Err(_) => Operand::Float(number.parse().ok().filter(|float: &f64| float.is_finite())?),
    };
    Some((Token::Literal(literal), length))
}

/// Whether a word follows that can only stand behind an operand: `10% and …`.
fn is_operator_word(text: &str) -> bool {
    let word = text.trim_start().split(|c: char| !c.is_alphanumeric()).next();
    matches!(word, Some("and" | "or" | "if" | "else" | "in" | "not"))
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    position: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> &(Token, Range<usize>) {
        // The last token is the end and is never taken.
        &self.tokens[self.position.min(self.tokens.len() - 1)]
    }

    fn take(&mut self) -> (Token, Range<usize>) {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_next = matches!(&self.peek().0, Token::Sign(next) if *next == sign);
        self.position += usize::from(is_next);
        is_next
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(&self.peek().0, Token::Word(next) if next == word);
        self.position += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), ExpressionError> {
        let span = self.peek().1.clone();
        if self.takes_sign(sign) {
            Ok(())
        } else {
            Err(error(format!("a `{sign}` is missing here"), span))
        }
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ExpressionError>,
    ) -> Result<T, ExpressionError> {
        self.depth += 1;
        if MAX_DEPTH < self.depth {
            return Err(error("this is nested too deeply", self.peek().1.clone()));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn choice(&mut self) -> Result<Node, ExpressionError> {
        self.nested(|parser| {
            let then = parser.or()?;
            if !parser.takes_word("if") {
                return Ok(then);
            }
            let condition = Box::new(parser.or()?);
            if !parser.takes_word("else") {
                return Err(error("an `else` is missing here", parser.peek().1.clone()));
            }
            let otherwise = Box::new(parser.choice()?);
            let span = then.span.start..otherwise.span.end;
            Ok(Node { span, kind: NodeKind::Choose { condition, then: Box::new(then), otherwise } })
        })
    }

    fn or(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.and()?;
        while self.takes_word("or") || self.takes_sign("||") {
            left = binary(Operator::Or, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.not()?;
        while self.takes_word("and") || self.takes_sign("&&") {
            left = binary(Operator::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Node, ExpressionError> {
        let start = self.peek().1.start;
        if !self.takes_word("not") {
            return self.comparison();
        }
        self.nested(|parser| {
            let node = parser.not()?;
            Ok(Node { span: start..node.span.end, kind: NodeKind::Not(Box::new(node)) })
        })
    }

    fn comparison(&mut self) -> Result<Node, ExpressionError> {
        const COMPARISONS: [(&str, Comparison); 6] = [
            ("<", Comparison::Less),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            (">=", Comparison::GreaterOrEqual),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
        ];
        let first = self.sum()?;
        let expected = match (&self.peek().0, self.tokens.get(self.position + 1)) {
            (Token::Word(word), _) if word == "in" => Some(true),
            (Token::Word(word), Some((Token::Word(next), _))) if word == "not" && next == "in" => {
                Some(false)
            }
            _ => None,
        };
        if let Some(expected) = expected {
            self.position += if expected { 1 } else { 2 };
            self.expect("[")?;
            let list = self.list("]")?;
            let span = first.span.start..self.tokens[self.position - 1].1.end;
            return Ok(Node {
                span,
                kind: NodeKind::Member { item: Box::new(first), list, expected },
            });
        }
        let mut rest = Vec::new();
        while let Token::Sign(sign) = self.peek().0 {
            let Some((_, comparison)) = COMPARISONS.iter().find(|(name, _)| *name == sign) else {
                break;
            };
            self.position += 1;
            rest.push((*comparison, self.sum()?));
        }
        Ok(match rest.last() {
            None => first,
            Some((_, last)) => Node {
                span: first.span.start..last.span.end,
                kind: NodeKind::Compare(Box::new(first), rest),
            },
        })
    }

    fn sum(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek().0 {
                Token::Sign("+") => Operator::Add,
                Token::Sign("-") => Operator::Subtract,
                _ => return Ok(left),
            };
            self.position += 1;
            left = binary(operator, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.sign()?;
        loop {
            let operator = match self.peek().0 {
                Token::Sign("*") => Operator::Multiply,
                Token::Sign("/") => Operator::Divide,
                Token::Sign("//") => Operator::FloorDivide,
                Token::Sign("%") => Operator::Remainder,
                _ => return Ok(left),
            };
            self.position += 1;
            left = binary(operator, left, self.sign()?);
        }
    }

    fn sign(&mut self) -> Result<Node, ExpressionError> {
        let start = self.peek().1.start;
        if self.takes_sign("-") {
            return self.nested(|parser| {
                let node = parser.sign()?;
                Ok(Node { span: start..node.span.end, kind: NodeKind::Negative(Box::new(node)) })
            });
        }
        let base = self.atom()?;
        if !self.takes_sign("**") {
            return Ok(base);
        }
        let exponent = self.nested(Self::sign)?;
        Ok(binary(Operator::Power, base, exponent))
    }

    fn atom(&mut self) -> Result<Node, ExpressionError> {
        let (token, span) = self.take();
        let kind = match token {
            Token::Literal(literal) => NodeKind::Literal(literal),
            Token::Word(word) if word == "true" || word == "false" => {
                NodeKind::Literal(Operand::Bool(word == "true"))
            }
            Token::Word(word)
                if matches!(word.as_str(), "and" | "or" | "not" | "in" | "if" | "else") =>
            {
                return Err(error(format!("`{word}` cannot stand here"), span));
            }
            Token::Word(name) if self.takes_sign("(") => {
                let function = Function::NAMES.iter().find(|(other, _)| *other == name);
                let Some((_, function)) = function else {
                    let help = suggest(&name, Function::NAMES.map(|(name, _)| name));
                    return Err(error(format!("there is no function `{name}`: {help}"), span));
                };
                let arguments = self.list(")")?;
                let is_right = match function {
                    Function::Min | Function::Max => !arguments.is_empty(),
                    _ => arguments.len() == 1,
                };
                if !is_right {
                    return Err(error(
                        format!(
                            "`{name}` takes {}",
                            if arguments.is_empty() { "a value" } else { "one value" }
                        ),
                        span,
                    ));
                }
                let span = span.start..self.tokens[self.position - 1].1.end;
                return Ok(Node { span, kind: NodeKind::Call(*function, arguments) });
            }
            Token::Word(name) => NodeKind::Name(name),
            Token::Sign("(") => {
                let node = self.choice()?;
                self.expect(")")?;
                return Ok(node);
            }
            Token::Sign(_) | Token::End => return Err(error("a value is missing here", span)),
        };
        Ok(Node { span, kind })
    }

    /// Values between commas, up to `end`, which is taken.
    fn list(&mut self, end: &str) -> Result<Vec<Node>, ExpressionError> {
        let mut list = Vec::new();
        while !self.takes_sign(end) {
            if !list.is_empty() {
                self.expect(",")?;
            }
            list.push(self.choice()?);
        }
        Ok(list)
    }
}

fn binary(operator: Operator, left: Node, right: Node) -> Node {
    let span = left.span.start..right.span.end;
    Node { span, kind: NodeKind::Binary(operator, Box::new(left), Box::new(right)) }
}
