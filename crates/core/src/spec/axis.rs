//! One axis: `[a, b, c]`, a single value, or a range such as `{ log = [0.01, 1.0], n = 5 }`.

use crate::{
    space::{Dimension, Distribution, Points, Row},
    spec::{
        Search, foreign,
        node::{Entry, Kind, Node, Span},
        reader::{Reader, find},
        schedule::{NAMING, spellings},
    },
    value::{Unit, Value},
};

/// More points than anybody can want of one axis.
pub const MAX_POINTS: u64 = 10_000_000;

/// What one point of an axis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Scalar,
    /// Swept by a list of lists.
    List,
    /// A list of tables or a text; swept by a list of these.
    Phases,
}

impl Reader {
    /// Reads an axis; `None` after a mistake.
    pub(super) fn axis(
        &mut self,
        entry: &Entry,
        item: Item,
        choice: Option<&str>,
        search: Search,
    ) -> Option<Dimension> {
        let node = &entry.node;
        let points = match &node.kind {
            Kind::Table(entries) if item == Item::Scalar && is_schedule(entries) => {
                Points::Rows(vec![self.row(entry, node, item)?])
            }
            Kind::Table(entries) if item != Item::Phases => self.range(entry, entries, search)?,
            _ if item == Item::Phases => Points::Rows(self.phases(entry, node)?),
            Kind::List(nodes) if is_list_of(nodes, item) => {
                if nodes.is_empty() {
                    self.error(
                        &node.span,
                        format!("the axis `{}` is empty", entry.key),
                        "no values",
                        "give it at least one value, or remove it",
                    );
                    return None;
                }
                Points::Rows(
                    nodes.iter().map(|node| self.row(entry, node, item)).collect::<Option<_>>()?,
                )
            }
            _ => Points::Rows(vec![self.row(entry, node, item)?]),
        };
        let span = node.span.clone();
        Some(Dimension {
            names: vec![entry.key.clone()],
            keys: vec![entry.key_span.clone()],
            choice: choice.map(str::to_owned),
            points,
            span,
        })
    }

    fn row(&mut self, entry: &Entry, node: &Node, item: Item) -> Option<Row> {
        Some(Row { values: vec![self.item(entry, node, item)?], span: node.span.clone() })
    }

    /// One value. A table that names a schedule, for a parameter that follows one, is that schedule in one line.
    pub(super) fn item(&mut self, entry: &Entry, node: &Node, item: Item) -> Option<Value> {
        let value = match (item, &node.kind) {
            (Item::Scalar, Kind::Table(entries)) if is_schedule(entries) => {
                let schedule = self.schedule(&Entry { node: node.clone(), ..entry.clone() })?;
                return Some(Value::Text(schedule.to_string()));
            }
            (Item::Scalar, Kind::Scalar(value)) => Some(value.clone()),
            (Item::List, Kind::List(_)) => node.value(),
            // A single number or duration where a list is taken is a list of one.
            (Item::List, Kind::Scalar(value)) => Some(Value::List(vec![value.clone()])),
            _ => None,
        };
        if value.is_none() {
            let help = match (item, &node.kind) {
                (_, Kind::Unusable(_)) => "write a number, a text, true or false",
                (Item::List, _) => {
                    "write a list of numbers or durations; sweep it by a list of lists"
                }
                _ => {
                    "write a number, a text, true or false; an axis is a list of these, or a range such as { log = [0.01, 1.0], n = 5 }"
                }
            };
            self.error(
                &node.span,
                format!("`{}` cannot have this value", entry.key),
                format!("this is {}", node.what()),
                help,
            );
        }
        value
    }

