//! `import`: sweeps of other programs.

use std::{fs::File, io::Read, path::PathBuf};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;
use pleach_core::spec;
use pleach_engine::prepare::PrepareError;
use pleach_interop::import::{optuna, optuna_database, wandb};

use crate::exit::{Ending, Failure};

/// How the files of a database begin.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A sweep file goes to standard output. What has no equal in it stands there as comments, and is said
#[derive(Args)]
pub(crate) struct Import {
    /// A sweep's YAML file of Weights & Biases, or the SQLite database or the log of a journal that holds studies of Optuna
    file: PathBuf,
    /// Which study, if there are several
    #[arg(long, value_name = "NAME")]
    study: Option<String>,
}

impl Import {
    pub(crate) fn run(self) -> Result<Ending> {
        let path = self.file.display();
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::NotFound(format!("there is no file {path}")).into()
            }
            _ => anyhow::Error::new(error).context(format!("failed to read {path}")),
        };
        let mut file = File::open(&self.file).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.by_ref().take(SQLITE.len() as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        let wrong = |why: String| Failure::Invalid(format!("{path}: {why}"));
        let study = self.study.as_deref();
        let (sheet, what) = if bytes == SQLITE {
            (optuna_database::read(&self.file, study), "a study of Optuna")
        } else {
            file.read_to_end(&mut bytes).map_err(unreadable)?;
            let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".to_owned()))?;
            let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let is_journal = serde_json::from_str(first)
                .is_ok_and(|line: serde_json::Value| line.get("op_code").is_some());
            if is_journal {
                (optuna::read(&text, study), "a study of Optuna")
            } else {
                (wandb::read(&text), "a sweep of W&B")
            }
        };
        let sheet = sheet.map_err(|error| wrong(error.to_string()))?;
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        let text = sheet.text(&format!("{file}, {what}"));
        spec::read("the sweep file that would be written", &text)
            .map_err(PrepareError::Invalid)
            .with_context(|| format!("{path} has no equal here"))?;
        for note in &sheet.notes {
            eprintln!("{note}");
        }
        super::print(&text)?;
        Ok(Ending::Good)
    }
}
