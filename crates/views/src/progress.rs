//! How far a sweep is, in one line.

use crate::format::{count, duration};

#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Trials that have ended, one way or another.
    pub done: u64,
    pub total: u64,
    /// Of all steps, those that are made; absent where it is not known how many there are.
    pub share: Option<f64>,
    pub running: u64,
    pub failed: u64,
    pub diverged: u64,
    pub stopped: u64,
    /// Seconds; absent if nobody runs it.
    pub elapsed: Option<f64>,
    /// Seconds; absent while nothing can be said.
    pub remaining: Option<f64>,
    /// What is best so far.
    pub best: Option<String>,
    /// Something out of the ordinary.
    pub note: Option<String>,
}

/// `37 % · 12/90 trials · 2 running · 1 failed · best 0.973 · 45s, 1m 20s left`.
pub fn line(line: &Line) -> String {
    // Below its end it is not at 100 %.
    let percent = |share: f64| {
        let percent = (100.0 * share).floor();
        format!("{:.0} %", if line.done < line.total { percent.min(99.0) } else { percent })
    };
    let mut parts: Vec<String> = line.share.map(percent).into_iter().collect();
    parts.push(format!("{}/{} trials", count(line.done), count(line.total)));
    for (number, word) in [
        (line.running, "running"),
        (line.failed, "failed"),
        (line.diverged, "diverged"),
        (line.stopped, "stopped"),
    ] {
        if 0 < number {
            parts.push(format!("{} {word}", count(number)));
        }
    }
    parts.extend(line.best.clone());
    let elapsed = line.elapsed.map(duration);
    parts.extend(elapsed.map(|elapsed| match line.remaining {
        Some(remaining) if line.done < line.total => {
            format!("{elapsed}, {} left", duration(remaining))
        }
        _ => elapsed,
    }));
    parts.extend(line.note.clone());
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_there_is_to_say() {
        assert_eq!(line(&Line { total: 90, ..Line::default() }), "0/90 trials");
        let begun = Line { total: 90, elapsed: Some(0.0), ..Line::default() };
        assert_eq!(line(&begun), "0/90 trials · 0s");
        let busy = Line {
            done: 12,
            total: 1090,
            share: Some(0.376),
            running: 2,
            failed: 1,
            diverged: 3,
            stopped: 2,
            elapsed: Some(45.0),
            remaining: Some(80.0),
            best: Some("best 0.973".to_owned()),
            note: Some("stopping".to_owned()),
        };
        assert_eq!(
            line(&busy),
            "37 % · 12/1 090 trials · 2 running · 1 failed · 3 diverged · 2 stopped · best 0.973 · 45s, 1m 20s left · stopping"
        );
    }
}
