//! What can be set, and reading it: every parameter with its type, range and default, once as data for people and
//! coordinators, once as [`Config`].

use pleach_protocol::{
    describe::{Kind, Parameter, Role},
    message::Parameters,
    serve::Refusal,
};
use pleach_schedule::duration::{Duration, Horizon};
use serde_json::Value;

use crate::{
    average::Average,
    model::Architecture,
    optimizer::{ALMOST_ONE, Rule},
};

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `digits`, `mnist`, `fashion-mnist`, or a folder of IDX files.
    pub data: String,
    /// Training images held out by `split_seed`.
    pub valid: usize,
    /// Training images used; 0 for all that are not held out.
    pub subset: usize,
    pub split_seed: u64,
    pub normalize: Normalize,
    pub model: Architecture,
    pub init: Init,
    pub optimizer: Rule,
    pub average: Average,
    pub batch: usize,
    /// In epochs or steps.
    pub budget: Duration,
    pub eval: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalize {
    /// Pixels in [0, 1].
    Unit,
    /// Less the training images' mean, over their standard deviation.
    Standard,
}

/// How weights start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// PyTorch's default for linear and convolution layers: weights and biases uniform in ±1/sqrt(fan-in).
    Torch,
    /// Weights uniform in ±sqrt(6 / (fan-in + fan-out)), biases 0 (Glorot and Bengio 2010; Keras's default).
    Glorot,
    /// Weights normal with variance 2 / fan-in, biases 0 (He et al. 2015).
    Kaiming,
}

fn parameter(name: &str, kind: Kind, default: impl Into<Value>, doc: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        kind,
        default: Some(default.into()),
        doc: doc.to_owned(),
        length: false,
        only: None,
        per_step: false,
        role: None,
    }
}

fn text(choices: &[&str], pattern: Option<&str>) -> Kind {
    let choices = choices.iter().map(|&choice| choice.to_owned()).collect();
    Kind::Text { choices, pattern: pattern.map(str::to_owned) }
}

const fn int(min: i64) -> Kind {
    Kind::Int { min: Some(min), max: None }
}

const fn float(min: f64, max: Option<f64>) -> Kind {
    Kind::Float { min: Some(min), max }
}

/// A parameter that acts only when another one has one of these values.
fn beside(other: &str, values: &[&str], parameter: Parameter) -> Parameter {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    Parameter { only: Some((other.to_owned(), values)), ..parameter }
}

/// Every parameter, in the order in which people think of them.
pub fn parameters() -> Vec<Parameter> {
    [training(), average()].concat()
}

fn average() -> Vec<Parameter> {
    vec![
        parameter(
            "average",
            text(&["none", "swa", "ema"], None),
            "none",
            "an average of the weights along the path, evaluated beside them",
        ),
        beside(
            "average",
            &["swa"],
            parameter("swa_start", Kind::Duration, "75%", "after this, weights are averaged"),
        ),
        beside(
            "average",
            &["swa"],
            parameter("swa_every", Kind::Duration, "1ep", "how often weights are averaged"),
        ),
        beside(
            "average",
            &["ema"],
            parameter(
                "ema_decay",
                float(0.0, Some(ALMOST_ONE)),
                0.999,
                "what is left of the average after each step",
            ),
        ),
    ]
}

