//! The section `[command]`: a program of the person's own.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    output::{Form, Strictness},
    spec::{
        Argument, CommandSpec, ProgramSpec,
        file::{self, keys},
        node::{Entry, Kind, Node},
        reader::{Reader, find},
    },
    value::Value,
};

const RUN: &str = "write run = [\"python\", \"train.py\", \"--lr={{ peak }}\"]: an argument list, never a shell line";
const METRICS: &str = "write metrics = \"jsonl\", or a regular expression whose named groups are metrics: 'step (?<step>\\d+): loss=(?<loss>\\S+)'";
const ENVIRONMENT: &str = "write environment = { SEED = \"{{ seed }}\" }";

/// Bytes of one argument, or of one variable of the environment with its name, that Linux takes: less than this.
pub(crate) const MAX_ARGUMENT: usize = 128 << 10;

impl Reader {
    pub(super) fn program(&mut self, root: &[Entry]) -> ProgramSpec {
        let Some(entry) = find(root, "command") else { return ProgramSpec::Trainer };
        if let Some(trainer) = find(root, "trainer") {
            self.error(
                &trainer.key_span,
                "[trainer] and [command] exclude each other",
                "one too many",
                "fixed parameters of a command are command.parameters",
            );
        }
        let entries = self.table(entry);
        self.only(entries, &keys::<file::CommandSection>(), "[command]");
        let run = if let Some(run) = find(entries, "run") {
            self.arguments(run)
        } else {
            self.error(&entry.key_span, "the command has nothing to run", "`run` is missing", RUN);
            Vec::new()
        };
        let metrics = find(entries, "metrics").and_then(|entry| self.metrics(entry));
        let strictness = find(entries, "strict").and_then(|entry| self.strictness(entry));
        let directory = find(entries, "directory")
            .and_then(|entry| self.text(entry, "write directory = \"experiments\""));
        let steps_per_epoch = find(entries, "steps_per_epoch")
            .and_then(|entry| self.whole(entry, 1, "optimizer steps to an epoch"));
        let checkpoint = find(entries, "checkpoint").and_then(|entry| self.checkpoint(entry));
        let environment = find(entries, "environment").map(|entry| self.environment(entry));
        ProgramSpec::Command(CommandSpec {
            run,
            metrics: metrics.unwrap_or_else(|| "jsonl".to_owned()),
            strictness: strictness.unwrap_or_default(),
            environment: environment.unwrap_or_default(),
            directory,
            steps_per_epoch,
            checkpoint,
        })
    }

    fn arguments(&mut self, entry: &Entry) -> Vec<Argument> {
        let nodes = match &entry.node.kind {
            Kind::List(nodes) if !nodes.is_empty() => nodes.as_slice(),
            _ => {
                let what = format!("this is {}", entry.node.what());
                self.error(&entry.node.span, "`run` must be a list of texts", what, RUN);
                return Vec::new();
            }
        };
        let run: Vec<Argument> = nodes.iter().filter_map(|node| self.argument(node, RUN)).collect();
        if let Some(first) = run.first().filter(|it| it.text.is_empty() || it.text.starts_with('-'))
        {
            let message = "`run` begins with an argument".to_owned();
            self.error(&first.span, message, "the program comes first", RUN);
        }
        run
    }

    fn argument(&mut self, node: &Node, help: &str) -> Option<Argument> {
        let Kind::Scalar(Value::Text(text)) = &node.kind else {
            let what = format!("this is {}", node.what());
            self.error(&node.span, "an argument must be a text", what, help);
            return None;
        };
        if text.contains('\0') || MAX_ARGUMENT <= text.len() {
            let what = if text.contains('\0') {
                "it holds the character NUL, at which the program would stop reading"
            } else {
                "it is longer than 128 KiB, which is more than a program can be told"
            };
            let help = "put it into a file, and name the file";
            self.error(&node.span, "this text cannot be told to a program", what, help);
            return None;
        }
        match text.parse() {
            Ok(template) => {
                Some(Argument { text: text.clone(), template, span: node.span.clone() })
            }
            Err(error) => {
                let message = format!("`{text}` cannot be an argument: {error}");
                self.error(&node.span, message, "here", help);
                None
            }
        }
    }

    fn checkpoint(&mut self, entry: &Entry) -> Option<Range<usize>> {
        match entry.node.kind {
            Kind::Scalar(Value::Bool(takes_part)) => takes_part.then(|| entry.node.span.clone()),
            _ => self.wrong_type(
                entry,
                "true or false",
                "write checkpoint = true if the program loads and saves its state as it is told",
            ),
        }
    }

    fn strictness(&mut self, entry: &Entry) -> Option<Strictness> {
        match entry.node.kind {
            Kind::Scalar(Value::Bool(true)) => Some(Strictness::Strict),
            Kind::Scalar(Value::Bool(false)) => Some(Strictness::Lenient),
            _ => self.wrong_type(
                entry,
                "true or false",
                "write strict = true if a trial fails by one odd line of metrics",
            ),
        }
    }

    fn metrics(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry, METRICS)?;
        match text.parse::<Form>() {
            Ok(_) => Some(text),
            Err(error) => {
                let message = format!("`{text}` cannot say what is measured: {error}");
                self.error(&entry.node.span, message, "here", METRICS);
                None
            }
        }
    }

    fn environment(&mut self, entry: &Entry) -> BTreeMap<String, Argument> {
        let mut variables = BTreeMap::new();
        for variable in self.table(entry) {
            let name = &variable.key;
            if name.is_empty() || name.contains(['=', '\0']) || name.starts_with("PLEACH_") {
                let message = format!("`{name}` cannot be a variable of the environment");
                let help =
                    "a name without `=`, and PLEACH_ is what pleach itself tells the program";
                self.error(&variable.key_span, message, "here", help);
            } else if let Some(value) = self.argument(&variable.node, ENVIRONMENT) {
                variables.insert(name.clone(), value);
            }
        }
        variables
    }
}
