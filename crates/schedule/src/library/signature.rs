//! What each class takes in its own library, as `scripts/goldens/signatures.py` reads it from the pinned versions.

use crate::preset::Argument;

/// One class a line: our name, and its path and parameters there.
const SIGNATURES: &str = include_str!("signatures.txt");

/// How a class is called in its own library.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Where it stands there: `torch.optim.lr_scheduler.StepLR`.
    pub path: &'static str,
    /// In order; those before [`Signature::n_positional`] may be given without their names.
    pub parameters: Vec<Parameter>,
    pub n_positional: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    /// As text without blanks: a number, `true`, `"text"`, `[1,2]`, or `none`; absent if it must be given.
    pub default: Option<&'static str>,
}

/// The signature of the class of that name; `None` for papers.
#[must_use]
pub fn signature(class: &str) -> Option<Signature> {
    let line = SIGNATURES.lines().find_map(|line| line.strip_prefix(class)?.strip_prefix(' '))?;
    let (path, parameters) = line.strip_suffix(')')?.split_once('(')?;
    let parameters: Vec<&str> = parameters.split(", ").filter(|one| !one.is_empty()).collect();
    let n_positional = parameters.iter().take_while(|one| **one != "*").count();
    let parameter = |one: &'static str| match one.split_once('=') {
        Some((name, default)) => Parameter { name, default: Some(default) },
        None => Parameter { name: one, default: None },
    };
    let parameters = parameters.into_iter().filter(|one| *one != "*").map(parameter).collect();
    Some(Signature { path, parameters, n_positional })
}

impl Signature {
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Its name there: `StepLR`, `get_linear_schedule_with_warmup`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, name)| name)
    }
}

impl Parameter {
    /// Whether a value is the default: to give it is to leave it out.
    pub(super) fn is_default(&self, value: &Argument) -> bool {
        let Some(default) = self.default else { return false };
        match value {
            Argument::Number(number) => default.parse() == Ok(*number),
            Argument::Bool(value) => default.parse() == Ok(*value),
            Argument::Text(text) => {
                default == format!("\"{text}\"") || default.eq_ignore_ascii_case(text)
            }
            Argument::Duration(_) | Argument::Durations(_) | Argument::Numbers(_) => false,
        }
    }
}
