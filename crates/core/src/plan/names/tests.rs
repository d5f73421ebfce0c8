use crate::{
    plan::tests::{HEAD, measured, planned},
    spec::read,
};

/// What is said of each of these files, or that nothing is.
fn said(files: &[&str]) -> String {
    let texts = files.iter().map(|file| match planned(file) {
        Ok(plan) => format!("{file}\n{} trials\n", plan.trials.len()),
        Err(diagnostics) => format!("{file}\n{diagnostics}\n"),
    });
    texts.collect::<Vec<_>>().join("--------\n")
}

#[test]
fn two_names_of_one_rate_are_a_conflict_unless_they_have_one_value() {
    let branch = "[space.schedule.a]\nuse = \"torch.OneCycleLR\"\ntotal_steps = 100\n";
    insta::assert_snapshot!(said(&[
        &format!("[space]\npeak = [0.1, 0.2, 0.3]\n{branch}max_lr = [0.1, 0.3]\n"),
        &format!("[space]\npeak = 0.1\n{branch}max_lr = 0.1\n"),
        &format!("[trainer]\npeak = 0.1\n[space]\n{branch}max_lr = 0.1\n"),
        &format!("[trainer]\npeak = 0.1\n[space]\n{branch}max_lr = 0.2\n"),
        &format!("[space]\npeak = [0.1, 0.2]\n{branch}peak = [1, 2, 3]\n"),
        &format!(
            "[search]\nmethod = \"random\"\nsamples = 20\n[space]\npeak = {{ log = [0.01, 1.0] }}\n{branch}max_lr = 0.1\n"
        ),
        "[space]\npeak = [0.1, 0.2]\n[space.schedule.a]\nuse = \"keras.CosineDecay\"\ndecay_steps = 100\ninitial_learning_rate = 0.1\n",
        "[trainer.schedule]\nuse = \"d2l.CosineScheduler\"\nmax_update = 100\nbase_lr = 0.1\n[space]\npeak = [0.1, 0.2]\n",
        "[[space.zip]]\npeak = [0.1, 0.2]\nmomentum = [0.5, 0.9]\n[space.schedule.cosine]\npeak = 1\n",
    ]));
}

#[test]
fn an_objective_that_cannot_be_measured_is_refused_with_what_it_needs() {
    let text = |metric: &str, rest: &str| {
        let head = HEAD.replace("\"loss\"", &format!("\"{metric}\""));
        let spec = read("x.toml", &format!("{head}{rest}[space]\npeak = 1\n"));
        match spec.and_then(measured) {
            Ok(_) => format!("{metric}: planned\n"),
            Err(diagnostics) => format!("{diagnostics}\n"),
        }
    };
    insta::assert_snapshot!(
        [
            text("val_accuracy", ""),
            text("val_accuracy", "[trainer]\nmodel = \"mlp-8\"\n"),
            text("val_accuracy", "[trainer]\nmodel = \"linear\"\n"),
            text("accuracy", ""),
            text("valid_acc", "[trainer]\nmodel = \"mlp-8\"\n"),
            text("test_accuracy", ""),
        ]
        .concat()
    );
}

#[test]
fn words_of_other_tools_get_their_names_here() {
    insta::assert_snapshot!(said(&[
        "[trainer]\nepochs = 7\nbatch_size = 32\nlr = 0.1\nseed = 3\nsteps = 400\nlr_scheduler = \"cosine\"\noptim = \"sgd\"\n",
        "[space]\nlearning_rate = [0.1, 0.2]\narch = \"linear\"\n",
        "[space]\npeak = { min = 0.001, max = 0.1, log = true }\n",
        "[space]\npeak = { low = 0.001, high = 0.1 }\n",
        "[space]\nbatch = { min = 16, max = 64, distribution = \"q_log_uniform_values\" }\n",
        "[space]\nbatch = { values = [16, 32] }\n",
        "[space]\noptimizer = { choices = [\"sgd\", \"adam\"] }\n",
        "[space]\nbatch = { value = 16 }\n",
        "[space]\nbatch = { int = [-9223372036854775808, 9223372036854775807] }\n",
    ]));
}
