//! The endpoints of a provider: built in, from the settings, or from its metadata.

use serde::Deserialize;

use super::TokenError;
use super::http::Agent;
use crate::account::{Endpoint, Endpoints, OAuth, Provider};

/// RFC 8414 §2, RFC 8628 §4.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    #[serde(default)]
    authorization_endpoint: Option<String>,
    #[serde(default)]
    device_authorization_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint: Option<String>,
}

/// The identity of tokens: the provider, the client, and the scope.
pub(super) fn identity(oauth: &OAuth) -> String {
    let provider = match &oauth.provider {
        Provider::Google => "google".to_owned(),
        Provider::Issuer(issuer) => format!("issuer {issuer}"),
        Provider::Microsoft { tenant } => format!("microsoft {tenant}"),
        Provider::Other(endpoints) => format!("token-endpoint {}", endpoints.token),
    };
    format!("{provider}\n{}\n{}", oauth.client_id, oauth.scope)
}

/// The endpoints of the provider. Its metadata is fetched if only the issuer is known.
pub(super) async fn endpoints(agent: &Agent, provider: &Provider) -> Result<Endpoints, TokenError> {
    match provider {
        Provider::Google => Ok(Endpoints {
            auth: Some(known("https://accounts.google.com/o/oauth2/v2/auth")?),
            // Google has one, but it refuses the scope of mail.
            device: None,
            token: known("https://oauth2.googleapis.com/token")?,
        }),
        Provider::Microsoft { tenant } => {
            let at = |name| {
                known(&format!(
                    "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/{name}"
                ))
            };
            Ok(Endpoints {
                auth: Some(at("authorize")?),
                device: Some(at("devicecode")?),
                token: at("token")?,
            })
        }
        Provider::Issuer(issuer) => discovered(agent, issuer).await,
        Provider::Other(endpoints) => Ok(endpoints.clone()),
    }
}

fn known(url: &str) -> Result<Endpoint, TokenError> {
    url.parse().map_err(|_| TokenError::Answer {
        from: url.to_owned(),
        what: "no end point of a provider",
    })
}

/// RFC 8414 §3, and if there is no such document, OpenID Connect Discovery 1.0 §4.
async fn discovered(agent: &Agent, issuer: &Endpoint) -> Result<Endpoints, TokenError> {
    let (origin, path) = (issuer.origin(), issuer.path());
    let oauth = known(&format!(
        "{origin}/.well-known/oauth-authorization-server{path}"
    ))?;
    let openid = known(&format!("{origin}{path}/.well-known/openid-configuration"))?;
    let mut answer = agent.get(&oauth).await?;
    let mut from = oauth;
    if answer.status() == 404 {
        answer = agent.get(&openid).await?;
        from = openid;
    }
    let metadata = answer.read::<Metadata>(&[])??;
    of_metadata(issuer, metadata).map_err(|what| TokenError::Answer {
        from: from.to_string(),
        what,
    })
}

fn of_metadata(issuer: &Endpoint, metadata: Metadata) -> Result<Endpoints, &'static str> {
    // RFC 8414 §3.3: otherwise one provider could speak for another.
    let bare = |url: &str| url.trim_end_matches('/').to_owned();
    if bare(&metadata.issuer) != bare(issuer.as_str()) {
        return Err("the metadata of another issuer");
    }
    let endpoint = |url: Option<String>| match url.map(|url| url.parse::<Endpoint>()) {
        None => Ok(None),
        // Metadata that came over TLS must not lead to an endpoint without it.
        Some(Ok(endpoint)) if endpoint.is_https() || !issuer.is_https() => Ok(Some(endpoint)),
        Some(_) => Err("an end point that is no `https://` URL"),
    };
    Ok(Endpoints {
        auth: endpoint(metadata.authorization_endpoint)?,
        device: endpoint(metadata.device_authorization_endpoint)?,
        token: endpoint(metadata.token_endpoint)?.ok_or("no token end point")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(issuer: &str, json: &str) -> Result<Endpoints, &'static str> {
        let metadata = serde_json::from_str(json).unwrap();
        of_metadata(&issuer.parse().unwrap(), metadata)
    }

    #[test]
    fn metadata_is_that_of_the_issuer_and_leads_to_tls_alone() {
        let issuer = "https://login.example.com/a";
        let good = r#"{"issuer":"https://login.example.com/a/",
            "token_endpoint":"https://login.example.com/token",
            "device_authorization_endpoint":"https://login.example.com/device"}"#;
        let endpoints = read(issuer, good).unwrap();
        assert_eq!(endpoints.token.as_str(), "https://login.example.com/token");
        assert!(endpoints.auth.is_none() && endpoints.device.is_some());
        for bad in [
            r#"{"issuer":"https://evil.example/a","token_endpoint":"https://h/t"}"#,
            r#"{"issuer":"https://login.example.com/a","token_endpoint":"http://127.0.0.1/t"}"#,
            r#"{"issuer":"https://login.example.com/a","token_endpoint":"http://h/t"}"#,
            r#"{"issuer":"https://login.example.com/a"}"#,
        ] {
            assert!(read(issuer, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_known_by_heart_are_endpoints() {
        for url in [
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
            "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
        ] {
            assert!(known(url).is_ok(), "{url}");
        }
    }
}
