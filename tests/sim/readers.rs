//! Other programs read the stored messages, and those of an export: Python's mailbox module, mutt and
//! Dovecot read the same messages from the mbox and from the Maildir.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;
use support::bench::{Into, Setup, letters};
use tempfile::TempDir;

/// Messages that a careless reader or writer of an mbox counts wrong.
fn messages() -> Vec<Vec<u8>> {
    let header = |number: usize| {
        format!("From: Eva <eva@example.com>\nSubject: odd {number}\nMessage-ID: <odd{number}@x>\n")
    };
    let bodies = [
        "From here on\n>From there\n>>From everywhere\nFrom\n",
        "\n\nFrom eva@example.com Thu Jan  1 00:00:00 1970\nSubject: forged\n\nforged\n",
        "blank lines at the end\n\n\n\n",
        "",
        "\n",
        "a long line\n",
    ];
    let mut messages: Vec<String> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| format!("{}\n{body}", header(number)))
        .collect();
    messages.push(header(20));
    messages.push(format!(
        "Content-Length: 5\nStatus: RO\n{}\nlies\n",
        header(21)
    ));
    messages.push(format!("Content-Length: 99999\n{}\nlies too\n", header(22)));
    for (name, number) in [("Content-Length", 24), ("CONTENT-LENGTH", 26)] {
        // After its own body it covers the blank line, the line in front of the next message, and
        // that message.
        let hidden = format!("{}\nhidden\n", header(number + 1));
        let line = "From eva@example.com Thu Jan  1 00:00:00 1970\n";
        let reach = "reaches over\n\n".len() + line.len() + hidden.len();
        let header = header(number);
        messages.push(format!("{name}: {reach}\n{header}\nreaches over\n"));
        messages.push(hidden);
    }
    messages.push(format!("{}\n{}\n", header(23), "x".repeat(200_000)));
    let crlf = messages
        .into_iter()
        .map(|message| message.replace('\n', "\r\n").into_bytes());
    crlf.chain(letters(30)).collect()
}

/// The form that every reader must return: without the fields that readers keep for themselves.
fn comparable(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let (header, body) = match text.split_once("\n\n") {
        Some((header, body)) => (header, body),
        None => (text.as_str(), ""),
    };
    let own = [
        "CONTENT-LENGTH:",
        "Content-Length:",
        "Lines:",
        "Status:",
        "X-Status:",
        "X-UID:",
        "X-IMAPbase:",
    ];
    let kept = header
        .lines()
        .filter(|line| !own.iter().any(|name| line.starts_with(name)));
    let lines = kept
        .chain([""])
        .chain(body.trim_end_matches('\n').split('\n'));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn unquoted(message: &[u8]) -> Vec<u8> {
    let lines = message.split_inclusive(|&octet| octet == b'\n');
    let line = |line: &'_ [u8]| {
        let marks = line.iter().take_while(|&&octet| octet == b'>').count();
        let text = line[marks..].to_ascii_lowercase();
        let starts = |with: &&[u8]| text.starts_with(with);
        let quoted = marks > 0
            && [&b"from "[..], b"content-length", b"status:"]
                .iter()
                .any(starts);
        line[usize::from(quoted)..].to_vec()
    };
    lines.flat_map(line).collect()
}

fn sorted(messages: impl IntoIterator<Item = Vec<u8>>, quoted: bool) -> Vec<String> {
    let mut all: Vec<String> = messages
        .into_iter()
        .map(|message| comparable(&if quoted { unquoted(&message) } else { message }))
        .collect();
    all.sort();
    all
}

const PYTHON: &str = "
import mailbox, sys
kind, path = sys.argv[1:]
box = (mailbox.mbox if kind == 'mbox' else mailbox.Maildir)(path, create=False)
for key in box.keys():
    sys.stdout.buffer.write(b'%d\\n' % len(box.get_bytes(key)) + box.get_bytes(key))
";

