//! The same mailbox under another name: the account was renamed, or its host is spelt differently.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use exchange_sim::{Profile, Server};
use support::cli::{Ended, Popsync};
use tempfile::TempDir;

const USER: &str = "anna@example.com";
const PASSWORD: &str = "correct Horse  =+ battery";
const FILE: &str = ".config/popsync/config.toml";

fn letters() -> Vec<Vec<u8>> {
    let letter =
        |number| format!("Message-ID: <{number}@x>\r\nSubject: {number}\r\n\r\n{number}\r\n");
    (1..=3).map(|number| letter(number).into_bytes()).collect()
}

/// A home with one account, synced, and the server.
struct World {
    home: Arc<TempDir>,
    server: Server,
}

impl World {
    fn synced(store: &str) -> Self {
        let server = Server::builder(Profile::Ex2016)
            .user(USER, PASSWORD)
            .messages(USER, letters())
            .start()
            .unwrap();
        let text = config("work", "localhost", &server, store);
        let run = Popsync::new(&["sync"])
            .config(&text)
            .file("pw", PASSWORD)
            .file("ca.pem", server.ca_pem());
        let (home, ended) = run.run_in();
        assert_eq!(ended.status, 0, "{}", ended.text());
        let world = Self { home, server };
        assert_eq!(world.retrieved(), 3);
        world
    }

    /// The number of messages retrieved since the last call.
    fn retrieved(&self) -> usize {
        let retrieved = self.server.commands_of("RETR").len();
        self.server.clear_log();
        retrieved
    }

