//! Why no source gave a password that could be sent.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::auth::argument::BadByte;
use crate::auth::keyring;
use crate::auth::private_file::FileError;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop::Signal;

/// No password could be had, or none that could be sent. Never holds any part of a secret, nor
/// what a password-command printed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The password holds a byte that the account's way to log in cannot carry.
    #[error("the password from {origin} contains {byte}, which POP3 cannot carry")]
    BadByte {
        /// Where the password came from.
        origin: Origin,
        /// Its defect.
        byte: BadByte,
    },
    /// The command ended with a failure.
    #[error("{key} failed: {status}{}", said.as_deref().map(|said| format!(": `{said}`")).unwrap_or_default())]
    CommandFailed {
        /// The key that names it.
        key: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last line of its standard error, where it is not on the terminal.
        said: Option<String>,
    },
    /// The command could not be run, or its output not read.
    #[error("cannot run {key}")]
    CommandIo {
        /// The key that names it.
        key: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file of a systemd credential could not be read.
    #[error("cannot read the systemd credential {}", path.display())]
    CredentialIo {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No server of Exchange can be set to take so long a PASS line (`XPOP3:E0006`).
    #[error("the password from {origin} is too long for POP3: more than {limit} bytes")]
    DoesNotFit {
        /// Where the password came from.
        origin: Origin,
        /// The longest that fits.
        limit: usize,
    },
    /// The source gave nothing, or an empty first line.
    #[error("{origin} gave no password")]
    Empty {
        /// Where the password was looked for.
        origin: Origin,
    },
    /// The file of `password-file` or `password-netrc` cannot be used.
    #[error("cannot use {key} {}: {error}", path.display())]
    File {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: FileError,
    },
    /// The user stopped popsync while it asked.
    #[error("interrupted by {0} while asking for the password")]
    Interrupted(Signal),
    /// The keyring is of no use here, and nothing else will do.
    #[error(transparent)]
    Keyring(#[from] keyring::Error),
    /// The file of `password-netrc` is none of its kind.
    #[error("password-netrc {}: line {line} cannot be understood", path.display())]
    NetrcSyntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
    },
    /// The file of `password-netrc` knows nothing of the account.
    #[error("password-netrc {} has no password for {user} at {host}", path.display())]
    NotInNetrc {
        /// The file.
        path: PathBuf,
        /// The server.
        host: String,
        /// The user.
        user: String,
    },
    /// No source is configured, and there is no terminal to ask on.
    #[error("no password, and no terminal to ask for one")]
    NoSource {
        /// Why the keyring was of no use; none where it just has no password.
        #[source]
        keyring: Option<keyring::Error>,
    },
    /// The terminal could not be used.
    #[error("cannot ask for the password")]
    Prompt {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The source did not answer in time; a command was killed.
    #[error("{origin} gave no answer within {} s", limit.as_secs_f32())]
    TimedOut {
        /// Where the password was looked for.
        origin: Origin,
        /// How long popsync waited.
        limit: Duration,
    },
    /// The first line is longer than any password.
    #[error("{origin} gave more than {limit} bytes")]
    TooLong {
        /// Where the password was looked for.
        origin: Origin,
        /// The most that is read.
        limit: usize,
    },
}

/// Where a password was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command that this key names.
    Command(&'static str),
    /// A systemd credential.
    Credential(PathBuf),
    /// `POPSYNC_PASSWORD`.
    Environment,
    /// `password-file`.
    File(PathBuf),
    /// `password-netrc`.
    Netrc(PathBuf),
    /// The first line of standard input, for `popsync login`.
    Input,
    /// The system's keyring.
    Keyring,
    /// A person.
    Prompt,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(key) => f.write_str(key),
            Self::Credential(path) => write!(f, "the systemd credential {}", path.display()),
            Self::Environment => f.write_str("POPSYNC_PASSWORD"),
            Self::File(path) => write!(f, "password-file {}", path.display()),
            Self::Netrc(path) => write!(f, "password-netrc {}", path.display()),
            Self::Input => f.write_str("standard input"),
            Self::Keyring => f.write_str("the keyring"),
            Self::Prompt => f.write_str("the prompt"),
        }
    }
}

/// 77 where no password is to be had, 78 where one is there but must not or cannot be used.
impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::BadByte { .. } | Self::DoesNotFit { .. } | Self::NetrcSyntax { .. } => {
                Exit::Config
            }
            Self::File { error, .. } => error.exit(),
            Self::Interrupted(signal) => signal.exit(),
            Self::Keyring(error) => error.exit(),
            Self::CommandFailed { .. }
            | Self::CommandIo { .. }
            | Self::CredentialIo { .. }
            | Self::Empty { .. }
            | Self::NotInNetrc { .. }
            | Self::NoSource { .. }
            | Self::Prompt { .. }
            | Self::TimedOut { .. }
            | Self::TooLong { .. } => Exit::NoPermission,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::BadByte { byte, .. } => match byte {
                BadByte::NonAscii => {
                    "write `auth = \"auto\"`: popsync then logs in by a mechanism that can send it, \
                     where the server has one"
                }
                BadByte::NotUtf8 => "store the password as UTF-8",
                BadByte::CarriageReturn | BadByte::LineFeed => {
                    "the password is the first line alone, and only LF or CRLF ends it"
                }
                BadByte::Control | BadByte::Nul => {
                    "no login can send that; choose another password at the provider"
                }
            },
            Self::CommandFailed { .. } => "run the command by hand in `sh -c` to see what it says",
            Self::CommandIo { .. } => "popsync runs the command with `sh -c`: is there a shell?",
            Self::Interrupted(_) => return None,
            Self::Prompt { .. } => {
                "run `popsync login` for this account, or set `password-command` or `password-file`"
            }
            Self::CredentialIo { .. } => {
                "`LoadCredential=` of the systemd unit names it; see popsync(1), PASSWORDS"
            }
            Self::DoesNotFit { .. } => {
                "the password is the first line alone; choose a shorter one at the provider"
            }
            Self::Empty { origin } | Self::TooLong { origin, .. } => match origin {
                Origin::Command(_) | Origin::Credential(_) | Origin::File(_) | Origin::Input => {
                    "the password is the first line alone"
                }
                Origin::Netrc(_) => "write a password with blanks in double quotes",
                Origin::Keyring => "run `popsync login` for this account",
                Origin::Environment => "unset it, or set it to the password",
                Origin::Prompt => "type the password, and press Enter",
            },
            Self::File {
                key: "password-file",
                error: FileError::Io(_) | FileError::TooLarge(_),
                ..
            } => "`password-file` names a file whose first line is the password",
            Self::File { error, .. } => return error.hint(),
            Self::Keyring(error)
            | Self::NoSource {
                keyring: Some(error),
            } => return error.hint(),
            Self::NetrcSyntax { .. } => {
                "write entries as `machine HOST login USER password PASSWORD`, and a password with \
                 blanks in double quotes"
            }
            Self::NotInNetrc { host, user, .. } => {
                let hint = format!("write `machine {host} login {user} password …` into it");
                return Some(hint.into());
            }
            Self::NoSource { keyring: None } => {
                "run `popsync login` for this account, set `password-command` or \
                 `password-file`, or POPSYNC_PASSWORD for this run"
            }
            Self::TimedOut {
                origin: Origin::File(_) | Origin::Netrc(_) | Origin::Credential(_),
                ..
            } => "is it a pipe? then a program has to write to it",
            Self::TimedOut { .. } => {
                "a command that asks a person does not work without a terminal"
            }
        };
        Some(hint.into())
    }
}
