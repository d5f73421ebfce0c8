//! What momentum follows beside the rate, where a class moves both.

use super::fastai::halves;
use crate::{
    duration::Duration,
    preset::{Argument, ArgumentInfo, Expected, Given, PresetError, argument},
};

pub(super) const CYCLE: ArgumentInfo = argument(
    "cycle_momentum",
    Expected::Bool,
    "false",
    "momentum mirrors the rate; true if one of the next two is given, where PyTorch's default is true",
);

pub(super) const fn base(default: &'static str) -> ArgumentInfo {
    argument("base_momentum", Expected::Number, default, "momentum where the rate is highest")
}

pub(super) const fn max(default: &'static str) -> ArgumentInfo {
    argument("max_momentum", Expected::Number, default, "momentum where the rate is lowest")
}

pub(super) const MOMS: ArgumentInfo = argument(
    "moms",
    Expected::Numbers,
    "",
    "momentum at the start, where the rate is highest, and at the end; unchanged without it",
);

impl Given<'_> {
    /// What momentum follows, as a sweep file spells it; `None` if nothing asks for it.
    pub(crate) fn momentum(&self) -> Result<Option<String>, PresetError> {
        if let Some(Argument::Numbers(moms)) = self.arguments.get("moms") {
            return self.moms(moms).map(Some);
        }
        let is_known = |name| self.info.arguments.iter().any(|known| known.name == name);
        if !is_known(CYCLE.name) {
            return Ok(None);
        }
        let is_meant = self.has("base_momentum") || self.has("max_momentum");
        let is_asked = if self.has(CYCLE.name) { self.flag(CYCLE.name) } else { is_meant };
        if !is_asked {
            return Ok(None);
        }
        let (base, max) = (self.natural("base_momentum")?, self.natural("max_momentum")?);
        if max < base {
            return Err(self.wrong("base_momentum", "a momentum that is not above `max_momentum`"));
        }
        if self.number("div_factor") == Some(1.0) {
            // Its start cannot be told from its top, where the mirror turns.
            let help = "above 1, or write the momentum as a schedule of its own";
            return Err(self.wrong("div_factor", help));
        }
        Ok(Some(format!("mirror(lo={base},hi={max})")))
    }

    /// Half cosines, as the rate's.
    fn moms(&self, moms: &[f64]) -> Result<String, PresetError> {
        let [start, middle, end] = moms else {
            return Err(self.wrong("moms", "three numbers, such as [0.95, 0.85, 0.95]"));
        };
        if moms.iter().any(|momentum| *momentum < 0.0) {
            return Err(self.wrong("moms", "numbers that are not negative"));
        }
        let (up, down) = halves(self, "pct_start")?;
        let down = down.map_or(String::new(), |down| format!(" for {down}"));
        let hold = match self.per() {
            Duration::Steps(1.0) => String::new(),
            per => format!(" ; hold {per}"),
        };
        Ok(format!("{start} > {middle} cosine for {up}, > {end} cosine{down}{hold}"))
    }
}
