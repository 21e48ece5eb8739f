//! `popsync verify` by table: for any change to a stored message, in a Maildir and in an mbox, the
//! finding has the right name, damage is repaired, and anything else is left alone.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use support::bench::{Bench, Into, Setup, digest, letter, letters, rename, stored_form};

mod kinds;
mod loss;
mod mbox;
mod parts;

const KEYS: &str = "";

fn synced(count: usize, into: Into) -> Bench {
    let bench = Setup::with(letters(count)).into(into).start();
    bench.sync(KEYS, &[]).gives(0);
    bench.sim.clear_log();
    bench
}

/// The states of the findings, sorted, and the counts.
fn verify(bench: &Bench, arguments: &[&str], status: i32) -> (Vec<String>, Value) {
    let arguments = [&["--json", "work"], arguments].concat();
    let ended = bench.configured("verify", KEYS, &arguments).gives(status);
    let lines = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut lines: Vec<Value> = lines.collect();
    let sum = lines.pop().unwrap();
    let states = lines
        .iter()
        .map(|line| line["state"].as_str().unwrap().to_owned());
    let mut states: Vec<String> = states.collect();
    states.sort();
    (states, sum)
}

fn count(sum: &Value, name: &str) -> u64 {
    sum[name].as_u64().unwrap()
}

fn file_of(bench: &Bench, number: usize) -> PathBuf {
    let wanted = digest(&stored_form(&letter(number)));
    let mut files = bench.store.files().into_iter();
    files.find(|(_, digest)| *digest == wanted).unwrap().0
}

fn put(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(content).unwrap();
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from));
    put(path, text.replacen(from, to, 1).as_bytes());
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

/// Takes away the messages from one place to another.
fn cut(mbox: &Path, from: usize, to: usize) {
    let text = fs::read_to_string(mbox).unwrap();
    let starts: Vec<usize> = text
        .match_indices("From sender")
        .map(|(at, _)| at)
        .collect();
    let text = format!("{}{}", &text[..starts[from]], &text[starts[to]..]);
    put(mbox, text.as_bytes());
}

/// The damage to the file of a letter in `new`, in the Maildir.
type Deed = fn(&Path, &Path);

