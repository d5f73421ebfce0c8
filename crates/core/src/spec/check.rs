//! From a file to a [`SweepSpec`], or everything that is wrong with it.

use crate::{
    diagnostic::{Diagnostics, Source},
    objective::{Goal, Objective, Reduce},
    spec::{
        Block, Extension, Fixed, FixedSchedule, RunSpec, Search, SweepSpec,
        file::{self, keys},
        node::{self, Entry, Kind},
        reader::{Reader, find},
    },
    stream::Sampler,
    value::Value,
};

/// Reads a sweep file. `name` is the file's, for messages.
pub fn read(name: &str, text: &str) -> Result<SweepSpec, Diagnostics> {
    let source = Source { name: name.to_owned(), text: text.to_owned() };
    let root = match node::read(text) {
        Ok(root) => root,
        Err(list) => return Err(Diagnostics { source, list }),
    };
    let mut reader = Reader::default();
    let spec = reader.sweep_file(&root, source.clone());
    match spec {
        Some(spec) if reader.diagnostics.is_empty() => Ok(spec),
        _ => Err(Diagnostics { source, list: reader.diagnostics }),
    }
}

/// A text with overrides, as [`read`] understands them; an error says which one cannot be.
pub fn with_overrides(text: &str, overrides: &[String]) -> Result<String, String> {
    let is_wrong = |it: &&String| it.contains(['\n', '\r']) || !it.contains('=');
    if let Some(wrong) = overrides.iter().find(is_wrong) {
        return Err(format!("`{wrong}` is not KEY=VALUE on one line, such as trainer.budget=1ep"));
    }
    Ok(with_lines(text, overrides.iter().map(|assignment| format!("{}{assignment}", node::MARK))))
}

/// A text with these lines at its end.
fn with_lines(text: &str, lines: impl IntoIterator<Item = String>) -> String {
    let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let mut lines = lines.into_iter().peekable();
    let start = if lines.peek().is_some() { separator } else { "" };
    lines.fold(format!("{text}{start}"), |text, line| text + &line + "\n")
}

fn list(points: &[u64]) -> String {
    points.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A text that also asks for these points of its expansion with another budget.
pub fn with_extension(text: &str, extension: &Extension) -> String {
    let Extension { budget, points } = extension;
    with_lines(text, [format!("{}{budget} {}", node::EXTENSION, list(points))])
}

/// A text that asks for these points of its expansion alone, with these seeds, as a sweep of that name.
pub fn with_retest(text: &str, name: &str, points: &[u64], seeds: &[u64]) -> String {
    let mark = node::MARK;
    let (name, seeds) =
        (format!("{mark}sweep.name=\"{name}\""), format!("{mark}sweep.seeds={seeds:?}"));
    with_lines(text, [name, seeds, format!("{}{}", node::ONLY, list(points))])
}

/// The one user string that becomes a path.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || 64 < name.len() || !name.chars().all(is_legal) || name.starts_with('-') {
        return Err(
            "a sweep's name has lower-case letters, digits, `-` and `_`, at most 64 of them, and does not begin with `-`"
                .to_owned(),
        );
    }
    Ok(())
}

impl Reader {
    fn sweep_file(&mut self, root: &[Entry], source: Source) -> Option<SweepSpec> {
        self.only(root, &keys::<file::SweepFile>(), "a sweep file");
        let (name, objective, seeds) = self.sweep(root)?;
        let search = find(root, "search").map_or(Search::Grid, |entry| self.search(entry));
        let run = find(root, "run").map_or_else(RunSpec::default, |entry| self.run(entry));
        let stop = find(root, "stop").and_then(|entry| self.stop(entry));
        let program = self.program(root);
        let command = |key| find(root, "command").and_then(|entry| find(entry.node.table()?, key));
        let trainer = match find(root, "trainer").or_else(|| command("parameters")) {
            Some(entry) => self.table(entry),
            None => &[],
        };
        // A command's budget is a parameter like any other: it may be swept.
        let budget = command("budget").map_or(&[][..], std::slice::from_ref);
        let blocks = self.blocks(root, &[trainer, budget], search);
        let objective_span = find(find(root, "sweep")?.node.table()?, "objective")
            .map_or(0..0, |entry| entry.node.span.clone());
        Some(SweepSpec {
            name,
            objective: objective?,
            objective_span,
            seeds,
            search,
            program,
            run,
            stop,
            blocks,
            extensions: node::extensions(&source.text),
            only: node::only(&source.text),
            source,
        })
    }

