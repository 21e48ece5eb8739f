//! Mistakes in settings, and what to write instead.

use std::borrow::Cow;

use crate::account::{EndpointError, FingerprintError};
use crate::auth::argument::{self, BadByte};
use crate::exit::Exit;
use crate::failure::Failure;

use super::contradiction::Contradiction;
use super::key::Key;
use super::paths::PathError;
use super::proxy::ProxyError;
use super::quantity::{PatienceError, SizeError, TimeError};
use super::url::UrlError;
use crate::words::WordsError;

/// What is wrong with one setting, or between several. Never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Problem {
    /// Its name cannot be one.
    #[error("an account's name is not empty and has no control characters")]
    AccountName,
    /// Neither a table nor anything else that holds accounts.
    #[error("`{}` is {found}, not {expected}", key.name)]
    WrongType {
        /// The key.
        key: &'static Key,
        /// What it should be, with its article.
        expected: &'static str,
        /// What it is, with its article.
        found: &'static str,
    },
    /// A value that is none of those known.
    #[error("`{}` has no value `{value}`", key.name)]
    Choice {
        /// The key.
        key: &'static Key,
        /// What was written.
        value: String,
        /// The nearest known value.
        nearest: Option<&'static str>,
        /// The known values.
        known: Vec<&'static str>,
    },
    /// Settings that cannot both be meant.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// `password-command = ""`.
    #[error("`{}` is empty", key.name)]
    EmptyCommand {
        /// The key.
        key: &'static Key,
    },
    /// Not where a provider could be asked.
    #[error("`{}` is {error}", key.name)]
    Endpoint {
        /// The key.
        key: &'static Key,
        /// Why.
        error: EndpointError,
    },
    /// Not a command.
    #[error("`{}` is {error}", key.name)]
    Command {
        /// The key.
        key: &'static Key,
        /// Why.
        #[source]
        error: WordsError,
    },
    /// `user = ""`.
    #[error("`user` is empty")]
    EmptyUser,
    /// Not a fingerprint.
    #[error("`fingerprint` is {0}")]
    Fingerprint(#[from] FingerprintError),
    /// A required key is not there.
    #[error("`{}` is missing", key.name)]
    Missing {
        /// The key.
        key: &'static Key,
    },
    /// The file is not text.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not a whole number of at least one.
    #[error("`{}` is not a whole number from 1 to {most}", key.name)]
    Number {
        /// The key.
        key: &'static Key,
        /// The largest that is taken.
        most: u64,
    },
    /// A password in the file itself.
    #[error("a password does not belong in this file")]
    Password,
    /// Not a path.
    #[error("`{name}`: {error}")]
    Path {
        /// The key, or the argument of the command line.
        name: &'static str,
        /// The key; none for other arguments of the command line.
        key: Option<&'static Key>,
        /// Why.
        error: PathError,
    },
    /// Not the URL of a proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// `remove-after-days = 0`.
    #[error("`remove-after-days` is 0")]
    RemoveAtOnce,
    /// Not the URL of a server.
    #[error(transparent)]
    Server(#[from] UrlError),
    /// Not the name of a host.
    #[error("`server-name` is not the name or address of a host")]
    ServerName,
    /// Not a size.
    #[error("`{}` is {error}", key.name)]
    Size {
        /// The key.
        key: &'static Key,
        /// Why.
        error: SizeError,
    },
    /// Neither a time over many runs nor a number of them.
    #[error("`{}` is {error}", key.name)]
    Patience {
        /// The key.
        key: &'static Key,
        /// Why.
        #[source]
        error: PatienceError,
    },
    /// Not TOML.
    #[error("not valid TOML: {message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// Not an address.
    #[error("`source-address` is not an IP address")]
    SourceAddress,
    /// Text that is not `off`, where a table should be.
    #[error("`tls` has no value `{value}`")]
    Tls {
        /// The text.
        value: String,
    },
    /// Not a time.
    #[error("`{}` is {error}", key.name)]
    Time {
        /// The key.
        key: &'static Key,
        /// Why.
        #[source]
        error: TimeError,
    },
    /// A key that means nothing.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// What was written.
        key: String,
        /// The nearest known key.
        nearest: Option<&'static str>,
        /// The keys that are known at this place.
        known: Vec<&'static str>,
        /// Advice about where the key belongs, for one of another place or of another program.
        home: Option<String>,
    },
    /// A user name that USER cannot carry.
    #[error("the user name contains {0}, which POP3 cannot carry")]
    User(BadByte),
    /// A user name that a server would not read as it is.
    #[error("the user name has blanks at its ends, or two in a row, which USER cannot carry")]
    UserBlanks,
    /// A user name that makes a USER line longer than any Exchange takes (`XPOP3:E0006`).
    #[error("the user name is longer than {} octets", argument::MAX)]
    UserTooLong,
}