    /// A list of tables is one value (or several, if it sweeps keys inside), a list of texts or of such lists is an axis.
    pub(super) fn phases(&mut self, entry: &Entry, node: &Node) -> Option<Vec<Row>> {
        let nodes = match &node.kind {
            Kind::List(nodes) if is_list_of(nodes, Item::Phases) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut rows = Vec::new();
        for node in nodes {
            match spellings(node) {
                Ok(texts) => {
                    rows.extend(texts.into_iter().map(|text| Row {
                        values: vec![Value::Text(text)],
                        span: node.span.clone(),
                    }));
                }
                Err((span, message, help)) => {
                    self.error(&span, format!("`{}`: {message}", entry.key), "here", help);
                    return None;
                }
            }
        }
        Some(rows)
    }

    fn range(&mut self, entry: &Entry, entries: &[Entry], search: Search) -> Option<Points> {
        if let Some(help) = foreign::range(&entry.key, entries) {
            let message =
                format!("the range of `{}` is spelled as another tool spells it", entry.key);
            self.error(&entry.node.span, message, "not here", help);
            return None;
        }
        self.own_range(entry, entries, search)
    }

    fn own_range(&mut self, entry: &Entry, entries: &[Entry], search: Search) -> Option<Points> {
        const KINDS: [&str; 5] = ["log", "uniform", "int", "log_int", "normal"];
        const FORMS: &str = "write { log = [0.01, 1.0], n = 5 }, { uniform = [0.0, 0.9], n = 4 }, { int = [1, 8] }, { log_int = [16, 512], n = 6 } or { normal = [0.0, 1.0] }; of durations { uniform = [\"0%\", \"20%\"], n = 5 }";
        let name = &entry.key;
        let known = KINDS.iter().chain(&["n", "step"]).map(|&key| key.to_owned());
        self.only(entries, &known.collect::<Vec<_>>(), &format!("the range of `{name}`"));
        let kinds: Vec<&Entry> =
            entries.iter().filter(|entry| KINDS.contains(&entry.key.as_str())).collect();
        let [kind] = kinds[..] else {
            let label =
                if kinds.is_empty() { "no kind of range" } else { "several kinds of range" };
            self.error(
                &entry.node.span,
                format!("the range of `{name}` is not clear"),
                label,
                FORMS,
            );
            return None;
        };
        let (distribution, unit) = self.distribution(kind)?;
        let n = match find(entries, "n") {
            Some(n) => Some(self.whole(n, 2, "the number of points, both ends included")?),
            None => None,
        };
        let step = match find(entries, "step") {
            Some(step) => Some((step, self.step(step, distribution, unit)?)),
            None => None,
        };
        if let (Some(_), Some((step, _))) = (n, step) {
            self.error(
                &step.node.span,
                format!("`{name}` has both `n` and `step`"),
                "one too many",
                "keep one of them",
            );
            return None;
        }
        let count = match (distribution, n, step) {
            (_, Some(n), _) => n,
            (_, _, Some((_, step))) => steps(distribution, step),
            (Distribution::Int { lo, hi }, ..) if search == Search::Grid => {
                hi.abs_diff(lo).saturating_add(1)
            }
            (..) if search != Search::Grid => {
                return Some(Points::Range { distribution, unit });
            }
            (Distribution::Normal { .. }, ..) => {
                self.error(
                    &entry.node.span,
                    format!("a grid has no points for `{name}`"),
                    "can only be drawn from",
                    "write a list of values, or use method = \"random\"",
                );
                return None;
            }
            _ => {
                self.error(
                    &entry.node.span,
                    format!("a grid needs to know which points of `{name}`"),
                    "a range to draw from",
                    "add `n = 5` for five points, or use method = \"random\"",
                );
                return None;
            }
        };
        if let (Distribution::Normal { .. }, true) = (distribution, 0 < count) {
            self.error(
                &kind.key_span,
                format!("`{name}` cannot have points: a normal distribution has no ends"),
                "can only be drawn from",
                "leave out `n` and `step`, or use `uniform`",
            );
            return None;
        }
        if MAX_POINTS < count {
            self.error(
                &entry.node.span,
                format!("the axis `{name}` has {count} points"),
                format!("at most {MAX_POINTS}"),
                "give it fewer points with `n`, or use method = \"random\"",
            );
            return None;
        }
        let step = step.map(|(_, step)| step);
        let is_rounded =
            matches!(distribution, Distribution::Int { .. } | Distribution::LogInt { .. });
        if !is_rounded || n.is_none() {
            return Some(Points::Even { distribution, unit, step, count: count as usize });
        }
        let mut rows: Vec<Row> = Vec::new();
        for index in 0..count {
            let value = unit.value(distribution.point(step, index, count));
            // Rounded whole numbers may repeat.
            if rows.last().is_none_or(|row| row.values[0] != value) {
                rows.push(Row { values: vec![value], span: entry.node.span.clone() });
            }
        }
        Some(Points::Rows(rows))
    }

    fn distribution(&mut self, kind: &Entry) -> Option<(Distribution, Unit)> {
        let key = kind.key.as_str();
        let is_whole = matches!(key, "int" | "log_int");
        let example = match key {
            "normal" => "normal = [mean, sd], such as [0.0, 1.0]".to_owned(),
            _ if is_whole => {
                format!("{key} = [low, high], such as [1, 8], or durations: [\"1ep\", \"8ep\"]")
            }
            _ => {
                format!("{key} = [low, high], such as [0.01, 1.0], or durations: [\"1%\", \"20%\"]")
            }
        };
        let ends: Option<Vec<(f64, Unit)>> = match &kind.node.kind {
            Kind::List(nodes) if nodes.len() == 2 => {
                nodes.iter().map(|node| measure(node, is_whole)).collect()
            }
            _ => None,
        };
        // A duration drawn from a normal distribution could be below zero.
        let ends =
            ends.filter(|ends| key != "normal" || ends.iter().all(|(_, unit)| *unit == Unit::None));
        if let Some(&[(_, one), (_, other)]) = ends.as_deref()
            && one != other
        {
            self.error(
                &kind.node.span,
                format!("`{key}` has ends of two units"),
                "how far apart depends on the trial",
                format!("write {example}"),
            );
            return None;
        }
        let Some(&[(lo, unit), (hi, _)]) = ends.as_deref() else {
            if is_whole && is_two_whole(&kind.node) {
                let help = "whole numbers up to 2^53 are exact: choose nearer ends, or write a list of values";
                let message = format!("`{key}` cannot have ends beyond 2^53");
                self.error(&kind.node.span, message, "too large", help);
                return None;
            }
            let what = if is_whole { "two whole numbers" } else { "two numbers" };
            self.error(
                &kind.node.span,
                format!("`{key}` takes {what}"),
                "not that",
                format!("write {example}"),
            );
            return None;
        };
        let mut fail = |label: &str, help: &str| {
            self.error(&kind.node.span, format!("`{key}` cannot have these ends"), label, help);
            None
        };
        let distribution = match key {
            "normal" if hi <= 0.0 => {
                fail("the deviation must be above zero", &format!("write {example}"))
            }
            "normal" => Some(Distribution::Normal { mean: lo, sd: hi }),
            _ if hi <= lo => fail(
                "the second must be above the first",
                "swap them, or write a list of one value",
            ),
            "log" | "log_int" if lo <= 0.0 => fail(
                "a logarithm needs ends above zero",
                "bounds are values, never exponents: write [0.001, 0.1] for 10^-3 to 10^-1",
            ),
            "log" => Some(Distribution::Log { lo, hi }),
            "uniform" => Some(Distribution::Uniform { lo, hi }),
            "int" => Some(Distribution::Int { lo: lo as i64, hi: hi as i64 }),
            _ => Some(Distribution::LogInt { lo: lo as i64, hi: hi as i64 }),
        };
        Some((distribution?, unit))
    }

    fn step(&mut self, entry: &Entry, distribution: Distribution, unit: Unit) -> Option<f64> {
        let is_whole = matches!(distribution, Distribution::Int { .. });
        if !is_whole && !matches!(distribution, Distribution::Uniform { .. }) {
            self.error(
                &entry.key_span,
                "only `uniform` and `int` have a `step`",
                "not here",
                "use `n` for so many points",
            );
            return None;
        }
        match measure(&entry.node, is_whole) {
            Some((step, of)) if 0.0 < step && of == unit => Some(step),
            _ => {
                let what =
                    if is_whole { "a whole number above zero" } else { "a number above zero" };
                let unit = if unit == Unit::None { "" } else { " in the unit of the ends" };
                self.error(
                    &entry.node.span,
                    format!("`step` must be {what}{unit}"),
                    "not that",
                    "the distance between two points",
                );
                None
            }
        }
    }
}

fn is_two_whole(node: &Node) -> bool {
    let is_whole = |node: &Node| matches!(node.kind, Kind::Scalar(Value::Int(_)));
    matches!(&node.kind, Kind::List(nodes) if nodes.len() == 2 && nodes.iter().all(is_whole))
}

fn is_schedule(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| NAMING.contains(&entry.key.as_str()))
}

