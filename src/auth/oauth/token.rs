//! Tokens: a provider's answer, and the part of it that is stored.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};

use super::TokenError;
use super::http::{Agent, Answer, Field, name};
use super::provider::identity;
use crate::account::{Endpoint, OAuth};

/// A token is replaced this long before it expires: it must not expire during a login.
const MARGIN: i64 = 5 * 60;

/// The longest token that is accepted. Those of Microsoft have some two thousand octets.
const MOST_OCTETS: usize = 16 * 1024;

/// The longest lifetime that is accepted, in seconds.
const MOST_SECONDS: u64 = 365 * 24 * 60 * 60;

/// The version of the stored form. Another one is not understood.
const VERSION: u32 = 1;

/// The tokens from a sign-in.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// The provider, the client and the scope. The tokens are sent to nobody else.
    identity: String,
    /// The endpoint that renews them.
    endpoint: Endpoint,
    access: SecretString,
    refresh: Option<SecretString>,
    /// The second at which the access token expires, if the provider said it.
    expires_at: Option<i64>,
}

/// RFC 6749 §5.1.
#[derive(Deserialize)]
pub(super) struct Granted {
    access_token: Secret,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<Seconds>,
    #[serde(default)]
    refresh_token: Option<Secret>,
}

/// A text that is never printed.
pub(super) struct Secret(SecretString);

impl Secret {
    pub(super) fn into_inner(self) -> SecretString {
        self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(Self(SecretString::from(Box::<str>::from(text.as_str()))))
    }
}

/// A number of seconds. Some providers write it as text.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
pub(super) enum Seconds {
    #[serde(deserialize_with = "from_text")]
    Text(u64),
    Number(u64),
}

impl Seconds {
    pub(super) fn get(self) -> u64 {
        let (Self::Text(seconds) | Self::Number(seconds)) = self;
        seconds.min(MOST_SECONDS)
    }
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// The stored form.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    identity: &'a str,
    token_endpoint: &'a str,
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    expires_at: Option<i64>,
}

/// The stored form, when read.
#[derive(Deserialize)]
struct Read {
    version: u32,
    identity: String,
    token_endpoint: String,
    access_token: Secret,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    expires_at: Option<i64>,
}

impl Tokens {
    /// The tokens that a provider granted at `now`.
    pub(super) fn granted(
        oauth: &OAuth,
        endpoint: &Endpoint,
        granted: Granted,
        now: i64,
    ) -> Result<Self, TokenError> {
        let bad = |what| TokenError::Answer {
            from: name(endpoint),
            what,
        };
        // XOAUTH2 and OAUTHBEARER can carry only RFC 6750 tokens.
        let bearer = |kind: &String| kind.eq_ignore_ascii_case("bearer");
        if !granted.token_type.as_ref().is_none_or(bearer) {
            return Err(bad("a token that is no bearer token"));
        }
        let access = granted.access_token.into_inner();
        let refresh = granted.refresh_token.map(Secret::into_inner);
        if !is_token(&access) || !refresh.as_ref().is_none_or(is_token) {
            return Err(bad("a token that cannot be one"));
        }
        let life = granted.expires_in.map(Seconds::get);
        Ok(Self {
            identity: identity(oauth),
            endpoint: endpoint.clone(),
            access,
            refresh,
            expires_at: life.map(|life| now.saturating_add(life.cast_signed())),
        })
    }

    /// The access token.
    pub(super) fn access(&self) -> &SecretString {
        &self.access
    }

    /// True if these match the settings. After a change of the provider, the client or the scope,
    /// the old tokens are useless, and the new provider must not see them.
    pub(super) fn are_for(&self, oauth: &OAuth) -> bool {
        self.identity == identity(oauth)
    }

    /// True if the access token is valid for some time yet.
    pub(super) fn are_fresh(&self, now: i64) -> bool {
        self.are_valid(now.saturating_add(MARGIN))
    }

