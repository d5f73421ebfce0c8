//! Where a sweep file comes from: a person, or the folder of a sweep that was run.

use std::path::Path;

use anyhow::Result;
use pleach_core::{
    key::Key,
    spec::{Extension, extensions, with_extension, with_overrides},
};
use pleach_engine::{home::Home, prepare::Prepared};
use pleach_store::Reader;

use crate::{
    command::prepared,
    exit::Failure,
    place::{Place, read},
};

/// A sweep file, overrides included.
pub(crate) struct Source {
    /// For messages.
    pub(crate) name: String,
    pub(crate) text: String,
    author: Author,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Author {
    Person,
    /// It is what the sweep was last run as.
    Sweep,
}

impl Source {
    /// A file, or the one of a sweep by its name; of the newest sweep without either.
    pub(crate) fn read(place: &Place, sweep: Option<&str>, set: &[String]) -> Result<Self> {
        let is_file =
            |path: &&str| Path::new(path).is_file() || Path::new(path).extension().is_some();
        let mut source = match sweep.filter(is_file) {
            Some(path) => {
                Self { name: path.to_owned(), text: read(Path::new(path))?, author: Author::Person }
            }
            None => Self::of_sweep(&place.home(sweep)?)?,
        };
        source.text = with_overrides(&source.text, set).map_err(Failure::NeedsAnswer)?;
        Ok(source)
    }

    /// The file that a sweep was last run as.
    pub(crate) fn of_sweep(home: &Home) -> Result<Self> {
        let file = home.sweep_file();
        let name = file.display().to_string();
        Ok(Self { name, text: read(&file)?, author: Author::Sweep })
    }

    /// Plans it. A person's file does not say which of its trials were extended: these stay so, and the text says it then.
    pub(crate) fn prepare(&mut self, place: &Place) -> Result<Prepared> {
        let prepared = prepared(place, &self.name, &self.text)?;
        if self.author == Author::Sweep {
            return Ok(prepared);
        }
        let extensions = extensions_of(place, &prepared)?;
        if extensions.is_empty() {
            return Ok(prepared);
        }
        self.text = extensions.iter().fold(self.text.clone(), |text, it| with_extension(&text, it));
        self::prepared(place, &self.name, &self.text)
    }
}

/// The extensions of the sweep as it was last run that this file does not ask for itself.
fn extensions_of(place: &Place, prepared: &Prepared) -> Result<Vec<Extension>> {
    let Prepared { spec, plan, .. } = prepared;
    let home = Home::new(&place.runs, &spec.name)?;
    if !home.exists() {
        return Ok(Vec::new());
    }
    // Whoever runs it will say what is wrong with a database that cannot be read.
    let Ok(reader) = Reader::open(&home.database()) else { return Ok(Vec::new()) };
    let Ok(revision) = reader.revision() else { return Ok(Vec::new()) };
    let earlier = extensions(&revision.text);
    if earlier.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(before) = reader.load() else { return Ok(Vec::new()) };
    let trials: Vec<(u64, Key)> = before
        .trials
        .iter()
        .filter_map(|trial| Some((*before.points.get(&trial.id)?, trial.key)))
        .collect();
    let mut extensions = plan.extensions_of(&earlier, &trials);
    for extension in &mut extensions {
        let is_asked_for = |point: &u64| {
            let mut same = spec.extensions.iter().filter(|it| it.budget == extension.budget);
            same.any(|it| it.points.contains(point))
        };
        let points = extension.points.iter().copied().filter(|point| !is_asked_for(point));
        extension.points = points.collect();
    }
    extensions.retain(|extension| !extension.points.is_empty());
    Ok(extensions)
}
