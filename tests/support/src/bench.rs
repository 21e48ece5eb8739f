//! The real program with the simulated Exchange: a home and a server for each test, and the
//! conditions that must hold afterwards.
//!
//! The server and the home are here; the folder of this module has the program's run and the store.

mod run;
mod store;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use exchange_sim::{Builder, Knobs, LoginType, Mailbox, Profile, Progress, Seen, Server};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

pub use run::{Ended, Process, Run, Running};
pub use store::{Store, rename};

/// The user of the mailbox.
pub const USER: &str = "anna@example.com";

/// The password, with characters that passwords may have.
pub const PASSWORD: &str = "correct Horse  =+ battery";

/// SHA-256 of a message in its stored form.
pub type Digest = [u8; 32];

/// The protocol and the protection of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `pop3s://`.
    Tls,
    /// `pop3://`.
    Stls,
    /// `pop3://` with `--tls off`.
    Plain,
}

/// The kind of store for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// A Maildir.
    Maildir,
    /// An mbox.
    Mbox,
}

impl Into {
    fn flag(self) -> &'static str {
        match self {
            Self::Maildir => "--maildir",
            Self::Mbox => "--mbox",
        }
    }
}

/// The settings of a bench.
pub struct Setup {
    profile: Profile,
    by: By,
    knobs: Knobs,
    messages: Vec<Vec<u8>>,
    on_disk: bool,
    into: Into,
    build: Box<dyn FnOnce(Builder) -> Builder>,
}

impl Setup {
    /// Exchange 2016 by TLS, with these messages.
    pub fn with(messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            profile: Profile::Ex2016,
            by: By::Tls,
            knobs: Knobs::default(),
            messages: messages.into_iter().collect(),
            on_disk: false,
            into: Into::Maildir,
            build: Box::new(|builder| builder),
        }
    }

    /// On this version of Exchange.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Reached in this way.
    pub fn by(mut self, by: By) -> Self {
        self.by = by;
        self
    }

    /// With a server that has these knobs.
    pub fn knobs(mut self, knobs: Knobs) -> Self {
        self.knobs = knobs;
        self
    }

    /// Keeps the home on a disk. Otherwise it is in memory, if the system has such a folder: a
    /// killed process leaves the same behind, and no test waits for other programs' data to be
    /// synced.
    pub fn on_disk(mut self) -> Self {
        self.on_disk = true;
        self
    }

    /// Sets the kind of store for messages.
    pub fn into(mut self, into: Into) -> Self {
        self.into = into;
        self
    }

    /// Changes the server before it starts.
    pub fn build(mut self, build: impl FnOnce(Builder) -> Builder + 'static) -> Self {
        self.build = Box::new(build);
        self
    }

    /// Starts the server.
    pub fn start(self) -> Bench {
        let memory = Path::new("/dev/shm");
        let folder = if !self.on_disk && has_room(memory) {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let hooks = Arc::new(Hooks::default());
        let (at_command, at_progress) = (Arc::clone(&hooks), Arc::clone(&hooks));
        let builder = Server::builder(self.profile)
            .user(USER, PASSWORD)
            .messages(USER, self.messages.iter().map(Vec::as_slice))
            .knobs(fitting(self.knobs, self.by))
            .on_command(move |seen| at_command.command(seen))
            .on_progress(move |progress| at_progress.progress(progress))
            .plain_port(true)
            .tls_port(self.by == By::Tls);
        let sim = (self.build)(builder).start().unwrap();
        sim.write_ca(folder.path().join("ca.pem")).unwrap();
        let mut password = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.path().join("password"))
            .unwrap();
        password
            .write_all(format!("{PASSWORD}\n").as_bytes())
            .unwrap();
        let place = match self.into {
            Into::Maildir => folder.path().join("Mail"),
            Into::Mbox => folder.path().join("inbox"),
        };
        let mut store = Store::at(place.clone());
        if self.into == Into::Mbox {
            store.spool = Some(folder.path().join("state/spool"));
        }
        Bench {
            store,
            place,
            into: self.into,
            sim,
            hooks,
            by: self.by,
            folder,
            held: Mutex::new(self.messages.iter().map(|sent| stored_form(sent)).collect()),
        }
    }
}

/// True if a folder has room for a test's files. In containers this one is often tiny.
fn has_room(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail * disk.f_frsize > 1 << 30)
}

/// Knobs that allow the login.
fn fitting(mut knobs: Knobs, by: By) -> Knobs {
    if by == By::Plain && knobs.login_type.is_none() {
        knobs.login_type = Some(LoginType::PlainText);
    }
    knobs
}

/// A server, a home, and the program between them.
pub struct Bench {
    /// The server.
    pub sim: Server,
    /// The stored messages.
    pub store: Store,
    /// The path of the store for the program.
    pub place: PathBuf,
    into: Into,
    hooks: Arc<Hooks>,
    by: By,
    folder: TempDir,
    /// Every message that the mailbox ever had, in its stored form.
    held: Mutex<Vec<Vec<u8>>>,
}

