//! What can be wrong with settings, and what to write instead.

use crate::account::{EndpointError, FingerprintError};
use crate::auth::argument::{self, BadByte};
use crate::profile::Profile;

use super::contradiction::Contradiction;
use super::foreign;
use super::keys::{ACCOUNT_KEYS, OAUTH_KEYS, TLS_KEYS, TOP_KEYS};
use super::paths::PathError;
use super::proxy::ProxyError;
use super::quantity::{SizeError, SpanError, TimeError};
use super::url::UrlError;
use crate::words::WordsError;

/// What is wrong with one setting, or between several. Never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Its name cannot be one.
    #[error("an account's name is not empty and has no control characters")]
    AccountName,
    /// Neither a table nor anything else that holds accounts.
    #[error("`{key}` is {found}, not {expected}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What it should be, with its article.
        expected: &'static str,
        /// What it is, with its article.
        found: &'static str,
    },
    /// A value that is none of those known.
    #[error("`{key}` has no value `{value}`")]
    Choice {
        /// The key.
        key: &'static str,
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
    #[error("`{key}` is empty")]
    EmptyCommand {
        /// The key.
        key: &'static str,
    },
    /// Not where a provider could be asked.
    #[error("`{key}` is {error}")]
    Endpoint {
        /// The key.
        key: &'static str,
        /// Why.
        error: EndpointError,
    },
    /// Not a command.
    #[error("`{key}` is {error}")]
    Command {
        /// The key.
        key: &'static str,
        /// Why.
        #[source]
        error: WordsError,
    },
    /// Not a time.
    #[error("`exec-timeout` is {0}")]
    ExecTime(#[source] TimeError),
    /// `user = ""`.
    #[error("`user` is empty")]
    EmptyUser,
    /// Not a fingerprint.
    #[error("`fingerprint` is {0}")]
    Fingerprint(#[from] FingerprintError),
    /// A required key is not there.
    #[error("`{key}` is missing")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// The file is not text.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not a whole number of at least one.
    #[error("`{key}` is not a whole number from 1 to {most}")]
    Number {
        /// The key.
        key: &'static str,
        /// The largest that is taken.
        most: u64,
    },
    /// A password in the file itself.
    #[error("a password does not belong in this file")]
    Password,
    /// Not a path.
    #[error("`{key}`: {error}")]
    Path {
        /// The key.
        key: &'static str,
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
    #[error("`{key}` is {error}")]
    Size {
        /// The key.
        key: &'static str,
        /// Why.
        error: SizeError,
    },
    /// Not TOML.
    #[error("not valid TOML: {message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// Not a time over many runs.
    #[error("`{key}` is {error}")]
    Span {
        /// The key.
        key: &'static str,
        /// Why.
        #[source]
        error: SpanError,
    },
    /// Not an address.
    #[error("`source-address` is not an IP address")]
    SourceAddress,
    /// Not a time.
    #[error("`timeout` is {0}")]
    Time(#[from] TimeError),
    /// A key that means nothing.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// What was written.
        key: String,
        /// The nearest known key.
        nearest: Option<&'static str>,
        /// The keys that are known at this place.
        known: &'static [&'static str],
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

impl Problem {
    /// What to write instead.
    pub fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::AccountName => "write `[accounts.work]`, or any other name",
            Self::WrongType { key, .. } => return example(key),
            Self::Choice { key: "tls", .. } => {
                "leave it out: popsync uses TLS unless `tls = \"off\"` allows plain text"
            }
            Self::Choice { nearest, known, .. } => {
                return Some(format!(
                    "{}known: {}",
                    did_you_mean(*nearest),
                    known.join(", ")
                ));
            }
            Self::Contradiction(contradiction) => contradiction.advice(),
            Self::EmptyCommand { .. } => "leave it out to be asked, or write a command for `sh -c`",
            Self::Endpoint { .. } => {
                "write `https://` and the host, then the path, as the provider documents it"
            }
            Self::EmptyUser => "write the name that the server knows you by",
            Self::Fingerprint(_) => {
                "write `fingerprint = \"sha256:…\"` with the digits that `popsync probe` shows; \
                 `spki-sha256:` is that of the public key"
            }
            Self::Missing { key } => return example(key),
            Self::NotUtf8 => "save the file as UTF-8",
            Self::Number {
                key: "max-deletions",
                ..
            } => "leave it out for the default, or write for example `max-deletions = 100`",
            Self::Number {
                key: "remove-after-days",
                ..
            } => {
                "leave it out to keep messages on the server, or write for example \
                 `remove-after-days = 14`"
            }
            Self::Number {
                key: "sessions-per-run",
                ..
            } => "leave it out for one, or write for example `sessions-per-run = 20`",
            Self::Number { .. } => "leave it out for no limit",
            Self::Password => {
                "use `password-command = \"pass show mail/work\"`, or `password-file = \"…\"` \
                 with a file that only you can read"
            }
            Self::Path {
                key,
                error: PathError::Invalid,
            } if example(key).is_some() => return example(key),
            Self::Path { error, .. } => error.advice(),
            Self::Proxy(error) => error.advice(),
            Self::RemoveAtOnce => {
                "write `leave-on-server = false` to delete messages as soon as they are stored"
            }
            Self::Server(error) => error.advice(),
            Self::ServerName => {
                "write the name in the server's certificate: `server-name = \"mail.example.com\"`"
            }
            Self::Size { key, .. } => return example(key),
            Self::Span { key, .. } => return example(key),
            Self::SourceAddress => return example("source-address"),
            Self::Syntax { message } => return syntax_advice(message),
            Self::Command { key, .. } => return example(key),
            Self::ExecTime(_) => return example("exec-timeout"),
            Self::Time(_) => "write for example `timeout = \"2m\"`",
            Self::UnknownKey { key, known, .. }
                if *known == ACCOUNT_KEYS && home(key).is_some() =>
            {
                return home(key);
            }
            Self::UnknownKey { nearest, known, .. } => {
                let account_key = nearest.is_none_or(|nearest| !TOP_KEYS.contains(&nearest));
                let place = if *known == TOP_KEYS && account_key {
                    "; the keys of an account stand below `[defaults]` or `[accounts.NAME]`"
                } else {
                    ""
                };
                return Some(format!(
                    "{}known here: {}{place}",
                    did_you_mean(*nearest),
                    known.join(", ")
                ));
            }
            Self::User(_) => "USER carries printable ASCII; `auth = \"plain\"` and others more",
            Self::UserBlanks => "take them out, or write `auth = \"plain\"` as well",
            Self::UserTooLong => "no Exchange takes a longer USER line, and hardly any server does",
        };
        Some(advice.to_owned())
    }
}

/// The two mistakes that TOML's own words do not help with.
fn syntax_advice(message: &str) -> Option<String> {
    let advice = if message.contains("unquoted key") {
        "a name with `@`, `.` or blanks stands in quotes: `[accounts.\"anna@example.com\"]`"
    } else if message.contains("quoted") {
        "text stands in quotes: `user = \"anna@example.com\"`"
    } else if message.contains("duplicate") {
        "each key and each table stands once; remove one of the two"
    } else {
        return None;
    };
    Some(advice.to_owned())
}

/// Where a key belongs that is known in another table, or to another program.
fn home(key: &str) -> Option<String> {
    if let Some(home) = foreign::home(key) {
        return Some(home.to_owned());
    }
    let table = [("tls", &TLS_KEYS[..]), ("oauth", &OAUTH_KEYS)];
    let (table, _) = table.iter().find(|(_, keys)| keys.contains(&key))?;
    Some(format!(
        "it is a key of `{table}`: write `{table} = {{ {key} = … }}`"
    ))
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("did you mean `{nearest}`? "))
}

/// How a key is written.
fn example(key: &str) -> Option<String> {
    let text = match key {
        "accounts" | "accounts.NAME" => "write `[accounts.work]` and the account's keys below it",
        "auth" => "write `auth = \"user\"`",
        "complain-after" => "write for example `complain-after = \"3h\"`",
        "defaults" => "write `[defaults]` and the keys below it",
        "exec" => {
            "write for example `exec = \"maildrop -d anna\"`, or `[\"maildrop\", \"-d\", \"anna\"]`"
        }
        "exec-timeout" => "write for example `exec-timeout = \"5m\"`",
        "header-stubs" => "write `header-stubs = true` or `false`, without quotes",
        "headers-only-above" => "write for example `headers-only-above = \"500 KiB\"`",
        "leave-on-server" => "write `leave-on-server = true` or `false`, without quotes",
        "line-endings" => "write `line-endings = \"lf\"` or `\"crlf\"`",
        "maildir" => "write `maildir = \"~/Mail/work\"`, or `mbox` or `exec` instead",
        "mbox" => "write `mbox = \"~/Mail/work.mbox\"`",
        "max-deletions" => "write for example `max-deletions = 100`",
        "max-messages" => "write for example `max-messages = 500`",
        "max-octets" => "write for example `max-octets = \"1 GiB\"`",
        "max-size" => "write for example `max-size = \"25 MB\"`",
        "on-failure" => "write for example `on-failure = \"notify-send popsync failed\"`",
        "on-new-mail" => "write for example `on-new-mail = \"notmuch new\"`",
        "password-command" => "write for example `password-command = \"pass show mail/work\"`",
        "oauth-token-command" => {
            "write for example `oauth-token-command = \"oama access anna@example.com\"`"
        }
        "oauth" | "provider" | "client-id" | "tenant" => {
            "write for example `oauth = { provider = \"microsoft\", client-id = \"…\" }`, with the \
             number that the provider knows the program by"
        }
        "auth-endpoint" | "device-endpoint" | "issuer" | "token-endpoint" => {
            "write for example `issuer = \"https://login.example.com\"`"
        }
        "client-secret-command" => {
            "write for example `client-secret-command = \"pass show popsync/google\"`"
        }
        "scope" => "write the scope of mail at this provider, as it documents it",
        "token-file" => "write for example `token-file = \"~/.local/share/popsync/work\"`",
        "password-file" => "write for example `password-file = \"~/.config/popsync/work\"`",
        "password-netrc" => "write for example `password-netrc = \"~/.netrc\"`",
        "profile" => {
            return Some(format!(
                "write for example `profile = \"{}\"`",
                Profile::default()
            ));
        }
        "proxy" => "write `proxy = \"socks5://127.0.0.1:1080\"`",
        "proxy-password-file" => "write `proxy-password-file = \"~/.config/popsync/proxy\"`",
        "remove-after-days" => "write for example `remove-after-days = 14`",
        "remove-when-deleted-locally" => {
            "write `remove-when-deleted-locally = true` or `false`, without quotes"
        }
        "sessions-per-run" => "write for example `sessions-per-run = 20`",
        "server" => "write `server = \"pop3s://mail.example.com\"`",
        "socket" => "write `socket = \"/run/pop3.sock\"`",
        "source-address" => "write `source-address = \"192.0.2.7\"`",
        "timeout" => "write for example `timeout = \"60s\"`",
        "client-cert" | "client-key" => {
            "write `tls = { client-cert = \"anna.pem\", client-key = \"anna.key\" }`"
        }
        "fingerprint" => "write `tls = { fingerprint = \"sha256:…\" }`",
        "min-version" => "write `tls = { min-version = \"1.3\" }`",
        "roots" => "write `tls = { roots = \"system\" }`",
        "server-name" => "write `tls = { server-name = \"mail.example.com\" }`",
        "ca-file" => "write `tls = { ca-file = \"/etc/ssl/our-ca.pem\" }`",
        "tls" => {
            "leave it out for TLS as it is everywhere, or write for example \
             `tls = { ca-file = \"/etc/ssl/our-ca.pem\" }`; `tls = \"off\"` allows plain text"
        }
        "user" => "write `user = \"anna@example.com\"`",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_an_example() {
        for key in ACCOUNT_KEYS
            .iter()
            .chain(&TOP_KEYS)
            .chain(&TLS_KEYS)
            .chain(&OAUTH_KEYS)
        {
            assert!(example(key).is_some(), "{key}");
        }
    }
}
