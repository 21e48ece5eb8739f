//! Replaces the requests in a popsync that was built without OAuth.

use std::path::Path;

use super::{Answer, Field, TokenError};
use crate::account::Endpoint;

/// Sends no requests.
pub(in crate::auth::oauth) struct Agent;

impl Agent {
    pub(in crate::auth::oauth) fn new(_ca_file: Option<&Path>) -> Result<Self, TokenError> {
        Err(TokenError::NotBuilt)
    }

    pub(in crate::auth::oauth) async fn get(&self, _at: &Endpoint) -> Result<Answer, TokenError> {
        Err(TokenError::NotBuilt)
    }

    pub(in crate::auth::oauth) async fn post(
        &self,
        _to: &Endpoint,
        _fields: &[Field],
    ) -> Result<Answer, TokenError> {
        Err(TokenError::NotBuilt)
    }
}
