//! The schedule parts of a sweep file: phases as tables become their one-line spelling, and each key of a branch is known
//! to be an argument of the branch's preset, or a parameter of the worker program.

use pleach_schedule::{
    library::{LIBRARIES, instead, is_module},
    preset::{self, ArgumentInfo, Expected, PRESETS, PresetInfo},
    schedule::Schedule,
};

use crate::{
    diagnostic::{nearest, suggest},
    spec::{
        axis::{Item, Wrong},
        node::{Entry, Kind, Node},
        reader::{Reader, find},
    },
    value::Value,
};

/// The keys of a branch that say which preset it is, instead of its name.
pub(super) const NAMING: [&str; 3] = ["use", "phases", "table"];

/// More spellings of one list of phases than a person wants.
const MAX_SPELLINGS: usize = 10_000;

/// The preset that a table stands for; `branch` is its name, absent for `[trainer.schedule]`. `None` after a mistake.
impl Reader {
    pub(super) fn preset(
        &mut self,
        entry: &Entry,
        entries: &[Entry],
        branch: Option<&str>,
    ) -> Option<&'static PresetInfo> {
        let naming: Vec<&Entry> = NAMING.iter().filter_map(|key| find(entries, key)).collect();
        let (name, span) = match (&naming[..], branch) {
            ([], Some(branch)) => (branch.to_owned(), &entry.key_span),
            ([], None) => {
                self.error(
                    &entry.key_span,
                    "this schedule has no name",
                    "which one?",
                    format!("write use = \"cosine\"; one of {}", preset_names().join(", ")),
                );
                return None;
            }
            ([one], _) if one.key == "use" => {
                (self.text(one, "the name of a schedule")?, &one.node.span)
            }
            ([one], _) => (one.key.clone(), &one.key_span),
            ([_, second, ..], _) => {
                self.error(
                    &second.key_span,
                    "`use`, `phases` and `table` exclude each other",
                    "one too many",
                    "keep one of them",
                );
                return None;
            }
        };
        match &preset::named(&name)[..] {
            [one] => return Some(one),
            [] => {
                let (message, help) = match instead(&name) {
                    Some(remedy) => {
                        (format!("`{name}` is no single schedule here"), remedy.to_owned())
                    }
                    None => (format!("there is no schedule `{name}`"), meant(&name)),
                };
                self.error(span, message, "unknown", help);
            }
            several => {
                let uses = several.iter().map(|info| format!("use = \"{}\"", info.name));
                let help = format!("write {}", uses.collect::<Vec<_>>().join(" or "));
                self.error(span, format!("several schedules are called `{name}`"), "which?", help);
            }
        }
        None
    }
}

/// The branches of a choice of schedules, where `[space.schedule.torch.StepLR]` is one called `torch.StepLR`.
pub(super) fn branches(entries: &[Entry]) -> Vec<Entry> {
    let spread = |entry: &Entry| match entry.node.table() {
        Some(inner) if is_path(&entry.key, inner) => {
            let named = inner.iter().map(|inner| Entry {
                key: format!("{}.{}", entry.key, inner.key),
                ..inner.clone()
            });
            branches(&named.collect::<Vec<_>>())
        }
        _ => vec![entry.clone()],
    };
    entries.iter().flat_map(spread).collect()
}

/// Whether a name is that of a library's modules, and what it holds are further names.
fn is_path(name: &str, entries: &[Entry]) -> bool {
    let is_named = entries.iter().any(|entry| NAMING.contains(&entry.key.as_str()));
    let are_tables = entries.iter().all(|entry| entry.node.table().is_some());
    name.split('.').all(is_module)
        && !entries.is_empty()
        && are_tables
        && !is_named
        && preset::named(name).is_empty()
}

fn preset_names() -> Vec<&'static str> {
    PRESETS.iter().map(|info| info.name).filter(|name| !NAMING.contains(name)).collect()
}

