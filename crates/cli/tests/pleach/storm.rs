//! Through any interruption: whatever kills a sweep whose trials share stages, and however it is spread and ordered, what comes out is the same to
//! the last bit, and little is done twice.

use std::{fs, path::PathBuf, process::Child, time::Duration};

use crate::stage::{Stage, wait_until};

const KILLS: usize = 10;
const SLOTS: usize = 2;
const LANES: usize = 3;
const INTERVAL: usize = 40;

fn sweep(peaks: &str) -> String {
    format!(
        r#"
[sweep]
name = "storm"
objective = {{ metric = "val_accuracy", goal = "max" }}
seeds = [1, 2, 3]
[trainer]
data = "digits"
valid = 500
model = "mlp-64"
momentum = 0.9
budget = "4ep"
batch = 32
[space]
peak = {peaks}
[space.schedule.constant]
[space.schedule.wsd]
warmup = "0%"
cooldown = ["20%", "40%"]
[run]
slots = {SLOTS}
lanes = {LANES}
checkpoint = "{INTERVAL}st"
"#
    )
}

pub(crate) struct Storm {
    pub(crate) stage: Stage,
    witness: PathBuf,
}

impl Storm {
    fn new(peaks: &str) -> Self {
        Self::of(&sweep(peaks))
    }

    /// Its name is `storm`.
    pub(crate) fn of(sweep: &str) -> Self {
        let stage = Stage::new("pleach-mnist");
        stage.write("storm.toml", sweep);
        let witness = stage.path().join("witness");
        Self { stage, witness }
    }

    pub(crate) fn run(&self, arguments: &str) {
        let status = self
            .stage
            .command(arguments)
            .env("PLEACH_WITNESS", &self.witness)
            .output()
            .unwrap()
            .status;
        assert!(status.success(), "{arguments}: {status}");
    }

    /// Training steps that were really made, counted by the workers themselves.
    pub(crate) fn steps(&self) -> usize {
        // Absent until a worker has begun.
        fs::read_to_string(&self.witness).map_or(0, |witness| witness.lines().count())
    }

    /// What a query of the database finds.
    pub(crate) fn count(&self, query: &str) -> u32 {
        let database = self.stage.path().join("runs/storm/pleach.db");
        let database = rusqlite::Connection::open(database).unwrap();
        database.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// A coordinator whose workers have made so many steps.
    pub(crate) fn run_for(&self, steps: usize) -> Child {
        let begin = self.steps();
        let mut coordinator = self
            .stage
            .command("run storm.toml")
            .env("PLEACH_WITNESS", &self.witness)
            .spawn()
            .unwrap();
        while self.steps() < begin + steps {
            std::thread::sleep(Duration::from_millis(1));
            let ended = coordinator.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before {steps} steps: {ended:?}");
        }
        coordinator
    }
}

#[test]
fn ten_kills_change_nothing_and_cost_little() {
    let calm = Storm::new("[0.02, 0.05, 0.1]");
    calm.run("run storm.toml");
    let expected = calm.stage.canonical("storm");
    assert_eq!(expected.lines().count(), 27);

    let storm = Storm::new("[0.02, 0.05, 0.1]");
    // Together less than the whole sweep, so that every kill comes before its end; the first hits its beginning.
    let longest = 2 * calm.steps() / KILLS;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..KILLS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let steps = random as usize % longest * kill / KILLS;
        let mut coordinator = storm.run_for(steps);
        coordinator.kill().unwrap();
        coordinator.wait().unwrap();
    }
    storm.run("resume storm");
    assert_eq!(storm.stage.canonical("storm"), expected);
    let (least, made) = (calm.steps(), storm.steps());
    let allowed = KILLS * SLOTS * LANES * INTERVAL;
    println!("{least} steps without a kill, {made} with {KILLS}; {allowed} more are allowed");
    assert!(
        least <= made && made <= least + allowed,
        "{made} steps instead of {least}; {allowed} more are allowed"
    );
}

