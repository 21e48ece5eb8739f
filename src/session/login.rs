//! From nothing to the TRANSACTION state.

use std::sync::Arc;

use secrecy::SecretString;

use super::{Command, Error, Keyword, Peer, Session, Watch};
use crate::account::Account;
use crate::pop3::{self, Capabilities};

impl Session {
    /// Connects and logs in as the account says. `known` is what the server could do the last
    /// time; it saves a wait where that still holds, and is checked against what the server
    /// says now. `connected` hears of the connection before the login.
    ///
    /// # Errors
    /// Whatever stands in the way; see [`Error`].
    pub async fn begin(
        account: &Account,
        password: &SecretString,
        known: Option<&Capabilities>,
        connected: impl FnMut(&Peer) + Send,
    ) -> Result<Self, Error> {
        Self::begin_somehow(account, password, known, None, connected).await
    }

    /// The same under watch, and without haste.
    ///
    /// # Errors
    /// Whatever stands in the way; see [`Error`].
    pub async fn begin_watched(
        account: &Account,
        password: &SecretString,
        watch: &Arc<dyn Watch>,
    ) -> Result<Self, Error> {
        Self::begin_somehow(account, password, None, Some(watch), |_| {}).await
    }

    /// With CAPA, or without where that cannot be.
    async fn begin_somehow(
        account: &Account,
        password: &SecretString,
        known: Option<&Capabilities>,
        watch: Option<&Arc<dyn Watch>>,
        mut connected: impl FnMut(&Peer) + Send,
    ) -> Result<Self, Error> {
        match Self::begin_with(account, password, true, known, watch, &mut connected).await {
            // Some servers hang up on a command that they do not know.
            Err(Error::Protocol {
                fault:
                    pop3::Error::Closed {
                        awaited: Some(Keyword::Capa),
                    },
                ..
            }) => Self::begin_with(account, password, false, None, watch, &mut connected).await,
            begun => begun,
        }
    }

    async fn begin_with(
        account: &Account,
        password: &SecretString,
        capa: bool,
        known: Option<&Capabilities>,
        watch: Option<&Arc<dyn Watch>>,
        connected: &mut (impl FnMut(&Peer) + Send),
    ) -> Result<Self, Error> {
        let (mut session, peer) = Self::open(account, capa, watch).await?;
        connected(&peer);
        let user = Command::User(&account.user);
        if capa && known.is_some_and(Capabilities::pipelining) {
            session.send(&[Command::Capa, user]).await?;
            session.capa_reply().await?;
            session.reply().await?.map_err(Error::Login)?;
        } else {
            if capa {
                session.capa().await?;
            }
            session.command(user).await?.map_err(Error::Login)?;
        }
        session.pass(password).await?;
        Ok(session)
    }

    /// Waits for the answer to USER also where the server pipelines (`OPOP3:C0045`, `C0047`).
    pub(super) async fn pass(&mut self, password: &SecretString) -> Result<(), Error> {
        self.command(Command::Pass(password))
            .await?
            .map_err(Error::Login)?;
        tracing::debug!("logged in");
        Ok(())
    }
}
