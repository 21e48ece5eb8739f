//! `auth = "auto"`: chooses one of the server's ways to log in. A pure function.
//!
//! The choice is made once, from one list, and is final for the run: a second attempt would be a
//! second wrong password. Without TLS an attacker may have shortened the list, so only methods that
//! reveal nothing to a listener are chosen. A user who wants a weaker one must name it.

use crate::account::AuthMethod::{
    self, CramMd5, External, Gssapi, Login, Ntlm, OAuthBearer, Plain, ScramSha1, ScramSha256, User,
    XOauth2,
};

/// The kind of secret to log in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// No password; a client certificate.
    Certificate,
    /// A password.
    Password,
    /// No password; a Kerberos ticket, perhaps.
    Ticket,
    /// An access token.
    Token,
}

/// The facts that a choice depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// The mechanisms in CAPA's answer, if it can be trusted: asked for under TLS.
    pub offered: &'a [String],
    /// True if USER is announced, or if the server has no CAPA, which is newer than USER.
    pub user: bool,
    /// True if TLS protects the connection.
    pub protected: bool,
    /// The kind of secret to log in with.
    pub secret: Secret,
}

/// A choice, and the reason in words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The way to log in.
    pub method: AuthMethod,
    /// The text after "chosen because".
    pub why: &'static str,
}

const STRONG: &str = "it shows the password to nobody, and the server proves itself";
const PLAIN: &str = "TLS protects the password, and servers that offer it have it right";
const WEAK: &str = "nothing better is offered";
const TICKET: &str = "there is no password";

/// The methods with a password, best first. The forms of SCRAM with channel binding are left out; a
/// user can name them. A server does not announce its type of binding, Cyrus 3.6 announces them
/// with a type that TLS 1.3 does not have, and a failed login may lock an account. CRAM-MD5 and
/// NTLM come after PLAIN, because some servers announce them and cannot do them.
const BY_PASSWORD: [(AuthMethod, &str); 7] = [
    (ScramSha256, STRONG),
    (ScramSha1, STRONG),
    (Plain, PLAIN),
    (User, PLAIN),
    (Login, PLAIN),
    (CramMd5, WEAK),
    (Ntlm, WEAK),
];

const BY_TOKEN: [(AuthMethod, &str); 2] = [
    (OAuthBearer, "it is the standard for access tokens"),
    (XOauth2, "it takes access tokens"),
];

/// Chooses, or returns none if there is nothing to choose.
pub(crate) fn choose(situation: &Situation<'_>) -> Option<Choice> {
    let candidates: &[(AuthMethod, &'static str)] = match situation.secret {
        Secret::Certificate => &[(External, "the client certificate says who this is")],
        Secret::Password => &BY_PASSWORD,
        Secret::Ticket => &[(Gssapi, TICKET)],
        Secret::Token => &BY_TOKEN,
    };
    let offers = |method: AuthMethod| match method.mechanism() {
        Some(name) => {
            let mut offered = situation.offered.iter();
            offered.any(|other| other.eq_ignore_ascii_case(name))
        }
        None => situation.user,
    };
    let suits = |method: AuthMethod| situation.protected || method.is_safe_in_the_clear();
    let mut candidates = candidates.iter().copied();
    candidates
        .find(|&(method, _)| offers(method) && suits(method))
        .map(|(method, why)| Choice { method, why })
}

#[cfg(test)]
mod tests;
