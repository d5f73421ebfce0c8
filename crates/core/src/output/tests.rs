use proptest::prelude::*;

use super::*;

/// Every evaluation, then every warning.
fn read(form: &str, steps: Option<(u64, u64)>, text: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(form.parse().unwrap(), "loss", steps);
    let mut whole = Vec::new();
    // However it is cut when it comes.
    text.chunks(7).for_each(|bytes| reader.read(bytes, &mut whole));
    reader.finish(None, &mut whole);
    told(whole, &mut reader)
}

fn told(whole: Vec<Evaluation>, reader: &mut Reader) -> Vec<String> {
    let say = |evaluation: Evaluation| {
        let values: Vec<String> =
            evaluation.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
        format!("{}: {}", evaluation.step, values.join(", "))
    };
    let said = whole.into_iter().map(say);
    said.chain(reader.warnings().all().iter().map(ToString::to_string)).collect()
}

#[track_caller]
fn check(form: &str, steps: Option<(u64, u64)>, text: &str, expected: &[&str]) {
    assert_eq!(read(form, steps, text.as_bytes()), expected, "{text}");
}

#[test]
fn an_evaluation_is_an_object_with_a_step() {
    check(
        "jsonl",
        Some((0, 20)),
        "{\"step\": 10, \"loss\": 0.5, \"acc\": 1}\n\n{\"step\": 20, \"loss\": 0.25, \"note\": \"last\"}",
        &["10: acc 1, loss 0.5", "20: loss 0.25"],
    );
}

#[test]
fn lines_of_one_step_are_one_evaluation() {
    check(
        "jsonl",
        None,
        "{\"step\": 1, \"loss\": 0.5}\n{\"step\": 1, \"acc\": 0.9}\n{\"step\": 2, \"acc\": 1}",
        &["1: acc 0.9, loss 0.5", "2: acc 1"],
    );
}

#[test]
fn without_a_step_it_is_that_of_the_last_step_or_the_end_or_the_next_evaluation() {
    let budget = Some((0, 500));
    check("jsonl", budget, "{\"loss\": 0.5}", &["500: loss 0.5"]);
    check("jsonl", None, "{\"loss\": 0.5}\n{\"loss\": 0.25}", &["1: loss 0.5", "2: loss 0.25"]);
    let text = "{\"parameters\": 9}\n{\"step\": 10, \"loss\": 0.5}\n{\"acc\": 0.8}\n{\"step\": 20, \"loss\": 0.4}\n{\"acc\": 0.9}";
    for steps in [budget, None] {
        let first = if steps.is_some() {
            &["10: acc 0.8, loss 0.5, parameters 9"][..]
        } else {
            &["1: parameters 9", "10: acc 0.8, loss 0.5"]
        };
        check("jsonl", steps, text, &[first, &["20: acc 0.9, loss 0.4"]].concat());
    }
    // Who knows that it came to the end puts it there.
    let mut reader = Reader::new(Form::Jsonl, "loss", budget);
    let mut whole = Vec::new();
    reader.read(b"{\"step\": 490, \"loss\": 0.5}\n{\"acc\": 0.9}\n", &mut whole);
    assert_eq!(reader.step(), Some(490));
    reader.finish(Some(500), &mut whole);
    assert_eq!(told(whole, &mut reader), ["490: loss 0.5", "500: acc 0.9"]);
    assert_eq!(reader.step(), Some(490), "which it has not said");
}

#[test]
fn numbers_that_are_not_finite_are_read_as_python_writes_them() {
    check(
        "jsonl",
        None,
        r#"{"a": NaN, "b": -Infinity, "c": Infinity, "d": "NaN", "e": 1e-5, "f": nan, "g": 1e400, "h": 18446744073709551617}"#,
        &["1: a NaN, b -inf, c inf, d NaN, e 0.00001, f NaN, g inf, h 18446744073709552000"],
    );
}

