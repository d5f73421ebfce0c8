//! Python text as tokens, a statement at a time.

use super::CallError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    /// A name, with dots: `torch.optim.SGD`.
    Name(String),
    /// `(`, `**`, `//`, …
    Sign(&'static str),
}

const SIGNS: [&str; 21] = [
    "**", "//", "==", "->", "(", ")", "[", "]", "{", "}", ",", ":", "=", "+", "-", "*", "/", "%",
    "@", "<", ">",
];

/// What begins a statement that is no expression.
const KEYWORDS: [&str; 13] = [
    "import", "from", "for", "while", "with", "if", "elif", "else", "def", "class", "return",
    "assert", "try",
];

/// The statements of a text: comments, prompts, loops and imports left out.
pub(super) fn statements(text: &str) -> Result<Vec<Vec<Token>>, CallError> {
    let mut statements = Vec::new();
    let mut open: Vec<Token> = Vec::new();
    let mut depth = 0_i64;
    let mut margin = None;
    for line in text.lines() {
        let prompts = ["... ", ">>> ", "...", ">>>"];
        let line = prompts
            .iter()
            .find_map(|prompt| line.trim_start().strip_prefix(prompt))
            .unwrap_or(line);
        let bare = line.trim_start();
        let first = bare.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let indentation = line.len() - bare.len();
        if depth == 0 && !bare.is_empty() {
            // What is further in belongs to a loop or a function.
            let margin = *margin.get_or_insert(indentation);
            if margin < indentation || KEYWORDS.contains(&first) {
                continue;
            }
        }
        for token in tokens(line)? {
            match token {
                Token::Sign("(" | "[" | "{") => depth += 1,
                Token::Sign(")" | "]" | "}") => depth = (depth - 1).max(0),
                _ => {}
            }
            open.push(token);
        }
        if depth == 0 && !open.is_empty() {
            statements.push(std::mem::take(&mut open));
        }
    }
    if open.is_empty() {
        Ok(statements)
    } else {
        Err(CallError::new("a bracket is not closed", "add the rest of the call"))
    }
}

fn tokens(line: &str) -> Result<Vec<Token>, CallError> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => break,
            ';' | '\\' => 1,
            '"' | '\'' => {
                let end = rest[1..].find(first).ok_or_else(|| {
                    CallError::new(format!("a text is not closed: {rest}"), "add its end")
                })?;
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '.' if rest.starts_with("...") => {
                tokens.push(Token::Name("...".to_owned()));
                3
            }
            '0'..='9' | '.' => {
                let length = number_length(rest);
                let number = rest[..length].replace('_', "").parse().map_err(|_| {
                    CallError::new(
                        format!("`{}` is no number", &rest[..length]),
                        "write it as 0.1 or 1e-3",
                    )
                })?;
                tokens.push(Token::Number(number));
                length
            }
            first if first.is_alphabetic() || first == '_' => {
                let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
                let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                tokens.push(Token::Name(rest[..length].to_owned()));
                length
            }
            other => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(|| {
                    CallError::new(
                        format!("`{other}` has no meaning here"),
                        "paste one call, such as StepLR(optimizer, step_size=30)",
                    )
                })?;
                tokens.push(Token::Sign(sign));
                sign.len()
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// How many bytes of a text are its number: digits, a point, an exponent.
fn number_length(text: &str) -> usize {
    let mut before = ' ';
    let end = text.find(|c: char| {
        let is_part = c.is_ascii_digit()
            || matches!(c, '.' | '_' | 'e' | 'E')
            || matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        before = c;
        !is_part
    });
    end.unwrap_or(text.len())
}
