//! How long the rest of a sweep takes, and how much room, as its past tells.

use std::fmt::Write;

use pleach_core::plan::Tree;
use pleach_store::Pace;

use crate::{
    format::{duration, size},
    tree::forks,
};

/// `what is left takes about 1m 05s, as fast as until now`, and what room saved states take. Empty if nothing
/// is left, or nothing was trained yet.
pub fn text(tree: &Tree, pace: &Pace, at_once: u32, keep: u64) -> String {
    let left = tree.stages.iter().map(|stage| &stage.stage);
    let left = left.filter(|stage| !pace.done.contains(&stage.key));
    let steps: u64 = left.map(|stage| stage.end - stage.first).sum();
    if steps == 0 || pace.steps == 0 {
        return String::new();
    }
    let step = pace.milliseconds as f64 / 1000.0 / pace.steps as f64;
    let mut text =
        format!("what is left takes about {}, as fast as until now", duration(steps as f64 * step));
    if 0 < pace.state {
        let room = Room::new(tree, pace.state, u64::from(at_once), keep);
        let (all, kept) = (size(room.kept.saturating_add(room.passing)), size(room.kept));
        // A `String` takes everything.
        let _infallible = write!(text, "; saved states take up to {all}, {kept} of it to stay");
    }
    text.push('\n');
    text
}

/// Bytes of saved states, at most.
struct Room {
    /// Of ends of stages, within what the person allows.
    kept: u64,
    /// Of those from which stages start that are still to be trained, and of the two newest of each that runs.
    passing: u64,
}

impl Room {
    fn new(tree: &Tree, state: u64, at_once: u64, keep: u64) -> Self {
        let stages = tree.stages.len() as u64;
        let passing = at_once.saturating_mul(forks(tree) + 2).min(stages.saturating_mul(2));
        Self {
            kept: stages.saturating_mul(state).min(keep),
            passing: passing.saturating_mul(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{fact::NewStage, key::Key, plan::TreeStage};

    fn stage(name: &str, first: u64, end: u64, parent: Option<usize>) -> TreeStage {
        let stage = NewStage { key: Key::of(name), first, end };
        TreeStage { stage, parent, trials: 1 }
    }

    #[test]
    fn what_is_left_is_told_by_what_was_done() {
        let stages = vec![
            stage("a", 0, 1000, None),
            stage("b", 1000, 4000, Some(0)),
            stage("c", 1000, 2000, Some(0)),
        ];
        let tree = Tree { stages, leaves: vec![1, 2] };
        let pace =
            Pace { steps: 1000, milliseconds: 60_000, state: 400_000, done: [Key::of("a")].into() };
        assert_eq!(
            text(&tree, &pace, 2, 1 << 30),
            "what is left takes about 4m 00s, as fast as until now; saved states take up to 4 MiB, 2 MiB of it to stay\n"
        );
        assert!(
            text(&tree, &pace, 1, 1 << 19)
                .ends_with("; saved states take up to 2 MiB, 512 KiB of it to stay\n")
        );
        // However many at once, there are no more states than stages, and one more of each that runs.
        let many = text(&tree, &pace, 1000, 1 << 19);
        assert!(
            many.ends_with("; saved states take up to 3 MiB, 512 KiB of it to stay\n"),
            "{many}"
        );
        assert_eq!(text(&tree, &Pace::default(), 2, 0), "", "nothing was trained");
        let all = ["a", "b", "c"].map(Key::of).into();
        assert_eq!(text(&tree, &Pace { done: all, ..pace }, 2, 0), "", "nothing is left");
    }
}