fn training() -> Vec<Parameter> {
    let role = |role, parameter: Parameter| Parameter { role: Some(role), ..parameter };
    let length = |parameter: Parameter| Parameter { length: true, ..parameter };
    let per_step = |parameter: Parameter| Parameter { per_step: true, ..parameter };
    let only = |optimizers: &[&str], parameter| beside("optimizer", optimizers, parameter);
    let adam = ["adam", "adamw"];
    vec![
        length(parameter(
            "data",
            text(&["digits", "mnist", "fashion-mnist"], Some("a folder of IDX files")),
            "digits",
            "the data set",
        )),
        length(parameter("valid", int(0), 0, "training images held out for validation")),
        length(parameter(
            "subset",
            int(0),
            0,
            "training images used; 0 for all that are not held out",
        )),
        length(parameter("split_seed", int(0), 0, "decides which images are held out")),
        length(parameter(
            "normalize",
            text(&["unit", "standard"], None),
            "standard",
            "pixels in [0, 1], or with mean 0 and deviation 1",
        )),
        length(parameter(
            "model",
            text(&["linear", "lenet"], Some("mlp-H[-H…], such as mlp-128 or mlp-256-64")),
            "mlp-128",
            "the network",
        )),
        parameter(
            "init",
            text(&["torch", "glorot", "kaiming"], None),
            "torch",
            "how weights start",
        ),
        parameter("optimizer", text(&["sgd", "adam", "adamw"], None), "sgd", "the update rule"),
        only(
            &["sgd"],
            per_step(parameter("momentum", float(0.0, Some(ALMOST_ONE)), 0.0, "of SGD")),
        ),
        only(&["sgd"], parameter("nesterov", Kind::Bool, false, "look ahead along the momentum")),
        per_step(parameter(
            "weight_decay",
            float(0.0, None),
            0.0,
            "added to the gradient; with adamw taken off the weights",
        )),
        only(
            &adam,
            per_step(parameter(
                "beta1",
                float(0.0, Some(ALMOST_ONE)),
                0.9,
                "decay of the mean gradient",
            )),
        ),
        only(
            &adam,
            parameter(
                "beta2",
                float(0.0, Some(ALMOST_ONE)),
                0.999,
                "decay of the mean squared gradient",
            ),
        ),
        only(&adam, parameter("epsilon", float(0.0, None), 1e-8, "keeps the division finite")),
        length(parameter(
            "batch",
            int(1),
            128,
            "samples to a step; the last batch of an epoch may be smaller",
        )),
        role(
            Role::Budget,
            length(parameter(
                "budget",
                Kind::Duration,
                "5ep",
                "how long a trial trains, in epochs or steps",
            )),
        ),
        role(
            Role::Evaluations,
            parameter(
                "eval",
                Kind::Duration,
                "1ep",
                "how often it is evaluated, besides after the last step",
            ),
        ),
    ]
}

/// Reads parameters one by one; what is absent has its default.
struct Reader<'a>(&'a Parameters);

impl Config {
    /// Reads what a coordinator sends. Unknown names and values out of range are refused by name.
    pub fn read(given: &Parameters) -> Result<Self, Refusal> {
        let known = parameters();
        if let Some(name) = given.keys().find(|name| known.iter().all(|known| known.name != **name))
        {
            return Err(refuse(name, "there is no such parameter"));
        }
        let reader = Reader(given);
        let config = Self {
            data: reader.text("data", "digits")?.to_owned(),
            valid: reader.count("valid", 0)?,
            subset: reader.count("subset", 0)?,
            split_seed: reader.count("split_seed", 0)? as u64,
            normalize: match reader.text("normalize", "standard")? {
                "unit" => Normalize::Unit,
                "standard" => Normalize::Standard,
                _ => return Err(refuse("normalize", "unit or standard")),
            },
            model: reader
                .text("model", "mlp-128")?
                .parse()
                .map_err(|error| refuse("model", format!("{error}")))?,
            init: match reader.text("init", "torch")? {
                "torch" => Init::Torch,
                "glorot" => Init::Glorot,
                "kaiming" => Init::Kaiming,
                _ => return Err(refuse("init", "torch, glorot or kaiming")),
            },
            optimizer: reader.rule()?,
            average: reader.average()?,
            batch: reader.count("batch", 128)?,
            budget: reader.duration("budget", Duration::Epochs(5.0))?,
            eval: reader.duration("eval", Duration::Epochs(1.0))?,
        };
        if config.batch == 0 {
            return Err(refuse("batch", "at least 1"));
        }
        if matches!(config.budget, Duration::Fraction(_)) || config.budget.number() <= 0.0 {
            return Err(refuse("budget", "more than nothing, in epochs or steps: 5ep or 1000st"));
        }
        if config.eval.number() <= 0.0 {
            return Err(refuse("eval", "more than nothing: 1ep, 500st or 10%"));
        }
        Ok(config)
    }

    /// Whether both train models of the same size on the same samples in batches of the same size.
    pub fn has_shape_of(&self, other: &Self) -> bool {
        let numbers = |it: &Self| (it.valid, it.subset, it.split_seed, it.normalize, it.batch);
        (&self.data, &self.model) == (&other.data, &other.model) && numbers(self) == numbers(other)
    }

