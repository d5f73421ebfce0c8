//! A point's values: who gives each, and where in the file.

use std::ops::Range;

use crate::{
    space::{Point, Points},
    spec::Block,
    value::{Parameters, Value},
};

/// A point's values while it is looked at.
pub(super) struct View<'a> {
    pub(super) block: &'a Block,
    pub(super) point: &'a Point<'a>,
    pub(super) derived: Vec<(&'a str, Value)>,
    /// The budget that is extended, instead of the file's.
    pub(super) longer: Option<(&'a str, Value)>,
}

impl View<'_> {
    /// What was swept.
    pub(super) fn swept(&self) -> Parameters {
        let Self { point, derived, longer, .. } = self;
        let choices = point
            .combination
            .choices
            .iter()
            .map(|choice| (choice.name.clone(), Value::Text(choice.branch.clone())));
        let values =
            point.values.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone()));
        let derived = derived.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let longer = longer.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        choices.chain(values).chain(derived).chain(longer).collect()
    }

    /// The value of a name, whoever gives it.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        let derived = || {
            self.derived.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone())
        };
        let swept = || {
            self.point
                .values
                .iter()
                .find(|(other, ..)| *other == name)
                .map(|(.., value)| value.clone())
        };
        let chosen = || {
            let choice =
                self.point.combination.choices.iter().find(|choice| choice.name == name)?;
            Some(Value::Text(choice.branch.clone()))
        };
        let schedule = self.block.schedule.iter().flat_map(|schedule| &schedule.arguments);
        let mut fixed = self.block.fixed.iter().chain(schedule);
        let longer = self.longer.iter().find(|(other, _)| *other == name);
        longer
            .map(|(_, value)| value.clone())
            .or_else(derived)
            .or_else(swept)
            .or_else(chosen)
            .or_else(|| fixed.find(|fixed| fixed.name == name).map(|fixed| fixed.value.clone()))
    }

    /// Where a name has got its value.
    pub(super) fn place(&self, name: &str) -> Option<Range<usize>> {
        let combination = self.point.combination;
        let swept = combination.dimensions.iter().find_map(|dimension| {
            let index = dimension.names.iter().position(|other| other == name)?;
            let value = self
                .point
                .values
                .iter()
                .find(|(other, ..)| *other == name)
                .map(|(.., value)| value);
            match &dimension.points {
                Points::Rows(rows) => rows
                    .iter()
                    .find(|row| Some(&row.values[index]) == value)
                    .map(|row| row.span.clone()),
                Points::Range { .. } | Points::Even { .. } => Some(dimension.span.clone()),
            }
        });
        let derived = || {
            self.block
                .space
                .derived
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, placed)| placed.span.clone())
        };
        let schedule = self.block.schedule.iter().flat_map(|schedule| &schedule.arguments);
        let mut fixed = self.block.fixed.iter().chain(schedule);
        let chosen = || {
            combination
                .choices
                .iter()
                .find(|choice| choice.name == name)
                .map(|choice| choice.span.clone())
        };
        swept
            .or_else(derived)
            .or_else(|| fixed.find(|fixed| fixed.name == name).map(|fixed| fixed.span.clone()))
            .or_else(chosen)
    }
}

/// For messages.
pub(super) fn list(parameters: &Parameters) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if pairs.is_empty() { "everything as it is by default".to_owned() } else { pairs.join(", ") }
}
