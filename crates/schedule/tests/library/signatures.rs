//! Every argument that a class has in its own library is known, with its default.

use pleach_schedule::{
    duration::Horizon,
    library::{Class, LIBRARIES, signature},
    preset::{Argument, Expected, preset},
};

fn classes() -> impl Iterator<Item = &'static Class> {
    LIBRARIES.iter().flat_map(|library| library.classes)
}

/// What some classes have here beside what their libraries have: the keys and values of a dictionary, what stands for what
/// a scheduler is told while it runs, and what is an estimator's or the caller's there.
const OURS: &[&str] = &[
    "monitor",
    "boundaries",
    "scales",
    "init_value",
    "peak_value",
    "warmup_steps",
    "decay_steps",
    "end_value",
    "n_samples",
];

#[test]
fn every_argument_is_that_of_the_library() {
    for class in classes().filter(|class| !class.info.name.starts_with("papers.")) {
        let name = class.info.name;
        let theirs = signature(name).unwrap_or_else(|| panic!("{name} has no signature"));
        for argument in class.info.arguments {
            let found = theirs.parameter(argument.name);
            let is_kept_back = name == "hf.reduce_lr_on_plateau";
            assert!(
                found.is_some() || OURS.contains(&argument.name) || is_kept_back,
                "{name} {}",
                argument.name
            );
        }
    }
}

/// Where a default is another one on purpose.
const OTHERWISE: &[(&str, &str)] = &[
    // Momentum only moves where that is asked for; whole numbers are steps unless `per` says otherwise.
    ("torch.OneCycleLR", "cycle_momentum"),
    ("torch.CyclicLR", "cycle_momentum"),
    ("keras.ReduceLROnPlateau", "monitor"),
];

#[test]
fn every_default_is_that_of_the_library() {
    for class in classes() {
        let Some(theirs) = signature(class.info.name) else { continue };
        for argument in class.info.arguments {
            let Some(default) = theirs.parameter(argument.name).and_then(|theirs| theirs.default)
            else {
                continue;
            };
            let is_other = OTHERWISE.contains(&(class.info.name, argument.name))
                || argument.name == "t_in_epochs";
            let is_same = match argument.expected {
                Expected::Number | Expected::Count | Expected::Time => {
                    argument.default.parse::<f64>() == default.parse()
                }
                Expected::Word(_) | Expected::Metric => {
                    default == format!("\"{}\"", argument.default)
                }
                _ => argument.default == default,
            };
            let is_absent = default == "none" && argument.default.is_empty();
            assert!(
                is_same || is_other || is_absent,
                "{} {}: {default}, not {}",
                class.info.name,
                argument.name,
                argument.default
            );
        }
    }
}

const HORIZON: Horizon = Horizon { steps: 100, steps_per_epoch: 10 };

/// What is wrong with an argument of a class, beside what it needs; none if it is accepted.
fn refusal(class: &Class, name: &str, value: Argument) -> Option<String> {
    let info = pleach_schedule::preset::find(class.info.name).unwrap();
    let arguments = [(name.to_owned(), value)].into_iter().collect();
    let error = preset(info, Some(0.1), &arguments, HORIZON).err()?;
    (error.argument == name).then(|| format!("{}: {}", error.message, error.help))
}

#[test]
fn an_argument_that_means_nothing_is_accepted_and_another_one_refused_by_name() {
    for class in classes() {
        let Some(theirs) = signature(class.info.name) else { continue };
        for parameter in &theirs.parameters {
            if class.info.all_arguments().any(|info| info.name == parameter.name) {
                continue;
            }
            let value = |text: &str| match (text.parse(), text.parse()) {
                (Ok(number), _) => Argument::Number(number),
                (_, Ok(value)) => Argument::Bool(value),
                _ => Argument::Text(text.trim_matches('"').to_owned()),
            };
            if let Some(default) = parameter.default {
                assert_eq!(refusal(class, parameter.name, value(default)), None);
            }
            // Something that it never is by default.
            if let Some(refused) = refusal(class, parameter.name, Argument::Number(12345.0)) {
                assert!(refused.contains(parameter.name), "{refused}");
            }
        }
        assert!(
            refusal(class, "no_such_argument", Argument::Bool(true))
                .unwrap()
                .contains("no argument")
        );
    }
    let one = |class: &str, name: &str, value| {
        refusal(classes().find(|other| other.info.name == class).unwrap(), name, value)
    };
    for (class, name) in [
        ("torch.StepLR", "optimizer"),
        ("torch.StepLR", "verbose"),
        ("keras.CosineDecay", "name"),
        ("timm.CosineLRScheduler", "noise_seed"),
        ("sklearn.optimal", "eta0"),
    ] {
        assert_eq!(one(class, name, Argument::Text("x".to_owned())), None, "{class} {name}");
    }
    for (class, name) in [
        ("torch.StepLR", "last_epoch"),
        ("torch.CyclicLR", "scale_fn"),
        ("timm.CosineLRScheduler", "noise_range_t"),
        ("timm.StepLRScheduler", "initialize"),
        ("fastai.fit_one_cycle", "wd"),
        ("optax.reduce_on_plateau", "accumulation_size"),
    ] {
        assert!(one(class, name, Argument::Number(3.0)).is_some(), "{class} {name}");
    }
}

#[test]
fn wherever_a_library_counts_steps_a_duration_may_stand() {
    // What is counted otherwise: evaluations, cycles, samples, epochs, factors.
    const COUNTS: &[&str] = &[
        "patience",
        "cooldown",
        "patience_t",
        "cooldown_t",
        "n_iter_no_change",
        "num_cycles",
        "cycle_limit",
        "n_cycles",
        "T_mult",
        "d_model",
        "n_samples",
        "epochs",
    ];
    for class in classes() {
        for argument in class.info.arguments.iter().filter(|info| info.expected == Expected::Count)
        {
            assert!(COUNTS.contains(&argument.name), "{} {}", class.info.name, argument.name);
        }
    }
}
