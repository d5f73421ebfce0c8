//! Requests to a running sweep are files, renamed into its inbox; their names say everything.

use std::{
    fs::{self, File},
    io,
};

use pleach_core::{event::Request, life::TrialId};

use crate::home::Home;

/// Leaves a request for whoever runs the sweep.
pub fn put(home: &Home, request: &Request) -> io::Result<()> {
    let inbox = home.inbox();
    fs::create_dir_all(&inbox)?;
    let part = inbox.join(format!(".{}", std::process::id()));
    drop(File::create(&part)?);
    fs::rename(part, inbox.join(word(request)))
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
    let taken =
        found.into_iter().filter_map(|(_, name, path)| fs::remove_file(path).ok().and(read(&name)));
    taken.collect()
}

fn word(request: &Request) -> String {
    match request {
        Request::Stop => "stop".to_owned(),
        Request::Kill => "kill".to_owned(),
        Request::Pause => "pause".to_owned(),
        Request::Continue => "continue".to_owned(),
        Request::StopTrial(trial) => format!("stop-{}", trial.0),
    }
}

fn read(word: &str) -> Option<Request> {
    Some(match word {
        "stop" => Request::Stop,
        "kill" => Request::Kill,
        "pause" => Request::Pause,
        "continue" => Request::Continue,
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
        ];
        for request in &requests {
            put(&home, request).unwrap();
        }
        File::create(home.inbox().join("nonsense")).unwrap();
        let mut taken = take(&home);
        taken.sort_by_key(word);
        let mut expected = requests.to_vec();
        expected.sort_by_key(word);
        assert_eq!(taken, expected);
        assert_eq!(fs::read_dir(home.inbox()).unwrap().count(), 0);
    }
}
