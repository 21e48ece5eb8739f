//! The messages that arrive: every one, octet for octet, once.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::home::{Home, assert_holds, assert_same, run, stored};
use support::dovecot::Dovecot;
use support::mail::{Mail, as_sent, nasty, of_size, ordinary, sha256};

#[test]
fn every_message_arrives_once_and_whole_over_implicit_tls() {
    let server = Dovecot::start();
    everything_arrives_once(&server, &server.pop3s("anna"));
}

#[test]
fn every_message_arrives_once_and_whole_over_stls() {
    let server = Dovecot::start();
    everything_arrives_once(&server, &server.pop3("anna"));
    assert!(server.commands().contains(&"STLS".to_owned()));
}

fn everything_arrives_once(server: &Dovecot, url: &str) {
    let mails = [ordinary(300, 1), nasty()].concat();
    server.deliver_all("anna", &mails);
    let home = Home::new();

    run(&mut home.fetch_command(server, url, &[])).silently();
    assert_holds(&home.maildir(), &mails);
    assert_eq!(server.count("RETR"), mails.len());

    server.forget();
    run(&mut home.fetch_command(server, url, &[])).silently();
    assert_holds(&home.maildir(), &mails);
    assert_eq!(server.count("RETR"), 0);
    assert_eq!(server.count("QUIT"), 1);
    assert_eq!(server.messages("anna"), mails.len());
}

/// The name in the certificate counts, not the address.
#[test]
fn a_server_is_found_by_its_name() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(1, 2));
    let home = Home::new();
    let url = server.pop3s("anna").replace("127.0.0.1", "localhost");
    run(&mut home.fetch_command(&server, &url, &[])).silently();
    assert_eq!(stored(&home.maildir()).len(), 1);
}

#[test]
fn line_endings_crlf_stores_exactly_what_was_sent() {
    let server = Dovecot::start();
    let mails = [ordinary(20, 3), nasty()].concat();
    server.deliver_all("anna", &mails);
    let home = Home::new();
    home.fetch(&server, &["--line-endings", "crlf"]).silently();
    assert_same(stored(&home.maildir()), &mails);
}

/// The digests are what a copy can later be checked against.
#[test]
fn the_digest_of_every_message_is_recorded_as_it_was_sent() {
    let server = Dovecot::start();
    let mails = [ordinary(20, 4), nasty()].concat();
    server.deliver_all("anna", &mails);
    let home = Home::new();
    home.fetch(&server, &[]).silently();

    let database = home.database();
    let mut rows = database
        .prepare("SELECT name, octets, sha256 FROM messages")
        .unwrap();
    let rows: Vec<(String, i64, Vec<u8>)> = rows
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), mails.len());
    for (name, octets, digest) in rows {
        let sent = as_sent(&fs::read(home.maildir().join("new").join(name)).unwrap());
        assert_eq!(usize::try_from(octets), Ok(sent.len()));
        assert_eq!(digest, sha256(&sent));
    }
}

#[test]
fn only_what_is_new_is_retrieved() {
    let server = Dovecot::start();
    let mut mails = ordinary(40, 5);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    home.fetch(&server, &[]).silently();

    let new = ordinary(5, 6);
    server.deliver_all("anna", &new);
    mails.extend(new);
    server.forget();
    home.fetch(&server, &[]).silently();
    assert_eq!(server.count("RETR"), 5);
    assert_holds(&home.maildir(), &mails);
}

#[test]
fn a_mailbox_is_the_same_one_over_implicit_tls_and_over_stls() {
    let server = Dovecot::start();
    let mails = ordinary(10, 7);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    home.fetch(&server, &[]).silently();
    server.forget();
    run(&mut home.fetch_command(&server, &server.pop3("anna"), &[])).silently();
    assert_eq!(server.count("RETR"), 0);
    assert_holds(&home.maildir(), &mails);
}

#[test]
fn an_empty_mailbox_gives_an_empty_maildir() {
    let server = Dovecot::start();
    let home = Home::new();
    home.fetch(&server, &[]).silently();
    assert_holds(&home.maildir(), &[]);
    let mails = ordinary(1, 8);
    server.deliver_all("anna", &mails);
    home.fetch(&server, &[]).silently();
    assert_holds(&home.maildir(), &mails);
}

/// A mail program moves what was read to `cur`, and may delete it.
#[test]
fn what_was_read_or_deleted_locally_does_not_come_again() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(10, 9));
    let home = Home::new();
    home.fetch(&server, &[]).silently();
    let (new, cur) = (home.maildir().join("new"), home.maildir().join("cur"));
    for (number, (name, _)) in stored(&home.maildir()).into_iter().enumerate() {
        if number % 2 == 0 {
            rustix::fs::rename(new.join(&name), cur.join(format!("{name}:2,S"))).unwrap();
        } else {
            fs::remove_file(new.join(name)).unwrap();
        }
    }
    server.forget();
    home.fetch(&server, &[]).silently();
    assert_eq!(server.count("RETR"), 0);
    assert_eq!(stored(&home.maildir()).len(), 5);
}

#[test]
fn a_server_that_renames_every_message_brings_nothing_twice() {
    let server = Dovecot::start();
    let mut mails = [ordinary(60, 11), nasty()].concat();
    server.deliver_all("anna", &mails);
    let home = Home::new();
    home.fetch(&server, &[]).silently();

    server.rename_all("anna");
    let new = ordinary(2, 12);
    server.deliver_all("anna", &new);
    mails.extend(new);
    server.forget();
    let ended = home.fetch(&server, &[]);
    assert_eq!((ended.status, ended.out.as_str()), (Some(0), ""));
    let warning = "warning: the server has renamed its messages";
    assert!(ended.err.contains(warning), "{ended:#?}");
    assert_holds(&home.maildir(), &mails);
    // The two new ones, and the few whose headers say too little.
    assert!((2..10).contains(&server.count("RETR")));

    server.forget();
    home.fetch(&server, &[]).silently();
    assert_eq!(server.count("RETR"), 0);
    assert_holds(&home.maildir(), &mails);
}

/// Exactly once, whatever the moment: here, when part of the mailbox has arrived.
#[test]
fn a_run_that_was_killed_is_taken_up_where_it_was() {
    let server = Dovecot::start();
    let mails: Vec<Mail> = of_size(1_500, 2_000, 10);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let url = server.pop3s("anna");
    let mut partial = 0;
    for kill_at in [1, 300, 600, 900, 1_200] {
        let mut run = home
            .fetch_command(&server, &url, &["--profile", "outlook-2016"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let count = || fs::read_dir(home.maildir().join("new")).map_or(0, Iterator::count);
        while count() < kill_at && run.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        partial += usize::from((1..mails.len()).contains(&count()));
    }
    assert!(partial > 0, "every run was done before it could be killed");
    home.fetch(&server, &["--profile", "outlook-2016"])
        .silently();
    assert_holds(&home.maildir(), &mails);
    assert_eq!(server.messages("anna"), 0);
}
