//! The worker program `pleach-mnist`.

use std::{
    collections::BTreeMap,
    env, fmt,
    io::{self, Write},
    path::PathBuf,
    process::{ExitCode, exit},
    sync::Arc,
    thread,
};

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand};
use pleach_protocol::{
    message::{Parameters, Schedule},
    serve::{Busy, Preemption, ServeError, serve_until},
};
use pleach_schedule::schedule::Schedule as Written;
use pleach_trainer::{
    fetch::fetch,
    network::Arithmetic,
    network::failure::Failure,
    sources::DATA_SETS,
    state::State,
    train::{End, Flow, Observer, train},
    worker::{Trainer, description},
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    iterator::Signals,
};

/// Trains small image classifiers for pleach; without a command it waits for a coordinator's messages.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Speak the protocol on standard input and output
    Serve,
    /// Print what can be set, as JSON
    Describe,
    /// Train once and print the metrics
    Train {
        /// A parameter, as in a sweep file: model=lenet
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// A schedule in the one-line spelling, such as "0.1: > 0 cosine"
        #[arg(long, default_value = "0.1: hold")]
        schedule: Written,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The folder that holds mnist/ and fashion-mnist/
        #[arg(long, env = "PLEACH_DATA")]
        data: Option<PathBuf>,
        /// cpu, cpu-reference for plain and slow arithmetic, or a GPU: cuda:0
        #[arg(long, default_value_t)]
        device: Arithmetic,
    },
    /// Download data sets; go on where an earlier try broke off
    Fetch {
        /// Which ones
        #[arg(required = true, value_name = "DATASET", value_parser = ["mnist", "fashion-mnist", "all"])]
        names: Vec<String>,
        /// The folder that gets mnist/ and fashion-mnist/
        #[arg(long, env = "PLEACH_DATA", default_value = "data")]
        data: PathBuf,
    },
}

/// As a shell says that SIGTERM has ended a program: the coordinator takes it for a preemption.
const PREEMPTED: u8 = 128 + SIGTERM as u8;

fn main() -> ExitCode {
    // Under `ulimit -f` a write that goes too far fails, instead of ending us without a word.
    drop(signal_hook::flag::register(SIGXFSZ, Arc::default()));
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if matches!(error.downcast_ref(), Some(ServeError::Preempted)) => {
            ExitCode::from(PREEMPTED)
        }
        Err(error) => {
            note(format_args!("pleach-mnist: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// To standard output, where nobody may be reading any more.
fn print(text: fmt::Arguments) {
    drop(writeln!(io::stdout(), "{text}"));
}

/// To standard error, in the same way.
fn note(text: fmt::Arguments) {
    drop(writeln!(io::stderr(), "{text}"));
}

fn run(arguments: Arguments) -> Result<()> {
    with_environment()?;
    match arguments.command {
        None | Some(Command::Serve) => {
            // Nobody is left to hear what runs: end at once, whatever the worker is doing.
            let orphaned = || std::process::abort();
            let preemption = Preemption::default();
            heed_signals(preemption.clone()).context("failed to listen for signals")?;
            let mut trainer = Trainer::default();
            serve_until(&preemption, &mut trainer, io::stdin(), io::stdout(), orphaned)?;
        }
        Some(Command::Describe) => {
            let description = serde_json::to_string_pretty(&description(&Arithmetic::default()))?;
            print(format_args!("{description}"));
        }
        Some(Command::Train { set, schedule, seed, data, device }) => {
            let mut trainer = Trainer::new(data);
            if let Arithmetic::Cuda(card) = &device {
                note(format_args!("{}", card.describe()));
            }
            trainer.arithmetic = device;
            train_once(&mut trainer, &set, &schedule, seed)?;
        }
        Some(Command::Fetch { names, data }) => {
            let wanted = |name: &str| names.iter().any(|given| given == name || given == "all");
            for set in DATA_SETS.iter().filter(|set| wanted(set.name)) {
                fetch(set, &data, &mut |line| note(format_args!("{line}")))?;
            }
        }
    }
    Ok(())
}

/// At the first signal what runs saves its state; at the second, or if nothing runs, the process ends.
#[expect(clippy::exit, reason = "the thread that trains is busy, or waits for its coordinator")]
fn heed_signals(preemption: Preemption) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for times in signals.forever().enumerate().map(|(before, _)| before + 1) {
            if preemption.tell() == Busy::No || 1 < times {
                exit(i32::from(PREEMPTED));
            }
        }
    })?;
    Ok(())
}

/// What must be in the environment when the process begins: if something is missing, this process is replaced by one
/// that has it.
///
/// The tensor library takes its number of threads from there, and two threads on busy cores are slower than one. And the
/// GNU allocator gives the memory of every large tensor back to the system at once, whose clean pages cost up to a quarter
/// of the time of training. `cuda:0` is the first GPU on the bus, as nvidia-smi counts them, not the fastest one.
fn with_environment() -> Result<()> {
    let threads = env::var("RAYON_NUM_THREADS").unwrap_or_else(|_| "1".to_owned());
    let wanted = [
        ("RAYON_NUM_THREADS", threads.as_str()),
        ("CANDLE_NUM_THREADS", threads.as_str()),
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
        ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
        ("MALLOC_TRIM_THRESHOLD_", "4294967296"),
    ];
    let missing = wanted.iter().filter(|(name, _)| env::var_os(name).is_none());
    if missing.clone().next().is_none() {
        return Ok(());
    }
    let program = env::current_exe().context("failed to find this program")?;
    let mut command = std::process::Command::new(program);
    command.args(env::args_os().skip(1)).envs(missing.copied());
    Err(std::os::unix::process::CommandExt::exec(&mut command).into())
}

fn train_once(trainer: &mut Trainer, set: &[String], schedule: &Written, seed: u64) -> Result<()> {
    let mut parameters: Parameters = BTreeMap::new();
    for pair in set {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| anyhow!("`{pair}` is not NAME=VALUE"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        parameters.insert(name.to_owned(), value);
    }
    let refused = |refusal: pleach_protocol::serve::Refusal| {
        anyhow!("{}: {}", refusal.parameter.unwrap_or_default(), refusal.message)
    };
    // A first job only for its length, which the schedule needs.
    let any = Schedule::Table(vec![0.0]);
    let horizon =
        trainer.job(&parameters, Some(&any), &BTreeMap::new(), seed).map_err(refused)?.horizon;
    let rates = schedule.resolve(horizon)?.to_string();
    let plateau = schedule.plateau.as_ref().map(ToString::to_string);
    let job = trainer
        .job(&parameters, Some(&Schedule::Profile { rates, plateau }), &BTreeMap::new(), seed)
        .map_err(refused)?;
    let mut state = State::new(&job.model, job.config.optimizer, job.config.init, seed);
    match train(&job, &mut state, horizon.steps, &mut Printer)? {
        End::Diverged => Err(anyhow!("the loss stopped being finite after {} steps", state.step)),
        End::Done | End::Stopped => {
            print(format_args!("digest {}", state.digest()));
            Ok(())
        }
    }
}

struct Printer;

impl Observer for Printer {
    fn evaluated(&mut self, step: u64, metrics: Vec<(String, f64)>) {
        let metrics: Vec<String> =
            metrics.iter().map(|(name, value)| format!("{name} {value:.5}")).collect();
        print(format_args!("step {step}: {}", metrics.join(", ")));
    }

    fn stepped(&mut self, _: &State) -> Result<Flow, Failure> {
        Ok(Flow::Continue)
    }
}
