//! The text of the page.

use std::fmt::Write;

use pleach_schedule::{
    library::{self, Class, LIBRARIES, Library},
    preset::{ArgumentInfo, COMMON, PresetInfo, find},
    schedule::Schedule,
    snippet::{Framework, Optimizer, snippet},
};

use crate::{
    HORIZON,
    presets::{ENTRIES, Entry},
};

const INTRODUCTION: &str = "\
# Learning-rate schedules

Made by `UPDATE=1 cargo test -p pleach-schedule --test page`; a test compares it with the program.

A schedule is a value: the rate of an update is a pure function of the update's index t, which counts from 0.

```
eta(t) = peak * F(hold * floor(t / hold) + offset * hold)
```

F is a list of phases, and its values are multiples of the peak. A length is a share of the budget (`\"10%\"`), epochs
(`\"5ep\"`) or optimizer steps (`\"300st\"`). A schedule goes on with its last value after its end. In a sweep file it is a
branch, in which every argument may be a list of values to try:

```toml
[space.schedule.cosine]
warmup = [\"0%\", \"5%\"]
end    = 0.01
```

`pleach schedule cosine '{ use = \"torch.StepLR\", step_size = 300, peak = 0.1 }' '0.1: 0 > 1 5%, hold, > 0 20% 1-sqrt'` draws any
of them over each other; `--csv`, `--table`, `--svg` and `--snippet` give the values, a picture, and code for other libraries.

";

const CODE_HEAD: &str = "\
## Code for other libraries

`pleach schedule SCHEDULE --steps N --snippet FRAMEWORK` writes code for PyTorch, Keras, optax and Candle that follows a schedule,
and `pleach export SWEEP --best --to FOLDER` writes it for the winner of a sweep: in the library's own words where it has exactly
that schedule, otherwise as a small function, and where that would not be small, as a table that is read from a file.
[`scripts/goldens/snippets`](../scripts/goldens/snippets) runs all four in their libraries and compares every step's rate: they
differ by less than 1e-12 of the peak (PyTorch, Candle) or 1e-5 (Keras and optax, which compute in 32 bits).

";

const LIBRARIES_HEAD: &str = "\
## The schedules of other libraries

By their own names and the names of their arguments: `{ use = \"torch.OneCycleLR\", max_lr = 0.3, total_steps = \"100%\" }`. Whole
numbers count optimizer steps, or epochs with `per = \"1ep\"`, which also holds the rate for an epoch; a duration such as `\"30%\"`
may stand for any of them. The rate is the argument that the library has for it, or else `peak`. Where we differ on purpose,
`compat = true` asks for the library's own numbers, as far as there are any; it also ends a schedule that is longer than the
trial where the trial ends, which is an error otherwise. Arguments without a default stand alone.

A library's own longer names mean the same wherever only one schedule has that name: `[space.schedule.CosineAnnealingLR]`,
`use = \"torch.optim.lr_scheduler.OneCycleLR\"`, `tf.keras.optimizers.schedules.ExponentialDecay`, `optax.schedules.sgdr_schedule`,
`transformers.get_cosine_schedule_with_warmup`, and the values of Hugging Face's `lr_scheduler_type` (`hf.cosine`). Arguments that
a class has there and that have no effect on the rates (`optimizer`, `last_epoch = -1`, `verbose`, `name`) are accepted; those that
have one and cannot be done here are refused by name. Momentum moves beside the rate with `cycle_momentum = true`, `base_momentum` or
`max_momentum` (`torch.OneCycleLR`, `torch.CyclicLR`) and with `moms` (`fastai.fit_one_cycle`); beta1 does for Adam.

`pleach schedule` takes a call as it stands in a program or its documentation, over several lines and with what stands before it:

```
pleach schedule 'scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=100)'
```

Every rate is compared with the library's own: [how near they are](parity.md).

";

