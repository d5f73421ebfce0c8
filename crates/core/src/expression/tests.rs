use super::*;
use crate::value::Value;
use pleach_schedule::duration::Horizon;

fn evaluate(text: &str) -> Result<Value, Unknown> {
    let value = |name: &str| match name {
        "peak" => Some(Value::Float(0.1)),
        "batch" => Some(Value::Int(64)),
        "warmup" => Some(Value::Text("10%".to_owned())),
        "cooldown" => Some(Value::Text("2ep".to_owned())),
        "model" => Some(Value::Text("mlp".to_owned())),
        _ => None,
    };
    let horizon = Some(Horizon { steps: 1000, steps_per_epoch: 100 });
    let expression = Expression::read(text).map_err(Unknown::Wrong)?;
    expression.value(&Evaluation { value: &value, horizon })
}

#[track_caller]
fn check(text: &str, expected: impl Into<Expected>) {
    assert_eq!(evaluate(text), Ok(expected.into().0), "{text}");
}

struct Expected(Value);
impl From<bool> for Expected {
    fn from(value: bool) -> Self {
        Self(Value::Bool(value))
    }
}
impl From<i64> for Expected {
    fn from(value: i64) -> Self {
        Self(Value::Int(value))
    }
}
impl From<f64> for Expected {
    fn from(value: f64) -> Self {
        Self(Value::Float(value))
    }
}
impl From<&str> for Expected {
    fn from(value: &str) -> Self {
        Self(Value::Text(value.to_owned()))
    }
}

#[test]
fn arithmetic_has_the_usual_precedence() {
    check("1 + 2 * 3", 7);
    check("(1 + 2) * 3", 9);
    check("-2 ** 2", -4);
    check("2 ** 3 ** 2", 512);
    check("7 // 2", 3);
    check("-7 // 2", -4);
    check("7 % 4", 3);
    check("10%3", 1);
    check("batch / 128", 0.5);
    check("0.1 + 0.2", 0.3);
    check("peak * batch", 6.4);
}

#[test]
fn comparisons_chain_and_join() {
    check("0.01 < peak <= 0.1", true);
    check("peak == 0.1 and batch == 64", true);
    check("not (peak > 1 or batch > 100)", true);
    check("model == 'mlp'", true);
    check("model in ['lenet', \"mlp\"]", true);
    check("batch not in [32, 64]", false);
    check("model != 3", true);
}

#[test]
fn a_duration_is_its_fraction_of_the_budget() {
    check("warmup + cooldown == 30%", true);
    check("warmup + 20% <= 30%", true);
    check("cooldown == 0.2", true);
    check("warmup < 150st", true);
    check("warmup == 10% and true", true);
}

#[test]
fn a_value_may_be_computed() {
    check("100% - warmup", "90%");
    check("0.1 * batch / 256", 0.025);
    check("'big' if batch > 32 else 'small'", "big");
    check("max(1, batch // 3, 5)", 21);
    check("round(sqrt(batch))", 8);
    check("log10(1000)", 3.0);
}

#[test]
fn a_name_without_a_value_makes_the_whole_not_apply() {
    assert_eq!(evaluate("momentum < 0.5"), Err(Unknown::Absent));
    assert_eq!(evaluate("peak > 1 and momentum < 0.5"), Err(Unknown::Absent));
}

#[test]
fn what_makes_no_sense_is_said_with_its_place() {
    let message = |text: &str| match evaluate(text) {
        Err(Unknown::Wrong(error)) => format!("{} at `{}`", error.message, &text[error.span]),
        other => format!("{other:?}"),
    };
    let texts = [
        "",
        "1 +",
        "(1",
        "peak = 1",
        "peak < model",
        "sin(1)",
        "sqr(4)",
        "1 / 0",
        "log(0)",
        "1 2",
        "'a",
        "and 1",
        "min()",
        "9 $ 1",
        "model + 1",
        "1 if 2 else 3",
        "abs(1, 2)",
        "1 if true",
    ];
    let messages: Vec<String> =
        texts.into_iter().map(|text| format!("{text:16} {}", message(text))).collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn nesting_has_an_end() {
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Expression::read(&deep).is_err());
    assert!(Expression::read(&"-".repeat(100_000)).is_err());
    assert!(Expression::read(&"not ".repeat(100_000)).is_err());
}
