//! The commands, one file each.

pub(crate) mod board;
mod compare;
mod completions;
mod data;
mod diff;
mod doctor;
mod explain;
mod export;
mod extend;
mod import;
mod importance;
mod init;
mod list;
mod logs;
mod man;
mod pause;
mod plan;
mod report;
mod resume;
mod retest;
mod retry;
mod rm;
pub(crate) mod run;
mod schedule;
mod schema;
mod show;
mod stop;
mod tree;
mod verify;
mod watch;

use std::{io::IsTerminal, pin::pin, time::Duration};

use anyhow::Result;
use clap::{Args, Subcommand};
use pleach_core::class::Budgets;
use pleach_engine::prepare::{self, Prepared};
use pleach_schedule::draw::terminal::{Charset, Ink, Style};
use pleach_store::Revision;
use pleach_views::table::PIPE;

use crate::{
    exit::Ending,
    place::Place,
    say::{data, eprintln, print},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write a commented sweep file to start from
    Init(init::Init),
    /// Show what a sweep would run
    Plan(plan::Plan),
    /// Run a sweep, or go on with it
    Run(run::Run),
    /// Go on with a sweep that was interrupted
    Resume(resume::Resume),
    /// Look at a sweep on a full screen, while it runs or later
    Watch(watch::Watch),
    /// Print the leaderboard
    Board(board::Board),
    /// Print how much each parameter matters
    Importance(importance::Importance),
    /// Print all sweeps
    List(list::List),
    /// Print everything about a trial
    Show(show::Show),
    /// Say why a trial is not running, and what to do about it
    Explain(explain::Explain),
    /// Show trials side by side
    Compare(compare::Compare),
    /// Show how one leaderboard differs from another
    Diff(diff::Diff),
    /// Draw how trials share their training
    Tree(tree::Tree),
    /// Write a sweep's results as a page for a browser
    Report(report::Report),
    /// Print what the worker wrote while it ran a trial
    Logs(logs::Logs),
    /// Stop a running sweep, or one trial
    Stop(stop::Stop),
    /// Let a running sweep start nothing more for a while
    Pause(pause::Pause),
    /// Run trials again that failed, or any other
    Retry(retry::Retry),
    /// Train configurations of a sweep for longer, from where they are
    Extend(extend::Extend),
    /// Train a trial once more, and compare it with what is recorded
    Verify(verify::Verify),
    /// Remove a sweep and everything that came out of it
    Rm(rm::Rm),
    /// Draw a learning-rate schedule, or print its values
    Schedule(schedule::Schedule),
    /// Write results for other programs
    Export(export::Export),
    /// Make a sweep file of another program's sweep
    Import(import::Import),
    /// Get data sets
    #[command(subcommand)]
    Data(data::Data),
    /// Check that everything is there
    Doctor(doctor::Doctor),
    /// Print the JSON schema of sweep files
    Schema(schema::Schema),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Print a page for the manual: `pleach man | man -l -`
    Man(man::Manual),
}

impl Command {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        match self {
            Self::Init(command) => command.run(),
            Self::Plan(command) => command.run(place),
            Self::Run(command) => command.run(place),
            Self::Resume(command) => command.run(place),
            Self::Watch(command) => command.run(place),
            Self::Board(command) => command.run(place),
            Self::Importance(command) => command.run(place),
            Self::List(command) => command.run(place),
            Self::Show(command) => command.run(place),
            Self::Explain(command) => command.run(place),
            Self::Compare(command) => command.run(place),
            Self::Diff(command) => command.run(place),
            Self::Tree(command) => command.run(place),
            Self::Report(command) => command.run(place),
            Self::Logs(command) => command.run(place),
            Self::Stop(command) => command.run(place),
            Self::Pause(command) => command.run(place),
            Self::Retry(command) => command.run(place),
            Self::Extend(command) => command.run(place),
            Self::Verify(command) => command.run(place),
            Self::Rm(command) => command.run(place),
            Self::Schedule(command) => command.run(place),
            Self::Export(command) => command.run(place),
            Self::Import(command) => command.run(),
            Self::Data(command) => command.run(place),
            Self::Doctor(command) => command.run(place),
            Self::Schema(command) => command.run(),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
        }
    }
}

/// How pictures are drawn.
#[derive(Args)]
pub(crate) struct Drawing {
    /// Draw with ASCII characters
    #[arg(long)]
    ascii: bool,
}

impl Drawing {
    /// As wide as the terminal, within limits, and so many lines high.
    fn style(&self, height: usize) -> Style {
        let is_plain =
            anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never;
        Style {
            width: width().unwrap_or(80).min(100),
            height,
            charset: if self.ascii { Charset::Ascii } else { Charset::Unicode },
            ink: if is_plain { Ink::Plain } else { Ink::Color },
        }
    }
}

/// Columns of the terminal, if there is one.
fn width() -> Option<usize> {
    let out = std::io::stdout();
    out.is_terminal()
        .then(|| rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col)))
        .flatten()
}

/// Columns for a table: of the terminal, or those of a [pipe](PIPE).
fn columns() -> usize {
    width().unwrap_or(PIPE)
}

/// Whether the person's locale is one of UTF-8.
fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    locale.to_lowercase().replace('-', "").ends_with("utf8")
}

/// Says after a while that something is waited for; once.
async fn patiently<T>(future: impl Future<Output = T>, say: impl FnOnce()) -> T {
    const PATIENCE: Duration = Duration::from_secs(10);
    let mut future = pin!(future);
    if let Ok(result) = tokio::time::timeout(PATIENCE, &mut future).await {
        return result;
    }
    say();
    future.await
}

/// Runs something that waits for processes.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Reads and plans a sweep; `name` is its file's, for messages.
pub(crate) fn prepared(place: &Place, name: &str, text: &str) -> Result<Prepared> {
    let spec = prepare::read(name, text)?;
    let runner = place.runner(&spec)?;
    let name = runner.name();
    let prepared = async { Ok(prepare::prepare(spec, runner).await?) };
    block_on(patiently(prepared, || {
        eprintln!(
            "the worker program {} has not answered yet; it is waited for (`[run] stall` sets a limit, Ctrl-C ends it)",
            name.display()
        );
    }))
}

/// How often a sweep's stages may be tried again; as without its file, if an older version wrote that.
fn budgets(revision: &Revision) -> Budgets {
    let spec = pleach_core::spec::read(&revision.file, &revision.text);
    spec.map(|spec| spec.run.budgets).unwrap_or_default()
}
