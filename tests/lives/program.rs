//! Runs of the program: within this process if it may survive, as a process if it is to be killed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use popsync::config::{Base, Config};
use popsync::sync::{self, Allow, Clock, Event, Reporter, Request};
use popsync::{Account, Prompt, Stop, Unanswered};
use secrecy::SecretString;
use tokio::runtime::Runtime;

use crate::event::Policy;
use crate::judgement::{Kind as Broken, Violation};
use crate::store::{Kind, Store, write};

/// A run that takes longer hangs: a server that stalls is given up after two seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock for each thread with lives, since a clock of the program is a plain function.
static CLOCKS: [AtomicI64; 16] = [const { AtomicI64::new(0) }; 16];

/// The number of threads that can run lives at the same time.
pub(crate) const SLOTS: usize = CLOCKS.len();

fn clock<const SLOT: usize>() -> i64 {
    CLOCKS[SLOT].load(Ordering::Relaxed)
}

const READ: [Clock; SLOTS] = [
    clock::<0>,
    clock::<1>,
    clock::<2>,
    clock::<3>,
    clock::<4>,
    clock::<5>,
    clock::<6>,
    clock::<7>,
    clock::<8>,
    clock::<9>,
    clock::<10>,
    clock::<11>,
    clock::<12>,
    clock::<13>,
    clock::<14>,
    clock::<15>,
];

/// The program, its configuration and its state.
#[derive(Debug)]
pub(crate) struct Program {
    home: PathBuf,
    pub(crate) state: PathBuf,
    slot: usize,
    lines: String,
}

/// The announcements of a dry run, by unique-id.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    pub(crate) retrieve: BTreeSet<String>,
    pub(crate) delete: BTreeSet<String>,
    /// To be deleted if they prove to be known.
    pub(crate) maybe_delete: BTreeSet<String>,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    /// None if it was killed.
    pub(crate) exit: Option<u8>,
    /// Its output.
    pub(crate) words: String,
    pub(crate) announced: Announced,
}

/// The permissions and options of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Orders {
    pub(crate) policy: Policy,
    pub(crate) dry_run: bool,
    pub(crate) allow: Allow,
    /// True if the server is known to stall.
    pub(crate) impatient: bool,
}

impl Program {
    pub(crate) fn new(home: &Path, port: u16, store: &Store, shares: bool, slot: usize) -> Self {
        let connections = if shares { 4 } else { 1 };
        let key = match store.kind {
            Kind::Maildir | Kind::Nested => "maildir",
            Kind::Mbox => "mbox",
        };
        let secret = home.join("secret");
        private(&secret, "secret\n");
        let lines = format!(
            "[accounts.work]\nserver = \"pop3://localhost:{port}\"\nuser = \"anna\"\ntls = \"off\"\n\
             password-file = \"{}\"\n{key} = \"{}\"\n\
             connections = {connections}\n",
            secret.display(),
            store.path.display(),
        );
        CLOCKS[slot].store(sync::system_clock(), Ordering::Relaxed);
        Self {
            home: home.to_owned(),
            state: home.join("state"),
            slot,
            lines,
        }
    }

    /// Lets this many days pass.
    pub(crate) fn pass(&self, days: i64) {
        CLOCKS[self.slot].fetch_add(days * 24 * 60 * 60, Ordering::Relaxed);
    }

    fn text(&self, orders: &Orders) -> String {
        let timeout = if orders.impatient { "2s" } else { "60s" };
        let keys = orders.policy.keys();
        format!("{}timeout = \"{timeout}\"\n{keys}", self.lines)
    }

    fn account(&self, orders: &Orders) -> Account {
        let path = self.home.join("config.toml");
        let text = self.text(orders);
        let config = Config::parse(&path, text.as_bytes(), &Base::of_file(&path)).unwrap();
        config.accounts.into_iter().next().unwrap()
    }

