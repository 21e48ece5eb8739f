//! One account: its server and mailbox, its store, and its rules.
//!
//! These are settings after parsing: every value from a configuration file or a command line is
//! valid in itself. Nothing here reads files or the environment.

use std::fmt;
use std::num::{NonZeroU8, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::profile::Profile;

mod alerts;
mod auth;
mod oauth;
mod route;
mod tls;

pub(crate) use alerts::{Alerts, Outage, Patience};
pub(crate) use auth::AuthMethod;
pub use oauth::{Endpoint, EndpointError, Endpoints, OAuth, Provider};
pub use route::{Proxy, ProxyLogin, ProxyProtocol};
pub(crate) use route::{Route, Via};
pub(crate) use tls::{ClientCertificate, Roots, TlsSettings};
pub use tls::{Fingerprint, FingerprintError, Pinned, TlsVersion};

/// The longest wait for the server, unless the user sets another.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The number of messages of earlier runs that one run may delete, unless the user sets another:
/// more than people delete by hand between two runs, and few enough to restore.
pub(crate) const DEFAULT_MAX_DELETIONS: u64 = 500;

/// An account, ready to be synced.
#[derive(Debug, Clone)]
pub struct Account {
    /// The name in the configuration, or `user@host` for `popsync fetch`.
    pub(crate) name: String,
    /// The key under which the cache records this account.
    pub(crate) identity: Identity,
    /// The POP3 server.
    pub(crate) server: Server,
    /// The user's name, without CR, LF or NUL; printable ASCII if USER carries it (`OPOP3:C0003`).
    pub(crate) user: String,
    /// The way to log in.
    pub(crate) auth: AuthMethod,
    /// The source of the password.
    pub(crate) password: PasswordSource,
    /// The version of Outlook to imitate.
    pub(crate) profile: Profile,
    /// The store for messages.
    pub(crate) store: StoreSettings,
    /// The rules by which messages leave the server.
    pub(crate) retention: Retention,
    /// The limits on what one run may retrieve.
    pub(crate) limits: Limits,
    /// The way to the server.
    pub(crate) route: Route,
    /// Trust anchors and the client certificate.
    pub(crate) tls: TlsSettings,
    /// The longest single wait for the server.
    pub(crate) timeout: Duration,
    /// The rules by which a person is told of its runs.
    pub(crate) alerts: Alerts,
}

impl Account {
    /// The name in the configuration, or `user@host` for `popsync fetch`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True if its settings name programs that popsync starts.
    pub fn runs_commands(&self) -> bool {
        let for_password = match &self.password {
            PasswordSource::Command(_) | PasswordSource::TokenCommand(_) => true,
            PasswordSource::OAuth(oauth) => oauth.client_secret_command.is_some(),
            PasswordSource::Ask | PasswordSource::File(_) | PasswordSource::Netrc(_) => false,
        };
        let for_mail = matches!(self.store, StoreSettings::Exec { .. });
        for_password || for_mail || self.alerts.run_commands()
    }
}

/// The key under which the cache records an account.
///
/// The port is left out on purpose: a mailbox is the same with `pop3s://` and with STLS. Another
/// host or user means another mailbox, because unique-ids prove nothing across servers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The account's name in the configuration. For `popsync fetch` the absolute path of the store,
    /// since a one-shot fetch into another folder starts anew.
    pub key: String,
    /// The server's host name in lower case.
    pub host: String,
    /// The user name as sent.
    pub user: String,
}

/// A POP3 server as the user named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The protection of the connection.
    pub security: Security,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The protection of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// `pop3s://`: TLS from the first octet (RFC 8314).
    ImplicitTls,
    /// `pop3://` with `tls = "off"`: the user allows to send the password in plain text.
    Plain,
    /// `pop3://`: STLS, required (RFC 2595 §4).
    Stls,
}

impl Security {
    /// The port registered for this kind of connection.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::ImplicitTls => 995,
            Self::Plain | Self::Stls => 110,
        }
    }
}

/// The source of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PasswordSource {
    /// Neither command nor file: the keyring, else a systemd credential, else
    /// `POPSYNC_PASSWORD`, else a prompt on the terminal.
    Ask,
    /// The first line that this command prints, run by `sh -c`.
    Command(String),
    /// An access token: the first line that this command prints, run by `sh -c`.
    TokenCommand(String),
    /// The first line of this file, which nobody else may read.
    File(PathBuf),
    /// An access token of this provider.
    OAuth(Box<OAuth>),
    /// The entry of the server and the user in this file, which nobody else may read.
    Netrc(PathBuf),
}

impl PasswordSource {
    /// The key of the configuration that sets it. None if no key does.
    pub(crate) const fn key(&self) -> Option<&'static str> {
        match self {
            Self::Ask => None,
            Self::Command(_) => Some("password-command"),
            Self::File(_) => Some("password-file"),
            Self::OAuth(_) => Some("oauth"),
            Self::Netrc(_) => Some("password-netrc"),
            Self::TokenCommand(_) => Some("oauth-token-command"),
        }
    }
}

