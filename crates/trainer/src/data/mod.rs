//! Data sets: read or made once per process, split by a seed that is never the trial's.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::hex;

mod digits;
mod idx;
mod ink;
mod split;

pub use ink::Ink;
pub use split::{Samples, Split};

/// A data set as it is stored: bytes.
#[derive(Debug)]
struct RawData {
    rows: usize,
    columns: usize,
    train: Part,
    test: Part,
}

/// Images and their labels.
#[derive(Debug)]
struct Part {
    /// Image after image, row after row.
    pixels: Vec<u8>,
    labels: Vec<u8>,
    ink: OnceLock<Ink>,
}

impl Part {
    fn new(pixels: Vec<u8>, labels: Vec<u8>) -> Self {
        Self { pixels, labels, ink: OnceLock::new() }
    }
}

/// A data set in memory.
#[derive(Debug)]
pub struct Dataset {
    rows: usize,
    columns: usize,
    train: Arc<Part>,
    test: Arc<Part>,
    pub n_classes: usize,
    /// Mean and standard deviation of the training images' pixels, in [0, 1].
    moments: (f64, f64),
    /// SHA-256 of shapes, pixels and labels, hexadecimal: what was trained on, whatever the files are called.
    pub digest: String,
}

#[derive(Debug, Error)]
pub enum DataError {
    #[error(
        "the data set `{name}` is not in {folder}: get it with `pleach data fetch {name}`, or say with --data or PLEACH_DATA where the folder that holds `{name}/` is"
    )]
    Absent { name: String, folder: PathBuf },
    #[error(
        "there is no folder of data sets: get `{name}` with `pleach data fetch {name}`, say with --data or PLEACH_DATA where the folder that holds `{name}/` is, or use `digits`, which needs no files"
    )]
    NoFolder { name: String },
    #[error(
        "{folder} holds no file `{stem}`, `{stem}.gz` or `{}`: a data set is four such files, `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`",
        dotted(stem)
    )]
    Part { folder: PathBuf, stem: String },
    #[error(transparent)]
    Idx(#[from] idx::IdxError),
    #[error("{folder} holds {n_images} images and {n_labels} labels")]
    Count { folder: PathBuf, n_images: usize, n_labels: usize },
    #[error("the training and the test images in {folder} are not of the same size")]
    Shape { folder: PathBuf },
}

/// The data sets read so far.
#[derive(Debug, Default)]
pub struct Library {
    folder: Option<PathBuf>,
    read: Vec<(String, Arc<Dataset>)>,
}

impl Library {
    /// `folder` holds data sets by their names.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, read: Vec::new() }
    }

    pub fn get(&mut self, name: &str) -> Result<Arc<Dataset>, DataError> {
        if let Some((_, dataset)) = self.read.iter().find(|(other, _)| other == name) {
            return Ok(Arc::clone(dataset));
        }
        let raw = if name == "digits" { digits::make() } else { self.read_folder(name)? };
        let dataset = Arc::new(Dataset::new(raw));
        self.read.push((name.to_owned(), Arc::clone(&dataset)));
        Ok(dataset)
    }

    fn read_folder(&self, name: &str) -> Result<RawData, DataError> {
        let folder = match (&self.folder, Path::new(name)) {
            (_, path) if path.is_absolute() => path.to_owned(),
            (Some(folder), _) => folder.join(name),
            (None, _) => return Err(DataError::NoFolder { name: name.to_owned() }),
        };
        let file = |stem: &str| {
            let names = [stem.to_owned(), format!("{stem}.gz"), dotted(stem)];
            let found = names.into_iter().map(|name| folder.join(name)).find(|path| path.exists());
            found.ok_or_else(|| match &self.folder {
                _ if folder.is_dir() => {
                    DataError::Part { folder: folder.clone(), stem: stem.to_owned() }
                }
                Some(data) => DataError::Absent { name: name.to_owned(), folder: data.clone() },
                None => DataError::Absent { name: name.to_owned(), folder: folder.clone() },
            })
        };
        let part = |prefix: &str| {
            let images = idx::read_images(&file(&format!("{prefix}-images-idx3-ubyte"))?)?;
            let labels = idx::read_labels(&file(&format!("{prefix}-labels-idx1-ubyte"))?)?;
            if images.count != labels.len() {
                let (n_images, n_labels) = (images.count, labels.len());
                return Err(DataError::Count { folder: folder.clone(), n_images, n_labels });
            }
            Ok((images.rows, images.columns, Part::new(images.pixels, labels)))
        };
        let (rows, columns, train) = part("train")?;
        let (test_rows, test_columns, test) = part("t10k")?;
        if (rows, columns) != (test_rows, test_columns) {
            return Err(DataError::Shape { folder });
        }
        Ok(RawData { rows, columns, train, test })
    }
}

/// Another spelling of a file's name that some mirrors have: `train-images.idx3-ubyte`.
fn dotted(stem: &str) -> String {
    stem.replacen("-idx", ".idx", 1)
}

impl Dataset {
    fn new(raw: RawData) -> Self {
        let mut hash = Sha256::new();
        hash.update((raw.rows as u64).to_le_bytes());
        hash.update((raw.columns as u64).to_le_bytes());
        for part in [&raw.train, &raw.test] {
            hash.update((part.labels.len() as u64).to_le_bytes());
            hash.update(&part.pixels);
            hash.update(&part.labels);
        }
        let labels = raw.train.labels.iter().chain(&raw.test.labels);
        let n_classes = labels.map(|&label| usize::from(label) + 1).max().unwrap_or(1);
        // Four counters of each value: most pixels are alike, and one counter would wait for itself.
        let mut counts = [[0_u64; 4]; 256];
        for (index, &pixel) in raw.train.pixels.iter().enumerate() {
            counts[usize::from(pixel)][index % 4] += 1;
        }
        let counts = counts.map(|counts| counts.iter().sum::<u64>());
        let n = raw.train.pixels.len() as f64;
        let moment = |power| {
            let sum = |(value, &count)| (value as f64 / 255.0).powi(power) * count as f64;
            counts.iter().enumerate().map(sum).sum::<f64>() / n
        };
        let (mean, square) = (moment(1), moment(2));
        let moments = (mean, (square - mean * mean).max(1e-12).sqrt());
        Self {
            n_classes: n_classes.max(10),
            moments,
            digest: hex(&hash.finalize()),
            rows: raw.rows,
            columns: raw.columns,
            train: Arc::new(raw.train),
            test: Arc::new(raw.test),
        }
    }

    pub fn n_train(&self) -> usize {
        self.train.labels.len()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }
}
