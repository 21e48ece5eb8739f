//! The few requests that OAuth needs, and their answers.
//!
//! Answers are limited in size and time, and redirections are not followed. The provider's text is
//! cut short and never repeats a secret that was sent.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::TokenError;
use crate::account::Endpoint;
use crate::auth::secrets::Secrets;

#[cfg_attr(not(feature = "oauth"), path = "http/none.rs")]
mod agent;

pub(super) use agent::Agent;

/// The longest answer that is read.
#[cfg_attr(not(feature = "oauth"), expect(dead_code))]
const LIMIT: u64 = 64 * 1024;

/// The longest text of a provider that is shown.
const WORDS: usize = 200;

/// A field of a form.
pub(super) type Field = (&'static str, SecretString);

/// The answer to a request.
pub(super) struct Answer {
    from: String,
    status: u16,
    body: Zeroizing<Vec<u8>>,
}

/// RFC 6749 §5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// A refusal in terms of RFC 6749 §5.2 and RFC 8628 §3.5.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) from: String,
    pub(super) error: String,
    pub(super) description: Option<String>,
}

impl From<Refused> for TokenError {
    fn from(refused: Refused) -> Self {
        let Refused {
            from,
            error,
            description,
        } = refused;
        match error.as_str() {
            "access_denied" => Self::Denied { description },
            "expired_token" => Self::ExpiredCode,
            "invalid_grant" => Self::InvalidGrant { description },
            _ => Self::Refused {
                from,
                error,
                description,
            },
        }
    }
}

impl Answer {
    /// An answer that the caller already has.
    pub(super) fn given(from: &Endpoint, status: u16, body: &[u8]) -> Self {
        Self {
            from: name(from),
            status,
            body: Zeroizing::new(body.to_vec()),
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// The answer, or the refusal. A refusal must not repeat `sent`.
    pub(super) fn read<T: DeserializeOwned>(
        self,
        sent: &[Field],
    ) -> Result<Result<T, Refused>, TokenError> {
        let Self { from, status, body } = self;
        match status {
            200..=299 => match serde_json::from_slice(&body) {
                Ok(answer) => Ok(Ok(answer)),
                // The parser's error text may quote its input.
                Err(_) => Err(TokenError::Answer {
                    from,
                    what: "not the JSON that was expected",
                }),
            },
            300..=399 => Err(TokenError::Redirected { from }),
            _ => match serde_json::from_slice::<Refusal>(&body) {
                Ok(refusal) => Ok(Err(Refused {
                    from,
                    error: words(&refusal.error, sent),
                    description: refusal
                        .error_description
                        .map(|text| words(&text, sent))
                        .filter(|text| !text.is_empty()),
                })),
                Err(_) => Err(TokenError::Status { from, status }),
            },
        }
    }
}

/// The fields of a form that are secrets. The others, such as the client and the scope, are needed
/// in a provider's complaint.
const SECRET: [&str; 5] = [
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
];

/// The first line of a provider's text, cut short, and without the secrets in `sent`.
pub(super) fn words(text: &str, sent: &[Field]) -> String {
    let secret = |(name, _): &&Field| SECRET.contains(name);
    let secrets = sent.iter().filter(secret);
    let secrets = Secrets::of(secrets.map(|(_, secret)| secret.expose_secret().as_bytes()));
    let text = secrets.without_in(text);
    let line = text.lines().next().unwrap_or_default().trim();
    match line.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// The name of the provider, for messages.
pub(super) fn name(endpoint: &Endpoint) -> String {
    endpoint.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            from: "https://login.example.com/token".to_owned(),
            status,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn refusals_are_told_apart_from_nonsense() {
        let read = |status, body| answer(status, body).read::<serde_json::Value>(&[]);
        let refused = read(400, r#"{"error":"slow_down"}"#).unwrap().unwrap_err();
        assert_eq!(refused.error, "slow_down");
        for (status, body, expected) in [
            (200, "<html>", "cannot be understood"),
            (302, "", "redirects"),
            (307, r#"{"error":"x"}"#, "redirects"),
            (500, "<html>", "status 500"),
            (400, r#"{"error":7}"#, "status 400"),
            (401, "", "status 401"),
        ] {
            let error = read(status, body).unwrap_err().to_string();
            assert!(error.contains(expected), "{status} {body}: {error}");
        }
    }

    #[test]
    fn a_refusal_is_short_and_repeats_no_secret() {
        let sent = [("refresh_token", SecretString::from("geheim-geheim"))];
        let told = words("token geheim-geheim is bad\r\nTrace: 1", &sent);
        assert_eq!(told, "token *** is bad");
        assert_eq!(words(&"ä".repeat(300), &[]).chars().count(), WORDS + 1);
    }
}
