//! Laws that hold for every schedule, over random phases, budgets and steps.

use pleach_schedule::{
    duration::{Duration, Horizon},
    phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs},
    resolved::Resolved,
    schedule::{Overrun, Sample, Schedule},
};
use proptest::prelude::*;

/// A share of the budget; small, so that a few fit.
fn share() -> impl Strategy<Value = Duration> {
    (0_u32..20).prop_map(|percent| Duration::Fraction(f64::from(percent) / 100.0))
}

fn positive_share() -> impl Strategy<Value = Duration> {
    (1_u32..20).prop_map(|percent| Duration::Fraction(f64::from(percent) / 100.0))
}

fn multiple() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), Just(0.5), Just(0.1), 0.01..2.0]
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Linear),
        Just(Shape::Geometric),
        Just(Shape::Cosine { e: 1.0, k: 1.0 }),
        (0.1..4.0).prop_map(|k| Shape::Cosine { e: 2.0, k }),
        prop_oneof![Just(1.0), 0.1..4.0].prop_map(|p| Shape::Poly { p, k: 1.0 }),
        prop_oneof![Just(1.0), Just(0.5), 0.1..4.0].prop_map(|p| Shape::Power { p }),
        Just(Shape::Exp { r: 0.1 }),
        prop_oneof![Just(0.0), Just(0.5)].prop_map(|b| Shape::Rex { b }),
        Just(Shape::Tanh { lb: -7.0, ub: 3.0 }),
    ]
}

/// Shapes without a vertical tangent at either end, apart from a slight jump at the ends of `tanh`.
fn smooth() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Linear),
        Just(Shape::Geometric),
        Just(Shape::Cosine { e: 1.0, k: 1.0 }),
        (1.0..4.0).prop_map(|p| Shape::Poly { p, k: 1.0 }),
        (1.0..4.0).prop_map(|p| Shape::Power { p }),
        Just(Shape::Exp { r: 0.1 }),
        Just(Shape::Rex { b: 0.5 }),
        Just(Shape::Tanh { lb: -7.0, ub: 3.0 }),
    ]
}

fn law() -> impl Strategy<Value = Law<Duration>> {
    let gamma = || prop_oneof![Just(1.0), Just(0.5), 0.1..1.0];
    prop_oneof![
        (prop_oneof![Just(0.0), 0.1..2.0], positive_share())
            .prop_map(|(p, tau)| Law::Inverse { p, tau }),
        (gamma(), positive_share(), prop_oneof![Just(Stairs::Smooth), Just(Stairs::Stairs)])
            .prop_map(|(gamma, tau, stairs)| Law::Decay { gamma, tau, stairs }),
        (
            gamma(),
            prop::collection::vec(
                (0_u32..200).prop_map(|p| Duration::Fraction(f64::from(p) / 100.0)),
                0..4
            )
        )
            .prop_map(|(gamma, at)| Law::Multistep { gamma, at }),
    ]
}

fn cycle() -> impl Strategy<Value = Cycle<Duration>> {
    (
        positive_share(),
        prop_oneof![Just(1.0), Just(2.0), 1.01..3.0],
        multiple(),
        prop::option::of(1_u32..5),
    )
        .prop_map(|(length, grow, gain, count)| Cycle {
            length,
            grow,
            gain,
            gain_on: GainOn::Amplitude,
            fade: None,
            lo: 0.1,
            hi: 1.0,
            count,
            body: vec![
                Phase::shape(Some(1.0), 0.0, Shape::Cosine { e: 1.0, k: 1.0 }).starting_at(1.0),
            ],
        })
}

