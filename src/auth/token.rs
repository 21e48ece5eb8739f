//! Access tokens, and what a server says of one that it does not take (RFC 7628 §3.2.2).

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::fault::Fault;

/// The most of a server's words that is shown.
const MAX_SHOWN: usize = 200;

/// Checks that a secret can be an access token: RFC 6750 §2.1, and what else is visible, since
/// providers make their own. A line end in it would begin another field.
pub(super) fn check(token: &SecretString) -> Result<&SecretString, Fault> {
    let octets = token.expose_secret().as_bytes();
    if octets.is_empty() || !octets.iter().all(u8::is_ascii_graphic) {
        return Err(Fault::NotAToken);
    }
    Ok(token)
}

/// What a server has against a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Objection {
    status: Option<String>,
    scope: Option<String>,
    issuer: Option<String>,
}

/// As it is sent. Google's status is that of HTTP, and may be a number.
#[derive(Deserialize)]
struct Sent {
    status: Option<serde_json::Value>,
    scope: Option<String>,
    #[serde(rename = "openid-configuration")]
    issuer: Option<String>,
}

impl Objection {
    /// What can be understood of it.
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

/// As much as a person reads, without what acts on terminals.
fn shown(text: String) -> String {
    let visible = |c: &char| !c.is_control();
    text.chars().filter(visible).take(MAX_SHOWN).collect()
}

/// What a server's verdict means beside what it said before.
pub(super) fn verdict(accepted: bool, objection: Option<Objection>) -> Result<(), Fault> {
    match objection {
        Some(Objection {
            status,
            scope,
            issuer,
        }) if !accepted => Err(Fault::Token {
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
                Fault::NotAToken
            );
        }
    }

    #[test]
    fn objections_are_read_with_patience() {
        let status = |text: &str| Objection::parse(text.as_bytes()).map(|o| o.status);
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
        let objection = Objection::parse(b"{}");
        assert_eq!(verdict(true, objection.clone()), Ok(()));
        assert!(verdict(false, objection).is_err());
        assert_eq!(verdict(false, None), Ok(()));
    }
}
