//! Why there is no token.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::auth::{self, keyring};
use crate::exit::Exit;

/// No access token is to be had. Never holds any part of a token, a code or a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The browser's answer never came.
    #[error("nobody signed in within {} minutes", limit.as_secs() / 60)]
    Abandoned {
        /// How long popsync waited.
        limit: Duration,
    },
    /// What the provider answered is not what RFC 6749 or 8628 has it answer.
    #[error("{from} gave an answer that makes no sense: {what}")]
    Answer {
        /// The end point.
        from: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file of trusted certificates cannot be used.
    #[error("the certificates in `{}` cannot be used", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The command that prints the client secret failed.
    #[error("{0}")]
    ClientSecret(#[source] Box<auth::Error>),
    /// A person said no.
    #[error("the sign-in was refused{}", told(description))]
    Denied {
        /// The provider's words.
        description: Option<String>,
    },
    /// The code for another device was not used in time.
    #[error("the code expired before anybody signed in")]
    ExpiredCode,
    /// What was given once is worth nothing any more: revoked, expired, or the password changed.
    #[error(
        "the provider does not take the stored sign-in any more{}",
        told(description)
    )]
    InvalidGrant {
        /// The provider's words.
        description: Option<String>,
    },
    /// This flow needs an end point that is not known.
    #[error("the provider has no {0}, as far as is known")]
    NoEndpoint(&'static str),
    /// Nobody has signed in, or for another provider, client or scope.
    #[error("nobody has signed in for this account yet")]
    NotSignedIn,
    /// popsync was built without it.
    #[error("this popsync was built without OAuth")]
    NotBuilt,
    /// There is no random number to be had.
    #[error("the system has no random numbers")]
    Random,
    /// The provider wants us to go elsewhere, where secrets have no business.
    #[error("{from} redirects, which is not followed")]
    Redirected {
        /// The end point.
        from: String,
    },
    /// The provider refused in its own words.
    #[error("{from} refused: {error}{}", told(description))]
    Refused {
        /// The end point.
        from: String,
        /// Its code for it (RFC 6749 §5.2).
        error: String,
        /// The provider's words.
        description: Option<String>,
    },
    /// The provider cannot answer now.
    #[error("{from} answered with status {status}")]
    Status {
        /// The end point.
        from: String,
        /// The status.
        status: u16,
    },
    /// The tokens cannot be kept, or not be read.
    #[error("{0}")]
    Store(#[source] StoreError),
    /// The provider could not be reached, or broke off.
    #[error("cannot reach {from}")]
    Unreachable {
        /// The end point.
        from: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why the tokens cannot be kept, or not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What is stored is nothing that popsync wrote.
    #[error("the tokens in {place} cannot be understood")]
    Content {
        /// The keyring or the file.
        place: Place,
    },
    /// The file could not be read or written.
    #[error("cannot use token-file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others can read or change the file.
    #[error("token-file {} is open to others (mode {mode:03o})", path.display())]
    FileMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to somebody else.
    #[error("token-file {} belongs to user {owner}", path.display())]
    FileOwner {
        /// The file.
        path: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// The keyring cannot be used.
    #[error("{0}")]
    Keyring(#[source] keyring::Fault),
}

/// Where tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `token-file`.
    File(PathBuf),
    /// The system's keyring.
    Keyring,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "token-file {}", path.display()),
            Self::Keyring => f.write_str("the keyring"),
        }
    }
}

fn told(description: &Option<String>) -> String {
    let description = description.as_deref();
    description.map_or_else(String::new, |text| format!(": `{text}`"))
}

impl Error {
    /// Whether the same may succeed in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }

    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Answer { .. } => Exit::Protocol,
            Self::ClientSecret(error) => error.exit(),
            Self::CaFile { .. }
            | Self::NoEndpoint(_)
            | Self::NotBuilt
            | Self::Store(StoreError::FileMode { .. } | StoreError::FileOwner { .. }) => {
                Exit::Config
            }
            Self::Abandoned { .. }
            | Self::Denied { .. }
            | Self::ExpiredCode
            | Self::InvalidGrant { .. }
            | Self::NotSignedIn
            | Self::Refused { .. }
            | Self::Store(StoreError::Content { .. } | StoreError::Keyring(_)) => {
                Exit::NoPermission
            }
            Self::Random | Self::Store(StoreError::File { .. }) => Exit::IoError,
            Self::Redirected { .. } | Self::Unreachable { .. } => Exit::Unavailable,
            Self::Status { .. } if self.may_pass() => Exit::TemporaryFailure,
            Self::Status { .. } => Exit::Unavailable,
        }
    }

    /// What the user can do.
    pub fn advice(&self, account: &str) -> Option<String> {
        let login = || format!("run `popsync login {account}`");
        Some(match self {
            Self::Abandoned { .. } | Self::ExpiredCode | Self::NotSignedIn => login(),
            Self::Answer { .. } | Self::Redirected { .. } => {
                "are the end points in `oauth` the right ones?".to_owned()
            }
            Self::CaFile { .. } => "`ca-file` wants a file of certificates in PEM form".to_owned(),
            Self::ClientSecret(error) => return error.advice(),
            Self::Denied { .. } => format!("{}, and allow it", login()),
            Self::InvalidGrant { .. } => format!(
                "the password was changed, the permission withdrawn, or it was not used for long: \
                 {}",
                login()
            ),
            Self::NoEndpoint("device end point") => format!(
                "try `popsync login --browser {account}`, or name `device-endpoint` in `oauth`"
            ),
            Self::NoEndpoint(_) => "name it in `oauth`".to_owned(),
            Self::NotBuilt => {
                "build it with the feature `oauth`, or use `oauth-token-command`".to_owned()
            }
            Self::Random => return None,
            Self::Refused { error, .. } => match error.as_str() {
                "invalid_client" | "unauthorized_client" => {
                    "is `client-id` right, and that program registered for this flow? Some \
                     providers want a `client-secret-command`, too"
                        .to_owned()
                }
                "invalid_scope" => "is `scope` right, and may the program have it?".to_owned(),
                _ => "are the settings in `oauth` right?".to_owned(),
            },
            Self::Status { .. } => "try again later".to_owned(),
            Self::Store(error) => return error.advice(account),
            Self::Unreachable { .. } => {
                "is the network up, and the end point's name right?".to_owned()
            }
        })
    }
}

impl StoreError {
    fn advice(&self, account: &str) -> Option<String> {
        Some(match self {
            Self::Content { .. } => format!("run `popsync login {account}` to have new ones"),
            Self::File { .. } => {
                "`token-file` names a file in a folder where you may make files".to_owned()
            }
            Self::FileMode { path, .. } => format!("run `chmod 600 {}`", path.display()),
            Self::FileOwner { .. } => "let `token-file` name a file of your own".to_owned(),
            Self::Keyring(keyring::Fault::NotBuilt) => {
                "build it with the feature `keyring`, or keep the tokens in a file: \
                 `oauth = { token-file = \"…\", … }`"
                    .to_owned()
            }
            Self::Keyring(_) => {
                "the tokens belong into the keyring; without one, name a file that \
                                 only you can read: `oauth = { token-file = \"…\", … }`"
                    .to_owned()
            }
        })
    }
}
