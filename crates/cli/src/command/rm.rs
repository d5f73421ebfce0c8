//! `rm`: a sweep and all that came out of it.

use std::{
    fs, io, iter,
    path::{Path, PathBuf},
};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;

use crate::accept::confirm;
use crate::{
    exit::{Ending, Failure},
    place::Place,
};

#[derive(Args)]
pub(crate) struct Rm {
    /// The name of the sweep, or its file; the newest if left out. It must not be running
    sweep: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Rm {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        if self.sweep.is_none() && self.yes {
            let why = "--yes removes only what is named: give the sweep's name";
            return Err(Failure::NeedsAnswer(why.to_owned()).into());
        }
        let home = place.home(self.sweep.as_deref())?;
        let _lock = home.lock()?;
        let doomed = Doomed::find(home.folder())?;
        if !self.yes && !confirm(&doomed.question())? {
            return Err(Failure::NeedsAnswer(format!(
                "nothing was removed; say --yes to remove {}",
                doomed.path.display()
            ))
            .into());
        }
        doomed.remove()?;
        for line in doomed.report() {
            eprintln!("{line}");
        }
        Ok(Ending::Good)
    }
}

/// What is removed. Links are removed, never followed: what they lead to may be somebody else's.
struct Doomed {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Folder {
        /// Links beside the database, and where they lead.
        links: Vec<(PathBuf, PathBuf)>,
    },
    Link {
        target: PathBuf,
    },
}

impl Doomed {
    fn find(path: &Path) -> io::Result<Self> {
        let kind = if path.is_symlink() {
            Kind::Link { target: path.canonicalize()? }
        } else {
            let mut links = Vec::new();
            for entry in fs::read_dir(path)? {
                let entry = entry?.path();
                if entry.is_symlink() {
                    let target = entry.canonicalize().or_else(|_| entry.read_link())?;
                    links.push((entry, target));
                }
            }
            links.sort();
            Kind::Folder { links }
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    fn question(&self) -> String {
        let path = self.path.display();
        match &self.kind {
            Kind::Folder { .. } => format!("remove {path} and all its results?"),
            Kind::Link { target } => {
                format!(
                    "remove only the link {path}? The sweep itself stays in {}",
                    target.display()
                )
            }
        }
    }

    fn remove(&self) -> Result<()> {
        let removed = match self.kind {
            Kind::Folder { .. } => fs::remove_dir_all(&self.path),
            Kind::Link { .. } => fs::remove_file(&self.path),
        };
        removed.with_context(|| format!("failed to remove {}", self.path.display()))
    }

    /// What was removed, and what was not.
    fn report(&self) -> Vec<String> {
        let path = self.path.display();
        match &self.kind {
            Kind::Folder { links } => {
                let stay = links.iter().map(|(link, target)| {
                    let (link, target) = (link.display(), target.display());
                    format!("{link} was a link: what it led to is still there, {target}")
                });
                iter::once(format!("removed {path}")).chain(stay).collect()
            }
            Kind::Link { target } => {
                let target = target.display();
                vec![format!("removed the link {path}; the sweep itself is still there: {target}")]
            }
        }
    }
}
