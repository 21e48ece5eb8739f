//! The device flow (RFC 8628): a person signs in elsewhere, with a code that is shown here.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::http::{Agent, Field, name};
use super::token::{Granted, Seconds, Secret, Tokens};
use super::{Invitation, SignIn, TokenError};
use crate::account::{Endpoint, OAuth};

/// RFC 8628 §3.2: the interval if the provider names none.
const INTERVAL: Duration = Duration::from_secs(5);

/// RFC 8628 §3.5: `slow_down` adds this to the interval.
const SLOWER: Duration = Duration::from_secs(5);

/// The longest interval between two requests.
const SLOWEST: Duration = Duration::from_secs(60);

/// The maximum lifetime of a code, whatever the provider says.
const LONGEST: u64 = 30 * 60;

/// The longest code or address that is shown to a person.
const SHOWN: usize = 2048;

/// RFC 8628 §3.2; Google calls the address `verification_url`.
#[derive(Deserialize)]
struct Answer {
    device_code: Secret,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    expires_in: Seconds,
    #[serde(default)]
    interval: Option<Seconds>,
}

/// Signs in. `now` gives the second when the tokens come.
pub(super) async fn sign_in(
    agent: &Agent,
    oauth: &OAuth,
    device: &Endpoint,
    token: &Endpoint,
    client: &[Field],
    person: &dyn SignIn,
    now: fn() -> i64,
) -> Result<Tokens, TokenError> {
    let mut form = client.to_vec();
    form.push(("scope", oauth.scope.as_str().into()));
    let answer = agent.post(device, &form).await?.read::<Answer>(&form)??;
    let begun = Instant::now();
    if !is_address(&answer.verification_uri, device) || !is_shown(&answer.user_code) {
        return Err(TokenError::Answer {
            from: name(device),
            what: "a code or an address that cannot be shown",
        });
    }
    let complete = answer.verification_uri_complete.as_deref();
    person.invite(&Invitation::Device {
        address: &answer.verification_uri,
        complete: complete.filter(|address| is_address(address, device)),
        code: &answer.user_code,
    });
    let end = begun + Duration::from_secs(answer.expires_in.get().clamp(1, LONGEST));
    let interval = answer.interval.map_or(INTERVAL, |seconds| {
        Duration::from_secs(seconds.get().max(1)).min(SLOWEST)
    });
    let wait = Wait { end, interval };
    let granted = poll(agent, token, client, answer.device_code.into_inner(), wait).await?;
    Tokens::granted(oauth, token, granted, now())
}

/// The end and the interval of the requests.
struct Wait {
    end: Instant,
    interval: Duration,
}

/// RFC 8628 §3.4, §3.5.
async fn poll(
    agent: &Agent,
    token: &Endpoint,
    client: &[Field],
    device_code: SecretString,
    mut wait: Wait,
) -> Result<Granted, TokenError> {
    let mut form = client.to_vec();
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    form.push(("grant_type", grant.into()));
    form.push(("device_code", device_code));
    loop {
        let next = Instant::now() + wait.interval;
        if next >= wait.end {
            return Err(TokenError::ExpiredCode);
        }
        sleep_until(next).await;
        let answer = match agent.post(token, &form).await {
            Ok(answer) => answer.read::<Granted>(&form),
            Err(error) => Err(error),
        };
        match answer {
            Ok(Ok(granted)) => return Ok(granted),
            Ok(Err(refused)) => match refused.error.as_str() {
                "authorization_pending" => {}
                "slow_down" => wait.interval = (wait.interval + SLOWER).min(SLOWEST),
                _ => return Err(refused.into()),
            },
            // The person may be signing in meanwhile. RFC 8628 §3.5 asks for growing intervals.
            Err(error) if error.may_pass() => {
                tracing::debug!("{error}, asking again");
                wait.interval = (wait.interval * 2).min(SLOWEST);
            }
            Err(error) => return Err(error),
        }
    }
}

/// True if a person may be sent to the address: over TLS, unless the provider is on this machine,
/// and not to a host that pretends to be another.
fn is_address(address: &str, device: &Endpoint) -> bool {
    let page = address.split(['?', '#']).next().unwrap_or_default();
    let page = page.parse::<Endpoint>();
    let protected = page.is_ok_and(|page| page.is_https() || !device.is_https());
    protected && is_shown(address)
}

fn is_shown(text: &str) -> bool {
    let visible = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    visible && !text.trim().is_empty() && text.len() <= SHOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_sent_to_pages_with_tls_or_of_this_machine() {
        let far: Endpoint = "https://login.example.com/device".parse().unwrap();
        let near: Endpoint = "http://127.0.0.1:8080/device".parse().unwrap();
        for (address, from_far, from_near) in [
            ("https://example.com/device", true, true),
            ("https://example.com/device?user_code=AB%2BC#x", true, true),
            ("http://127.0.0.1:8080/activate?code=A", false, true),
            ("http://example.com/device", false, false),
            ("http://127.0.0.1.example.com/device", false, false),
            ("https://login.example.com@evil.example/", false, false),
            ("javascript:alert(1)", false, false),
            ("https://example.com/\u{1b}[31m", false, false),
            ("https://example.com/?\u{202e}", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_address(address, &far), from_far, "{address}");
            assert_eq!(is_address(address, &near), from_near, "{address}");
        }
    }
}
