//! What the page says of each preset beside what the program knows of it.

use std::collections::BTreeMap;

use crate::HORIZON;
use pleach_schedule::{
    preset::{Argument, Expected, find, preset},
    schedule::Schedule,
};

pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// The value as a multiple of the peak: t in steps since the start of the body, u the share of the body that is over.
    pub(crate) formula: &'static str,
    /// A paper (title, then its address), or a library.
    pub(crate) source: &'static str,
    /// The classes of other libraries that mean the same.
    pub(crate) elsewhere: &'static [&'static str],
    /// Arguments that the picture is drawn with, as they stand in a file.
    pub(crate) drawn_with: &'static [(&'static str, &'static str)],
}

impl Entry {
    /// What is drawn, with a peak of 1.
    pub(crate) fn schedule(&self) -> Schedule {
        let info = find(self.name).unwrap();
        let argument = |name: &str, value: &str| {
            let expected = info.all_arguments().find(|info| info.name == name).unwrap().expected;
            match expected {
                Expected::Duration => Argument::Duration(value.parse().unwrap()),
                Expected::Numbers => {
                    Argument::Numbers(value.split(", ").map(|text| text.parse().unwrap()).collect())
                }
                _ => Argument::Text(value.to_owned()),
            }
        };
        let arguments: BTreeMap<String, Argument> = self
            .drawn_with
            .iter()
            .map(|(name, value)| ((*name).to_owned(), argument(name, value)))
            .collect();
        preset(info, Some(1.0), &arguments, HORIZON).unwrap()
    }
}

pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "constant",
        formula: "1",
        source: "",
        elsewhere: &[
            "hf.constant",
            "hf.constant_with_warmup",
            "optax.constant_schedule",
            "optax.warmup_constant_schedule",
            "fastai.SchedNo",
            "sklearn.constant",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "linear",
        formula: "end + (1 − end) (1 − u)",
        source: "Defazio and others, “Optimal linear decay learning rate schedules”, [arXiv 2310.07831](https://arxiv.org/abs/2310.07831)",
        elsewhere: &[
            "torch.LinearLR",
            "keras.PolynomialDecay",
            "hf.linear",
            "optax.linear_schedule",
            "fastai.SchedLin",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "cosine",
        formula: "end + (1 − end) (1 + cos πu) / 2",
        source: "Loshchilov and Hutter, “SGDR”, [arXiv 1608.03983](https://arxiv.org/abs/1608.03983)",
        elsewhere: &[
            "torch.CosineAnnealingLR",
            "keras.CosineDecay",
            "hf.cosine",
            "hf.cosine_with_min_lr",
            "optax.cosine_decay_schedule",
            "optax.warmup_cosine_decay_schedule",
            "timm.CosineLRScheduler",
            "fastai.SchedCos",
            "mxnet.CosineScheduler",
            "d2l.CosineScheduler",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "poly",
        formula: "end + (1 − end) (1 − u)^p",
        source: "Chen and others, “DeepLab”, [arXiv 1606.00915](https://arxiv.org/abs/1606.00915), with p = 0.9",
        elsewhere: &[
            "torch.PolynomialLR",
            "keras.PolynomialDecay",
            "hf.polynomial",
            "optax.polynomial_schedule",
            "timm.PolyLRScheduler",
            "fastai.SchedPoly",
            "mxnet.PolyScheduler",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "rex",
        formula: "end + (1 − end) (1 − u) / (1 − b u)",
        source: "Chen, Wolfe and Kyrillidis, “REX”, [arXiv 2107.04197](https://arxiv.org/abs/2107.04197)",
        elsewhere: &["papers.rex", "pytorch_optimizer.REXScheduler"],
        drawn_with: &[],
    },
    Entry {
        name: "exponential",
        formula: "to^u, or gamma^(t / every)",
        source: "",
        elsewhere: &[
            "torch.ExponentialLR",
            "keras.ExponentialDecay",
            "optax.exponential_decay",
            "optax.warmup_exponential_decay_schedule",
            "fastai.SchedExp",
            "fastai.LRFinder",
            "d2l.FactorScheduler",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "step",
        formula: "gamma^⌊t / every⌋",
        source: "",
        elsewhere: &[
            "torch.StepLR",
            "keras.ExponentialDecay",
            "optax.exponential_decay",
            "timm.StepLRScheduler",
            "mxnet.FactorScheduler",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "multistep",
        formula: "gamma^n, with n the number of milestones that are over",
        source: "He and others, “Deep residual learning”, [arXiv 1512.03385](https://arxiv.org/abs/1512.03385)",
        elsewhere: &[
            "torch.MultiStepLR",
            "keras.PiecewiseConstantDecay",
            "optax.piecewise_constant_schedule",
            "timm.MultiStepLRScheduler",
            "mxnet.MultiFactorScheduler",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "inverse_time",
        formula: "1 / (1 + rate t / every)",
        source: "Robbins and Monro, “A stochastic approximation method”, 1951",
        elsewhere: &["keras.InverseTimeDecay", "sklearn.optimal"],
        drawn_with: &[],
    },
    Entry {
        name: "inverse_sqrt",
        formula: "1 / √(1 + t / tau)",
        source: "Raffel and others, “T5”, [arXiv 1910.10683](https://arxiv.org/abs/1910.10683)",
        elsewhere: &[
            "hf.inverse_sqrt",
            "sklearn.invscaling",
            "sklearn.mlp_invscaling",
            "d2l.SquareRootScheduler",
        ],
        drawn_with: &[("warmup", "5%")],
    },
    Entry {
        name: "noam",
        formula: "min((t + 1) / warmup, √(warmup / (t + 1))), with t from the start of training",
        source: "Vaswani and others, “Attention is all you need”, [arXiv 1706.03762](https://arxiv.org/abs/1706.03762)",
        elsewhere: &["papers.noam"],
        drawn_with: &[("warmup", "10%")],
    },
    Entry {
        name: "wsd",
        formula: "1, then from 1 to the end along the shape: end + (1 − end) (1 − √v), with v the share of the cooldown that is over",
        source: "Hu and others, “MiniCPM”, [arXiv 2404.06395](https://arxiv.org/abs/2404.06395); Hägele and others, [arXiv 2405.18392](https://arxiv.org/abs/2405.18392)",
        elsewhere: &[
            "hf.warmup_stable_decay",
            "timm.WSDLRScheduler",
            "pytorch_optimizer.get_wsd_schedule",
        ],
        drawn_with: &[("warmup", "5%")],
    },
    Entry {
        name: "one_cycle",
        formula: "from 1 / div up to 1 during the warm-up (30% if none is given), then down to final, both along half a cosine",
        source: "Smith and Topin, “Super-convergence”, [arXiv 1708.07120](https://arxiv.org/abs/1708.07120)",
        elsewhere: &[
            "torch.OneCycleLR",
            "optax.cosine_onecycle_schedule",
            "optax.linear_onecycle_schedule",
            "fastai.fit_one_cycle",
            "fastai.combined_cos",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "flat_cosine",
        formula: "1 for flat, then end + (1 − end) (1 + cos πv) / 2, with v the share of the rest that is over",
        source: "",
        elsewhere: &["fastai.fit_flat_cos"],
        drawn_with: &[],
    },
    Entry {
        name: "triangular",
        formula: "lo + (1 − lo) gain^i per_step^t w, with i the cycle's number and w going from 0 to 1 and back in it",
        source: "Smith, “Cyclical learning rates”, [arXiv 1506.01186](https://arxiv.org/abs/1506.01186)",
        elsewhere: &["torch.CyclicLR"],
        drawn_with: &[],
    },
    Entry {
        name: "sgdr",
        formula: "end + (gain^i − end) (1 + cos πv) / 2, with i the cycle's number and v the share of it that is over",
        source: "Loshchilov and Hutter, “SGDR”, [arXiv 1608.03983](https://arxiv.org/abs/1608.03983)",
        elsewhere: &[
            "torch.CosineAnnealingWarmRestarts",
            "keras.CosineDecayRestarts",
            "hf.cosine_with_restarts",
            "optax.sgdr_schedule",
            "timm.CosineLRScheduler",
            "fastai.fit_sgdr",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "plateau",
        formula: "factor^n, with n the number of times that more than `patience` evaluations in a row were no improvement; drawn is where it may be, since only training decides",
        source: "",
        elsewhere: &[
            "torch.ReduceLROnPlateau",
            "keras.ReduceLROnPlateau",
            "hf.reduce_lr_on_plateau",
            "timm.PlateauLRScheduler",
            "sklearn.adaptive",
            "sklearn.mlp_adaptive",
        ],
        drawn_with: &[],
    },
    Entry {
        name: "table",
        formula: "the value number ⌊t / every⌋",
        source: "",
        elsewhere: &["torch.LambdaLR", "torch.MultiplicativeLR"],
        drawn_with: &[("table", "0.2, 0.6, 1, 0.8, 0.5, 0.5, 0.25, 0.1, 0.05, 0.01")],
    },
    Entry {
        name: "phases",
        formula: "each phase from where the one before ended, unless it says otherwise",
        source: "",
        elsewhere: &["optax.piecewise_interpolate_schedule", "torch.ConstantLR", "torch.SWALR"],
        drawn_with: &[("phases", "0 > 1 5%, hold, > 0.3 20% cosine, hold 20%, > 0 20% 1-sqrt")],
    },
];