fn body() -> impl Strategy<Value = Body<Duration>> {
    prop_oneof![
        3 => (multiple(), shape()).prop_map(|(to, shape)| Body::Shape { to: Some(to), shape }),
        2 => Just(Body::Shape { to: None, shape: Shape::Hold }),
        2 => (law(), prop::option::of(Just(0.1))).prop_map(|(law, floor)| Body::Law { law, floor }),
        1 => cycle().prop_map(Body::Cycle),
        1 => (positive_share(), prop::collection::vec(multiple(), 1..4)).prop_map(|(every, values)| Body::Table { every, values }),
    ]
}

fn phases() -> impl Strategy<Value = Vec<Phase<Duration>>> {
    let phase = |length| {
        (length, prop::option::of(multiple()), body()).prop_map(|(length, from, body)| Phase {
            length,
            from,
            skip: None,
            body,
        })
    };
    (prop::collection::vec(phase(share().prop_map(Some).boxed()), 0..4), phase(Just(None).boxed()))
        .prop_map(|(mut phases, last)| {
            phases.push(last);
            phases
        })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    (
        multiple(),
        prop::collection::vec(phases(), 1..3),
        prop_oneof![Just(1.0), Just(3.0)],
        prop::bool::ANY,
        prop::bool::ANY,
    )
        .prop_map(|(peak, factors, hold, right, cut)| Schedule {
            peak,
            factors,
            hold: Duration::Steps(hold),
            sample: if right { Sample::Right } else { Sample::Left },
            overrun: if cut { Overrun::Cut } else { Overrun::Refused },
            plateau: None,
        })
}

