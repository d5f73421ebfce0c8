//! Every lane, as much as is enough for every day. `cargo run -p pleach-torture -- all --times 10` does more.

#![cfg(test)]

use std::{
    io::{self, Write},
    process::Command,
};

use pleach_torture::lane::LANES;

#[track_caller]
fn torture(arguments: &[&str]) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_pleach-torture")).args(arguments).output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{said}");
    // Goes around the harness, which hides what a passing test prints.
    for line in said.lines().filter(|line| line.contains("SKIPPED")) {
        io::stderr()
            .write_all(format!("{} (torture {})\n", line.trim(), arguments.join(" ")).as_bytes())
            .unwrap();
    }
    assert!(output.status.success(), "pleach-torture {}\n{said}", arguments.join(" "));
}

macro_rules! lanes {
    ($($name:ident)*) => {
        $(#[test] fn $name() { torture(&[stringify!($name)]); })*

        mod planted_bugs_are_caught_by {
            $(#[test] fn $name() { super::torture(&[stringify!($name), "--planted"]); })*
        }

        #[test]
        fn none_is_left_out() {
            assert_eq!(LANES.map(|lane| lane.name), [$(stringify!($name)),*]);
        }
    };
}

lanes! { storm calls power orphans strangers signals coordinators disk flood hostile }
