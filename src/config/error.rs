//! Why there are no settings to work with.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::auth::private_file::{FileError, quoted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::words;

use super::contradiction::Contradiction;
use super::faults::Fault;
use super::location::Location;
use super::paths::PathError;
use super::problem::Problem;
use super::proxy::ProxyError;
use super::rows;

/// The maximum number of accounts that a hint names.
const MAX_KNOWN: usize = 20;

/// The configuration, or the settings of a command line, cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error {
    cause: Box<Cause>,
}

impl Error {
    /// The reason.
    pub(crate) fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The reason itself.
    #[cfg(test)]
    pub(crate) fn into_cause(self) -> Cause {
        *self.cause
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        let cause = Box::new(cause);
        Self { cause }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Cause::from(fault).into()
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        self.cause.exit()
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        self.cause.hint()
    }

    fn snippet(&self) -> Option<String> {
        self.cause.snippet()
    }
}

/// The reasons why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    /// An argument of the command line is wrong.
    #[error("{flag}: {problem}")]
    Argument {
        /// The argument.
        flag: String,
        /// Its defect.
        problem: Box<Problem>,
    },
    /// The file is wrong at one place.
    #[error("{}:{}:{}: {}{problem}", at.path.display(), at.line, at.column, Prefix(account))]
    Invalid {
        /// Where.
        at: Box<Location>,
        /// The account it concerns, where the place does not tell.
        account: Option<String>,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// There is no such file.
    #[error("there is no configuration file {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file has no accounts.
    #[error("{} has no accounts", path.display())]
    NoAccounts {
        /// The file.
        path: PathBuf,
    },
    /// No folder of the user is known.
    #[error("no home folder is known to look for {what} in")]
    NoHome {
        /// What would be there.
        what: &'static str,
    },
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is too large to be a configuration.
    #[error("{} is larger than {limit} octets", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// The file names programs, and belongs to somebody else.
    #[error("{} names commands, and is not used: {fault}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its owner.
        fault: FileError,
    },
    /// Others can write to the file.
    #[error("{} can be written to by others (mode {mode:03o})", path.display())]
    Writable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The command line names an account that the file does not.
    #[error("there is no account `{name}`")]
    UnknownAccount {
        /// What was asked for.
        name: String,
        /// The accounts of the file.
        known: Vec<String>,
        /// The nearest of them.
        nearest: Option<String>,
    },
}

struct Prefix<'a>(&'a Option<String>);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |account| write!(f, "account `{account}`: "))
    }
}

impl From<Fault> for Cause {
    /// A fault of the command line; one of the file needs the file to be shown.
    fn from(fault: Fault) -> Self {
        Self::Argument {
            flag: fault.origin.to_string(),
            problem: fault.problem,
        }
    }
}

impl Error {
    /// A path of the command line that cannot be one.
    #[cfg(feature = "cli")]
    pub(crate) fn argument(flag: &'static str, name: &'static str, error: PathError) -> Self {
        Cause::Argument {
            flag: flag.to_owned(),
            problem: Box::new(Problem::Path {
                name,
                key: None,
                error,
            }),
        }
        .into()
    }
}

impl Failure for Cause {
    fn exit(&self) -> Exit {
        match self {
            Self::Argument { .. } | Self::UnknownAccount { .. } => Exit::Usage,
            Self::Invalid { .. }
            | Self::Missing { .. }
            | Self::NoAccounts { .. }
            | Self::NoHome { .. }
            | Self::Read { .. }
            | Self::Foreign { .. }
            | Self::Writable { .. }
            | Self::TooLarge { .. } => Exit::Config,
        }
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Invalid { at, .. } if at.is_row() => None,
            Self::Invalid { at, .. } => Some(at.snippet()),
            _ => None,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Argument { problem, .. } => return flag_hint(problem),
            Self::Invalid { problem, .. } => return problem.hint(),
            Self::Missing { .. } | Self::NoAccounts { .. } => format!(
                "run `popsync account add ADDRESS`, or write your account into it, for example:\n{}",
                rows::shortest_account()
            ),
            Self::NoHome { .. } => "set HOME, or name the place on the command line".to_owned(),
            Self::Foreign { fault, .. } => return fault.hint(),
            Self::Writable { path, .. } => format!("run `chmod go-w {}`", quoted(path)),
            Self::Read { .. } | Self::TooLarge { .. } => return None,
            Self::UnknownAccount { known, nearest, .. } => {
                let hint = nearest
                    .as_ref()
                    .map_or_else(String::new, |name| format!("did you mean `{name}`? "));
                let shown = &known[..known.len().min(MAX_KNOWN)];
                let more = match known.len() - shown.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("{hint}known: {}{more}", shown.join(", "))
            }
        };
        Some(hint.into())
    }
}

/// The hint for a command line, where that differs from the one for a file.
fn flag_hint(problem: &Problem) -> Option<Cow<'static, str>> {
    let hint = match problem {
        Problem::Missing { key } if key.name == "user" => {
            "write `pop3s://USER@HOST`, or add `--user NAME`"
        }
        Problem::RemoveAtOnce => {
            "write `--leave-on-server false` to delete messages as soon as they are stored"
        }
        Problem::Contradiction(Contradiction::RemoveAfterWithoutLeave) => {
            "leave one of the two out"
        }
        Problem::Contradiction(Contradiction::PlainWithPop3s) => {
            "write `pop3://` to go without TLS, or leave `--tls off` out"
        }
        Problem::Contradiction(Contradiction::ApopWithOutlook { .. }) => {
            "add `--profile rfc1939`, or leave `--auth` out for USER and PASS"
        }
        Problem::Contradiction(Contradiction::ExternalWithoutCertificate) => {
            "add `--client-cert FILE`, and `--client-key FILE` where the key is in another"
        }
        Problem::Contradiction(
            Contradiction::OAuthUnused { .. } | Contradiction::TokenWithoutOAuth { .. },
        ) => "add `--auth xoauth2`, or `oauthbearer` or `auto`",
        Problem::Contradiction(Contradiction::ProxyPasswordWithoutUser) => {
            "write `--proxy socks5://USER@HOST:PORT`"
        }
        Problem::Contradiction(Contradiction::StubsWithoutMaildir) => {
            "leave `--header-stubs` out, or name a `--maildir`"
        }
        Problem::Command { key, .. } => {
            let command = words::quoted(key.bare_example());
            return Some(format!("write for example `--{} {command}`", key.name).into());
        }
        Problem::Fingerprint(_) => {
            "write `--fingerprint sha256:…` with the digits that `popsync probe` shows; \
             `spki-sha256:` is that of the public key"
        }
        Problem::Number { key, .. } => return Some(format!("leave it out {}", key.without).into()),
        Problem::Path {
            key: Some(key),
            error: PathError::Invalid,
            ..
        } => {
            let path = key.bare_example();
            return Some(format!("write for example `--{} {path}`", key.name).into());
        }
        Problem::Proxy(ProxyError::Host | ProxyError::Scheme) => {
            "write `--proxy socks5://HOST:PORT` or `--proxy http://HOST:PORT`"
        }
        Problem::ServerName => "write the name in the server's certificate",
        Problem::UserBlanks => "take them out, or add `--auth plain`",
        Problem::User(_) => "USER carries printable ASCII; `--auth plain` and others more",
        Problem::SourceAddress => "write an address of this computer, such as `192.0.2.7`",
        _ => return problem.hint(),
    };
    Some(hint.into())
}
