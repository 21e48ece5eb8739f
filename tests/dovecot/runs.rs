//! Runs as a whole: two at once, rehearsals, several accounts, JSON.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::home::{Ended, Home, assert_holds, run, stored, tree};
use support::dovecot::Dovecot;
use support::mail::ordinary;

#[test]
fn a_second_run_at_the_same_time_says_who_has_the_first() {
    let server = Dovecot::start();
    let mails = ordinary(5, 1);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    // The first run has its lock when it asks for the password, and gets it from a pipe.
    let pipe = home.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let first = home
        .fetch_command(
            &server,
            &server.pop3s("anna"),
            &["--password-command", "cat pipe"],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opening waits for the reader, which the first run starts behind the lock.
    let mut password = File::options().write(true).open(&pipe).unwrap();
    let holder = format!("(process {}, since ", first.id());
    home.fetch(&server, &[]).fails(
        75,
        &["another run is active for this account", &holder, "hint: "],
    );
    writeln!(password, "correct horse battery").unwrap();
    drop(password);
    Ended::of(&first.wait_with_output().unwrap()).silently();
    assert_holds(&home.maildir(), &mails);
    home.fetch(&server, &[]).silently();
}

#[test]
fn a_dry_run_writes_nothing() {
    let server = Dovecot::start();
    let mails = ordinary(3, 2);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let settings = ["--profile", "outlook-2016", "--dry-run", "-v"];
    let before = tree(&home.path(""));

    let ended = home.fetch(&server, &settings);
    assert_eq!(ended.status, Some(0));
    assert_eq!(ended.out.matches("retrieve, then delete").count(), 3);
    assert!(ended.out.contains("3 to retrieve"), "{}", ended.out);
    assert_eq!(tree(&home.path("")), before);
    assert!(!home.state().exists());

    home.fetch(&server, &[]).silently();
    server.deliver_all("anna", &ordinary(1, 3));
    let before = tree(&home.path(""));
    server.forget();
    let ended = home.fetch(&server, &settings[..3]);
    assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.contains("1 to retrieve"), "{}", ended.out);
    // Three that are stored, and the new one once it is.
    assert!(ended.out.contains("4 to delete"), "{}", ended.out);
    assert_eq!(tree(&home.path("")), before);
    assert_eq!((server.count("RETR"), server.count("DELE")), (0, 0));
    assert_eq!(server.messages("anna"), 4);
}

/// Three accounts: anna's and bert's are in order, `broken` gets the password wrong.
fn three_accounts(server: &Dovecot) -> Home {
    let home = Home::new();
    home.write("wrong", "hunter2\n", 0o600);
    let config = format!(
        "[defaults]\n\
         server = '{}'\n\
         password-file = '~/password'\n\
         tls = {{ ca-file = '{}' }}\n\
         \n\
         [accounts.anna]\n\
         user = 'anna'\n\
         maildir = '~/Mail/anna'\n\
         \n\
         [accounts.broken]\n\
         user = 'anna'\n\
         password-file = '~/wrong'\n\
         maildir = '~/Mail/broken'\n\
         \n\
         [accounts.bert]\n\
         user = 'bert'\n\
         profile = 'outlook-2016'\n\
         maildir = '~/Mail/bert'\n",
        server.pop3s("").replace("//@", "//"),
        server.ca_file().display(),
    );
    home.write(".config/popsync/config.toml", &config, 0o600);
    home
}

#[test]
fn several_accounts_are_synced_side_by_side() {
    let server = Dovecot::start();
    let (annas, berts) = (ordinary(40, 4), ordinary(30, 5));
    server.deliver_all("anna", &annas);
    server.deliver_all("bert", &berts);
    let home = three_accounts(&server);
    for _ in 0..2 {
        home.run(&["sync", "anna", "bert", "--jobs", "2"])
            .silently();
        assert_holds(&home.path("Mail/anna"), &annas);
        assert_holds(&home.path("Mail/bert"), &berts);
        assert_eq!(server.messages("anna"), 40);
        assert_eq!(server.messages("bert"), 0);
    }
    assert_eq!(server.count("RETR"), 70);
}

#[test]
fn a_broken_account_stops_no_other() {
    for jobs in ["1", "2"] {
        let server = Dovecot::start();
        let (annas, berts) = (ordinary(4, 6), ordinary(3, 7));
        server.deliver_all("anna", &annas);
        server.deliver_all("bert", &berts);
        let home = three_accounts(&server);
        let ended = home.run(&["sync", "--jobs", jobs]);
        ended.fails(77, &["popsync: broken: the server refused PASS"]);
        assert_eq!(ended.err.matches("popsync: ").count(), 1, "{ended:#?}");
        assert_holds(&home.path("Mail/anna"), &annas);
        assert_holds(&home.path("Mail/bert"), &berts);
    }
}

