//! `status`, `report` and `log` with `--merge`: the states of several machines together.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use popsync::internals::account::Identity;
use popsync::internals::cache::Lock;
use rusqlite::Connection;
use serde_json::Value;

use support::bench::{Bench, Ended, Run, USER, letters};

/// A second and a third account of the same server, behind the keys of `work`.
fn more(bench: &Bench) -> String {
    let account = |name: &str| {
        format!(
            "\n[accounts.{name}]\nserver = {:?}\nuser = {USER:?}\ntls = {{ ca-file = {:?} }}\n\
             password-file = {:?}\nmaildir = {:?}\n",
            bench.url(),
            bench.path("ca.pem"),
            bench.path("password"),
            bench.path(name)
        )
    };
    account("second") + &account("third")
}

/// The machine of this number syncs this account.
fn sync_on(bench: &Bench, machine: u32, account: &str) {
    let state = bench.path(&format!("state{machine}"));
    let run = bench.sync(&more(bench), &[account]);
    run.env("POPSYNC_STATE_DIR", state.to_str().unwrap())
        .gives(0);
}

/// Three accounts on three machines.
fn fleet() -> Bench {
    let bench = Bench::with(letters(3));
    for (machine, account) in [(0, "work"), (1, "second"), (2, "third")] {
        sync_on(&bench, machine, account);
    }
    bench
}

/// A command with the states of these numbers.
fn merged<'b>(bench: &'b Bench, command: &str, arguments: &[&str], states: &[u32]) -> Run<'b> {
    let mut run = bench.configured(command, &more(bench), arguments);
    run.command.arg("--merge");
    for number in states {
        run.command.arg(bench.path(&format!("state{number}")));
    }
    run
}

fn objects(ended: &Ended) -> Vec<Value> {
    let lines = ended.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'o>(objects: &'o [Value], account: &str) -> &'o Value {
    let mut found = objects.iter().filter(|one| one["account"] == account);
    let object = found.next().unwrap();
    assert_eq!(found.count(), 0, "{account} is there twice");
    object
}

fn identity(key: &str) -> Identity {
    Identity {
        key: key.to_owned(),
        host: "127.0.0.1".to_owned(),
        user: USER.to_owned(),
    }
}

#[test]
fn the_accounts_of_all_states_are_shown_with_the_state_of_each() {
    let bench = fleet();
    let ended = merged(&bench, "status", &["--json"], &[0, 1, 2]).gives(0);
    let shown = objects(&ended);
    assert_eq!(shown.len(), 3, "{}", ended.text());
    for (number, account) in ["work", "second", "third"].iter().enumerate() {
        let object = of(&shown, account);
        assert_eq!(object["messages"], 3, "{account}");
        let state = bench.path(&format!("state{number}"));
        assert_eq!(object["state_dir"], state.to_str().unwrap());
    }
    let table = merged(&bench, "status", &[], &[0, 1, 2]).gives(0).out;
    assert_eq!(table.matches("  ok  ").count(), 3, "{table}");
    let text = merged(&bench, "status", &["third"], &[0, 1, 2])
        .gives(0)
        .out;
    let state = format!("  state     {}", bench.path("state2").display());
    assert!(text.contains(&state), "{text}");
    merged(&bench, "status", &["fourth"], &[0, 1, 2]).gives(64);
    // One that no machine has synced so far.
    let table = merged(&bench, "status", &[], &[0, 1]).gives(0).out;
    assert!(table.contains("third    never"), "{table}");
    let ended = merged(&bench, "report", &["--html", "-"], &[0, 1, 2]).gives(0);
    for account in ["work", "second", "third"] {
        let name = format!(">{account}</a>");
        assert!(ended.out.contains(&name), "{account}");
    }
    assert!(ended.out.contains("<dd>3 messages, "), "{}", ended.out);
    let log = merged(&bench, "log", &["--json"], &[0, 1, 2]).gives(0);
    assert_eq!(objects(&log).len(), 3);
    let log = merged(&bench, "log", &["--json", "-n", "2"], &[0, 1, 2]).gives(0);
    assert_eq!(objects(&log).len(), 2);
    // Without --merge there is only the state of this machine.
    let own = bench.configured("status", &more(&bench), &["--json"]);
    let own = objects(&own.gives(0));
    assert_eq!(of(&own, "work")["state_dir"], Value::Null);
    assert_eq!(of(&own, "work")["last_run"], Value::Null);
}

#[test]
fn without_a_configuration_all_that_the_states_know_is_shown() {
    let bench = fleet();
    let mut run = merged(&bench, "status", &["--json"], &[0, 1, 2]);
    fs::remove_file(bench.path("config.toml")).unwrap();
    let program = run.command.get_program().to_owned();
    let arguments: Vec<_> = run.command.get_args().map(ToOwned::to_owned).collect();
    // Nothing names a file that must be there.
    let kept = arguments.iter().skip_while(|one| *one != "--json");
    let mut command = std::process::Command::new(program);
    command.arg("status").args(kept);
    for (name, value) in run.command.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    run.command = command;
    let shown = objects(&run.gives(0));
    assert_eq!(shown.len(), 3);
    assert_eq!(of(&shown, "second")["configured"], false);
}

