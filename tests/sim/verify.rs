//! `popsync verify`: compares the records with the store; also the effects of a damaged state.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use support::bench::{Bench, Ended, letter, letters, stored_form};

fn synced(count: usize) -> Bench {
    let bench = Bench::with(letters(count));
    bench.sync("", &[]).gives(0);
    bench.sim.clear_log();
    bench
}

fn verify(bench: &Bench, arguments: &[&str], status: i32) -> Ended {
    let arguments = [&["work"], arguments].concat();
    bench.configured("verify", "", &arguments).gives(status)
}

/// The last object that `--json` prints.
fn tally(bench: &Bench, arguments: &[&str], status: i32) -> Value {
    let arguments = [&["--json"], arguments].concat();
    let ended = verify(bench, &arguments, status);
    serde_json::from_str(ended.out.lines().last().unwrap()).unwrap()
}

fn counts(tally: &Value, names: &[&str]) -> Vec<u64> {
    let count = |name: &&str| tally[*name].as_u64().unwrap();
    names.iter().map(count).collect()
}

/// The file that holds this letter.
fn file_of(bench: &Bench, number: usize) -> PathBuf {
    let wanted = support::bench::digest(&stored_form(&letter(number)));
    let mut files = bench.store.files().into_iter();
    files.find(|(_, digest)| *digest == wanted).unwrap().0
}

