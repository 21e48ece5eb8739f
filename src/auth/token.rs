//! Access tokens, and a server's reply to one that it refuses (RFC 7628 §3.2.2).

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::sasl_error::SaslError;

/// The maximum of a server's text that is shown.
const MAX_SHOWN: usize = 200;

/// Checks that a secret can be an access token: RFC 6750 §2.1, and any visible character, since
/// providers have their own forms. A line end in it would begin another field.
pub(super) fn check(token: &SecretString) -> Result<&SecretString, SaslError> {
    let octets = token.expose_secret().as_bytes();
    if octets.is_empty() || !octets.iter().all(u8::is_ascii_graphic) {
        return Err(SaslError::NotAToken);
    }
    Ok(token)
}

/// A server's explanation of why it does not take a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Explanation {
    status: Option<String>,
    scope: Option<String>,
    issuer: Option<String>,
}

/// The form on the wire. Google's status is that of HTTP, and may be a number.
#[derive(Deserialize)]
struct Sent {
    status: Option<serde_json::Value>,
    scope: Option<String>,
    #[serde(rename = "openid-configuration")]
    issuer: Option<String>,
}

impl Explanation {
    /// Reads the fields that are known.
    pub(super) fn parse(challenge: &[u8]) -> Option<Self> {
        let sent: Sent = serde_json::from_slice(challenge).ok()?;
        let status = sent.status.and_then(|status| match status {
            serde_json::Value::String(status) => Some(status),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        Some(Self {
            status: status.map(shown),
            scope: sent.scope.map(shown),
            issuer: sent.issuer.map(shown),
        })
    }
}

/// The beginning of a text, without control characters.
fn shown(text: String) -> String {
    let visible = |c: &char| !c.is_control();
    text.chars().filter(visible).take(MAX_SHOWN).collect()
}

/// The result of a server's verdict and the reason that it sent before.
pub(super) fn verdict(accepted: bool, explanation: Option<Explanation>) -> Result<(), SaslError> {
    match explanation {
        Some(Explanation {
            status,
            scope,
            issuer,
        }) if !accepted => Err(SaslError::Token {
            status: status.unwrap_or_else(|| "unknown".to_owned()),
            scope,
            issuer,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_visible_word() {
        for good in ["ya29.a-b_c~d+e/f==", "eyJ0.x.y", "a"] {
            assert!(check(&SecretString::from(good)).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\x01auth=x", "a\n", "tökén"] {
            assert_eq!(
                check(&SecretString::from(bad)).unwrap_err(),
                SaslError::NotAToken
            );
        }
    }

    #[test]
    fn objections_are_read_with_patience() {
        let status = |text: &str| Explanation::parse(text.as_bytes()).map(|o| o.status);
        assert_eq!(status(r#"{"status":"400"}"#), Some(Some("400".into())));
        assert_eq!(
            status(r#"{"status":401,"x":[1]}"#),
            Some(Some("401".into()))
        );
        assert_eq!(status(r#"{"status":null}"#), Some(None));
        assert_eq!(status("{}"), Some(None));
        for nonsense in ["", "[]", "{", "401", "\u{1}"] {
            assert_eq!(status(nonsense), None, "{nonsense}");
        }
        let long = format!(r#"{{"status":"\u001b[31m{}"}}"#, "x".repeat(1000));
        let status = status(&long).flatten().unwrap();
        assert!(status.starts_with("[31mxx") && status.len() == MAX_SHOWN);
    }

    #[test]
    fn only_a_refusal_is_explained() {
        let explanation = Explanation::parse(b"{}");
        assert_eq!(verdict(true, explanation.clone()), Ok(()));
        assert!(verdict(false, explanation).is_err());
        assert_eq!(verdict(false, None), Ok(()));
    }
}
