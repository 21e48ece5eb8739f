//! The ways to log in that Dovecot has.

use crate::home::{Home, run, stored};
use crate::support::dovecot::Dovecot;
use crate::support::mail::ordinary;

/// Logs in, gets mail, and tells neither password nor what is made of it.
#[track_caller]
fn logs_in_by(server: &Dovecot, method: &str, commands: &[&str]) {
    let home = Home::new();
    server.forget();
    let arguments = ["--auth", method, "-vv"];
    let ended = run(&mut home.fetch_command(server, &server.pop3s("anna"), &arguments));
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (Some(0), ""),
        "{ended:#?}"
    );
    assert_eq!(stored(&home.maildir()).len(), 2, "{method}");
    for command in commands {
        assert!(ended.err.contains(command), "{command}: {}", ended.err);
    }
    for secret in ["correct horse", "AGFubm", "Y29ycmVj", "YW5uY"] {
        assert!(!ended.err.contains(secret), "{method}: {}", ended.err);
    }
}

#[test]
fn every_mechanism_logs_in() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(2, 1));
    logs_in_by(&server, "user", &["C: USER anna", "C: PASS ***"]);
    logs_in_by(&server, "plain", &["C: AUTH PLAIN ***"]);
    logs_in_by(&server, "login", &["C: AUTH LOGIN", "S: + ***", "C: ***"]);
}

#[test]
fn every_mechanism_is_refused_once_and_in_so_many_words() {
    let server = Dovecot::start();
    for (attempts, method) in ["plain", "login"].into_iter().enumerate() {
        let home = Home::new();
        home.write("password", "hunter2\n", 0o600);
        let ended = home.fetch(&server, &["--auth", method]);
        ended.fails(
            77,
            &[
                "popsync: anna@127.0.0.1: the server refused AUTH: `[AUTH] Authentication failed.`",
                "hint: check user name and password",
            ],
        );
        assert!(!ended.err.contains("hunter2"), "{ended:#?}");
        let sessions = server.tls_sessions(attempts + 1);
        let one = "(auth failed, 1 attempts in ";
        assert!(sessions[attempts].contains(one), "{sessions:#?}");
    }
}
