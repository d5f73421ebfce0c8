//! `learning_rate` of scikit-learn's `SGDClassifier`, `SGDRegressor` and (`mlp_…`) `MLPClassifier`, `MLPRegressor`.

use super::{Class, Library, plateau};
use crate::{
    duration::Duration,
    phase::{Law, Phase},
    preset::{
        ArgumentInfo,
        Expected::{Count, Number},
        PresetInfo, argument,
    },
};

const ETA0: ArgumentInfo = argument("eta0", Number, "0.01", "the rate at the start");
const INIT: ArgumentInfo = argument("learning_rate_init", Number, "0.001", "the rate at the start");

pub(super) const LIBRARY: Library = Library {
    name: "sklearn",
    title: "scikit-learn",
    version: "1.9.1",
    modules: &[],
    classes: &[
        Class {
            info: PresetInfo {
                name: "sklearn.constant",
                doc: "the rate throughout",
                arguments: &[ETA0],
            },
            rate: "eta0",
            needs: 0,
            differs: "",
            build: |given| Ok(given.schedule(given.rate()?, vec![Phase::hold(None)])),
        },
        Class {
            info: PresetInfo {
                name: "sklearn.optimal",
                doc: "1 / (alpha * (t0 + t)), after Léon Bottou",
                arguments: &[argument(
                    "alpha",
                    Number,
                    "0.0001",
                    "the strength of the regularisation",
                )],
            },
            rate: "alpha",
            needs: 0,
            differs: "scikit-learn's updates are single samples",
            build: |given| {
                let alpha = given.positive("alpha")?;
                if given.peak.is_some() {
                    return Err(given.wrong("peak", "leave it out: `alpha` decides the rate"));
                }
                // A typical weight; at it the losses' gradients are at most 1, which makes it the first rate.
                let first = alpha.powf(-0.25);
                let tau = given.counted(1.0 / (first * alpha));
                Ok(given.schedule(first, vec![Phase::law(Law::Inverse { p: 1.0, tau }, None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "sklearn.invscaling",
                doc: "1 / t^power_t, with t from 1",
                arguments: &[
                    ETA0,
                    argument("power_t", Number, "0.5", "the power; 0.25 in `SGDRegressor`"),
                ],
            },
            rate: "eta0",
            needs: 0,
            differs: "scikit-learn's updates are single samples",
            build: |given| {
                let law = Law::Inverse { p: given.natural("power_t")?, tau: given.per() };
                Ok(given.schedule(given.rate()?, vec![Phase::law(law, None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "sklearn.adaptive",
                doc: "a fifth when a metric stops improving",
                arguments: plateau::SKLEARN,
            },
            rate: "eta0",
            needs: 0,
            differs: "it goes on with the lowest rate where scikit-learn stops",
            build: plateau::sklearn,
        },
        Class {
            info: PresetInfo {
                name: "sklearn.mlp_constant",
                doc: "the rate throughout",
                arguments: &[INIT],
            },
            rate: "learning_rate_init",
            needs: 0,
            differs: "",
            build: |given| Ok(given.schedule(given.rate()?, vec![Phase::hold(None)])),
        },
        Class {
            info: PresetInfo {
                name: "sklearn.mlp_invscaling",
                doc: "1 / (samples seen + 1)^power_t, set after each epoch",
                arguments: &[
                    argument(
                        "n_samples",
                        Count,
                        "",
                        "samples in an epoch: it falls by their root after the first one",
                    ),
                    INIT,
                    argument("power_t", Number, "0.5", "the power"),
                ],
            },
            rate: "learning_rate_init",
            needs: 1,
            differs: "it is held for an epoch whatever `per` says",
            build: |given| {
                let tau = Duration::Epochs(1.0 / given.positive("n_samples")?);
                let law = Law::Inverse { p: given.natural("power_t")?, tau };
                let mut schedule = given.schedule(given.rate()?, vec![Phase::law(law, None)]);
                schedule.hold = Duration::Epochs(1.0);
                Ok(schedule)
            },
        },
        Class {
            info: PresetInfo {
                name: "sklearn.mlp_adaptive",
                doc: "a fifth when a metric stops improving",
                arguments: plateau::SKLEARN_MLP,
            },
            rate: "learning_rate_init",
            needs: 0,
            differs: "it goes on with the lowest rate where scikit-learn stops",
            build: plateau::sklearn_mlp,
        },
    ],
    elsewhere: &[("sklearn.pa1", "its step depends on the sample's loss: it is not a schedule")],
};
