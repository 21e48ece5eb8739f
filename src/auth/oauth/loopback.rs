//! The flow through a browser (RFC 8252): the provider sends the browser back to an address of this
//! machine, with a code. The code is useless without the verifier, which stays here (RFC 7636).

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::http::{Agent, Field, Refused, name, words};
use super::token::Tokens;
use super::{Invitation, SignIn, TokenError};
use crate::account::{Endpoint, OAuth, Provider};

/// The time to wait for a person.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// The time limit for a browser's request. Some connect ahead and send nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// The longest request that is read.
const LIMIT: usize = 16 * 1024;

/// The maximum number of connections served at a time. Other programs on this machine may open
/// more.
const CONNECTIONS: usize = 32;

/// Signs in. `now` gives the second when the tokens come.
pub(super) async fn sign_in(
    agent: &Agent,
    oauth: &OAuth,
    auth: &Endpoint,
    token: &Endpoint,
    client: &[Field],
    person: &dyn SignIn,
    now: fn() -> i64,
) -> Result<Tokens, TokenError> {
    let failed = |source: io::Error| TokenError::Unreachable {
        from: "an address of this machine".to_owned(),
        source: Box::new(source),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    // RFC 8252 §7.3 requires the address; Microsoft allows any port only for the name.
    let host = match oauth.provider {
        Provider::Microsoft { .. } => "localhost",
        _ => "127.0.0.1",
    };
    let redirect = format!("http://{host}:{port}/");
    let (state, verifier) = (random::<16>()?, random::<32>()?);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret()));
    let mut url = format!("{auth}?response_type=code");
    let extra: &[(&str, &str)] = match oauth.provider {
        // Otherwise Google gives no refresh token, or only the first time.
        Provider::Google => &[("access_type", "offline"), ("prompt", "consent")],
        _ => &[],
    };
    let fields = [
        ("client_id", oauth.client_id.as_str()),
        ("redirect_uri", &redirect),
        ("scope", &oauth.scope),
        ("state", state.expose_secret()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (key, value) in fields.iter().chain(extra) {
        url.push_str(&format!("&{key}={}", percent_encoded(value)));
    }
    person.invite(&Invitation::Browser { address: &url });
    let code = match timeout(SIGN_IN_TIMEOUT, answer(&listener, &state)).await {
        Ok(Ok(Ok(code))) => code,
        Ok(Ok(Err(refusal))) => return Err(refusal.into_error(name(auth))),
        Ok(Err(error)) => return Err(failed(error)),
        Err(_) => {
            return Err(TokenError::Abandoned {
                limit: SIGN_IN_TIMEOUT,
            });
        }
    };
    let mut form = client.to_vec();
    form.extend([
        ("grant_type", "authorization_code".into()),
        ("code", code),
        ("redirect_uri", redirect.into()),
        ("code_verifier", verifier),
    ]);
    let answer = agent.post(token, &form).await?;
    Tokens::of_answer(oauth, token, answer, &form, now())
}

/// The error that the provider sends with the browser instead of a code (RFC 6749 §4.1.2.1).
struct Refusal {
    error: String,
    description: Option<String>,
}

impl Refusal {
    fn into_error(self, from: String) -> TokenError {
        let Self { error, description } = self;
        Refused {
            from,
            error,
            description,
        }
        .into()
    }
}

/// Waits for the browser. A request without our state is turned away and does not end the wait: any
/// page may send a browser here.
async fn answer(
    listener: &TcpListener,
    state: &SecretString,
) -> io::Result<Result<SecretString, Refusal>> {
    let mut browsers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if browsers.len() < CONNECTIONS => {
                let (stream, _) = accepted?;
                let state = state.clone();
                browsers.spawn(async move {
                    timeout(SILENCE, serve(stream, &state)).await.ok().flatten()
                });
            }
            Some(served) = browsers.join_next() => {
                if let Ok(Some(answer)) = served {
                    return Ok(answer);
                }
            }
        }
    }
}

