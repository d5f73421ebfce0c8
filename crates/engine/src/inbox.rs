//! Requests to a running sweep are files, renamed into its inbox; their names say everything, but for the trials of a retry,
//! which may be many: they stand inside, a number on each line.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use pleach_core::{event::Request, life::TrialId};
use pleach_files::{self as files, Link};

use crate::home::Home;

/// The numbers of more trials than a sweep can have.
const MAX_REQUEST: u64 = 64 << 20;

/// Leaves a request for whoever runs the sweep; where it lies.
pub fn put(home: &Home, request: &Request) -> io::Result<PathBuf> {
    let inbox = home.inbox();
    fs::create_dir_all(&inbox)?;
    let part = inbox.join(format!(".{}", std::process::id()));
    let inside: Vec<String> = match request {
        Request::Retry(trials) => trials.iter().map(|trial| trial.0.to_string()).collect(),
        _ => Vec::new(),
    };
    files::write(&part, inside.join("\n").as_bytes())?;
    let path = inbox.join(word(request));
    fs::rename(part, &path)?;
    Ok(path)
}

/// Whether a request reaches whoever runs the sweep; not if that has just ended, and nobody will take it.
pub fn reaches(home: &Home, request: &Request) -> io::Result<bool> {
    /// One that takes nothing for so long stands still, and takes it when it goes on.
    const TURNS: u32 = 100;
    let path = put(home, request)?;
    for _ in 0..TURNS {
        if !path.exists() {
            return Ok(true);
        }
        if !home.is_running() {
            return Ok(fs::remove_file(path).is_err());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(true)
}

/// Takes every request that is there, in the order in which they came. What is no request is removed.
pub(crate) fn take(home: &Home) -> Vec<Request> {
    let Ok(entries) = fs::read_dir(home.inbox()) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let time = entry.metadata().and_then(|metadata| metadata.modified()).ok()?;
            (!name.starts_with('.')).then_some((time, name, entry.path()))
        })
        .collect();
    found.sort();
    let taken = found.into_iter().filter_map(|(_, name, path)| {
        let request = read(&name, &path);
        fs::remove_file(path).ok().and(request)
    });
    taken.collect()
}

fn word(request: &Request) -> String {
    match request {
        Request::Stop => "stop".to_owned(),
        Request::Kill => "kill".to_owned(),
        Request::Pause => "pause".to_owned(),
        Request::Continue => "continue".to_owned(),
        Request::StopTrial(trial) => format!("stop-{}", trial.0),
        // Another one asks for others.
        Request::Retry(_) => format!("retry-{}", std::process::id()),
    }
}

fn read(word: &str, path: &Path) -> Option<Request> {
    Some(match word {
        "stop" => Request::Stop,
        "kill" => Request::Kill,
        "pause" => Request::Pause,
        "continue" => Request::Continue,
        _ if word.starts_with("retry-") => {
            let inside = files::read_text(path, Link::Refuse, MAX_REQUEST).ok()?;
            Request::Retry(inside.lines().filter_map(|it| it.parse().ok().map(TrialId)).collect())
        }
        _ => Request::StopTrial(TrialId(word.strip_prefix("stop-")?.parse().ok()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken_once_and_strangers_are_removed() {
        let runs = tempfile::tempdir().unwrap();
        let home = Home::new(runs.path(), "x").unwrap();
        assert_eq!(take(&home), []);
        let requests = [
            Request::Stop,
            Request::Kill,
            Request::Pause,
            Request::Continue,
            Request::StopTrial(TrialId(7)),
            Request::Retry(vec![TrialId(8), TrialId(70_000)]),
        ];
        for request in &requests {
            put(&home, request).unwrap();
        }
        fs::write(home.inbox().join("nonsense"), "").unwrap();
        let mut taken = take(&home);
        taken.sort_by_key(word);
        let mut expected = requests.to_vec();
        expected.sort_by_key(word);
        assert_eq!(taken, expected);
        assert_eq!(fs::read_dir(home.inbox()).unwrap().count(), 0);
    }
}
