//! What a run did to its files, in order, from the record that `strace` makes of it.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The calls that are recorded.
pub(super) const CALLS: &str =
    "trace=openat,write,pwrite64,ftruncate,rename,unlink,rmdir,mkdir,fsync,fdatasync";

/// A file, whatever its name is at the moment.
pub(super) type Inode = usize;

/// Something done to the disk, at this time: seconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) at: f64,
    pub(super) what: Deed,
}

/// Paths are relative to the folder that is recorded.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    Create {
        path: PathBuf,
        file: Inode,
    },
    MakeFolder {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// A file or an empty folder.
    Remove {
        path: PathBuf,
    },
    Write {
        file: Inode,
        offset: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        file: Inode,
        length: u64,
    },
    /// The name is the one that it has then, for people.
    SyncFile {
        file: Inode,
        path: PathBuf,
    },
    SyncFolder {
        path: PathBuf,
    },
}

/// Reads a record of everything that happened in `folder`.
pub(super) fn read(text: &str, folder: &Path) -> Result<Vec<Op>> {
    let mut reader = Reader {
        folder: folder.to_owned(),
        names: BTreeMap::new(),
        sizes: Vec::new(),
        open: HashMap::new(),
        ops: Vec::new(),
    };
    let mut begun = HashMap::<&str, (f64, String)>::new();
    for line in text.lines() {
        let Some((process, rest)) = line.trim_start().split_once(' ') else { continue };
        let Some((at, call)) = rest.trim_start().split_once(' ') else { continue };
        let at: f64 = at.parse().with_context(|| format!("no time in {line:.80}"))?;
        if let Some(start) = call.strip_suffix("<unfinished ...>") {
            begun.insert(process, (at, start.trim_end().to_owned()));
        } else if call.starts_with("<... ") {
            let end = call.split_once("resumed>").map_or("", |(_, end)| end);
            if let Some((at, start)) = begun.remove(process) {
                reader.call(process, at, &format!("{start}{end}"))?;
            }
        } else {
            reader.call(process, at, call)?;
        }
    }
    Ok(reader.ops)
}

struct Reader {
    folder: PathBuf,
    names: BTreeMap<PathBuf, Inode>,
    sizes: Vec<u64>,
    /// Where the next `write` of a process to a descriptor goes; nowhere in particular if it appends.
    open: HashMap<(String, i64), Option<u64>>,
    ops: Vec<Op>,
}

impl Reader {
    fn call(&mut self, process: &str, at: f64, call: &str) -> Result<()> {
        // Signals and exits are no calls.
        let Some((name, rest)) = call.split_once('(') else { return Ok(()) };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { return Ok(()) };
        let arguments = arguments.trim_end().trim_end_matches(')');
        let Some(result) = number(result).filter(|result| 0 <= *result) else { return Ok(()) };
        let arguments: Vec<&str> = arguments.split(", ").collect();
        let argument = |n: usize| arguments.get(n).copied().unwrap_or_default();
        let descriptor = number(argument(0)).unwrap_or(-1);
        let behind =
            |text: &str| Some(PathBuf::from(unescape(text.split_once('<')?.1.strip_suffix('>')?)));
        let here = |path: Option<PathBuf>| {
            path.and_then(|path| path.strip_prefix(&self.folder).ok().map(Path::to_owned))
        };
        let opened = here(behind(argument(0)));
        // The coordinator works in the folder itself; the others name whole paths.
        let named = |n: usize| here(Some(self.folder.join(quoted(argument(n)))));
        let what = match name {
            "openat" => {
                let Some(path) = named(1) else { return Ok(()) };
                let flags = argument(2);
                let appends = flags.contains("O_APPEND");
                self.open.insert((process.to_owned(), result), (!appends).then_some(0));
                match self.names.get(&path) {
                    Some(&file) if flags.contains("O_TRUNC") => {
                        self.resize(file, 0);
                        Deed::Truncate { file, length: 0 }
                    }
                    None if flags.contains("O_CREAT") => {
                        let file = self.sizes.len();
                        self.sizes.push(0);
                        self.names.insert(path.clone(), file);
                        Deed::Create { path, file }
                    }
                    _ => return Ok(()),
                }
            }
            "mkdir" => match named(0) {
                Some(path) => Deed::MakeFolder { path },
                None => return Ok(()),
            },
            "rename" => match (named(0), named(1)) {
                (Some(from), Some(to)) => {
                    if let Some(file) = self.names.remove(&from) {
                        self.names.insert(to.clone(), file);
                    }
                    Deed::Rename { from, to }
                }
                _ => return Ok(()),
            },
            "unlink" | "rmdir" => match named(0) {
                Some(path) => {
                    self.names.remove(&path);
                    Deed::Remove { path }
                }
                None => return Ok(()),
            },
            _ => {
                let Some(path) = opened else { return Ok(()) };
                let Some(&file) = self.names.get(&path) else {
                    if matches!(name, "fsync" | "fdatasync") {
                        self.ops.push(Op { at, what: Deed::SyncFolder { path } });
                    }
                    return Ok(());
                };
                match name {
                    "fsync" | "fdatasync" => Deed::SyncFile { file, path },
                    "ftruncate" => {
                        let length = number(argument(1)).unwrap_or(0) as u64;
                        self.resize(file, length);
                        Deed::Truncate { file, length }
                    }
                    _ => self.written(
                        (process, descriptor),
                        file,
                        name,
                        &arguments,
                        result as usize,
                    )?,
                }
            }
        };
        self.ops.push(Op { at, what });
        Ok(())
    }

