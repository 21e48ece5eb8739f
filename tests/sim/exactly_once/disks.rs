//! Disks that are full, or no longer writable.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::Command;

use exchange_sim::Knobs;
use support::bench::{Bench, Ended, Run, Setup, Store, digest, letter, letters, stored_form};
use support::mounted::Mounted;

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

/// The disk's size.
const OCTETS: u64 = 64 << 20;

/// The number of files and folders that the disk can hold.
const FILES: usize = 1200;

/// A disk in memory.
struct Disk {
    mounted: Mounted,
}

impl Disk {
    fn mount(path: PathBuf) -> Self {
        let options = format!("size={OCTETS},nr_inodes={FILES},mode=700");
        let mount = "mount -t tmpfs -o \"$2\" tmpfs \"$1\"";
        Self {
            mounted: Mounted::with(path, mount, &[&options]),
        }
    }

    fn run<'b>(&self, run: Run<'b>) -> Run<'b> {
        self.mounted.run(run)
    }

    /// The command that makes it read-only, or writable again.
    fn remount(&self, mode: &str) -> Command {
        let mut mount = Command::new("mount");
        mount.arg("-o").arg(format!("remount,bind,{mode}"));
        self.mounted.inside(mount.arg(self.mounted.path()))
    }

    fn protect(&self, protect: bool) {
        let mode = if protect { "ro" } else { "rw" };
        let output = self.remount(mode).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}");
    }

    /// Leaves this many octets free.
    fn leave(&self, octets: u64) {
        let mut ballast = File::create(self.outside("ballast")).unwrap();
        io::copy(&mut io::repeat(1).take(OCTETS - octets), &mut ballast).unwrap();
    }

    /// Leaves room for this many files and folders.
    fn leave_files(&self, count: usize) {
        DirBuilder::new().create(self.outside("ballast")).unwrap();
        for number in 0.. {
            let file = self.outside("ballast").join(number.to_string());
            if File::create(file).is_err() {
                break;
            }
        }
        for number in 0..count {
            fs::remove_file(self.outside("ballast").join(number.to_string())).unwrap();
        }
    }

    fn make_room(&self) {
        let ballast = self.outside("ballast");
        if ballast.is_dir() {
            fs::remove_dir_all(ballast).unwrap();
        } else {
            fs::remove_file(ballast).unwrap();
        }
    }

    fn outside(&self, path: &str) -> PathBuf {
        self.mounted.outside(path)
    }
}

/// A bench whose Maildir is on the disk.
fn maildir(setup: Setup) -> (Bench, Disk) {
    let mut bench = setup.start();
    let disk = Disk::mount(bench.path("Mail"));
    bench.store = Store::at(disk.outside(""));
    (bench, disk)
}

/// 50 messages of 50 kB.
fn bulky() -> Vec<Vec<u8>> {
    let fill = "and one more line of a long letter that fills the disk\r\n".repeat(900);
    let more = |message: Vec<u8>| [message, fill.clone().into_bytes()].concat();
    letters(50).into_iter().map(more).collect()
}

/// Stored messages are whole, all others are on the server, and `tmp` is empty.
#[track_caller]
fn assert_safe(bench: &Bench, ended: &Ended) {
    assert_eq!(bench.store.tmp(), [""; 0], "{}", ended.text());
    let messages = bench.mailbox().messages();
    let on_server: HashSet<_> = messages
        .iter()
        .map(|sent| digest(&stored_form(sent)))
        .collect();
    let visible: HashSet<_> = bench.store.files().into_values().collect();
    let mut stored = Vec::new();
    for message in bench.held() {
        let is_stored = visible.contains(&digest(&message));
        assert!(
            is_stored || on_server.contains(&digest(&message)),
            "a message is lost"
        );
        if is_stored {
            stored.push(message);
        }
    }
    bench.assert_stored(&stored);
}

