//! The section `[run]`: where and how trials run.

use super::{
    Interval, Pin, RunSpec, Share, Slots,
    file::{self, keys},
    node::{Entry, Kind},
    reader::{Reader, find},
};
use crate::{
    class::{Budgets, Class},
    value::Value,
};

/// Less than this no kernel grants.
const LEAST_CPUS: f64 = 0.01;

/// More cores no machine has.
const MOST_CPUS: f64 = 4096.0;

impl Reader {
    pub(super) fn run(&mut self, entry: &Entry) -> RunSpec {
        let entries = self.table(entry);
        self.only(entries, &keys::<file::RunSection>(), "[run]");
        let default = RunSpec::default();
        let per_device = find(entries, "per_device")
            .map(|entry| self.whole(entry, 1, "workers on each device").unwrap_or(1));
        let slots = match (find(entries, "devices"), find(entries, "slots")) {
            (Some(devices), slots) => {
                if let Some(slots) = slots {
                    self.error(
                        &slots.key_span,
                        "`slots` and `devices` exclude each other",
                        "one too many",
                        "with devices, write per_device",
                    );
                }
                let devices = self
                    .texts(devices, "write devices = [\"cuda:0\", \"cuda:1\"]")
                    .unwrap_or_default();
                let devices = self.together(entries, devices);
                Slots::Devices { devices, per_device: per_device.unwrap_or(1) as u32 }
            }
            (None, Some(slots)) => match &slots.node.kind {
                Kind::Scalar(Value::Text(text)) if text == "auto" => Slots::Auto,
                _ => Slots::Number(
                    self.whole(slots, 1, "workers at a time: a number, or \"auto\"")
                        .unwrap_or(1)
                        .min(4096) as u32,
                ),
            },
            (None, None) => Slots::Auto,
        };
        if let (Some(entry), false) =
            (find(entries, "per_device"), matches!(slots, Slots::Devices { .. }))
        {
            self.error(
                &entry.key_span,
                "`per_device` needs `devices`",
                "of what?",
                "write devices = [\"cuda:0\"], or slots = 4",
            );
        }
        if let (Some(entry), None) = (find(entries, "gpus"), find(entries, "devices")) {
            self.error(
                &entry.key_span,
                "`gpus` needs `devices`",
                "of what?",
                "write devices = [\"cuda:0\", \"cuda:1\"]",
            );
        }
        let lanes = find(entries, "lanes").and_then(|entry| match &entry.node.kind {
            Kind::Scalar(Value::Text(text)) if text == "auto" => None,
            _ => self
                .whole(entry, 1, "trials side by side in a worker: a number, or \"auto\"")
                .map(|lanes| lanes.min(4096) as u32),
        });
        let mut time = |key| find(entries, key).and_then(|entry| self.time(entry));
        let (timeout, stall, limit) = (time("timeout"), time("stall"), time("limit"));
        let budgets = self.budgets(entries);
        let threads = find(entries, "threads")
            .and_then(|entry| {
                self.whole(entry, 1, "threads of each program, told to its libraries")
            })
            .map(|threads| threads.min(4096) as u32);
        let pin = find(entries, "pin").and_then(|entry| self.pin(entry));
        let nice = find(entries, "nice")
            .and_then(|entry| {
                self.whole(entry, 0, "how far workers step back, up to 19, as of `nice`")
            })
            .map(|nice| nice.min(19) as u32);
        let memory = find(entries, "memory").and_then(|entry| self.size(entry));
        let cpus = find(entries, "cpus").and_then(|entry| self.cpus(entry));
        let checkpoint = find(entries, "checkpoint").and_then(|entry| self.interval(entry));
        let keep = find(entries, "keep").and_then(|entry| self.size(entry));
        let share = find(entries, "share").and_then(|entry| self.share(entry));
        RunSpec {
            slots,
            lanes,
            timeout,
            stall,
            budgets,
            limit,
            threads,
            pin: pin.unwrap_or(default.pin),
            nice: nice.unwrap_or(default.nice),
            memory,
            cpus,
            checkpoint: checkpoint.unwrap_or(default.checkpoint),
            keep: keep.unwrap_or(default.keep),
            share: share.unwrap_or(default.share),
        }
    }