fn put(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

fn database(bench: &Bench) -> PathBuf {
    bench.path("state/popsync.sqlite3")
}

#[test]
fn a_store_that_is_whole_is_told_in_one_line_of_json_and_else_not_at_all() {
    let bench = synced(5);
    // Mail programs flag and file messages.
    let first = file_of(&bench, 1);
    let name = first.file_name().unwrap().to_str().unwrap().to_owned();
    let archive = bench.path("Mail/.Archive/cur");
    fs::create_dir_all(&archive).unwrap();
    rustix::fs::rename(&first, archive.join(format!("{name}:2,FS"))).unwrap();
    let ended = verify(&bench, &[], 0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
    let tally = tally(&bench, &[], 0);
    assert_eq!(counts(&tally, &["messages", "intact"]), [5, 5]);
    assert_eq!(tally["on_server"], Value::Null);
    // No server was asked.
    assert_eq!(bench.sim.commands_of("USER").len(), 0);
    bench.deliver(&letter(6));
    let tally = self::tally(&bench, &["--deep"], 0);
    assert_eq!(
        counts(&tally, &["intact", "differing", "on_server", "new"]),
        [5, 0, 6, 1]
    );
    assert_eq!(bench.sim.commands_of("RETR").len(), 5);
    assert_eq!(bench.sim.commands_of("DELE").len(), 0);
}

#[test]
fn what_is_missing_or_damaged_is_named_and_comes_again_only_when_asked_for() {
    let bench = synced(6);
    let missing = file_of(&bench, 2);
    fs::remove_file(&missing).unwrap();
    let damaged = file_of(&bench, 4);
    let flagged = bench.path("Mail/cur").join(format!(
        "{}:2,S",
        damaged.file_name().unwrap().to_str().unwrap()
    ));
    fs::remove_file(&damaged).unwrap();
    let mut content = stored_form(&letter(4));
    content[10] ^= 1;
    put(&flagged, &content);
    let ended = verify(&bench, &[], 1);
    let mut lines: Vec<&str> = ended.out.lines().collect();
    lines.sort_unstable();
    assert!(lines[0].starts_with(&format!("work: damaged: {}", flagged.display())));
    assert!(lines[1].starts_with("work: missing: "));
    assert_eq!(lines.len(), 2);
    // A sync is no repair: a person who deleted a message here does not want it back.
    bench.sync("", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 0);
    let tally = tally(&bench, &["--repair"], 0);
    assert_eq!(
        counts(&tally, &["intact", "missing", "damaged", "repaired"]),
        [4, 1, 1, 2]
    );
    assert_eq!(bench.sim.commands_of("RETR").len(), 2);
    assert_eq!(fs::read(&flagged).unwrap(), stored_form(&letter(4)));
    // The damaged file is kept where nobody takes it for mail.
    let kept = flagged.file_name().unwrap().to_str().unwrap();
    let kept = bench.path(&format!("Mail/popsync-damaged/damaged-{kept}"));
    assert_eq!(fs::read(kept).unwrap(), content);
    assert_eq!(fs::read(&missing).unwrap(), stored_form(&letter(2)));
    verify(&bench, &[], 0);
    bench.sync("", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 2);
    bench.assert_no_violations();
}

/// Killed when the message is written and not yet in its place.
#[test]
fn a_repair_that_is_killed_leaves_nothing_twice() {
    let bench = synced(3);
    let missing = file_of(&bench, 2);
    fs::remove_file(&missing).unwrap();
    let run = bench.configured("verify", "", &["work", "--repair"]);
    assert!(run.env("POPSYNC_STOP_AT", "2").end().was_killed());
    assert!(!missing.exists());
    verify(&bench, &["--repair"], 0);
    bench.sync("", &[]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn what_the_server_has_under_the_same_name_replaces_nothing_else() {
    let bench = synced(3);
    let record = Connection::open(database(&bench)).unwrap();
    record
        .execute("UPDATE messages SET sha256 = zeroblob(32) WHERE id = 2", [])
        .unwrap();
    drop(record);
    let tally = tally(&bench, &["--deep", "--repair"], 1);
    assert_eq!(
        counts(&tally, &["intact", "damaged", "repaired", "differing"]),
        [2, 1, 0, 1]
    );
    bench.assert_exactly_once();
}

#[test]
fn a_flipped_bit_of_a_message_with_bare_line_ends_is_seen() {
    let bare = b"Subject: bare\r\n\r\none\ntwo\rthree\r\n".to_vec();
    let bench = Bench::with([letter(1), bare.clone()]);
    bench.sync("", &[]).gives(0);
    let sums = ["intact", "unproven", "damaged"];
    assert_eq!(counts(&tally(&bench, &[], 0), &sums), [2, 0, 0]);
    let stored = stored_form(&bare);
    let mut files = bench.store.files().into_iter();
    let (path, _) = files
        .find(|(_, digest)| *digest == support::bench::digest(&stored))
        .unwrap();
    for at in (0..stored.len()).step_by(7) {
        let mut flipped = stored.clone();
        flipped[at] ^= 1;
        put(&path, &flipped);
        let found = counts(&tally(&bench, &[], 1), &sums);
        assert_eq!(found, [1, 0, 1], "octet {at}");
    }
    put(&path, b"Subject: bare\n\n");
    assert_eq!(counts(&tally(&bench, &[], 1), &sums), [1, 0, 1]);
    // A record without a digest of the stored form is proved by the size, once.
    put(&path, &stored);
    let record = Connection::open(database(&bench)).unwrap();
    let forget = "UPDATE messages SET stored_sha256 = NULL";
    record.execute(forget, []).unwrap();
    drop(record);
    assert_eq!(counts(&tally(&bench, &[], 0), &sums), [1, 1, 0]);
    assert_eq!(counts(&tally(&bench, &[], 0), &sums), [2, 0, 0]);
    let mut flipped = stored;
    flipped[20] ^= 1;
    put(&path, &flipped);
    assert_eq!(counts(&tally(&bench, &[], 1), &sums), [1, 0, 1]);
}

#[test]
fn a_store_that_is_not_mounted_is_no_store_without_messages() {
    let bench = synced(2);
    let mail = bench.path("Mail");
    rustix::fs::rename(&mail, bench.path("elsewhere")).unwrap();
    let ended = verify(&bench, &["--repair"], 74);
    assert!(
        ended.err.contains("there is no Maildir at"),
        "{}",
        ended.err
    );
    assert!(!mail.exists());
    assert_eq!(bench.sim.commands_of("RETR").len(), 0);
}

#[test]
fn messages_that_are_not_recorded_are_counted() {
    let bench = synced(4);
    let record = Connection::open(database(&bench)).unwrap();
    record
        .execute("DELETE FROM messages WHERE id > 2", [])
        .unwrap();
    drop(record);
    let tally = tally(&bench, &[], 1);
    assert_eq!(
        counts(&tally, &["messages", "intact", "unrecorded"]),
        [2, 2, 2]
    );
}

/// Whatever happened to the state, nothing is silently downloaded again, and nothing is deleted.
#[test]
fn a_damaged_state_ends_every_run_with_a_way_out() {
    for (name, damage) in [
        ("garbage", garbage as fn(&Path)),
        ("truncated", truncate),
        ("pages overwritten", overwrite),
        ("a record of another kind", bad_record),
    ] {
        let bench = synced(40);
        damage(&database(&bench));
        let before = bench.store.files();
        for keys in ["", "leave-on-server = false"] {
            let ended = bench.sync(keys, &[]).gives(74);
            assert!(ended.err.contains("hint: "), "{name}: {}", ended.err);
            assert!(
                ended.err.contains("popsync verify"),
                "{name}: {}",
                ended.err
            );
        }
        let ended = verify(&bench, &[], 74);
        assert!(ended.err.contains("hint: "), "{name}: {}", ended.err);
        assert_eq!(bench.sim.commands_of("RETR").len(), 0, "{name}");
        assert_eq!(bench.sim.commands_of("DELE").len(), 0, "{name}");
        assert_eq!(bench.store.files(), before, "{name}");
    }
}

fn garbage(path: &Path) {
    put(path, &[b'x'; 8192]);
}

fn truncate(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length / 2).unwrap();
}

fn overwrite(path: &Path) {
    let mut file = File::options().write(true).open(path).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    for page in 1..pages {
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0xa5; 64]).unwrap();
    }
}

fn bad_record(path: &Path) {
    let record = Connection::open(path).unwrap();
    record
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'messages';
             PRAGMA writable_schema = RESET;
             UPDATE messages SET stored_at = 'yesterday' WHERE id = 7;",
        )
        .unwrap();
}

