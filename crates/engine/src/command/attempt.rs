//! One run of a person's program: what it says, how it ends.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

use pleach_core::{
    output::{Evaluation, Form, Reader, Strictness},
    plan::command::OPEN_ENDED,
};
use pleach_files as files;
use pleach_protocol::{
    line,
    message::{Fault, FaultClass, FromWorker, Greeting, Metrics, Outcome, Start, Usage},
    number::Number,
    serve::{Ending, Reporter},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use wait4::ResUse;

use super::{
    Command, cannot,
    ending::{Memory, fault, no_objective},
    guard::Life,
    misconfigured,
    output::{Growing, Left, Log, News},
    result,
    state::{self, Saved},
    told::Told,
};
use crate::{
    groups::Group,
    guard,
    logs::{LOG, last_line},
    translate,
};

/// How often metrics and requests to stop are looked for while a program runs.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// After the end of a program and of everything that it has started, so long is waited for the end of its output.
const PATIENCE: Duration = Duration::from_secs(2);

/// An evaluation of more values is told in several messages: a line has an end.
const VALUES: usize = 10_000;

/// Runs the program to its end. Its result is on disk when this returns, unless it was stopped or the disk will not have it.
pub(super) fn run(
    command: &Command,
    greeting: &Greeting,
    start: &Start,
    life: &Life,
    reporter: &mut Reporter,
) -> Result<Ending, Fault> {
    let folder = PathBuf::from(&start.directory);
    if let Some(from) = &start.from
        && let Err(why) = state::check(from)
    {
        let (outcome, digest) = (Outcome::Unusable(why), String::new());
        return Ok(Ending { step: from.step, outcome, digest });
    }
    let told = Told::new(command, greeting, start, &folder)?;
    let form: Form =
        command.metrics.parse().map_err(|error| misconfigured(format!("`metrics`: {error}")))?;
    let log = files::create(&folder.join(LOG)).map_err(cannot("write its log"))?;
    let group = Group::new(&start.attempt.to_string(), command.limits);
    let kills_before = group.kills();
    let mut child = life.begin(|| told.spawn(&group))?;
    let steps = (start.budget < OPEN_ENDED).then_some((start.first, start.end));
    let mut attempt = Attempt {
        start,
        objective: &command.objective,
        must_measure: match command.checkpoint {
            false => Must::Once,
            true if start.end == start.budget => Must::AtTheEnd,
            true => Must::Not,
        },
        prints_metrics: matches!(form, Form::Pattern(_)),
        strictness: command.strictness,
        reader: Reader::new(form, &command.objective, steps),
        said: Vec::new(),
        step: start.first,
        judged: None,
        wrong: None,
        is_asked_to_stop: false,
        log: Log::new(log),
        growing: Growing::new(folder.join("metrics.jsonl")),
        is_unreadable: false,
        folder: &folder,
    };
    let used = match attempt.attend(&mut child, life, reporter) {
        Ok(used) => Ok(used),
        // Not even then is it left to itself.
        Err(error) => life.bury(&mut child).and(Err(error)),
    };
    let ending = used.map_err(cannot("watch it")).map(|ResUse { status, rusage }| {
        let memory = Memory {
            peak: group.peak().unwrap_or(rusage.maxrss),
            limit: command.limits.memory,
            // A program that ended well has nothing to do with it.
            has_killed: !status.success() && kills_before < group.kills(),
        };
        let cpu = (rusage.utime + rusage.stime).as_millis() as u64;
        let usage = Usage { attempt: start.attempt, memory: memory.peak, cpu };
        attempt.end(status, memory, usage, reporter)
    });
    life.finish();
    ending
}

/// A running program.
struct Attempt<'a> {
    start: &'a Start,
    objective: &'a str,
    must_measure: Must,
    prints_metrics: bool,
    strictness: Strictness,
    reader: Reader,
    /// The lines of its result so far: what it has measured.
    said: Vec<u8>,
    step: u64,
    /// The step of the last evaluation that held the objective.
    judged: Option<u64>,
    /// What is wrong with what it said, if that may not be.
    wrong: Option<String>,
    is_asked_to_stop: bool,
    log: Log,
    growing: Growing,
    /// Whether its file of metrics could not be read, which is said once.
    is_unreadable: bool,
    folder: &'a Path,
}

/// When a program must measure the objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    Once,
    /// After the last step of a trial that is trained in stages: in the others nothing is expected.
    AtTheEnd,
    Not,
}

/// How far a program has come that ended well.
enum End {
    Whole,
    /// Its own early stopping, at this step.
    Early(u64),
    /// It was asked to stop, and did not say that it came to its last step.
    Unfinished,
}

/// Of a program's two outputs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

fn has_ended(handle: &OwnedFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&now)).is_ok_and(|ready| 0 < ready)
}

