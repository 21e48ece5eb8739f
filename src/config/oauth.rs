//! The keys of `oauth`, and the provider that they describe together.

use std::path::PathBuf;

use crate::account::{Endpoint, EndpointError, Endpoints, OAuth, Provider};

use super::contradiction::Contradiction;
use super::faults::{Fault, Faults};
use super::key::Key;
use super::origin::{Origin, Setting};
use super::problem::Problem;

/// The keys of the table, as far as they are set.
#[derive(Default)]
pub(crate) struct OAuthKeys {
    pub(super) provider: Option<Setting<&'static str>>,
    pub(super) client_id: Option<Setting<String>>,
    pub(super) client_secret_command: Option<String>,
    pub(super) tenant: Option<Setting<String>>,
    pub(super) issuer: Option<Setting<Endpoint>>,
    pub(super) auth_endpoint: Option<Setting<Endpoint>>,
    pub(super) device_endpoint: Option<Setting<Endpoint>>,
    pub(super) token_endpoint: Option<Setting<Endpoint>>,
    pub(super) scope: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
}

/// `provider`.
pub(super) static PROVIDER: Key = Key {
    name: "provider",
    value: "NAME",
    example: "\"microsoft\"",
    inline: "@, client-id = \"YOUR-ID\", tenant = \"common\"",
    hint: Some(PROVIDER_HINT),
    text: "
        A provider whose end points popsync knows.
        Microsoft shows a code that you type on any device.
        Google does not allow that for mail: you sign in through a browser on this machine.",
    ..Key::OAUTH
};

/// `client-id`.
pub(super) static CLIENT_ID: Key = Key {
    name: "client-id",
    value: "ID",
    example: "\"YOUR-ID\"",
    inline: "provider = \"microsoft\", @",
    hint: Some(PROVIDER_HINT),
    text: "
        Required.
        The number of the program.",
    ..Key::OAUTH
};

/// `issuer`.
pub(super) static ISSUER: Key = Key {
    name: "issuer",
    value: "URL",
    example: "\"https://login.example.com\"",
    inline: "@, client-id = \"YOUR-ID\", scope = \"pop\"",
    text: "
        The address of any other provider that publishes its end points below it
        (RFC 8414 or OpenID Connect Discovery).",
    ..Key::OAUTH
};

/// `token-endpoint`.
pub(super) static TOKEN_ENDPOINT: Key = Key {
    name: "token-endpoint",
    value: "URL",
    example: "\"https://login.example.com/token\"",
    inline: "@, client-id = \"YOUR-ID\", scope = \"pop\"",
    text: "
        The address that gives tokens, for a provider that has neither a known name nor an issuer.
        It is `https://`, or `http://` at an address of this machine.",
    ..Key::OAUTH
};

/// `scope`.
pub(super) static SCOPE: Key = Key {
    name: "scope",
    value: "SCOPE",
    example: "\"pop\"",
    inline: "issuer = \"https://login.example.com\", client-id = \"YOUR-ID\", @",
    hint: Some("write the scope of mail at this provider, as it documents it"),
    text: "
        The rights of the token.
        Known for `microsoft` and `google`, otherwise required.",
    ..Key::OAUTH
};

pub(super) const PROVIDER_HINT: &str = "write for example \
    `oauth = { provider = \"microsoft\", client-id = \"…\" }`, with the number that the provider knows \
    the program by";

impl OAuthKeys {
    /// The settings that they make together; a missing key is reported at `whole`.
    pub(super) fn settings(mut self, whole: &Origin) -> Result<OAuth, Faults> {
        let mut faults = Faults::default();
        let missing = |key| Fault::new(whole, Problem::Missing { key });
        let (token_file, ca_file) = (self.token_file.take(), self.ca_file.take());
        let client_id = self.client_id.take().ok_or_else(|| missing(&CLIENT_ID));
        let client_id = faults.keep(client_id);
        let client_secret_command = self.client_secret_command.take();
        let scope = self.scope.take();
        let provider = faults.keep(self.provider(whole));
        let known = || provider.as_ref()?.scope().map(str::to_owned);
        let scope = scope.or_else(known);
        if scope.is_none() && provider.is_some() {
            faults.keep::<()>(Err(missing(&SCOPE)));
        }
        let (Some(provider), Some(client_id), Some(scope)) = (provider, client_id, scope) else {
            return Err(faults);
        };
        Ok(OAuth {
            scope,
            provider,
            client_id: client_id.value,
            client_secret_command,
            token_file,
            ca_file,
        })
    }

    /// The provider, which is named in one of four ways.
    fn provider(self, whole: &Origin) -> Result<Provider, Fault> {
        let several = |origin: &Origin| Err(Fault::new(origin, Contradiction::OAuthProviders));
        let missing = |key| Err(Fault::new(whole, Problem::Missing { key }));
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
                        key: &ISSUER,
                        error: EndpointError::NotHttps,
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
            (None, None) if endpoint.is_none() => missing(&PROVIDER),
            (None, None) => match self.token_endpoint {
                Some(token) => Ok(Provider::Other(Endpoints {
                    auth: self.auth_endpoint.map(|endpoint| endpoint.value),
                    device: self.device_endpoint.map(|endpoint| endpoint.value),
                    token: token.value,
                })),
                None => missing(&TOKEN_ENDPOINT),
            },
        }
    }
}
