//! The limits of everything that is said: one place for all of them. `docs/protocol.md` names them for people.
//!
//! Numbers from outside become sizes of lists and sums over trials; within these limits no such size or sum can overflow or
//! ask for more memory than a machine has.

use std::collections::BTreeSet;

use crate::{
    describe::{Description, Kind, Parameter, Role},
    message::{MAX_LINE, Measured, PROTOCOL},
};

/// Steps of a trial, and of an epoch: about 10¹².
pub const MAX_STEPS: u64 = 1 << 40;

/// Steps of a trial whose rates are told as a table can never be more: each takes 4 bytes of a line at least (`0.1,`).
pub const MAX_TABLE: u64 = MAX_LINE as u64 / 4;

/// Trials side by side in one worker, and attempts in its queue.
pub const MAX_LANES: u32 = 1 << 16;

/// Bytes of a name or label: a program, its numerics, a parameter, a metric, a device, a digest.
pub const MAX_NAME: usize = 256;

/// Bytes that are kept of a reason for people; the rest is left out.
pub const MAX_REASON: usize = 1 << 12;

/// Parameters, devices, and metrics in a worker's description, each.
pub const MAX_DESCRIBED: usize = 1 << 14;

/// Checks a worker's answer to the greeting; an error says what is wrong, for people.
pub fn check_description(description: &Description) -> Result<(), String> {
    let Description {
        protocol,
        program,
        version,
        numerics,
        queue,
        parameters,
        devices,
        metrics,
        ..
    } = description;
    if *protocol != PROTOCOL {
        return Err(format!(
            "it speaks version {protocol} of the protocol, this pleach version {PROTOCOL}"
        ));
    }
    if program.is_empty() || numerics.is_empty() {
        return Err("it does not say which program and numerics it is".to_owned());
    }
    for (what, name) in [("program", program), ("version", version), ("numerics", numerics)] {
        label(what, name)?;
    }
    if MAX_LANES < *queue {
        return Err(format!("its `queue` is {queue}, more than {MAX_LANES}"));
    }
    let lengths =
        [("parameters", parameters.len()), ("devices", devices.len()), ("metrics", metrics.len())];
    if let Some((what, length)) = lengths.iter().find(|(_, length)| MAX_DESCRIBED < *length) {
        return Err(format!("it describes {length} {what}, more than {MAX_DESCRIBED}"));
    }
    for device in devices {
        name("a device", device)?;
    }
    for metric in metrics {
        name("a metric", metric)?;
    }
    let mut names = BTreeSet::new();
    for parameter in parameters {
        name("a parameter", &parameter.name)?;
        if !names.insert(parameter.name.as_str()) {
            return Err(format!("it describes the parameter `{}` twice", parameter.name));
        }
    }
    for role in [Role::Budget, Role::Evaluations] {
        let mut of_role = parameters.iter().filter(|parameter| parameter.role == Some(role));
        if let (Some(one), Some(other)) = (of_role.next(), of_role.next()) {
            let role = if role == Role::Budget { "budget" } else { "evaluations" };
            return Err(format!(
                "both `{}` and `{}` have the role `{role}`; only one parameter can",
                one.name, other.name
            ));
        }
    }
    parameters.iter().try_for_each(|parameter| check_parameter(parameter, &names))
}

fn check_parameter(parameter: &Parameter, names: &BTreeSet<&str>) -> Result<(), String> {
    let Parameter { name, kind, only, per_step, role, .. } = parameter;
    let is_empty_range = match kind {
        Kind::Int { min: Some(min), max: Some(max) } => max < min,
        Kind::Float { min: Some(min), max: Some(max) } => max < min,
        _ => false,
    };
    if is_empty_range {
        return Err(format!("the least value of `{name}` is above its greatest"));
    }
    if *per_step && !matches!(kind, Kind::Float { .. }) {
        return Err(format!("`{name}` is `per_step` and no `float`"));
    }
    if *role == Some(Role::Evaluations) && *kind != Kind::Duration {
        return Err(format!("`{name}` has the role `evaluations` and is no `duration`"));
    }
    match only {
        Some((other, _)) if other == name || !names.contains(other.as_str()) => {
            Err(format!("`{name}` acts only with `{other}`, which is no other parameter of it"))
        }
        _ => Ok(()),
    }
}

/// Checks the answer to a `measure`; an error says what is wrong, for people.
pub fn check_measured(measured: &Measured) -> Result<(), String> {
    let Measured { steps, steps_per_epoch, data, lanes, .. } = measured;
    for (what, number, most) in [
        ("steps", *steps, MAX_STEPS),
        ("steps_per_epoch", *steps_per_epoch, MAX_STEPS),
        ("lanes", u64::from(*lanes), u64::from(MAX_LANES)),
    ] {
        if !(1..=most).contains(&number) {
            return Err(format!("it measured `{what}` as {number}; it must be from 1 to {most}"));
        }
    }
    label("data", data)
}