impl Failure for Problem {
    /// That of a file; on a command line the error that holds this one knows better.
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::AccountName => "write `[accounts.work]`, or any other name",
            Self::WrongType { key, .. }
            | Self::Missing { key }
            | Self::Command { key, .. }
            | Self::Size { key, .. }
            | Self::Patience { key, .. }
            | Self::Time { key, .. }
            | Self::Path {
                key: Some(key),
                error: PathError::Invalid,
                ..
            } => return Some(key.hint().into()),
            Self::Path { error, .. } => return error.hint(),
            Self::Choice { nearest, known, .. } => {
                let hint = did_you_mean(*nearest) + "known: " + &known.join(", ");
                return Some(hint.into());
            }
            Self::Contradiction(contradiction) => return contradiction.hint(),
            Self::EmptyCommand { .. } => "leave it out to be asked, or write a command for `sh -c`",
            Self::Endpoint { .. } => {
                "write `https://` and the host, then the path, as the provider documents it"
            }
            Self::EmptyUser => "write the name that the server knows you by",
            Self::Fingerprint(_) => {
                "write `fingerprint = \"sha256:…\"` with the digits that `popsync probe` shows; \
                 `spki-sha256:` is that of the public key"
            }
            Self::NotUtf8 => "save the file as UTF-8",
            Self::Number { key, .. } => return Some(key.number_hint().into()),
            Self::Password => {
                "use `password-command = \"pass show mail/work\"`, or `password-file = \"…\"` \
                 with a file that only you can read"
            }
            Self::Proxy(error) => return error.hint(),
            Self::RemoveAtOnce => {
                "write `leave-on-server = false` to delete messages as soon as they are stored"
            }
            Self::Server(error) => return error.hint(),
            Self::ServerName => {
                "write the name in the server's certificate: `server-name = \"mail.example.com\"`"
            }
            Self::SourceAddress => "write `source-address = \"192.0.2.7\"`",
            Self::Syntax { message } => return syntax_hint(message).map(Cow::from),
            Self::Tls { .. } => {
                "leave it out: popsync uses TLS unless `tls = \"off\"` allows plain text"
            }
            Self::UnknownKey {
                home: Some(home), ..
            } => return Some(home.clone().into()),
            Self::UnknownKey { nearest, known, .. } => {
                let hint = did_you_mean(*nearest) + "known here: " + &known.join(", ");
                return Some(hint.into());
            }
            Self::User(_) => "USER carries printable ASCII; `auth = \"plain\"` and others more",
            Self::UserBlanks => "take them out, or write `auth = \"plain\"` as well",
            Self::UserTooLong => "no Exchange takes a longer USER line, and hardly any server does",
        };
        Some(hint.into())
    }
}

/// The two mistakes that TOML's own words do not help with.
fn syntax_hint(message: &str) -> Option<&'static str> {
    let hint = if message.contains("unquoted key") {
        "a name with `@`, `.` or blanks stands in quotes: `[accounts.\"anna@example.com\"]`"
    } else if message.contains("quoted") {
        "text stands in quotes: `user = \"anna@example.com\"`"
    } else if message.contains("duplicate") {
        "each key and each table stands once; remove one of the two"
    } else {
        return None;
    };
    Some(hint)
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("did you mean `{nearest}`? "))
}
