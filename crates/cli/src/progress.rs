//! What a person sees while a sweep runs: one line that changes on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use crate::say::eprintln;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pleach_core::{
    command::Message,
    plain::{safe, within},
    spec::SweepSpec,
};
use pleach_engine::{
    home::Home,
    run::{Reporter, Status, Stopping},
};
use pleach_views::{
    format::number,
    progress::{Line, line},
};

use crate::failures::{Failure, Failures};

/// Without a terminal, how often a line is printed.
const EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Shown {
    bar: Option<ProgressBar>,
    printed: Instant,
    failures: Failures,
    is_over: bool,
    name: String,
    metric: String,
}

impl Shown {
    pub(crate) fn new(spec: &SweepSpec, home: &Home) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is a constant; were it wrong, the default would do.
            let style = ProgressStyle::with_template("{bar:24.cyan/dim} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            printed: now,
            failures: Failures::new(home),
            is_over: false,
            name: home.name().to_owned(),
            metric: within(&spec.objective.metric, 60).into_owned(),
        }
    }

    /// Says what was only counted.
    pub(crate) fn finish(&self) {
        for line in self.failures.rest() {
            eprintln!("{line}");
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }
}

impl Reporter for Shown {
    fn message(&mut self, message: &Message) {
        let name = &self.name;
        match message {
            Message::TrialEnded { .. } => {}
            &Message::AttemptFailed { trial, others, attempt, class, ref why, again } => {
                let failure = Failure { trial, others, attempt, class, why, again };
                if let Some(text) = self.failures.tell(&failure) {
                    self.say(&text);
                }
            }
            Message::StateDiffers { trial, step } => {
                self.say(&format!(
                    "the state at step {step} of trial {} was trained again and is not what it was: the program does not repeat itself to the last bit; what is still to be trained goes on from the new state",
                    trial.0
                ));
            }
            Message::DeviceSetAside { why } => self.say(why),
            Message::WorkerMute { seconds, .. } => {
                self.say(&format!(
                    "a worker has not introduced itself for {seconds} s; it is waited for (`[run] stall` sets a limit, `pleach stop {name}` or Ctrl-C ends it)"
                ));
            }
            Message::WorkerLingers { seconds, .. } => {
                self.say(&format!(
                    "a worker has had nothing to do for {seconds} s and does not end; it is waited for (`[run] stall` sets a limit, `pleach stop {name}` or Ctrl-C ends it)"
                ));
            }
            Message::SlotGivenUp { slot, why } => {
                self.say(&format!(
                    "no more workers are started on slot {}, where they end without having run anything: {why}",
                    slot + 1
                ));
            }
            Message::WorkerSilent { trial, seconds, .. } => {
                self.say(&format!(
                    "trial {} has said nothing for {seconds} s; it is left alone (`[run] stall` sets a limit, `pleach stop {name} --now` kills it)",
                    trial.0
                ));
            }
        }
    }

    fn progress(&mut self, status: &Status) {
        let progress = &status.progress;
        let best = status.best.map(|(trial, value)| {
            format!("best {} {} (trial {})", self.metric, number(value, 4), trial.0)
        });
        let text = line(&Line {
            done: progress.trials - progress.waiting,
            total: progress.trials,
            share: progress.share(),
            running: progress.running.len() as u64,
            failed: progress.failed,
            diverged: progress.diverged,
            stopped: progress.stopped,
            elapsed: Some(status.elapsed.as_secs_f64()),
            remaining: status.remaining.map(|remaining| remaining.as_secs_f64()),
            best,
            note: match status.stopping {
                Stopping::No => None,
                Stopping::Asked => {
                    Some("stopping: what runs saves itself (once more kills)".to_owned())
                }
                Stopping::Killing => Some("killing".to_owned()),
            },
        });
        let is_over = progress.waiting == 0;
        let is_new = is_over && !std::mem::replace(&mut self.is_over, is_over);
        match &self.bar {
            Some(bar) => {
                const WHOLE: u64 = 1000;
                let ended = progress.trials - progress.waiting;
                let share = progress.share();
                let share = share.unwrap_or(ended as f64 / progress.trials.max(1) as f64);
                bar.set_length(WHOLE);
                bar.set_position((share * WHOLE as f64) as u64);
                bar.set_message(safe(&text).into_owned());
                if is_over {
                    bar.finish();
                }
            }
            None if is_new || EVERY <= self.printed.elapsed() && !is_over => {
                self.printed = Instant::now();
                eprintln!("{text}");
            }
            None => {}
        }
    }
}
