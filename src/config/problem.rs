//! Mistakes in settings, and what to write instead.

use std::borrow::Cow;
use std::path::PathBuf;

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
use super::value::{Slot, Unfit};
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
    /// A brace in a template that neither begins nor ends a placeholder.
    #[error("a brace stands alone")]
    Brace,
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
    /// A list has two columns of one name.
    #[error("two columns are called `{column}`")]
    ColumnTwice {
        /// The name.
        column: String,
    },
    /// A line end or the like in a value of a list.
    #[error("the value in column `{column}` has a line end or another control character")]
    ControlCharacter {
        /// The column.
        column: String,
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
    /// A row of a list with too many or too few values.
    #[error("the number of values is {found}, and that of the columns {expected}")]
    Fields {
        /// The number of its values.
        found: usize,
        /// The number of columns.
        expected: usize,
    },
    /// Not a fingerprint.
    #[error("`fingerprint` is {0}")]
    Fingerprint(#[from] FingerprintError),
    /// A required key is not there.
    #[error("`{}` is missing", key.name)]
    Missing {
        /// The key.
        key: &'static Key,
    },
    /// A placeholder for a column that the list does not have.
    #[error("the list has no column `{name}`")]
    NoColumn {
        /// What was written.
        name: String,
        /// The columns.
        known: Vec<String>,
    },
    /// A row that does not name its account.
    #[error("the row has no value in column `name`")]
    NoName,
    /// A list that does not name its accounts.
    #[error("no column is called `name`")]
    NoNameColumn {
        /// The columns.
        columns: Vec<String>,
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
    /// Passwords in a list.
    #[error("a password does not belong in this list, in column `{column}`")]
    PasswordColumn {
        /// The column.
        column: String,
    },
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
    /// The name of another account.
    #[error("its name is in {}:{line} as well", other.display())]
    Twice {
        /// The file of the other account.
        other: PathBuf,
        /// The line of the other account.
        line: u64,
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
    /// A value of a list that would change the meaning of a text.
    #[error("the value in column `{column}` cannot be a part of `{}`: {unfit}", key.name)]
    Value {
        /// The column.
        column: String,
        /// The key.
        key: &'static Key,
        /// The kind of text that it would go into.
        slot: Slot,
        /// Why.
        unfit: Unfit,
    },
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
            Self::Brace => "write `{{` and `}}` for braces that stand for themselves",
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
            Self::ColumnTwice { .. } => "give one of them another name",
            Self::ControlCharacter { .. } => {
                "each value stands on one line; look for a quotation mark that is not closed"
            }
            Self::Contradiction(contradiction) => return contradiction.hint(),
            Self::EmptyCommand { .. } => "leave it out to be asked, or write a command for `sh -c`",
            Self::Endpoint { .. } => {
                "write `https://` and the host, then the path, as the provider documents it"
            }
            Self::EmptyUser => "write the name that the server knows you by",
            Self::Fields { .. } => "put a value that has a comma into double quotes",
            Self::Fingerprint(_) => {
                "write `fingerprint = \"sha256:…\"` with the digits that `popsync probe` shows; \
                 `spki-sha256:` is that of the public key"
            }
            Self::NoColumn { known, .. } => {
                let hint = format!(
                    "its columns: {}; write `{{{{` and `}}}}` for braces that stand for themselves",
                    known.join(", ")
                );
                return Some(hint.into());
            }
            Self::NoName => "write the name of the account, which is up to you",
            Self::NoNameColumn { columns } => {
                let hint = format!(
                    "the first line names the columns, with commas between them, as in \
                     `name,user`; here it names: {}",
                    columns.join(", ")
                );
                return Some(hint.into());
            }
            Self::NotUtf8 => "save the file as UTF-8",
            Self::Number { key, .. } => return Some(key.number_hint().into()),
            Self::Password => {
                "use `password-command = \"pass show mail/work\"`, or `password-file = \"…\"` \
                 with a file that only you can read"
            }
            Self::PasswordColumn { .. } => {
                "take the column out, and write `password-command = \"pass show mail/{name}\"` or \
                 `password-file = \"secrets/{name}\"` into `[template]`"
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
            Self::Twice { .. } => {
                "neither is used while it is not clear which one is meant; give one another name"
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
            Self::Value { slot, .. } => slot.rule(),
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
