//! Shows what popsync does, on this machine alone: a simulated Exchange server with a mailbox,
//! and five syncs of it.
//!
//! `cargo run --release --example demo [FOLDER]`; the folder is made, and stays.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::env;
use std::error::Error;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use console::style;
use exchange_sim::{Profile, Server, sample};
use indicatif::DecimalBytes;
use popsync::account::Account;
use popsync::auth::source::Prompt;
use popsync::config::Config;
use popsync::sync::{self, Allow, Event, Reporter, Request, Summary};
use secrecy::SecretString;
use tokio::runtime;
use tokio::sync::watch;

const USER: &str = "anna@example.com";
const PASSWORD: &str = "only for the demo";

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let mail = sample::messages(500, 1);
    // One without any octet is for tests: servers that send such a thing mean "try again".
    let nasty = sample::nasty()
        .into_iter()
        .map(|nasty| nasty.octets)
        .filter(|octets| !octets.is_empty());
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, mail.into_iter().chain(nasty))
        .start()?;
    let mailbox = server.mailbox(USER);
    let client = Client::new(folder()?, &server)?;

    title("A mailbox on a simulated Exchange 2016");
    say(&format!("127.0.0.1:{}, TLS, {USER}", server.pop3s_port()));
    let count = mailbox.len() as u64;
    say(&format!("{count} messages, some of them nasty:"));
    say("dots alone, NUL, half line ends, a line of 100 KiB");

    title("First sync");
    let summary = client.sync("", Allow::default())?;
    check(summary.retrieved == count, "every message arrived")?;
    check(
        client.is_exact()?,
        "each file is what was sent, octet for octet, with LF for CRLF",
    )?;

    title("Second sync");
    let before = server.commands_of("RETR").len();
    client.sync("", Allow::default())?;
    let asked = server.commands_of("RETR").len() - before;
    check(asked == 0, "no message was asked for a second time")?;

    title("Two messages arrive, then a third sync");
    for subject in ["Lunch on Tuesday?", "Re: Lunch on Tuesday?"] {
        let message = format!(
            "From: Bert <bert@example.com>\r\nTo: Anna <{USER}>\r\nSubject: {subject}\r\n\r\n\
             At noon, at the usual place.\r\n"
        );
        mailbox.deliver(message.into_bytes());
    }
    let summary = client.sync("", Allow::default())?;
    check(
        summary.retrieved == 2,
        "the two were retrieved, and no other",
    )?;
    check(
        client.is_exact()?,
        "each file is what was sent, octet for octet, with LF for CRLF",
    )?;

    title("Fourth sync, with profile = \"outlook-2016\"");
    let deleting = "profile = \"outlook-2016\"";
    let summary = client.sync(deleting, Allow::default())?;
    check(summary.retrieved == 0, "no message was asked for again")?;
    check(
        summary.deleted == 0,
        "that much is deleted only where a person says that it is meant",
    )?;

    title("Fifth sync, the same with --allow-mass-delete");
    let meant = Allow {
        mass_delete: true,
        ..Allow::default()
    };
    let summary = client.sync(deleting, meant)?;
    check(summary.retrieved == 0, "no message was asked for again")?;
    check(mailbox.is_empty(), "what is stored has left the server")?;
    server.wait_until_idle(Duration::from_secs(5));
    let polite = server.violations().is_empty();
    check(
        polite,
        "the server saw no command that Outlook's rules forbid",
    )?;

    client.farewell();
    Ok(())
}

/// The folder of the command line, or a new temporary one. What is in it from an earlier demo
/// was about another server.
fn folder() -> Result<PathBuf, Failure> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
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

/// A client of the simulated server.
struct Client<'a> {
    server: &'a Server,
    folder: PathBuf,
}

impl<'a> Client<'a> {
    fn new(folder: PathBuf, server: &'a Server) -> Result<Self, Failure> {
        server.write_ca(folder.join("ca.pem"))?;
        write(&folder.join("password"), PASSWORD)?;
        Ok(Self { server, folder })
    }