/// What to write for a name that is unknown: the nearest one, in the library that it names or in all, or where to look.
fn meant(name: &str) -> String {
    fn bare(name: &str) -> &str {
        name.rsplit_once('.').map_or(name, |(_, bare)| bare)
    }
    let library = name.split_once('.').and_then(|(library, _)| {
        LIBRARIES.iter().find(|other| other.name.eq_ignore_ascii_case(library))
    });
    if let Some(library) = library {
        let names = || library.classes.iter().map(|class| class.info.name);
        let is_meant = |other: &&str| Some(bare(other)) == nearest(bare(name), names().map(bare));
        return match names().find(is_meant) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("{} has {}", library.title, names().collect::<Vec<_>>().join(", ")),
        };
    }
    let same = preset::names().find(|other| bare(other).eq_ignore_ascii_case(name));
    if let Some(meant) = same.or_else(|| nearest(name, preset::names())) {
        return format!("did you mean `{meant}`?");
    }
    let libraries: Vec<&str> = LIBRARIES.iter().map(|library| library.name).collect();
    format!(
        "a branch is named after its schedule, or says `use`, `phases` or `table`; schedules are {}, and those of libraries, such as `torch.StepLR`: {}",
        preset_names().join(", "),
        libraries.join(", ")
    )
}

/// What to say of an argument that a preset does not have; `None` if it has.
pub(crate) fn unknown_argument(preset: &PresetInfo, name: &str) -> Option<(String, String)> {
    if name == "peak" || preset.knows(name) {
        return None;
    }
    let names = || preset.all_arguments().map(|info| info.name).collect::<Vec<_>>();
    let help = preset.instead_of(name).unwrap_or_else(|| suggest(name, names()));
    Some((format!("`{}` has no argument `{name}`", preset.name), help))
}

/// The argument of that name.
pub(super) fn argument(preset: &PresetInfo, name: &str) -> Option<&'static ArgumentInfo> {
    preset.all_arguments().find(|info| info.name == name)
}

/// What one point of an axis of that name is.
pub(super) fn item(preset: Option<&PresetInfo>, name: &str) -> Item {
    match preset.and_then(|preset| argument(preset, name)).map(|info| info.expected) {
        Some(Expected::Durations | Expected::Numbers | Expected::Times) => Item::List,
        Some(Expected::Phases) => Item::Phases,
        _ => Item::Scalar,
    }
}

/// Every spelling of a list of phase tables, or of a text: a list inside a phase (`for = ["10%", "20%"]`) is swept.
pub(super) fn spellings(node: &Node) -> Result<Vec<String>, Wrong> {
    let texts = match &node.kind {
        Kind::Scalar(Value::Text(text)) => vec![text.clone()],
        Kind::List(nodes) if !nodes.is_empty() => list(nodes)?,
        _ => {
            let message = format!("phases are a text or a list of tables, this is {}", node.what());
            return Err(wrong(
                node,
                &message,
                "write [{ from = 0, to = 1, for = \"5%\" }, { to = 0, shape = \"cosine\" }], or \"0 > 1 5%, > 0 cosine\"",
            ));
        }
    };
    for text in &texts {
        if let Err(error) = format!("1: {text}").parse::<Schedule>() {
            return Err(wrong(node, &error.to_string(), &format!("in one line, this is `{text}`")));
        }
    }
    Ok(texts)
}

fn wrong(node: &Node, message: &str, help: &str) -> Wrong {
    (node.span.clone(), message.to_owned(), help.to_owned())
}

fn list(nodes: &[Node]) -> Result<Vec<String>, Wrong> {
    let mut texts = vec![String::new()];
    for node in nodes {
        let phases = phase(node)?;
        if MAX_SPELLINGS < texts.len() * phases.len() {
            return Err(wrong(
                node,
                "these phases can be spelled in too many ways",
                "sweep fewer of their keys",
            ));
        }
        let joined = |start: &String, phase: &String| {
            if start.is_empty() { phase.clone() } else { format!("{start}, {phase}") }
        };
        texts = texts
            .iter()
            .flat_map(|start| phases.iter().map(move |phase| joined(start, phase)))
            .collect();
    }
    Ok(texts)
}

