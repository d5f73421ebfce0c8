//! A sweep file of Weights & Biases (<https://docs.wandb.ai/guides/sweeps/sweep-config-keys>).

use super::{
    ImportError, Search, Sheet, argument, name, number, quoted, renamed,
    yaml::{self, Kind, Node},
};

/// So many configurations are drawn where the file sets no end.
const SAMPLES: u64 = 50;

/// So many points of an axis are tried by a grid where the file does not say.
const POINTS: u32 = 5;

/// Reads a sweep's YAML file.
pub fn read(text: &str) -> Result<Sheet, ImportError> {
    let root = yaml::read(text)?;
    let entries = root.table("a sweep")?;
    let get = |key: &str| entries.iter().find(|(name, _)| name == key).map(|(_, node)| node);
    let mut reader = Reader::default();
    let parameters =
        get("parameters").ok_or_else(|| root.wrong("this sweep has no `parameters`"))?;
    let search = reader.search(get("method"), get("run_cap"))?;
    reader.is_grid = search == Search::Grid;
    reader.parameters(parameters, "")?;
    let (metric, goal) = reader.metric(get("metric"))?;
    let run = reader.run(get("program"), get("command"))?;
    for (key, node) in entries {
        let why = match key.as_str() {
            "method" | "metric" | "parameters" | "program" | "command" | "run_cap" | "name"
            | "description" | "project" | "entity" => continue,
            "early_terminate" => "no trial is stopped early",
            _ => "pleach knows nothing like it",
        };
        reader.note(node, &format!("`{key}`: {why}"));
    }
    reader.notes.push(
        "the program must write its metrics, as lines such as {\"step\": 10, \"loss\": 0.3}, to the file $PLEACH_METRICS".to_owned(),
    );
    let title = get("name").or(get("project")).map(|node| node.text("`name`")).transpose()?;
    Ok(Sheet {
        name: name(title.unwrap_or_default()),
        metric,
        goal,
        search,
        run,
        fixed: reader.fixed,
        axes: reader.axes,
        notes: reader.notes,
    })
}

#[derive(Default)]
struct Reader {
    is_grid: bool,
    /// As the program calls them.
    names: Vec<String>,
    fixed: Vec<(String, String)>,
    axes: Vec<(String, String)>,
    notes: Vec<String>,
}

impl Reader {
    fn note(&mut self, node: &Node, message: &str) {
        self.notes.push(format!("{message} (line {})", node.line));
    }

    fn search(
        &mut self,
        method: Option<&Node>,
        run_cap: Option<&Node>,
    ) -> Result<Search, ImportError> {
        let cap = run_cap.map(|node| match node.kind {
            Kind::Int(cap @ 1..) => Ok(cap as u64),
            _ => Err(node.wrong("`run_cap` must be a whole number, at least 1")),
        });
        let cap = cap.transpose()?;
        let Some(method) = method else { return Ok(self.random(cap)) };
        match method.text("`method`")? {
            "grid" => {
                if let Some(node) = run_cap {
                    self.note(node, "`run_cap`: a grid is tried as a whole");
                }
                Ok(Search::Grid)
            }
            "random" => Ok(self.random(cap)),
            "bayes" => {
                self.note(method, "`bayes`: points are drawn at random instead");
                Ok(self.random(cap))
            }
            other => Err(method.wrong(format!("there is no method `{other}`"))),
        }
    }

    fn random(&mut self, cap: Option<u64>) -> Search {
        let samples = cap.unwrap_or_else(|| {
            self.notes.push(format!("no `run_cap`: {SAMPLES} configurations are a guess"));
            SAMPLES
        });
        Search::Random { samples }
    }

    fn metric(&mut self, node: Option<&Node>) -> Result<(String, &'static str), ImportError> {
        let (mut metric, mut goal) = (None, "min");
        if let Some(node) = node {
            for (key, value) in node.table("`metric`")? {
                match key.as_str() {
                    "name" => metric = Some(value.text("the metric's name")?.to_owned()),
                    "goal" => {
                        goal = match value.text("the goal")? {
                            "minimize" => "min",
                            "maximize" => "max",
                            other => return Err(value.wrong(format!("there is no goal `{other}`"))),
                        }
                    }
                    other => self.note(value, &format!("`metric.{other}`: nothing ends early")),
                }
            }
        }
        let metric = metric.unwrap_or_else(|| {
            self.notes.push("no `metric`: the objective is a guess".to_owned());
            "loss".to_owned()
        });
        Ok((metric, goal))
    }

