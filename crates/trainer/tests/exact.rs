//! Training is exact: the same again, whatever was interrupted, and checkpoints are refused when they are not what they
//! should be.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{LazyLock, Mutex};

use pleach_protocol::message::{Parameters, Schedule};
use pleach_trainer::{
    checkpoint,
    config::Config,
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

fn job(text: &str) -> (Job, State) {
    let rates = "0.05: 0 > 1 linear for 3, 1 > 0 cosine for 12".to_owned();
    let plateau = Some("plateau(factor=0.5,patience=0)".to_owned());
    let schedule = Schedule::Profile { rates, plateau };
    let job = TRAINER.lock().unwrap().job(&parameters(text), Some(&schedule), 7).unwrap();
    let config = Config::read(&parameters(text)).unwrap();
    let state = State::new(&job.model, config.optimizer, config.init, 7);
    (job, state)
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

    fn stepped(&mut self, state: &State) -> Result<Flow, String> {
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
fn a_plateau_rule_watches_what_is_measured() {
    let lowered = |rule: &str| {
        let schedule = Schedule::Profile {
            rates: "0.05: 1 hold".to_owned(),
            plateau: Some(format!("plateau(factor=0.5,patience=0{rule})")),
        };
        let parameters = parameters("model=linear eval=1st budget=3st");
        let job = TRAINER.lock().unwrap().job(&parameters, Some(&schedule), 7);
        let job = job.map_err(|refusal| refusal.message)?;
        let mut state = State::new(&job.model, job.config.optimizer, job.config.init, 7);
        train(&job, &mut state, 3, &mut Notes::default())?;
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
        let refusal =
            TRAINER.lock().unwrap().job(&parameters(text), Some(&schedule), 1).unwrap_err();
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
    ];
    let text: Vec<String> =
        cases.iter().map(|case| format!("{case} | {}", refusal(case))).collect();
    insta::assert_snapshot!(text.join("\n"));
}