#[test]
fn states_that_are_lost_and_damaged_between_kills_are_made_again() {
    let calm = Storm::new("[0.02, 0.1]");
    calm.run("run storm.toml");
    let storm = Storm::new("[0.02, 0.1]");
    let run_and_kill = |steps: usize| {
        let mut coordinator = storm.run_for(steps);
        coordinator.kill().unwrap();
        coordinator.wait().unwrap();
        wait_until("the workers are gone", || storm.stage.processes().is_empty());
    };
    let damage = || {
        for file in storm.stage.checkpoints("storm", "safetensors") {
            let mut bytes = fs::read(&file).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(file, bytes).unwrap();
        }
    };
    let lose = || {
        for file in storm.stage.checkpoints("storm", "safetensors") {
            fs::remove_file(file).unwrap();
        }
    };
    // Until some stage is done and others start from its state.
    let run_into_branches = || {
        let are_reached =
            "SELECT count(*) FROM stage JOIN stage_end ON stage_end.stage = stage.parent
             WHERE stage.id NOT IN (SELECT stage FROM stage_end)";
        run_and_kill(calm.steps() / 20);
        while storm.count(are_reached) == 0 {
            run_and_kill(calm.steps() / 20);
        }
    };
    for spoil in [&damage as &dyn Fn(), &lose, &damage] {
        run_into_branches();
        spoil();
    }
    storm.run("resume storm");
    assert_eq!(storm.stage.canonical("storm"), calm.stage.canonical("storm"));
    let ended =
        |how: &str| storm.count(&format!("SELECT count(*) FROM attempts WHERE ending = '{how}'"));
    let (rebuilt, unusable) = (ended("rebuilt"), ended("unusable"));
    println!("{rebuilt} states were made again, {unusable} checkpoints were of no use");
    assert!(0 < rebuilt && 0 < unusable);
}

#[test]
fn slots_lanes_and_order_change_nothing() {
    let two = Storm::new("[0.02, 0.1]");
    two.run("run storm.toml");
    let one = Storm::new("[0.02, 0.1]");
    one.run("run storm.toml --slots 1");
    let backwards = Storm::new("[0.1, 0.02]");
    backwards.run("run storm.toml");
    let expected = two.stage.canonical("storm");
    assert_eq!(one.stage.canonical("storm"), expected);
    for lanes in [1, 16] {
        let other = Storm::new("[0.02, 0.1]");
        other.run(&format!("run storm.toml --set run.lanes={lanes}"));
        assert_eq!(other.stage.canonical("storm"), expected, "{lanes} lanes");
        assert_eq!(other.steps(), two.steps(), "{lanes} lanes");
    }
    assert_eq!(backwards.stage.canonical("storm"), expected);
}

#[test]
fn a_ctrl_c_saves_what_runs_and_twice_kills() {
    let calm = Storm::new("[0.05]");
    calm.run("run storm.toml");
    let storm = Storm::new("[0.05]");
    for signals in [1, 2] {
        let mut coordinator = storm.run_for(100);
        let pid = rustix::process::Pid::from_child(&coordinator);
        for _ in 0..signals {
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(coordinator.wait().unwrap().code(), Some(130));
        assert_eq!(storm.stage.processes(), Vec::<String>::new());
    }
    storm.run("resume storm");
    assert_eq!(storm.stage.canonical("storm"), calm.stage.canonical("storm"));
}

#[test]
fn a_killed_worker_costs_only_the_attempts_in_its_lanes() {
    use rustix::process::{Pid, Signal, kill_process};
    let calm = Storm::new("[0.02, 0.1]");
    calm.run("run storm.toml");
    let storm = Storm::new("[0.02, 0.1]");
    let mut coordinator = storm.run_for(1);
    let mut workers: Vec<Pid> = Vec::new();
    // Each has a guard around it, which is left alone.
    wait_until("there is a worker to each slot", || {
        let processes = storm.stage.processes();
        let of_workers = processes
            .iter()
            .filter(|process| process.contains("pleach-mnist") && !process.contains("__guard"));
        let numbers = of_workers.map(|process| process.split_once(' ').unwrap().0.parse().unwrap());
        workers = numbers.map(|number| Pid::from_raw(number).unwrap()).collect();
        workers.len() == SLOTS
    });
    let tell = |signal| workers.iter().for_each(|&worker| kill_process(worker, signal).unwrap());
    let mut running = 0;
    // While they stand still, one of two has more than one.
    wait_until("lanes are filled", || {
        tell(Signal::CONT);
        std::thread::sleep(Duration::from_millis(5));
        tell(Signal::STOP);
        std::thread::sleep(Duration::from_millis(100));
        running = storm.count("SELECT count(*) FROM attempt WHERE ending IS NULL");
        SLOTS < running as usize
    });
    tell(Signal::KILL);
    assert!(coordinator.wait().unwrap().success());
    assert_eq!(storm.stage.canonical("storm"), calm.stage.canonical("storm"));
    let by_ending = |how: &str| {
        storm.count(&format!(
            "SELECT count(*) FROM attempt JOIN ending ON ending.id = attempt.ending WHERE name = '{how}'"
        ))
    };
    assert_eq!(by_ending("crash"), running);
    assert_eq!(by_ending("done"), calm.count("SELECT count(*) FROM attempt"));
}