    fn configure(&self, text: &str) {
        let mut file = File::create(self.home.path().join(FILE)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn configured(&self) -> String {
        fs::read_to_string(self.home.path().join(FILE)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Popsync::within(&self.home, arguments).run()
    }

    /// It continues with the old records: nothing is downloaded twice.
    #[track_caller]
    fn goes_on(&self, arguments: &[&str]) {
        let ended = self.run(arguments);
        assert_eq!(ended.status, 0, "{}", ended.text());
        assert_eq!(self.retrieved(), 0, "{}", ended.text());
        assert_eq!(stored(self.home.path()), 3);
    }

    /// It stops before anything is downloaded twice, and names the way out.
    #[track_caller]
    fn stops(&self) {
        let ended = self.run(&["sync"]);
        assert_eq!(ended.status, 74, "{}", ended.text());
        assert!(ended.err.contains("--same-as"), "{}", ended.err);
        // If it has asked the server at all, it sends QUIT.
        let commands = self.server.commands();
        assert!(matches!(
            commands.last().map(String::as_str),
            None | Some("QUIT")
        ));
        assert_eq!((self.retrieved(), stored(self.home.path())), (0, 3));
    }
}

fn config(name: &str, host: &str, server: &Server, store: &str) -> String {
    let port = server.pop3s_port();
    format!(
        "# mine\n[accounts.{name}] # [since] 2020\nserver = \"pop3s://{host}:{port}\"\n\
         user = \"{USER}\"\npassword-file = \"~/pw\"\n{store}\ntls = {{ ca-file = \"~/ca.pem\" }}\n"
    )
}

const MAILDIR: &str = "maildir = \"~/Mail\"";
const MBOX: &str = "mbox = \"~/mbox\"";

/// The number of stored messages, in a Maildir or in an mbox.
fn stored(home: &Path) -> usize {
    match fs::read(home.join("mbox")) {
        Ok(mbox) => {
            let text = String::from_utf8(mbox).unwrap();
            text.lines()
                .filter(|line| line.starts_with("From "))
                .count()
        }
        Err(_) => home.join("Mail/new").read_dir().unwrap().count(),
    }
}

#[test]
fn an_account_is_renamed_with_what_is_remembered_of_it() {
    for store in [MAILDIR, MBOX] {
        let world = World::synced(store);
        let ended = world.run(&["account", "rename", "work", "the office", "--json"]);
        assert_eq!(
            (ended.status, ended.out.as_str()),
            (
                0,
                "{\"event\":\"account-renamed\",\"account\":\"the office\",\
                 \"config\":\"HOME/.config/popsync/config.toml\"}\n"
            ),
            "{}",
            ended.text()
        );
        let expected = config("\"the office\"", "localhost", &world.server, store);
        assert_eq!(world.configured(), expected);
        world.goes_on(&["sync", "the office"]);
        let again = world.run(&["account", "rename", "work", "the office"]);
        assert_eq!(again.status, 0, "{}", again.text());
    }
}

/// Renamed by hand, only in the file.
#[test]
fn an_account_that_was_renamed_in_the_file_takes_over_what_is_remembered() {
    for (store, way) in [
        (MAILDIR, &["account", "rename", "work", "office"][..]),
        (MBOX, &["account", "rename", "work", "office"]),
        (MAILDIR, &["sync", "--same-as", "work"]),
        (MBOX, &["sync", "office", "--same-as", "work"]),
    ] {
        let world = World::synced(store);
        world.configure(&config("office", "localhost", &world.server, store));
        world.stops();
        let unknown = world.run(&["sync", "--same-as", "wrok"]);
        assert_eq!(unknown.status, 64, "{}", unknown.text());
        assert!(
            unknown.err.contains("anna@example.com@localhost"),
            "{}",
            unknown.err
        );
        world.goes_on(way);
        // A second run has no further effect, as in a crontab.
        world.goes_on(way);
        world.goes_on(&["sync"]);
    }
}

#[test]
fn a_host_that_is_spelt_otherwise_takes_over_what_is_remembered() {
    for (store, way) in [
        (MAILDIR, &["account", "rename", "work", "work"][..]),
        (MAILDIR, &["sync", "--same-as", "work"]),
        (MBOX, &["sync", "--same-as", "anna@example.com@localhost"]),
    ] {
        let world = World::synced(store);
        world.configure(&config("work", "127.0.0.1", &world.server, store));
        world.stops();
        world.goes_on(way);
        world.goes_on(&["sync"]);
    }
}

#[test]
fn a_fetch_takes_over_what_a_fetch_by_another_host_has_stored() {
    let world = World::synced(MAILDIR);
    let port = world.server.pop3s_port();
    let fetch = |host: &str, more: &[&str]| {
        let url = format!("pop3s://{host}:{port}");
        let all = [
            &[
                "fetch",
                &url,
                "--user",
                USER,
                "--password-file",
                "pw",
                "--ca-file",
                "ca.pem",
            ],
            &["--maildir", "Other"][..],
            more,
        ];
        world.run(&all.concat())
    };
    assert_eq!(fetch("localhost", &[]).status, 0);
    assert_eq!(world.retrieved(), 3);
    let ended = fetch("127.0.0.1", &[]);
    assert_eq!(ended.status, 74, "{}", ended.text());
    // The account of the configuration has the same user and host, and another store.
    let named = "anna@example.com@localhost";
    let ended = fetch("127.0.0.1", &["--same-as", named]);
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert_eq!(world.retrieved(), 0);
    world.goes_on(&["sync"]);
}

/// Nothing is mixed up: an account with mail of its own takes over nothing, and only one account
/// does.
#[test]
fn an_account_with_mail_of_its_own_takes_over_nothing() {
    let world = World::synced(MAILDIR);
    let both = config("work", "localhost", &world.server, MAILDIR)
        + &config("home", "localhost", &world.server, "maildir = \"~/Home\"");
    world.configure(&both);
    let ended = world.run(&["sync"]);
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert_eq!(world.retrieved(), 3);
    for (arguments, words) in [
        (
            &["sync", "home", "--same-as", "work"][..],
            "has records of its own already",
        ),
        (&["sync", "--same-as", "work"], "for one account at a time"),
        (
            &["account", "rename", "work", "home"],
            "there is an account `home` already",
        ),
    ] {
        let ended = world.run(arguments);
        assert_eq!(ended.status, 64, "{}", ended.text());
        assert!(ended.err.contains(words), "{}", ended.err);
        assert_eq!(world.configured(), both);
    }
    world.goes_on(&["sync"]);
}
