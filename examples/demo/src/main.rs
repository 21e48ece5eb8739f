//! Shows what popsync does, on this machine alone: a simulated Exchange server with a mailbox, and
//! a client that fetches it, is killed, deletes and verifies.
//!
//! `cargo run --profile demo -p demo [FOLDER]`; the folder is made, and stays.

mod client;
mod show;

use std::env;
use std::error::Error;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use exchange_sim::{Mailbox, Profile, Server, sample};
use popsync::sync::Allow;

use client::{Client, PASSWORD, USER};
use show::{check, command, say, title};

/// Makes this program the client that is killed.
const CHILD: &str = "--be-the-client-in";

type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let shown = match (arguments.next(), arguments.next()) {
        (Some(flag), Some(folder)) if flag == CHILD => sync_once(folder.into()),
        (folder, _) => show_all(folder.map(PathBuf::from)),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            show::failed(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The child syncs once.
fn sync_once(folder: PathBuf) -> Result<(), Failure> {
    Client { folder }.sync(Allow::default())?;
    Ok(())
}

fn show_all(folder: Option<PathBuf>) -> Result<(), Failure> {
    // One without any octet is for tests: servers that send such a thing mean "try again".
    let nasty = sample::nasty().into_iter().map(|nasty| nasty.octets);
    let nasty = nasty.filter(|octets| !octets.is_empty());
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, sample::messages(1000, 1).into_iter().chain(nasty))
        .start()?;
    let mailbox = server.mailbox(USER);
    let folder = prepared(folder)?;
    server.write_ca(folder.join("ca.pem"))?;
    let client = Client { folder };
    client.configure(server.pop3s_port(), "")?;
    let maildir = client.maildir();

    title("Mail is fetched into a Maildir");
    let count = mailbox.len() as u64;
    say(&format!(
        "A simulated Exchange 2016 has {count} messages. Some are nasty: dots alone, NUL, \
         half line ends, a line of 100 KiB."
    ));
    let summary = client.sync(Allow::default())?;
    check(summary.retrieved == count, "every message arrived")?;
    check(is_exact(&mailbox, &maildir)?, EXACT)?;

    title("Nothing comes twice");
    mailbox.deliver(letter("Lunch on Tuesday?"));
    let summary = client.sync(Allow::default())?;
    check(
        summary.retrieved == 1,
        "one message is new, and no other was asked for",
    )?;

    title("A crash loses nothing");
    let more = 2000;
    for message in sample::messages(more, 2) {
        mailbox.deliver(message);
    }
    let before = fs::read_dir(maildir.join("new"))?.count();
    kill_in_mid_run(&client)?;
    let stored = fs::read_dir(maildir.join("new"))?.count() - before;
    say(&format!(
        "SIGKILL ended it when {stored} of {more} new messages were in the Maildir. It runs again:"
    ));
    let summary = client.sync(Allow::default())?;
    check(
        summary.retrieved < more as u64,
        "what had arrived was not asked for again",
    )?;
    check(is_exact(&mailbox, &maildir)?, EXACT)?;

    title("A brake holds a deletion that may be a mistake");
    client.configure(server.pop3s_port(), "leave-on-server = false")?;
    say("The configuration now says `leave-on-server = false`.");
    let summary = client.sync(Allow::default())?;
    check(
        summary.deleted == 0 && mailbox.len() == fs::read_dir(maildir.join("new"))?.count(),
        "the server still has every message",
    )?;
    say("A person says that it is meant: `popsync sync --allow-mass-delete`.");
    let meant = Allow {
        mass_delete: true,
        ..Allow::default()
    };
    client.sync(meant)?;
    check(mailbox.is_empty(), "the server has none any more")?;

    title("`popsync verify` proves what is stored");
    let tally = client.verify()?;
    check(
        tally.missing + tally.damaged + tally.unrecorded == 0,
        "every file is what was sent, by its SHA-256",
    )?;
    let (file, octets) = damage_one(&maildir)?;
    let tally = client.verify()?;
    check(
        tally.damaged == 1,
        "a file with one changed octet is found (and put right again)",
    )?;
    File::create(file)?.write_all(&octets)?;

    title("Your own mailbox");
    command("cargo install --locked --path .");
    command("popsync fetch pop3s://YOU@YOUR.SERVER --maildir ~/Mail --dry-run");
    command("popsync fetch pop3s://YOU@YOUR.SERVER --maildir ~/Mail");
    say("It asks for the password, and leaves the mail on the server.");
    say(&format!("This demo's files: {}", client.folder.display()));
    Ok(())
}

const EXACT: &str = "each file is what was sent, octet for octet, with LF for CRLF";

/// The folder of the command line, or a new temporary one. What is in it from an earlier demo
/// was about another server.
fn prepared(folder: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let Some(folder) = folder else {
        let folder = tempfile::Builder::new()
            .prefix("popsync-demo-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        return Ok(folder.keep());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    if fs::read_dir(&folder)?.next().is_some() {
        return Err(format!("{} is not empty", folder.display()).into());
    }
    Ok(folder.canonicalize()?)
}

/// Runs the client as a process of its own, and kills it as soon as the first new messages are in
/// the Maildir.
fn kill_in_mid_run(client: &Client) -> Result<(), Failure> {
    let new = client.maildir().join("new");
    let modified = || fs::metadata(&new)?.modified();
    let before = modified()?;
    let mut child = Command::new(env::current_exe()?)
        .arg(CHILD)
        .arg(&client.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    while modified()? == before && child.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill()?;
    let status = child.wait()?;
    show::after_a_kill();
    check(!status.success(), "the client was killed in mid-run")
}

/// The Maildir holds what the server sent: each message once, with LF for CRLF, and nothing
/// else.
fn is_exact(mailbox: &Mailbox, maildir: &Path) -> Result<bool, Failure> {
    let unique_ids = mailbox.unique_ids();
    let sent = unique_ids.iter().filter_map(|id| mailbox.wire_form_of(id));
    let mut sent: Vec<Vec<u8>> = sent.map(|octets| stored_form(&octets)).collect();
    let mut stored = Vec::with_capacity(sent.len());
    for entry in fs::read_dir(maildir.join("new"))? {
        stored.push(fs::read(entry?.path())?);
    }
    sent.sort();
    stored.sort();
    Ok(sent == stored)
}

/// Gives the stored form of what was sent.
fn stored_form(sent: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(sent.len());
    for &octet in sent {
        if octet == b'\n' && out.last() == Some(&b'\r') {
            out.pop();
        }
        out.push(octet);
    }
    out
}

fn letter(subject: &str) -> Vec<u8> {
    format!(
        "From: Bert <bert@example.com>\r\nTo: Anna <{USER}>\r\nSubject: {subject}\r\n\r\n\
         At noon, at the usual place.\r\n"
    )
    .into_bytes()
}

/// Changes one octet of a file; gives the file and what was in it.
fn damage_one(maildir: &Path) -> Result<(PathBuf, Vec<u8>), Failure> {
    let entry = fs::read_dir(maildir.join("new"))?.next();
    let file = entry.ok_or("there is no file")??.path();
    let octets = fs::read(&file)?;
    let mut changed = octets.clone();
    *changed.first_mut().ok_or("the file is empty")? ^= 1;
    File::create(&file)?.write_all(&changed)?;
    Ok((file, octets))
}
