//! What a sweep file fixes for every trial.

use super::{Block, SweepSpec};
use crate::value::{Parameters, Value};

impl SweepSpec {
    /// What the file says once for every configuration, and alike in all blocks: parameters, and a schedule with its arguments.
    pub fn fixed(&self) -> Parameters {
        let of_block = |block: &Block| -> Parameters {
            let schedule = block.schedule.as_ref();
            let name = schedule.map(|schedule| {
                ("schedule".to_owned(), Value::Text(schedule.preset.name.to_owned()))
            });
            let arguments = schedule.into_iter().flat_map(|schedule| &schedule.arguments);
            let fixed = block.fixed.iter().chain(arguments);
            name.into_iter().chain(fixed.map(|it| (it.name.clone(), it.value.clone()))).collect()
        };
        let mut blocks = self.blocks.iter().map(of_block);
        let mut fixed = blocks.next().unwrap_or_default();
        for block in blocks {
            fixed.retain(|name, value| block.get(name) == Some(value));
        }
        fixed
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn what_is_fixed_is_what_every_block_says_alike() {
        let fixed = |rest: &str| {
            let file = format!(
                "[sweep]\nname = \"x\"\nobjective = {{ metric = \"m\", goal = \"min\" }}\n{rest}"
            );
            let spec = read("x.toml", &file).unwrap();
            let told = spec
                .fixed()
                .iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect::<Vec<_>>();
            told.join(", ")
        };
        let trainer = "[trainer]\nmodel = \"m\"\nbatch = 8\n";
        assert_eq!(fixed(&format!("{trainer}[space]\npeak = [1.0, 2.0]\n")), "batch 8, model m");
        let schedule = "[trainer.schedule]\nuse = \"cosine\"\nwarmup = \"5%\"\n";
        assert_eq!(
            fixed(&format!("{trainer}{schedule}")),
            "batch 8, model m, schedule cosine, warmup 5%"
        );
        let blocks = "[[block]]\n[block.trainer]\nbatch = 8\ndata = \"d\"\n[[block]]\n[block.trainer]\nbatch = 9\ndata = \"d\"\n";
        assert_eq!(fixed(blocks), "data d");
    }
}
