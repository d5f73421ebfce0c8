//! The `[space]` section: shared axes, choices, rows, derived values and conditions, into a [`Space`].

use std::collections::BTreeMap;

use pleach_schedule::preset::{self, PresetInfo};

use crate::{
    expression::Expression,
    space::{Choice, Combination, Dimension, Placed, Points, Row, Space},
    spec::{
        Search,
        axis::Item,
        node::{Entry, Kind, Node},
        reader::Reader,
        schedule::{self, NAMING, item},
    },
    value::Value,
};

/// More combinations of branches than anybody can want.
const MAX_COMBINATIONS: usize = 100_000;

/// A choice as read: its branches, each with dimensions of its own.
struct Branches {
    branches: Vec<(Choice, Vec<Dimension>)>,
}

impl Reader {
    /// Reads a space. `fixed_schedule`: the preset of `[trainer.schedule]`, whose arguments may be axes.
    pub(super) fn space(
        &mut self,
        entries: &[Entry],
        search: Search,
        fixed_schedule: Option<&'static PresetInfo>,
    ) -> Space {
        let mut space = Space::default();
        let mut shared = Vec::new();
        let mut choices = Vec::new();
        for entry in entries {
            match (entry.key.as_str(), &entry.node.kind) {
                ("where", _) => space.conditions = self.conditions(entry),
                ("derived", _) => space.derived = self.derived(entry),
                ("zip", _) => shared.extend(self.rows(entry, RowsOf::Zip)),
                ("points", _) => shared.extend(self.rows(entry, RowsOf::Points)),
                (_, Kind::Table(branches)) if is_choice(branches) => {
                    choices.extend(self.choice(entry, branches, search));
                }
                ("schedule", _) => choices.extend(self.schedule_names(entry)),
                (key, _) => {
                    shared.extend(self.axis(entry, item(fixed_schedule, key), None, search));
                }
            }
        }
        self.no_name_twice(&shared);
        let product: usize =
            choices.iter().map(|choice| choice.branches.len()).fold(1, usize::saturating_mul);
        if MAX_COMBINATIONS < product {
            if let Some(entry) = entries.first() {
                let help = "remove some choices, or use several sweeps";
                self.error(
                    &entry.key_span,
                    format!("the choices combine in {product} ways"),
                    format!("at most {MAX_COMBINATIONS}"),
                    help,
                );
            }
            return space;
        }
        for index in 0..product {
            let combination = self.combination(index, product, &shared, &choices);
            space.combinations.push(combination);
        }
        space
    }

    /// One branch of every choice, the last choice changing fastest.
    fn combination(
        &mut self,
        mut index: usize,
        mut product: usize,
        shared: &[Dimension],
        choices: &[Branches],
    ) -> Combination {
        let mut combination = Combination::default();
        let mut own: Vec<&Dimension> = Vec::new();
        for choice in choices {
            product /= choice.branches.len();
            let (choice, dimensions) = &choice.branches[index / product];
            index %= product;
            combination.choices.push(choice.clone());
            own.extend(dimensions);
        }
        let mut names: BTreeMap<&str, &Dimension> = BTreeMap::new();
        for dimension in &own {
            for name in &dimension.names {
                if let Some(other) = names.insert(name, dimension) {
                    let help = format!(
                        "it stands in a branch of `{}` too: keep one of them",
                        other.choice.as_deref().unwrap_or_default()
                    );
                    self.error_once(
                        &dimension.span,
                        format!("`{name}` has two axes at the same time"),
                        "the second one",
                        help,
                    );
                }
            }
        }
        // A class of a library has its own name for the peak: the same value under both names is one value.
        let rate = combination
            .choices
            .iter()
            .filter(|choice| choice.name == "schedule")
            .find_map(|choice| preset::find(&choice.means))
            .map_or("peak", PresetInfo::rate);
        let overridden = |dimension: &&Dimension| {
            let is_own = |name: &String| names.contains_key(name.as_str());
            let own = names.get(rate).and_then(|own| own.only_number(rate));
            let is_same_rate = || own.is_some() && own == dimension.only_number("peak");
            dimension.names.iter().any(is_own) || dimension.names == ["peak"] && is_same_rate()
        };
        for dimension in shared.iter().filter(overridden) {
            let mut others =
                dimension.names.iter().filter(|name| !names.contains_key(name.as_str()));
            let own =
                dimension.names.iter().find_map(|name| Some((name, names.get(name.as_str())?)));
            if let (Some(other), Some((name, own))) = (others.next(), own) {
                self.error_once(
                    &own.span,
                    format!("`{name}` replaces an axis that also sets `{other}`"),
                    "of this branch",
                    format!("give `{other}` in this branch too"),
                );
            }
        }
        combination.dimensions = shared
            .iter()
            .filter(|dimension| !overridden(dimension))
            .chain(own.iter().copied())
            .cloned()
            .collect();
        combination
    }

