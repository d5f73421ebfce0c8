//! Files come from whichever mirror has them, whole and right, or not at all. The mirrors are threads of this test.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fmt::Write as _,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use flate2::{Compression, GzBuilder, read::GzEncoder};
use pleach_trainer::{
    fetch::{DataSet, FetchError, RemoteFile, fetch},
    sources::DATA_SETS,
};

const NAME: &str = "train-images-idx3-ubyte.gz";
const LEN: u64 = 200_000;
const SHA256: &str = "2c4085b1ab9817526311b5a5b04451140dc922067c6922a59a77e1503918357b";

/// What the data set's one file holds.
fn content() -> Vec<u8> {
    (0..LEN as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn packed() -> Vec<u8> {
    let mut packed = Vec::new();
    // Without compression, so that its length does not depend on a library's version.
    GzEncoder::new(content().as_slice(), Compression::none()).read_to_end(&mut packed).unwrap();
    packed
}

/// How a mirror misbehaves.
#[derive(Clone, Copy)]
enum Mirror {
    Good,
    IgnoresRanges,
    /// Closes the connection after so many bytes of each body.
    BreaksOffAfter(usize),
    HasOtherData,
    HasNothing,
    SendsTooMuch,
    /// Sends a byte now and then, for ever.
    Drips,
    /// Nobody listens.
    Down,
}

/// Starts a mirror and returns its address. It answers until the test ends.
fn start(mirror: Mirror) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    if !matches!(mirror, Mirror::Down) {
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away early is no fault of the mirror's.
                let _gone = stream.and_then(|stream| answer(stream, mirror));
            }
        });
    }
    address
}

fn answer(mut stream: TcpStream, mirror: Mirror) -> std::io::Result<()> {
    let mut range = 0;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(bytes) = line.strip_prefix("range: bytes=") {
            range = bytes.trim_end_matches('-').parse().unwrap();
        }
    }
    let mut body = match mirror {
        Mirror::HasOtherData => packed()[..1000].to_vec(),
        Mirror::SendsTooMuch => vec![0; 400_000],
        _ => packed(),
    };
    let head = match mirror {
        Mirror::HasNothing => {
            body.clear();
            "404 Not Found".to_owned()
        }
        Mirror::IgnoresRanges | Mirror::HasOtherData | Mirror::SendsTooMuch => "200 OK".to_owned(),
        _ if range == 0 => "200 OK".to_owned(),
        _ if body.len() <= range => {
            body.clear();
            "416 Range Not Satisfiable".to_owned()
        }
        _ => {
            let total = body.len();
            body.drain(..range);
            format!("206 Partial Content\r\ncontent-range: bytes {range}-{}/{total}", total - 1)
        }
    };
    write!(
        stream,
        "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )?;
    if let Mirror::BreaksOffAfter(n_bytes) = mirror {
        body.truncate(n_bytes);
    }
    if let Mirror::Drips = mirror {
        for byte in body {
            stream.write_all(&[byte])?;
            thread::sleep(Duration::from_millis(20));
        }
        return Ok(());
    }
    for chunk in body.chunks(10_000) {
        stream.write_all(chunk)?;
    }
    Ok(())
}

/// Fetches from these mirrors into `data`; returns what was said and the outcome, with the mirrors' addresses as
/// `mirror-0`, `mirror-1`, … and the folder as `DATA`.
fn run(mirrors: &[Mirror], data: &Path) -> (String, Result<(), FetchError>) {
    let addresses: Vec<String> = mirrors.iter().map(|&mirror| start(mirror)).collect();
    let mirrors: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let files = [RemoteFile { name: NAME, len: LEN, sha256: SHA256 }];
    let patience = Duration::from_secs(3);
    let set = DataSet { name: "mnist", mirrors: &mirrors, files: &files, patience };
    let mut said = String::new();
    let outcome = fetch(&set, data, &mut |line| writeln!(said, "{line}").unwrap());
    if let Err(error) = &outcome {
        writeln!(said, "error: {error}").unwrap();
    }
    for (index, address) in addresses.iter().enumerate() {
        said = said.replace(address, &format!("mirror-{index}/"));
    }
    (said.replace(&data.display().to_string(), "DATA"), outcome)
}

