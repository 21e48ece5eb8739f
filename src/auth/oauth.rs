//! OAuth: access tokens in place of a password.
//!
//! A person signs in once ([`sign_in`]), with a code on any device or through a browser here. The
//! refresh token from that gets a new access token whenever the old one is about to expire
//! ([`access_token`]). Tokens belong to a provider, a client and a scope, and are sent to nobody
//! else. A new refresh token is stored before its answer is used for anything else.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::account::{Account, Endpoint, OAuth};
use crate::auth::source;

mod device;
mod error;
mod http;
mod loopback;
mod provider;
mod store;
mod token;

pub use error::{Error, Place, StoreError, TokenError};

use http::{Agent, Answer, Field};
use store::Store;
use token::Tokens;

/// The way in which a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// With a code, on any device (RFC 8628).
    Device,
    /// Through a browser on this machine (RFC 8252).
    Browser,
}

/// The step that a person is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invitation<'a> {
    /// Open this address in a browser here.
    Browser {
        /// The address.
        address: &'a str,
    },
    /// Open an address anywhere, and type a code there.
    Device {
        /// The address.
        address: &'a str,
        /// The address with the code in it.
        complete: Option<&'a str>,
        /// The code.
        code: &'a str,
    },
}

/// Shows a person what to do.
pub trait SignIn: Send + Sync {
    /// Shows the invitation.
    fn invite(&self, invitation: &Invitation<'_>);
}

/// Tokens that are not stored yet.
#[derive(Debug)]
pub struct SignedIn {
    account: String,
    tokens: Tokens,
    store: Store,
}

impl SignedIn {
    /// The access token.
    pub fn access_token(&self) -> &SecretString {
        self.tokens.access()
    }

