//! The section `[stop]`: where configurations are judged, and who goes on.

use pleach_schedule::duration::Duration;

use super::{
    StopSpec, Within,
    file::{self, keys},
    node::{Entry, Kind},
    reader::{Reader, find},
};
use crate::{stop::Rule, value::Value};

/// So many others must be seen if nobody says how many.
const LEAST: u64 = 4;

impl Reader {
    pub(super) fn stop(&mut self, entry: &Entry) -> Option<StopSpec> {
        const EXAMPLE: &str = "write rungs = [\"1ep\", \"2ep\"]: epochs (ep), steps (st) or % of a trial's budget, ascending";
        let entries = self.table(entry);
        self.only(entries, &keys::<file::StopSection>(), "[stop]");
        for key in ["rungs", "keep"] {
            if find(entries, key).is_none() {
                let help = if key == "keep" { "write keep = 0.5" } else { EXAMPLE };
                let message = format!("[stop] has no `{key}`");
                self.error(&entry.key_span, message, "incomplete", help);
            }
        }
        let rungs = find(entries, "rungs").and_then(|rungs| {
            let texts = self.texts(rungs, EXAMPLE)?;
            let Kind::List(nodes) = &rungs.node.kind else { return None };
            if texts.is_empty() {
                self.error(&rungs.node.span, "there are no rungs", "empty", EXAMPLE);
            }
            let mut read = Vec::new();
            for (text, node) in texts.iter().zip(nodes) {
                match text.parse::<Duration>() {
                    Ok(duration) if 0.0 < duration.number() => {
                        read.push((duration, node.span.clone()));
                    }
                    _ => {
                        let message = format!("`{text}` is no step of the training");
                        self.error(&node.span, message, "here", EXAMPLE);
                    }
                }
            }
            Some(read)
        });
        let keep = find(entries, "keep").and_then(|keep| match keep.node.kind {
            Kind::Scalar(Value::Float(share)) if 0.0 < share && share < 1.0 => Some(share),
            Kind::Scalar(Value::Float(_) | Value::Int(_)) => {
                let help = "write keep = 0.5 to let the better half go on";
                let message = "`keep` must be above 0 and below 1";
                self.error(&keep.node.span, message, "here", help);
                None
            }
            _ => self.wrong_type(keep, "a number", "write keep = 0.5"),
        });
        let least = find(entries, "least")
            .map(|entry| self.whole(entry, 1, "so many others must be seen before anybody stops"));
        let within = find(entries, "within").map_or(Some(Vec::new()), |entry| {
            let names = self.texts(entry, "write within = [\"schedule\"]")?;
            let Kind::List(nodes) = &entry.node.kind else { return None };
            let spans = nodes.iter().map(|node| node.span.clone());
            Some(names.into_iter().zip(spans).map(|(name, span)| Within { name, span }).collect())
        });
        let rule = Rule { keep: keep?, least: least.unwrap_or(Some(LEAST))? };
        Some(StopSpec { rungs: rungs?, rule, within: within? })
    }
}