/// Octet for octet.
fn python(kind: &str, path: &Path) -> Vec<Vec<u8>> {
    let mut command = Command::new("python3");
    let output = command
        .args(["-c", PYTHON, kind])
        .arg(path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut rest = &output.stdout[..];
    let mut messages = Vec::new();
    while let Some(end) = rest.iter().position(|&octet| octet == b'\n') {
        let length: usize = str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
        messages.push(rest[end + 1..][..length].to_vec());
        rest = &rest[end + 1 + length..];
    }
    messages
}

/// The messages that mutt copies into another Maildir.
fn mutt(path: &Path, home: &TempDir) -> Vec<Vec<u8>> {
    let copies = home.path().join("copies");
    let settings = home.path().join("muttrc");
    let text = format!(
        "set mbox_type=Maildir confirmcreate=no confirmappend=no quit=yes move=no copy=no\n\
         set wait_key=no header_cache=\"\" timeout=1 folder={}\n",
        home.path().display()
    );
    File::create(&settings)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let keys = format!(
        "push <tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>{}<enter><exit>",
        copies.display()
    );
    let line = format!(
        "mutt -n -F {} -R -f {} -e \"{keys}\"",
        settings.display(),
        path.display()
    );
    // It requires a terminal.
    let status = Command::new("timeout")
        .args(["60", "script", "-qec", &line, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "mutt: {status}");
    let folders = ["new", "cur"].map(|name| copies.join(name));
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}

fn doveadm(location: &str, home: &TempDir, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("setpriv");
    if geteuid().is_root() {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    let path = format!("{}:/usr/sbin:/usr/bin:/bin", std::env::var("PATH").unwrap());
    let output = command
        .args(["doveadm", "-c", "/dev/null", "-o", location])
        .args([
            "-o",
            "mbox_write_locks=fcntl",
            "-o",
            "log_path=/dev/stderr",
            "-o",
            "ssl=no",
        ])
        .args(arguments)
        .env("PATH", path)
        .env("USER", "nobody")
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn dovecot(location: &str, home: &TempDir) -> Vec<Vec<u8>> {
    let location = format!("mail_location={location}");
    let found = doveadm(&location, home, &["search", "all"]);
    let found = String::from_utf8(found).unwrap();
    let uids = found.lines().map(|line| line.rsplit(' ').next().unwrap());
    let text = |uid: &str| doveadm(&location, home, &["fetch", "text", "uid", uid]);
    uids.map(|uid| text(uid).strip_prefix(b"text:\n").unwrap().to_vec())
        .collect()
}

/// A home for the reader, who is not root.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    give(home.path());
    home
}

fn give(path: &Path) {
    if geteuid().is_root() {
        chown(path, Some(65534), Some(65534)).unwrap();
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

fn copy(from: &Path, home: &TempDir) -> PathBuf {
    let to = home.path().join("stored");
    let status = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(&to)
        .status()
        .unwrap();
    assert!(status.success());
    give(&to);
    to
}

fn read_alike(into: Into, line_endings: &str) {
    let sent = messages();
    let bench = Setup::with(sent.clone()).into(into).start();
    // More than one append.
    for count in ["7", "1", "1000"] {
        let limits = ["--max-messages", count, "--line-endings", line_endings];
        bench.fetch(&limits).gives(0);
    }
    let exactly = match line_endings {
        "crlf" => sent,
        _ => bench.held(),
    };
    assert_read_alike(&bench.place, into, exactly, bench.held());
}

/// Asserts that Python reads these messages octet for octet, and that the others read the same: the
/// same number, and the same content as far as they show it.
#[track_caller]
fn assert_read_alike(path: &Path, form: Into, mut octets: Vec<Vec<u8>>, held: Vec<Vec<u8>>) {
    let is_mbox = form == Into::Mbox;
    let kind = if is_mbox { "mbox" } else { "maildir" };
    let mut exactly = python(kind, path);
    if is_mbox {
        exactly = exactly.iter().map(|message| unquoted(message)).collect();
    }
    exactly.sort();
    octets.sort();
    assert_eq!(exactly.len(), octets.len());
    assert!(exactly == octets, "Python reads other octets");

    let expected = sorted(held, false);
    let lf = |messages: Vec<Vec<u8>>| {
        let text = |message: Vec<u8>| String::from_utf8(message).unwrap().replace("\r\n", "\n");
        messages
            .into_iter()
            .map(|message| text(message).into_bytes())
            .collect::<Vec<_>>()
    };
    let reader = home();
    assert_eq!(sorted(lf(mutt(path, &reader)), is_mbox), expected, "mutt");
    let reader = home();
    let stored = copy(path, &reader);
    let location = if is_mbox {
        format!(
            "mbox:{}/folders:INBOX={}",
            reader.path().display(),
            stored.display()
        )
    } else {
        format!("maildir:{}", stored.display())
    };
    assert_eq!(
        sorted(lf(dovecot(&location, &reader)), is_mbox),
        expected,
        "Dovecot"
    );
}

#[test]
fn python_mutt_and_dovecot_read_the_mbox_alike() {
    read_alike(Into::Mbox, "lf");
}

#[test]
fn python_mutt_and_dovecot_read_an_mbox_with_crlf_alike() {
    read_alike(Into::Mbox, "crlf");
}

#[test]
fn python_mutt_and_dovecot_read_the_maildir_alike() {
    read_alike(Into::Maildir, "lf");
}

/// Exports a store of either form.
fn read_exported(form: Into, flag: &str) {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = Setup::with(messages()).into(into).start();
        bench.sync("", &[]).gives(0);
        let archive = bench.path("archive");
        let export = ["work", flag, "archive"];
        bench.configured("export", "", &export).gives(0);
        assert_read_alike(&archive, form, bench.held(), bench.held());
    }
}

#[test]
fn python_mutt_and_dovecot_read_an_exported_mbox_alike() {
    read_exported(Into::Mbox, "--mbox");
}

#[test]
fn python_mutt_and_dovecot_read_an_exported_maildir_alike() {
    read_exported(Into::Maildir, "--maildir");
}