    fn error_once(
        &mut self,
        span: &std::ops::Range<usize>,
        message: String,
        label: &str,
        help: String,
    ) {
        if !self.diagnostics.iter().any(|other| other.message == message) {
            self.error(span, message, label, help);
        }
    }

    fn no_name_twice(&mut self, dimensions: &[Dimension]) {
        let mut seen = std::collections::BTreeSet::new();
        for dimension in dimensions {
            for name in &dimension.names {
                if !seen.insert(name.as_str()) {
                    self.error(
                        &dimension.span,
                        format!("`{name}` has two axes"),
                        "the second one",
                        "keep one of them",
                    );
                }
            }
        }
    }

    fn choice(&mut self, entry: &Entry, branches: &[Entry], search: Search) -> Option<Branches> {
        let mut read = Vec::new();
        let is_schedule = entry.key == "schedule";
        let branches = if is_schedule { schedule::branches(branches) } else { branches.to_vec() };
        for branch in &branches {
            let entries = branch.node.table().unwrap_or_default();
            let preset = if is_schedule {
                Some(self.preset(branch, entries, Some(&branch.key))?)
            } else {
                None
            };
            let means = match (preset, crate::spec::reader::find(entries, "use")) {
                (Some(preset), _) => preset.name.to_owned(),
                (None, Some(used)) => self.text(used, "the value that this branch stands for")?,
                (None, None) => branch.key.clone(),
            };
            let own = entries.iter().filter(|own| own.key != "use");
            let mut dimensions = Vec::new();
            for own in own {
                dimensions.extend(match &own.node.kind {
                    Kind::Table(inner) if is_choice(inner) => {
                        self.error(
                            &own.key_span,
                            "a choice inside a choice",
                            "here",
                            "put it beside the other one: several choices multiply",
                        );
                        None
                    }
                    _ => self.axis(own, item(preset, &own.key), Some(&entry.key), search),
                });
            }
            self.no_name_twice(&dimensions);
            let choice = Choice {
                name: entry.key.clone(),
                branch: branch.key.clone(),
                means,
                span: branch.key_span.clone(),
            };
            read.push((choice, dimensions));
        }
        Some(Branches { branches: read })
    }

