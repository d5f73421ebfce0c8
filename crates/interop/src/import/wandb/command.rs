//! How the program is run: W&B's `program` and `command`, as `wandb` 0.31 builds an agent's command line
//! (`wandb/sdk/launch/sweeps/utils.py`).

use super::{ImportError, Kind, Name, Node, Reader, word};

impl Reader {
    pub(super) fn run(
        &mut self,
        root: &Node,
        program: Option<&Node>,
        command: Option<&Node>,
    ) -> Result<Vec<String>, ImportError> {
        let given = program.map(|node| plain(node, "`program`")).transpose()?;
        if given.is_none() && command.is_none() {
            self.note(root.line, "no `program`: train.py is a guess");
        }
        let program = given.unwrap_or_else(|| "train.py".to_owned());
        let Some(command) = command else {
            let mut run = vec!["python".to_owned(), program];
            run.extend(self.arguments("--"));
            return Ok(run);
        };
        let nodes = command.list("`command`")?;
        let mut run = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let word = plain(node, "a word of `command`")?;
            match word.as_str() {
                // It sets variables, or only looks the next word up.
                "${env}" => {
                    let next =
                        nodes.get(index + 1).map(|next| plain(next, "a word")).transpose()?;
                    if next.is_some_and(|next| next.contains('=') || next.starts_with('-')) {
                        run.push("/usr/bin/env".to_owned());
                    }
                }
                "${interpreter}" => run.push("python".to_owned()),
                "${program}" => run.push(program.clone()),
                "${args}" => run.extend(self.arguments("--")),
                "${args_no_hyphens}" => run.extend(self.arguments("")),
                "${args_append_hydra}" => run.extend(self.arguments("+")),
                "${args_override_hydra}" => run.extend(self.arguments("++")),
                "${args_no_equals}" => run.extend(
                    self.names
                        .iter()
                        .flat_map(|name| [format!("--{}", name.theirs), name.placeholder()]),
                ),
                "${args_no_boolean_flags}" => run.extend(self.flagged(node)),
                "${args_json_file}" => run.push("{{ PLEACH_PARAMETERS }}".to_owned()),
                text => run.extend(self.literal(node, text)),
            }
        }
        if run.is_empty() {
            return Err(command.wrong("`command` has nothing to run"));
        }
        Ok(run)
    }

    fn arguments(&self, before: &str) -> Vec<String> {
        self.names.iter().map(|name| name.argument(before)).collect()
    }

    /// What is true is a bare flag, what is false is left out.
    fn flagged(&mut self, node: &Node) -> Vec<String> {
        let mut swept = Vec::new();
        let mut argument = |name: &Name| {
            let flag = self.flags.iter().find(|(here, _)| *here == name.here);
            match flag.map(|(_, value)| *value) {
                Some(Some(true)) => Some(format!("--{}", name.theirs)),
                Some(Some(false)) => None,
                Some(None) => {
                    swept.push(word(&name.theirs));
                    Some(name.argument("--"))
                }
                None => Some(name.argument("--")),
            }
        };
        let arguments = self.names.iter().filter_map(&mut argument).collect();
        for name in swept {
            self.note(
                node.line,
                format!("`{name}`: it is told as --{name}=true or --{name}=false: an argument cannot come and go here"),
            );
        }
        arguments
    }

    /// A word that stands for itself, unless W&B puts something in its place that pleach does not have.
    fn literal(&mut self, node: &Node, text: &str) -> Option<String> {
        let is_macro = text.starts_with("${") && text.ends_with('}') || text.contains("${envvar:");
        if is_macro {
            let instead = match text {
                "${args_json}" => ": the program can read them from the file $PLEACH_PARAMETERS",
                _ if text.contains("${envvar:") => {
                    ": write its value, or let the program read the variable"
                }
                _ => ", as W&B leaves it out",
            };
            self.note(node.line, format!("`{}` of `command` is left out{instead}", word(text)));
            return None;
        }
        let told = text.replace("{{", "{ {");
        if told != text {
            let text = word(text);
            self.note(
                node.line,
                format!("`{text}` of `command`: two braces stand for a value here, so a space is put between them"),
            );
        }
        Some(told)
    }
}

/// A text, or what Python makes one of.
fn plain(node: &Node, what: &str) -> Result<String, ImportError> {
    Ok(match &node.kind {
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        Kind::Int(_) | Kind::Float(_) => node.what(),
        _ => match node.text(what)? {
            text if text.contains('\0') => {
                return Err(node.wrong(format!("{what} cannot have NUL in it")));
            }
            text => text.to_owned(),
        },
    })
}