fn folder_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("mnist")).unwrap();
    for (name, bytes) in files {
        fs::write(data.path().join("mnist").join(name), bytes).unwrap();
    }
    data
}

/// Checks that the file is there, right, and alone, and returns what was said.
#[track_caller]
fn check(mirrors: &[Mirror], files: &[(&str, &[u8])]) -> String {
    let data = folder_with(files);
    let (said, outcome) = run(mirrors, data.path());
    assert!(outcome.is_ok(), "{said}");
    let mut unpacked = Vec::new();
    let file = fs::File::open(data.path().join("mnist").join(NAME)).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, content());
    assert_eq!(fs::read_dir(data.path().join("mnist")).unwrap().count(), 1);
    said
}

const PART: &str = "train-images-idx3-ubyte.gz.part";

#[test]
fn a_file_comes_whole_from_the_first_mirror() {
    insta::assert_snapshot!(check(&[Mirror::Good, Mirror::Down], &[]), @r"
    mirror-0/train-images-idx3-ubyte.gz: fetching
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
}

#[test]
fn a_file_that_is_there_and_right_is_left_alone_however_it_was_packed() {
    let mut packed = GzBuilder::new().filename("x").write(Vec::new(), Compression::none());
    packed.write_all(&content()).unwrap();
    let packed = packed.finish().unwrap();
    insta::assert_snapshot!(check(&[Mirror::Down], &[(NAME, &packed)]), @"DATA/mnist/train-images-idx3-ubyte.gz: already there, and right");
}

#[test]
fn a_wrong_file_is_named_and_replaced() {
    insta::assert_snapshot!(check(&[Mirror::Good], &[(NAME, b"junk")]), @r"
    DATA/mnist/train-images-idx3-ubyte.gz: no whole gzip file (unexpected end of file); it will be replaced
    mirror-0/train-images-idx3-ubyte.gz: fetching
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
}

#[test]
fn a_part_is_continued() {
    insta::assert_snapshot!(check(&[Mirror::Good], &[(PART, &packed()[..50_000])]), @r"
    mirror-0/train-images-idx3-ubyte.gz: going on after 0.05 MB
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
}

#[test]
fn a_part_that_is_whole_needs_no_mirror() {
    insta::assert_snapshot!(check(&[Mirror::Down], &[(PART, &packed())]), @"DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right");
}

#[test]
fn a_mirror_that_knows_no_ranges_starts_anew() {
    let part = &packed()[..50_000];
    insta::assert_snapshot!(check(&[Mirror::IgnoresRanges], &[(PART, part)]), @r"
    mirror-0/train-images-idx3-ubyte.gz: fetching
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
}

#[test]
fn a_part_that_is_no_part_of_the_file_is_dropped() {
    insta::assert_snapshot!(check(&[Mirror::Good], &[(PART, &vec![7; 50_000])]), @r"
    mirror-0/train-images-idx3-ubyte.gz: going on after 0.05 MB
    mirror-0/train-images-idx3-ubyte.gz: no whole gzip file (invalid gzip header)
    mirror-0/train-images-idx3-ubyte.gz: fetching
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
    insta::assert_snapshot!(check(&[Mirror::Good], &[(PART, &vec![7; 250_000])]), @r"
    mirror-0/train-images-idx3-ubyte.gz: it has nothing after byte 250000
    mirror-0/train-images-idx3-ubyte.gz: fetching
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
}

#[test]
fn a_download_that_breaks_off_goes_on_there_and_then_at_the_next_mirror() {
    insta::assert_snapshot!(check(&[Mirror::BreaksOffAfter(40_000), Mirror::Good], &[]), @r"
    mirror-0/train-images-idx3-ubyte.gz: fetching
    mirror-0/train-images-idx3-ubyte.gz: it broke off after 40000 bytes (Peer disconnected)
    mirror-0/train-images-idx3-ubyte.gz: going on after 0.04 MB
    mirror-0/train-images-idx3-ubyte.gz: it broke off after 80000 bytes (Peer disconnected)
    mirror-0/train-images-idx3-ubyte.gz: going on after 0.08 MB
    mirror-0/train-images-idx3-ubyte.gz: it broke off after 120000 bytes (Peer disconnected)
    mirror-1/train-images-idx3-ubyte.gz: going on after 0.12 MB
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
}

#[test]
fn a_mirror_with_other_data_is_passed_over() {
    let mirrors = [Mirror::HasOtherData, Mirror::SendsTooMuch, Mirror::HasNothing, Mirror::Good];
    insta::assert_snapshot!(check(&mirrors, &[]), @r"
    mirror-0/train-images-idx3-ubyte.gz: fetching
    mirror-0/train-images-idx3-ubyte.gz: no whole gzip file (incomplete deflate stream)
    mirror-1/train-images-idx3-ubyte.gz: fetching
    mirror-1/train-images-idx3-ubyte.gz: it sends more than 265536 bytes
    mirror-2/train-images-idx3-ubyte.gz: it answered 404 Not Found
    mirror-3/train-images-idx3-ubyte.gz: fetching
    DATA/mnist/train-images-idx3-ubyte.gz: fetched, and right
    ");
}

#[test]
fn a_mirror_that_drips_is_given_up() {
    let said = check(&[Mirror::Drips, Mirror::Good], &[]);
    let gave_up =
        said.lines().filter(|line| line.contains("mirror-0") && line.contains("it sent only"));
    assert_eq!(gave_up.count(), 1, "{said}");
    assert!(said.contains("mirror-1/train-images-idx3-ubyte.gz: going on after"), "{said}");
}

#[test]
fn without_a_mirror_the_message_says_what_was_tried_and_how_to_place_files_by_hand() {
    let data = tempfile::tempdir().unwrap();
    let (said, _) = run(&[Mirror::Down, Mirror::HasNothing], data.path());
    insta::assert_snapshot!(said, @r"
    mirror-0/train-images-idx3-ubyte.gz: io: Connection refused (os error 111)
    mirror-1/train-images-idx3-ubyte.gz: it answered 404 Not Found
    error: no mirror gave `mnist/train-images-idx3-ubyte.gz`:
      mirror-0/train-images-idx3-ubyte.gz: io: Connection refused (os error 111)
      mirror-1/train-images-idx3-ubyte.gz: it answered 404 Not Found
    run this again to go on where it broke off, or put these gzipped files into
    DATA/mnist yourself and run this again to check them:
      train-images-idx3-ubyte.gz (unpacked: 200000 bytes, SHA-256 2c4085b1ab9817526311b5a5b04451140dc922067c6922a59a77e1503918357b)
    without the network, the data set `digits` needs no files
    ");
    assert_eq!(fs::read_dir(data.path().join("mnist")).unwrap().count(), 0);
}

#[test]
fn two_programs_do_not_fetch_the_same_file() {
    let data = folder_with(&[(PART, b"")]);
    let part = fs::File::open(data.path().join("mnist").join(PART)).unwrap();
    part.lock().unwrap();
    let (said, _) = run(&[Mirror::Good], data.path());
    insta::assert_snapshot!(said, @"error: another program is fetching DATA/mnist/train-images-idx3-ubyte.gz.part: wait for it, or end it");
}

#[test]
fn the_real_files_are_known_to_be_right() {
    let Some(files) = std::env::var_os("PLEACH_DATA").map(PathBuf::from) else {
        io::stderr()
            .write_all(
                b"SKIPPED: PLEACH_DATA names no folder that holds mnist/ and fashion-mnist/\n",
            )
            .unwrap();
        return;
    };
    // Links, so that nothing is written beside the real files.
    let data = tempfile::tempdir().unwrap();
    for set in DATA_SETS {
        fs::create_dir(data.path().join(set.name)).unwrap();
        for file in set.files {
            let path = Path::new(set.name).join(file.name);
            let real = files.join(&path);
            if real.exists() {
                symlink(real, data.path().join(path)).unwrap();
            } else {
                io::stderr()
                    .write_all(format!("SKIPPED: there is no {}\n", real.display()).as_bytes())
                    .unwrap();
                return;
            }
        }
        let mut said = Vec::new();
        fetch(&DataSet { mirrors: &[], ..set }, data.path(), &mut |line| {
            said.push(line.to_owned());
        })
        .unwrap();
        assert!(said.iter().all(|line| line.ends_with("already there, and right")), "{said:?}");
        assert_eq!(said.len(), 4);
    }
}
