//! The common parts of all sessions: mailboxes, knobs, hooks and the log.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::clock::{Clock, lock};
use crate::directory::Directory;
use crate::knobs::{Knobs, Rule};
use crate::mailbox::Mailbox;
use crate::profile::Profile;
use crate::session::Session;
use crate::transcript::{Log, Port, Transcript};

/// A command as the hook of [`on_command`](crate::Builder::on_command) sees it, before it is
/// carried out and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The session, counted from 1 in order of accept.
    pub session: u64,
    /// The user, once logged in.
    pub user: Option<String>,
    /// The keyword in upper case.
    pub verb: String,
    /// The text after the keyword and its separator.
    pub argument: Vec<u8>,
    /// The message-number in the argument of RETR, TOP, DELE, LIST and UIDL.
    pub number: Option<u64>,
    /// The unique-id of that message in the mailbox, if the session has such a message.
    pub unique_id: Option<Vec<u8>>,
    /// True if any session has sent this message in full by RETR. The recorder's last rule is about
    /// a DELE of a message that was never sent.
    pub retrieved: bool,
}

/// Output as the hook of [`on_progress`](crate::Builder::on_progress) sees it, after each write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The session, counted from 1 in order of accept.
    pub session: u64,
    /// Octets sent in the session so far, TLS not counted.
    pub session_octets: u64,
    /// Octets sent in all sessions so far.
    pub total_octets: u64,
}

pub(crate) type OnCommand = Box<dyn Fn(&Seen) + Send + Sync>;
pub(crate) type OnProgress = Box<dyn Fn(&Progress) + Send + Sync>;

/// Everything but the sockets: a [`Server`](crate::Server) without ports.
///
/// [`Builder::site`](crate::Builder::site) makes one for tests of the engine itself, which feed
/// a [`Session`] by hand.
pub struct Site {
    pub(crate) profile: Profile,
    pub(crate) directory: Directory,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) log: Log,
    pub(crate) on_command: Option<OnCommand>,
    pub(crate) on_progress: Option<OnProgress>,
    pub(crate) total_octets: AtomicU64,
    /// True if some session announced PIPELINING. A client may remember that, and send USER
    /// together with the CAPA that checks it.
    pub(crate) pipelining_known: AtomicBool,
    current: Mutex<Current>,
    sessions: AtomicU64,
}

/// The knobs for the next sessions.
struct Current {
    standing: Tuned,
    queued: VecDeque<Tuned>,
}

/// Knobs, and the state that lasts as long as they do.
#[derive(Clone)]
pub(crate) struct Tuned {
    pub(crate) knobs: Arc<Knobs>,
    pub(crate) rules: Arc<Vec<Rule>>,
    /// Good logins refused so far.
    pub(crate) refused: Arc<AtomicU32>,
}

impl Tuned {
    pub(crate) fn new(knobs: Knobs) -> Self {
        Self {
            rules: Arc::new(knobs.all_rules()),
            knobs: Arc::new(knobs),
            refused: Arc::default(),
        }
    }
}

impl Site {
    pub(crate) fn new(
        profile: Profile,
        directory: Directory,
        clock: Arc<dyn Clock>,
        knobs: Knobs,
        on_command: Option<OnCommand>,
        on_progress: Option<OnProgress>,
    ) -> Self {
        let site = Self {
            profile,
            directory,
            clock,
            log: Log::default(),
            on_command,
            on_progress,
            total_octets: AtomicU64::new(0),
            current: Mutex::new(Current {
                standing: Tuned::new(Knobs::default()),
                queued: VecDeque::new(),
            }),
            pipelining_known: AtomicBool::new(false),
            sessions: AtomicU64::new(0),
        };
        site.set_knobs(knobs);
        site
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The mailbox of a user.
    ///
    /// # Panics
    ///
    /// When there is no such user.
    pub fn mailbox(&self, user: &str) -> Mailbox {
        match self.directory.user(user) {
            Some(user) => user.mailbox.clone(),
            None => panic!("the simulated server has no user {user}"),
        }
    }

    /// Changes a user's password.
    ///
    /// # Panics
    ///
    /// When there is no such user.
    pub fn set_password(&self, user: &str, password: impl AsRef<[u8]>) {
        match self.directory.user(user) {
            Some(user) => *lock(&user.password) = password.as_ref().to_vec(),
            None => panic!("the simulated server has no user {user}"),
        }
    }

    /// Changes the token that XOAUTH2 takes from a user.
    ///
    /// # Panics
    ///
    /// When there is no such user.
    pub fn set_token(&self, user: &str, token: &str) {
        match self.directory.user(user) {
            Some(user) => *lock(&user.token) = Some(token.to_owned()),
            None => panic!("the simulated server has no user {user}"),
        }
    }

    /// Sets the knobs for the next connections; open ones keep theirs.
    ///
    /// # Panics
    ///
    /// When a value is out of the range that Exchange allows.
    pub fn set_knobs(&self, knobs: Knobs) {
        if let Err(problem) = knobs.check() {
            panic!("{problem}");
        }
        for user in &self.directory.users {
            user.mailbox.set_reuse(knobs.uid_reuse);
        }
        let mut current = lock(&self.current);
        current.standing = Tuned::new(knobs);
        current.queued.clear();
    }

    /// Gives each of the next connections its own knobs; later ones get the knobs that were set
    /// last by [`set_knobs`](Self::set_knobs).
    ///
    /// # Panics
    ///
    /// When a value is out of the range that Exchange allows.
    pub fn queue_knobs(&self, knobs: impl IntoIterator<Item = Knobs>) {
        for knobs in knobs {
            if let Err(problem) = knobs.check() {
                panic!("{problem}");
            }
            lock(&self.current).queued.push_back(Tuned::new(knobs));
        }
    }

    /// The knobs that were set last.
    pub fn knobs(&self) -> Knobs {
        Knobs::clone(&lock(&self.current).standing.knobs)
    }

    pub(crate) fn next_knobs(&self) -> Tuned {
        let mut current = lock(&self.current);
        match current.queued.pop_front() {
            Some(queued) => queued,
            None => current.standing.clone(),
        }
    }

    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Begins a session without a socket.
    pub fn session(self: &Arc<Self>, port: Port) -> Session {
        Session::new(Arc::clone(self), port)
    }

    /// All sessions so far, in order of accept.
    pub fn transcripts(&self) -> Vec<Transcript> {
        self.log.transcripts()
    }

    /// All commands over all sessions, in the order in which they were read, without line ends:
    /// `RETR 3`. SASL continuation lines are not commands.
    pub fn commands(&self) -> Vec<String> {
        self.log.commands()
    }

    /// The commands with this keyword, for instance `DELE`.
    pub fn commands_of(&self, verb: &str) -> Vec<String> {
        let mut commands = self.commands();
        commands.retain(|line| {
            let first = line.split([' ', '\t']).next().unwrap_or_default();
            first.eq_ignore_ascii_case(verb)
        });
        commands
    }

    /// The rules of the recorder that clients broke so far, as `session 1: RSET was sent`.
    ///
    /// A missing QUIT is known only when the connection has ended: a server's
    /// [`wait_until_idle`](crate::Server::wait_until_idle) makes sure of that.
    pub fn violations(&self) -> Vec<String> {
        self.log.violations()
    }

    /// Forgets commands and ended transcripts.
    pub fn clear_log(&self) {
        self.log.clear();
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