fn horizon(steps: u64) -> Horizon {
    Horizon { steps, steps_per_epoch: 10 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn rates_are_finite_and_not_negative_at_any_step(schedule in schedule(), steps in 1_u64..500, far in any::<u64>()) {
        let resolved = schedule.resolve(horizon(steps)).unwrap();
        for step in (0..2 * steps).chain([far, far >> 1, u64::MAX]) {
            let rate = resolved.at(step);
            prop_assert!(rate.is_finite() && 0.0 <= rate, "{resolved}: {rate} at {step}");
        }
    }

    #[test]
    fn the_text_is_the_schedule(schedule in schedule(), steps in 1_u64..300) {
        let line: Schedule = schedule.to_string().parse().unwrap();
        prop_assert_eq!(&line, &schedule);
        let resolved = schedule.resolve(horizon(steps)).unwrap();
        let again: Resolved = resolved.to_string().parse().unwrap();
        prop_assert_eq!(again.to_string(), resolved.to_string());
        for step in 0..steps {
            prop_assert_eq!(again.at(step).to_bits(), resolved.at(step).to_bits());
        }
    }

    #[test]
    fn the_normal_form_keeps_every_rate(schedule in schedule(), steps in 1_u64..300) {
        let simple = schedule.resolve(horizon(steps)).unwrap();
        let plain = plain(&schedule, steps);
        for step in 0..steps {
            prop_assert_eq!(simple.at(step).to_bits(), plain.at(step).to_bits(), "{}\n{}\nat {}", simple, plain, step);
        }
    }

    #[test]
    fn equal_rules_are_equal_rates(
        first in schedule(), tail in phases(), kept in 0_usize..4, long in 1_u64..300, short in 1_u64..300,
    ) {
        let mut second = first.clone();
        let phases = &mut second.factors[0];
        phases.truncate(kept.min(phases.len() - 1));
        phases.extend(tail);
        let schedules = [first.resolve(horizon(long)).unwrap(), second.resolve(horizon(short)).unwrap()];
        let rules = [rules(&schedules[0], long), rules(&schedules[1], short)];
        let [a, b] = &rules;
        for (step, (a, b)) in a.iter().zip(b).enumerate() {
            let rates = schedules.each_ref().map(|schedule| schedule.at(step as u64));
            if a == b {
                prop_assert_eq!(rates[0].to_bits(), rates[1].to_bits(), "{:?} at {}", schedules, step);
            }
            if let Ok(constant) = a.parse::<f64>() {
                prop_assert_eq!(constant.to_bits(), rates[0].to_bits(), "{:?} at {}", schedules, step);
            }
        }
    }

    #[test]
    fn a_profile_in_percent_does_not_depend_on_the_budget(phases in phases(), steps in 1_u64..200) {
        let schedule = Schedule::new(1.0, phases);
        let short = schedule.resolve(horizon(steps)).unwrap();
        let long = schedule.resolve(horizon(2 * steps)).unwrap();
        let smooth = |step: u64| {
            // Beside a jump the two may round to different sides of it.
            let (a, b) = (long.at((2 * step).saturating_sub(1)), long.at(2 * step + 1));
            (a - long.at(2 * step)).abs().max((b - long.at(2 * step)).abs())
        };
        for step in 0..steps {
            let difference = (short.at(step) - long.at(2 * step)).abs();
            prop_assert!(difference <= 1e-9 + smooth(step), "{short}\n{long}\nat {step}");
        }
    }

    #[test]
    fn shapes_without_a_start_of_their_own_join_without_a_jump(
        shapes in prop::collection::vec((1_u32..4, 0.1..2.0, smooth()), 1..6),
    ) {
        let n: u32 = shapes.iter().map(|(length, ..)| length).sum();
        let share = |length: &u32| Some(Duration::Fraction(f64::from(*length) / f64::from(n)));
        let phases = shapes.iter().map(|(length, to, shape)| Phase::shape(share(length), *to, *shape));
        let resolved = Schedule::new(1.0, phases.collect()).resolve(horizon(50_000)).unwrap();
        let mut start = 0;
        for (length, ..) in &shapes {
            start += length;
            let join = u64::from(50_000 * start / n);
            for step in join.saturating_sub(2)..join + 2 {
                let jump = (resolved.at(step + 1) - resolved.at(step)).abs();
                prop_assert!(jump < 1e-2, "{resolved}: {jump} after {step}");
            }
        }
    }

    #[test]
    fn a_rate_does_not_depend_on_which_were_asked_for_before(schedule in schedule(), steps in 1_u64..300) {
        let resolved = schedule.resolve(horizon(steps)).unwrap();
        let bits = |steps: &mut dyn Iterator<Item = u64>| {
            steps.map(|step| (step, resolved.at(step).to_bits())).collect::<Vec<_>>()
        };
        let mut backwards = bits(&mut (0..steps).rev());
        backwards.reverse();
        prop_assert_eq!(bits(&mut (0..steps)), backwards);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[0-9.:;,>(){}= a-z%-]{0,60}") {
        let _read: Result<Schedule, _> = text.parse();
        let _read: Result<Resolved, _> = text.parse();
    }
}

/// The rule of every step.
fn rules(schedule: &Resolved, steps: u64) -> Vec<String> {
    let mut rules = Vec::new();
    for piece in schedule.pieces(steps) {
        assert_ne!(rules.last(), Some(&piece.rule), "{schedule}");
        rules.resize(piece.end as usize, piece.rule);
    }
    assert_eq!(rules.len() as u64, steps, "{schedule}");
    rules
}

#[test]
fn schedules_that_part_late_have_equal_rules_until_then() {
    let rules =
        |line: &str| rules(&line.parse::<Schedule>().unwrap().resolve(horizon(100)).unwrap(), 100);
    for (a, b, parting) in [
        ("0.1: 0 > 1 5%, hold, > 0 10%", "0.1: 0 > 1 5%, hold, > 0 40% 1-sqrt", 60),
        ("0.1: hold", "0.1: hold 70%, > 0", 70),
        ("0.1: hold", "0.1: hold 70%, 0.5", 70),
        ("0.1: stairs(gamma=0.1,tau=30st)", "0.1: stairs(gamma=0.5,tau=30st)", 30),
        ("0.1: stairs(gamma=0.1,tau=30st)", "0.1: multistep(gamma=0.1,at=[30st 60st])", 90),
        ("0.1: multistep(gamma=0.1,at=[3ep 6ep])", "0.1: multistep(gamma=0.1,at=[3ep 8ep])", 60),
        ("0.1: table(every=10st,values=[1 0.5 0.2])", "0.1: hold 10st, 0.5 hold 5st, 0.1", 15),
        ("0.1: cycle(len=20st,gain=0.5) { 1 > 0 }", "0.1: cycle(len=20st,grow=2) { 1 > 0 }", 20),
        ("0.1: cycle(len=20st,count=2) { 1 > 0 }", "0.1: cycle(len=20st) { 1 > 0 }", 40),
        ("0.1: hold ; times 0.5 > 1 5%, hold", "0.1: hold 20%, > 0 ; times 0.5 > 1 5%, hold", 20),
        ("0.1: > 0 cosine 50%, hold", "0.1: > 0 cosine 50%", 100),
        ("0.1: > 0 cosine", "0.1: > 0.1 cosine", 0),
        ("0.1: hold 10st, > 0", "0.1: hold 10st, > 0 ; hold 7st", 10),
    ] {
        let shared = rules(a).iter().zip(&rules(b)).take_while(|(a, b)| a == b).count();
        assert_eq!(shared, parting, "{a} | {b}");
    }
}

/// The same schedule in steps without the normal form: reading a resolved schedule does not simplify it. Every phase
/// has its length, but for an unbounded last one.
fn plain(schedule: &Schedule, steps: u64) -> Resolved {
    let line = schedule.to_string();
    let mut spelled = Schedule { overrun: Overrun::Refused, ..schedule.clone() };
    for phases in &mut spelled.factors {
        let fixed: f64 = phases
            .iter()
            .filter_map(|phase| phase.length)
            .map(|length| length.in_steps(horizon(steps)))
            .sum();
        if let Some(last) = phases.last_mut()
            && matches!(last.body, Body::Shape { .. })
        {
            last.length = Some(Duration::Steps((steps as f64 - fixed).max(0.0)));
        }
    }
    in_steps(&spelled.to_string(), steps).parse().unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Every duration of a line as a plain number of steps.
fn in_steps(line: &str, steps: u64) -> String {
    let mut text = String::new();
    for word in line.split_inclusive([' ', ',', '=', '[', ']', ')']) {
        let (bare, separator) = word.split_at(
            word.len() - usize::from(!word.ends_with(|c: char| c.is_alphanumeric() || c == '%')),
        );
        match bare.parse::<Duration>() {
            Ok(duration) => text.push_str(&duration.in_steps(horizon(steps)).to_string()),
            Err(_) => text.push_str(bare),
        }
        text.push_str(separator);
    }
    text
}

#[test]
fn equal_rates_in_different_words_have_one_text() {
    let text =
        |line: &str| line.parse::<Schedule>().unwrap().resolve(horizon(100)).unwrap().to_string();
    for (a, b) in [
        ("0.1: hold", "0.1: > 1 cosine for 10%, hold"),
        ("0.1: hold", "0.1: stairs(gamma=1,tau=10st)"),
        ("0.1: hold", "0.1: multistep(gamma=0.1,at=[100st 10ep 200%])"),
        ("0.05: hold", "0.1: 0.5 hold ; hold 1ep"),
        ("0.1: > 0", "0.1: > 0 poly(p=1) for 100%"),
        ("0.1: > 0", "0.1: > 0 power(p=1)"),
        ("0.1: hold 50%, > 0", "0.1: hold 20%, 7 hold 0st, 1 hold 30%, > 0 for 50%"),
        ("0.1: > 0 ; times hold", "0.1: > 0 linear"),
        ("0.1: 0.5 > 1 for 0%, > 0", "0.1: > 0"),
    ] {
        assert_eq!(text(a), text(b), "{a} | {b}");
    }
    assert_ne!(text("0.1: > 0"), text("0.1: > 0 cosine"));
}
