//! The rules that every server and popsync must meet together.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::alteration;
use crate::server::Server;
use support::dovecot::PASSWORD;
use support::mail::{Mail, Sha, as_sent, nasty, ordinary, sha256};

pub(crate) use crate::probe::probe_tells_what_the_server_is_like;

/// The suite as tests of a module, for one server.
#[macro_export]
macro_rules! suite {
    ($server:ty $(, #[$attribute:meta])?) => {
        mod suite {
            use super::*;
            $crate::suite!(@ $server, $(#[$attribute])?
                every_message_arrives_whole_and_once
                line_endings_crlf_keeps_every_octet
                only_what_is_new_is_retrieved
                what_is_stored_is_deleted_and_nothing_else
                another_client_may_delete_in_between
                a_mailbox_that_is_open_elsewhere_loses_nothing
                a_wrong_password_is_refused
                probe_tells_what_the_server_is_like
            );
        }
    };
    (@ $server:ty, #[$attribute:meta] $($test:ident)*) => {
        $(#[test] #[$attribute] fn $test() { $crate::suite::$test::<$server>(); })*
    };
    (@ $server:ty, $($test:ident)*) => {
        $(#[test] fn $test() { $crate::suite::$test::<$server>(); })*
    };
}

/// A person's home folder, in which popsync runs.
pub(crate) struct Home {
    folder: TempDir,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("home").tempdir().unwrap();
        let home = Self { folder };
        home.password(PASSWORD);
        home
    }

    /// Sets this password from now on.
    pub(crate) fn password(&self, password: &str) {
        let mut file = File::create(self.folder.path().join("password")).unwrap();
        writeln!(file, "{password}").unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .unwrap();
    }

    /// Runs popsync on the server's mailbox.
    pub(crate) fn run<S: Server>(&self, server: &S, command: &str, more: &[&str]) -> Ended {
        self.run_at(server, command, &server.url(), more)
    }

    /// Runs it on the mailbox at another of the server's addresses.
    pub(crate) fn run_at<S: Server>(
        &self,
        server: &S,
        command: &str,
        url: &str,
        more: &[&str],
    ) -> Ended {
        server.settle();
        let trust = server.trust();
        let trust: Vec<&str> = trust.iter().map(String::as_str).collect();
        self.run_as_it_is(command, url, &[&trust, more].concat())
    }

    /// Runs it without waiting for the end of other sessions.
    pub(crate) fn run_as_it_is(&self, command: &str, url: &str, more: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_popsync"))
            .args([command, url, "--password-file", "password"])
            .args(more)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ended {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Syncs the mailbox with the folder `Mail`; everything must succeed. Returns the summary.
    #[track_caller]
    pub(crate) fn fetch<S: Server>(&self, server: &S, more: &[&str]) -> Value {
        let arguments = [&["--maildir", "Mail", "--json"], more].concat();
        let ended = self.run(server, "fetch", &arguments);
        assert_eq!(
            (ended.status, ended.err.as_str()),
            (Some(0), ""),
            "{ended:#?}"
        );
        summary(&ended.out)
    }

    /// One run, and a second one if the server announces wrong sizes: such messages are in doubt
    /// until the same octets come again. Returns the sum of both.
    #[track_caller]
    pub(crate) fn fetch_all<S: Server>(&self, server: &S, more: &[&str]) -> Value {
        let arguments = [&["--maildir", "Mail", "--json"], more].concat();
        let ended = self.run(server, "fetch", &arguments);
        if ended.status == Some(0) {
            assert_eq!(ended.err, "", "{ended:#?}");
            return summary(&ended.out);
        }
        assert_eq!(ended.status, Some(1), "{ended:#?}");
        let mut all = summary(&ended.out);
        let short = all["failed"].as_u64().unwrap();
        let lines = ended.out.lines();
        let said = lines.filter(|line| line.contains("it came shorter than the server had said"));
        assert_eq!(said.count() as u64, short, "{ended:#?}");
        let again = self.fetch(server, more);
        assert_eq!(again["retrieved"], 0, "they are the same: {again}");
        let deleted = all["deleted"].as_u64().unwrap() + again["deleted"].as_u64().unwrap();
        all["deleted"] = deleted.into();
        all["failed"] = again["failed"].clone();
        all["on_server"] = again["on_server"].clone();
        all
    }

    /// The messages stored, by file name.
    #[track_caller]
    pub(crate) fn stored(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = |folder: &str| {
            let entries = fs::read_dir(self.folder.path().join("Mail").join(folder)).unwrap();
            entries.map(|entry| entry.unwrap().path())
        };
        assert_eq!(files("tmp").collect::<Vec<_>>(), [""; 0].map(PathBuf::from));
        assert_eq!(files("cur").collect::<Vec<_>>(), [""; 0].map(PathBuf::from));
        files("new")
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    }

    /// Asserts that each of these messages is stored once, and nothing else.
    #[track_caller]
    pub(crate) fn holds<S: Server>(&self, server: &S, mails: &[Mail]) {
        let stored = self.stored().into_values();
        assert_same(server, stored.map(|content| as_sent(&content)), mails);
    }
}

/// Asserts that these octets are these messages, each once, as the server sends them.
#[track_caller]
fn assert_same<S: Server>(server: &S, found: impl Iterator<Item = Vec<u8>>, mails: &[Mail]) {
    let mut copies: BTreeMap<Sha, Vec<Vec<u8>>> = BTreeMap::new();
    for octets in found {
        let octets = server.comparable(octets);
        copies.entry(sha256(&octets)).or_default().push(octets);
    }
    let mut missing = Vec::new();
    for (mail, mut forms) in expected::<S>(mails) {
        let copy = |form: &Vec<u8>| copies.get_mut(&sha256(form)).and_then(Vec::pop);
        if forms.iter().find_map(copy).is_none() {
            missing.push((&mail.name, forms.swap_remove(0)));
        }
    }
    let extra: Vec<Vec<u8>> = copies.into_values().flatten().collect();
    let report = missing.iter().map(|(name, expected)| {
        let nearest = extra
            .iter()
            .max_by_key(|octets| in_common(octets, expected))
            .map(|octets| (in_common(octets, expected), octets));
        nearest.map_or_else(
            || format!("{name}: missing\n"),
            |(at, octets)| {
                let (expected, found) = (excerpt(expected, at), excerpt(octets, at));
                format!("{name}: {expected:?} expected at octet {at}, not {found:?}\n")
            },
        )
    });
    let report: String = report.collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{} are missing or altered, {} not expected:\n{report}",
        missing.len(),
        extra.len(),
    );
}

/// The stored form of these messages, byte-stuffing undone: one of these forms each.
fn expected<S: Server>(mails: &[Mail]) -> Vec<(&Mail, Vec<Vec<u8>>)> {
    let mut known = HashSet::new();
    let forms = |mail: &Mail| alteration::forms(S::ALTERATIONS, &mail.content);
    let with_forms = taken::<S>(mails).map(|mail| (mail, forms(mail)));
    with_forms
        .filter(|(_, forms)| known.insert(sha256(&forms[0])) || !S::TWINS_ARE_ONE)
        .collect()
}

/// Those of the messages that the server accepts.
fn taken<S: Server>(mails: &[Mail]) -> impl Iterator<Item = &Mail> {
    let refused = |mail: &&Mail| S::REFUSES.iter().any(|(name, _)| *name == mail.name);
    mails.iter().filter(move |mail| !refused(mail))
}

/// The length of the common start.
fn in_common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// The octets around a place, for people.
fn excerpt(octets: &[u8], at: usize) -> String {
    let (from, to) = (at.saturating_sub(20), octets.len().min(at + 20));
    String::from_utf8_lossy(&octets[from..to]).into_owned()
}

/// One line of the table in the README.
pub(crate) fn row<S: Server>() -> String {
    let alterations = S::ALTERATIONS.iter().map(|alteration| {
        let some = if alteration.always {
            ""
        } else {
            " (in some versions)"
        };
        format!("{}{some}", alteration.what)
    });
    let refuses = S::REFUSES
        .iter()
        .map(|(name, why)| format!("refuses: {name}, because {why}"));
    let altered: Vec<String> = alterations.chain(refuses).collect();
    let twins = if S::TWINS_ARE_ONE { "one" } else { "each" };
    let (name, ids) = (S::NAME, S::UNIQUE_IDS);
    format!("| {name} | {ids} | {twins} | {} |\n", altered.join("; "))
}

/// Asserts that each alteration changes a message of the suite, and each refused one is in it.
pub(crate) fn alters<S: Server>() {
    let mails = nasty();
    for (at, alteration) in S::ALTERATIONS.iter().enumerate() {
        let changes = |mail: &Mail| {
            let forms = alteration::forms(&S::ALTERATIONS[..at], &mail.content);
            forms
                .iter()
                .any(|octets| (alteration.apply)(octets) != *octets)
        };
        let what = alteration.what;
        assert!(mails.iter().any(changes), "{}: {what}", S::NAME);
    }
    for (name, _) in S::REFUSES {
        assert!(mails.iter().any(|mail| mail.name == *name), "{name}");
    }
}

fn summary(out: &str) -> Value {
    serde_json::from_str(out.lines().next_back().unwrap()).unwrap()
}

/// Asserts the counts of a summary.
#[track_caller]
fn counts(summary: &Value, retrieved: usize, deleted: usize, on_server: usize) {
    let counted = ["retrieved", "deleted", "on_server", "failed"].map(|key| summary[key].as_u64());
    let expected = [retrieved, deleted, on_server, 0].map(|count| Some(count as u64));
    assert_eq!(counted, expected, "{summary}");
}

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

pub(crate) fn every_message_arrives_whole_and_once<S: Server>() {
    let server = S::start();
    let mails = [ordinary(60, 1), nasty()].concat();
    server.deliver(&mails);
    let home = Home::new();

    let there = taken::<S>(&mails).count();
    let distinct = expected::<S>(&mails).len();
    assert_eq!(server.messages(), there);

    counts(&home.fetch_all(&server, &[]), distinct, 0, there);
    home.holds(&server, &mails);
    counts(&home.fetch(&server, &[]), 0, 0, there);
    home.holds(&server, &mails);
    assert_eq!(server.messages(), there);
}

pub(crate) fn line_endings_crlf_keeps_every_octet<S: Server>() {
    let server = S::start();
    let mails = [ordinary(5, 2), nasty()].concat();
    server.deliver(&mails);
    let home = Home::new();
    home.fetch_all(&server, &["--line-endings", "crlf"]);
    assert_same(&server, home.stored().into_values(), &mails);
}

pub(crate) fn only_what_is_new_is_retrieved<S: Server>() {
    let server = S::start();
    let mut mails = ordinary(40, 3);
    server.deliver(&mails);
    let home = Home::new();
    counts(&home.fetch(&server, &[]), 40, 0, 40);

    let new = ordinary(5, 4);
    server.deliver(&new);
    mails.extend(new);
    counts(&home.fetch(&server, &[]), 5, 0, 45);
    home.holds(&server, &mails);
}

pub(crate) fn what_is_stored_is_deleted_and_nothing_else<S: Server>() {
    let server = S::start();
    let mut mails = [ordinary(20, 5), nasty()].concat();
    server.deliver(&mails);
    let home = Home::new();
    let there = taken::<S>(&mails).count();
    let distinct = expected::<S>(&mails).len();
    counts(&home.fetch_all(&server, &DELETES), distinct, there, 0);
    assert_eq!(server.messages(), 0);
    home.holds(&server, &mails);

    let new = ordinary(3, 6);
    server.deliver(&new);
    mails.extend(new);
    counts(&home.fetch(&server, &[]), 3, 0, 3);
    assert_eq!(server.messages(), 3);
    counts(&home.fetch(&server, &DELETES), 0, 3, 0);
    assert_eq!(server.messages(), 0);
    home.holds(&server, &mails);
}

pub(crate) fn another_client_may_delete_in_between<S: Server>() {
    let server = S::start();
    let mut mails = ordinary(10, 7);
    server.deliver(&mails);
    let home = Home::new();
    counts(&home.fetch(&server, &[]), 10, 0, 10);
    // Every message has another number then.
    server.delete(1);
    let new = ordinary(1, 8);
    server.deliver(&new);
    mails.extend(new);
    counts(&home.fetch(&server, &[]), 1, 0, 10);
    counts(&home.fetch(&server, &DELETES), 0, 10, 0);
    assert_eq!(server.messages(), 0);
    home.holds(&server, &mails);
}

/// RFC 1939 §4 requires an exclusive lock. None of these servers holds one for the whole session.
pub(crate) fn a_mailbox_that_is_open_elsewhere_loses_nothing<S: Server>() {
    let server = S::start();
    let mut mails = ordinary(3, 9);
    server.deliver(&mails);
    let home = Home::new();
    let mut other = server.session();
    other.command("STAT");
    let trust = server.trust();
    let trust: Vec<&str> = trust.iter().map(String::as_str).collect();
    let arguments = [&trust[..], &DELETES, &["--maildir", "Mail"]].concat();
    let ended = home.run_as_it_is("fetch", &server.url(), &arguments);
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    home.holds(&server, &mails);

    // Some servers refuse the other one's QUIT now, which does not matter here.
    drop(other);
    let new = ordinary(1, 10);
    server.deliver(&new);
    mails.extend(new);
    counts(&home.fetch(&server, &DELETES), 1, 1, 0);
    assert_eq!(server.messages(), 0);
    home.holds(&server, &mails);
}

/// Not in the common suite: popa3d and solid-pop3d have no TLS.
pub(crate) fn the_same_mailbox_comes_over_stls<S: Server>(server: &S, stls_url: &str) {
    let mails = ordinary(5, 11);
    server.deliver(&mails);
    let home = Home::new();
    let maildir = ["--maildir", "Mail"];
    let ended = home.run_at(server, "fetch", stls_url, &maildir);
    assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
    home.holds(server, &mails);
    counts(&home.fetch(server, &[]), 0, 0, 5);
}

/// Not in the common suite: the others have TLS.
pub(crate) fn no_password_goes_out_without_tls<S: Server>() {
    let server = S::start();
    let home = Home::new();
    server.settle();
    let ended = home.run_as_it_is("fetch", &server.url(), &["--maildir", "Mail"]);
    assert_eq!(ended.status, Some(69), "{ended:#?}");
    assert!(ended.err.contains("TLS"), "{ended:#?}");
}

pub(crate) fn a_wrong_password_is_refused<S: Server>() {
    let server = S::start();
    let home = Home::new();
    home.password(&format!("not {PASSWORD}"));
    let ended = home.run(&server, "fetch", &["--maildir", "Mail"]);
    assert_eq!(ended.status, Some(77), "{ended:#?}");
    assert!(!ended.err.contains(PASSWORD), "{ended:#?}");
}
