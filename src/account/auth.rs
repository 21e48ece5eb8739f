//! The ways to log in, by name.

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthMethod {
    /// APOP (RFC 1939 §7), which no Outlook and no Exchange has (`OPOP3:V0008`, `XPOP3:V0012`):
    /// for [`Profile::Rfc1939`](crate::profile::Profile::Rfc1939) alone.
    Apop,
    /// AUTH LOGIN.
    Login,
    /// AUTH PLAIN (RFC 4616).
    Plain,
    /// USER and PASS.
    #[default]
    User,
}

impl AuthMethod {
    /// All of them, the usual one first.
    pub const ALL: [Self; 4] = [Self::User, Self::Plain, Self::Login, Self::Apop];

    /// The name used on the command line and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apop => "apop",
            Self::Login => "login",
            Self::Plain => "plain",
            Self::User => "user",
        }
    }

    /// The method of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Whether user name and password stand in commands of their own, which are ASCII
    /// (`OPOP3:C0003`). SASL carries UTF-8.
    pub const fn is_ascii(self) -> bool {
        matches!(self, Self::Apop | Self::User)
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
}
