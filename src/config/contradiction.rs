//! Settings that cannot all be meant.

use std::borrow::Cow;

use crate::account::AuthMethod;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;

/// A contradiction between settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Contradiction {
    /// `auth = "apop"` under a profile that has no APOP.
    #[error("`auth = \"apop\"` contradicts the profile `{profile}`: Outlook has no APOP")]
    ApopWithOutlook {
        /// The profile.
        profile: Profile,
    },
    /// Two sets of authorities.
    #[error("`ca-file` and `roots` are both set")]
    CaFileAndRoots,
    /// `auth = "external"` without what it is about.
    #[error("`auth = \"external\"` is the client certificate, and none is set")]
    ExternalWithoutCertificate,
    /// Copies of imported messages that could not be found.
    #[error("`remove-imported` needs a Maildir: nothing else shows a message by itself")]
    ImportedWithoutMaildir,
    /// A key, and no certificate that it belongs to.
    #[error("`client-key` is set, and `client-cert` is not")]
    KeyWithoutCertificate,
    /// `tls = "off"` with `pop3s://`.
    #[error("`tls = \"off\"` contradicts `pop3s://`, which is TLS from the first octet")]
    PlainWithPop3s,
    /// A password for the proxy, and no user.
    #[error("`proxy-password-file` is set, and `proxy` names no user")]
    ProxyPasswordWithoutUser,
    /// A user for the proxy, and no password.
    #[error("`proxy` names a user, and `proxy-password-file` is not set")]
    ProxyUserWithoutPassword,
    /// `remove-after-days` with `leave-on-server = false`.
    #[error("`remove-after-days` has no meaning with `leave-on-server = false`")]
    RemoveAfterWithoutLeave,
    /// Two providers in one table.
    #[error("`oauth` names its provider twice")]
    OAuthProviders,
    /// `oauth` with a way to log in that takes no token.
    #[error("`oauth` has no meaning with `auth = \"{}\"`", auth.name())]
    OAuthUnused {
        /// The way to log in.
        auth: AuthMethod,
    },
    /// `tenant` without Microsoft.
    #[error("`tenant` has no meaning without `provider = \"microsoft\"`")]
    TenantWithoutMicrosoft,
    /// `oauth-token-command` with a way to log in that takes no token.
    #[error("`oauth-token-command` has no meaning with `auth = \"{}\"`", auth.name())]
    TokenWithoutOAuth {
        /// The way to log in.
        auth: AuthMethod,
    },
    /// Two sources for one secret.
    #[error(
        "two of `password-command`, `password-file`, `password-netrc`, `oauth-token-command` and `oauth` are set"
    )]
    TwoSources,
    /// Two accounts would store the same mailbox twice in the same place.
    #[error("the same mailbox goes into the same store as account `{other}`")]
    SameMailbox {
        /// The other account.
        other: String,
    },
    /// A socket of this computer, and a way through the network.
    #[error("`socket` contradicts `proxy` and `source-address`, which are about the network")]
    SocketAndRoute,
    /// Nobody but the agent knows what became of a message.
    #[error(
        "`remove-when-deleted-locally` needs a Maildir or an mbox: what an agent does with mail \
         cannot be seen"
    )]
    NothingToFollow,
    /// Stubs that could not be replaced.
    #[error("`header-stubs` needs a Maildir: nothing else lets one message be replaced")]
    StubsWithoutMaildir,
    /// Two stores for one account.
    #[error("an account has one store: `maildir`, `mbox` or `exec`")]
    TwoStores,
    /// The URL names one user, and `user` another.
    #[error("the server URL names the user `{url}`, and `user` is `{key}`")]
    Users {
        /// The URL's.
        url: String,
        /// The key's.
        key: String,
    },
    /// Something about TLS, with `tls = "off"`.
    #[error("it has no meaning when TLS is off")]
    WithoutTls,
}

impl Failure for Contradiction {
    /// That of a file; on a command line the error that holds this one knows better.
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::ApopWithOutlook { .. } => {
                "write `profile = \"rfc1939\"` as well, or leave `auth` out for USER and PASS"
            }
            Self::CaFileAndRoots => {
                "leave `roots` out to trust those of `ca-file` alone, which may hold several"
            }
            Self::ExternalWithoutCertificate => {
                "write `tls = { client-cert = \"…\", client-key = \"…\" }` as well"
            }
            Self::ImportedWithoutMaildir => {
                "leave `remove-imported` out, or write `maildir` instead of the other store"
            }
            Self::KeyWithoutCertificate => {
                "name the certificate as well; the key may stand in the same file"
            }
            Self::PlainWithPop3s => "write `pop3://` to go without TLS, or leave `tls` out",
            Self::ProxyPasswordWithoutUser => "write `proxy = \"socks5://USER@HOST:PORT\"`",
            Self::ProxyUserWithoutPassword => {
                "write the password into a file that only you can read, and name that"
            }
            Self::RemoveAfterWithoutLeave => {
                "write `leave-on-server = true`, or leave `remove-after-days` out"
            }
            Self::SameMailbox { .. } => {
                "every message would be stored twice; remove one of the two"
            }
            Self::SocketAndRoute => "leave `socket` out, or the others",
            Self::NothingToFollow => {
                "leave `remove-when-deleted-locally` out; `remove-after-days` works with an agent"
            }
            Self::StubsWithoutMaildir => {
                "leave `header-stubs` out, or write `maildir` instead of the other store"
            }
            Self::TwoStores => {
                "leave the others out; for several, write a second account with another name"
            }
            Self::OAuthProviders => {
                "name it by one of `provider`, `issuer`, or `token-endpoint` and the others"
            }
            Self::TenantWithoutMicrosoft => "leave it out",
            Self::OAuthUnused { .. } | Self::TokenWithoutOAuth { .. } => {
                "write `auth = \"xoauth2\"` as well, or `\"oauthbearer\"` or `\"auto\"`"
            }
            Self::TwoSources => "leave all but one out",
            Self::Users { .. } | Self::WithoutTls => "leave one of the two out",
        };
        Some(hint.into())
    }
}
