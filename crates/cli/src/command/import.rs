//! `import`: sweeps of other programs.

use std::{fs, path::PathBuf};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;
use pleach_core::spec;
use pleach_engine::prepare::PrepareError;
use pleach_interop::import::{optuna, wandb};

use crate::exit::{Ending, Failure};

/// How the files of a database begin.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A sweep file goes to standard output. What has no equal in it stands there as comments, and is said
#[derive(Args)]
pub(crate) struct Import {
    /// A sweep's YAML file of Weights & Biases, or the log of an Optuna journal
    file: PathBuf,
    /// Which study, if the log has several
    #[arg(long, value_name = "NAME")]
    study: Option<String>,
}

impl Import {
    pub(crate) fn run(self) -> Result<Ending> {
        let path = self.file.display();
        let bytes = fs::read(&self.file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::NotFound(format!("there is no file {path}")).into()
            }
            _ => anyhow::Error::new(error).context(format!("failed to read {path}")),
        })?;
        let wrong = |why: String| Failure::Invalid(format!("{path}: {why}"));
        if bytes.starts_with(SQLITE) {
            let why = "it is a database: copy the study into a journal with `optuna.copy_study`, and import that";
            return Err(wrong(why.to_owned()).into());
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".to_owned()))?;
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let is_journal = serde_json::from_str(first)
            .is_ok_and(|line: serde_json::Value| line.get("op_code").is_some());
        let (sheet, what) = if is_journal {
            (optuna::read(&text, self.study.as_deref()), "a study of Optuna")
        } else {
            (wandb::read(&text), "a sweep of W&B")
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
