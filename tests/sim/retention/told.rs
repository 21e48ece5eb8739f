//! The reports to the user about the time at which messages leave.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use support::bench::{Bench, letters};

const DAY: i64 = 24 * 60 * 60;

fn json(lines: &str, event: &str) -> Vec<Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] == event)
        .collect()
}

/// One is due, one will be due, one was deleted here.
#[test]
fn a_rehearsal_says_what_leaves_the_server_and_when() {
    let bench = Bench::with(letters(12));
    let settings = ["--remove-after-days", "14", "--remove-when-deleted-locally"];
    bench.fetch(&settings).gives(0);
    Connection::open(bench.path("state/popsync.sqlite3"))
        .unwrap()
        .execute(
            "UPDATE messages SET stored_at = stored_at - ?1 WHERE id = 1",
            [20 * DAY],
        )
        .unwrap();
    let gone = bench.store.names("new")[5].clone();
    fs::remove_file(bench.store.root.join("new").join(gone)).unwrap();
    let mut rehearsal = settings.to_vec();
    rehearsal.extend(["--dry-run", "--json"]);
    let ended = bench.fetch(&rehearsal).gives(0);
    let decided = json(&ended.out, "decided");
    assert_eq!(decided.len(), 12, "{}", ended.out);
    let deleted: Vec<_> = decided
        .iter()
        .filter(|line| line["action"] == "delete")
        .map(|line| line["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        deleted,
        [
            "stored longer ago than remove-after-days",
            "stored, and deleted from the store since"
        ]
    );
    let kept: Vec<_> = decided
        .iter()
        .filter(|line| line["action"] == "keep")
        .map(|line| line["leaves_at"].as_str().unwrap())
        .collect();
    assert_eq!(kept.len(), 10);
    assert!(kept.iter().all(|time| time.ends_with('Z')), "{kept:?}");
    // In words, too.
    rehearsal.pop();
    rehearsal.push("-v");
    let ended = bench.fetch(&rehearsal).gives(0);
    assert!(
        ended.out.contains("(stored, leaves on 20"),
        "{}",
        ended.text()
    );
    assert_eq!(bench.mailbox().len(), 12);
}

#[test]
fn a_rehearsal_does_not_name_what_never_leaves() {
    let bench = Bench::with(letters(3));
    bench.fetch(&[]).gives(0);
    let ended = bench.fetch(&["--dry-run", "--json"]).gives(0);
    assert!(json(&ended.out, "decided").is_empty(), "{}", ended.out);
}
