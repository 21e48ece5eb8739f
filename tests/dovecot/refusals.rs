//! Obstacles to a sync, and the parts of the password that the server then sees.

use crate::home::{Home, run, stored};
use support::dovecot::{Dovecot, Tls};
use support::mail::ordinary;

#[test]
fn a_wrong_password_is_tried_once() {
    let server = Dovecot::start();
    let home = Home::new();
    home.write("password", "hunter2\n", 0o600);
    let ended = home.fetch(&server, &[]);
    ended.fails(
        77,
        &[
            "popsync: anna@127.0.0.1: the server refused PASS: ",
            "hint: check user name and password",
        ],
    );
    assert!(!ended.err.contains("hunter2"), "{ended:#?}");
    let sessions = server.tls_sessions(1);
    assert_eq!(sessions.len(), 1, "{sessions:#?}");
    let attempts = "(auth failed, 1 attempts in ";
    assert!(sessions[0].contains(attempts), "{sessions:#?}");
}

/// Asserts that the server lost each of so many clients in the handshake: it saw no command
/// under TLS, and none but these in the clear.
#[track_caller]
fn all_end_in_the_handshake(server: &Dovecot, count: usize, in_the_clear: &[&str]) {
    let sessions = server.tls_sessions(count);
    assert_eq!(sessions.len(), count, "{sessions:#?}");
    for session in &sessions {
        assert!(session.contains("(no auth attempts in "), "{sessions:#?}");
        assert!(session.contains("TLS handshaking"), "{sessions:#?}");
    }
    assert_eq!(server.commands(), in_the_clear);
}

#[test]
fn a_certificate_of_an_unknown_ca_is_refused_before_user() {
    let server = Dovecot::start();
    for url in [server.pop3s("anna"), server.pop3("anna")] {
        let home = Home::new();
        let arguments = ["fetch", &url, "--maildir", "Mail", "--password-file"];
        let ended = home.run(&[&arguments[..], &["password"]].concat());
        let hint = "If the server is your own, name its CA";
        ended.fails(69, &["127.0.0.1 is not to be trusted", hint]);
    }
    all_end_in_the_handshake(&server, 2, &["CAPA", "STLS"]);
}

#[test]
fn an_expired_certificate_is_refused_before_user() {
    let server = Dovecot::with(Tls::Expired);
    for url in [server.pop3s("anna"), server.pop3("anna")] {
        let home = Home::new();
        let ended = run(&mut home.fetch_command(&server, &url, &[]));
        ended.fails(69, &["127.0.0.1 is not to be trusted", "expired"]);
    }
    all_end_in_the_handshake(&server, 2, &["CAPA", "STLS"]);
}

#[test]
fn a_certificate_of_another_host_is_refused_before_user() {
    let server = Dovecot::with(Tls::OtherHost);
    for url in [server.pop3s("anna"), server.pop3("anna")] {
        let home = Home::new();
        let ended = run(&mut home.fetch_command(&server, &url, &[]));
        ended.fails(69, &["127.0.0.1 is not to be trusted", "mail.example.com"]);
    }
    all_end_in_the_handshake(&server, 2, &["CAPA", "STLS"]);
}

#[test]
fn a_server_without_stls_is_refused_before_user() {
    let server = Dovecot::with(Tls::Off);
    let home = Home::new();
    let ended = run(&mut home.fetch_command(&server, &server.pop3("anna"), &[]));
    ended.fails(
        69,
        &["the server offers no encryption", "hint: use `pop3s://`"],
    );
    assert_eq!(server.commands(), ["CAPA", "STLS"]);
}

#[test]
fn plain_text_is_spoken_where_tls_is_off() {
    let server = Dovecot::with(Tls::Off);
    server.deliver_all("anna", &ordinary(3, 1));
    let home = Home::new();
    let url = server.pop3("anna");
    run(&mut home.fetch_command(&server, &url, &["--tls", "off"])).silently();
    assert_eq!(stored(&home.maildir()).len(), 3);
}

#[test]
fn tls_on_a_port_without_it_is_explained() {
    let server = Dovecot::start();
    let home = Home::new();
    let url = format!("pop3s://anna@127.0.0.1:{}", server.plain_port());
    let ended = run(&mut home.fetch_command(&server, &url, &[]));
    ended.fails(69, &["no TLS connection", "hint: is this a TLS port?"]);
    assert_eq!(server.commands(), [""; 0]);
}

#[test]
fn a_password_file_that_others_can_read_is_refused_before_the_server_is_dialled() {
    let server = Dovecot::start();
    let home = Home::new();
    home.write("password", "correct horse battery\n", 0o644);
    home.fetch(&server, &[]).fails(78, &["password", "hint: "]);
    assert_eq!(server.tls_sessions(0), [""; 0]);
}
