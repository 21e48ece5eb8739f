//! A fault at each system call that changes the disk: the process is killed before it, the call
//! fails, it and all later ones fail, or only half is written. The next run repairs what is left.
//!
//! `POPSYNC_EXHAUSTIVE=1 .ci/test` tries each fault at each call; otherwise a sample is tried.
//! `--no-capture` shows their number.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::sync::Mutex;
use std::thread;

use support::bench::{Bench, Into, Run, Setup, USER, letter, letters, stored_form};
use support::calls::{Errno, Fault};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];
const KEEPS: &str = "profile = \"outlook-2019\"";

const FAULTS: [Fault; 7] = [
    Fault::Kill,
    Fault::Fails(Errno::ENOSPC),
    Fault::Fails(Errno::EIO),
    Fault::Fails(Errno::EINTR),
    Fault::Short,
    Fault::AllFail(Errno::ENOSPC),
    Fault::AllFail(Errno::EIO),
];

/// A run, with its preparation and its check.
pub(super) struct Trial {
    /// Creates the state before the run.
    pub(super) start: fn() -> Bench,
    /// The run in which a fault happens.
    pub(super) run: for<'b> fn(&'b Bench) -> Run<'b>,
    /// Asserts that the next run repairs everything.
    pub(super) check: fn(&Bench),
}

impl Trial {
    /// Tries one point in `nth`, or all of them.
    #[expect(clippy::print_stderr, reason = "how many points there are is a result")]
    pub(super) fn each(&self, nth: usize) {
        let bench = (self.start)();
        let folder = bench.path("");
        let (ended, calls) = (self.run)(&bench).followed(&folder, None);
        assert_eq!(ended.status, Some(0), "{}", ended.text());
        (self.check)(&bench);
        assert!(calls.len() > 5, "only {} calls were seen", calls.len());
        let points = FAULTS.iter().flat_map(|&fault| {
            let calls = calls.iter().enumerate();
            let possible = calls.filter(move |(_, call)| call.can(fault));
            possible.map(move |(at, _)| (at, fault))
        });
        let points: Vec<(usize, Fault)> = support::sample(points, nth).collect();
        eprintln!("{} calls, {} points tried", calls.len(), points.len());
        let points = Mutex::new(points.into_iter());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let point = points.lock().unwrap().next();
                        let Some(point) = point else {
                            return;
                        };
                        self.one(point);
                    }
                });
            }
        });
    }

    fn one(&self, (at, fault): (usize, Fault)) {
        let bench = (self.start)();
        let folder = bench.path("");
        let (ended, calls) = (self.run)(&bench).followed(&folder, Some((at, fault)));
        let path = calls.get(at).map(|call| call.path.display().to_string());
        let what = format!("{fault:?} at call {at}, {path:?}: {}", ended.text());
        let is_killed = fault == Fault::Kill && at < calls.len();
        assert_eq!(ended.was_killed(), is_killed, "{what}");
        let checking =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.check)(&bench)));
        assert!(checking.is_ok(), "{what}");
    }
}

