//! Whether a sweep's record is right, judged by what was seen from outside while it ran.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use anyhow::Result;
use rusqlite::{Connection, OpenFlags};

use crate::{
    arena::{Arena, Subject},
    witness::What,
};

/// What was seen of one sweep, from its beginning.
#[derive(Debug)]
pub struct Oracle {
    subject: Subject,
    /// The record of a sweep that nobody has disturbed.
    golden: String,
    /// Lines of the record that somebody was shown, of trials that had ended.
    shown: BTreeSet<String>,
    /// Programs whose result was shown or on disk, and how long the witness was then.
    kept: BTreeMap<String, usize>,
}

impl Oracle {
    pub fn new(subject: Subject, golden: String) -> Self {
        Self { subject, golden, shown: BTreeSet::new(), kept: BTreeMap::new() }
    }

    /// Looks at the record in passing: whatever it shows is acknowledged from now on.
    pub fn look(&mut self, arena: &Arena) -> Result<Vec<String>> {
        let record = arena.canonical()?;
        let ended: BTreeSet<String> =
            record.lines().filter(|line| is_result(line)).map(str::to_owned).collect();
        let mut wrong = Vec::new();
        if let Some(lost) = self.shown.iter().find(|line| !ended.contains(*line)) {
            wrong.push(format!("lost: this was shown and is not there any more: {lost}"));
        }
        let golden: BTreeSet<&str> = self.golden.lines().collect();
        if let Some(other) = ended.iter().find(|line| !golden.contains(line.as_str())) {
            wrong.push(format!("not what an undisturbed sweep records: {other}"));
        }
        let witnessed = arena.witness()?.len();
        let programs: Vec<String> = ended.iter().filter_map(|line| self.program(line)).collect();
        for subject in programs {
            self.kept.entry(subject).or_insert(witnessed);
        }
        self.shown.extend(ended);
        Ok(wrong)
    }

    /// The program whose trial a line of the record is.
    fn program(&self, line: &str) -> Option<String> {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let x = line.get("parameters")?.get("x")?;
        let seed = line.get("seed")?;
        (self.subject == Subject::Programs).then(|| format!("x={x} seed={seed}"))
    }

    /// How many ended trials were ever shown.
    pub fn shown(&self) -> u64 {
        self.shown.len() as u64
    }

    /// Notes which programs have their result on disk. Whoever calls this has just killed the coordinator.
    pub fn note_results(&mut self, arena: &Arena) -> Result<()> {
        if self.subject != Subject::Programs {
            return Ok(());
        }
        let lines = arena.witness()?;
        let folders = fs::read_dir(arena.home().join("attempts")).into_iter().flatten().flatten();
        for folder in folders {
            let result = fs::read_to_string(folder.path().join("result.jsonl")).unwrap_or_default();
            let is_whole = result.ends_with('\n')
                && result
                    .lines()
                    .last()
                    .is_some_and(|line| line.contains("\"finished\"") && line.contains("\"done\""));
            let attempt: Option<u64> = folder.file_name().to_str().and_then(|it| it.parse().ok());
            if is_whole && let Some(line) = lines.iter().find(|line| Some(line.attempt) == attempt)
            {
                self.kept.entry(line.subject.clone()).or_insert(lines.len());
            }
        }
        Ok(())
    }

    /// How many programs ran again although an earlier run had come to its last line: it was killed, with its guard,
    /// before anybody could know.
    pub fn cut_short(&self, arena: &Arena) -> Result<u64> {
        let mut ends = BTreeMap::<String, u64>::new();
        for line in arena.witness()?.into_iter().filter(|line| line.what == What::Ends) {
            *ends.entry(line.subject).or_default() += 1;
        }
        Ok(ends.values().map(|count| count - 1).sum())
    }

    /// All laws, once the sweep is complete. What is wrong, in words.
    pub fn verdict(&mut self, arena: &Arena) -> Result<Vec<String>> {
        let mut wrong = self.look(arena)?;
        let record = arena.canonical()?;
        if record != self.golden {
            wrong.push(first_difference(&record, &self.golden));
        }
        let lines = arena.witness()?;
        for line in lines.iter().filter(|line| line.what == What::Overlaps) {
            wrong.push(format!("two at a time: {}, by attempt {}", line.subject, line.attempt));
        }
        for (subject, after) in &self.kept {
            let again = lines.iter().skip(*after);
            let mut again =
                again.filter(|line| line.what == What::Begins && line.subject == *subject);
            if let Some(line) = again.next() {
                wrong.push(format!(
                    "run again although its result was there: {subject}, by attempt {}",
                    line.attempt
                ));
            }
        }
        wrong.extend(rules_broken(arena)?);
        if !arena.is_deserted_within(Duration::from_secs(5)) {
            let left: Vec<i32> =
                arena.processes().iter().map(|(pid, _)| pid.as_raw_nonzero().get()).collect();
            wrong.push(format!("orphans: the processes {left:?} are still there"));
        }
        Ok(wrong)
    }
}

/// Whether a line of the record is a result. A trial that failed may be run again.
pub fn is_result(line: &str) -> bool {
    ["done", "diverged"].iter().any(|status| line.contains(&format!("\"status\":\"{status}\"")))
}

fn first_difference(record: &str, golden: &str) -> String {
    let pairs = record.lines().zip(golden.lines());
    let number = pairs.take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(number).unwrap_or("nothing").to_owned();
    format!("the record differs: {} instead of {}", line(record), line(golden))
}

/// What must hold in the database, asked of SQLite itself.
fn rules_broken(arena: &Arena) -> Result<Vec<String>> {
    let database = Connection::open_with_flags(arena.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut wrong = Vec::new();
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if sound != "ok" {
        wrong.push(format!("the database is damaged: {sound}"));
    }
    for (what, sql) in [
        ("a reference leads nowhere", "SELECT count(*) FROM pragma_foreign_key_check"),
        (
            "counted twice",
            "SELECT count(*) FROM (SELECT 1 FROM attempt WHERE ending <= 2 GROUP BY stage HAVING 1 < count(*))",
        ),
        ("an attempt has no ending", "SELECT count(*) FROM attempt WHERE ending IS NULL"),
        (
            "a trial is done and a stage of it is not",
            "SELECT count(*) FROM trial_end JOIN paths ON paths.trial = trial_end.trial
             WHERE trial_end.status = 1 AND NOT EXISTS
             (SELECT 1 FROM stage_end WHERE stage_end.stage = paths.stage AND stage_end.status = 1)",
        ),
    ] {
        let count: i64 = database.query_row(sql, [], |row| row.get(0))?;
        if 0 < count {
            wrong.push(format!("{what}: {count} times"));
        }
    }
    Ok(wrong)
}

/// The record of a sweep that runs undisturbed.
pub fn golden(sweep: &str) -> Result<String> {
    let arena = Arena::new(sweep)?;
    arena.finish()?;
    let record = arena.canonical()?;
    anyhow::ensure!(
        !record.is_empty() && record.lines().all(is_result),
        "an undisturbed sweep is complete"
    );
    Ok(record)
}