/// With one machine more, an account moves from one to another.
#[test]
fn an_account_that_moved_is_shown_once_by_its_newest_records() {
    let bench = fleet();
    // The clock of a machine has whole seconds.
    let state = Connection::open(bench.path("state0/popsync.sqlite3")).unwrap();
    let passing = "UPDATE runs SET started_at = started_at - 60, finished_at = finished_at - 60";
    assert_eq!(state.execute(passing, []).unwrap(), 1);
    drop(state);
    let run = bench.configured("import", &more(&bench), &["work", "--from-store"]);
    let moved = bench.path("state1");
    run.env("POPSYNC_STATE_DIR", moved.to_str().unwrap())
        .gives(0);
    sync_on(&bench, 1, "work");
    for states in [[0, 1, 2], [2, 1, 0]] {
        let ended = merged(&bench, "status", &["--json"], &states).gives(0);
        let shown = objects(&ended);
        assert_eq!(shown.len(), 3, "{}", ended.text());
        assert_eq!(of(&shown, "work")["state_dir"], moved.to_str().unwrap());
    }
    // All its runs happened.
    let log = merged(&bench, "log", &["work", "--json"], &[0, 1, 2]).gives(0);
    let runs = objects(&log);
    assert_eq!(runs.len(), 2, "{}", log.text());
    assert!(runs[0]["started"].as_str() > runs[1]["started"].as_str());
    // A run at work is newer than any record.
    let first = Lock::acquire(&bench.path("state0"), &identity("work")).unwrap();
    let shown = objects(&merged(&bench, "status", &["--json"], &[0, 1, 2]).gives(0));
    let former = bench.path("state0");
    assert_eq!(of(&shown, "work")["state_dir"], former.to_str().unwrap());
    drop(first);
}

#[test]
fn runs_at_work_are_shown_and_not_disturbed() {
    let bench = fleet();
    let run = Lock::acquire(&bench.path("state1"), &identity("second")).unwrap();
    // It is about to write.
    let writer = Connection::open(bench.path("state1/popsync.sqlite3")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ended = merged(&bench, "status", &["--json"], &[0, 1, 2]).gives(0);
    let shown = objects(&ended);
    assert_eq!(
        of(&shown, "second")["running"]["process"],
        std::process::id()
    );
    assert_eq!(of(&shown, "third")["running"], Value::Null);
    drop((writer, run));
}

/// Writes these octets in the place of a state.
fn put(folder: &Path, octets: &[u8]) {
    let mut file = File::create(folder.join("popsync.sqlite3")).unwrap();
    file.write_all(octets).unwrap();
}

#[test]
fn a_state_that_cannot_be_read_is_named_and_the_rest_is_shown() {
    let bench = fleet();
    let newer = Connection::open(bench.path("state1/popsync.sqlite3")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let folder = |number: u32| bench.path(&format!("state{number}"));
    // A folder of something else, one that is no database, and one with a hole.
    fs::create_dir(folder(3)).unwrap();
    fs::create_dir(folder(4)).unwrap();
    put(&folder(4), "no database at all".repeat(99).as_bytes());
    fs::create_dir(folder(5)).unwrap();
    let whole = fs::read(folder(2).join("popsync.sqlite3")).unwrap();
    let mut damaged = whole[..4096].to_vec();
    damaged.resize(whole.len(), 0);
    put(&folder(5), &damaged);
    for (number, status, words) in [
        (1, 78, "has version 99"),
        (3, 64, "there is no `popsync.sqlite3`"),
        (4, 74, "cannot be read"),
        (5, 74, "malformed"),
    ] {
        let ended = merged(&bench, "status", &["--json"], &[0, number, 2]).gives(status);
        let named = format!("the state in `{}` is left out: ", folder(number).display());
        ended.says(&named);
        ended.says(words);
        let shown: Vec<_> = objects(&ended);
        let status = |account: &str| {
            let mut found = shown.iter();
            let found = found.find(|one| one["account"] == account && one["event"] == "status");
            found.unwrap()["messages"].clone()
        };
        assert_eq!((status("work"), status("third")), (3.into(), 3.into()));
        let page = merged(&bench, "report", &["--html", "-"], &[0, number, 2]).end();
        assert!(page.out.contains("is left out"), "{}", page.text());
        assert!(page.out.contains(">third</a>"), "{}", page.text());
        let log = merged(&bench, "log", &[], &[0, number, 2]).end();
        log.says(&named);
        assert!(log.out.contains("third"), "{}", log.text());
        // Nobody can tell how its accounts are.
        let check = merged(&bench, "status", &["--check"], &[0, number, 2]).gives(3);
        assert!(check.out.contains("is left out"), "{}", check.text());
    }
    // The highest of several statuses.
    let ended = merged(&bench, "status", &[], &[3, 4, 1, 0]).gives(78);
    assert_eq!(ended.err.matches("is left out").count(), 3);
    let ended = merged(&bench, "status", &[], &[3]).gives(64);
    ended.says("is its volume mounted?");
}

#[test]
fn nothing_is_written_where_states_are_read() {
    let bench = fleet();
    let sizes = |number: u32| {
        let files = fs::read_dir(bench.path(&format!("state{number}"))).unwrap();
        let mut sizes: Vec<_> = files
            .map(|file| file.unwrap())
            .map(|file| (file.file_name(), file.metadata().unwrap().len()))
            .collect();
        sizes.sort();
        sizes
    };
    let before = [0, 1, 2].map(sizes);
    merged(&bench, "status", &[], &[0, 1, 2]).gives(0);
    merged(&bench, "report", &["--html", "-"], &[0, 1, 2]).gives(0);
    merged(&bench, "log", &[], &[0, 1, 2]).gives(0);
    assert_eq!([0, 1, 2].map(sizes), before);
    // A state folder is not made, either.
    merged(&bench, "status", &[], &[0, 7]).gives(64);
    assert!(!bench.path("state7").exists());
    let plain = bench.path("plain");
    File::create(&plain).unwrap();
    let mut run = bench.configured("status", &more(&bench), &["--merge"]);
    run.command.arg(&plain);
    run.end().says("is left out");
}