fn all_come_and_go(bench: &Bench) {
    bench.fetch(&DELETES).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

/// Some messages were fetched before, so that there is a state to continue with.
fn begun(into: Into) -> Bench {
    let bench = Setup::with(letters(2)).into(into).start();
    bench.fetch(&DELETES).gives(0);
    for number in 3..=5 {
        bench.deliver(&letter(number));
    }
    bench
}

#[test]
fn a_fault_at_a_call_of_a_sync_into_a_maildir_is_made_good() {
    let trial = Trial {
        start: || begun(Into::Maildir),
        run: |bench| bench.fetch(&DELETES),
        check: all_come_and_go,
    };
    trial.each(16);
}

#[test]
fn a_fault_at_a_call_of_a_sync_into_an_mbox_is_made_good() {
    let trial = Trial {
        start: || begun(Into::Mbox),
        run: |bench| bench.fetch(&DELETES),
        check: all_come_and_go,
    };
    trial.each(16);
}

/// State, locks and store are created, too.
#[test]
fn a_fault_at_a_call_of_the_first_sync_is_made_good() {
    let trial = Trial {
        start: || Bench::with(letters(2)),
        run: |bench| bench.fetch(&DELETES),
        check: all_come_and_go,
    };
    trial.each(32);
}

#[test]
fn a_fault_at_a_call_of_a_repair_is_made_good() {
    let trial = Trial {
        start: || {
            let bench = Bench::with(letters(3));
            bench.sync(KEEPS, &[]).gives(0);
            let mut files: Vec<_> = bench.store.files().into_keys().collect();
            files.sort_unstable();
            fs::remove_file(&files[0]).unwrap();
            File::options()
                .write(true)
                .truncate(true)
                .open(&files[1])
                .unwrap();
            bench.store.look_anew();
            bench
        },
        run: |bench| bench.configured("verify", KEEPS, &["work", "--repair"]),
        check: |bench| {
            bench
                .configured("verify", KEEPS, &["work", "--repair"])
                .end();
            bench.configured("verify", KEEPS, &["work"]).gives(0);
            bench.store.look_anew();
            for message in bench.held() {
                assert!(bench.store.holds(&message));
            }
            bench.sync(KEEPS, &[]).gives(0);
            assert_eq!(bench.mailbox().len(), 3);
        },
    };
    trial.each(8);
}

/// In an mbox it is appended, and the damaged one stays where it is.
#[test]
fn a_fault_at_a_call_of_a_repair_of_an_mbox_is_made_good() {
    let trial = Trial {
        start: || {
            let bench = Setup::with(letters(3)).into(Into::Mbox).start();
            bench.sync(KEEPS, &[]).gives(0);
            let mut text = fs::read(&bench.place).unwrap();
            let dots = text.windows(8).rposition(|part| part == b"two dots");
            text[dots.unwrap()] ^= 1;
            let mut mbox = File::create(&bench.place).unwrap();
            mbox.write_all(&text).unwrap();
            bench.store.look_anew();
            bench
        },
        run: |bench| bench.configured("verify", KEEPS, &["work", "--repair"]),
        check: |bench| {
            // A repair that was cut short is not told as a whole store.
            let before = bench.configured("verify", KEEPS, &["work"]).end();
            if bench.store.len() < 4 {
                assert_eq!(before.status, Some(1), "{}", before.text());
            }
            let repair = ["work", "--repair", "--json"];
            bench.configured("verify", KEEPS, &repair).gives(0);
            let ended = bench
                .configured("verify", KEEPS, &["work", "--json"])
                .gives(0);
            for words in ["\"intact\":3", "\"duplicates\":0", "\"foreign\":1"] {
                assert!(ended.out.contains(words), "{}", ended.text());
            }
            bench.store.look_anew();
            for message in bench.held() {
                assert!(bench.store.holds(&message));
            }
            assert_eq!(bench.store.len(), 4);
            bench.sync(KEEPS, &[]).gives(0);
            assert_eq!(bench.store.len(), 4);
        },
    };
    trial.each(16);
}

#[test]
fn a_fault_at_a_call_of_an_import_is_made_good() {
    const IMPORT: [&str; 4] = ["work", "--from", "mpop", "uidls"];
    let trial = Trial {
        start: || {
            let bench = Bench::with(letters(3));
            let unique_ids = bench.mailbox().unique_ids();
            let list = format!(" 2 127.0.0.1 {USER}\n{}\n", unique_ids[..2].join("\n"));
            let mut file = File::create(bench.path("uidls")).unwrap();
            file.write_all(list.as_bytes()).unwrap();
            bench
        },
        run: |bench| bench.configured("import", KEEPS, &IMPORT),
        check: |bench| {
            bench.configured("import", KEEPS, &IMPORT).gives(0);
            bench.sync(KEEPS, &[]).gives(0);
            bench.assert_stored(&[stored_form(&letter(3))]);
        },
    };
    trial.each(16);
}

#[test]
fn a_fault_at_a_call_of_a_mark_is_made_good() {
    const ABOVE: &str = "profile = \"outlook-2019\"\nheaders-only-above = \"100 B\"";
    fn mark(bench: &Bench) -> Run<'_> {
        let unique_id = bench.mailbox().unique_ids().remove(0);
        bench.configured("mark", ABOVE, &["work", &unique_id])
    }
    let trial = Trial {
        start: || {
            let large = [&letter(1)[..], "a line\r\n".repeat(100).as_bytes()].concat();
            let bench = Bench::with([large]);
            bench.sync(ABOVE, &[]).gives(0);
            bench.assert_stored(&[]);
            bench
        },
        run: mark,
        check: |bench| {
            mark(bench).gives(0);
            bench.sync(ABOVE, &[]).gives(0);
            bench.assert_exactly_once();
        },
    };
    trial.each(12);
}
