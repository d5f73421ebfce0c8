//! Calls of other libraries' schedulers, as people paste them.

use pleach_schedule::call::{is_call, table};

#[test]
fn a_call_is_the_table_of_its_arguments() {
    for (call, expected) in [
        (
            "torch.optim.lr_scheduler.StepLR(optimizer, 30, 0.1)",
            r#"{ use = "torch.StepLR", gamma = 0.1, step_size = 30 }"#,
        ),
        (
            "scheduler = StepLR(optimizer, step_size=30, last_epoch=-1,)",
            r#"{ use = "torch.StepLR", last_epoch = -1, step_size = 30 }"#,
        ),
        (
            "optim.lr_scheduler.StepLR(\n    optimizer=opt,  # the optimizer\n    step_size=30,\n)",
            r#"{ use = "torch.StepLR", step_size = 30 }"#,
        ),
        (
            "scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, steps_per_epoch=len(data_loader), epochs=10)",
            r#"{ use = "torch.OneCycleLR", epochs = 10, max_lr = 0.01, steps_per_epoch = "1ep" }"#,
        ),
        (
            ">>> num_epochs = 100\n>>> optimizer = torch.optim.SGD(model.parameters(), lr=0.05)\n>>> scheduler = CosineAnnealingLR(optimizer, T_max=num_epochs)\n>>> for epoch in range(num_epochs):\n>>>     train(...)",
            r#"{ use = "torch.CosineAnnealingLR", peak = 0.05, T_max = 100 }"#,
        ),
        (
            "    boundaries = [100, 110]\n    values = [1.0, 0.5, 0.1]\n    fn = keras.optimizers.schedules.PiecewiseConstantDecay(\n        boundaries, values)",
            r#"{ use = "keras.PiecewiseConstantDecay", boundaries = [100, 110], values = [1, 0.5, 0.1] }"#,
        ),
        (
            "optax.adam(optax.schedules.cosine_decay_schedule(1e-3, 10 * 100))",
            r#"{ use = "optax.cosine_decay_schedule", decay_steps = 1000, init_value = 0.001 }"#,
        ),
        (
            "optax.piecewise_constant_schedule(1.0, {10: 0.5, 20: 0.1})",
            r#"{ use = "optax.piecewise_constant_schedule", boundaries = [10, 20], scales = [0.5, 0.1], init_value = 1 }"#,
        ),
        (
            "get_scheduler('cosine_with_min_lr', optimizer, 10, 5 * len(loader), scheduler_specific_kwargs={'min_lr': 1e-5})",
            r#"{ use = "hf.cosine_with_min_lr", min_lr = 1e-5, num_training_steps = "5ep", num_warmup_steps = 10 }"#,
        ),
        (
            "transformers.get_linear_schedule_with_warmup(opt, int(0.1 * 500), 500)",
            r#"{ use = "hf.linear", num_training_steps = 500, num_warmup_steps = 50 }"#,
        ),
        (
            "learn.fit_one_cycle(5, 1e-2, moms=(0.95, 0.85, 0.95))",
            r#"{ use = "fastai.fit_one_cycle", lr_max = 0.01, moms = [0.95, 0.85, 0.95], n_epoch = 5 }"#,
        ),
        (
            "ReduceLROnPlateau(optimizer, 'min', patience=3)",
            r#"{ use = "torch.ReduceLROnPlateau", mode = "min", patience = 3 }"#,
        ),
        (
            "ReduceLROnPlateau(monitor='val_loss', min_delta=0.1)",
            r#"{ use = "keras.ReduceLROnPlateau", min_delta = 0.1, monitor = "val_loss" }"#,
        ),
        (
            "CyclicLR(optimizer, 0.1, 1, scale_fn=None, verbose=False)",
            r#"{ use = "torch.CyclicLR", base_lr = 0.1, max_lr = 1, verbose = false }"#,
        ),
        (
            "mx.lr_scheduler.FactorScheduler(step=10)",
            r#"{ use = "mxnet.FactorScheduler", step = 10 }"#,
        ),
    ] {
        assert!(is_call(call), "{call}");
        assert_eq!(table(call).unwrap(), expected, "{call}");
    }
}

#[test]
fn what_cannot_be_read_is_said_with_a_remedy() {
    let calls = [
        "ReduceLROnPlateau(factor=0.2)",
        "LambdaLR(optimizer, lr_lambda=lambda epoch: 0.95 ** epoch)",
        "SequentialLR(optimizer, [ConstantLR(optimizer), ExponentialLR(optimizer, 0.9)], milestones=[2])",
        "StepLR(optimizer, 3); ",
        "a = StepLR(optimizer, 3)\nb = StepLR(optimizer, 4)",
        "OneCycleLR(optimizer, max_lr=args.lr, total_steps=100)",
        "StepLR(optimizer, 3, step_size=4)",
        "StepLR(optimizer, 3, 0.1, -1, 7)",
        "StepLR(optimizer, 3",
        "StepLR(optimizer, 1e999)",
        "StepLR(optimizer, $)",
        "StepLR(optimizer, 'three)",
        "get_scheduler('cosin', optimizer)",
        "train(model)",
        "# nothing (at all)",
        &format!("StepLR(optimizer, {}3{})", "(".repeat(100), ")".repeat(100)),
    ];
    let texts = calls.map(|call| {
        let text: String = call.chars().take(100).collect();
        format!("{text}\n    {}", table(call).unwrap_or_else(|error| error.to_string()))
    });
    insta::assert_snapshot!(texts.join("\n"));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in "(StepLR|get_scheduler|optax.sgdr_schedule|x = )?[(\\[{][ -~\n]{0,60}") {
        let _either = table(&text);
    }
}
