//! A training state as a safetensors file: the weights under their names (a file that other programs can load), the
//! optimizer's state and averaged weights beside them, the rest in the header. Written whole or not at all; read only if everything fits.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use pleach_files::{self as files, Link};
use pleach_schedule::plateau::PlateauState;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use thiserror::Error;

use crate::{
    model::{Model, Slot},
    optimizer::Rule,
    state::{State, Sums},
};

/// The name of a slot's averaged weights, after its own.
const AVERAGE: &str = "average";

/// The file format's name and version.
const FORMAT: &str = "pleach checkpoint 1";

#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("failed to write the checkpoint {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to encode the checkpoint {path}")]
    Encode { path: PathBuf, source: safetensors::SafeTensorError },
    #[error("failed to read the checkpoint {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is no safetensors file")]
    Decode { path: PathBuf, source: safetensors::SafeTensorError },
    #[error("{path} is no checkpoint of this version: it lacks {what}")]
    Foreign { path: PathBuf, what: String },
    #[error("{path} is of another model or optimizer: `{tensor}` is not as expected")]
    Mismatch { path: PathBuf, tensor: String },
    #[error("{path} is damaged: its content does not match its digest")]
    Damaged { path: PathBuf },
    #[error(
        "{path} is intact but is not the checkpoint asked for: its digest is {found}, not {expected}"
    )]
    Another { path: PathBuf, found: String, expected: String },
}

/// Writes `state` to `path`, replacing what is there; returns its digest. After a crash the file is there whole or not
/// at all.
pub fn write(
    path: &Path,
    model: &Model,
    rule: Rule,
    state: &State,
) -> Result<String, CheckpointError> {
    let digest = state.digest();
    let mut bytes: BTreeMap<String, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (index, slot) in model.slots.iter().enumerate() {
        let mut insert = |name: String, vector: &[f32]| {
            bytes.insert(name, (slot.shape.clone(), to_bytes(&slot.to_file(vector))));
        };
        insert(slot.name.clone(), &state.weights[index]);
        for (name, vector) in rule.state_names().iter().zip(&state.optimizer[index]) {
            insert(format!("{}.{name}", slot.name), vector);
        }
        if let Some(averaged) = &state.averaged {
            insert(format!("{}.{AVERAGE}", slot.name), &averaged.weights[index]);
        }
    }
    let encode = |source| CheckpointError::Encode { path: path.to_owned(), source };
    let mut views = Vec::with_capacity(bytes.len());
    for (name, (shape, bytes)) in &bytes {
        views.push((name, TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(encode)?));
    }
    let header = HashMap::from([
        ("format".to_owned(), FORMAT.to_owned()),
        ("counters".to_owned(), state.counters_text()),
        ("digest".to_owned(), digest.clone()),
    ]);
    let file = safetensors::serialize(views, Some(header)).map_err(encode)?;
    write_whole(path, &file)
        .map_err(|source| CheckpointError::Write { path: path.to_owned(), source })?;
    Ok(digest)
}

fn to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Writes beside, syncs, renames, syncs the folder. What could not be written takes no room on a disk that may be full.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension("part");
    let write = || {
        let mut file = files::create(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&beside)))?;
    files::sync_folder(folder)
}

/// More than the states of the largest model here take.
const MAX_BYTES: u64 = 4 << 30;

/// Reads the checkpoint at `path` for a model and rule, and checks it against the digest that it must have.
pub fn read(
    path: &Path,
    model: &Model,
    rule: Rule,
    expected: &str,
) -> Result<State, CheckpointError> {
    let content = files::read(path, Link::Follow, MAX_BYTES)
        .map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
    let path = || path.to_owned();
    let decode = |source| CheckpointError::Decode { path: path(), source };
    let (_, header) = SafeTensors::read_metadata(&content).map_err(decode)?;
    let tensors = SafeTensors::deserialize(&content).map_err(decode)?;
    let field = |name: &str| {
        let fields = header.metadata().as_ref();
        fields
            .and_then(|fields| fields.get(name))
            .ok_or_else(|| CheckpointError::Foreign { path: path(), what: format!("`{name}`") })
    };
    if field("format")? != FORMAT {
        return Err(CheckpointError::Foreign {
            path: path(),
            what: format!("the format `{FORMAT}`"),
        });
    }
    let vector = |name: String, slot: &Slot| match tensors.tensor(&name) {
        Ok(tensor) if tensor.dtype() == Dtype::F32 && tensor.shape() == slot.shape => {
            let words = tensor.data().as_chunks::<4>().0.iter();
            let filed: Vec<f32> = words.map(|word| f32::from_le_bytes(*word)).collect();
            Ok(slot.from_file(&filed))
        }
        _ => Err(CheckpointError::Mismatch { path: path(), tensor: name }),
    };
    let mut state = State {
        step: 0,
        weights: Vec::new(),
        optimizer: Vec::new(),
        sums: Sums::default(),
        plateau: PlateauState::default(),
        averaged: None,
    };
    state.set_counters(field("counters")?).ok_or_else(|| CheckpointError::Foreign {
        path: path(),
        what: "readable counters".to_owned(),
    })?;
    let State { weights, optimizer, averaged, .. } = &mut state;
    for slot in &model.slots {
        if let Some(averaged) = averaged {
            averaged.weights.push(vector(format!("{}.{AVERAGE}", slot.name), slot)?);
        }
        weights.push(vector(slot.name.clone(), slot)?);
        let names = rule.state_names().iter();
        optimizer.push(
            names
                .map(|name| vector(format!("{}.{name}", slot.name), slot))
                .collect::<Result<_, _>>()?,
        );
    }
    let n_vectors = 1 + rule.state_names().len() + usize::from(averaged.is_some());
    let n_expected = model.slots.len() * n_vectors;
    if tensors.len() != n_expected {
        return Err(CheckpointError::Mismatch {
            path: path(),
            tensor: "the number of tensors".to_owned(),
        });
    }
    let found = state.digest();
    if found != *field("digest")? {
        return Err(CheckpointError::Damaged { path: path() });
    }
    if found != expected {
        return Err(CheckpointError::Another {
            path: path(),
            found,
            expected: expected.to_owned(),
        });
    }
    Ok(state)
}
