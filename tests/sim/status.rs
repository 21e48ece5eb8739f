//! `popsync status`, `status --check`, `status --metrics` and `forget`: the records of accounts,
//! without a server.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use popsync::internals::account::Identity;
use popsync::internals::cache::Lock;
use serde_json::Value;

use support::bench::{Bench, Ended, USER, letter, letters};

fn status(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.configured("status", "", arguments).gives(0)
}

fn object(bench: &Bench, keys: &str) -> Value {
    let ended = bench.configured("status", keys, &["--json"]).gives(0);
    serde_json::from_str(&ended.out).unwrap()
}

/// The configured account, under the name of its records.
fn work() -> Identity {
    Identity {
        key: "work".to_owned(),
        host: "127.0.0.1".to_owned(),
        user: USER.to_owned(),
    }
}

#[test]
fn each_configured_account_has_one_row_and_others_only_with_all() {
    let bench = Bench::with(letters(3));
    let rows = |arguments: &[&str]| {
        let text = status(&bench, arguments).out;
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    // It is shown before its first run.
    let never = rows(&[]);
    assert_eq!(never.len(), 2, "{never:?}");
    assert!(
        never[1].starts_with("work") && never[1].contains("never"),
        "{never:?}"
    );

    bench.fetch(&[]).gives(0);
    assert_eq!(rows(&[]).len(), 2);
    let all = rows(&["--all"]);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[2].starts_with(&format!("{USER}@127.0.0.1")), "{all:?}");
    assert!(all[2].contains("not in the configuration"), "{all:?}");
    // A named account is shown in full, wherever it comes from.
    let name = format!("{USER}@127.0.0.1");
    assert!(rows(&[&name])[1].trim_start().starts_with("store"));
    let unknown = bench.configured("status", "", &["home"]).gives(64);
    unknown.says("no account `home` is known");
}

#[test]
fn it_says_how_many_are_on_the_server_and_how_many_of_them_here() {
    let bench = Bench::with(letters(3));
    bench.sync("max-messages = 2", &[]).gives(0);
    let text = status(&bench, &[]).out;
    assert!(text.contains("3 on the server, 2 here"), "{text}");
    let json = object(&bench, "");
    assert_eq!(
        (&json["on_server"], &json["stored_on_server"]),
        (&3.into(), &2.into())
    );
    assert_eq!(
        (&json["configured"], &json["running"]),
        (&true.into(), &Value::Null)
    );
}

#[test]
fn a_run_at_work_is_shown_and_not_disturbed() {
    let bench = Bench::with(letters(1));
    bench.sync("", &[]).gives(0);
    let run = Lock::acquire(&bench.path("state"), &work()).unwrap();
    assert!(status(&bench, &[]).out.contains("running"));
    assert_eq!(object(&bench, "")["running"]["process"], std::process::id());
    drop(run);
    assert!(!status(&bench, &[]).out.contains("running"));
}

/// A brake holds them: nothing has failed, and a person must accept the deletions.
#[test]
fn held_deletions_are_held_and_not_failed() {
    const FOLLOW: &str = "remove-when-deleted-locally = true";
    let bench = Bench::with(letters(30));
    bench.sync(FOLLOW, &[]).gives(0);
    for name in bench.store.names("new").iter().take(20) {
        fs::remove_file(bench.path("Mail/new").join(name)).unwrap();
    }
    let ended = bench.sync(FOLLOW, &["--json"]).gives(1);
    let last = ended.out.lines().last().unwrap();
    let summary: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&summary["held"], &summary["failed"]),
        (&20.into(), &0.into())
    );
    let text = status(&bench, &[]).out;
    assert!(text.contains("held") && !text.contains("failed"), "{text}");
    assert_eq!(object(&bench, FOLLOW)["deletions_held"], true);
    let check = bench.configured("status", FOLLOW, &["--check"]).gives(1);
    assert!(
        check
            .out
            .starts_with("POPSYNC WARNING - work: deletions are held"),
        "{}",
        check.out
    );
    bench.sync(FOLLOW, &["--allow-mass-delete"]).gives(0);
    assert_eq!(object(&bench, FOLLOW)["deletions_held"], false);
    bench.configured("status", FOLLOW, &["--check"]).gives(0);
}

