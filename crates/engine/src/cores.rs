//! Which cores a worker may use, and behind whom.

use std::{env, io};

use rustix::{
    process::nice,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// The variable that tells a guard which cores it and all that it starts may use: numbers with commas between.
pub(crate) const CORES: &str = "PLEACH_CORES";

/// The variable that tells a guard how far it and all that it starts step back behind other programs.
pub(crate) const NICE: &str = "PLEACH_NICE";

/// The cores that this process may use.
pub fn allowed() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

/// Those of one of so many slots: as many for each as there are, at least one; slots share them if there are more slots.
pub(crate) fn of_slot(allowed: &[usize], slot: usize, slots: usize) -> Vec<usize> {
    let each = (allowed.len() / slots.max(1)).max(1);
    allowed.iter().copied().cycle().skip(slot * each % allowed.len().max(1)).take(each).collect()
}

/// Keeps this process, and everything that it will start, to the cores that it was told, and behind whom it was told.
pub(crate) fn keep_to() -> io::Result<()> {
    if let Some(steps) = env::var(NICE).ok().and_then(|steps| steps.parse().ok()) {
        nice(steps)?;
    }
    let Ok(told) = env::var(CORES) else { return Ok(()) };
    let mut set = CpuSet::new();
    for core in told.split(',').filter_map(|core| core.parse().ok()) {
        if core < CpuSet::MAX_CPU {
            set.set(core);
        }
    }
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_have_cores_of_their_own_while_there_are_enough() {
        let check = |allowed: &[usize], slots: usize, expected: &[&[usize]]| {
            let found: Vec<Vec<usize>> =
                (0..slots).map(|slot| of_slot(allowed, slot, slots)).collect();
            assert_eq!(found, expected, "{slots} slots on {allowed:?}");
        };
        check(&[0, 1, 2, 3], 2, &[&[0, 1], &[2, 3]]);
        check(&[4, 6, 7], 2, &[&[4], &[6]]);
        check(&[0, 1], 3, &[&[0], &[1], &[0]]);
        check(&[5], 1, &[&[5]]);
        check(&[], 1, &[&[]]);
    }
}
