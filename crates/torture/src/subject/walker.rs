//! A worker program with checkpoints: its state is a chain of hashes over the rates that it is told, so that a step that is
//! missing, doubled or made from another state shows in every number after it.

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use pleach_protocol::{
    describe::{Description, ScheduleForm},
    message::{
        Fault, FaultClass, Greeting, Interval, Outcome, PROTOCOL, Parameters, Schedule, Start,
    },
    serve::{Ending, Length, Refusal, Reporter, ServeError, Worker, serve},
};

use crate::{
    random::{mix, unit},
    witness::{Testimony, WITNESS},
};

/// Updates of a trial.
const STEPS: u64 = 40;

/// How often it is evaluated.
const EVERY: u64 = 5;

/// How long an update takes.
const PACE: Duration = Duration::from_micros(300);

struct Walker {
    witness: PathBuf,
}

impl Worker for Walker {
    fn describe(&mut self, _: &Greeting) -> Result<Description, String> {
        Ok(Description {
            protocol: PROTOCOL,
            program: "walker".to_owned(),
            version: "1".to_owned(),
            numerics: "walker-1".to_owned(),
            exact: true,
            queue: 2,
            schedules: ScheduleForm::Table,
            checkpoints: true,
            parameters: Vec::new(),
            devices: vec!["cpu".to_owned()],
            metrics: vec!["value".to_owned()],
            needs: std::collections::BTreeMap::new(),
        })
    }

    fn measure(&mut self, _: &Parameters) -> Result<Length, Refusal> {
        Ok(Length { steps: STEPS, steps_per_epoch: 10, data: String::new(), lanes: 1 })
    }

    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending {
        match self.walk(start, reporter) {
            Ok(ending) => ending,
            Err(error) => {
                let (class, why) = (FaultClass::Infrastructure, error.to_string());
                let outcome = Outcome::Fault(Fault { class, why });
                Ending { step: start.first, outcome, digest: String::new() }
            }
        }
    }
}

impl Walker {
    fn walk(&self, start: &Start, reporter: &mut Reporter) -> io::Result<Ending> {
        let Some(Schedule::Table(rates)) = &start.schedule else {
            return Ok(Ending::failed(start.first, "there is no table of rates"));
        };
        let rate = |step: u64| rates.get(step as usize).copied().unwrap_or(f64::NAN);
        // A stage is what its rates make of it, whatever numbers it has.
        let course = (0..start.end).fold(0, |course, step| mix(course ^ rate(step).to_bits()));
        let subject = format!("seed={} {}-{} {course:x}", start.seed, start.first, start.end);
        let testimony = Testimony::begin(&self.witness, &subject, start.attempt)?;
        let folder = Path::new(&start.directory);
        let (mut step, mut state) = match &start.from {
            None => (0, mix(start.seed)),
            Some(from) => match fs::read_to_string(&from.file) {
                Ok(text) if text == from.digest => {
                    let state = u64::from_str_radix(&text, 16).map_err(io::Error::other)?;
                    (from.step, state)
                }
                text => {
                    let why = format!("{}: {text:?} is not its state", from.file);
                    let (outcome, digest) = (Outcome::Unusable(why), String::new());
                    return Ok(Ending { step: from.step, outcome, digest });
                }
            },
        };
        let every = match start.checkpoint {
            Some(Interval::Steps(steps)) => steps,
            _ => u64::MAX,
        };
        let mut outcome = Outcome::Done;
        while step < start.end {
            if reporter.should_stop() {
                outcome = Outcome::Stopped;
                break;
            }
            sleep(PACE);
            state = mix(state ^ rate(step).to_bits());
            step += 1;
            if step.is_multiple_of(EVERY) || step == start.budget {
                reporter.metrics(step, [("value".to_owned(), unit(state))]);
            }
            if step < start.end && step.is_multiple_of(every) {
                save(folder, step, state, reporter)?;
            }
        }
        if outcome == Outcome::Stopped || start.keep {
            save(folder, step, state, reporter)?;
        }
        if outcome == Outcome::Done {
            testimony.end()?;
        }
        Ok(Ending { step, outcome, digest: digest(state) })
    }
}

fn digest(state: u64) -> String {
    format!("{state:032x}")
}

/// Whole or not at all, even through a loss of power.
fn save(folder: &Path, step: u64, state: u64, reporter: &mut Reporter) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let (part, name) = (folder.join("state.part"), format!("{step}.state"));
    let mut file = File::create(&part)?;
    file.write_all(digest(state).as_bytes())?;
    file.sync_all()?;
    fs::rename(part, folder.join(&name))?;
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    reporter.checkpoint(step, name, digest(state));
    Ok(())
}

/// Serves a coordinator.
pub fn run() -> Result<(), ServeError> {
    let witness = env::var_os(WITNESS).map_or_else(|| PathBuf::from("witness"), PathBuf::from);
    serve(&mut Walker { witness }, io::stdin(), io::stdout(), || std::process::abort())
}
