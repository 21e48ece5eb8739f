//! The record of verifications: what `popsync log --verifications`, `status` and `report` show.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use support::bench::{Bench, Into, Setup, letters};

fn synced(into: Into) -> Bench {
    let bench = Setup::with(letters(6)).into(into).start();
    bench.sync("", &[]).gives(0);
    bench
}

/// The recorded verifications, the newest first.
fn recorded(bench: &Bench) -> Vec<Value> {
    let ended = bench.configured("log", "", &["--verifications", "--json"]);
    let out = ended.gives(0).out;
    let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn counts(verification: &Value, names: &[&str]) -> Vec<u64> {
    let count = |name: &&str| verification[*name].as_u64().unwrap();
    names.iter().map(count).collect()
}

fn status(bench: &Bench, arguments: &[&str]) -> String {
    bench.configured("status", "", arguments).gives(0).out
}

fn put(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

fn database(bench: &Bench) -> PathBuf {
    bench.path("state/popsync.sqlite3")
}

#[test]
fn each_verification_is_recorded_with_what_it_found() {
    let bench = synced(Into::Maildir);
    assert_eq!(recorded(&bench), [Value::Null; 0]);
    assert!(status(&bench, &["work"]).contains("\n  verified  never\n"));
    let whole = [
        "exit", "parts", "messages", "compared", "missing", "damaged",
    ];

    bench.configured("verify", "", &[]).gives(0);
    let found = counts(&recorded(&bench)[0], &whole);
    assert_eq!(found, [0, 1, 6, 6, 0, 0]);

    let mut files = bench.store.files().into_keys();
    fs::remove_file(files.next().unwrap()).unwrap();
    put(&files.next().unwrap(), b"Subject: another\n\nletter\n");
    bench.configured("verify", "", &[]).gives(1);
    let found = counts(&recorded(&bench)[0], &whole);
    assert_eq!(found, [1, 1, 6, 5, 1, 1]);
    let text = status(&bench, &["work"]);
    assert!(
        text.contains(", 5 of 6 messages compared, 1 missing, 1 damaged\n"),
        "{text}"
    );
    let metrics = status(&bench, &["--metrics", "-"]);
    let name = "popsync_last_verification_exit_status{account=\"work\"} 1";
    assert!(metrics.contains(name), "{metrics}");

    bench.configured("verify", "", &["--repair"]).gives(0);
    let repaired = &recorded(&bench)[0];
    assert_eq!(counts(repaired, &["exit", "repaired"]), [0, 2]);

    bench
        .configured("verify", "", &["--read-data-subset", "50%"])
        .gives(0);
    let part = &recorded(&bench)[0];
    assert_eq!(
        counts(part, &["exit", "parts", "messages", "compared"]),
        [0, 2, 6, 3]
    );

    let all = recorded(&bench);
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|one| one["event"] == "verification"
        && one["account"] == "work"
        && one["error"].is_null()));
    let table = bench.configured("log", "", &["work", "--verifications", "-n", "3"]);
    let table = table.gives(0).out;
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(
        table.contains("3 of 6 messages compared (one of 2 parts)"),
        "{table}"
    );
    let json = status(&bench, &["work", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["last_verification"]["parts"], 2);
    // The runs are shown as before.
    let runs = bench.configured("log", "", &["--json"]).gives(0).out;
    assert_eq!(runs.lines().count(), 1, "{runs}");
    let page = bench
        .configured("report", "", &["--html", "-"])
        .gives(0)
        .out;
    assert!(
        page.contains("<caption>The last verifications</caption>"),
        "{page}"
    );
    assert!(page.contains("2 repaired"), "{page}");
}

#[test]
fn a_verification_that_ends_early_is_recorded_with_its_error() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = synced(into);
        let store = bench.place.clone();
        rustix::fs::rename(&store, bench.path("elsewhere")).unwrap();
        bench.configured("verify", "", &[]).gives(74);
        let recorded = recorded(&bench);
        assert_eq!(
            counts(&recorded[0], &["exit", "messages", "compared"]),
            [74, 6, 0]
        );
        let error = recorded[0]["error"].as_str().unwrap();
        assert!(error.contains(store.to_str().unwrap()), "{error}");
    }
}

/// The table came with version 11 of the state.
#[test]
fn a_state_of_an_older_version_gets_its_history_from_then_on() {
    let bench = synced(Into::Maildir);
    let state = Connection::open(database(&bench)).unwrap();
    state
        .execute_batch("DROP TABLE verifications; PRAGMA user_version = 10")
        .unwrap();
    drop(state);
    // A look does not change the state, and shows what it has.
    assert_eq!(recorded(&bench), [Value::Null; 0]);
    let version = |bench: &Bench| -> u32 {
        let state = Connection::open(database(bench)).unwrap();
        state
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    };
    assert_eq!(version(&bench), 10);
    bench.configured("verify", "", &[]).gives(0);
    assert!(version(&bench) >= 11);
    assert_eq!(
        counts(&recorded(&bench)[0], &["messages", "compared"]),
        [6, 6]
    );
    bench.sync("", &[]).gives(0);
    bench.assert_exactly_once();
}