    fn run(
        &mut self,
        program: Option<&Node>,
        command: Option<&Node>,
    ) -> Result<Vec<String>, ImportError> {
        let program = program.map(|node| node.text("`program`")).transpose()?;
        if program.is_none() && command.is_none() {
            self.notes.push("no `program`: train.py is a guess".to_owned());
        }
        let program = program.unwrap_or("train.py");
        let Some(command) = command else {
            let start = ["python".to_owned(), program.to_owned()];
            return Ok(start
                .into_iter()
                .chain(self.names.iter().map(|name| argument(name)))
                .collect());
        };
        let mut run = Vec::new();
        for node in command.list("`command`")? {
            let word = match &node.kind {
                Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => node.what(),
                _ => node.text("a word of `command`")?.to_owned(),
            };
            let names = self.names.clone();
            let names = names.iter();
            match word.as_str() {
                // It only looks the next word up.
                "${env}" => {}
                "${interpreter}" => run.push("python".to_owned()),
                "${program}" => run.push(program.to_owned()),
                "${args}" => run.extend(names.map(|name| argument(name))),
                "${args_no_hyphens}" => {
                    run.extend(names.map(|name| argument(name).trim_start_matches('-').to_owned()));
                }
                "${args_no_boolean_flags}" => {
                    run.extend(names.map(|name| argument(name)));
                    self.note(node, "`${args_no_boolean_flags}`: true and false are written out");
                }
                "${args_json_file}" => run.push("{{ PLEACH_PARAMETERS }}".to_owned()),
                other if other.contains("${") => {
                    self.note(node, &format!("`{other}` of `command` is left out"));
                }
                other => run.push(other.replace("{{", "{ {")),
            }
        }
        if run.is_empty() {
            return Err(command.wrong("`command` has nothing to run"));
        }
        Ok(run)
    }

    fn parameters(&mut self, node: &Node, prefix: &str) -> Result<(), ImportError> {
        for (name, node) in node.table("`parameters`")? {
            let name = format!("{prefix}{name}");
            if name.contains(['{', '}']) || name.trim() != name || name.is_empty() {
                return Err(node.wrong(format!("`{name:.40}` cannot be a parameter's name")));
            }
            let entries = node.table(&format!("the parameter `{name:.40}`"))?;
            let get = |key: &str| entries.iter().find(|(name, _)| name == key).map(|it| &it.1);
            if let Some(inner) = get("parameters") {
                self.note(inner, &format!("`{name}`: what is nested in it has a dot in its name"));
                self.parameters(inner, &format!("{name}."))?;
            } else {
                self.parameter(&name, node, &Keys(entries))?;
            }
        }
        Ok(())
    }

    fn parameter(&mut self, name: &str, node: &Node, keys: &Keys) -> Result<(), ImportError> {
        let here = renamed(name);
        if here != name {
            self.note(node, &format!("`{name}` is a word of sweep files: it is called `{here}`"));
        }
        if self.names.iter().any(|other| renamed(other) == here) {
            return Err(node.wrong(format!("`{name:.40}` is there twice")));
        }
        if let Some(value) = keys.get("value") {
            let Some(text) = scalar(value) else {
                self.note(value, &format!("`{name}`: it cannot be {}; left out", value.what()));
                return Ok(());
            };
            self.fixed.push((here, text));
        } else {
            let Some(axis) = self.axis(name, node, keys)? else { return Ok(()) };
            self.axes.push((here, axis));
        }
        let values = keys.get("values").and_then(|node| node.list("").ok()).unwrap_or_default();
        let is_bool = |node: &Node| matches!(node.kind, Kind::Bool(_));
        if values.iter().chain(keys.get("value")).any(is_bool) {
            self.note(
                node,
                &format!("`{name}`: the program is told true or false, not True or False"),
            );
        }
        self.names.push(name.to_owned());
        Ok(())
    }

    /// `None` if nothing is left of it.
    fn axis(
        &mut self,
        name: &str,
        node: &Node,
        keys: &Keys,
    ) -> Result<Option<String>, ImportError> {
        if let Some(values) = keys.get("values") {
            if let Some(odds) = keys.get("probabilities") {
                self.note(odds, &format!("`{name}`: its values are equally likely"));
            }
            let mut texts = Vec::new();
            for value in values.list(&format!("the values of `{name:.40}`"))? {
                match scalar(value) {
                    Some(text) => texts.push(text),
                    None => self.note(value, &format!("`{name}`: left out {}", value.what())),
                }
            }
            return Ok((!texts.is_empty()).then(|| format!("[{}]", texts.join(", "))));
        }
        let distribution = match keys.get("distribution") {
            Some(node) => node.text("`distribution`")?,
            None if keys.are_whole() => "int_uniform",
            None => "uniform",
        };
        if matches!(
            distribution,
            "normal" | "q_normal" | "log_normal" | "q_log_normal" | "beta" | "q_beta"
        ) {
            return self.unbounded(name, node, keys, distribution).map(Some);
        }
        let (low, high) = (keys.number(node, "min")?, keys.number(node, "max")?);
        if high <= low {
            return Err(node.wrong(format!("`{name:.40}`: `min` must be below `max`")));
        }
        let is_exponent = distribution.ends_with("log_uniform");
        let end = |value: f64| if is_exponent { value.exp() } else { value };
        Ok(Some(match distribution {
            "int_uniform" if keys.are_whole() => {
                let step = if self.is_grid { ", step = 1" } else { "" };
                format!("{{ int = [{low:.0}, {high:.0}]{step} }}")
            }
            "int_uniform" => return Err(node.wrong(format!("`{name:.40}` must have whole ends"))),
            "uniform" => self.range(name, node, "uniform", low, high),
            "q_uniform" => self.steps(name, node, keys, low, high)?,
            "log_uniform_values" | "log_uniform" | "inv_log_uniform_values" => {
                self.range(name, node, "log", end(low), end(high))
            }
            "inv_log_uniform" => self.range(name, node, "log", end(-high), end(-low)),
            "q_log_uniform" | "q_log_uniform_values" => {
                let (low, high) = (end(low), end(high));
                let is_whole =
                    matches!(keys.get("q").map(|it| &it.kind), None | Some(Kind::Int(_)));
                if !matches!(keys.get("q").map(|it| &it.kind), None | Some(Kind::Int(1))) {
                    self.note(node, &format!("`{name}`: it is not rounded to multiples of `q`"));
                }
                if is_whole && 0.5 <= low {
                    let points = self.points(name, node);
                    format!("{{ log_int = [{low:.0}, {high:.0}]{points} }}")
                } else {
                    self.range(name, node, "log", low, high)
                }
            }
            other => return Err(node.wrong(format!("there is no distribution `{other:.40}`"))),
        }))
    }

