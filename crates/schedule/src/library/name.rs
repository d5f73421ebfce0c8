//! Classes by whatever people call them: `StepLR`, `torch.optim.lr_scheduler.StepLR`, `get_linear_schedule_with_warmup`.

use super::{Class, LIBRARIES, Library, signature::signature};

/// Every class that a name may mean: its own, or that of its library, alone or behind modules of that library.
pub fn candidates(name: &str) -> Vec<&'static Class> {
    if let Some(class) = super::find(name) {
        return vec![class];
    }
    let (modules, bare) = parts(name);
    let libraries = LIBRARIES.iter().filter(|library| library.has_modules(&modules));
    libraries
        .flat_map(|library| library.classes)
        .filter(|class| {
            class.name() == bare
                || signature(class.info.name)
                    .is_some_and(|theirs| is_own(class, theirs.name(), bare))
        })
        .collect()
}

/// An estimator's name is that of several schedules.
fn is_own(class: &Class, theirs: &str, bare: &str) -> bool {
    theirs == bare && !class.info.name.starts_with("sklearn.")
}

/// Whether a library has a module of that name: `torch`, `tf`.
pub fn is_module(word: &str) -> bool {
    LIBRARIES.iter().any(|library| library.has_modules(&[word]))
}

/// What to write for a name that a library has and that is no single schedule here.
pub fn instead(name: &str) -> Option<&'static str> {
    let (modules, bare) = parts(name);
    let libraries = LIBRARIES.iter().filter(|library| library.has_modules(&modules));
    libraries
        .flat_map(|library| library.elsewhere)
        .find(|(other, _)| parts(other).1 == bare)
        .map(|(_, remedy)| *remedy)
}

/// What stands before the last dot, word by word, and what after it.
fn parts(name: &str) -> (Vec<&str>, &str) {
    let mut modules: Vec<&str> = name.split('.').collect();
    let bare = modules.pop().unwrap_or(name);
    (modules, bare)
}

impl Library {
    /// Whether these are names of its modules.
    fn has_modules(&self, modules: &[&str]) -> bool {
        let is_in_a_path = |word: &str| {
            let paths = self.classes.iter().filter_map(|class| signature(class.info.name));
            paths.map(|theirs| theirs.path).any(|path| parts(path).0.contains(&word))
        };
        modules
            .iter()
            .all(|word| *word == self.name || self.modules.contains(word) || is_in_a_path(word))
    }
}

impl Class {
    /// What stands after the dot: `StepLR`.
    pub fn name(&self) -> &'static str {
        self.info.name.split_once('.').map_or(self.info.name, |(_, name)| name)
    }
}
