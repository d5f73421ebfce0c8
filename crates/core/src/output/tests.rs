use proptest::prelude::*;

use super::*;

/// Every evaluation, then what is wrong.
fn read(form: &str, steps: Option<(u64, u64)>, text: &str) -> Vec<String> {
    let mut reader = Reader::new(form.parse().unwrap(), steps);
    let mut said = Vec::new();
    let mut say = |evaluation: Evaluation| {
        let values: Vec<String> =
            evaluation.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
        said.push(format!("{}: {}", evaluation.step, values.join(", ")));
    };
    let mut wrong = None;
    for line in text.lines() {
        match reader.line(line.as_bytes()) {
            Ok(completed) => completed.into_iter().for_each(&mut say),
            Err(error) => {
                wrong = Some(error.to_string());
                break;
            }
        }
    }
    reader.finish().into_iter().for_each(&mut say);
    said.extend(wrong);
    said
}

#[track_caller]
fn check(form: &str, steps: Option<(u64, u64)>, text: &str, expected: &[&str]) {
    assert_eq!(read(form, steps, text), expected);
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
        &["1: loss 0.5, acc 0.9", "2: acc 1"],
    );
}

#[test]
fn without_a_step_it_is_the_end_of_the_trial_or_the_next_evaluation() {
    check("jsonl", Some((0, 500)), "{\"loss\": 0.5}", &["500: loss 0.5"]);
    check("jsonl", None, "{\"loss\": 0.5}\n{\"loss\": 0.25}", &["1: loss 0.5", "2: loss 0.25"]);
}

#[test]
fn numbers_that_are_not_finite_are_read_as_python_writes_them() {
    check(
        "jsonl",
        None,
        r#"{"a \"NaN": NaN, "b": -Infinity, "c": Infinity, "d": "NaN", "e": 1e-5}"#,
        &["1: a \"NaN NaN, b -inf, c inf, d NaN, e 0.00001"],
    );
}

#[test]
fn what_cannot_be_is_said_with_its_line() {
    let line = |text: &str| read("jsonl", Some((0, 20)), text).pop().unwrap();
    insta::assert_snapshot!(line("loss 0.5"), @"line 1 of its metrics: `loss 0.5` is no JSON object (expected value at line 1 column 1)");
    insta::assert_snapshot!(line("{\"step\": 2, \"x\": 1}\n{\"step\": 1, \"x\": 1}"), @"line 2 of its metrics: step 1 comes after step 2");
    insta::assert_snapshot!(line("{\"step\": 2, \"x\": 1}\n{\"step\": 2, \"x\": 1}"), @"line 2 of its metrics: `x` is measured twice at step 2");
    let later = read("jsonl", Some((10, 20)), "{\"step\": 10, \"x\": 1}").pop().unwrap();
    insta::assert_snapshot!(later, @"line 1 of its metrics: step 10 is not one of its own, which begin after 10");
    insta::assert_snapshot!(line("{\"step\": 21, \"x\": 1}"), @"line 1 of its metrics: step 21 is beyond step 20, the last one");
    insta::assert_snapshot!(line("{\"step\": 1.5, \"x\": 1}"), @"line 1 of its metrics: `step` is 1.5, which is no number of steps");
    insta::assert_snapshot!(line("{\"step\": \"two\", \"x\": 1}"), @"line 1 of its metrics: `step` is \"two\", which is no number");
}

#[test]
fn a_pattern_finds_its_groups_in_a_line() {
    check(
        r"epoch (?<step>\d+).* loss[:=] (?<loss>\S+)(.* acc[:=] (?<acc>\S+))?",
        None,
        "start\nepoch 1/2 loss: 0.5, acc: 90%\nepoch 2/2 loss: nan\nend",
        &["1: loss 0.5, acc 90", "2: loss NaN"],
    );
    check(
        r"(?<name>\w+)=(?<value>[-+.\deE]+)",
        None,
        "loss=0.5 acc=.9 note=x\nloss=2.5e-1",
        &["1: loss 0.5, acc 0.9", "2: loss 0.25"],
    );
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
    fn no_line_is_too_strange(text in "[{}\":,a1eN\\-. \\\\]{0,40}", steps in prop::option::of((0_u64..3, 0_u64..3))) {
        for form in ["jsonl", r"(?<name>\w*)[:=](?<value>\S*)"] {
            let said = read(form, steps, &text);
            prop_assert!(said.len() <= 2);
        }
    }
}