/// Every spelling of one phase.
fn phase(node: &Node) -> Result<Vec<String>, Wrong> {
    const KEYS: [&str; 8] = ["for", "from", "to", "shape", "law", "skip", "cycle", "table"];
    let Some(entries) = node.table() else {
        return Err(wrong(
            node,
            &format!("a phase is a table, this is {}", node.what()),
            "write { to = 0, for = \"20%\", shape = \"cosine\" }",
        ));
    };
    let mut variants: Vec<Vec<(&str, String)>> = vec![Vec::new()];
    for entry in entries {
        let values = values(entry)?;
        variants = variants
            .iter()
            .flat_map(|variant| {
                values.iter().map(|value| {
                    let mut variant = variant.clone();
                    variant.push((entry.key.as_str(), value.clone()));
                    variant
                })
            })
            .collect();
    }
    let text = |variant: &Vec<(&str, String)>| {
        let get = |key: &str| {
            variant.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
        };
        let arguments: Vec<String> = variant
            .iter()
            .filter(|(key, _)| !KEYS.contains(key) && *key != "stairs")
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let called = |name: &str| {
            if arguments.is_empty() {
                name.to_owned()
            } else {
                format!("{name}({})", arguments.join(","))
            }
        };
        let body = match (get("shape"), get("law"), get("cycle"), get("table")) {
            (_, Some("power"), ..) => called("inverse"),
            (_, Some("exp"), ..) => {
                called(if get("stairs") == Some("true") { "stairs" } else { "decay" })
            }
            (_, Some(law), ..) => called(law),
            (_, _, Some(cycle), _) => cycle.to_owned(),
            (.., Some(table)) => format!(
                "table({})",
                [&[format!("values={table}")], &arguments[..]].concat().join(",")
            ),
            (Some(shape), ..) => called(shape),
            _ if get("to").is_some() => called("linear"),
            _ => called("hold"),
        };
        let mut words: Vec<String> = Vec::new();
        words.extend(get("from").map(str::to_owned));
        words.extend(get("to").map(|to| format!("> {to}")));
        words.push(body);
        words.extend(get("for").map(|length| format!("for {length}")));
        words.extend(get("skip").map(|skip| format!("skip {skip}")));
        words.join(" ")
    };
    Ok(variants.iter().map(text).collect())
}

/// What a phase's key can have.
fn values(entry: &Entry) -> Result<Vec<String>, Wrong> {
    let scalar = |node: &Node| match &node.kind {
        Kind::Scalar(value) => Ok(value.to_string()),
        _ => Err(wrong(
            node,
            &format!("`{}` cannot be {}", entry.key, node.what()),
            "write a number or a text",
        )),
    };
    match (&entry.node.kind, entry.key.as_str()) {
        (Kind::Table(entries), "cycle") => {
            let mut arguments = Vec::new();
            for entry in entries.iter().filter(|entry| entry.key != "body") {
                arguments.push(format!("{}={}", entry.key, scalar(&entry.node)?));
            }
            let bodies = match find(entries, "body").map(|body| &body.node.kind) {
                Some(Kind::List(nodes)) => list(nodes)?,
                _ => {
                    return Err(wrong(
                        &entry.node,
                        "a cycle needs its `body`",
                        "write cycle = { len = \"10%\", body = [{ to = 0, shape = \"cosine\" }] }",
                    ));
                }
            };
            Ok(bodies
                .into_iter()
                .map(|body| format!("cycle({}) {{ {body} }}", arguments.join(",")))
                .collect())
        }
        (Kind::List(nodes), "at" | "table" | "values") => {
            let texts = nodes.iter().map(scalar).collect::<Result<Vec<_>, _>>()?;
            Ok(vec![format!("[{}]", texts.join(" "))])
        }
        (Kind::List(nodes), _) if !nodes.is_empty() => nodes.iter().map(scalar).collect(),
        _ => Ok(vec![scalar(&entry.node)?]),
    }
}
