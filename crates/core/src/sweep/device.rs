//! Devices that fail what runs elsewhere: set aside for this run, so that they cost nobody anything.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decisions, Sweep, WorkerState};
use crate::{
    class::Class,
    command::{Command, Message},
    fact::Fact,
    life::{Charge, Ending, StageId, WorkerId},
};

/// So many stages that failed in a row, as they do on a broken device, set it aside.
const IN_A_ROW: usize = 2;

/// How the devices have done in this run, by their names.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// Stages that have ended as they do on a broken one, since something last came to a result there. One that ends so
    /// again and again may itself be to blame.
    faults: BTreeMap<String, BTreeSet<StageId>>,
    /// Those on which an attempt has come to a result.
    good: BTreeSet<String>,
    aside: BTreeSet<String>,
}

impl Sweep {
    fn device(&self, slot: u32) -> &str {
        self.settings.devices.get(slot as usize).map_or("cpu", String::as_str)
    }

    /// Whether nothing more is begun on a slot.
    pub(super) fn is_aside(&self, slot: u32) -> bool {
        self.devices.aside.contains(self.device(slot))
    }

    /// An attempt has ended so on a slot. If this shows that its device is broken, that is set aside, and nobody charged.
    pub(super) fn blame(
        &mut self,
        (slot, stage): (u32, StageId),
        ending: Ending,
        decisions: &mut Decisions,
    ) -> Ending {
        let device = self.device(slot).to_owned();
        if ending.charge() == Charge::Counted {
            self.devices.faults.remove(&device);
            self.devices.good.insert(device);
            return ending;
        }
        let Ending::Failed(Class::Crash | Class::Infrastructure, why) = &ending else {
            return ending;
        };
        let Devices { faults, good, aside } = &mut self.devices;
        let faults = faults.entry(device.clone()).or_default();
        faults.insert(stage);
        let is_good_elsewhere = good.iter().any(|other| *other != device && !aside.contains(other));
        if faults.len() < IN_A_ROW || !is_good_elsewhere {
            return ending;
        }
        let why = format!("{device} is set aside, since others do what fails on it: {why}");
        if aside.insert(device) {
            decisions.facts.push(Fact::Note { text: why.clone() });
            decisions.commands.push(Command::Say(Message::DeviceSetAside { why: why.clone() }));
        }
        Ending::Failed(Class::Infrastructure, why)
    }

    /// Lets go of workers on devices that were set aside, when they have nothing to do.
    pub(super) fn leave_aside(&mut self, decisions: &mut Decisions) {
        let is_left = |(_, worker): &(&WorkerId, &super::Worker)| {
            self.is_aside(worker.slot)
                && worker.queue.is_empty()
                && matches!(worker.state, WorkerState::Ready(_) | WorkerState::Starting)
        };
        let left: Vec<WorkerId> = self.workers.iter().filter(is_left).map(|(id, _)| *id).collect();
        for id in left {
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.let_go();
                decisions.commands.push(Command::Dismiss { worker: id });
            }
        }
    }
}
