//! Training is exact: the same again, whatever was interrupted, and checkpoints are refused when they are not what they
//! should be.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{LazyLock, Mutex};

use pleach_protocol::message::{Parameters, Schedule};
use pleach_trainer::{
    checkpoint,
    network::failure::Failure,
    state::State,
    train::{End, Flow, Job, Observer, train},
    worker::Trainer,
};

fn parameters(text: &str) -> Parameters {
    let mut parameters: Parameters =
        [("subset", "300"), ("valid", "100"), ("batch", "64"), ("budget", "\"3ep\"")]
            .map(|(name, value)| (name.to_owned(), serde_json::from_str(value).unwrap()))
            .into();
    for pair in text.split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        parameters.insert(name.to_owned(), value);
    }
    parameters
}

/// One for all tests: making the digits takes most of a second.
static TRAINER: LazyLock<Mutex<Trainer>> = LazyLock::new(Mutex::default);

/// Parameters that follow a schedule stand behind `~`.
fn job(text: &str) -> (Job, State) {
    let (text, followed) = text.split_once('~').unwrap_or((text, ""));
    let rates = "0.05: 0 > 1 linear for 3, 1 > 0 cosine for 12".to_owned();
    let plateau = Some("plateau(factor=0.5,patience=0)".to_owned());
    let schedule = Schedule::Profile { rates, plateau };
    let profiles = followed
        .split('~')
        .filter_map(|followed| followed.split_once('='))
        .map(|(name, rates)| (name.to_owned(), profile(rates)))
        .collect();
    let job =
        TRAINER.lock().unwrap().job(&parameters(text), Some(&schedule), &profiles, 7).unwrap();
    let state = State::new(&job.model, job.config.optimizer, job.config.init, 7);
    (job, state)
}

fn profile(rates: &str) -> Schedule {
    Schedule::Profile { rates: rates.to_owned(), plateau: None }
}

/// Writes down every metric, and stops at a step if asked to.
#[derive(Default)]
struct Notes {
    metrics: Vec<(u64, String, u64)>,
    stop: Option<u64>,
}

impl Observer for Notes {
    fn evaluated(&mut self, step: u64, metrics: Vec<(String, f64)>) {
        self.metrics.extend(metrics.into_iter().map(|(name, value)| (step, name, value.to_bits())));
    }

    fn stepped(&mut self, state: &State) -> Result<Flow, Failure> {
        Ok(if self.stop == Some(state.step) { Flow::Stop } else { Flow::Continue })
    }
}

/// Every model with every rule; few enough to be quick.
const KINDS: &[&str] = &[
    "model=linear",
    "model=mlp-16 momentum=0.9 nesterov=true weight_decay=0.01",
    "model=mlp-16-8 optimizer=adam init=glorot weight_decay=0.01 normalize=standard",
    "model=mlp-16 optimizer=adamw init=kaiming weight_decay=0.1 eval=7st",
    "model=lenet momentum=0.5 batch=100 eval=10%",
    "model=lenet optimizer=adam batch=128",
    "model=mlp-16 ~momentum=1: 0.95 > 0.85 cosine for 5, 0.85 > 0.95 linear for 10~weight_decay=0.1: 1 stairs(gamma=0.5,tau=3)",
    "model=mlp-16 average=swa swa_start=3st swa_every=2st eval=4st",
    "model=mlp-16 optimizer=adam average=ema ema_decay=0.9",
    "model=mlp-16 nesterov=true ~momentum=0.9: 0 hold for 4, 1 hold",
    "model=mlp-16 optimizer=adamw ~beta1=1: 0.95 > 0.85 linear for 9, 0.85 hold~weight_decay=0.1: 1 > 0 linear for 12",
];