impl Attempt<'_> {
    /// Listens until the program has ended, and everything that it has started.
    fn attend(
        &mut self,
        child: &mut Child,
        life: &Life,
        reporter: &mut Reporter,
    ) -> io::Result<ResUse> {
        let group = Pid::from_child(child);
        let handle = pidfd_open(group, PidfdFlags::empty())?;
        let mut pipes: Vec<(Stream, File)> = Vec::new();
        let output = child.stdout.take().map(OwnedFd::from);
        let error = child.stderr.take().map(OwnedFd::from);
        pipes.extend(output.map(|pipe| (Stream::Output, pipe.into())));
        pipes.extend(error.map(|pipe| (Stream::Error, pipe.into())));
        while !self.wait(Some(&handle), &mut pipes, reporter)? {
            self.read_metrics(reporter);
            if self.wrong.is_some() {
                // It may have ended by itself.
                let _ = kill_process_group(group, Signal::KILL);
            }
            // One that ends by itself in this moment has ended before it was asked.
            if !self.is_asked_to_stop && reporter.should_stop() && !has_ended(&handle) {
                self.is_asked_to_stop = true;
                // For programs that look for a file rather than listen to signals.
                drop(files::create(&self.folder.join("stop")));
                let _ = kill_process_group(group, Signal::TERM);
            }
        }
        let used = life.bury(child)?;
        guard::end_orphans();
        let ended = Instant::now();
        while !pipes.is_empty() && ended.elapsed() < PATIENCE {
            self.wait(None, &mut pipes, reporter)?;
        }
        while self.read_metrics(reporter) == Left::More {}
        self.read_last(used.status, reporter);
        Ok(used)
    }

    /// Waits for output or for an end, a tick at the most; says whether the program has ended.
    fn wait(
        &mut self,
        handle: Option<&OwnedFd>,
        pipes: &mut Vec<(Stream, File)>,
        reporter: &mut Reporter,
    ) -> io::Result<bool> {
        let mut polled: Vec<PollFd> =
            pipes.iter().map(|(_, pipe)| PollFd::new(pipe, PollFlags::IN)).collect();
        polled.extend(handle.map(|handle| PollFd::new(handle, PollFlags::IN)));
        match poll(&mut polled, Some(&TICK)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
        let has_ended = handle.is_some() && is_ready.last() == Some(&true);
        let mut is_open = Vec::new();
        for ((stream, pipe), &is_ready) in pipes.iter_mut().zip(&is_ready) {
            is_open.push(!is_ready || self.read_output(*stream, pipe, reporter));
        }
        let mut is_open = is_open.into_iter();
        pipes.retain(|_| is_open.next() == Some(true));
        Ok(has_ended)
    }

    /// Takes what is there; says whether more may come.
    fn read_output(&mut self, stream: Stream, pipe: &mut File, reporter: &mut Reporter) -> bool {
        let mut buffer = [0; 1 << 13];
        let Ok(length @ 1..) = pipe.read(&mut buffer) else { return false };
        let bytes = &buffer[..length];
        self.log.add(bytes);
        if self.prints_metrics && stream == Stream::Output {
            let mut whole = Vec::new();
            self.reader.read(bytes, &mut whole);
            self.note_all(whole, reporter);
        }
        reporter.progress(self.step.max(self.reader.step().unwrap_or(0)), &[]);
        true
    }

    fn read_metrics(&mut self, reporter: &mut Reporter) -> Left {
        if self.prints_metrics || self.is_unreadable {
            return Left::Nothing;
        }
        let mut whole = Vec::new();
        let Self { growing, reader, .. } = self;
        let result = growing.read(|news| match news {
            News::Bytes(bytes) => reader.read(bytes, &mut whole),
            News::Anew => reader.restart(),
        });
        let left = result.unwrap_or_else(|error| {
            self.is_unreadable = true;
            let what = "its file of metrics cannot be read";
            reader.warnings().add(what, None, || error.to_string());
            Left::Nothing
        });
        self.note_all(whole, reporter);
        left
    }

    fn read_last(&mut self, status: ExitStatus, reporter: &mut Reporter) {
        // A stage that ended well was trained to its end.
        let is_at_end = self.must_measure != Must::Once && status.success();
        let end = match (self.is_asked_to_stop, is_at_end) {
            // It has not said that it came any further.
            (true, _) if self.is_budget_known() => Some(self.came()),
            (false, true) => Some(self.start.end),
            _ => None,
        };
        let mut whole = Vec::new();
        self.reader.finish(end, &mut whole);
        self.note_all(whole, reporter);
        for warning in self.reader.warnings().untold() {
            reporter.warning(translate::told_warning(self.start.attempt, warning));
        }
    }

    fn note_all(&mut self, whole: Vec<Evaluation>, reporter: &mut Reporter) {
        let is_news = !whole.is_empty();
        for evaluation in whole {
            self.note(evaluation, reporter);
        }
        let warnings = self.reader.warnings().news();
        let is_news = is_news || !warnings.is_empty();
        for warning in warnings {
            reporter.warning(translate::told_warning(self.start.attempt, warning));
        }
        if self.strictness == Strictness::Strict && self.wrong.is_none() {
            self.wrong = self.reader.objection();
        }
        if is_news {
            reporter.flush();
        }
    }

    fn note(&mut self, Evaluation { step, values }: Evaluation, reporter: &mut Reporter) {
        self.step = step;
        if values.contains_key(self.objective) {
            self.judged = Some(step);
        }
        let mut values: Vec<(String, f64)> = values.into_iter().collect();
        while !values.is_empty() {
            let part = values.split_off(values.len().saturating_sub(VALUES));
            let numbers = part.iter().map(|(name, value)| (name.clone(), Number::new(*value)));
            let attempt = self.start.attempt;
            let told = FromWorker::Metrics(Metrics { attempt, step, values: numbers.collect() });
            line::write(&told, &mut self.said);
            reporter.metrics(step, part);
        }
    }

    /// Judges the end, and makes it durable.
    fn end(
        mut self,
        status: ExitStatus,
        memory: Memory,
        usage: Usage,
        reporter: &mut Reporter,
    ) -> Ending {
        let judged = self.judge(status, memory);
        for warning in self.reader.warnings().all() {
            let told = translate::told_warning(self.start.attempt, warning.clone());
            line::write(&FromWorker::Warning(told), &mut self.said);
        }
        let end = self.end_of_good();
        let Self { start, said, step, wrong, is_asked_to_stop, folder, .. } = self;
        let (step, outcome, saved) = match (wrong, judged, end) {
            (Some(why), ..) => {
                (step, Outcome::Fault(Fault { class: FaultClass::Protocol, why }), None)
            }
            (None, Ok(saved), End::Whole) => (start.end, Outcome::Done, saved),
            (None, Ok(_), End::Early(came)) => (came, Outcome::Early, None),
            (None, ..) if is_asked_to_stop => (step, Outcome::Stopped, None),
            (None, Ok(_), End::Unfinished) => (step, Outcome::Stopped, None),
            (None, Err(outcome), _) => (step, outcome, None),
        };
        state::discard(folder);
        let digest = saved.as_ref().map_or(String::new(), |saved| saved.digest.clone());
        let ending = Ending { step, outcome, digest };
        if ending.outcome != Outcome::Stopped {
            let saved = saved.as_ref();
            // Where that fails, whoever hears of it now may still keep it.
            drop(result::write(folder, &said, Some(usage), saved, &ending, start.attempt));
        }
        reporter.usage(usage.memory, usage.cpu);
        if let Some(Saved { file, digest }) = saved {
            reporter.checkpoint(step, file, digest);
        }
        ending
    }

    fn is_budget_known(&self) -> bool {
        self.start.budget < OPEN_ENDED
    }

    /// The last step that it said it came to.
    fn came(&self) -> u64 {
        self.reader.step().unwrap_or(self.start.first)
    }

    /// What a good exit code means.
    fn end_of_good(&self) -> End {
        let end = self.start.end;
        match self.reader.step().filter(|_| self.is_budget_known()) {
            Some(step) if step == end => End::Whole,
            // That it has finished nobody knows: a polite program ends well when it is asked to stop.
            _ if self.is_asked_to_stop => End::Unfinished,
            Some(step) if self.must_measure == Must::Once => End::Early(step),
            // One that saves its state ends well at its stage's end alone; of others nothing else is known.
            _ => End::Whole,
        }
    }

    /// Whether it has done what it was to do, and the state that it has saved; else how it has failed.
    fn judge(&mut self, status: ExitStatus, memory: Memory) -> Result<Option<Saved>, Outcome> {
        let Self { start, objective, reader, judged, .. } = self;
        let log = self.log.finish();
        if !status.success() {
            let said = last_line(&log);
            return Err(
                fault(status, memory, said.as_deref()).map_or_else(Outcome::Fault, Outcome::Failed)
            );
        }
        let is_measured = match self.must_measure {
            Must::Once => judged.is_some(),
            Must::AtTheEnd => *judged == Some(start.end),
            Must::Not => true,
        };
        if !is_measured {
            let end = (self.must_measure == Must::AtTheEnd).then_some(start.end);
            let warnings = reader.warnings().all().to_vec();
            return Err(Outcome::Fault(no_objective(objective, end, reader.seen(), &warnings)));
        }
        if !start.keep {
            return Ok(None);
        }
        let kept = state::keep(self.folder, start.end).map_err(cannot("keep its state"));
        match kept.map_err(Outcome::Fault)? {
            Some(saved) => Ok(Some(saved)),
            None => {
                Err(Outcome::Failed("it ended well and saved no file at $PLEACH_SAVE".to_owned()))
            }
        }
    }
}