    /// Stores the tokens for later runs.
    ///
    /// # Errors
    /// If the keyring or the file does not accept them.
    pub async fn keep(&self) -> Result<(), Error> {
        // Otherwise a run that is renewing the old tokens could overwrite these.
        let _claim = self.store.claim().await;
        let saved = self.store.save(&self.tokens).await;
        saved.map_err(|error| Error {
            account: self.account.clone(),
            error,
        })
    }
}

/// An access token that is valid for at least some minutes, renewed at `now` if necessary.
///
/// # Errors
/// If nobody has signed in, or the provider requires a new sign-in or cannot be reached.
pub async fn access_token(
    account: &Account,
    oauth: &OAuth,
    now: i64,
) -> Result<SecretString, Error> {
    let store = Store::of(account, oauth);
    let token = fresh(&store, oauth, now).await;
    token.map_err(|error| Error::new(account, error))
}

async fn fresh(store: &Store, oauth: &OAuth, now: i64) -> Result<SecretString, TokenError> {
    // Two accounts may share their tokens, and a refresh token may be valid for one use only.
    let turn = turn(store);
    let _turn = turn.lock().await;
    let stored = store.load().await?;
    let Some(tokens) = stored.filter(|tokens| tokens.are_for(oauth)) else {
        return Err(TokenError::NotSignedIn);
    };
    if tokens.are_fresh(now) {
        return Ok(tokens.access().clone());
    }
    // Other runs share them too. Using a refresh token twice fails, and some providers then revoke
    // all tokens that came from it (RFC 9700 §4.14.2).
    let _claim = store.claim().await;
    let stored = store.load().await?;
    let tokens = stored.filter(|tokens| tokens.are_for(oauth));
    let tokens = tokens.ok_or(TokenError::NotSignedIn)?;
    if tokens.are_fresh(now) {
        return Ok(tokens.access().clone());
    }
    match renewed(&tokens, oauth, now).await {
        Ok(renewed) => {
            store.save(&renewed).await?;
            tracing::debug!("the access token was renewed");
            Ok(renewed.access().clone())
        }
        // Without a claim, another run may have used the refresh token at the same moment.
        Err(error @ TokenError::InvalidGrant { .. }) => match store.load().await? {
            Some(other) if other.are_for(oauth) && !other.same_as(&tokens) => {
                Ok(other.access().clone())
            }
            _ => Err(error),
        },
        Err(error) if error.may_pass() && tokens.are_valid(now) => {
            tracing::debug!("{error}; the access token is good for some minutes more");
            Ok(tokens.access().clone())
        }
        Err(error) => Err(error),
    }
}

/// Marks this access token as expired, because a server refused it: the next run gets a new one. If
/// that cannot be stored, the next run tries this one again.
pub async fn doubt(account: &Account, oauth: &OAuth, refused: &SecretString) {
    let store = Store::of(account, oauth);
    let turn = turn(&store);
    let _turn = turn.lock().await;
    let _claim = store.claim().await;
    let doubted = async {
        match store.load().await? {
            // Another run may have got a new one meanwhile.
            Some(tokens) if tokens.access().expose_secret() == refused.expose_secret() => {
                store.save(&tokens.ended()).await
            }
            _ => Ok(()),
        }
    };
    if let Err(error) = doubted.await {
        tracing::debug!("the refused token stays: {error}");
    }
}

async fn renewed(tokens: &Tokens, oauth: &OAuth, now: i64) -> Result<Tokens, TokenError> {
    let agent = Agent::new(oauth.ca_file.as_deref())?;
    let client = client(oauth).await?;
    tokens.renewed(&agent, oauth, &client, now).await
}

/// Lets a person sign in. If no flow is given, it is the one that works best with the provider.
///
/// # Errors
/// If the provider or the person refuses, or the tokens could not be stored.
pub async fn sign_in(
    account: &Account,
    oauth: &OAuth,
    flow: Option<Flow>,
    person: &dyn SignIn,
    now: fn() -> i64,
) -> Result<SignedIn, Error> {
    let store = Store::of(account, oauth);
    let tokens = asked(&store, oauth, flow, person, now).await;
    let tokens = tokens.map_err(|error| Error::new(account, error))?;
    Ok(SignedIn {
        account: account.name.clone(),
        tokens,
        store,
    })
}

async fn asked(
    store: &Store,
    oauth: &OAuth,
    flow: Option<Flow>,
    person: &dyn SignIn,
    now: fn() -> i64,
) -> Result<Tokens, TokenError> {
    // Checked before the person does anything: a store that cannot be read cannot be written.
    store.check().await?;
    let agent = Agent::new(oauth.ca_file.as_deref())?;
    let endpoints = provider::endpoints(&agent, &oauth.provider).await?;
    let flow = flow.unwrap_or(match endpoints.device {
        Some(_) => Flow::Device,
        None => Flow::Browser,
    });
    let client = client(oauth).await?;
    let token = &endpoints.token;
    match flow {
        Flow::Device => {
            let device = endpoints.device.as_ref();
            let device = device.ok_or(TokenError::NoEndpoint("device end point"))?;
            device::sign_in(&agent, oauth, device, token, &client, person, now).await
        }
        Flow::Browser => {
            let auth = endpoints.auth.as_ref();
            let auth = auth.ok_or(TokenError::NoEndpoint("authorization end point"))?;
            loopback::sign_in(&agent, oauth, auth, token, &client, person, now).await
        }
    }
}

/// The access token in the answer of a token endpoint, by the rules of [`sign_in`]. Sends no
/// request, and stores nothing.
///
/// # Errors
/// If the answer is a refusal, or makes no sense.
pub fn token_in(
    oauth: &OAuth,
    endpoint: &Endpoint,
    status: u16,
    body: &[u8],
) -> Result<SecretString, TokenError> {
    let answer = Answer::given(endpoint, status, body);
    let tokens = Tokens::of_answer(oauth, endpoint, answer, &[], 0)?;
    Ok(tokens.access().clone())
}

/// Removes the account's tokens. Returns false if there were none.
///
/// # Errors
/// If the keyring or the file does not remove them.
pub async fn sign_out(account: &Account, oauth: &OAuth) -> Result<bool, Error> {
    let store = Store::of(account, oauth);
    let _claim = store.claim().await;
    let removed = store.remove().await;
    removed.map_err(|error| Error::new(account, error))
}

/// The fields that identify popsync to the provider.
async fn client(oauth: &OAuth) -> Result<Vec<Field>, TokenError> {
    let mut client: Vec<Field> = vec![("client_id", oauth.client_id.as_str().into())];
    if let Some(command) = &oauth.client_secret_command {
        let secret = source::printed(command, "client-secret-command").await;
        let secret = secret.map_err(|error| TokenError::ClientSecret(Box::new(error)))?;
        client.push(("client_secret", secret));
    }
    Ok(client)
}

/// The lock for the tokens of this store, within this process.
fn turn(store: &Store) -> Arc<tokio::sync::Mutex<()>> {
    static TURNS: LazyLock<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>> =
        LazyLock::new(Mutex::default);
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(turns.entry(store.key()).or_default())
}
