//! Words of other tools: what is called so here, or how it is written.

use crate::{
    spec::{
        node::{Entry, Kind, Node},
        reader::find,
    },
    value::Value,
};

/// How a parameter of other tools is written here, if it is known. `parameters` are those of the program; `value` is what
/// the file says, if that is one value.
pub(crate) fn parameter(name: &str, value: Option<&Value>, parameters: &[&str]) -> Option<String> {
    let number = |default: &str| match value {
        Some(Value::Int(number)) => number.to_string(),
        _ => default.to_owned(),
    };
    let meant = match name.to_lowercase().replace('-', "_").as_str() {
        "lr"
        | "learning_rate"
        | "learningrate"
        | "lr0"
        | "init_lr"
        | "initial_lr"
        | "base_lr"
        | "max_lr"
        | "learning_rate_init"
        | "initial_learning_rate"
        | "eta" => "peak",
        "epochs" | "epoch" | "num_epochs" | "n_epochs" | "max_epochs" | "num_train_epochs"
        | "nb_epochs" => {
            return Some(format!("write budget = \"{}ep\"", number("5")));
        }
        "steps" | "max_steps" | "num_steps" | "iterations" | "max_iter" | "num_iterations"
        | "total_steps" => {
            return Some(format!("write budget = \"{}st\"", number("5000")));
        }
        "batch_size"
        | "batchsize"
        | "bs"
        | "train_batch_size"
        | "mini_batch_size"
        | "per_device_train_batch_size" => "batch",
        "dataset" | "data_set" | "dataset_name" => "data",
        "wd" | "weightdecay" | "l2" => "weight_decay",
        "arch" | "architecture" | "network" | "net" => "model",
        "optim" | "optimiser" | "opt" => "optimizer",
        "validation" | "val_size" | "valid_size" | "n_val" => "valid",
        "beta_1" | "b1" | "adam_beta1" => "beta1",
        "beta_2" | "b2" | "adam_beta2" => "beta2",
        "eps" | "adam_epsilon" => "epsilon",
        "warmup_steps" | "num_warmup_steps" | "warmup_ratio" | "warmup_epochs" => "warmup",
        "seed" | "seeds" | "random_seed" | "random_state" => {
            return Some("write seeds = [1, 2, 3] under [sweep]".to_owned());
        }
        "scheduler" | "lr_scheduler" | "lr_schedule" | "lr_scheduler_type" => {
            return Some("write schedule = [\"constant\", \"cosine\"] under [space]".to_owned());
        }
        _ => return None,
    };
    let is_known = matches!(meant, "peak" | "warmup") || parameters.contains(&meant);
    is_known.then(|| format!("did you mean `{meant}`?"))
}

/// How a range of other tools is written here, if it is known.
pub(super) fn range(name: &str, entries: &[Entry]) -> Option<String> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| find(entries, key));
    let listed = ["choices", "values", "options", "choice", "grid_search", "grid", "categories"];
    if let Some(list) = first(&listed) {
        return match &list.node.kind {
            Kind::List(nodes) => {
                let values: Option<Vec<String>> = nodes.iter().map(spelled).collect();
                Some(format!("write {name} = [{}]", values?.join(", ")))
            }
            _ => Some(format!("write {name} = [ and the values between brackets ]")),
        };
    }
    if let Some(value) = first(&["value", "const", "constant"]) {
        return Some(format!("write {name} = {}", spelled(&value.node)?));
    }
    let lo = spelled(&first(&["min", "low", "lower", "start", "from"])?.node)?;
    let hi = spelled(&first(&["max", "high", "upper", "end", "stop", "to"])?.node)?;
    let text = |keys: &[&str]| match first(keys).map(|entry| &entry.node.kind) {
        Some(Kind::Scalar(Value::Text(text))) => text.clone(),
        Some(Kind::Scalar(Value::Bool(true))) => "log".to_owned(),
        _ => String::new(),
    };
    let word = text(&["distribution", "scale", "sampling", "type", "log", "prior"]).to_lowercase();
    let is_log = word.contains("log");
    let is_whole = |text: &str| text.parse::<i64>().is_ok();
    let are_whole = is_whole(&lo) && is_whole(&hi);
    let kind = match (is_log, word.contains("int") || are_whole && !word.contains("float")) {
        (true, true) => "log_int",
        (true, false) => "log",
        (false, true) => "int",
        (false, false) => "uniform",
    };
    let n = match first(&["n", "num", "count"]).map(|entry| &entry.node.kind) {
        Some(Kind::Scalar(Value::Int(n))) if 2 <= *n => *n,
        _ => 5,
    };
    Some(format!("write {name} = {{ {kind} = [{lo}, {hi}], n = {n} }}"))
}

/// A value as it stands in a sweep file.
fn spelled(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar(Value::Text(text)) => Some(format!("{text:?}")),
        Kind::Scalar(value) => Some(value.to_string()),
        _ => None,
    }
}