    fn sweep(&mut self, root: &[Entry]) -> Option<(String, Option<Objective>, Vec<u64>)> {
        const EXAMPLE: &str = "write [sweep]\nname = \"first\"\nobjective = { metric = \"val_accuracy\", goal = \"max\" }";
        let Some(entry) = find(root, "sweep") else {
            let start = root.first().map_or(0..0, |entry| entry.key_span.clone());
            self.error(&start, "the section [sweep] is missing", "before this", EXAMPLE);
            return None;
        };
        let entries = self.table(entry);
        self.only(entries, &keys::<file::SweepSection>(), "[sweep]");
        let name = if let Some(name) = find(entries, "name") {
            self.text(name, "a name for the sweep and its folder").inspect(|text| {
                if let Err(message) = check_name(text) {
                    self.error(
                        &name.node.span,
                        format!("`{text}` cannot be a sweep's name"),
                        "here",
                        message,
                    );
                }
            })
        } else {
            self.error(
                &entry.key_span,
                "the sweep has no name",
                "`name` is missing",
                "write name = \"first\"",
            );
            None
        };
        let objective = if let Some(objective) = find(entries, "objective") {
            self.objective(objective)
        } else {
            self.error(
                &entry.key_span,
                "the sweep has no objective",
                "`objective` is missing",
                "write objective = { metric = \"val_accuracy\", goal = \"max\" }",
            );
            None
        };
        let seeds = find(entries, "seeds").map_or_else(|| vec![1], |entry| self.seeds(entry));
        Some((name.unwrap_or_default(), objective, seeds))
    }

    fn objective(&mut self, entry: &Entry) -> Option<Objective> {
        const EXAMPLE: &str =
            "write { metric = \"val_accuracy\", goal = \"max\", reduce = \"last\" }";
        if let Kind::Scalar(Value::Text(metric)) = &entry.node.kind {
            let is_error = ["loss", "error", "perplexity"].iter().any(|word| metric.contains(word));
            let goal = if is_error { "min" } else { "max" };
            let help = format!("write {{ metric = \"{metric}\", goal = \"{goal}\" }}");
            self.error(&entry.node.span, "`objective` must be a table", "this is a text", help);
            return None;
        }
        let entries = self.table(entry);
        self.only(entries, &keys::<file::ObjectiveTable>(), "`objective`");
        for key in ["metric", "goal"] {
            if find(entries, key).is_none() {
                self.error(
                    &entry.node.span,
                    format!("the objective has no `{key}`"),
                    "incomplete",
                    EXAMPLE,
                );
            }
        }
        let metric = find(entries, "metric").and_then(|entry| {
            self.text(entry, "the name of a metric, as the worker program reports it")
        });
        let goal = find(entries, "goal")
            .and_then(|entry| self.word(entry, &[("min", Goal::Min), ("max", Goal::Max)]));
        let reduce = match find(entries, "reduce") {
            None => Some(Reduce::Last),
            Some(entry) => match &entry.node.kind {
                Kind::Table(table) if table.len() == 1 && table[0].key == "mean" => self
                    .whole(&table[0], 1, "the mean of so many last evaluations")
                    .map(|n| Reduce::Mean(n.min(1000) as u32)),
                Kind::Scalar(Value::Text(_)) => {
                    self.word(entry, &[("last", Reduce::Last), ("best", Reduce::Best)])
                }
                _ => {
                    self.error(
                        &entry.node.span,
                        "`reduce` is not clear",
                        format!("this is {}", entry.node.what()),
                        "write \"last\", \"best\" or { mean = 3 }",
                    );
                    None
                }
            },
        };
        Some(Objective { metric: metric?, goal: goal?, reduce: reduce? })
    }

    fn seeds(&mut self, entry: &Entry) -> Vec<u64> {
        const HELP: &str = "write seeds = [1, 2, 3]: whole numbers from 0, each once";
        let mut seeds = Vec::new();
        let nodes = match &entry.node.kind {
            Kind::List(nodes) if !nodes.is_empty() => nodes.as_slice(),
            Kind::List(_) => {
                self.error(&entry.node.span, "there are no seeds", "empty", HELP);
                return vec![];
            }
            _ => std::slice::from_ref(&entry.node),
        };
        for node in nodes {
            match node.kind {
                Kind::Scalar(Value::Int(seed)) if 0 <= seed && !seeds.contains(&(seed as u64)) => {
                    seeds.push(seed as u64);
                }
                Kind::Scalar(Value::Int(seed)) if 0 <= seed => self.error(
                    &node.span,
                    format!("the seed {seed} stands there twice"),
                    "again",
                    HELP,
                ),
                _ => self.error(
                    &node.span,
                    "a seed must be a whole number from 0",
                    format!("this is {}", node.what()),
                    HELP,
                ),
            }
        }
        seeds
    }

