//! `popsync log`: the recorded runs.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use exchange_sim::{Knobs, RefuseLogins};
use serde_json::Value;

use support::bench::{Bench, Ended, USER, letter, letters};

fn log(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.configured("log", "", arguments).gives(0)
}

fn objects(ended: &Ended) -> Vec<Value> {
    let lines = ended.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn runs_are_shown_newest_first_with_what_they_did_and_why_they_failed() {
    let bench = Bench::with(letters(2));
    assert_eq!(log(&bench, &[]).out, "");
    bench.sync("", &[]).gives(0);
    bench.deliver(&letter(3));
    bench
        .sync("leave-on-server = false", &["--allow-mass-delete"])
        .gives(0);
    bench.knobs(Knobs {
        refuse_logins: Some(RefuseLogins {
            text: "not you".to_owned(),
            times: None,
        }),
        ..Knobs::default()
    });
    bench.sync("", &[]).gives(77);

    let runs = objects(&log(&bench, &["--json"]));
    let told: Vec<_> = runs
        .iter()
        .map(|run| (&run["exit"], &run["retrieved"], &run["deleted"]))
        .map(|(exit, new, deleted)| format!("{exit} {new} {deleted}"))
        .collect();
    assert_eq!(told, ["77 0 0", "0 1 3", "0 2 0"]);
    assert!(
        runs.iter()
            .all(|run| run["event"] == "run" && run["account"] == "work")
    );
    assert!(
        runs.iter()
            .all(|run| run["started"].as_str().unwrap().ends_with('Z'))
    );
    assert_eq!(
        (&runs[0]["on_server"], &runs[2]["on_server"]),
        (&Value::Null, &2.into())
    );

    let text = log(&bench, &[]).out;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("started"), "{text}");
    let error = runs[0]["error"].as_str().unwrap();
    assert!(
        lines[1].contains("work") && lines[1].contains(error),
        "{text}"
    );
    assert!(lines[2].contains("3 deleted, 0 on the server"), "{text}");
    assert!(lines[3].contains("2 on the server"), "{text}");

    assert_eq!(log(&bench, &["-n", "1"]).out.lines().count(), 2);
    assert_eq!(
        objects(&log(&bench, &["--number", "2", "--json"])),
        runs[..2]
    );
}

#[test]
fn accounts_are_named_as_status_names_them() {
    let bench = Bench::with(letters(1));
    bench.fetch(&[]).gives(0);
    let name = format!("{USER}@127.0.0.1");
    assert_eq!(objects(&log(&bench, &[&name, "--json"])).len(), 1);
    // It is configured, and was never synced.
    assert_eq!(log(&bench, &["work"]).out, "");
    assert_eq!(objects(&log(&bench, &["--json"])).len(), 1);
    let unknown = bench.configured("log", "", &["home"]).gives(64);
    unknown.says("no account `home` is known");
}
