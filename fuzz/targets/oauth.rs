//! Any answer of a provider that is asked for tokens: no panic, and a token that a line can carry,
//! or a short error.

use popsync::Failure;
use popsync::internals::account::{Endpoint, OAuth, Provider};
use popsync::internals::auth::oauth;
use secrecy::ExposeSecret;

pub(crate) fn holds(data: &[u8]) {
    let [status, body @ ..] = data else {
        return;
    };
    let all = [200, 201, 302, 400, 401, 429, 500, 503];
    let status = all[usize::from(*status) % all.len()];
    let settings = OAuth {
        provider: Provider::Google,
        client_id: "popsync".to_owned(),
        client_secret_command: None,
        scope: "mail".to_owned(),
        token_file: None,
        ca_file: None,
    };
    let Ok(endpoint) = "https://login.example/token".parse::<Endpoint>() else {
        return;
    };
    match oauth::token_in(&settings, &endpoint, status, body) {
        Ok(token) => {
            let token = token.expose_secret();
            let is_sent = |octet: &u8| (0x20..=0x7e).contains(octet);
            assert!((200..300).contains(&status));
            assert!(!token.is_empty() && token.as_bytes().iter().all(is_sent));
        }
        // A provider's words come as they are, and are escaped where they are shown.
        Err(error) => {
            let words = error.to_string();
            assert!(words.chars().count() < 1000, "{words:?}");
            let account = "work".to_owned();
            let _ = oauth::Error { account, error }.hint();
        }
    }
}