impl Bench {
    /// Exchange 2016 by TLS, with these messages.
    pub fn with(messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Setup::with(messages).start()
    }

    /// A path in the home.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The mailbox on the server.
    pub fn mailbox(&self) -> Mailbox {
        self.sim.mailbox(USER)
    }

    /// Delivers a message and returns its unique-id.
    pub fn deliver(&self, message: &[u8]) -> String {
        self.hold(message);
        self.mailbox().deliver(message)
    }

    /// Delivers a message under a unique-id.
    pub fn deliver_with_uid(&self, uid: &[u8], message: &[u8]) {
        self.hold(message);
        self.mailbox().deliver_with_uid(uid, message);
    }

    fn hold(&self, message: &[u8]) {
        lock(&self.held).push(stored_form(message));
    }

    /// Sets the knobs for the next connections.
    pub fn knobs(&self, knobs: Knobs) {
        self.sim.set_knobs(fitting(knobs, self.by));
    }

    /// Sets a hook that sees every command before it is carried out, and the program that sent it.
    pub fn on_command(&self, hook: impl FnMut(&Seen, &Process) + Send + 'static) {
        *lock(&self.hooks.command) = Some(Box::new(hook));
    }

    /// Sets a hook that sees every write of the server.
    pub fn on_progress(&self, hook: impl FnMut(&Progress, &Process) + Send + 'static) {
        *lock(&self.hooks.progress) = Some(Box::new(hook));
    }

    /// Removes the hooks.
    pub fn no_hooks(&self) {
        *lock(&self.hooks.command) = None;
        *lock(&self.hooks.progress) = None;
    }

    /// For the complaints of hooks: a panic in one would only break the connection. The end of the
    /// bench fails if there are complaints.
    pub fn complaints(&self) -> Complaints {
        self.hooks.complaints.clone()
    }

    /// The server's URL.
    pub fn url(&self) -> String {
        match self.by {
            By::Tls => format!("pop3s://127.0.0.1:{}", self.sim.pop3s_port()),
            By::Stls | By::Plain => format!("pop3://127.0.0.1:{}", self.sim.pop3_port()),
        }
    }

    /// `popsync fetch` into the store, ready to run.
    pub fn fetch(&self, arguments: &[&str]) -> Run<'_> {
        let url = self.url();
        self.fetch_from(&url, arguments)
    }

    /// The same with another URL.
    pub fn fetch_from(&self, url: &str, arguments: &[&str]) -> Run<'_> {
        let mut run = self.fetch_bare(url, &[]);
        match self.by {
            By::Plain => run.command.args(["--tls", "off"]),
            By::Tls | By::Stls => run.command.arg("--ca-file").arg(self.path("ca.pem")),
        };
        run.command.args(arguments);
        run
    }

    /// `popsync fetch` to a delivery agent, ready to run.
    pub fn fetch_to_agent(&self, command: &str, arguments: &[&str]) -> Run<'_> {
        let url = self.url();
        let mut run = self.popsync(&["fetch", &url, "--user", USER, "--exec", command]);
        run.command
            .arg("--password-file")
            .arg(self.path("password"))
            .arg("--ca-file")
            .arg(self.path("ca.pem"))
            .args(arguments);
        run
    }

    /// The same without flags for TLS.
    pub fn fetch_bare(&self, url: &str, arguments: &[&str]) -> Run<'_> {
        let mut run = self.popsync(&["fetch", url, "--user", USER]);
        run.command
            .arg(self.into.flag())
            .arg(&self.place)
            .arg("--password-file")
            .arg(self.path("password"))
            .args(arguments);
        run
    }

    /// The same without a password either.
    pub fn fetch_command(&self, url: &str, arguments: &[&str]) -> Run<'_> {
        let mut run = self.popsync(&["fetch", url, "--user", USER]);
        run.command.arg(self.into.flag()).arg(&self.place);
        if self.by != By::Plain {
            run.command.arg("--ca-file").arg(self.path("ca.pem"));
        }
        run.command.args(arguments);
        run
    }

    /// `popsync sync` with one account in a configuration file, ready to run.
    pub fn sync(&self, keys: &str, arguments: &[&str]) -> Run<'_> {
        self.configured("sync", keys, arguments)
    }

    /// Any command, with the account `work` in a configuration file, ready to run.
    pub fn configured(&self, command: &str, keys: &str, arguments: &[&str]) -> Run<'_> {
        let tls = match self.by {
            By::Plain => "\"off\"".to_owned(),
            By::Tls | By::Stls => format!("{{ ca-file = {:?} }}", self.path("ca.pem")),
        };
        let text = format!(
            "[accounts.work]\nserver = {:?}\nuser = {USER:?}\n{} = {:?}\n\
             password-file = {:?}\ntls = {tls}\n{keys}\n",
            self.url(),
            &self.into.flag()[2..],
            self.place,
            self.path("password"),
        );
        let path = self.path("config.toml");
        // Whatever the umask, no group can write to it.
        let mut config = File::options();
        let config = config.write(true).create(true).truncate(true);
        let mut config = config.mode(0o600).open(&path).unwrap();
        config.write_all(text.as_bytes()).unwrap();
        let mut run = self.popsync(&[command, "--config"]);
        run.command.arg(path).args(arguments);
        run
    }

    fn popsync(&self, arguments: &[&str]) -> Run<'_> {
        let mut command = Command::new(crate::program());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("POPSYNC_STATE_DIR", self.path("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Run::new(self, command)
    }

    /// Waits until the server knows that the program has gone.
    #[track_caller]
    pub fn settle(&self) {
        assert!(
            self.sim.wait_until_idle(Duration::from_secs(30)),
            "a connection stays open"
        );
    }

    /// Asserts that every message the mailbox ever had is stored once, octet for octet, and nothing
    /// else.
    #[track_caller]
    pub fn assert_exactly_once(&self) {
        self.assert_stored(&lock(&self.held));
    }

    /// Asserts that these messages are stored, in this number, and nothing else. They are in their
    /// stored form: see [`stored_form`].
    #[track_caller]
    pub fn assert_stored(&self, expected: &[Vec<u8>]) {
        let wanted = count(expected.iter().map(|message| digest(message)));
        let found = count(self.store.files().into_values());
        let mut wrong = String::new();
        for message in expected {
            let is = found.get(&digest(message)).copied().unwrap_or(0);
            let should = wanted[&digest(message)];
            if is != should {
                let start = &message[..message.len().min(200)];
                let start = String::from_utf8_lossy(start);
                let _ = writeln!(wrong, "{is} instead of {should} of {start:?}");
            }
        }
        for (path, digest) in self.store.files() {
            if !wanted.contains_key(&digest) {
                let _ = writeln!(wrong, "{} is none of the messages", path.display());
            }
        }
        assert!(wrong.is_empty(), "the store is wrong:\n{wrong}");
        assert_eq!(self.store.tmp(), [""; 0], "files are left in tmp");
    }

    /// Every message that the mailbox ever had, in its stored form.
    pub fn held(&self) -> Vec<Vec<u8>> {
        lock(&self.held).clone()
    }

    /// Asserts that no rule of MS-STANOPOP3 was broken.
    #[track_caller]
    pub fn assert_no_violations(&self) {
        self.settle();
        assert_eq!(self.sim.violations(), [""; 0]);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let complaints = self.hooks.complaints.take();
        if !thread::panicking() {
            assert_eq!(complaints, [""; 0]);
        }
    }
}