    /// Multiples of `q`: whole ones if it is whole. A grid of W&B's stops before `max`.
    fn steps(
        &mut self,
        name: &str,
        node: &Node,
        keys: &Keys,
        low: f64,
        high: f64,
    ) -> Result<String, ImportError> {
        let step = keys.get("q").map(|node| node.number("`q`")).transpose()?.unwrap_or(1.0);
        if step <= 0.0 {
            return Err(node.wrong(format!("`{name:.40}`: `q` must be above 0")));
        }
        let last = ((high - low) / step).ceil() - 1.0;
        let high = if self.is_grid { low + step * last } else { high };
        if !self.is_grid && low % step != 0.0 {
            self.note(node, &format!("`{name}`: its steps begin at `min`"));
        }
        let is_whole = matches!(keys.get("q").map(|it| &it.kind), None | Some(Kind::Int(_)));
        let is_whole = is_whole && keys.are_whole();
        let text = |value: f64| if is_whole { format!("{value:.0}") } else { number(value) };
        let [low, high, step] = [low, high, step].map(text);
        if low == high {
            return Ok(format!("[{low}]"));
        }
        let kind = if is_whole { "int" } else { "uniform" };
        Ok(format!("{{ {kind} = [{low}, {high}], step = {step} }}"))
    }

    fn unbounded(
        &mut self,
        name: &str,
        node: &Node,
        keys: &Keys,
        distribution: &str,
    ) -> Result<String, ImportError> {
        if distribution.ends_with("beta") {
            self.note(node, &format!("`{name}`: `{distribution}` is uniform from 0 to 1 here"));
            return Ok(self.range(name, node, "uniform", 0.0, 1.0));
        }
        let given = |key: &str, default: f64| match keys.get(key) {
            Some(node) => node.number(&format!("`{key}`")),
            None => Ok(default),
        };
        let (mean, sd) = (given("mu", 0.0)?, given("sigma", 1.0)?);
        if sd <= 0.0 {
            return Err(node.wrong(format!("`{name:.40}`: `sigma` must be above 0")));
        }
        if distribution.contains("log") {
            self.note(
                node,
                &format!("`{name}`: `{distribution}` is log-uniform over two deviations here"),
            );
            let (low, high) = ((mean - 2.0 * sd).exp(), (mean + 2.0 * sd).exp());
            return Ok(self.range(name, node, "log", low, high));
        }
        if distribution != "normal" {
            self.note(node, &format!("`{name}`: it is not rounded to multiples of `q`"));
        }
        let points = self.points(name, node);
        Ok(format!("{{ normal = [{}, {}]{points} }}", number(mean), number(sd)))
    }

    fn range(&mut self, name: &str, node: &Node, kind: &str, low: f64, high: f64) -> String {
        let points = self.points(name, node);
        format!("{{ {kind} = [{}, {}]{points} }}", number(low), number(high))
    }

    /// A grid needs to know how many.
    fn points(&mut self, name: &str, node: &Node) -> String {
        if !self.is_grid {
            return String::new();
        }
        self.note(node, &format!("`{name}`: a grid of {POINTS} points is a guess"));
        format!(", n = {POINTS}")
    }
}

/// What is said of one parameter.
struct Keys<'a>(&'a [(String, Node)]);

impl Keys<'_> {
    fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn number(&self, place: &Node, key: &str) -> Result<f64, ImportError> {
        let node = self.get(key).ok_or_else(|| {
            place.wrong(format!(
                "a parameter needs `value`, `values`, or `min` and `max`: there is no `{key}`"
            ))
        })?;
        node.number(&format!("`{key}`"))
    }

    fn are_whole(&self) -> bool {
        ["min", "max"]
            .iter()
            .all(|key| matches!(self.get(key).map(|it| &it.kind), Some(Kind::Int(_))))
    }
}

/// A value in TOML; `None` if a parameter cannot have it.
fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Int(value) => Some(value.to_string()),
        Kind::Float(value) => value.is_finite().then(|| number(*value)),
        Kind::Text(text) => Some(quoted(text)),
        Kind::Null | Kind::List(_) | Kind::Table(_) => None,
    }
}