    /// One run, as `popsync sync` does it, of an account with these settings more.
    fn sync(&self, more: &str, allow: Allow) -> Result<Summary, Failure> {
        let config = self.folder.join("config.toml");
        let text = format!(
            "[accounts.demo]\n\
             server = \"pop3s://127.0.0.1:{}\"\n\
             user = \"{USER}\"\n\
             password-file = \"password\"\n\
             maildir = \"Mail\"\n\
             tls = {{ ca-file = \"ca.pem\" }}\n\
             {more}\n",
            self.server.pop3s_port()
        );
        write(&config, &text)?;
        let accounts = Config::load(&config)?.accounts;
        let account = accounts.first().ok_or("there is no account")?;
        let (_sender, stop) = watch::channel(false);
        let state_dir = self.folder.join("state");
        let run = sync::run(Request {
            account,
            state_dir: &state_dir,
            prompt: &Nobody,
            reporter: &Narrator,
            dry_run: false,
            allow,
            clock: sync::system_clock,
            stop,
        });
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let outcome = runtime.block_on(run);
        outcome.result?;
        let summary = outcome.summary;
        say(&format!(
            "{} new ({}), {} deleted, {} on the server, in {} ms",
            summary.retrieved,
            DecimalBytes(summary.octets),
            summary.deleted,
            summary.on_server,
            summary.elapsed.as_millis()
        ));
        Ok(summary)
    }

    /// Whether the Maildir holds what the server sent: each message once, with LF for CRLF, and
    /// nothing else.
    fn is_exact(&self) -> io::Result<bool> {
        let mailbox = self.server.mailbox(USER);
        let mut sent: Vec<Vec<u8>> = mailbox
            .unique_ids()
            .iter()
            .filter_map(|unique_id| mailbox.wire_form_of(unique_id))
            .map(|octets| stored_form(&octets))
            .collect();
        let mut stored = fs::read_dir(self.folder.join("Mail/new"))?
            .map(|entry| fs::read(entry?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        sent.sort();
        stored.sort();
        Ok(sent == stored)
    }

    fn farewell(&self) {
        let folder = self.folder.display();
        title("What is left");
        say(&format!("{folder}/Mail         the Maildir"));
        say(&format!("{folder}/config.toml  the configuration"));
        say(&format!(
            "{folder}/state        what was retrieved from where"
        ));
        title("With your own mailbox");
        for line in [
            "cargo install --path .",
            "popsync fetch pop3s://YOU@YOUR.SERVER --maildir ~/Mail --dry-run",
            "popsync fetch pop3s://YOU@YOUR.SERVER --maildir ~/Mail",
        ] {
            println!("  {}", style(line).cyan());
        }
        say("The password is asked for, and mail stays on the server.");
        println!();
    }
}

/// What is stored of what was sent.
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

/// Nobody is there to ask for a password.
struct Nobody;

impl Prompt for Nobody {
    fn password(&self, _: &Account) -> io::Result<Option<SecretString>> {
        Ok(None)
    }
}

/// Tells the steps of a sync.
struct Narrator;

impl Reporter for Narrator {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Connected { tls, .. } => {
                say(&format!("connected: {}", tls.unwrap_or("no TLS")));
            }
            Event::Planned {
                retrieve, delete, ..
            } => say(&format!("plan: retrieve {retrieve}, delete {delete}")),
            Event::Warning { message } => say(message),
            Event::MessageFailed { number, reason, .. } => {
                say(&format!("message {number}: {reason}"));
            }
            _ => {}
        }
    }
}

fn title(text: &str) {
    println!("\n{}", style(text).bold());
}

fn say(text: &str) {
    println!("  {text}");
}

/// Says what is true, or ends the demo.
fn check(is_true: bool, what: &str) -> Result<(), Failure> {
    if is_true {
        println!("  {} {what}", style("✓").green().bold());
        Ok(())
    } else {
        Err(format!("this should be true, and is not: {what}").into())
    }
}

/// Writes a file that only its owner can read.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
