//! Why there is no token.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::account::Account;
use crate::auth::private_file::quoted;
use crate::auth::{keyring, source};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::words;

/// An account has no access token.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Error {
    /// The account's name, for a command that can be pasted.
    pub account: String,
    /// Why.
    #[source]
    pub error: TokenError,
}

/// No access token is to be had. Never holds any part of a token, a code or a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The browser's answer never came.
    #[error("nobody signed in within {} minutes", limit.as_secs() / 60)]
    Abandoned {
        /// How long popsync waited.
        limit: Duration,
    },
    /// What the provider answered is not what RFC 6749 or 8628 has it answer.
    #[error("{from} gave an answer that cannot be understood: {what}")]
    Answer {
        /// The end point.
        from: String,
        /// Its defect.
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
    ClientSecret(#[source] Box<source::Error>),
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
    #[error("the system gives no random numbers")]
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
    Keyring(#[source] keyring::Error),
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
    pub(super) fn new(account: &Account, error: TokenError) -> Self {
        Self {
            account: account.name.clone(),
            error,
        }
    }
}

impl TokenError {
    /// Whether the same may succeed in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match &self.error {
            TokenError::Answer { .. } => Exit::Protocol,
            TokenError::ClientSecret(error) => error.exit(),
            TokenError::CaFile { .. } | TokenError::NoEndpoint(_) | TokenError::NotBuilt => {
                Exit::Config
            }
            TokenError::Abandoned { .. }
            | TokenError::Denied { .. }
            | TokenError::ExpiredCode
            | TokenError::InvalidGrant { .. }
            | TokenError::NotSignedIn
            | TokenError::Refused { .. } => Exit::NoPermission,
            TokenError::Random => Exit::IoError,
            TokenError::Redirected { .. } | TokenError::Unreachable { .. } => Exit::Unavailable,
            TokenError::Status { .. } if self.error.may_pass() => Exit::TemporaryFailure,
            TokenError::Status { .. } => Exit::Unavailable,
            TokenError::Store(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let account = words::quoted(&self.account);
        let login = format!("run `popsync login {account}`");
        Some(match &self.error {
            TokenError::Abandoned { .. } | TokenError::ExpiredCode | TokenError::NotSignedIn => {
                login.into()
            }
            TokenError::Answer { .. } | TokenError::Redirected { .. } => {
                "check the end points in `oauth`".into()
            }
            TokenError::CaFile { .. } => {
                "`ca-file` must name a file of certificates in PEM form".into()
            }
            TokenError::ClientSecret(error) => return error.hint(),
            TokenError::Denied { .. } => format!("{login}, and allow it").into(),
            TokenError::InvalidGrant { .. } => format!(
                "the password was changed, the permission was withdrawn, or the sign-in was not \
                 used for long: {login}"
            )
            .into(),
            TokenError::NoEndpoint("device end point") => format!(
                "try `popsync login --browser {account}`, or name `device-endpoint` in `oauth`"
            )
            .into(),
            TokenError::NoEndpoint(_) => "name it in the table `oauth`".into(),
            TokenError::NotBuilt => {
                "build it with the feature `oauth`, or use `oauth-token-command`".into()
            }
            TokenError::Random => "this is a fault of the operating system: see its log".into(),
            TokenError::Refused { error, .. } => match error.as_str() {
                "invalid_client" | "unauthorized_client" => {
                    "check `client-id`, and that the provider has the program registered for this \
                     flow; some providers want a `client-secret-command`, too"
                        .into()
                }
                "invalid_scope" => {
                    "check `scope`, and that the provider lets the program have it".into()
                }
                _ => "check the settings in `oauth`".into(),
            },
            TokenError::Status { .. } if self.error.may_pass() => "try again later".into(),
            TokenError::Status { .. } => "check the end points in `oauth`".into(),
            TokenError::Store(StoreError::Content { .. }) => {
                format!("{login} to have new ones").into()
            }
            TokenError::Store(error) => return error.hint(),
            TokenError::Unreachable { .. } => "check the end point's name and the network".into(),
        })
    }
}

impl Failure for StoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::Content { .. } => Exit::NoPermission,
            Self::File { .. } => Exit::IoError,
            Self::FileMode { .. } | Self::FileOwner { .. } => Exit::Config,
            Self::Keyring(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Content { .. } => "sign in again with `popsync login`".into(),
            Self::File { .. } => {
                "`token-file` must name a file in a folder where you may make files".into()
            }
            Self::FileMode { path, .. } => format!("run `chmod 600 {}`", quoted(path)).into(),
            Self::FileOwner { .. } => "let `token-file` name a file of your own".into(),
            Self::Keyring(keyring::Error::NotBuilt) => {
                "build it with the feature `keyring`, or keep the tokens in a file: \
                 `oauth = { token-file = \"…\", … }`"
                    .into()
            }
            Self::Keyring(_) => {
                "tokens are kept in the keyring; without one, name a file that only you can read: \
                 `oauth = { token-file = \"…\", … }`"
                    .into()
            }
        })
    }
}