fn is_list_of(nodes: &[Node], item: Item) -> bool {
    let is_list = |node: &Node| matches!(node.kind, Kind::List(_));
    let is_text = |node: &Node| matches!(node.kind, Kind::Scalar(Value::Text(_)));
    match item {
        Item::Scalar => true,
        Item::List => nodes.iter().any(is_list) || nodes.is_empty(),
        Item::Phases => {
            !nodes.is_empty() && nodes.iter().all(|node| is_list(node) || is_text(node))
        }
    }
}

fn measure(node: &Node, is_whole: bool) -> Option<(f64, Unit)> {
    let Kind::Scalar(value) = &node.kind else { return None };
    let (number, unit) = value.measure()?;
    let is_written_whole =
        matches!(value, Value::Int(_)) || (unit != Unit::None && number.fract() == 0.0);
    // Larger whole numbers are not exact.
    let is_exact = !is_written_whole || number.abs() < 2_f64.powi(53);
    (is_exact && (is_written_whole || !is_whole)).then_some((number, unit))
}

/// How many points lie a step apart, the lower end included.
fn steps(distribution: Distribution, step: f64) -> u64 {
    match distribution {
        Distribution::Uniform { lo, hi } => ((hi - lo) / step * (1.0 + 1e-9)).floor() as u64 + 1,
        Distribution::Int { lo, hi } => hi.abs_diff(lo) / step as u64 + 1,
        _ => 0,
    }
}

/// Where a value stands and what is wrong with it: place, message, remedy.
pub(super) type Wrong = (Span, String, String);
