//! What is on a disk after the power went at some moment: what was synced, and of the rest whatever chance has left.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use super::record::{Deed, Inode, Op};
use crate::random::Random;

/// The disk writes so many bytes as one.
const SECTOR: usize = 512;

/// A disk, with what was asked of it and is not certain yet.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: BTreeMap<Inode, File>,
    /// Changes of names that are certain.
    names: BTreeMap<PathBuf, Entry>,
    /// Those that are not, by the folder in which they are, in order.
    uncertain: BTreeMap<PathBuf, Vec<Deed>>,
}

#[derive(Debug, Default)]
struct File {
    certain: Vec<u8>,
    uncertain: Vec<Deed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    File(Inode),
    Folder,
}

impl Disk {
    /// After these.
    pub(super) fn after(ops: &[Op]) -> Self {
        let mut disk = Self::default();
        for op in ops {
            disk.take(&op.what);
        }
        disk
    }

    fn take(&mut self, deed: &Deed) {
        match deed {
            Deed::Write { file, .. } | Deed::Truncate { file, .. } => {
                self.files.entry(*file).or_default().uncertain.push(deed.clone());
            }
            Deed::SyncFile { file, .. } => {
                let file = self.files.entry(*file).or_default();
                for deed in std::mem::take(&mut file.uncertain) {
                    apply(&mut file.certain, &deed, |_| true);
                }
            }
            Deed::SyncFolder { path } => {
                for deed in self.uncertain.remove(path).unwrap_or_default() {
                    rename(&mut self.names, &deed);
                }
            }
            Deed::Create { path, .. } | Deed::MakeFolder { path } | Deed::Remove { path } => {
                self.note(path, deed);
            }
            // Within one folder.
            Deed::Rename { from, .. } => self.note(from, deed),
        }
    }

    fn note(&mut self, path: &Path, deed: &Deed) {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        self.uncertain.entry(folder).or_default().push(deed.clone());
    }

    /// Writes what is left of it into a folder. Of uncertain writes any may have come through, in part too; of the names in
    /// one folder those up to some moment.
    pub(super) fn leave(mut self, into: &Path, random: &mut Random) -> io::Result<()> {
        for deeds in std::mem::take(&mut self.uncertain).into_values() {
            let certain = random.below(deeds.len() + 1);
            for deed in deeds.iter().take(certain) {
                rename(&mut self.names, deed);
            }
        }
        let luck = random.below(4);
        let mut there = BTreeSet::from([PathBuf::new()]);
        for (path, entry) in &self.names {
            // What stands in a folder that is lost is lost.
            if !there.contains(path.parent().unwrap_or(Path::new(""))) {
                continue;
            }
            match entry {
                Entry::Folder => {
                    fs::create_dir(into.join(path))?;
                    there.insert(path.clone());
                }
                Entry::File(inode) => {
                    let file = self.files.remove(inode).unwrap_or_default();
                    let mut bytes = file.certain;
                    for deed in &file.uncertain {
                        apply(&mut bytes, deed, |_| match luck {
                            0 => false,
                            1 => true,
                            _ => random.once_in(2),
                        });
                    }
                    fs::write(into.join(path), bytes)?;
                }
            }
        }
        Ok(())
    }
}

/// Does to a file's content what was asked, as far as chance lets each sector through.
fn apply(bytes: &mut Vec<u8>, deed: &Deed, mut is_through: impl FnMut(usize) -> bool) {
    match deed {
        Deed::Write { offset, bytes: new, .. } => {
            for (sector, part) in new.chunks(SECTOR).enumerate() {
                if is_through(sector) {
                    let start = *offset as usize + sector * SECTOR;
                    let end = start + part.len();
                    bytes.resize(bytes.len().max(end), 0);
                    if let Some(place) = bytes.get_mut(start..end) {
                        place.copy_from_slice(part);
                    }
                }
            }
        }
        Deed::Truncate { length, .. } if is_through(0) => bytes.resize(*length as usize, 0),
        _ => {}
    }
}

fn rename(names: &mut BTreeMap<PathBuf, Entry>, deed: &Deed) {
    match deed {
        Deed::Create { path, file } => drop(names.insert(path.clone(), Entry::File(*file))),
        Deed::MakeFolder { path } => drop(names.insert(path.clone(), Entry::Folder)),
        Deed::Remove { path } => drop(names.remove(path)),
        Deed::Rename { from, to } => {
            if let Some(entry) = names.remove(from) {
                names.insert(to.clone(), entry);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_is_there_and_the_rest_may_be() {
        let path = PathBuf::from("x");
        let write = |offset, byte| Deed::Write { file: 0, offset, bytes: vec![byte; SECTOR] };
        let deeds = [
            Deed::Create { path: path.clone(), file: 0 },
            write(0, 1),
            Deed::SyncFile { file: 0, path: path.clone() },
            Deed::SyncFolder { path: PathBuf::new() },
            write(0, 2),
            write(SECTOR as u64, 3),
        ];
        let ops: Vec<Op> = deeds.into_iter().map(|what| Op { at: 0.0, what }).collect();
        let seen = |cut: usize| {
            (0..64)
                .map(|case| {
                    let folder = tempfile::tempdir().unwrap();
                    let disk = Disk::after(&ops[..cut]);
                    disk.leave(folder.path(), &mut Random::new(1, case)).unwrap();
                    let bytes = fs::read(folder.path().join("x")).ok();
                    bytes.map(|bytes| {
                        bytes.chunks(SECTOR).map(|sector| sector[0]).collect::<Vec<_>>()
                    })
                })
                .collect::<BTreeSet<_>>()
        };
        let some = |sectors: &[u8]| Some(sectors.to_vec());
        assert_eq!(seen(0), BTreeSet::from([None]));
        assert_eq!(seen(2), BTreeSet::from([None, some(&[]), some(&[1])]));
        assert_eq!(seen(3), BTreeSet::from([None, some(&[1])]));
        assert_eq!(seen(4), BTreeSet::from([some(&[1])]));
        assert_eq!(seen(6), BTreeSet::from([some(&[1]), some(&[2]), some(&[1, 3]), some(&[2, 3])]));
    }
}