#[test]
fn training_in_pieces_is_training_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    for (index, kind) in KINDS.iter().enumerate() {
        let (job, fresh) = job(kind);
        let (mut whole, mut notes) = (fresh.clone(), Notes::default());
        assert_eq!(train(&job, &mut whole, job.horizon.steps, &mut notes), Ok(End::Done));

        let first = 1 + (index as u64 * 5) % (job.horizon.steps - 1);
        let (mut pieces, mut again) = (fresh, Notes { stop: Some(first), ..Notes::default() });
        assert_eq!(train(&job, &mut pieces, job.horizon.steps, &mut again), Ok(End::Stopped));
        let rule = job.config.optimizer;
        let digest = checkpoint::write(&path, &job.model, rule, &pieces).unwrap();
        let mut resumed = checkpoint::read(&path, &job.model, rule, &digest).unwrap();
        assert_eq!(resumed, pieces, "{kind}");
        assert_eq!(train(&job, &mut resumed, job.horizon.steps, &mut again), Ok(End::Done));
        assert_eq!(resumed, whole, "{kind}, interrupted after {first} steps");
        assert_eq!(again.metrics, notes.metrics, "{kind}, interrupted after {first} steps");
        assert_eq!(resumed.digest(), whole.digest());
    }
}

#[test]
fn a_seed_decides_everything_and_nothing_else_does() {
    let run = |seed| {
        let (mut job, _) = job("model=mlp-16");
        job.seed = seed;
        let config = &job.config;
        let mut state = State::new(&job.model, config.optimizer, config.init, seed);
        train(&job, &mut state, 6, &mut Notes::default()).unwrap();
        state.digest()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_loss_that_is_not_finite_is_an_outcome() {
    let (mut job, mut state) = job("model=mlp-16");
    job.rates = pleach_trainer::train::Rates::Table(vec![1e30]);
    assert_eq!(
        train(&job, &mut state, job.horizon.steps, &mut Notes::default()),
        Ok(End::Diverged)
    );
    assert!(state.step < job.horizon.steps);
}

#[test]
fn a_checkpoint_that_is_not_what_it_should_be_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let (job, state) = job("model=mlp-16 momentum=0.9");
    let rule = job.config.optimizer;
    let digest = checkpoint::write(&path, &job.model, rule, &state).unwrap();
    let intact = std::fs::read(&path).unwrap();
    let refusal = |content: &[u8], job: &Job, digest: &str| {
        std::fs::write(&path, content).unwrap();
        let error = checkpoint::read(&path, &job.model, job.config.optimizer, digest).unwrap_err();
        error.to_string().replace(&path.display().to_string(), "x")
    };
    let mut flipped = intact.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(
        refusal(&flipped, &job, &digest),
        "x is damaged: its content does not match its digest"
    );
    assert_eq!(refusal(&intact[..intact.len() / 2], &job, &digest), "x is no safetensors file");
    assert_eq!(refusal(b"PK\x03\x04", &job, &digest), "x is no safetensors file");
    assert!(
        refusal(&intact, &job, "00").starts_with("x is intact but is not the checkpoint asked for")
    );
    let (other, _) = self::job("model=mlp-17 momentum=0.9");
    assert_eq!(
        refusal(&intact, &other, &digest),
        "x is of another model or optimizer: `fc1.weight` is not as expected"
    );
    let (other, _) = self::job("model=mlp-16 optimizer=adam");
    assert_eq!(
        refusal(&intact, &other, &digest),
        "x is of another model or optimizer: `fc1.weight.mean` is not as expected"
    );
}

#[test]
fn a_parameter_that_follows_a_schedule_has_its_value_at_every_step() {
    let digest = |text: &str| {
        let (job, mut state) = job(text);
        let mut notes = Notes::default();
        train(&job, &mut state, 8, &mut notes).unwrap();
        let momentum = notes.metrics.iter().filter(|(_, name, _)| name == "momentum");
        let values = momentum.map(|(step, _, bits)| (*step, f64::from_bits(*bits)));
        (state.digest(), values.collect::<Vec<_>>())
    };
    let (constant, none) = digest("model=linear momentum=0.9");
    assert_eq!(none, []);
    let followed = "model=linear eval=1st ~momentum=0.9: 1 hold";
    assert_eq!(
        digest(followed),
        (digest("model=linear eval=1st momentum=0.9").0, (1..=8).map(|step| (step, 0.9)).collect())
    );
    let (falling, values) = digest("model=linear eval=4st ~momentum=1: 0.9 > 0.5 linear for 8");
    assert_ne!(falling, constant);
    assert_eq!(values, [(4, 0.75), (8, 0.55)]);
}

#[test]
fn a_profile_that_cannot_be_is_refused_by_name() {
    let refusal = |name: &str, schedule: Schedule| {
        let profiles = [(name.to_owned(), schedule)].into();
        let mut trainer = TRAINER.lock().unwrap();
        let rate = profile("0.1: hold");
        let refusal = trainer.job(&parameters(""), Some(&rate), &profiles, 1).unwrap_err();
        format!("{}: {}", refusal.parameter.unwrap_or_default(), refusal.message)
    };
    let watching =
        Schedule::Profile { rates: "0.9: hold".to_owned(), plateau: Some("plateau".to_owned()) };
    let texts = [
        refusal("beta1", profile("0.9: > 0.8")),
        refusal("beta2", profile("0.9: > 0.8")),
        refusal("momentum", profile("0.5: 1 > 4 linear for 10")),
        refusal("momentum", profile("0.9: cosin")),
        refusal("momentum", watching),
        refusal("momentum", Schedule::Table(vec![0.9, -0.1])),
        refusal("weight_decay", Schedule::Table(vec![])),
    ];
    insta::assert_snapshot!(texts.join("\n"), @"
    beta1: this optimizer has none
    beta2: it cannot change from step to step
    momentum: it goes from 0.5 to 2, which is not between 0 and 0.999999
    momentum: `cosin` is no body of a phase: one of hold, linear, cosine, poly, power, 1-sqrt, 1-square, exp, geometric, rex, tanh, inverse, decay, stairs, multistep, cycle, table
    momentum: only the learning rate can follow a metric
    momentum: it goes from -0.1 to 0.9, which is not between 0 and 0.999999
    weight_decay: its table is empty
    ");
}

#[test]
fn a_plateau_rule_watches_what_is_measured() {
    let lowered = |rule: &str| {
        let schedule = Schedule::Profile {
            rates: "0.05: 1 hold".to_owned(),
            plateau: Some(format!("plateau(factor=0.5,patience=0{rule})")),
        };
        let parameters = parameters("model=linear eval=1st budget=3st");
        let job = TRAINER.lock().unwrap().job(&parameters, Some(&schedule), &[].into(), 7);
        let job = job.map_err(|refusal| refusal.message)?;
        let mut state = State::new(&job.model, job.config.optimizer, job.config.init, 7);
        train(&job, &mut state, 3, &mut Notes::default()).map_err(|failure| failure.to_string())?;
        Ok::<f64, String>(state.plateau.multiplier)
    };
    // The validation loss falls all the time; the rate does once it was lowered.
    assert_eq!(lowered(""), Ok(1.0));
    assert_eq!(lowered(",monitor=learning_rate,goal=min"), Ok(0.5));
    assert_eq!(lowered(",monitor=learning_rate,goal=max"), Ok(0.25));
    insta::assert_snapshot!(lowered(",monitor=loss,goal=min").unwrap_err(), @"the plateau rule watches `loss`, which is not measured");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let schedule = Schedule::Table(vec![0.1]);
    let refusal = |text: &str| {
        let refusal = TRAINER
            .lock()
            .unwrap()
            .job(&parameters(text), Some(&schedule), &[].into(), 1)
            .unwrap_err();
        format!("{}: {}", refusal.parameter.unwrap_or_default(), refusal.message)
    };
    let cases = [
        "batch=0",
        "batch=1.5",
        "budget=10%",
        "model=mlp-",
        "model=resnet",
        "optimizer=lion",
        "momentum=1",
        "valid=10000",
        "subset=9999",
        "data=mnist",
        "moment=0.9",
        "eval=0st",
        "average=mean",
        "average=ema ema_decay=1",
        "average=swa swa_every=often",
    ];
    let text: Vec<String> =
        cases.iter().map(|case| format!("{case} | {}", refusal(case))).collect();
    insta::assert_snapshot!(text.join("\n"));
}
