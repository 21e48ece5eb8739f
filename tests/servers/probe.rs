//! `popsync probe` against every server: its report agrees with another client's view.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::HashSet;

use serde_json::Value;

use crate::server::Server;
use crate::suite::Home;
use support::mail::{nasty, ordinary};

/// Statements that no visit can check without deleting, or without a command that Outlook never
/// sends.
const NOT_SEEN: [&str; 4] = ["OPOP3:C0019", "OPOP3:C0026", "OPOP3:C0036", "OPOP3:C0040"];

pub(crate) fn probe_tells_what_the_server_is_like<S: Server>() {
    let server = S::start();
    server.deliver(&[ordinary(4, 1), nasty()].concat());
    let mut other = server.session();
    let [stat, capa, uidl] = ["STAT", "CAPA", "UIDL"].map(|command| match command {
        "STAT" => vec![other.command(command)],
        _ => other.lines(command),
    });
    other.quit();
    let home = Home::new();

    let ended = home.run(&server, "probe", &["--deep"]);
    show(&ended.out);
    assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
    for words in S::PROBED {
        assert!(ended.out.contains(words), "`{words}`:\n{}", ended.out);
    }

    let ended = home.run(&server, "probe", &["--deep", "--json"]);
    let lines = ended.out.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (header, checks) = lines.split_first().unwrap();
    assert_eq!(header["exchange"], false);
    let told = format!("+OK {} {}", header["messages"], header["bytes"]);
    assert_eq!(told, stat[0], "STAT");
    let after_login = &header["capabilities"]["after_login"];
    let told: Vec<&str> = after_login
        .as_array()
        .map_or_else(Vec::new, |capabilities| {
            capabilities.iter().filter_map(Value::as_str).collect()
        });
    let seen: Vec<&str> = capa.iter().map(String::as_str).collect();
    assert_eq!(in_the_clear_too(&told), in_the_clear_too(&seen), "CAPA");
    let ids = uidl.iter().map(|line| line.split(' ').nth(1).unwrap());
    let distinct: HashSet<&str> = ids.clone().collect();
    assert_eq!(header["unique_ids"]["count"], uidl.len());
    assert_eq!(
        header["unique_ids"]["repeated"],
        uidl.len() - distinct.len()
    );
    assert_eq!(
        header["unique_ids"]["longest"],
        ids.map(str::len).max().unwrap()
    );

    let with = |verdict: &str| -> Vec<&str> {
        let of_verdict = checks.iter().filter(|check| check["verdict"] == verdict);
        of_verdict
            .filter_map(|check| check["id"].as_str())
            .collect()
    };
    assert_eq!(with("tolerated"), S::TOLERATED);
    assert_eq!(with("deviates"), [""; 0]);
    assert_eq!(with("not seen"), NOT_SEEN);
}

#[expect(
    clippy::print_stdout,
    reason = "`--nocapture` shows the whole report to whoever wants to judge it"
)]
fn show(report: &str) {
    println!("{report}");
}

/// The capabilities that are the same with TLS, which popsync uses, and without, which the other
/// client uses.
fn in_the_clear_too<'l>(capabilities: &[&'l str]) -> Vec<&'l str> {
    let depends = |line: &str| line == "STLS" || line.starts_with("SASL ");
    let others = capabilities.iter().filter(|line| !depends(line));
    others.copied().collect()
}
