//! `oauth = { … }`: whom to ask for access tokens.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::account::{Endpoint, Endpoints, OAuth, Provider};

use super::contradiction::Contradiction;
use super::faults::Faults;
use super::keys::{OAUTH_KEYS, OAUTH_PROVIDERS};
use super::paths::Base;
use super::problem::Problem;
use super::settings::{Fault, Origin, Setting};
use super::table::{self, Value};

/// The keys of the table, as far as they are set.
#[derive(Default)]
struct Keys {
    provider: Option<Setting<&'static str>>,
    client_id: Option<Setting<String>>,
    client_secret_command: Option<Setting<String>>,
    tenant: Option<Setting<String>>,
    issuer: Option<Setting<Endpoint>>,
    auth_endpoint: Option<Setting<Endpoint>>,
    device_endpoint: Option<Setting<Endpoint>>,
    token_endpoint: Option<Setting<Endpoint>>,
    scope: Option<Setting<String>>,
    token_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

/// Reads the table; `whole` is where a missing key is reported.
pub(super) fn read(table: &DeTable<'_>, base: &Base, whole: &Origin) -> Result<OAuth, Faults> {
    let (mut keys, mut faults) = (Keys::default(), Faults::default());
    for (key, value) in table::entries(table) {
        faults.keep(keys.set(key, value, base));
    }
    // A missing key may be one that could not be read.
    faults.into_result()?;
    let mut faults = Faults::default();
    let missing = |key| Fault::new(whole, Problem::Missing { key });
    let (token_file, ca_file) = (keys.token_file.take(), keys.ca_file.take());
    let client_id = keys.client_id.take().ok_or_else(|| missing("client-id"));
    let client_id = faults.keep(client_id);
    let client_secret_command = keys.client_secret_command.take();
    let scope = keys.scope.take().map(|scope| scope.value);
    let provider = faults.keep(keys.provider(whole));
    let known = || provider.as_ref()?.scope().map(str::to_owned);
    let scope = scope.or_else(known);
    if scope.is_none() && provider.is_some() {
        faults.keep::<()>(Err(missing("scope")));
    }
    let (Some(provider), Some(client_id), Some(scope)) = (provider, client_id, scope) else {
        return Err(faults);
    };
    Ok(OAuth {
        scope,
        provider,
        client_id: client_id.value,
        client_secret_command: client_secret_command.map(|command| command.value),
        token_file,
        ca_file,
    })
}

impl Keys {
    fn set(
        &mut self,
        key: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        base: &Base,
    ) -> Result<(), Fault> {
        let value = |key| Value { key, value };
        match key.get_ref().as_ref() {
            "provider" => {
                let value = value("provider");
                let name = value.choice(&OAUTH_PROVIDERS)?;
                let known = OAUTH_PROVIDERS.into_iter().find(|known| *known == name);
                self.provider = known.map(|name| value.setting(name));
            }
            "client-id" => self.client_id = Some(word(&value("client-id"))?),
            "client-secret-command" => {
                self.client_secret_command = Some(value("client-secret-command").command()?);
            }
            "tenant" => self.tenant = Some(tenant(&value("tenant"))?),
            "issuer" => self.issuer = Some(endpoint(&value("issuer"))?),
            "auth-endpoint" => self.auth_endpoint = Some(endpoint(&value("auth-endpoint"))?),
            "device-endpoint" => {
                self.device_endpoint = Some(endpoint(&value("device-endpoint"))?);
            }
            "token-endpoint" => self.token_endpoint = Some(endpoint(&value("token-endpoint"))?),
            "scope" => self.scope = Some(word(&value("scope"))?),
            "token-file" => self.token_file = Some(value("token-file").path(base)?.value),
            "ca-file" => self.ca_file = Some(value("ca-file").path(base)?.value),
            _ => return Err(table::unknown(key, &OAUTH_KEYS)),
        }
        Ok(())
    }

    /// One of the four ways to say who it is.
    fn provider(self, whole: &Origin) -> Result<Provider, Fault> {
        let several = |origin: &Origin| Err(Fault::new(origin, Contradiction::OAuthProviders));
        let named = self.provider.as_ref().map(|provider| provider.value);
        if let Some(tenant) = self.tenant.as_ref().filter(|_| named != Some("microsoft")) {
            return Err(Fault::new(
                &tenant.origin,
                Contradiction::TenantWithoutMicrosoft,
            ));
        }
        let endpoints = [
            &self.auth_endpoint,
            &self.device_endpoint,
            &self.token_endpoint,
        ];
        let endpoint = endpoints.into_iter().flatten().next();
        match (named, self.issuer) {
            (Some(_), Some(issuer)) => several(&issuer.origin),
            (None, Some(issuer)) => match endpoint {
                Some(endpoint) => several(&endpoint.origin),
                // RFC 8414 §2: an issuer is an `https` URL.
                None if !issuer.value.is_https() => Err(Fault::new(
                    &issuer.origin,
                    Problem::Endpoint {
                        key: "issuer",
                        error: crate::account::EndpointError::NotHttps,
                    },
                )),
                None => Ok(Provider::Issuer(issuer.value)),
            },
            (Some(name), None) => match (endpoint, name) {
                (Some(endpoint), _) => several(&endpoint.origin),
                (None, "google") => Ok(Provider::Google),
                (None, _) => Ok(Provider::Microsoft {
                    tenant: self
                        .tenant
                        .map_or_else(|| "common".to_owned(), |tenant| tenant.value),
                }),
            },
            (None, None) if endpoint.is_none() => {
                Err(Fault::new(whole, Problem::Missing { key: "provider" }))
            }
            (None, None) => match self.token_endpoint {
                Some(token) => Ok(Provider::Other(Endpoints {
                    auth: self.auth_endpoint.map(|endpoint| endpoint.value),
                    device: self.device_endpoint.map(|endpoint| endpoint.value),
                    token: token.value,
                })),
                None => Err(Fault::new(
                    whole,
                    Problem::Missing {
                        key: "token-endpoint",
                    },
                )),
            },
        }
    }
}

fn endpoint(value: &Value<'_, '_>) -> Result<Setting<Endpoint>, Fault> {
    let text = value.text()?;
    let key = value.key;
    match text.value.parse() {
        Ok(endpoint) => Ok(text.map(|_| endpoint)),
        Err(error) => Err(Fault::new(&text.origin, Problem::Endpoint { key, error })),
    }
}

/// What goes into a form as it is.
fn word(value: &Value<'_, '_>) -> Result<Setting<String>, Fault> {
    let text = value.text()?;
    let printable = |c: char| c == ' ' || c.is_ascii_graphic();
    if text.value.trim().is_empty() || !text.value.chars().all(printable) {
        return Err(value.wrong_type("printable ASCII"));
    }
    Ok(text.map(str::to_owned))
}

/// What becomes a part of an address.
fn tenant(value: &Value<'_, '_>) -> Result<Setting<String>, Fault> {
    let text = value.text()?;
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if !text.value.chars().all(part) || !text.value.chars().any(|c| c.is_ascii_alphanumeric()) {
        return Err(value.wrong_type("the name or number of a tenant"));
    }
    Ok(text.map(str::to_owned))
}
