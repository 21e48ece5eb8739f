//! The door through which tests, benchmarks and fuzz targets look into the layers. No promise is made
//! of it.

pub mod account {
    //! Settings of accounts.

    pub use crate::account::{
        Endpoint, EndpointError, Endpoints, Fingerprint, FingerprintError, Identity, Limits, OAuth,
        Pinned, Provider, Proxy, ProxyLogin, ProxyProtocol, Retention, Security, Server,
        TlsVersion,
    };
}

pub mod auth {
    //! Mechanisms, and logins through an OAuth provider.

    pub use crate::auth::SaslError;
    pub use crate::auth::{
        binding, cram_md5, login, mechanism, ntlm, oauth, oauthbearer, plain, scram, xoauth2,
    };
}

pub mod cache {
    //! The state.

    pub use crate::cache::{
        AccountId, AccountRow, Cache, DoubtReason, LineEnds, Lock, MessageKey, Shown, Snapshot,
        Staged, Takes,
    };
}

#[cfg(feature = "cli")]
pub mod cli {
    //! The command line.

    pub use crate::cli::args;
}

pub mod config {
    //! The table of settings.

    pub use crate::config::manual;
}

pub mod envelope {
    //! Header fields.

    pub use crate::envelope::Envelope;
}

pub mod find {
    //! The search for an address's server.

    pub use crate::find::{Address, Found, NotAnAddress, Places, Source, search};
    #[cfg(feature = "oauth")]
    pub use crate::find::{autoconfig, autodiscover};
}

pub mod import {
    //! Other programs' lists.

    pub use crate::import::{Entries, Entry, Error, Format, LineError, Mailbox, open};
    pub use crate::patient::Patient;
}

pub mod maildrop {
    //! The joined listings.

    pub use crate::maildrop::{Builder, Maildrop, Message, Place};
}

pub mod policy {
    //! The plan.

    pub use crate::policy::{
        Action, Circumstances, Decision, Evidence, HeaderOnly, Memory, Plan, Remembered, Rules,
        StoreState, Whereabouts, plan,
    };
}

pub mod session {
    //! Connections.

    pub use crate::session::{Error, Peer, Session};
}

pub mod sync {
    //! Jobs beside a sync.

    pub use crate::cache::Taken;
    pub use crate::sync::error::Error;
    pub use crate::sync::from_store::from_store;
}

pub mod store {
    //! Stores.

    pub use crate::store::{
        Delivery, Draft, Extent, Inventory, Maildir, Mbox, Name, Readers, Record, Recovered, Store,
        Viewer, mbox,
    };
}

pub mod errors {
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
        Awaited, CertificateDefect, CertificateError, ClientCertificateError,
        Error as SessionError, HandshakeError, ProxyError as ProxyConnectionError, RootsError,
    };
    pub use crate::store::{Error as StorageError, MailFileError};
    pub use crate::words::WordsError;
}