/// The expected findings, and true if the message is still intact, and if it is retrieved again.
type Row = (&'static str, Deed, &'static [&'static str], bool, bool);

const MAILDIR: [Row; 18] = [
    (
        "a bit flipped",
        |file, _| change(file, "This", "Uhis"),
        &["damaged"],
        false,
        true,
    ),
    (
        "cut short",
        |file, _| change(file, "The end", ""),
        &["damaged"],
        false,
        true,
    ),
    (
        "emptied",
        |file, _| put(file, b""),
        &["damaged"],
        false,
        true,
    ),
    (
        "deleted",
        |file, _| fs::remove_file(file).unwrap(),
        &["missing"],
        false,
        true,
    ),
    (
        "read",
        |file, mail| {
            let name = file.file_name().unwrap().to_str().unwrap();
            rename(file, &mail.join(format!("cur/{name}:2,S")));
        },
        &[],
        true,
        false,
    ),
    (
        "filed in a folder",
        |file, mail| {
            let folder = mail.join(".Archive/cur");
            fs::create_dir_all(&folder).unwrap();
            rename(file, &folder.join(file.file_name().unwrap()));
        },
        &["moved"],
        true,
        false,
    ),
    (
        "renamed in its folder",
        |file, mail| rename(file, &mail.join("new/1700000000.9_1.host")),
        &["filed"],
        true,
        false,
    ),
    (
        "flagged and answered",
        |file, mail| {
            let name = file.file_name().unwrap().to_str().unwrap();
            rename(file, &mail.join(format!("cur/{name}:2,FRS")));
        },
        &[],
        true,
        false,
    ),
    (
        "filed by mutt",
        |file, mail| {
            change(
                file,
                "\n\n",
                "\nStatus: RO\nContent-Length: 77\nLines: 4\n\n",
            );
            let folder = mail.join(".Archive/cur");
            fs::create_dir_all(&folder).unwrap();
            rename(file, &folder.join("1700000000.9_1.host:2,S"));
        },
        &["filed"],
        true,
        false,
    ),
    (
        "filed and edited",
        |file, mail| {
            change(file, "This", "That");
            rename(file, &mail.join("cur/1700000000.9_1.host:2,S"));
        },
        &["altered"],
        false,
        false,
    ),
    (
        "edited in its place",
        |file, _| change(file, "\n\n", "\nStatus: RO\n\n"),
        &["damaged"],
        false,
        true,
    ),
    (
        "copied by name",
        |file, mail| {
            let name = file.file_name().unwrap().to_str().unwrap();
            put(
                &mail.join(format!("cur/{name}:2,S")),
                &fs::read(file).unwrap(),
            );
        },
        &["duplicate"],
        true,
        false,
    ),
    (
        "copied under another name",
        |file, mail| put(&mail.join("cur/copy:2,S"), &fs::read(file).unwrap()),
        &["duplicate"],
        true,
        false,
    ),
    (
        "beside other mail",
        |_, mail| put(&mail.join("new/foreign"), b"Subject: other\n\nmail\n"),
        &["foreign"],
        true,
        false,
    ),
    (
        "compressed with gzip",
        |file, _| put(file, &gzip(&fs::read(file).unwrap())),
        &[],
        true,
        false,
    ),
    (
        "compressed and damaged",
        |file, _| {
            let mut packed = gzip(&fs::read(file).unwrap());
            let middle = packed.len() / 2;
            packed[middle] ^= 0x10;
            put(file, &packed);
        },
        &["damaged"],
        false,
        true,
    ),
    (
        "a folder in its place",
        |file, _| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        },
        &["missing"],
        false,
        false,
    ),
    (
        "a link in its place",
        |file, mail| {
            rename(file, &mail.join("elsewhere"));
            std::os::unix::fs::symlink(mail.join("elsewhere"), file).unwrap();
        },
        &["missing"],
        false,
        false,
    ),
];

#[test]
fn whatever_happens_to_a_message_of_a_maildir_is_called_by_its_name() {
    for (name, deed, states, is_intact, comes_again) in MAILDIR {
        let bench = synced(3, Into::Maildir);
        let file = file_of(&bench, 2);
        deed(&file, &bench.place);
        bench.store.look_anew();
        let before = bench.store.files();
        let is_fine = states
            .iter()
            .all(|state| ["moved", "filed", "duplicate", "foreign"].contains(state));
        let (found, sum) = verify(&bench, &[], i32::from(!is_fine));
        assert_eq!(found, states, "{name}");
        assert_eq!(count(&sum, "intact"), 2 + u64::from(is_intact), "{name}");
        bench.store.look_anew();
        assert_eq!(bench.store.files(), before, "{name}: nothing is changed");
        let (found, _) = verify(&bench, &["--repair"], i32::from(!is_fine && !comes_again));
        let retrieved = bench.sim.commands_of("RETR").len();
        bench.store.look_anew();
        if comes_again {
            assert_eq!(retrieved, 1, "{name}");
            assert!(found.contains(&"repaired".to_owned()), "{name}: {found:?}");
            assert!(bench.store.holds(&stored_form(&letter(2))), "{name}");
            assert_eq!(bench.store.len(), 3, "{name}");
            verify(&bench, &[], 0);
        } else {
            assert!(!found.contains(&"repaired".to_owned()), "{name}: {found:?}");
            assert_eq!(
                bench.store.files(),
                before,
                "{name}: nothing healthy is touched"
            );
            assert_eq!(retrieved, usize::from(states == ["missing"]), "{name}");
        }
        bench.sync(KEYS, &[]).gives(0);
        assert_eq!(
            bench.sim.commands_of("RETR").len(),
            retrieved,
            "{name}: comes twice"
        );
    }
}

#[test]
fn two_messages_that_were_swapped_are_both_damaged_and_both_come_back() {
    let bench = synced(3, Into::Maildir);
    let (first, second) = (file_of(&bench, 1), file_of(&bench, 2));
    let content = fs::read(&first).unwrap();
    put(&first, &fs::read(&second).unwrap());
    put(&second, &content);
    assert_eq!(verify(&bench, &[], 1).0, ["damaged", "damaged"]);
    verify(&bench, &["--repair"], 0);
    assert_eq!(fs::read(first).unwrap(), stored_form(&letter(1)));
    assert_eq!(fs::read(second).unwrap(), stored_form(&letter(2)));
    // Both are kept, whatever they contain.
    assert_eq!(bench.store.names("popsync-damaged").len(), 2);
}

/// Two repairs of one name keep two files.
#[test]
fn a_damaged_file_is_kept_whatever_was_kept_before() {
    let bench = synced(1, Into::Maildir);
    let file = file_of(&bench, 1);
    for (number, content) in ["once", "twice"].iter().enumerate() {
        put(&file, content.as_bytes());
        verify(&bench, &["--repair"], 0);
        let kept = bench.store.names("popsync-damaged");
        assert_eq!(kept.len(), number + 1);
    }
    let kept = bench.store.names("popsync-damaged").into_iter();
    let kept: Vec<String> = kept
        .map(|name| fs::read_to_string(bench.place.join("popsync-damaged").join(name)).unwrap())
        .collect();
    assert_eq!(kept, ["once", "twice"]);
    bench.sync(KEYS, &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 2);
}