    fn written(
        &mut self,
        (process, descriptor): (&str, i64),
        file: Inode,
        name: &str,
        arguments: &[&str],
        length: usize,
    ) -> Result<Deed> {
        let text = arguments.get(1).copied().unwrap_or_default();
        let mut bytes = quoted_bytes(text);
        bytes.truncate(length);
        anyhow::ensure!(bytes.len() == length, "{} bytes of {length} were recorded", bytes.len());
        let end = self.sizes.get(file).copied().unwrap_or(0);
        let offset = if name == "pwrite64" {
            arguments.last().and_then(|it| number(it)).unwrap_or(0) as u64
        } else {
            let position = self.open.entry((process.to_owned(), descriptor)).or_insert(Some(0));
            let offset = position.unwrap_or(end);
            if let Some(position) = position {
                *position += length as u64;
            }
            offset
        };
        self.resize(file, end.max(offset + length as u64));
        Ok(Deed::Write { file, offset, bytes })
    }

    fn resize(&mut self, file: Inode, length: u64) {
        if let Some(size) = self.sizes.get_mut(file) {
            *size = length;
        }
    }
}

/// The number with which a text begins.
fn number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let end = text.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'));
    text.get(..end.map_or(text.len(), |(at, _)| at))?.parse().ok()
}

fn quoted(text: &str) -> String {
    String::from_utf8_lossy(&quoted_bytes(text)).into_owned()
}

/// What stands between quotation marks, every byte of it written as `\x41`.
fn quoted_bytes(text: &str) -> Vec<u8> {
    let inside = text.trim_start_matches('"').split('"').next().unwrap_or_default();
    unescape_bytes(inside)
}

fn unescape(text: &str) -> String {
    String::from_utf8_lossy(&unescape_bytes(text)).into_owned()
}

fn unescape_bytes(text: &str) -> Vec<u8> {
    if !text.starts_with("\\x") {
        return text.as_bytes().to_vec();
    }
    let codes = text.split("\\x").skip(1);
    codes.filter_map(|code| u8::from_str_radix(code.get(..2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_become_deeds() {
        let hex = |text: &str| {
            let hex: Vec<String> = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            hex.concat()
        };
        let record = format!(
            "7 1.5 mkdir(\"{relative}\", 0777) = 0\n\
             7 1.6 openat(AT_FDCWD, \"{file}\", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3<{file}>\n\
             7 1.7 write(3<{file}>, \"{abc}\", 3 <unfinished ...>\n\
             8 1.8 openat(AT_FDCWD, \"{elsewhere}\", O_RDONLY) = 3<{elsewhere}>\n\
             7 1.9 <... write resumed>) = 3\n\
             7 2.0 write(3<{file}>, \"{abc}\", 3) = 2\n\
             7 2.1 pwrite64(3<{file}>, \"{abc}\", 3, 100) = 3\n\
             7 2.2 fsync(3<{file}>) = 0\n\
             7 2.3 fsync(3<{file}>) = -1 EIO (Input/output error)\n\
             7 2.4 rename(\"{file}\", \"{other}\") = 0\n\
             7 2.5 fsync(4<{runs}>) = 0\n\
             7 2.6 unlink(\"{other}\") = 0\n\
             8 2.7 +++ exited with 0 +++\n",
            relative = hex("runs"),
            runs = hex("/a/runs"),
            file = hex("/a/runs/x"),
            other = hex("/a/runs/y"),
            elsewhere = hex("/etc/passwd"),
            abc = hex("abc"),
        );
        let ops = read(&record, Path::new("/a")).unwrap();
        let deeds: Vec<Deed> = ops.into_iter().map(|op| op.what).collect();
        let (x, y, runs) =
            (PathBuf::from("runs/x"), PathBuf::from("runs/y"), PathBuf::from("runs"));
        let write = |offset, bytes: &[u8]| Deed::Write { file: 0, offset, bytes: bytes.to_vec() };
        assert_eq!(
            deeds,
            [
                Deed::MakeFolder { path: runs.clone() },
                Deed::Create { path: x.clone(), file: 0 },
                write(0, b"abc"),
                write(3, b"ab"),
                write(100, b"abc"),
                Deed::SyncFile { file: 0, path: x.clone() },
                Deed::Rename { from: x, to: y.clone() },
                Deed::SyncFolder { path: runs },
                Deed::Remove { path: y },
            ]
        );
    }
}
