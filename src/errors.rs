//! The errors that others have inside.

pub use crate::auth::apop::Error as ApopError;
pub use crate::auth::argument::BadByte;
pub use crate::auth::choose::Secret;
pub use crate::auth::keyring::Error as KeyringError;
pub use crate::auth::oauth::{Error as OAuthError, Place, StoreError, TokenError};
pub use crate::auth::private_file::FileError;
pub use crate::auth::source::{Error as PasswordError, Origin};
pub use crate::auth::{Error as AuthError, SaslError};
pub use crate::cache::{Error as CacheError, Holder, SameAsError};
pub use crate::config::quantity::{PatienceError, SizeError, SpanError, TimeError};
pub use crate::profile::UnknownProfile;
pub use crate::session::{
    Awaited, CertificateDefect, CertificateError, ClientCertificateError, Error as SessionError,
    HandshakeError, ProxyError as ProxyConnectionError, RootsError,
};
pub use crate::store::{Error as StorageError, MailFileError};
pub use crate::words::WordsError;
