//! The IDX format: a magic number that says type and number of dimensions, the dimensions, the bytes.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use pleach_files::{self as files, Link};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum IdxError {
    #[error("failed to read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is no IDX file of {expected}: it starts with {magic:#010x}")]
    Magic { path: PathBuf, expected: &'static str, magic: u32 },
    #[error("{path} says that it holds {said} bytes and holds {found}")]
    Length { path: PathBuf, said: u64, found: u64 },
    #[error("{path} holds no {what}, or more than fit in memory")]
    Size { path: PathBuf, what: &'static str },
}

/// Images of one byte per pixel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Images {
    pub(super) count: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) pixels: Vec<u8>,
}

/// More than any data set of this format has; keeps a lying header from exhausting memory.
const MAX_BYTES: u64 = 1 << 32;

pub(super) fn read_images(path: &Path) -> Result<Images, IdxError> {
    let (dimensions, pixels) = read::<3>(path, 0x0803, "images")?;
    let [count, rows, columns] = dimensions;
    Ok(Images { count, rows, columns, pixels })
}

pub(super) fn read_labels(path: &Path) -> Result<Vec<u8>, IdxError> {
    read::<1>(path, 0x0801, "labels").map(|([_], labels)| labels)
}

fn read<const N: usize>(
    path: &Path,
    magic: u32,
    what: &'static str,
) -> Result<([usize; N], Vec<u8>), IdxError> {
    let fail = |source| IdxError::Read { path: path.to_owned(), source };
    let file = files::open(path, Link::Follow).map_err(fail)?;
    let mut reader: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(GzDecoder::new(io::BufReader::new(file)))
    } else {
        Box::new(io::BufReader::new(file))
    };
    let mut word = || {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map(|()| u32::from_be_bytes(bytes)).map_err(fail)
    };
    let found = word()?;
    if found != magic {
        return Err(IdxError::Magic { path: path.to_owned(), expected: what, magic: found });
    }
    let mut dimensions = [0; N];
    for dimension in &mut dimensions {
        *dimension = word()? as usize;
    }
    let said = dimensions.iter().try_fold(1_u64, |product, &n| product.checked_mul(n as u64));
    let Some(said) = said.filter(|said| (1..MAX_BYTES).contains(said)) else {
        return Err(IdxError::Size { path: path.to_owned(), what });
    };
    let mut bytes = Vec::new();
    // One byte more than there should be shows that there are more.
    reader.take(said + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 != said {
        return Err(IdxError::Length { path: path.to_owned(), said, found: bytes.len() as u64 });
    }
    Ok((dimensions, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        let text = match read_images(&path) {
            Ok(images) => format!("{images:?}"),
            Err(error) => error.to_string().replace(&path.display().to_string(), "x"),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn an_idx_file_is_what_it_says() {
        let header = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2];
        let with = |pixels: &[u8]| [&header, pixels].concat();
        check(&with(&[7, 8]), "Images { count: 1, rows: 1, columns: 2, pixels: [7, 8] }");
        check(&with(&[7]), "x says that it holds 2 bytes and holds 1");
        check(&with(&[7, 8, 9]), "x says that it holds 2 bytes and holds 3");
        check(&header[..6], "failed to read x");
        check(&[0, 0, 8, 1, 0, 0, 0, 0], "x is no IDX file of images: it starts with 0x00000801");
        check(
            &[[0, 0, 8, 3].as_slice(), &[255; 12]].concat(),
            "x holds no images, or more than fit in memory",
        );
        check(
            &[[0, 0, 8, 3].as_slice(), &[0; 12]].concat(),
            "x holds no images, or more than fit in memory",
        );
    }
}
