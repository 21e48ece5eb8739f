//! Accepted deletions, reading in parts, and the pages of the state.

use std::collections::HashMap;
use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use support::bench::Into;

use super::{KEYS, change, count, cut, file_of, put, synced, verify};

#[test]
fn what_is_missing_is_accepted_once_for_all() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = synced(4, into);
        match into {
            Into::Maildir => fs::remove_file(file_of(&bench, 2)).unwrap(),
            Into::Mbox => cut(&bench.place, 1, 2),
        }
        let (states, sum) = verify(&bench, &["--accept-deletions"], 0);
        assert_eq!(
            states,
            ["missing", "accepted"]
                .map(str::to_owned)
                .iter()
                .rev()
                .cloned()
                .collect::<Vec<_>>()
        );
        assert_eq!((count(&sum, "missing"), count(&sum, "accepted")), (0, 1));
        let (states, sum) = verify(&bench, &["--repair"], 0);
        assert_eq!((states.len(), count(&sum, "accepted")), (0, 1));
        bench.sync(KEYS, &[]).gives(0);
        assert_eq!(bench.sim.commands_of("RETR").len(), 0);
    }
}

#[test]
fn twenty_parts_of_five_percent_read_every_message_once() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = synced(50, into);
        let damaged: Vec<usize> = (1..=50).step_by(7).collect();
        for number in &damaged {
            match into {
                Into::Maildir => change(&file_of(&bench, *number), "This", "That"),
                Into::Mbox => change(
                    &bench.place,
                    &format!("This is letter {number}."),
                    &format!("That is letter {number}."),
                ),
            }
        }
        let mut found: HashMap<String, usize> = HashMap::new();
        let mut read = 0;
        for run in 0..20 {
            let arguments = ["--json", "work", "--read-data-subset", "5%"];
            let ended = bench.configured("verify", KEYS, &arguments).end();
            let lines = ended
                .out
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            let mut lines: Vec<Value> = lines.collect();
            let sum = lines.pop().unwrap();
            let part = 50 - count(&sum, "unread");
            assert!((2..=3).contains(&part), "{part} in run {run}");
            read += part;
            for line in lines.iter().filter(|line| line["state"] == "damaged") {
                *found.entry(line["unique_id"].to_string()).or_default() += 1;
            }
        }
        assert_eq!(read, 50);
        assert_eq!(found.len(), damaged.len());
        assert!(found.values().all(|times| *times == 1));
    }
}

/// Whichever page of the state is overwritten, it does not pass.
#[test]
fn a_state_with_an_overwritten_page_does_not_pass() {
    let bench = synced(60, Into::Maildir);
    let database = bench.path("state/popsync.sqlite3");
    let state = Connection::open(&database).unwrap();
    let free: u32 = state
        .query_one("PRAGMA freelist_count", [], |row| row.get(0))
        .unwrap();
    assert_eq!(free, 0, "a page that is not used may be overwritten");
    state
        .query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(state);
    let whole = fs::read(&database).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 20);
    for page in 0..pages {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xa5);
        put(&database, &damaged);
        let ended = bench.configured("verify", KEYS, &["work"]).gives(74);
        assert!(ended.err.contains("hint: "), "page {page}: {}", ended.err);
    }
    put(&database, &whole);
    verify(&bench, &[], 0);
}
