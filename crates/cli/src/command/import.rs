//! `import`: sweeps of other programs.

use std::{io::Read, path::PathBuf, string::FromUtf8Error};

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_files::{self as files, Link};
use pleach_interop::import::{optuna, wandb};

use crate::exit::{Ending, Failure};

/// Journals of large studies are long.
const MAX_IMPORT: u64 = 4 << 30;

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
        let mut file = files::open(&self.file, Link::Follow).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.by_ref().take(SQLITE.len() as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        let wrong = |why: String| Failure::Invalid(format!("{path}: {why}"));
        let study = self.study.as_deref();
        let (sheet, what) = if bytes == SQLITE {
            (optuna::database::read(&self.file, study), "a study of Optuna")
        } else {
            bytes.extend(files::read_rest(&mut file, MAX_IMPORT).map_err(unreadable)?);
            let text = String::from_utf8(bytes).map_err(|error| wrong(no_text(&error)))?;
            if optuna::journal::is_journal(&text) {
                (optuna::journal::read(&text, study), "a study of Optuna")
            } else {
                (wandb::read(&text), "a sweep of W&B")
            }
        };
        let sheet = sheet.map_err(|error| wrong(error.to_string()))?;
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        let text =
            sheet.checked(&format!("{file}, {what}")).map_err(|error| wrong(error.to_string()))?;
        for note in &sheet.notes {
            eprintln!("{note}");
        }
        super::data(&text)?;
        Ok(Ending::Good)
    }
}

fn no_text(error: &FromUtf8Error) -> String {
    let bytes = error.as_bytes();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return "it is UTF-16: save it as UTF-8".to_owned();
    }
    let before = &bytes[..error.utf8_error().valid_up_to()];
    let line = before.split(|byte| *byte == b'\n').count();
    format!("line {line}: it is no text: there are bytes that are not UTF-8")
}
