//! How long a rate takes to be known: `evaluate SCHEDULE STEPS`, the schedule as one line. Prints nanoseconds a step, all
//! steps asked for one by one.

#![expect(clippy::print_stdout, reason = "what it is for")]

use std::{error::Error, hint::black_box, time::Instant};

use pleach_schedule::{duration::Horizon, schedule::Schedule};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, line, steps] = arguments.as_slice() else {
        return Err("write evaluate SCHEDULE STEPS".into());
    };
    let (schedule, steps): (Schedule, u64) = (line.parse()?, steps.parse()?);
    let resolved = schedule.resolve(Horizon { steps, steps_per_epoch: 100 })?;
    let begin = Instant::now();
    for step in 0..steps {
        black_box(resolved.at(black_box(step)));
    }
    println!("{}", begin.elapsed().as_secs_f64() * 1e9 / steps as f64);
    Ok(())
}
