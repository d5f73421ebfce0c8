//! A sweep file of Weights & Biases (<https://docs.wandb.ai/models/sweeps/sweep-config-keys>; its checks are those of
//! `schema.json` in W&B's package `sweeps` 0.3.0).
//!
//! Reading order: this file (the sweep), `parameter` (one parameter as an axis), `command` (how the program is run).

mod command;
mod parameter;

use pleach_core::{diagnostic::nearest, plan::MAX_CONFIGURATIONS};

use super::{
    ImportError, Name, Note, Search, Sheet, name, names, texts, word,
    yaml::{self, Entry, File, Kind, Node},
};

/// So many configurations are drawn where the file sets no end.
const SAMPLES: u64 = 50;

/// What a sweep can say at its top.
const KEYS: [&str; 16] = [
    "method",
    "metric",
    "parameters",
    "program",
    "command",
    "run_cap",
    "name",
    "description",
    "project",
    "entity",
    "early_terminate",
    "controller",
    "scheduler",
    "settings",
    "job",
    "image_uri",
];

/// Reads a sweep's YAML file.
pub fn read(text: &str) -> Result<Sheet, ImportError> {
    let File { root, remarks } = yaml::read(text)?;
    if root.kind == Kind::Null {
        return Err(root.wrong("the file is empty"));
    }
    let entries = root.table("a sweep")?;
    let get = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node);
    let Some(parameters) = get("parameters") else {
        let given = entries.iter().map(|entry| entry.key.as_str());
        let instead = nearest("parameters", given);
        let instead = instead.map(|key| format!(", but `{key}`")).unwrap_or_default();
        return Err(root.wrong(format!("this sweep has no `parameters`{instead}")));
    };
    let mut reader = Reader { notes: remarks, ..Reader::default() };
    let search = reader.search(&root, get("method"), get("run_cap"))?;
    reader.is_grid = search == Search::Grid;
    reader.parameters(parameters)?;
    let (metric, goal) = reader.metric(&root, get("metric"))?;
    let run = reader.run(&root, get("program"), get("command"))?;
    let title = reader.title(get("name").or(get("project")));
    for entry in entries {
        reader.other(entry, get("name").is_some());
    }
    reader.note(
        root.line,
        "the program must write its metrics, as lines such as {\"step\": 10, \"loss\": 0.3}, to the file $PLEACH_METRICS",
    );
    Ok(Sheet {
        name: title,
        metric,
        goal,
        search,
        run,
        fixed: reader.fixed,
        axes: reader.axes,
        notes: texts(reader.notes),
    })
}

#[derive(Default)]
struct Reader {
    is_grid: bool,
    names: Vec<Name>,
    /// Of the parameters that are true or false, by their names here: the value, if it is fixed.
    flags: Vec<(String, Option<bool>)>,
    fixed: Vec<(String, String)>,
    axes: Vec<(String, String)>,
    notes: Vec<Note>,
}

impl Reader {
    fn note(&mut self, line: u64, message: impl Into<String>) {
        self.notes.push(Note { line: Some(line), message: message.into() });
    }

    /// Says that a key is not known, and which one was meant.
    fn unknown(&mut self, entry: &Entry, what: &str, known: &[&str]) {
        let instead = nearest(&entry.key, known.iter().copied());
        let instead = instead.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
        let key = word(&entry.key);
        self.note(entry.line, format!("{what} has no key `{key}`: it is left out{instead}"));
    }

    /// What else a sweep says.
    fn other(&mut self, entry: &Entry, has_name: bool) {
        let Entry { key, line, node } = entry;
        let why = match key.as_str() {
            "method" | "metric" | "parameters" | "program" | "command" | "run_cap" | "name" => {
                return;
            }
            "project" if !has_name => return,
            "description" => return self.note(*line, format!("`description`: {}", node.what())),
            "early_terminate" => "no trial is stopped early",
            known if KEYS.contains(&known) => "pleach knows nothing like it",
            _ => return self.unknown(entry, "a sweep", &KEYS),
        };
        self.note(*line, format!("`{key}`: {why}"));
    }

    fn title(&mut self, given: Option<&Node>) -> String {
        let Some(node) = given else { return name("") };
        let text = match &node.kind {
            Kind::Text(text) => text.clone(),
            _ => node.what(),
        };
        let title = name(&text);
        if title != text {
            self.note(node.line, format!("the sweep `{}` is called `{title}` here", word(&text)));
        }
        title
    }

    fn search(
        &mut self,
        root: &Node,
        method: Option<&Node>,
        run_cap: Option<&Node>,
    ) -> Result<Search, ImportError> {
        let cap = run_cap.map(|node| match node.kind {
            Kind::Int(cap @ 1..) => Ok(cap as u64),
            _ => Err(node.wrong("`run_cap` must be a whole number, at least 1")),
        });
        let cap = cap.transpose()?;
        let Some(method) = method else {
            self.note(root.line, "no `method`: points are drawn at random");
            return Ok(self.random(root, cap));
        };
        match method.text("`method`")? {
            "grid" => {
                if let Some(node) = run_cap {
                    self.note(node.line, "`run_cap`: a grid is tried as a whole");
                }
                Ok(Search::Grid)
            }
            "random" => Ok(self.random(method, cap)),
            other @ ("bayes" | "custom") => {
                self.note(method.line, format!("`{other}`: points are drawn at random instead"));
                Ok(self.random(method, cap))
            }
            other => Err(method.wrong(format!("there is no method `{}`", word(other)))),
        }
    }

    fn random(&mut self, place: &Node, cap: Option<u64>) -> Search {
        const MOST: u64 = MAX_CONFIGURATIONS as u64;
        if cap.is_some_and(|cap| MOST < cap) {
            self.note(place.line, format!("`run_cap`: a sweep has at most {MOST} configurations"));
        }
        let samples = cap.unwrap_or_else(|| {
            self.note(place.line, format!("no `run_cap`: {SAMPLES} configurations are a guess"));
            SAMPLES
        });
        Search::Random { samples: samples.min(MOST) }
    }

    fn metric(
        &mut self,
        root: &Node,
        node: Option<&Node>,
    ) -> Result<(String, &'static str), ImportError> {
        const KEYS: [&str; 5] = ["name", "goal", "target", "impute", "impute_while_running"];
        let (mut metric, mut goal) = (None, "min");
        let entries = node.map(|node| node.table("`metric`")).transpose()?.unwrap_or_default();
        for entry in entries {
            let Entry { key, line, node } = entry;
            match key.as_str() {
                "name" => metric = Some(node.text("the metric's name")?.to_owned()),
                "goal" => {
                    goal = match node.text("the goal")? {
                        "minimize" => "min",
                        "maximize" => "max",
                        other => {
                            return Err(node.wrong(format!("there is no goal `{}`", word(other))));
                        }
                    }
                }
                "target" => self.note(*line, "`metric.target`: nothing ends early"),
                known if KEYS.contains(&known) => {
                    self.note(
                        *line,
                        format!("`metric.{known}`: a run that fails has no value here"),
                    );
                }
                _ => self.unknown(entry, "`metric`", &KEYS),
            }
        }
        let metric = metric.unwrap_or_else(|| {
            let line = node.unwrap_or(root).line;
            self.note(line, "no `metric` with a `name`: the objective `loss` is a guess");
            "loss".to_owned()
        });
        Ok((metric, goal))
    }
}
