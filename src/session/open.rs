//! From nothing to a session that may log in: connection, TLS, greeting, STLS.

use std::ops::ControlFlow;
use std::sync::Arc;

use secrecy::SecretString;

use super::{Address, Error, Refusal, Session, Watch, dial, tls};
use crate::account::{Account, Security};
use crate::auth::binding::ChannelBindings;
use crate::pop3::{self, Capabilities, Command, Event, Tap};

/// The facts about an open connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Who answered.
    pub address: Address,
    /// Protocol version and cipher suite; none on a plain connection.
    pub tls: Option<String>,
}

/// Why a session did not begin.
pub(super) struct Unbegun {
    pub(super) error: Error,
    /// CAPA may be why.
    pub(super) for_capa: bool,
}

impl From<Error> for Unbegun {
    fn from(error: Error) -> Self {
        Self {
            error,
            for_capa: false,
        }
    }
}

impl Session {
    /// What a failure means for another attempt: some servers hang up on a command that they do
    /// not know, or once they have refused it (`XPOP3:C0005`).
    pub(super) fn unbegun(&self, error: Error) -> Unbegun {
        let for_capa = match &error {
            Error::Lost { source, .. } if tls::wants_certificate(source).is_some() => false,
            error => self.dialogue.is_snubbed() && error.is_hang_up(),
        };
        Unbegun { error, for_capa }
    }

    /// Connects as the account says, up to the point where it may log in: greeting, and STLS
    /// where it is due. `capa` tells whether CAPA may be sent; `password` is only to be kept out
    /// of the log: the server may know it from the last time.
    pub(super) async fn open(
        account: &Account,
        password: &SecretString,
        capa: bool,
        watch: Option<&Arc<dyn Watch>>,
    ) -> Result<(Self, Peer), Unbegun> {
        let server = &account.server;
        let connector = match server.security {
            Security::Plain => None,
            Security::ImplicitTls | Security::Stls => Some(tls::connector(account, watch).await?),
        };
        if let Some(watch) = watch {
            watch.dialling();
        }
        let (stream, address) = dial::dial(account).await?;
        if let Some(watch) = watch {
            watch.connected(&address);
        }
        let protected_by = |protection: String| {
            if let Some(watch) = watch {
                watch.protected(&protection);
            }
            Some(protection)
        };
        let mut peer = Peer { address, tls: None };
        let mut bindings = ChannelBindings::default();
        let mut stream = stream;
        if let (Security::ImplicitTls, Some(connector)) = (server.security, &connector) {
            let (protected, protection) = connector.handshake(stream, account.timeout).await?;
            stream = protected;
            peer.tls = protected_by(protection.words);
            bindings = protection.bindings;
        }
        let mut session = Self::over(stream, account.timeout);
        session.bindings = bindings;
        if account.profile.unstuffs_listings() {
            session.dialogue.unstuff_listings();
        }
        session.dialogue.keep_secret(password);
        if let Some(watch) = watch {
            session.dialogue.tap(Arc::clone(watch) as Arc<dyn Tap>);
        }
        session.greeting().await?;
        if let (Security::Stls, Some(connector)) = (server.security, &connector) {
            let agreed = async {
                if capa {
                    session.capa().await?;
                }
                session.stls().await
            };
            let agreed = agreed.await;
            agreed.map_err(|error| session.unbegun(error))?;
            let plain = session.dialogue.suspend();
            let (protected, protection) = connector.handshake(plain, account.timeout).await?;
            session.dialogue.resume(protected);
            peer.tls = protected_by(protection.words);
            session.bindings = protection.bindings;
            // RFC 2595 §4: whatever was learnt before the handshake may be a forgery.
            session.capabilities = Capabilities::default();
        }
        Ok((session, peer))
    }

    pub(super) async fn greeting(&mut self) -> Result<(), Error> {
        let mut text = Vec::new();
        let refusal = self
            .dialogue
            .converse(|event| match event {
                Event::Greeting(response) if response.is_positive() => {
                    text = response.text().to_vec();
                    ControlFlow::Break(None)
                }
                Event::Greeting(response) => {
                    let refusal = Refusal::new(None, response);
                    ControlFlow::Break(Some(if response.is_foreign() {
                        Error::Foreign { line: refusal.text }
                    } else {
                        Error::Greeting(refusal)
                    }))
                }
                _ => ControlFlow::Continue(()),
            })
            .await?;
        self.greeting = text;
        refusal.map_or(Ok(()), Err)
    }

    async fn stls(&mut self) -> Result<(), Error> {
        // Sent whether it was announced or not: an answer of the server's is better than a
        // capability list that anybody on the way could have changed.
        match self.dialogue.command(Command::Stls).await {
            Ok(answer) => answer.map_err(Error::StlsRefused),
            Err(Error::Protocol {
                fault: pop3::Error::Leftover { text },
                ..
            }) => Err(Error::StlsInjected { text }),
            Err(error) => Err(error),
        }
    }
}
