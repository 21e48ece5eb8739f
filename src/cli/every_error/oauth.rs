//! Errors of access tokens.

use std::time::Duration;

use super::{Book, every, missing};
use crate::auth::oauth::{Error, Place, StoreError, TokenError};
use crate::auth::{keyring, source};

pub(super) fn add(book: &mut Book) {
    let path = || "/home/anna/tokens".into();
    every!(book, "auth::oauth::StoreError", StoreError {
        StoreError::Content { .. } => [Place::File(path()), Place::Keyring]
            .map(|place| StoreError::Content { place }),
        StoreError::File { .. } => [StoreError::File { path: path(), source: missing() }],
        StoreError::FileMode { .. } => [StoreError::FileMode { path: path(), mode: 0o644 }],
        StoreError::FileOwner { .. } => [StoreError::FileOwner { path: path(), owner: 1000 }],
        StoreError::Keyring(_) => [keyring::Error::NotBuilt, keyring::Error::NoSession]
            .map(StoreError::Keyring),
    });
    let _is_complete = |error: &TokenError| match error {
        TokenError::Abandoned { .. }
        | TokenError::Answer { .. }
        | TokenError::CaFile { .. }
        | TokenError::ClientSecret(_)
        | TokenError::Denied { .. }
        | TokenError::ExpiredCode
        | TokenError::InvalidGrant { .. }
        | TokenError::NoEndpoint(_)
        | TokenError::NotBuilt
        | TokenError::NotSignedIn
        | TokenError::Random
        | TokenError::Redirected { .. }
        | TokenError::Refused { .. }
        | TokenError::Status { .. }
        | TokenError::Store(_)
        | TokenError::Unreachable { .. } => (),
    };
    book.begin("auth::oauth::Error");
    for error in tokens() {
        book.add(&Error {
            account: "anna's work".to_owned(),
            error,
        });
    }
}

fn tokens() -> Vec<TokenError> {
    let from = || "https://login.example.com/token".to_owned();
    let secret = source::Error::Empty {
        origin: source::Origin::Command("client-secret-command"),
    };
    let mut errors = vec![
        TokenError::Abandoned {
            limit: Duration::from_secs(300),
        },
        TokenError::Answer {
            from: from(),
            what: "no access token",
        },
        TokenError::CaFile {
            path: "/etc/ca.pem".into(),
            source: missing(),
        },
        TokenError::ClientSecret(Box::new(secret)),
        TokenError::ExpiredCode,
        TokenError::NoEndpoint("device end point"),
        TokenError::NoEndpoint("authorization end point"),
        TokenError::NotBuilt,
        TokenError::NotSignedIn,
        TokenError::Random,
        TokenError::Redirected { from: from() },
        TokenError::Store(StoreError::Content {
            place: Place::Keyring,
        }),
        TokenError::Unreachable {
            from: from(),
            source: "connection refused".into(),
        },
    ];
    for description in [None, Some("Sorry.".to_owned())] {
        errors.push(TokenError::Denied {
            description: description.clone(),
        });
        errors.push(TokenError::InvalidGrant { description });
    }
    for error in ["invalid_client", "invalid_scope", "server_error"] {
        errors.push(TokenError::Refused {
            from: from(),
            error: error.to_owned(),
            description: None,
        });
    }
    for status in [404, 503] {
        errors.push(TokenError::Status {
            from: from(),
            status,
        });
    }
    errors
}