pub(crate) fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for Entry { name, .. } in ENTRIES {
        writeln!(page, "[![{name}](schedules/{name}.svg)](#{name})").unwrap();
    }
    page.push_str("\n## Presets\n\nIn the formulas t counts steps from the start of the body, which is the end of the warm-up, and u is the share of the\nbody that is over.\n\nEvery preset takes:\n\n");
    page.push_str(&arguments(COMMON));
    for entry in ENTRIES {
        page.push_str(&preset(entry));
    }
    page.push_str(CODE_HEAD);
    for (framework, line) in [
        (Framework::PyTorch, "0.1: > 0 cosine"),
        (Framework::Optax, "0.1: 0 > 1 5%, > 0 cosine"),
        (Framework::Candle, "0.1: 0 > 1 5%, hold, > 0 20% 1-sqrt"),
    ] {
        page.push_str(&code(framework, line));
    }
    page.push_str(LIBRARIES_HEAD);
    page.push_str("All of them take:\n\n");
    page.push_str(&arguments(library::COMMON));
    for library in LIBRARIES {
        page.push_str(&other(library));
    }
    page.trim_end().to_owned() + "\n"
}

fn preset(entry: &Entry) -> String {
    let Entry { name, formula, source, elsewhere, drawn_with } = entry;
    let info = find(name).unwrap();
    let mut text =
        format!("### {name}\n\n![{name}](schedules/{name}.svg)\n\n{}.\n\n", sentence(info.doc));
    writeln!(text, "- Value: {}", escaped(formula)).unwrap();
    writeln!(text, "- In one line: `{}`", entry.schedule()).unwrap();
    if !drawn_with.is_empty() {
        let pairs = drawn_with.iter().map(|(name, value)| match *name {
            "table" => format!("`{name} = [{value}]`"),
            _ => format!("`{name} = \"{value}\"`"),
        });
        writeln!(text, "- Drawn with {}", pairs.collect::<Vec<_>>().join(", ")).unwrap();
    }
    if !source.is_empty() {
        writeln!(text, "- Source: {source}").unwrap();
    }
    let names: Vec<String> = elsewhere.iter().map(|name| format!("`{name}`")).collect();
    writeln!(text, "- Elsewhere: {}\n", names.join(", ")).unwrap();
    text + &arguments(info.arguments)
}

/// What is written for a schedule.
fn code(framework: Framework, line: &str) -> String {
    let schedule: Schedule = line.parse().unwrap();
    let resolved = schedule.resolve(HORIZON).unwrap();
    let code = snippet(&resolved, None, HORIZON.steps, (framework, Optimizer::Sgd));
    let language = if framework.extension() == "rs" { "rust" } else { "python" };
    let name = framework.name();
    format!("`pleach schedule '{line}' --snippet {name}`:\n\n```{language}\n{code}```\n\n")
}

fn arguments(arguments: &[ArgumentInfo]) -> String {
    if arguments.is_empty() {
        return String::new();
    }
    let mut text = String::from("| argument | default | |\n| --- | --- | --- |\n");
    for ArgumentInfo { name, default, doc, .. } in arguments {
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        writeln!(text, "| `{name}` | {default} | {} |", escaped(doc)).unwrap();
    }
    text.push('\n');
    text
}

fn other(library: &Library) -> String {
    let Library { title, version, classes, elsewhere, .. } = library;
    let mut text = format!("### {}\n\n", format!("{title} {version}").trim());
    text.push_str("| `use` | arguments | what it is, and how we differ |\n| --- | --- | --- |\n");
    for Class { info, differs, .. } in *classes {
        let PresetInfo { name, doc, arguments } = info;
        let arguments = arguments.iter().map(|ArgumentInfo { name, default, .. }| match *default {
            "" => format!("`{name}`"),
            default => format!("`{name} = {default}`"),
        });
        let arguments: Vec<String> = arguments.collect();
        let differs =
            if differs.is_empty() { String::new() } else { format!(" *{}.*", sentence(differs)) };
        let what = format!("{}.{differs}", sentence(doc));
        writeln!(text, "| `{name}` | {} | {} |", arguments.join(", "), escaped(&what)).unwrap();
    }
    text.push('\n');
    for (name, instead) in *elsewhere {
        writeln!(text, "- `{name}`: {instead}").unwrap();
    }
    if !elsewhere.is_empty() {
        text.push('\n');
    }
    text
}

/// With a capital letter, unless it starts with code.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// For a cell of a table: no bars, and no asterisks and angles that mean something.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}