#[test]
fn steps_may_be_texts_and_whole_fractions() {
    check(
        "jsonl",
        None,
        "{\"step\": \"400\", \"x\": 1}\n{\"step\": 401.0, \"x\": 2}\n{\"step\": \"1,000\", \"x\": 3}\n{\"step\": null, \"y\": 4}",
        &["400: x 1", "401: x 2", "1000: x 3, y 4"],
    );
}

#[test]
fn the_same_again_is_one_evaluation_and_of_others_the_last_counts() {
    check(
        "jsonl",
        None,
        "{\"step\": 2, \"x\": 1, \"y\": NaN}\n{\"step\": 2, \"x\": 1.0, \"y\": NaN}\n{\"step\": 2, \"z\": 1, \"z\": 2, \"x\": 3}\n{\"step\": 3, \"x\": 4}",
        &[
            "2: x 3, y NaN, z 2",
            "3: x 4",
            "a metric was measured twice at one step with different values, of which the last counts, 2 times (the first on line 3: `z` was 1 and is 2 at step 2)",
        ],
    );
}

#[test]
fn what_cannot_be_used_is_left_out_and_said_with_its_line() {
    let warnings = |steps, lines: &[&str]| {
        let text = lines.iter().map(|line| (*line).to_owned() + "\n").collect::<String>();
        let text = format!("{{\"step\": 12, \"loss\": 1}}\n{text}{{\"step\": 20, \"loss\": 2}}");
        let mut said = read("jsonl", steps, text.as_bytes());
        assert_eq!(said.drain(..2).collect::<Vec<_>>(), ["12: loss 1", "20: loss 2"], "{lines:?}");
        said.join("\n")
    };
    let all = [
        warnings(Some((10, 20)), &["loss 0.5", "17", "\"x\"", "{\"a\"", "{\"step\": 13, \"x\": }"]),
        warnings(Some((10, 20)), &["{\"step\": 11, \"x\": 1}", "{\"step\": 2, \"x\": 1}"]),
        warnings(Some((10, 20)), &["{\"step\": 10, \"x\": 1}", "{\"step\": 21, \"x\": 1}"]),
        warnings(
            None,
            &[
                "{\"step\": 1.5, \"x\": 1}",
                "{\"step\": \"two\", \"x\": 1}",
                "{\"step\": -3, \"x\": 1}",
            ],
        ),
        warnings(
            None,
            &[
                "{\"step\": 1e400, \"x\": 1}",
                "{\"step\": [1], \"x\": 1}",
                "{\"step\": 18446744073709551617, \"x\": 1}",
            ],
        ),
        warnings(None, &["{\"step\": 18446744073709551615, \"x\": 1}"]),
        warnings(
            None,
            &[
                "{\"step\": 13, \"loss\": \"n/a\"}",
                "{\"step\": 13, \"loss\": null}",
                "{\"step\": 13, \"loss\": [0.5]}",
            ],
        ),
        warnings(None, &["{\"step\": 12} # the end"]),
        warnings(None, &[&"x".repeat(9 << 20)]),
        warnings(None, &[&format!("{{\"step\": 12, \"{}\": 1}}", "x".repeat(300))]),
    ];
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn the_objective_is_tried_harder() {
    for (value, expected) in [
        ("\"0.93\"", "0.93"),
        ("\"93%\"", "93"),
        ("true", "1"),
        ("\"1,234.5\"", "1234.5"),
        ("\"nan\"", "NaN"),
    ] {
        check("jsonl", None, &format!("{{\"loss\": {value}}}"), &[&format!("1: loss {expected}")]);
    }
    check(
        "jsonl",
        None,
        r#"{"loss": "0.5s", "other": "0.5s", "flag": true, "note": "n/a", "list": [1], "acc": "0.9"}"#,
        &["1: acc 0.9, loss 0.5", "a number was read without its unit (line 1: `loss` is `0.5s`)"],
    );
}

#[test]
fn files_of_every_kind_are_read() {
    let expected = ["1: x 1", "2: x 2"];
    for text in [
        "\u{feff}{\"step\": 1, \"x\": 1}\r\n{\"step\": 2, \"x\": 2}\r\n",
        "{\"step\": 1, \"x\": 1}\r{\"step\": 2, \"x\": 2}",
        "\0\0\0{\"step\": 1, \"x\": 1}\n\u{1b}[32m{\"step\": 2, \"x\": 2}\u{1b}[0m\n",
        "[{\"step\": 1, \"x\": 1},\n {\"step\": 2, \"x\": 2}]\n",
        "{\n\t\"step\": 1,\n\t\"x\": 1\n}\n{\n\t\"step\": 2,\n\t\"x\": 2\n}\n",
        "{'step': 1, 'x': 1}\n{'step': 2, 'x': 2, 'note': \"it's\"}\n",
        "{\"step\": 1, \"x\": 1, \"note\": \"a\tb\"}\n{\"step\": 2, \"x\": 2}\n",
    ] {
        check("jsonl", None, text, &expected);
    }
    let latin = b"{\"step\": 1, \"x\": 1, \"note\": \"\xe9\"}\n{\"step\": 2, \"x\": 2}";
    assert_eq!(read("jsonl", None, latin), expected);
}

#[test]
fn a_file_that_begins_anew_is_not_said_twice() {
    let line = |step: u64| format!("{{\"step\": {step}, \"x\": {step}}}\n");
    let numbered = |step: u64| format!("{{\"x\": {step}}}\n");
    let lines: [&dyn Fn(u64) -> String; 2] = [&line, &numbered];
    for line in lines {
        let mut reader = Reader::new(Form::Jsonl, "x", None);
        let mut whole = Vec::new();
        for length in 1..=4 {
            (1..=length).for_each(|step| reader.read(line(step).as_bytes(), &mut whole));
            reader.read(b"{\"step\": 9", &mut whole);
            reader.restart();
        }
        reader.finish(None, &mut whole);
        assert_eq!(told(whole, &mut reader), ["1: x 1", "2: x 2", "3: x 3", "4: x 4"]);
    }
}

#[test]
fn a_pattern_finds_its_groups_in_a_line() {
    check(
        r"epoch (?<step>\d+).* loss[:=] (?<loss>\S+)(.* acc[:=] (?<acc>\S+))?",
        None,
        "start\nepoch 1/2 loss: 0.5, acc: 90%\nepoch 2/2 loss: nan\nend",
        &["1: acc 90, loss 0.5", "2: loss NaN"],
    );
    check(
        r"(?<name>\w+)=(?<value>[-+.\deE]+)",
        None,
        "loss=0.5 acc=.9 note=x\nloss=2.5e-1",
        &["1: acc 0.9, loss 0.5", "2: loss 0.25"],
    );
    check(
        r"(?<name>\w+)=(?<value>\S+)",
        None,
        "step=3, loss=0.5ms note=x time=3s\nstep=4 loss=0.25 step=5 loss=0.125",
        &[
            "3: loss 0.5",
            "4: loss 0.25",
            "5: loss 0.125",
            "a number was read without its unit (line 1: `loss` is `0.5ms`)",
        ],
    );
    check(
        r"step (?<step>\S+): loss (?<loss>\S+)",
        None,
        "step 1: loss 0.5\nstep 2a: loss 0.4\nstep 3: loss -\nstep 4: loss 0.3",
        &[
            "1: loss 0.5",
            "4: loss 0.3",
            "an evaluation whose `step` is no number of steps was left out (line 2: `step` is `2a`)",
            "a value that is no number was left out (line 3: `loss` is `-`)",
        ],
    );
}

#[test]
fn a_progress_bar_is_read_piece_by_piece() {
    let bar: Vec<String> = (1..=100)
        .map(|i| {
            format!("\r{i:3}%|\u{2588}{}| {i}/100 [00:00<00:00, 12.3it/s, step={i} loss={:.3}]\u{1b}[A\r", " ".repeat(9), 1.0 / f64::from(i))
        })
        .collect();
    let bar = bar.concat();
    let text = format!("{bar}\n\u{1b}[1mdone\u{1b}[0m\0\n");
    for pattern in [r"step=(?<step>\d+) loss=(?<loss>\S+)", r"(?<name>\w+)=(?<value>\S+)"] {
        let said = read(pattern, Some((0, 100)), text.as_bytes());
        assert_eq!(said.len(), 100, "{said:?}");
        assert_eq!((&*said[2], &*said[99]), ("3: loss 0.333", "100: loss 0.01"));
    }
}

#[test]
fn of_very_many_evaluations_the_last_is_kept() {
    let mut reader = Reader::new(Form::Jsonl, "loss", None);
    let (mut whole, mut number) = (Vec::new(), 0);
    for _ in 0..1001 {
        let lines: Vec<String> = (number..number + 1000)
            .map(|step| format!("{{\"step\":{step},\"loss\":{step}}}\n"))
            .collect();
        number += 1000;
        reader.read(lines.concat().as_bytes(), &mut whole);
    }
    reader.read(b"{\"step\": 2000000, \"x\": 1}\n", &mut whole);
    reader.finish(None, &mut whole);
    assert_eq!(whole.len(), 1_000_002);
    let last: Vec<u64> = whole.iter().rev().take(3).map(|it| it.step).collect();
    assert_eq!(last, [2_000_000, 1_000_999, 999_999]);
    insta::assert_snapshot!(reader.warnings().all()[0], @"an evaluation beyond the first million (or ten million values) was left out, unless it is the last, 1000 times (the first on line 1000002: that of step 1000000)");
}

#[test]
fn a_pattern_measures_something() {
    let error = |text: &str| text.parse::<Form>().unwrap_err().to_string();
    insta::assert_snapshot!(error("json"), @"it names no group, so nothing is measured");
    insta::assert_snapshot!(error("(?<step>x)"), @"it names no group, so nothing is measured");
    insta::assert_snapshot!(error("(?<name>x)"), @"the group `name` needs the other one: `name` and `value` belong together");
    insta::assert_snapshot!(error("(?<loss>"), @"it is no regular expression: found open group without closing ')'");
}

proptest! {
    #[test]
    fn no_line_is_too_strange(text in "[{}\":,a1eN\\-. \\\\'\r\n\\[\u{1b}m]{0,60}", steps in prop::option::of((0_u64..3, 0_u64..3))) {
        for form in ["jsonl", r"(?<name>\w*)[:=](?<value>\S*)"] {
            read(form, steps, text.as_bytes());
        }
    }

    /// Steps rise, stay within bounds, and every line that is whole and in order arrives with its last value.
    #[test]
    fn what_can_be_used_is_used(lines in prop::collection::vec((0_u64..30, 0_u8..6), 0..40)) {
        let mut text = String::new();
        let mut expected: BTreeMap<u64, f64> = BTreeMap::new();
        for (number, (step, oddity)) in lines.iter().enumerate() {
            let line = format!("{{\"step\": {step}, \"x\": {number}}}");
            match oddity {
                0 => text += &line[..line.len() - 3],
                1 => text += "bar 3%\rbar 4%\r",
                _ => text += &line,
            }
            text.push('\n');
            let is_back = expected.keys().last().is_some_and(|last| step < last);
            if 1 < *oddity && !is_back && *step <= 20 {
                expected.insert(*step, number as f64);
            }
        }
        let mut reader = Reader::new(Form::Jsonl, "x", Some((0, 20)));
        let mut whole = Vec::new();
        text.as_bytes().chunks(5).for_each(|bytes| reader.read(bytes, &mut whole));
        reader.finish(None, &mut whole);
        let found: BTreeMap<u64, f64> = whole.iter().map(|it| (it.step, it.values["x"])).collect();
        prop_assert_eq!(found.len(), whole.len());
        prop_assert_eq!(found, expected);
    }
}
