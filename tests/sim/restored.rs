//! The drill for backups: the state was copied while a run went on, and the store is older than that,
//! newer, or of the same time. Both are restored at their paths, or on another machine at other ones.
//!
//! The next syncs lose nothing, store nothing twice, and delete nothing on the server that the store
//! lacks, whatever the settings say. README.md has the steps.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use support::bench::{Bench, Digest, Into, Setup, digest, letter, letters, rename, stored_form};

/// The settings under which messages leave the server: a backup must do no harm with any of them.
const RULES: [&str; 3] = [
    "leave-on-server = true",
    "leave-on-server = false",
    "remove-when-deleted-locally = true",
];

/// Messages of the first run, and of the one during which the state is copied.
const FIRST: usize = 8;
const SECOND: usize = 4;

const STATE: &str = "state/popsync.sqlite3";

/// When the store was copied, compared with the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoreIs {
    Older,
    Same,
    Newer,
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success(), "{}", from.display());
}

/// Copies the state as a whole, also during a run, as README.md does.
fn copy_state(state: &Path, to: &Path) {
    let state = Connection::open(state).unwrap();
    let to = to.to_str().unwrap();
    state.execute("VACUUM INTO ?1", [to]).unwrap();
}

/// Makes mail and backups, loses everything, and restores it.
fn restored(into: Into, store_is: StoreIs, is_elsewhere: bool) -> Bench {
    let mut bench = Setup::with(letters(FIRST)).into(into).start();
    bench.sync(RULES[0], &[]).gives(0);
    if store_is == StoreIs::Older {
        copy(&bench.place, &bench.path("backup"));
    }
    for number in FIRST + 1..=FIRST + SECOND {
        bench.deliver(&letter(number));
    }
    // A run is at work while the state is copied, and its messages are on their way.
    let (from, to) = (bench.path(STATE), bench.path("copied"));
    if store_is == StoreIs::Newer {
        let is_copied = AtomicBool::new(false);
        bench.on_command(move |seen, _| {
            if seen.verb == "RETR" && !is_copied.swap(true, Ordering::Relaxed) {
                copy_state(&from, &to);
            }
        });
        bench.sync(RULES[0], &[]).gives(0);
        bench.no_hooks();
    } else {
        bench.sync(RULES[0], &[]).gives(0);
        copy_state(&from, &to);
    }
    if store_is != StoreIs::Older {
        copy(&bench.place, &bench.path("backup"));
    }
    // Nothing has a copy of what comes later.
    bench.deliver(&letter(FIRST + SECOND + 1));
    bench.sync(RULES[0], &[]).gives(0);

    rename(&bench.path("state"), &bench.path("lost-state"));
    rename(&bench.place, &bench.path("lost-store"));
    if is_elsewhere {
        bench.place = bench.path("moved");
        bench.store.root = bench.place.clone();
    }
    bench.store.look_anew();
    copy(&bench.path("backup"), &bench.place);
    fs::create_dir(bench.path("state")).unwrap();
    copy(&bench.path("copied"), &bench.path(STATE));
    bench
}

/// Asserts that each message that ever came is in the store, once at most, or on the server.
#[track_caller]
fn assert_safe(bench: &Bench, case: &str) {
    let mut stored: HashMap<Digest, usize> = HashMap::new();
    for digest in bench.store.files().into_values() {
        *stored.entry(digest).or_default() += 1;
    }
    let on_server = bench.mailbox().messages();
    let on_server: HashSet<Digest> = on_server
        .iter()
        .map(|sent| digest(&stored_form(sent)))
        .collect();
    for (number, message) in bench.held().iter().enumerate() {
        let digest = digest(message);
        let copies = stored.get(&digest).copied().unwrap_or(0);
        assert!(copies <= 1, "{case}: {number} is stored {copies} times");
        let is_safe = copies == 1 || on_server.contains(&digest);
        assert!(is_safe, "{case}: {number} is lost");
    }
}

/// The steps of README.md, and the runs of the next days.
fn drill(into: Into, store_is: StoreIs, is_elsewhere: bool, rule: &str) {
    let case = format!("{into:?}, {store_is:?}, elsewhere: {is_elsewhere}, {rule}");
    let bench = restored(into, store_is, is_elsewhere);
    let run = |command: &str, arguments: &[&str]| {
        let ended = bench.configured(command, rule, arguments).end();
        bench.store.look_anew();
        assert_safe(&bench, &case);
        ended
    };
    // Without this step what the state does not know may come twice.
    if store_is == StoreIs::Newer {
        assert_eq!(
            run("import", &["work", "--from-store"]).status,
            Some(0),
            "{case}"
        );
    }
    // A brake may hold deletions.
    let first = run("sync", &[]);
    assert!(
        matches!(first.status, Some(0 | 1)),
        "{case}: {}",
        first.text()
    );
    let second = run("sync", &["--allow-mass-delete"]);
    assert_eq!(second.status, Some(0), "{case}: {}", second.text());
    let repaired = run("verify", &["work", "--repair"]);
    assert_eq!(repaired.status, Some(0), "{case}: {}", repaired.text());
    bench.assert_exactly_once();
}

/// Each of the moments, places and settings.
fn drills(into: Into) {
    for store_is in [StoreIs::Older, StoreIs::Same, StoreIs::Newer] {
        for is_elsewhere in [false, true] {
            for rule in RULES {
                drill(into, store_is, is_elsewhere, rule);
            }
        }
    }
}

#[test]
fn a_restored_maildir_is_whole_after_the_next_runs() {
    drills(Into::Maildir);
}

#[test]
fn a_restored_mbox_is_whole_after_the_next_runs() {
    drills(Into::Mbox);
}
