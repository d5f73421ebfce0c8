//! How long the rest of a sweep takes, and how much room, as its past tells.

use pleach_core::plan::Tree;
use pleach_store::Pace;

use crate::format::{duration, plural};

/// `what is left takes about 1m 05s with 2 workers, as fast as until now`; what is saved takes `keep` bytes at most. Empty
/// if nothing is left, or nothing was trained yet.
pub fn text(tree: &Tree, pace: &Pace, workers: u32, keep: u64) -> String {
    let left = tree.stages.iter().map(|stage| &stage.stage);
    let left = left.filter(|stage| !pace.done.contains(&stage.key));
    let steps: u64 = left.map(|stage| stage.end - stage.first).sum();
    if steps == 0 || pace.steps == 0 {
        return String::new();
    }
    let workers = workers.max(1);
    let step = pace.milliseconds as f64 / 1000.0 / pace.steps as f64;
    let mut text = format!(
        "what is left takes about {} with {}, as fast as until now",
        duration(steps as f64 * step / f64::from(workers)),
        plural(u64::from(workers), "worker")
    );
    if 0 < pace.state {
        let states = (tree.stages.len() as u64).saturating_mul(pace.state).min(keep);
        text.push_str("; saved states take up to ");
        text.push_str(&size(states));
    }
    text.push('\n');
    text
}

/// `320 KiB`, `12 MiB`, `2.0 GiB`.
fn size(bytes: u64) -> String {
    let kib = bytes as f64 / 1024.0;
    match kib {
        ..1000.0 => format!("{:.0} KiB", kib.ceil()),
        ..1_000_000.0 => format!("{:.0} MiB", (kib / 1024.0).ceil()),
        _ => format!("{:.1} GiB", kib / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{fact::NewStage, key::Key, plan::TreeStage};

    fn stage(name: &str, first: u64, end: u64) -> TreeStage {
        let stage = NewStage { key: Key::of(name), first, end };
        TreeStage { stage, parent: None, trials: 1 }
    }

    #[test]
    fn what_is_left_is_told_by_what_was_done() {
        let stages = vec![stage("a", 0, 1000), stage("b", 1000, 4000), stage("c", 1000, 2000)];
        let tree = Tree { stages, leaves: vec![1, 2] };
        let pace =
            Pace { steps: 1000, milliseconds: 60_000, state: 400_000, done: [Key::of("a")].into() };
        assert_eq!(
            text(&tree, &pace, 2, 1 << 30),
            "what is left takes about 2m 00s with 2 workers, as fast as until now; saved states take up to 2 MiB\n"
        );
        assert!(
            text(&tree, &pace, 1, 1 << 19)
                .ends_with("1 worker, as fast as until now; saved states take up to 512 KiB\n")
        );
        assert_eq!(text(&tree, &Pace::default(), 2, 0), "", "nothing was trained");
        let all = ["a", "b", "c"].map(Key::of).into();
        assert_eq!(text(&tree, &Pace { done: all, ..pace }, 2, 0), "", "nothing is left");
    }
}
