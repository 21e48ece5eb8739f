//! The credentials of an account, and the mechanism that uses them.

use secrecy::SecretString;

use super::binding::ChannelBindings;
use super::cram_md5::CramMd5;
use super::external::External;
use super::gssapi::Gssapi;
use super::login::Login;
use super::mechanism::Mechanism;
use super::ntlm::Ntlm;
use super::oauthbearer::OAuthBearer;
use super::plain::Plain;
use super::sasl_error::SaslError;
use super::scram::{Bound, Hash, Scram};
use super::xoauth2::XOauth2;
use crate::account::{AuthMethod, Server};

/// The facts that a mechanism may need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credentials<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The password, or an access token. Empty if the method takes none.
    pub secret: &'a SecretString,
    /// The server to log in to.
    pub server: &'a Server,
    /// The channel bindings that the login can use.
    pub bindings: &'a ChannelBindings,
    /// True if the server named its mechanisms, and none with channel binding is among them.
    pub never_binds: bool,
}

impl Credentials<'_> {
    /// The SASL mechanism of a method, for one exchange. None if the method is not SASL.
    ///
    /// # Errors
    /// The thing that the mechanism lacks.
    pub(crate) fn mechanism(
        &self,
        method: AuthMethod,
    ) -> Result<Option<Box<dyn Mechanism>>, SaslError> {
        let Self {
            user,
            secret,
            server,
            bindings,
            ..
        } = *self;
        let end_point = bindings.server_end_point.as_deref();
        Ok(Some(match method {
            AuthMethod::Apop | AuthMethod::Auto | AuthMethod::User => return Ok(None),
            AuthMethod::CramMd5 => Box::new(CramMd5::new(user, secret)),
            AuthMethod::External => Box::new(External),
            AuthMethod::Gssapi => Box::new(Gssapi::new(&server.host, end_point)?),
            AuthMethod::Login => Box::new(Login::new(user, secret)),
            AuthMethod::Ntlm => Box::new(Ntlm::new(user, secret, end_point)?),
            AuthMethod::OAuthBearer => {
                Box::new(OAuthBearer::new(user, &server.host, server.port, secret))
            }
            AuthMethod::Plain => Box::new(Plain::new(user, secret)),
            AuthMethod::ScramSha1 => self.scram(Hash::Sha1, self.unbound())?,
            AuthMethod::ScramSha1Plus => self.scram(Hash::Sha1, self.bound()?)?,
            AuthMethod::ScramSha256 => self.scram(Hash::Sha256, self.unbound())?,
            AuthMethod::ScramSha256Plus => self.scram(Hash::Sha256, self.bound()?)?,
            AuthMethod::XOauth2 => Box::new(XOauth2::new(user, secret)),
        }))
    }

    fn scram(&self, hash: Hash, bound: Bound) -> Result<Box<dyn Mechanism>, SaslError> {
        Ok(Box::new(Scram::new(hash, bound, self.user, self.secret)?))
    }

    fn bound(&self) -> Result<Bound, SaslError> {
        let best = self.bindings.best();
        best.map(Bound::By).ok_or(SaslError::NothingToBind)
    }

    /// RFC 5802 §6: the client could bind, and the server announced that it cannot.
    fn unbound(&self) -> Bound {
        if self.never_binds && self.bindings.best().is_some() {
            Bound::NotAnnounced
        } else {
            Bound::No
        }
    }
}