#[test]
fn the_exit_status_is_the_highest_of_all_accounts() {
    let server = Dovecot::start();
    let home = three_accounts(&server);
    let nobody = "[accounts.nobody]\n\
                  server = 'pop3s://x@127.0.0.1:1'\n\
                  password-file = '~/password'\n\
                  maildir = '~/Mail/nobody'\n";
    let path = home.path(".config/popsync/config.toml");
    let mut config = File::options().append(true).open(path).unwrap();
    config.write_all(nobody.as_bytes()).unwrap();
    home.run(&["sync", "nobody", "anna"])
        .fails(69, &["popsync: nobody: cannot connect to 127.0.0.1:1"]);
    home.run(&["sync"])
        .fails(77, &["popsync: nobody: ", "popsync: broken: "]);
}

/// The lines of stdout, each of which must be an object with an event.
fn events(ended: &Ended) -> Vec<(String, Value)> {
    ended
        .out
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            (value["event"].as_str().unwrap().to_owned(), value)
        })
        .collect()
}

#[test]
fn json_tells_a_sync_line_by_line() {
    let server = Dovecot::start();
    let mails = ordinary(12, 8);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let ended = home.fetch(&server, &["--json", "--profile", "outlook-2016"]);
    assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
    let events = events(&ended);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..4], ["connected", "logged-in", "listed", "planned"]);
    for (_, line) in &events {
        assert_eq!(line["account"], "anna@127.0.0.1");
    }
    let sum = |name: &str| -> u64 {
        let lines = events.iter().filter(|(event, _)| event == name);
        lines
            .map(|(_, line)| line["messages"].as_u64().unwrap())
            .sum()
    };
    assert_eq!((sum("listed"), sum("stored"), sum("deleted")), (12, 12, 12));

    let (name, summary) = events.last().unwrap();
    assert_eq!(name, "summary");
    let octets: usize = mails.iter().map(|mail| mail.on_the_wire()[0].len()).sum();
    for (field, expected) in [
        ("retrieved", 12),
        ("bytes", octets),
        ("headers", 0),
        ("deleted", 12),
        ("skipped", 0),
        ("failed", 0),
        ("on_server", 0),
        ("exit", 0),
    ] {
        assert_eq!(summary[field], expected, "{field}");
    }
    assert!(summary["seconds"].is_f64());
}

#[test]
fn json_ends_every_account_with_a_summary_also_after_an_error() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(3, 9));
    let home = three_accounts(&server);
    let ended = home.run(&["sync", "--json", "--jobs", "2"]);
    ended.fails(77, &["popsync: broken: "]);
    let events = events(&ended);
    for (account, exit) in [("anna", 0), ("broken", 77), ("bert", 0)] {
        let mine: Vec<_> = events
            .iter()
            .filter(|(_, line)| line["account"] == account)
            .collect();
        let (name, summary) = mine.last().unwrap();
        assert_eq!((name.as_str(), &summary["exit"]), ("summary", &exit.into()));
        let errors = mine.iter().filter(|(name, _)| name == "error");
        assert_eq!(errors.count(), usize::from(exit != 0), "{account}");
    }
}

#[test]
fn a_dry_run_in_json_tells_what_would_be_done_with_each_message() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(2, 10));
    let home = Home::new();
    let ended = home.fetch(&server, &["--json", "--dry-run"]);
    assert_eq!(ended.status, Some(0));
    let events = events(&ended);
    let decided: Vec<_> = events
        .iter()
        .filter(|(name, _)| name == "decided")
        .map(|(_, line)| (line["number"].as_u64(), line["action"].as_str()))
        .collect();
    assert_eq!(
        decided,
        [(Some(1), Some("retrieve")), (Some(2), Some("retrieve"))]
    );
    assert_eq!(events.last().unwrap().0, "summary");
}

#[test]
fn max_messages_leaves_the_rest_for_the_next_run() {
    let server = Dovecot::start();
    let mails = ordinary(7, 11);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let url = server.pop3s("anna");
    for expected in [3, 6, 7, 7] {
        run(&mut home.fetch_command(&server, &url, &["--max-messages", "3"])).silently();
        assert_eq!(stored(&home.maildir()).len(), expected);
    }
    assert_holds(&home.maildir(), &mails);
}