    /// Samples trained on, of `n_images` in the training set.
    pub fn n_train(&self, n_images: usize) -> usize {
        let left = n_images.saturating_sub(self.valid);
        if self.subset == 0 { left } else { left.min(self.subset) }
    }

    /// How long a trial is, on a training set of `n_images`.
    pub fn horizon(&self, n_images: usize) -> Result<Horizon, Refusal> {
        let n_train = self.n_train(n_images);
        if n_train == 0 {
            return Err(refuse(
                "valid",
                format!("at most {}: there are {n_images} images", n_images.saturating_sub(1)),
            ));
        }
        if n_train < self.subset {
            return Err(refuse(
                "subset",
                format!("at most {n_train}: so many images are not held out"),
            ));
        }
        let steps_per_epoch = n_train.div_ceil(self.batch) as u64;
        let steps = self.budget.in_steps(Horizon { steps: 0, steps_per_epoch }).ceil();
        if 1e12 < steps {
            return Err(refuse("budget", "at most 1e12 steps"));
        }
        Ok(Horizon { steps: (steps as u64).max(1), steps_per_epoch })
    }
}

fn refuse(parameter: &str, message: impl Into<String>) -> Refusal {
    Refusal { parameter: Some(parameter.to_owned()), message: message.into() }
}

impl<'a> Reader<'a> {
    fn text(&self, name: &str, default: &'a str) -> Result<&'a str, Refusal> {
        match self.0.get(name) {
            None => Ok(default),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(refuse(name, "a text")),
        }
    }

    fn count(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        match self.0.get(name) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .and_then(|value| usize::try_from(value).ok())
                .ok_or_else(|| refuse(name, "a whole number, not negative")),
        }
    }

    fn number(&self, name: &str, default: f64, max: f64) -> Result<f64, Refusal> {
        match self.0.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN)) {
            None => Ok(default),
            Some(value) if (0.0..=max).contains(&value) => Ok(value),
            Some(_) => Err(refuse(name, format!("a number from 0 to {max}"))),
        }
    }

    fn duration(&self, name: &str, default: Duration) -> Result<Duration, Refusal> {
        match self.0.get(name) {
            None => Ok(default),
            Some(Value::String(text)) => {
                text.parse().map_err(|error| refuse(name, format!("{error}")))
            }
            Some(_) => Err(refuse(name, "a duration: 5ep or 1000st")),
        }
    }

    fn average(&self) -> Result<Average, Refusal> {
        match self.text("average", "none")? {
            "none" => Ok(Average::None),
            "swa" => Ok(Average::Swa {
                start: self.duration("swa_start", Duration::Fraction(0.75))?,
                every: self.duration("swa_every", Duration::Epochs(1.0))?,
            }),
            "ema" => Ok(Average::Ema { decay: self.number("ema_decay", 0.999, ALMOST_ONE)? }),
            _ => Err(refuse("average", "none, swa or ema")),
        }
    }

    fn rule(&self) -> Result<Rule, Refusal> {
        let weight_decay = self.number("weight_decay", 0.0, f64::MAX)?;
        let adam = |decoupled| {
            Ok(Rule::Adam {
                beta1: self.number("beta1", 0.9, ALMOST_ONE)?,
                beta2: self.number("beta2", 0.999, ALMOST_ONE)?,
                epsilon: self.number("epsilon", 1e-8, f64::MAX)?,
                weight_decay,
                decoupled,
            })
        };
        match self.text("optimizer", "sgd")? {
            "sgd" => Ok(Rule::Sgd {
                momentum: Some(self.number("momentum", 0.0, ALMOST_ONE)?).filter(|&it| it != 0.0),
                nesterov: match self.0.get("nesterov") {
                    None => false,
                    Some(Value::Bool(nesterov)) => *nesterov,
                    Some(_) => return Err(refuse("nesterov", "true or false")),
                },
                weight_decay,
            }),
            "adam" => adam(crate::optimizer::Decay::Gradient),
            "adamw" => adam(crate::optimizer::Decay::Weights),
            _ => Err(refuse("optimizer", "sgd, adam or adamw")),
        }
    }
}
