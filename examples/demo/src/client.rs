//! The client's side: what a program does that uses popsync as a library.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use popsync::config::Config;
use popsync::sync::{self, Allow, Reporter, Request, Scope, Summary, Tally};
use popsync::{Account, Prompt, Stop, Unanswered};
use secrecy::SecretString;
use tokio::runtime::{self, Runtime};

use crate::Failure;
use crate::show::{Progress, Silence, say};

pub(crate) const USER: &str = "anna@example.com";
pub(crate) const PASSWORD: &str = "only for the demo";

/// A client whose files are all in one folder.
pub(crate) struct Client {
    pub(crate) folder: PathBuf,
}

impl Client {
    pub(crate) fn maildir(&self) -> PathBuf {
        self.folder.join("Mail")
    }

    /// Writes the configuration, with one account and these settings more.
    pub(crate) fn configure(&self, port: u16, more: &str) -> Result<(), Failure> {
        let text = format!(
            "[accounts.demo]\n\
             server = \"pop3s://127.0.0.1:{port}\"\n\
             user = \"{USER}\"\n\
             password-file = \"password\"\n\
             maildir = \"Mail\"\n\
             tls = {{ ca-file = \"ca.pem\" }}\n\
             {more}\n"
        );
        write(&self.folder.join("password"), PASSWORD)?;
        write(&self.folder.join("config.toml"), &text)?;
        Ok(())
    }

    /// One run, as `popsync sync` does it.
    pub(crate) fn sync(&self, allow: Allow) -> Result<Summary, Failure> {
        let progress = Progress::default();
        let outcome = self.with(&progress, allow, async |request| sync::run(request).await)?;
        progress.end();
        if let Some(error) = outcome.error() {
            return Err(error.to_string().into());
        }
        let summary = outcome.summary;
        say(&format!(
            "{} new ({}), {} deleted, {} on the server, in {} ms",
            summary.retrieved,
            indicatif::DecimalBytes(summary.octets),
            summary.deleted,
            summary.on_server,
            summary.elapsed.as_millis()
        ));
        Ok(summary)
    }

    /// Verifies, and counts as `popsync verify` does.
    pub(crate) fn verify(&self) -> Result<Tally, Failure> {
        let mut tell = |_: sync::Finding<'_>| {};
        let verification = self.with(&Silence, Allow::default(), async |request| {
            sync::verify(&request, Scope::default(), &mut tell).await
        })?;
        if let Some(error) = verification.error() {
            return Err(error.to_string().into());
        }
        let tally = verification.tally;
        say(&format!(
            "{} messages recorded, {} intact, {} missing, {} damaged",
            tally.messages,
            tally.intact + tally.unproven,
            tally.missing,
            tally.damaged
        ));
        Ok(tally)
    }

    /// Does something with the account.
    fn with<T>(
        &self,
        reporter: &dyn Reporter,
        allow: Allow,
        work: impl AsyncFnOnce(Request<'_>) -> T,
    ) -> Result<T, Failure> {
        let accounts = Config::load(&self.folder.join("config.toml"))?.accounts;
        let account = accounts.first().ok_or("there is no account")?;
        let request = Request {
            account,
            state_dir: &self.folder.join("state"),
            prompt: &Nobody,
            reporter,
            dry_run: false,
            same_as: None,
            allow,
            clock: sync::system_clock,
            stop: Stop::never(),
        };
        Ok(runtime()?.block_on(work(request)))
    }
}

fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

/// Nobody is there to ask for a password.
struct Nobody;

impl Prompt for Nobody {
    fn is_there(&self) -> bool {
        false
    }

    fn password(&self, _: &Account) -> Result<SecretString, Unanswered> {
        Err(io::Error::from(io::ErrorKind::Unsupported).into())
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
