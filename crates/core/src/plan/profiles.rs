//! The parameters that change from step to step beside the learning rate.

use std::{collections::BTreeMap, rc::Rc};

use crate::{
    plan::{
        Length, Outcome, Planner,
        configuration::{horizon, wrong_schedule},
        schedule::{MOVING, Scheduled, follow},
        view::View,
    },
    program::Takes,
    value::{Parameters, Value},
};

impl Planner<'_> {
    /// What the program is told, with the momentum that a library's schedule moves beside the rate.
    pub(super) fn with_momentum(
        &self,
        view: &View,
        (mut worker, arguments): (Parameters, &Parameters),
        schedule: Option<&Scheduled>,
    ) -> Result<Parameters, Outcome> {
        // A person's own program is told the arguments, and moves its momentum itself.
        let is_told = self.program.takes == Takes::Anything && !self.program.checkpoints;
        let text = match schedule.and_then(|schedule| schedule.momentum.clone()) {
            Some(text) if !is_told => text,
            _ => return Ok(worker),
        };
        let argument = MOVING.into_iter().find(|name| arguments.contains_key(*name));
        let argument = argument.unwrap_or_default();
        let wrong = |message: String, help: &str| {
            let wrong = (argument.to_owned(), message, help.to_owned());
            Err(Outcome::Wrong(vec![wrong_schedule(view, wrong)]))
        };
        let moved = ["momentum", "beta1"].into_iter().filter_map(|name| self.parameters.get(name));
        let mut moved = moved.filter(|one| one.per_step && self.program.acts(one, &worker));
        let Some(parameter) = moved.next() else {
            let program = &self.program.name;
            let message = format!("`{program}` has no momentum that `{argument}` could move here");
            return wrong(message, "leave it out");
        };
        let name = &parameter.name;
        if worker.contains_key(name) {
            let message = format!("`{argument}` moves `{name}`, which has a value of its own");
            return wrong(message, "leave one of them out");
        }
        worker.insert(name.clone(), Value::Text(text));
        Ok(worker)
    }

    /// Takes the parameters that change from step to step out of the worker's; what is constant is a number.
    pub(super) fn profiles(
        &self,
        view: &View,
        mut worker: Parameters,
        rate: Option<&Scheduled>,
        length: &Length,
    ) -> Result<(Parameters, BTreeMap<String, Rc<Scheduled>>), Outcome> {
        let mut profiles = BTreeMap::new();
        for parameter in self.parameters.values().filter(|parameter| parameter.per_step) {
            let name = &parameter.name;
            let Some(Value::Text(text)) = worker.get(name) else { continue };
            let beside = rate.map(|rate| rate.written.as_str());
            let profile = self.made(view, &format!("{name} {text} {beside:?}"), length, || {
                follow(parameter, text, rate, horizon(length))
            })?;
            if let Some(number) = profile.resolved.constant() {
                worker.insert(name.clone(), Value::Float(number));
            } else {
                worker.remove(name);
                profiles.insert(name.clone(), profile);
            }
        }
        profiles.retain(|name, _| self.program.acts(self.parameters[name.as_str()], &worker));
        Ok((worker, profiles))
    }
}