/// The store for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSettings {
    /// A Maildir.
    Maildir {
        /// The folder that holds `tmp`, `new` and `cur`; absolute.
        path: PathBuf,
        /// The line ends written.
        line_endings: LineEndings,
    },
    /// An mbox.
    Mbox {
        /// The file; absolute.
        path: PathBuf,
        /// The line ends written.
        line_endings: LineEndings,
    },
    /// A delivery agent.
    Exec {
        /// The program and its arguments.
        command: Vec<String>,
        /// The time limit for one message.
        timeout: Duration,
        /// The line ends given to it.
        line_endings: LineEndings,
    },
}

/// The time limit of a delivery agent for one message, unless the user sets another.
pub(crate) const DEFAULT_EXEC_TIMEOUT: Duration = Duration::from_secs(300);

impl StoreSettings {
    /// The line ends written.
    pub fn line_endings(&self) -> LineEndings {
        match self {
            Self::Maildir { line_endings, .. }
            | Self::Mbox { line_endings, .. }
            | Self::Exec { line_endings, .. } => *line_endings,
        }
    }

    /// The path of the Maildir, if it is one.
    pub fn maildir(&self) -> Option<&Path> {
        match self {
            Self::Maildir { path, .. } => Some(path),
            Self::Mbox { .. } | Self::Exec { .. } => None,
        }
    }
}

impl fmt::Display for StoreSettings {
    /// The text that distinguishes one store from another: the path, or the command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maildir { path, .. } | Self::Mbox { path, .. } => path.display().fmt(f),
            Self::Exec { command, .. } => write!(f, "exec {}", command.join(" ")),
        }
    }
}

/// The line ends of stored messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineEndings {
    /// CRLF becomes LF, as mail programs on Unix expect.
    #[default]
    Lf,
    /// Exactly the octets that were sent.
    Crlf,
}

/// The rules by which messages leave the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// False: a message is deleted as soon as it is safely stored (`OPOP3:C0048`).
    pub leave_on_server: bool,
    /// Delete this many days after popsync stored the message. Without effect when
    /// `leave_on_server` is false.
    pub remove_after_days: Option<u32>,
    /// Delete messages that a person deleted here: their file is in no folder of the store any
    /// more. Without effect when `leave_on_server` is false.
    pub remove_when_deleted_locally: bool,
    /// These rules apply to an imported message too, once its copy is found in the store.
    pub remove_imported: bool,
    /// A run that would delete more than this many messages stored in earlier runs deletes none.
    pub max_deletions: u64,
}

impl Default for Retention {
    /// Messages stay on the server.
    fn default() -> Self {
        Self::new(true, None)
    }
}

impl Retention {
    /// Messages leave the server at once, after some days, or never. The other rules have their
    /// defaults.
    pub const fn new(leave_on_server: bool, remove_after_days: Option<u32>) -> Self {
        Self {
            leave_on_server,
            remove_after_days,
            remove_when_deleted_locally: false,
            remove_imported: false,
            max_deletions: DEFAULT_MAX_DELETIONS,
        }
    }

    /// True if a message that popsync stored leaves the server one day.
    pub fn removes(&self) -> bool {
        !self.leave_on_server
            || self.remove_after_days.is_some()
            || self.remove_when_deleted_locally
    }
}

/// The limits on what one run may retrieve. Sizes are those of the scan listing, which may be
/// estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Larger messages are skipped and stay on the server.
    pub max_size: Option<NonZeroU64>,
    /// Only the headers of larger messages are retrieved, until a person asks for the whole
    /// message.
    pub headers_only_above: Option<NonZeroU64>,
    /// At most this many messages; the others wait for the next run.
    pub max_messages: Option<NonZeroU64>,
    /// At most this many octets, but always at least one message.
    pub max_octets: Option<NonZeroU64>,
    /// At most this many sessions, as long as each brings new messages. One if it is not set.
    pub sessions: Option<NonZeroU64>,
    /// Messages are retrieved over at most this many connections at the same time. One if it is not
    /// set.
    pub connections: Option<NonZeroU8>,
    /// True if a message of which only the header is retrieved gets a stub in the store.
    pub header_stubs: bool,
}

impl Limits {
    /// The limits that remain after this much was retrieved. None if nothing remains.
    pub fn left(self, messages: u64, octets: u64) -> Option<Self> {
        let left = |limit: Option<NonZeroU64>, used: u64| match limit {
            Some(limit) => NonZeroU64::new(limit.get().saturating_sub(used)).map(Some),
            None => Some(None),
        };
        Some(Self {
            max_messages: left(self.max_messages, messages)?,
            max_octets: left(self.max_octets, octets)?,
            ..self
        })
    }
}