    fn search(&mut self, entry: &Entry) -> Search {
        let entries = self.table(entry);
        self.only(entries, &keys::<file::SearchSection>(), "[search]");
        let samples = find(entries, "samples")
            .map(|entry| self.whole(entry, 1, "so many configurations are drawn").unwrap_or(1));
        let seed = find(entries, "seed")
            .map(|entry| self.whole(entry, 0, "decides what is drawn").unwrap_or(0));
        let words =
            [("grid", None), ("random", Some(Sampler::Random)), ("sobol", Some(Sampler::Sobol))];
        let sampler = find(entries, "method").and_then(|entry| self.word(entry, &words)).flatten();
        match (sampler, samples) {
            (Some(sampler), Some(samples)) => {
                Search::Samples { sampler, samples, seed: seed.unwrap_or(0) }
            }
            (Some(sampler), None) => {
                self.error(
                    &entry.key_span,
                    "a search that draws needs a number of samples",
                    "`samples` is missing",
                    "write samples = 64",
                );
                Search::Samples { sampler, samples: 1, seed: 0 }
            }
            (None, _) => {
                for key in ["samples", "seed"] {
                    if let Some(entry) = find(entries, key) {
                        self.error(
                            &entry.key_span,
                            format!("a grid has no `{key}`"),
                            "of a search that draws",
                            "write method = \"random\", or remove this",
                        );
                    }
                }
                Search::Grid
            }
        }
    }

    fn blocks(&mut self, root: &[Entry], fixed: &[&[Entry]], search: Search) -> Vec<Block> {
        let space = find(root, "space");
        let Some(block) = find(root, "block") else {
            let entries = space.map_or(&[][..], |entry| self.table(entry));
            return vec![self.block(fixed, entries, search)];
        };
        if let Some(space) = space {
            self.error(
                &space.key_span,
                "[space] and [[block]] exclude each other",
                "one too many",
                "give each block a space of its own: [block.space]",
            );
        }
        let Kind::List(nodes) = &block.node.kind else {
            self.error(
                &block.node.span,
                "`block` must be a list of tables",
                format!("this is {}", block.node.what()),
                "write [[block]]",
            );
            return Vec::new();
        };
        let mut blocks = Vec::new();
        for node in nodes {
            let entries = node.table().unwrap_or_default();
            self.only(entries, &keys::<file::BlockSection>(), "[[block]]");
            let own = find(entries, "trainer").map_or(&[][..], |entry| self.table(entry));
            let space = find(entries, "space").map_or(&[][..], |entry| self.table(entry));
            blocks.push(self.block(&[fixed, &[own]].concat(), space, search));
        }
        if blocks.is_empty() {
            self.error(&block.node.span, "there are no blocks", "empty", "write [[block]]");
        }
        blocks
    }

    /// What is fixed (later sections override earlier ones) and the space beside it.
    fn block(&mut self, sections: &[&[Entry]], space: &[Entry], search: Search) -> Block {
        let mut fixed: Vec<Fixed> = Vec::new();
        let mut schedule = None;
        for entry in sections.iter().copied().flatten() {
            if entry.key == "schedule" {
                schedule = self.fixed_schedule(entry);
                continue;
            }
            let Some(value) = self.item(entry, &entry.node, super::axis::Item::Scalar) else {
                continue;
            };
            fixed.retain(|other| other.name != entry.key);
            fixed.push(Fixed {
                name: entry.key.clone(),
                key: entry.key_span.clone(),
                value,
                span: entry.node.span.clone(),
            });
        }
        let read = self.space(
            space,
            search,
            schedule.as_ref().map(|schedule: &FixedSchedule| schedule.preset),
        );
        let swept = |name: &str| {
            find(space, name).filter(|_| !matches!(name, "where" | "zip" | "points" | "derived"))
        };
        for Fixed { name, .. } in &fixed {
            if let Some(entry) = swept(name) {
                self.error(
                    &entry.key_span,
                    format!("`{name}` is both fixed and swept"),
                    "swept here",
                    "remove it from the trainer section or from the space",
                );
            }
        }
        if let (Some(_), Some(entry)) = (&schedule, swept("schedule")) {
            self.error(
                &entry.key_span,
                "the schedule is both fixed and swept",
                "swept here",
                "remove it from the trainer section or from the space",
            );
        }
        Block { fixed, schedule, space: read }
    }
}