#[test]
fn the_check_is_one_line_and_a_status_of_monitoring_plugins() {
    let bench = Bench::with(letters(1));
    let check = |keys: &str, arguments: &[&str], code: i32| {
        let arguments = [&["--check"], arguments].concat();
        let ended = bench.configured("status", keys, &arguments).gives(code);
        assert_eq!(ended.out.lines().count(), 1, "{}", ended.text());
        assert_eq!(ended.err, "");
        ended.out
    };
    assert_eq!(
        check("", &[], 2),
        "POPSYNC CRITICAL - work: was never synced\n"
    );
    bench.sync("", &[]).gives(0);
    let line = check("", &["--max-age", "6h"], 0);
    assert!(
        line.starts_with("POPSYNC OK - work: last good run "),
        "{line}"
    );
    assert!(
        line.contains("| 'work age'=") && line.ends_with("s;;21600;0\n"),
        "{line}"
    );
    // A run that came too soon does not count.
    let held = Lock::acquire(&bench.path("state"), &work()).unwrap();
    bench.sync("", &[]).gives(75);
    drop(held);
    check("", &[], 0);
    assert!(check("", &["home"], 3).starts_with("POPSYNC UNKNOWN - no account `home` is known"));
    assert!(check("nonsense = 1", &[], 3).contains("unknown key `nonsense`"));
}

#[test]
fn figures_for_prometheus_are_whole_at_any_time_and_readable_by_others() {
    let bench = Bench::with(letters(2));
    bench.sync("", &[]).gives(0);
    let file = bench.path("popsync.prom");
    let path = file.to_str().unwrap();
    let ended = status(&bench, &["--metrics", path]);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
    let text = fs::read_to_string(&file).unwrap();
    for line in [
        "popsync_stored_messages{account=\"work\"} 2",
        "popsync_server_messages{account=\"work\"} 2",
        "popsync_last_run_exit_status{account=\"work\"} 0",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
    }
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o644
    );
    // The same on standard output; and a later run replaces the file.
    assert_eq!(status(&bench, &["--metrics", "-"]).out, text);
    bench.deliver(&letter(3));
    bench.sync("", &[]).gives(0);
    status(&bench, &["--metrics", path]);
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("stored_messages{account=\"work\"} 3\n")
    );
    let names: Vec<_> = fs::read_dir(file.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("prom"))
        .collect();
    assert_eq!(names, ["popsync.prom"]);
    let folder = bench.path("Mail");
    let into_folder = ["--metrics", folder.to_str().unwrap()];
    bench
        .configured("status", "", &into_folder)
        .gives(74)
        .says("it is no file");
}

#[test]
fn what_a_removed_account_left_behind_is_forgotten_and_its_mail_stays() {
    let bench = Bench::with(letters(2));
    bench.fetch(&[]).gives(0);
    let name = format!("{USER}@127.0.0.1");
    let forget = |name: &str| bench.configured("forget", "", &[name, "--json"]);
    forget("home").gives(64).says("no account `home` is known");
    forget("work")
        .gives(64)
        .says("`work` is in the configuration");
    let identity = Identity {
        key: bench.place.to_str().unwrap().to_owned(),
        ..work()
    };
    let run = Lock::acquire(&bench.path("state"), &identity).unwrap();
    forget(&name).gives(75);
    drop(run);
    let ended = forget(&name).gives(0);
    assert!(ended.out.contains("\"event\":\"forgotten\"") && ended.out.contains("\"messages\":2"));
    assert_eq!(status(&bench, &["--all"]).out.lines().count(), 2);
    bench.assert_exactly_once();
    // Nothing is silently downloaded twice.
    bench.fetch(&[]).gives(74).says("were stored by popsync");
}