/// A state that is gone, or empty, beside a full store.
#[test]
fn a_lost_state_does_not_begin_anew_in_a_full_store() {
    for lose in [(|path| put(path, b"")) as fn(&Path), |path| {
        fs::remove_file(path).unwrap()
    }] {
        let bench = synced(5);
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(bench.path(&format!("state/popsync.sqlite3{end}")));
        }
        lose(&database(&bench));
        assert_eq!(tally(&bench, &[], 1)["unrecorded"], 5);
        let ended = bench.sync("leave-on-server = false", &[]).gives(74);
        let words = [
            "5 messages in",
            "knows nothing of them",
            "import ACCOUNT --seed",
        ];
        for word in words {
            assert!(ended.err.contains(word), "{word}: {}", ended.err);
        }
        assert_eq!(bench.sim.commands_of("USER").len(), 0);
        // The way out.
        bench.configured("import", "", &["work", "--seed"]).gives(0);
        bench.deliver(&letter(6));
        bench.sim.clear_log();
        bench.sync("leave-on-server = false", &[]).gives(0);
        assert_eq!(bench.sim.commands_of("RETR").len(), 1);
        assert_eq!(bench.sim.commands_of("DELE").len(), 1);
        bench.assert_exactly_once();
    }
}

/// The mailbox under another name of the account or of the user; and another mailbox in the same
/// store, which is no reason to stop.
#[test]
fn an_account_that_was_renamed_is_noticed() {
    let bench = synced(3);
    let record = Connection::open(database(&bench)).unwrap();
    record
        .execute("UPDATE accounts SET key = 'old'", [])
        .unwrap();
    drop(record);
    let ended = bench.sync("", &[]).gives(74);
    assert!(ended.err.contains("knows nothing of them"), "{}", ended.err);
    let record = Connection::open(database(&bench)).unwrap();
    record
        .execute("UPDATE accounts SET user = 'somebody else'", [])
        .unwrap();
    drop(record);
    bench.sim.clear_log();
    let ended = bench.sync("", &[]).gives(74);
    assert!(ended.err.contains("knows nothing of them"), "{}", ended.err);
    assert!(ended.err.contains("--from-store"), "{}", ended.err);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    bench.assert_exactly_once();
    bench.mailbox().clear();
    for number in 11..=13 {
        bench.deliver(&letter(number));
    }
    bench.sync("", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 3);
    bench.assert_exactly_once();
}

/// Each account has its own line, and one that fails stops no other.
#[test]
fn accounts_are_verified_at_the_same_time() {
    let bench = synced(3);
    let url = bench.url();
    let more = format!(
        "[accounts.home]\nserver = {url:?}\nuser = \"anna@example.com\"\nmaildir = \"home\"\n\
         password-file = \"password\"\ntls = {{ ca-file = \"ca.pem\" }}\n\
         [accounts.agent]\nserver = {url:?}\nuser = \"anna@example.com\"\nexec = \"cat\"\n"
    );
    bench.configured("sync", &more, &["home"]).gives(0);
    for jobs in ["1", "2", "9"] {
        let ended = bench
            .configured("verify", &more, &["--json", "--jobs", jobs])
            .end();
        assert_ne!(ended.status, Some(0), "{}", ended.text());
        for account in ["work", "home"] {
            let whole = format!("\"account\":{account:?},\"messages\":3,\"intact\":3");
            assert!(ended.out.contains(&whole), "{jobs}: {}", ended.text());
        }
        ended.says("agent");
    }
}
