//! Ctrl-C and its like: the first asks the run to stop, the second kills what runs, and two always end the coordinator. They
//! are heard by a thread of their own, whatever the loop waits for: a disk that does not answer, a database that somebody
//! holds.

use std::{
    io::{self, Write},
    sync::mpsc as threads,
    thread,
    time::Duration,
};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::Sender,
    time::sleep,
};

use super::RunError;
use crate::process::Input;

/// After the second signal the run ends within a few seconds, unless it is stuck.
const PATIENCE: Duration = Duration::from_secs(15);

/// The exit code of a sweep that was stopped before its end.
const STOPPED: i32 = 130;

/// Signals arrive as inputs from now on.
pub(super) fn listen(sender: &Sender<Input>) -> Result<(), RunError> {
    let sender = sender.clone();
    let (ready, is_ready) = threads::channel();
    let hear = move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async {
            match signals() {
                Ok(signals) => {
                    drop(ready.send(Ok(())));
                    heed(signals, sender).await;
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        });
    };
    let started = thread::Builder::new().name("signals".to_owned()).spawn(hear);
    started
        .and_then(|_| is_ready.recv().map_err(io::Error::other))
        .and_then(|ready| ready)
        .map_err(RunError::Signals)
}

fn signals() -> io::Result<[Signal; 3]> {
    let [interrupt, terminate, hangup] =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    Ok([interrupt?, terminate?, hangup?])
}

/// Until the run is over.
async fn heed([mut interrupt, mut terminate, mut hangup]: [Signal; 3], sender: Sender<Input>) {
    for count in 1.. {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            () = sender.closed() => return,
        }
        let told = sender.clone();
        tokio::spawn(async move { drop(told.send(Input::Signal).await) });
        if count == 2 {
            let run = sender.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = run.closed() => {}
                    () = sleep(PATIENCE) => give_up(),
                }
            });
        }
    }
}

/// The guards see that their coordinator is gone, and end what runs.
#[expect(clippy::exit, reason = "whatever the rest of this process waits for, it does not answer")]
fn give_up() {
    let why = "the coordinator is stuck, and ends without waiting: what is kept stays, the rest runs again\n";
    drop(io::stderr().write_all(why.as_bytes()));
    std::process::exit(STOPPED);
}