/// A message in its stored form: with the CRLF that the server adds if the last line has none, and
/// LF for every CRLF.
pub fn stored_form(sent: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(sent.len() + 1);
    let wire = exchange_sim::wire_form(sent);
    for (index, octet) in wire.iter().enumerate() {
        if *octet != b'\r' || wire.get(index + 1) != Some(&b'\n') {
            stored.push(*octet);
        }
    }
    stored
}

/// A small message like no other.
pub fn letter(number: usize) -> Vec<u8> {
    format!(
        "From: sender{number}@example.com\r\nSubject: letter {number}\r\n\r\n\
         This is letter {number}.\r\n.\r\n..two dots\r\nThe end of {number}.\r\n"
    )
    .into_bytes()
}

/// Small messages, numbered from 1.
pub fn letters(count: usize) -> Vec<Vec<u8>> {
    (1..=count).map(letter).collect()
}

/// A digest of the octets.
pub fn digest(octets: &[u8]) -> Digest {
    Sha256::digest(octets).into()
}

fn count(digests: impl Iterator<Item = Digest>) -> HashMap<Digest, usize> {
    let mut counts = HashMap::new();
    for digest in digests {
        *counts.entry(digest).or_default() += 1;
    }
    counts
}

/// The hooks that watch the dialogue while the program runs.
#[derive(Default)]
struct Hooks {
    command: Mutex<Option<CommandHook>>,
    progress: Mutex<Option<ProgressHook>>,
    /// The program that runs, or ran last.
    process: Mutex<Option<Process>>,
    complaints: Complaints,
}

type CommandHook = Box<dyn FnMut(&Seen, &Process) + Send>;
type ProgressHook = Box<dyn FnMut(&Progress, &Process) + Send>;

impl Hooks {
    fn command(&self, seen: &Seen) {
        let process = lock(&self.process).clone();
        if let (Some(hook), Some(process)) = (&mut *lock(&self.command), process) {
            hook(seen, &process);
        }
    }

    fn progress(&self, progress: &Progress) {
        let process = lock(&self.process).clone();
        if let (Some(hook), Some(process)) = (&mut *lock(&self.progress), process) {
            hook(progress, &process);
        }
    }
}

/// The complaints of hooks.
#[derive(Clone, Default)]
pub struct Complaints(Arc<Mutex<Vec<String>>>);

impl Complaints {
    /// Adds a complaint.
    pub fn add(&self, complaint: String) {
        lock(&self.0).push(complaint);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0))
    }
}

/// Locks a mutex, also after a panic: the first failure is the one to be seen.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