    /// `schedule = ["constant", "cosine"]`: a choice whose branches say nothing more.
    fn schedule_names(&mut self, entry: &Entry) -> Option<Branches> {
        let names = match &entry.node.kind {
            Kind::Scalar(Value::Text(_)) => std::slice::from_ref(&entry.node),
            Kind::List(nodes) => nodes.as_slice(),
            _ => &[],
        };
        let name = |node: &Node| match &node.kind {
            Kind::Scalar(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        if names.is_empty() || names.iter().any(|node| name(node).is_none()) {
            self.error(&entry.node.span, "`schedule` must be a choice of schedules", format!("this is {}", entry.node.what()), "write schedule = [\"constant\", \"cosine\"], or a table [space.schedule.cosine] for each with keys of its own");
            return None;
        }
        let mut branches = Vec::new();
        for node in names {
            let key = name(node)?;
            let branch =
                Entry { key: key.clone(), key_span: node.span.clone(), node: node.clone() };
            let preset = self.preset(&branch, &[], Some(&key))?;
            let choice = Choice {
                name: "schedule".to_owned(),
                branch: key,
                means: preset.name.to_owned(),
                span: node.span.clone(),
            };
            branches.push((choice, Vec::new()));
        }
        Some(Branches { branches })
    }

    fn rows(&mut self, entry: &Entry, of: RowsOf) -> Vec<Dimension> {
        let tables: Vec<&Node> = match &entry.node.kind {
            Kind::List(nodes) if nodes.iter().all(|node| node.table().is_some()) => {
                nodes.iter().collect()
            }
            _ => {
                let key = &entry.key;
                self.error(
                    &entry.node.span,
                    format!("`{key}` must be tables"),
                    format!("this is {}", entry.node.what()),
                    format!("write [[space.{key}]] and its keys below"),
                );
                return Vec::new();
            }
        };
        for table in &tables {
            if let Some(schedule) =
                table.table().and_then(|entries| crate::spec::reader::find(entries, "schedule"))
            {
                self.error(
                    &schedule.key_span,
                    "a schedule cannot stand here",
                    "not here",
                    "make it a choice: [space.schedule.NAME]",
                );
            }
        }
        match of {
            RowsOf::Zip => tables.into_iter().filter_map(|table| self.zip(table)).collect(),
            RowsOf::Points => self.points(entry, &tables).into_iter().collect(),
        }
    }

    /// Axes that move together.
    fn zip(&mut self, node: &Node) -> Option<Dimension> {
        let entries = node.table()?;
        let mut columns: Vec<&[Node]> = Vec::new();
        for entry in entries {
            let Kind::List(nodes) = &entry.node.kind else {
                self.error(
                    &entry.node.span,
                    format!("`{}` must be a list", entry.key),
                    format!("this is {}", entry.node.what()),
                    "axes that move together are lists of equal length",
                );
                return None;
            };
            if let Some(first) = columns.first().filter(|first| first.len() != nodes.len()) {
                let label =
                    format!("{} values, `{}` has {}", nodes.len(), entries[0].key, first.len());
                self.error(
                    &entry.node.span,
                    "axes that move together must be equally long",
                    label,
                    "add or remove values",
                );
                return None;
            }
            columns.push(nodes);
        }
        let n = columns.first().map_or(0, |column| column.len());
        if n == 0 {
            self.error(
                &node.span,
                "these axes are empty",
                "no values",
                "give them at least one value each",
            );
            return None;
        }
        let mut rows = Vec::new();
        for index in 0..n {
            let values = entries
                .iter()
                .zip(&columns)
                .map(|(entry, column)| self.item(entry, &column[index], Item::Scalar));
            rows.push(Row {
                values: values.collect::<Option<_>>()?,
                span: columns[0][index].span.clone(),
            });
        }
        Some(Dimension {
            names: entries.iter().map(|entry| entry.key.clone()).collect(),
            keys: entries.iter().map(|entry| entry.key_span.clone()).collect(),
            choice: None,
            points: Points::Rows(rows),
            span: node.span.clone(),
        })
    }

    /// Explicit rows.
    fn points(&mut self, entry: &Entry, tables: &[&Node]) -> Option<Dimension> {
        let first = tables.first()?.table()?;
        let names: Vec<String> = first.iter().map(|entry| entry.key.clone()).collect();
        let mut rows = Vec::new();
        for table in tables {
            let entries = table.table()?;
            let same = entries.len() == names.len()
                && entries.iter().all(|entry| names.contains(&entry.key));
            if !same {
                self.error(
                    &table.span,
                    "points must all have the same keys",
                    "other keys than the first",
                    format!("give it {}", names.join(", ")),
                );
                return None;
            }
            let values = names.iter().map(|name| {
                let entry = crate::spec::reader::find(entries, name)?;
                self.item(entry, &entry.node, Item::Scalar)
            });
            rows.push(Row { values: values.collect::<Option<_>>()?, span: table.span.clone() });
        }
        Some(Dimension {
            names,
            keys: first.iter().map(|entry| entry.key_span.clone()).collect(),
            choice: None,
            points: Points::Rows(rows),
            span: entry.node.span.clone(),
        })
    }

    fn conditions(&mut self, entry: &Entry) -> Vec<Placed> {
        const HELP: &str = "write where = [\"peak * momentum < 0.5\"]";
        let nodes = match &entry.node.kind {
            Kind::Scalar(Value::Text(_)) => std::slice::from_ref(&entry.node),
            Kind::List(nodes) => nodes.as_slice(),
            _ => {
                self.error(
                    &entry.node.span,
                    "`where` must be a list of conditions",
                    format!("this is {}", entry.node.what()),
                    HELP,
                );
                &[]
            }
        };
        nodes.iter().filter_map(|node| self.placed(node, HELP)).collect()
    }

    fn derived(&mut self, entry: &Entry) -> Vec<(String, Placed)> {
        const HELP: &str = "write x = \"0.1 * batch / 256\"";
        let entries = self.table(entry);
        entries
            .iter()
            .filter_map(|entry| Some((entry.key.clone(), self.placed(&entry.node, HELP)?)))
            .collect()
    }

    fn placed(&mut self, node: &Node, help: &str) -> Option<Placed> {
        let Kind::Scalar(Value::Text(text)) = &node.kind else {
            self.error(
                &node.span,
                "an expression is a text",
                format!("this is {}", node.what()),
                help,
            );
            return None;
        };
        match Expression::read(text) {
            Ok(expression) => Some(Placed { expression, span: node.span.clone() }),
            Err(error) => {
                self.error(&inside(&node.span, &error.span), error.message, "here", "");
                None
            }
        }
    }
}

/// Bytes of an expression's text, as bytes of the file: the text stands behind one quotation mark.
pub(crate) fn inside(
    text: &std::ops::Range<usize>,
    part: &std::ops::Range<usize>,
) -> std::ops::Range<usize> {
    let last = text.end.saturating_sub(1).max(text.start);
    let start = (text.start + 1 + part.start).min(last);
    start..(text.start + 1 + part.end).min(last).max(start)
}

#[derive(Clone, Copy)]
enum RowsOf {
    Zip,
    Points,
}

/// A table whose values are all tables.
fn is_choice(entries: &[Entry]) -> bool {
    !entries.is_empty()
        && entries
            .iter()
            .all(|entry| entry.node.table().is_some() && !NAMING.contains(&entry.key.as_str()))
}
