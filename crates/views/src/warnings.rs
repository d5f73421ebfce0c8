//! What was odd in what the trials of a sweep said of their metrics.

use pleach_store::Warned;

use crate::format::plural;

/// So many kinds are told.
const KINDS: usize = 8;

/// A line for each kind, and where to read more; nothing without any.
pub fn lines(sweep: &str, warnings: &[Warned]) -> Vec<String> {
    let mut lines: Vec<String> = warnings.iter().take(KINDS).map(line).collect();
    let more = warnings.len().saturating_sub(KINDS) as u64;
    if 0 < more {
        lines.push(format!("and {} of other kinds", plural(more, "warning")));
    }
    if let Some(first) = warnings.first() {
        let trial = first.trial.0;
        lines.push(format!("a trial's own warnings: `pleach show {sweep} {trial}`"));
    }
    lines
}

fn line(Warned { warning, trial, others }: &Warned) -> String {
    let others = match others {
        0 => String::new(),
        1 => " and another".to_owned(),
        others => format!(" and {others} others"),
    };
    format!("warning: trial {}{others}: {warning}", trial.0)
}

#[cfg(test)]
mod tests {
    use pleach_core::{life::TrialId, warning::Warning};

    use super::*;

    #[test]
    fn a_kind_is_told_once_with_its_first_trial() {
        let warned = |trial, others, count| Warned {
            warning: Warning::new(
                "a line that cannot be read was left out",
                count,
                Some(12),
                "`x`",
            ),
            trial: TrialId(trial),
            others,
        };
        let few = [warned(3, 0, 1), warned(4, 1, 40), warned(5, 11, 2)];
        let many = vec![warned(3, 0, 1); 10];
        insta::assert_snapshot!(lines("mine", &few).join("\n"));
        assert_eq!(lines("mine", &many).len(), KINDS + 2);
        assert!(lines("mine", &[]).is_empty());
    }
}
