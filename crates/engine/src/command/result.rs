//! The result of an attempt as the guard leaves it: in `result.jsonl`, in the attempt's folder, the very lines that it
//! tells the coordinator, the last one its end. A file without that line, after a loss of power, is no result: so it needs no
//! other name first, which would cost a second journal commit.

use std::{
    io::{self, Write},
    path::Path,
};

use pleach_core::{event::Found, life::AttemptId};
use pleach_files::{self as files, Link};
use pleach_protocol::{
    line,
    message::{Checkpoint, Finished, FromWorker, Outcome, Usage},
    serve::Ending,
};

use super::state::Saved;
use crate::{home::Home, translate};

const RESULT: &str = "result.jsonl";

/// The most evaluations that are taken, with hundreds of numbers each.
const MAX_RESULT: u64 = 4 << 30;

/// Makes a result durable. The folder's own entry must survive, too. `said`: the lines with metrics and warnings.
pub(super) fn write(
    folder: &Path,
    said: &[u8],
    usage: Option<Usage>,
    saved: Option<&Saved>,
    ending: &Ending,
    attempt: u64,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    if let Some(usage) = usage {
        line::write(&FromWorker::Usage(usage), &mut bytes);
    }
    let Ending { step, outcome, digest } = ending.clone();
    if let Some(Saved { file, digest }) = saved.cloned() {
        line::write(
            &FromWorker::Checkpoint(Checkpoint { attempt, step, file, digest }),
            &mut bytes,
        );
    }
    line::write(&FromWorker::Finished(Finished { attempt, step, outcome, digest }), &mut bytes);
    let mut file = files::create(&folder.join(RESULT))?;
    file.write_all(said)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    files::sync_folder(folder)?;
    folder.parent().map_or(Ok(()), files::sync_folder)
}

/// The result of an attempt, if it has one. A file that says anything else than a result says nothing.
pub fn read(home: &Home, attempt: AttemptId) -> Option<Found> {
    let folder = home.attempt(attempt);
    let bytes = files::read(&folder.join(RESULT), Link::Refuse, MAX_RESULT).ok()?;
    let (mut metrics, mut warnings) = (Vec::new(), Vec::new());
    let (mut usage, mut state) = (None, None);
    let mut lines = bytes.strip_suffix(b"\n")?.split(|byte| *byte == b'\n').peekable();
    while let Some(bytes) = lines.next() {
        match line::read(bytes).ok()? {
            FromWorker::Metrics(said) => metrics.push((said.step, translate::values(said.values))),
            FromWorker::Warning(said) => warnings.push(translate::warning(&said)),
            FromWorker::Usage(used) => usage = Some(translate::usage(used)),
            FromWorker::Checkpoint(said) if !said.file.contains('/') => {
                let size = files::open(&folder.join(&said.file), Link::Refuse)
                    .and_then(|file| Ok(file.metadata()?.len()));
                state = size.ok().map(|bytes| (said.file, bytes));
            }
            FromWorker::Finished(said)
                if lines.peek().is_none()
                    && said.attempt == u64::from(attempt.0)
                    && said.outcome != Outcome::Stopped =>
            {
                let (step, outcome) = (said.step, translate::outcome(said.outcome));
                let digest = said.digest;
                return Some(Found { metrics, step, outcome, digest, state, usage, warnings });
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pleach_core::{event, warning::Warning};
    use pleach_protocol::{message::Metrics, number::Number};

    use super::*;

    #[test]
    fn what_is_written_is_found_and_a_part_of_it_is_nothing() {
        let runs = tempfile::tempdir().unwrap();
        let home = Home::new(runs.path(), "x").unwrap();
        let attempt = AttemptId(7);
        let folder = home.attempt(attempt);
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(read(&home, attempt), None);
        let values = [("loss".to_owned(), Number::new(f64::INFINITY))];
        let metrics = Metrics { attempt: 7, step: 3, values: values.into() };
        let warning = Warning::new("a line was left out", 40, Some(12), "`x`");
        let mut said = Vec::new();
        line::write(&FromWorker::Metrics(metrics), &mut said);
        let told = translate::told_warning(7, warning.clone());
        line::write(&FromWorker::Warning(told), &mut said);
        let saved = Saved { file: "5.state".to_owned(), digest: "ab".to_owned() };
        let ending = Ending { step: 5, outcome: Outcome::Done, digest: "ab".to_owned() };
        fs::write(folder.join("5.state"), b"abc").unwrap();
        let usage = Usage { attempt: 7, memory: 1 << 20, cpu: 1500 };
        write(&folder, &said, Some(usage), Some(&saved), &ending, 7).unwrap();
        let expected = Found {
            metrics: vec![(3, vec![("loss".to_owned(), f64::INFINITY)])],
            step: 5,
            outcome: event::Outcome::Done,
            digest: "ab".to_owned(),
            state: Some(("5.state".to_owned(), 3)),
            usage: Some(event::Usage { memory: 1 << 20, cpu: 1500 }),
            warnings: vec![warning],
        };
        assert_eq!(read(&home, attempt), Some(expected));
        let whole = fs::read(folder.join(RESULT)).unwrap();
        for length in 0..whole.len() {
            fs::write(folder.join(RESULT), &whole[..length]).unwrap();
            assert_eq!(read(&home, attempt), None, "{length} bytes of {}", whole.len());
        }
        // Another attempt's result is not this one's.
        write(&folder, &said, None, None, &ending, 8).unwrap();
        assert_eq!(read(&home, attempt), None);
    }
}
