//! The lanes, one kind of trouble each.

pub mod calls;
pub mod coordinators;
pub mod disk;
pub mod flood;
pub mod hostile;
pub mod orphans;
pub mod power;
pub mod signals;
pub mod storm;

use anyhow::Result;

use crate::report::Report;

/// What a person may set of a lane.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Decides what is done when; how fast the machine is decides the rest.
    pub seed: u64,
    /// How much: kills, images, rounds, whatever the lane counts.
    pub amount: u64,
}

/// Something that a lane does.
pub type Deed = fn(Plan) -> Result<Report>;

/// One kind of trouble.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    pub name: &'static str,
    /// For people, with the unit of its amount.
    pub about: &'static str,
    /// What is enough for every day.
    pub amount: u64,
    pub run: Deed,
    /// Plants the bugs that the lane must catch, each until it is caught.
    pub planted: Deed,
}

pub const LANES: [Lane; 10] = [
    Lane {
        name: "storm",
        about: "kill coordinators, guards and workers at any moment (kills)",
        amount: 200,
        run: storm::run,
        planted: storm::planted,
    },
    Lane {
        name: "calls",
        about: "kill at system calls, and let them fail (calls)",
        amount: 40,
        run: calls::run,
        planted: calls::planted,
    },
    Lane {
        name: "power",
        about: "cut the power at any moment (disks)",
        amount: 200,
        run: power::run,
        planted: power::planted,
    },
    Lane {
        name: "orphans",
        about: "kill whoever looks after programs that hide what they start (rounds)",
        amount: 1,
        run: orphans::run,
        planted: orphans::planted,
    },
    Lane {
        name: "strangers",
        about: "give the numbers of dead processes to strangers (rounds)",
        amount: 3,
        run: orphans::strangers,
        planted: orphans::planted_strangers,
    },
    Lane {
        name: "signals",
        about: "send every signal that ends programs, once and twice (rounds)",
        amount: 1,
        run: signals::run,
        planted: signals::planted,
    },
    Lane {
        name: "coordinators",
        about: "start many coordinators at once (rounds)",
        amount: 5,
        run: coordinators::run,
        planted: coordinators::planted,
    },
    Lane {
        name: "disk",
        about: "fill the disk, and make it read-only (rounds)",
        amount: 2,
        run: disk::run,
        planted: disk::planted,
    },
    Lane {
        name: "flood",
        about: "print and measure without end (MiB)",
        amount: 64,
        run: flood::run,
        planted: flood::planted,
    },
    Lane {
        name: "hostile",
        about: "feed it with what it should not eat (files)",
        amount: 300,
        run: hostile::run,
        planted: hostile::planted,
    },
];