#[track_caller]
fn completes(bench: &Bench, disk: &Disk) {
    disk.run(bench.fetch(&DELETES)).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

#[track_caller]
fn stops_a_run_until_there_is_room(pipelining: bool, fill: impl FnOnce(&Disk)) {
    let knobs = Knobs {
        pipelining,
        ..Knobs::default()
    };
    let (bench, disk) = maildir(Setup::with(bulky()).knobs(knobs));
    fill(&disk);
    for _ in 0..2 {
        let ended = disk.run(bench.fetch(&DELETES)).end();
        // There may be no room even for the folders.
        let made = bench.store.root.join("cur").is_dir();
        let expected = if made { 74 } else { 73 };
        assert_eq!(ended.status, Some(expected), "{}", ended.text());
        ended.says("No space left on device");
        ended.says("hint: make room");
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
        assert_eq!(bench.mailbox().len(), 50);
        assert_safe(&bench, &ended);
    }
    disk.make_room();
    completes(&bench, &disk);
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_full_maildir_stops_the_run_and_the_rest_comes_once_there_is_room() {
    for octets in [0, 4096, 100_000, 1 << 20, 2 << 20] {
        for pipelining in [false, true] {
            stops_a_run_until_there_is_room(pipelining, |disk| disk.leave(octets));
        }
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_maildir_that_can_hold_no_more_files_stops_the_run() {
    for files in [0, 1, 3, 4, 30] {
        stops_a_run_until_there_is_room(false, |disk| disk.leave_files(files));
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_message_larger_than_the_disk_leaves_nothing_of_itself() {
    let huge = [letter(2), b"a line\r\n".repeat(400_000)].concat();
    let (bench, disk) = maildir(Setup::with([letter(1), huge, letter(3)]));
    disk.leave(1 << 20);
    let ended = disk.run(bench.fetch(&DELETES)).gives(74);
    assert_safe(&bench, &ended);
    assert_eq!(bench.store.len(), 1, "what was complete before is stored");
    disk.make_room();
    completes(&bench, &disk);
}

/// A mailbox with long unique-ids that fill a state folder on a small file system.
fn with_little_state() -> (Bench, Disk) {
    let bench = Setup::with(letters(700))
        .knobs(Knobs {
            uid_long: Some(300),
            ..Knobs::default()
        })
        .start();
    let disk = Disk::mount(bench.path("state"));
    (bench, disk)
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_full_state_folder_stops_the_run_and_loses_nothing() {
    let mut failed = 0;
    let mut stored_some = 0;
    for size in [0, 16, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024] {
        let (bench, disk) = with_little_state();
        disk.leave(size << 10);
        let ended = disk.run(bench.fetch(&DELETES)).end();
        assert_safe(&bench, &ended);
        if ended.status != Some(0) {
            // 73 if not even the lock can be created.
            let expected = if size == 0 { 73 } else { 74 };
            assert_eq!(ended.status, Some(expected), "{size}k: {}", ended.text());
            ended.says("hint: ");
            failed += 1;
            stored_some += usize::from(bench.store.len() > 0);
        }
        disk.make_room();
        completes(&bench, &disk);
    }
    assert!(failed > 4, "only {failed} sizes were too small");
    assert!(stored_some > 0, "no run failed between two batches");
}

/// The disk is full when the deletions are to be recorded.
#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_state_folder_that_is_full_after_the_deletions_is_told_as_such() {
    let (bench, disk) = with_little_state();
    let ballast = disk.outside("ballast");
    bench.on_command(move |seen, _| {
        if seen.verb == "QUIT" {
            let mut ballast = File::create(&ballast).unwrap();
            assert!(io::copy(&mut io::repeat(1), &mut ballast).is_err());
        }
    });
    let ended = disk.run(bench.fetch(&DELETES)).gives(74);
    bench.no_hooks();
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
    ended.says("what was deleted on the server was stored before");
    assert!(
        !ended.err.contains("nothing was deleted"),
        "{}",
        ended.text()
    );
    disk.make_room();
    completes(&bench, &disk);
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_maildir_that_cannot_be_written_stops_the_run_before_anything_is_deleted() {
    for stop_at in ["", "1", "3", "4:2"] {
        let (bench, disk) = maildir(Setup::with(letters(5)));
        if !stop_at.is_empty() {
            let run = bench.fetch(&DELETES).env("POPSYNC_STOP_AT", stop_at);
            assert!(disk.run(run).end().was_killed());
        }
        disk.protect(true);
        let ended = disk.run(bench.fetch(&DELETES)).end();
        assert!(matches!(ended.status, Some(73 | 74)), "{}", ended.text());
        ended.says("Read-only file system");
        ended.says("hint: ");
        assert_eq!(bench.mailbox().len(), 5);
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
        disk.protect(false);
        completes(&bench, &disk);
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_state_folder_that_cannot_be_written_stops_the_run_before_it_connects() {
    for known in [false, true] {
        let bench = Bench::with(letters(5));
        let disk = Disk::mount(bench.path("state"));
        if known {
            disk.run(bench.fetch(&["--max-messages", "2"])).gives(0);
        }
        let sessions = bench.sim.transcripts().len();
        disk.protect(true);
        let ended = disk.run(bench.fetch(&DELETES)).end();
        assert!(matches!(ended.status, Some(73 | 74)), "{}", ended.text());
        ended.says("hint: ");
        assert_eq!(bench.sim.transcripts().len(), sessions, "it connected");
        disk.protect(false);
        completes(&bench, &disk);
    }
}

/// A failure between the record of a batch and its renaming once made the next run delete messages
/// that were stored nowhere.
#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_disk_that_becomes_read_only_in_the_middle_loses_nothing() {
    for deletes in [true, false] {
        let (bench, disk) = maildir(Setup::with(bulky()));
        let mut remount = disk.remount("ro");
        bench.on_command(move |seen, _| {
            if seen.verb == "RETR" && seen.number == Some(25) {
                // Refused as long as the file of message 24 is open for writing, and the
                // program has nothing to do but to close it.
                while !remount.output().unwrap().status.success() {}
            }
        });
        let arguments: &[&str] = if deletes { &DELETES } else { &[] };
        let ended = disk.run(bench.fetch(arguments)).gives(74);
        ended.says("Read-only file system");
        bench.no_hooks();
        assert_eq!(bench.mailbox().len(), 50);
        disk.protect(false);
        disk.run(bench.fetch(arguments)).gives(0);
        bench.assert_exactly_once();
    }
}

/// A copy of state and store that is mounted read-only is as good a proof.
#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_verification_needs_no_state_that_can_be_written() {
    let bench = Bench::with(letters(5));
    let disk = Disk::mount(bench.path("state"));
    disk.run(bench.sync("", &[])).gives(0);
    for stage in ["first", "again"] {
        disk.protect(true);
        let ended = disk
            .run(bench.configured("verify", "", &["--json"]))
            .gives(0);
        assert!(
            ended.out.contains("\"intact\":5"),
            "{stage}: {}",
            ended.text()
        );
        ended.says("warning: this verification is not recorded: ");
        disk.protect(false);
        disk.run(bench.configured("verify", "", &[])).gives(0);
    }
    let log = bench.configured("log", "", &["--verifications", "--json"]);
    assert_eq!(disk.run(log).gives(0).out.lines().count(), 2);
}