/// Checks the digest of a state; an error says what is wrong, for people.
pub fn check_digest(digest: &str) -> Result<(), String> {
    label("a digest", digest)
}

/// As much of a reason as is kept.
pub fn reason(mut why: String) -> String {
    if MAX_REASON < why.len() {
        why.truncate(why.floor_char_boundary(MAX_REASON));
        why.push('…');
    }
    why
}

/// A text that must not be empty.
fn name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("{what} in its description has no name"));
    }
    label(what, name)
}

fn label(what: &str, text: &str) -> Result<(), String> {
    if MAX_NAME < text.len() {
        return Err(format!("{what} has a name of {} bytes, more than {MAX_NAME}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{what} has a control character in its name: {text:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::describe::ScheduleForm;

    fn parameter(name: &str, kind: Kind) -> Parameter {
        let (default, doc, only, role) = (None, String::new(), None, None);
        let (length, per_step) = (false, false);
        Parameter { name: name.to_owned(), kind, default, doc, length, only, per_step, role }
    }

    fn description() -> Description {
        let text = Kind::Text { choices: Vec::new(), pattern: None };
        Description {
            protocol: PROTOCOL,
            program: "p".to_owned(),
            version: "1".to_owned(),
            numerics: "n".to_owned(),
            exact: true,
            queue: 0,
            schedules: ScheduleForm::Table,
            checkpoints: false,
            parameters: vec![parameter("a", text), parameter("b", Kind::Duration)],
            devices: vec!["cpu".to_owned()],
            metrics: vec!["loss".to_owned()],
            needs: BTreeMap::new(),
        }
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Description), expected: &str) {
        let mut description = description();
        change(&mut description);
        let error = check_description(&description).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_description_holds_together_and_is_bounded() {
        assert_eq!(check_description(&description()), Ok(()));
        refused(|it| it.protocol = 2, "version 2");
        refused(|it| it.numerics = String::new(), "numerics");
        refused(|it| it.program = "p".repeat(257), "257 bytes");
        refused(|it| it.version = "1\x1b[2J".to_owned(), "control character");
        refused(|it| it.queue = u32::MAX, "`queue`");
        refused(|it| it.devices = vec![String::new()], "no name");
        refused(|it| it.metrics = vec!["m".to_owned(); MAX_DESCRIBED + 1], "metrics, more than");
        refused(|it| it.parameters.push(it.parameters[0].clone()), "`a` twice");
        refused(
            |it| it.parameters.iter_mut().for_each(|it| it.role = Some(Role::Budget)),
            "role `budget`",
        );
        refused(|it| it.parameters[0].role = Some(Role::Evaluations), "no `duration`");
        refused(|it| it.parameters[0].per_step = true, "no `float`");
        refused(|it| it.parameters[0].only = Some(("c".to_owned(), Vec::new())), "`c`");
        refused(|it| it.parameters[0].only = Some(("a".to_owned(), Vec::new())), "`a`");
        let range = Kind::Int { min: Some(2), max: Some(1) };
        refused(|it| it.parameters[0].kind = range, "least value");
        refused(|it| it.parameters[0].name = "\n".to_owned(), "control character");
    }

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(reason("short".to_owned()), "short");
        let cut = reason("x".to_owned() + &"é".repeat(1 << 20));
        assert_eq!((cut.len(), cut.ends_with("é…")), (MAX_REASON - 1 + "…".len(), true));
        assert!(check_digest(&"0".repeat(300)).is_err());
    }

    #[test]
    fn what_is_measured_is_bounded() {
        let good =
            Measured { id: 0, steps: 1, steps_per_epoch: MAX_STEPS, data: String::new(), lanes: 1 };
        assert_eq!(check_measured(&good), Ok(()));
        let bad = [
            Measured { steps: 0, ..good.clone() },
            Measured { steps: 1 << 63, ..good.clone() },
            Measured { steps_per_epoch: 0, ..good.clone() },
            Measured { steps_per_epoch: u64::MAX, ..good.clone() },
            Measured { lanes: 0, ..good.clone() },
            Measured { lanes: u32::MAX, ..good.clone() },
            Measured { data: "x".repeat(300), ..good.clone() },
        ];
        for measured in bad {
            assert!(check_measured(&measured).is_err(), "{measured:?}");
        }
    }
}
