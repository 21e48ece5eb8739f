//! The ways to log in, by name.

/// The way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum AuthMethod {
    /// APOP (RFC 1939 §7), which no Outlook and no Exchange has (`OPOP3:V0008`, `XPOP3:V0012`):
    /// only for [`Profile::Rfc1939`](crate::profile::Profile::Rfc1939).
    Apop,
    /// The best that the server offers.
    Auto,
    /// AUTH CRAM-MD5 (RFC 2195).
    CramMd5,
    /// AUTH EXTERNAL (RFC 4422): the client certificate.
    External,
    /// AUTH GSSAPI (RFC 4752): Kerberos.
    Gssapi,
    /// AUTH LOGIN.
    Login,
    /// AUTH NTLM (MS-OXPOP3).
    Ntlm,
    /// AUTH OAUTHBEARER (RFC 7628).
    OAuthBearer,
    /// AUTH PLAIN (RFC 4616).
    Plain,
    /// AUTH SCRAM-SHA-1 (RFC 5802).
    ScramSha1,
    /// AUTH SCRAM-SHA-1-PLUS: with channel binding.
    ScramSha1Plus,
    /// AUTH SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// AUTH SCRAM-SHA-256-PLUS: with channel binding.
    ScramSha256Plus,
    /// USER and PASS.
    #[default]
    User,
    /// AUTH XOAUTH2, as in Exchange Online and Gmail.
    XOauth2,
}

impl AuthMethod {
    /// All of them, the usual one first.
    pub(crate) const ALL: [Self; 15] = [
        Self::User,
        Self::Plain,
        Self::Login,
        Self::CramMd5,
        Self::ScramSha1,
        Self::ScramSha1Plus,
        Self::ScramSha256,
        Self::ScramSha256Plus,
        Self::Ntlm,
        Self::Gssapi,
        Self::XOauth2,
        Self::OAuthBearer,
        Self::Apop,
        Self::External,
        Self::Auto,
    ];

    /// The name used on the command line and in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Apop => "apop",
            Self::Auto => "auto",
            Self::CramMd5 => "cram-md5",
            Self::External => "external",
            Self::Gssapi => "gssapi",
            Self::Login => "login",
            Self::Ntlm => "ntlm",
            Self::OAuthBearer => "oauthbearer",
            Self::Plain => "plain",
            Self::ScramSha1 => "scram-sha-1",
            Self::ScramSha1Plus => "scram-sha-1-plus",
            Self::ScramSha256 => "scram-sha-256",
            Self::ScramSha256Plus => "scram-sha-256-plus",
            Self::User => "user",
            Self::XOauth2 => "xoauth2",
        }
    }

    /// The method of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The registered name of the SASL mechanism, if it is one.
    pub(crate) const fn mechanism(self) -> Option<&'static str> {
        Some(match self {
            Self::Apop | Self::Auto | Self::User => return None,
            Self::CramMd5 => "CRAM-MD5",
            Self::External => "EXTERNAL",
            Self::Gssapi => "GSSAPI",
            Self::Login => "LOGIN",
            Self::Ntlm => "NTLM",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::Plain => "PLAIN",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::XOauth2 => "XOAUTH2",
        })
    }

    /// True if user name and password are sent in commands of their own, which are ASCII
    /// (`OPOP3:C0003`). SASL carries UTF-8.
    pub(crate) const fn is_ascii(self) -> bool {
        matches!(self, Self::Apop | Self::User)
    }

    /// True if a listener needs some thousand digests for each guess at the password, and the
    /// server also has to prove its identity.
    pub(crate) const fn is_safe_in_the_clear(self) -> bool {
        matches!(
            self,
            Self::Gssapi
                | Self::ScramSha1
                | Self::ScramSha1Plus
                | Self::ScramSha256
                | Self::ScramSha256Plus
        )
    }

    /// True if the secret is an access token and not a password.
    pub(crate) const fn takes_token(self) -> bool {
        matches!(self, Self::OAuthBearer | Self::XOauth2)
    }

    /// True if the user has to give a secret. Kerberos and TLS have theirs from elsewhere.
    pub(crate) const fn takes_secret(self) -> bool {
        !matches!(self, Self::External | Self::Gssapi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for method in AuthMethod::ALL {
            assert_eq!(AuthMethod::from_name(method.name()), Some(method));
        }
        assert_eq!(AuthMethod::from_name("PLAIN"), None);
        assert_eq!(AuthMethod::ALL[0], AuthMethod::default());
    }

    #[test]
    fn mechanisms_are_called_like_methods_in_capitals() {
        for method in AuthMethod::ALL {
            if let Some(mechanism) = method.mechanism() {
                assert_eq!(mechanism, method.name().to_ascii_uppercase());
            }
        }
    }
}