    /// True if the access token has not expired.
    pub(super) fn are_valid(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| now < end)
    }

    /// True if both come from the same renewal.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let secret = |tokens: &Self| {
            let refresh = tokens.refresh.as_ref();
            refresh.map(|token| token.expose_secret().to_owned())
        };
        self.access.expose_secret() == other.access.expose_secret()
            && secret(self).map(Zeroizing::new) == secret(other).map(Zeroizing::new)
    }

    /// The same tokens, with an expired access token.
    pub(super) fn ended(self) -> Self {
        Self {
            expires_at: Some(0),
            ..self
        }
    }

    /// Gets new tokens for the refresh token (RFC 6749 §6).
    pub(super) async fn renewed(
        &self,
        agent: &Agent,
        oauth: &OAuth,
        client: &[Field],
        now: i64,
    ) -> Result<Self, TokenError> {
        let refresh = self.refresh.as_ref().ok_or(TokenError::NotSignedIn)?;
        let mut form = client.to_vec();
        form.push(("grant_type", "refresh_token".into()));
        form.push(("refresh_token", refresh.clone()));
        let answer = agent.post(&self.endpoint, &form).await?;
        let mut renewed = Self::of_answer(oauth, &self.endpoint, answer, &form, now)?;
        // RFC 6749 §6: if there is no new refresh token, the old one stays valid.
        renewed.refresh = renewed.refresh.or_else(|| Some(refresh.clone()));
        Ok(renewed)
    }

    /// The tokens in the answer of a token endpoint.
    pub(super) fn of_answer(
        oauth: &OAuth,
        endpoint: &Endpoint,
        answer: Answer,
        sent: &[Field],
        now: i64,
    ) -> Result<Self, TokenError> {
        let granted = answer.read::<Granted>(sent)??;
        Self::granted(oauth, endpoint, granted, now)
    }

    /// The tokens as text, to be stored.
    pub(super) fn text(&self) -> SecretString {
        let written = Written {
            version: VERSION,
            identity: &self.identity,
            token_endpoint: self.endpoint.as_str(),
            access_token: self.access.expose_secret(),
            refresh_token: self.refresh.as_ref().map(SecretString::expose_secret),
            expires_at: self.expires_at,
        };
        // Never grown: a buffer that grows leaves a copy behind. Texts become at most six times as
        // long.
        let mut text = Zeroizing::new(Vec::with_capacity(16 * MOST_OCTETS));
        // A structure of texts and numbers always has a JSON form.
        let _ = serde_json::to_writer(&mut *text, &written);
        SecretString::from(String::from_utf8_lossy(&text).into_owned())
    }

    /// The tokens from that text.
    pub(super) fn of_text(text: &SecretString) -> Option<Self> {
        let read: Read = serde_json::from_str(text.expose_secret()).ok()?;
        (read.version == VERSION).then_some(())?;
        Some(Self {
            identity: read.identity,
            endpoint: read.token_endpoint.parse().ok()?,
            access: Some(read.access_token.into_inner()).filter(is_token)?,
            refresh: read.refresh_token.map(Secret::into_inner),
            expires_at: read.expires_at,
        })
    }
}

/// Visible ASCII: more than RFC 6750 §2.1 allows, and without line ends.
fn is_token(token: &SecretString) -> bool {
    let token = token.expose_secret();
    let visible = token.bytes().all(|octet| octet.is_ascii_graphic());
    visible && !token.is_empty() && token.len() <= MOST_OCTETS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Provider;

    fn oauth() -> OAuth {
        OAuth {
            provider: Provider::Google,
            client_id: "popsync".to_owned(),
            client_secret_command: None,
            scope: "mail".to_owned(),
            token_file: None,
            ca_file: None,
        }
    }

    fn endpoint() -> Endpoint {
        "https://login.example.com/token".parse().unwrap()
    }

    fn granted(json: &str) -> Result<Tokens, TokenError> {
        let granted = serde_json::from_str(json).unwrap();
        Tokens::granted(&oauth(), &endpoint(), granted, 1_000_000)
    }

    #[test]
    fn tokens_are_kept_and_read_again() {
        let json = r#"{"access_token":"a/+=.~b","token_type":"bearer","expires_in":3600,
                       "refresh_token":"r"}"#;
        let tokens = granted(json).unwrap();
        let again = Tokens::of_text(&tokens.text()).unwrap();
        assert!(again.same_as(&tokens) && again.are_for(&oauth()));
        assert_eq!(again.expires_at, Some(1_003_600));
        assert_eq!(again.endpoint, endpoint());
        // Not the tokens of another program, nor those for another purpose.
        let other = OAuth {
            client_id: "other".to_owned(),
            ..oauth()
        };
        assert!(!again.are_for(&other));
        let other = OAuth {
            scope: "all".to_owned(),
            ..oauth()
        };
        assert!(!again.are_for(&other));
        for text in ["", "{}", "[]", r#"{"version":2}"#] {
            assert!(Tokens::of_text(&SecretString::from(text)).is_none());
        }
    }

    #[test]
    fn the_end_of_a_token_is_seen_before_it_comes() {
        let tokens = granted(r#"{"access_token":"a","expires_in":"3600"}"#).unwrap();
        let end = 1_003_600;
        for (now, fresh, valid) in [
            (1_000_000, true, true),
            (end - MARGIN - 1, true, true),
            (end - MARGIN, false, true),
            (end - 1, false, true),
            (end, false, false),
            (i64::MAX, false, false),
        ] {
            assert_eq!(
                (tokens.are_fresh(now), tokens.are_valid(now)),
                (fresh, valid)
            );
        }
        // The end is unknown, so it is renewed each time.
        assert!(!granted(r#"{"access_token":"a"}"#).unwrap().are_valid(0));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused() {
        let long = "a".repeat(MOST_OCTETS + 1);
        for json in [
            r#"{"access_token":""}"#.to_owned(),
            r#"{"access_token":"a b"}"#.to_owned(),
            r#"{"access_token":"a\r\nQUIT"}"#.to_owned(),
            r#"{"access_token":"a\u0001"}"#.to_owned(),
            r#"{"access_token":"ä"}"#.to_owned(),
            r#"{"access_token":"a","refresh_token":"\n"}"#.to_owned(),
            r#"{"access_token":"a","token_type":"mac"}"#.to_owned(),
            format!(r#"{{"access_token":"{long}"}}"#),
        ] {
            assert!(
                matches!(granted(&json), Err(TokenError::Answer { .. })),
                "{json}"
            );
        }
        let endless = r#"{"access_token":"a","expires_in":18446744073709551615}"#;
        assert!(granted(endless).unwrap().expires_at.unwrap() < 1_000_000 + 32_000_000);
    }
}