    /// The devices of each slot, `gpus` of them together.
    fn together(&mut self, entries: &[Entry], devices: Vec<String>) -> Vec<String> {
        let Some(entry) = find(entries, "gpus") else { return devices };
        let Some(gpus) = self.whole(entry, 1, "GPUs of each trial") else { return devices };
        let gpus = gpus as usize;
        if !devices.len().is_multiple_of(gpus) {
            self.error(
                &entry.node.span,
                format!("{} devices cannot be shared out {gpus} by {gpus}", devices.len()),
                "some would be left",
                "write as many devices as slots take, or another number",
            );
        }
        devices.chunks(gpus).map(|slot| slot.join(",")).collect()
    }

    /// `retries`, and the table `retry`.
    fn budgets(&mut self, run: &[Entry]) -> Budgets {
        let mut budgets = Budgets::default();
        let mut set = |reader: &mut Self, entry: &Entry, class| {
            let so = if class == Class::Error { "" } else { " so" };
            let help = format!("how often a trial that failed{so} is tried again");
            let retries = reader.whole(entry, 0, &help).map(|retries| retries.min(1000) as u32);
            budgets = budgets.clone().with(class, retries.unwrap_or(0));
        };
        if let Some(entry) = find(run, Class::Error.key()) {
            set(self, entry, Class::Error);
        }
        let Some(retry) = find(run, "retry") else { return budgets };
        let entries = self.table(retry);
        self.only(entries, &keys::<file::RetrySection>(), "[run.retry]");
        for class in Class::ALL.into_iter().filter(|class| *class != Class::Error) {
            if let Some(entry) = find(entries, class.key()) {
                set(self, entry, class);
            }
        }
        budgets
    }

    fn pin(&mut self, entry: &Entry) -> Option<Pin> {
        match entry.node.kind {
            Kind::Scalar(Value::Bool(true)) => Some(Pin::Yes),
            Kind::Scalar(Value::Bool(false)) => Some(Pin::No),
            _ => self.wrong_type(
                entry,
                "true or false",
                "write pin = true to give every slot cores of its own",
            ),
        }
    }

    fn cpus(&mut self, entry: &Entry) -> Option<f64> {
        let help = "write how many cores' worth of processor time each program gets: 1.5";
        let value = match entry.node.kind {
            Kind::Scalar(Value::Int(value)) => value as f64,
            Kind::Scalar(Value::Float(value)) => value,
            _ => return self.wrong_type(entry, "a number of cores", help),
        };
        if (LEAST_CPUS..=MOST_CPUS).contains(&value) {
            return Some(value);
        }
        self.error(
            &entry.node.span,
            format!("`cpus` must be between {LEAST_CPUS} and {MOST_CPUS}"),
            format!("this is {}", Value::Float(value)),
            help,
        );
        None
    }

    fn share(&mut self, entry: &Entry) -> Option<Share> {
        match entry.node.kind {
            Kind::Scalar(Value::Bool(true)) => Some(Share::Yes),
            Kind::Scalar(Value::Bool(false)) => Some(Share::No),
            _ => self.wrong_type(
                entry,
                "true or false",
                "write share = false to train every trial by itself",
            ),
        }
    }

    fn interval(&mut self, entry: &Entry) -> Option<Interval> {
        if let Kind::Scalar(Value::Text(text)) = &entry.node.kind
            && let Some(steps) = text.strip_suffix("st")
        {
            return match steps.parse() {
                Ok(steps) if 0 < steps => Some(Interval::Steps(steps)),
                _ => {
                    self.error(
                        &entry.node.span,
                        "`checkpoint` is not a number of steps",
                        "here",
                        "write a whole number above zero: \"500st\"",
                    );
                    None
                }
            };
        }
        self.time(entry).map(Interval::Seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use crate::diagnostic::Color;

    const HEAD: &str = "[sweep]\nname = \"x\"\nobjective = { metric = \"a\", goal = \"max\" }\n";

    #[test]
    fn processor_time_is_a_number_of_cores() {
        let cpus = |value: &str| {
            let text = format!("{HEAD}[space]\na = [1]\n[run]\ncpus = {value}\n");
            read("x.toml", &text).map(|spec| spec.run.cpus)
        };
        for (value, expected) in [("1", 1.0), ("0.01", 0.01), ("4096", 4096.0)] {
            assert_eq!(cpus(value).unwrap(), Some(expected));
        }
        let wrong = ["0", "-1.5", "0.009", "nan", "inf", "\"2\"", "true"];
        let said = wrong.map(|value| cpus(value).unwrap_err().render(Color::Plain));
        insta::assert_snapshot!(said.join("\n"));
    }
}