    /// A sync or a dry run.
    pub(crate) fn sync(&self, runtime: &Runtime, orders: &Orders) -> Result<Ended, Violation> {
        let account = self.account(orders);
        let watcher = Watcher::default();
        let running = sync::run(Request {
            account: &account,
            state_dir: &self.state,
            prompt: &Nobody,
            reporter: &watcher,
            dry_run: orders.dry_run,
            allow: orders.allow,
            same_as: None,
            clock: READ[self.slot],
            stop: Stop::never(),
        });
        let outcome = within(runtime, running)?;
        let mut seen = watcher.0.into_inner().unwrap();
        if let Some(error) = outcome.error() {
            seen.words.push(error.to_string());
        }
        Ok(Ended {
            exit: Some(outcome.exit().code()),
            words: seen.words.join("; "),
            announced: seen.announced,
        })
    }

    /// `import --from-store`. Returns the error, if it failed.
    pub(crate) fn rebuild(
        &self,
        runtime: &Runtime,
        orders: &Orders,
    ) -> Result<Option<String>, Violation> {
        let account = self.account(orders);
        let watcher = Watcher::default();
        let request = Request {
            account: &account,
            state_dir: &self.state,
            prompt: &Nobody,
            reporter: &watcher,
            dry_run: false,
            allow: orders.allow,
            same_as: None,
            clock: READ[self.slot],
            stop: Stop::never(),
        };
        let taken = within(runtime, popsync::internals::sync::from_store(&request))?;
        Ok(taken.err().map(|error| error.to_string()))
    }

    /// A sync in a process, with the system's clock. It is killed when it reaches a step of the
    /// store's order for the given time.
    pub(crate) fn killed(&self, orders: &Orders, step: u32, time: u32) -> Ended {
        let config = self.home.join("config.toml");
        private(&config, &self.text(orders));
        let mut command = Command::new(env!("CARGO_BIN_EXE_popsync"));
        command.arg("--config").arg(config);
        command.arg("--state-dir").arg(&self.state).arg("sync");
        command.env_clear().env("HOME", &self.home);
        command.env("POPSYNC_STOP_AT", format!("{step}:{time}"));
        let output = command.stdin(Stdio::null()).output().unwrap();
        Ended {
            exit: output.status.code().map(|code| u8::try_from(code).unwrap()),
            words: String::from_utf8_lossy(&output.stderr).into_owned(),
            announced: Announced::default(),
        }
    }
}

fn within<T>(runtime: &Runtime, running: impl Future<Output = T>) -> Result<T, Violation> {
    let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, running).await });
    ended.map_err(|_| Violation {
        kind: Broken::Breaks,
        words: "the run does not end".to_owned(),
    })
}

/// Writes a file that only its owner can read.
fn private(path: &Path, content: &str) {
    write(path, content.as_bytes());
    let mode = fs::Permissions::from_mode(0o600);
    File::open(path).unwrap().set_permissions(mode).unwrap();
}

struct Nobody;

impl Prompt for Nobody {
    fn is_there(&self) -> bool {
        false
    }

    fn password(&self, _account: &Account) -> Result<SecretString, Unanswered> {
        Err(io::Error::from(io::ErrorKind::Unsupported).into())
    }
}

#[derive(Default)]
struct Seen {
    announced: Announced,
    words: Vec<String>,
}

/// Records a dry run's announcements, and warnings.
#[derive(Default)]
struct Watcher(Mutex<Seen>);

impl Reporter for Watcher {
    fn report(&self, event: Event<'_>) {
        let mut seen = self.0.lock().unwrap();
        match event {
            Event::Decided {
                unique_id,
                action,
                reason,
                ..
            } => {
                let uid = String::from_utf8_lossy(unique_id).into_owned();
                let action = action.to_string();
                let announced = &mut seen.announced;
                // If the content must be compared, it may be a message that a person has deleted
                // here.
                let is_open = reason.to_string().contains("does not tell");
                if action.contains("delete if") || is_open && action.contains("delete") {
                    announced.maybe_delete.insert(uid.clone());
                } else if action.contains("delete") {
                    announced.delete.insert(uid.clone());
                }
                if action.starts_with("retrieve") {
                    announced.retrieve.insert(uid);
                }
            }
            Event::MessageFailed {
                unique_id, reason, ..
            } => {
                let uid = String::from_utf8_lossy(unique_id);
                seen.words.push(format!("{uid}: {reason}"));
            }
            Event::Warning(warning) => seen.words.push(format!("{warning:?}")),
            _ => {}
        }
    }
}
