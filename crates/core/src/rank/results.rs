//! The results of very many trials in little room: a number for each, a row of them for each configuration, a column for
//! each seed. The order of a board, and what the luck of seeds leaves open about it, follow from these numbers alone.

use crate::{
    life::{ConfigurationId, TrialStatus},
    objective::Goal,
    rank::{Doubt, Seeds, State, place},
    statistics::mean,
};

/// What came out of a trial, as one number: that of a trial which is done, or else a NaN that says what it is instead.
#[derive(Clone, Copy, Debug)]
pub struct Cell(f64);

/// The NaN of a trial that is done and whose number is not one; those of the others follow it.
const NAN: u64 = 0x7ff8_0000_0000_0000;

impl Cell {
    /// Where a configuration has no trial of a seed.
    pub const EMPTY: Self = Self::nan(1);

    const fn nan(what: u64) -> Self {
        Self(f64::from_bits(NAN | what))
    }

    pub fn new(status: TrialStatus, objective: Option<f64>) -> Self {
        match (status, objective) {
            (TrialStatus::Done, Some(value)) if value.is_nan() => Self::nan(0),
            (TrialStatus::Done, Some(value)) => Self(value),
            (TrialStatus::Done, None) => Self::nan(2),
            (TrialStatus::Waiting, _) => Self::nan(3),
            (TrialStatus::Diverged, _) => Self::nan(4),
            (TrialStatus::Failed, _) => Self::nan(5),
            (TrialStatus::Stopped, _) => Self::nan(6),
        }
    }

    pub fn from_bits(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }

    pub fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// A trial's status and number; of one that is not done the number is not kept. `None` of [`Cell::EMPTY`].
    pub fn result(self) -> Option<(TrialStatus, Option<f64>)> {
        if !self.0.is_nan() {
            return Some((TrialStatus::Done, Some(self.0)));
        }
        Some(match self.to_bits() ^ NAN {
            1 => return None,
            2 => (TrialStatus::Done, None),
            3 => (TrialStatus::Waiting, None),
            4 => (TrialStatus::Diverged, Some(f64::NAN)),
            5 => (TrialStatus::Failed, None),
            6 => (TrialStatus::Stopped, None),
            _ => (TrialStatus::Done, Some(f64::NAN)),
        })
    }
}

/// The results of a board's configurations.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// How many seeds there are.
    width: usize,
    configurations: Vec<ConfigurationId>,
    /// Row by row. [`Cell`]s.
    numbers: Vec<f64>,
}

/// A board's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Best first.
    pub configurations: Vec<ConfigurationId>,
    /// So many of them have a rank.
    pub ranked: usize,
    /// By place the index of the row.
    rows: Vec<u32>,
}

impl Results {
    /// Of so many seeds.
    pub fn new(seeds: usize) -> Self {
        Self { width: seeds, ..Self::default() }
    }

    /// Adds a configuration, whose number is higher than those before it, with its results in the order of the seeds.
    pub fn push(&mut self, configuration: ConfigurationId, results: impl Iterator<Item = Cell>) {
        self.configurations.push(configuration);
        self.numbers.extend(results.map(|cell| cell.0));
        self.numbers.resize(self.configurations.len() * self.width, Cell::EMPTY.0);
    }

    /// The best number of all, whose it is, and the index of its seed.
    pub fn best(&self, goal: Goal) -> Option<(ConfigurationId, usize, f64)> {
        let numbers = (0..).zip(&self.numbers).filter(|(_, number)| number.is_finite());
        let (index, number) = numbers.min_by(|(_, a), (_, b)| goal.compare(**a, **b))?;
        let seeds = self.width.max(1);
        Some((*self.configurations.get(index / seeds)?, index % seeds, *number))
    }

    /// As [`super::rank`] sorts them.
    pub fn order(&self, goal: Goal) -> Order {
        let mut finite = Vec::with_capacity(self.width);
        let mut ranked = 0;
        let rows = self.numbers.chunks_exact(self.width.max(1));
        let place = |(index, row): (u32, &[f64])| {
            let mut seeds = Seeds::default();
            finite.clear();
            for number in row {
                if number.is_finite() {
                    finite.push(*number);
                    seeds.total += 1;
                } else if let Some((status, objective)) = Cell(*number).result() {
                    seeds.add(status, objective);
                }
            }
            let state = seeds.state();
            ranked += usize::from(state == State::Done);
            place(state, mean(&finite), index, goal)
        };
        let mut places: Vec<u128> = (0..).zip(rows).map(place).collect();
        places.sort_unstable();
        // The last part of a place is the index.
        let rows: Vec<u32> = places.into_iter().map(|place| place as u32).collect();
        let configurations = rows.iter().map(|row| self.configurations[*row as usize]).collect();
        Order { configurations, ranked, rows }
    }

    /// What remains open about the board of this order.
    pub fn doubt(&self, order: &Order, goal: Goal) -> Doubt {
        let mut seeds = vec![Vec::with_capacity(order.ranked); self.width];
        for &row in &order.rows[..order.ranked] {
            let row = &self.numbers[row as usize * self.width..];
            for (seed, number) in seeds.iter_mut().zip(row) {
                seed.push(if number.is_finite() { *number } else { f64::NAN });
            }
        }
        Doubt::of(goal, seeds)
    }

    /// How many trials there are of each status; statuses of none are absent.
    pub fn counts(&self) -> Vec<(TrialStatus, u64)> {
        use TrialStatus::{Diverged, Done, Failed, Stopped, Waiting};
        let mut counts = [Waiting, Done, Diverged, Failed, Stopped].map(|status| (status, 0));
        for number in &self.numbers {
            if let Some((status, _)) = Cell(*number).result() {
                counts.iter_mut().filter(|it| it.0 == status).for_each(|it| it.1 += 1);
            }
        }
        counts.into_iter().filter(|(_, n)| 0 < *n).collect()
    }
}