/// Serves one request. Returns the expected answer, or none for any other request.
async fn serve(
    mut stream: TcpStream,
    state: &SecretString,
) -> Option<Result<SecretString, Refusal>> {
    // Never grown: a buffer that grows leaves a copy behind.
    let mut request = Zeroizing::new(vec![0; LIMIT]);
    let mut filled = 0;
    while !request[..filled].windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut request[filled..]).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => filled += count,
        }
    }
    let read = read(&request[..filled], state);
    let (status, text) = match &read {
        Some(Ok(_)) => ("200 OK", "Signed in. You can close this window."),
        Some(Err(_)) => ("200 OK", "Not signed in. You can close this window."),
        None => ("404 Not Found", "Nothing is here."),
    };
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // The sign-in is complete, even if the page does not reach the person.
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
    read
}

/// The result in a request to `/`, if it has our state.
fn read(request: &[u8], state: &SecretString) -> Option<Result<SecretString, Refusal>> {
    let line = request.split(|octet| *octet == b'\r').next()?;
    let line = str::from_utf8(line).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let query = target.strip_prefix("/?")?;
    let mut fields = [None, None, None, None];
    for part in query.split('&') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let known = ["code", "error", "error_description", "state"];
        if let Some(at) = known.iter().position(|name| *name == key) {
            // RFC 6749 §3.1: no field may occur twice.
            if fields[at].is_some() {
                return None;
            }
            fields[at] = Some(percent_decoded(value)?);
        }
    }
    let [code, error, description, theirs] = fields;
    let same = theirs?.as_bytes() == state.expose_secret().as_bytes();
    match (same, code, error) {
        (true, _, Some(error)) => Some(Err(Refusal {
            error: words(&error, &[]),
            description: description
                .map(|text| words(&text, &[]))
                .filter(|text| !text.is_empty()),
        })),
        (true, Some(code), None) if !code.is_empty() => {
            Some(Ok(SecretString::from(Box::<str>::from(code.as_str()))))
        }
        _ => None,
    }
}

/// This many random octets as text.
fn random<const N: usize>() -> Result<SecretString, TokenError> {
    let mut octets = Zeroizing::new([0; N]);
    getrandom::fill(&mut *octets).map_err(|_| TokenError::Random)?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(*octets)))
}

/// RFC 3986 §2.1: encodes all characters that are not unreserved.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(octet));
            }
            _ => encoded.push_str(&format!("%{octet:02X}")),
        }
    }
    encoded
}

fn percent_decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'%' => {
                let mut digit = || char::from(octets.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => b' ',
            _ => octet,
        });
    }
    Some(Zeroizing::new(str::from_utf8(&decoded).ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<Result<String, String>> {
        let request = format!("{line}\r\nHost: 127.0.0.1\r\n\r\n");
        read(request.as_bytes(), &SecretString::from("s-1")).map(|answer| {
            answer
                .map(|code| code.expose_secret().to_owned())
                .map_err(|refusal| refusal.error)
        })
    }

    #[test]
    fn a_code_counts_only_with_our_state() {
        let table = [
            ("GET /?code=a%2Fb&state=s-1 HTTP/1.1", Some(Ok("a/b"))),
            ("GET /?state=s-1&code=a+b&scope=x HTTP/1.1", Some(Ok("a b"))),
            (
                "GET /?error=access_denied&state=s-1 HTTP/1.1",
                Some(Err("access_denied")),
            ),
            ("GET /?code=a HTTP/1.1", None),
            ("GET /?code=a&state=s-2 HTTP/1.1", None),
            ("GET /?code=a&state= HTTP/1.1", None),
            ("GET /?error=access_denied&state=s HTTP/1.1", None),
            ("GET /?code=&state=s-1 HTTP/1.1", None),
            ("GET /?code=a&code=b&state=s-1 HTTP/1.1", None),
            ("GET /?code=%f&state=s-1 HTTP/1.1", None),
            ("GET /?code=%ff&state=s-1 HTTP/1.1", None),
            ("GET /favicon.ico HTTP/1.1", None),
            ("GET / HTTP/1.1", None),
            ("POST /?code=a&state=s-1 HTTP/1.1", None),
            ("GET", None),
            ("", None),
        ];
        for (line, expected) in table {
            let expected = expected.map(|answer| {
                answer
                    .map(str::to_owned)
                    .map_err(|error: &str| error.to_owned())
            });
            assert_eq!(said(line), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC*") {
            let encoded = percent_encoded(&text);
            proptest::prop_assert!(encoded.is_ascii() && !encoded.contains(['&', '=', ' ', '#']));
            let decoded = percent_decoded(&encoded).unwrap();
            proptest::prop_assert_eq!(decoded.as_str(), text);
        }
    }
}
