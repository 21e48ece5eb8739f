//! A home folder of a test's own, and the program run in it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

use support::dovecot::{Dovecot, Owner, PASSWORD};
use support::mail::{Mail, Sha, as_sent, sha256};

/// A home folder. Passwords and mail are in it, and the state at its usual place.
pub(crate) struct Home {
    folder: TempDir,
    unprivileged: bool,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("home").tempdir().unwrap();
        let home = Self {
            folder,
            unprivileged: false,
        };
        home.write("password", &format!("{PASSWORD}\n"), 0o600);
        home
    }

    /// The home folder of somebody who is not root.
    pub(crate) fn unprivileged() -> Self {
        let mut home = Self::new();
        // The build may lie where others cannot look.
        fs::copy(PROGRAM, home.path("popsync")).unwrap();
        Owner::unprivileged().take(home.folder.path());
        home.unprivileged = true;
        home
    }

    /// A path below it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Where the Maildir of [`Self::fetch`] is.
    pub(crate) fn maildir(&self) -> PathBuf {
        self.path("Mail")
    }

    /// Where the program keeps its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.path(".local/state/popsync")
    }

    /// The program's database.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.state().join("popsync.sqlite3")).unwrap()
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, content: &str, mode: u32) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.set_permissions(fs::Permissions::from_mode(mode))
            .unwrap();
    }

    /// The program with these arguments, without a terminal.
    pub(crate) fn popsync<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = if self.unprivileged {
            Owner::unprivileged().command(self.path("popsync"))
        } else {
            Command::new(PROGRAM)
        };
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    /// `popsync fetch` from this server, with password and CA. What is in `more` comes last.
    pub(crate) fn fetch_command(&self, server: &Dovecot, url: &str, more: &[&str]) -> Command {
        let ca_file = server.ca_file();
        let mut arguments = vec!["fetch", url, "--maildir", "Mail"];
        if !more.contains(&"--password-command") {
            arguments.extend(["--password-file", "password"]);
        }
        if !more.contains(&"off") {
            arguments.extend(["--ca-file", ca_file.to_str().unwrap()]);
        }
        arguments.extend(more);
        self.popsync(&arguments)
    }

    /// Runs [`Self::fetch_command`] for anna's mailbox over implicit TLS.
    pub(crate) fn fetch(&self, server: &Dovecot, more: &[&str]) -> Ended {
        run(&mut self.fetch_command(server, &server.pop3s("anna"), more))
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        run(&mut self.popsync(arguments))
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_popsync");

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Asserts that all went well, without a word.
    #[track_caller]
    pub(crate) fn silently(self) {
        assert_eq!(
            (self.status, self.out.as_str(), self.err.as_str()),
            (Some(0), "", "")
        );
    }

    /// Asserts a failure that says these words on stderr.
    #[track_caller]
    pub(crate) fn fails(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, Some(status), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "`{word}` is missing in {self:#?}");
        }
        assert!(!self.err.contains(PASSWORD), "{self:#?}");
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    Ended::of(&command.output().unwrap())
}

/// The files of a Maildir where readers look: name and content. Nothing may be left in `tmp`.
#[track_caller]
pub(crate) fn stored(maildir: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |folder: &str| {
        let entries = fs::read_dir(maildir.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap()).collect::<Vec<_>>()
    };
    assert!(read("tmp").is_empty(), "{:?}", read("tmp"));
    let mut files = Vec::new();
    for entry in ["new", "cur"].into_iter().flat_map(read) {
        let name = entry.file_name().into_string().unwrap();
        files.push((name, fs::read(entry.path()).unwrap()));
    }
    files
}

/// Asserts that a Maildir holds each of these messages once, as it was sent but for the line
/// ends, and nothing else.
#[track_caller]
pub(crate) fn assert_holds<'a>(maildir: &Path, mails: impl IntoIterator<Item = &'a Mail>) {
    let found = stored(maildir).into_iter();
    assert_same(
        found.map(|(name, content)| (name, as_sent(&content))),
        mails,
    );
}

/// Asserts that these files are these messages, each once, octet for octet as sent.
#[track_caller]
pub(crate) fn assert_same<'a>(
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
    mails: impl IntoIterator<Item = &'a Mail>,
) {
    let mut found: BTreeMap<Sha, Vec<String>> = BTreeMap::new();
    for (name, octets) in files {
        found.entry(sha256(&octets)).or_default().push(name);
    }
    let mut missing = Vec::new();
    for mail in mails {
        let forms = mail.on_the_wire();
        let file = forms
            .iter()
            .find_map(|form| found.get_mut(&sha256(form)).and_then(Vec::pop));
        if file.is_none() {
            missing.push(mail.name.as_str());
        }
    }
    let extra: Vec<_> = found.into_values().flatten().collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "missing or altered: {missing:#?}\nnot expected: {extra:#?}"
    );
}

/// The content of a folder: modes, contents, and modification times of files. Times of folders are
/// left out: SQLite has files of its own there while it reads.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Option<(SystemTime, Sha)>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            all.append(&mut tree(&path));
        }
        let content = found
            .is_file()
            .then(|| (found.modified().unwrap(), sha256(&fs::read(&path).unwrap())));
        all.insert(path, (found.mode(), content));
    }
    all
}
