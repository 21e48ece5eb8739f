//! From nothing to the TRANSACTION state.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::open::Unbegun;
use super::pipelining::SERVERS;
use super::refusal::Verdict;
use super::{Command, Error, Event, Keyword, Peer, Refusal, Session, Watch};
use crate::account::{Account, AuthMethod, PasswordSource, Security};
use crate::auth::choose::{Choice, Secret, Situation, choose};
use crate::auth::{Credentials, apop, argument};
use crate::pop3::Capabilities;

/// The longest command line that Exchange 2007 takes, CRLF included, unless its administrator
/// says otherwise (XPOP3:E0006). No other server is known to take so little.
const SHORTEST_LIMIT: usize = 47;

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
    pub(crate) async fn begin_watched(
        account: &Account,
        password: &SecretString,
        watch: &Arc<dyn Watch>,
    ) -> Result<Self, Error> {
        Self::begin_somehow(account, password, None, Some(watch), |_| {}).await
    }

    /// Connects as the account says, up to where it could log in, and says QUIT.
    ///
    /// # Errors
    /// Whatever stands in the way of a connection; see [`Error`].
    pub async fn greet(account: &Account) -> Result<(), Error> {
        let unknown = SecretString::from("");
        let mut opened = Self::open(account, &unknown, true, None).await;
        if opened.as_ref().is_err_and(|unbegun| unbegun.for_capa) {
            opened = Self::open(account, &unknown, false, None).await;
        }
        let (mut session, _) = opened.map_err(|unbegun| unbegun.error)?;
        if let Err(error) = session.leave().await {
            tracing::debug!(%error, "the server did not take leave");
        }
        Ok(())
    }

    /// With CAPA, or without where that cannot be.
    async fn begin_somehow(
        account: &Account,
        password: &SecretString,
        known: Option<&Capabilities>,
        watch: Option<&Arc<dyn Watch>>,
        mut connected: impl FnMut(&Peer) + Send,
    ) -> Result<Self, Error> {
        let mut begun =
            Self::begin_with(account, password, true, known, watch, &mut connected).await;
        if begun.as_ref().is_err_and(|unbegun| unbegun.for_capa) {
            begun = Self::begin_with(account, password, false, None, watch, &mut connected).await;
        }
        begun.map_err(|unbegun| unbegun.error)
    }

    async fn begin_with(
        account: &Account,
        password: &SecretString,
        capa: bool,
        known: Option<&Capabilities>,
        watch: Option<&Arc<dyn Watch>>,
        connected: &mut (impl FnMut(&Peer) + Send),
    ) -> Result<Self, Unbegun> {
        let (mut session, peer) = Self::open(account, password, capa, watch).await?;
        connected(&peer);
        let pipelines = match known {
            Some(known) => known.pipelining(),
            None => watch.is_none() && SERVERS.contains(&account.server),
        };
        let logged_in = if pipelines && capa && account.auth == AuthMethod::User {
            session.capa_with_user(account, password).await
        } else {
            session.capa_then_log_in(capa, account, password).await
        };
        let can_pipeline = logged_in.is_ok() && session.capabilities.pipelining();
        SERVERS.note(&account.server, can_pipeline);
        match logged_in {
            Err(error) if error.is_hang_up() => Err(session.unbegun(error)),
            logged_in => Ok(session.or_leave(logged_in).await?),
        }
    }

    async fn capa_then_log_in(
        &mut self,
        capa: bool,
        account: &Account,
        password: &SecretString,
    ) -> Result<(), Error> {
        if capa {
            self.capa().await?;
        }
        self.log_in(account, password).await
    }

    /// The session after a login, or QUIT: that is what OPOP3:C0010 leaves besides a new
    /// attempt, and the same password a second time is how accounts get locked.
    pub(super) async fn or_leave(mut self, logged_in: Result<(), Error>) -> Result<Self, Error> {
        let Err(mut refused) = logged_in else {
            return Ok(self);
        };
        refused.announce(self.capabilities.login_delay().map(Duration::from_secs));
        if refused.is_refused_login()
            && let Err(error) = self.leave().await
        {
            tracing::debug!(%error, "the server did not take leave");
        }
        Err(refused)
    }

    /// By the account's mechanism, in the order that its profile allows.
    pub(super) async fn log_in(
        &mut self,
        account: &Account,
        password: &SecretString,
    ) -> Result<(), Error> {
        let user = &account.user;
        let protected = account.server.security != Security::Plain;
        let method = match account.auth {
            AuthMethod::Auto => self.choose(account, password)?,
            named => named,
        };
        if !protected && !method.is_safe_in_the_clear() {
            tracing::warn!("TLS is off: whoever listens can read the login, and all mail");
        }
        let offered = self.offered_mechanisms();
        let credentials = Credentials {
            user,
            secret: password,
            server: &account.server,
            bindings: &self.bindings,
            never_binds: !offered.is_empty()
                && !offered
                    .iter()
                    .any(|name| name.to_ascii_uppercase().ends_with("-PLUS")),
        };
        let mechanism = credentials.mechanism(method).map_err(|fault| {
            let mechanism = method.mechanism().unwrap_or_default();
            Error::Mechanism {
                mechanism,
                fault: Box::new(fault),
            }
        })?;
        if let Some(mechanism) = mechanism {
            let mut logged_in = self.auth(mechanism).await;
            if let Err(Error::NotOffered { fits_user, .. }) = &mut logged_in {
                *fits_user = fits_user_and_pass(account, password);
            }
            return logged_in;
        }
        match method {
            AuthMethod::Apop => self.apop(user, password).await,
            AuthMethod::User if sends_together(account) && self.capabilities.pipelining() => {
                let commands = [Command::User(user), Command::Pass(password)];
                self.dialogue.send(&commands).await?;
                self.both_replies().await
            }
            _ => {
                self.alone(Command::User(user)).await?;
                // OPOP3:C0045, C0047: behind the answer to USER, also where the server pipelines.
                self.alone(Command::Pass(password)).await
            }
        }
    }

    /// `auth = "auto"`: once, and for this run.
    fn choose(&self, account: &Account, password: &SecretString) -> Result<AuthMethod, Error> {
        let offered = self.offered_mechanisms();
        let protected = account.server.security != Security::Plain;
        let secret = match &account.password {
            _ if password.expose_secret().is_empty() && account.tls.client.is_some() => {
                Secret::Certificate
            }
            _ if password.expose_secret().is_empty() => Secret::Ticket,
            PasswordSource::OAuth(_) | PasswordSource::TokenCommand(_) => Secret::Token,
            _ => Secret::Password,
        };
        let has_user = self.capabilities.has("USER") || self.capabilities.lines().is_empty();
        // What USER and PASS cannot carry, some mechanism may.
        let fits_user = fits_user_and_pass(account, password);
        let choice = choose(&Situation {
            offered: &offered,
            user: has_user && fits_user,
            protected,
            secret,
        });
        match choice {
            Some(Choice { method, why }) => {
                let method_name = method.name();
                tracing::debug!(
                    ?offered,
                    "auth = auto: {method_name} is chosen, because {why}"
                );
                Ok(method)
            }
            None => Err(Error::NothingSuits {
                offered,
                protected,
                secret,
                fits_user,
            }),
        }
    }

    /// CAPA and USER in one flight, to a server that is known to pipeline; and PASS with them
    /// where USER need not be waited for.
    pub(super) async fn capa_with_user(
        &mut self,
        account: &Account,
        password: &SecretString,
    ) -> Result<(), Error> {
        let user = Command::User(&account.user);
        if sends_together(account) {
            let commands = [Command::Capa, user, Command::Pass(password)];
            self.dialogue.send(&commands).await?;
            self.capa_reply().await?;
            return self.both_replies().await;
        }
        self.dialogue.send(&[Command::Capa, user]).await?;
        self.capa_reply().await?;
        let answer = self.verdict().await;
        judged(answer, user)?;
        self.alone(Command::Pass(password)).await
    }

    /// USER or PASS, and the answer to it.
    async fn alone(&mut self, command: Command<'_>) -> Result<(), Error> {
        let answer = match self.dialogue.send(&[command]).await {
            Ok(()) => self.verdict().await,
            Err(error) => Err(error),
        };
        judged(answer, command)
    }

    /// Reads a one-line reply on which the login depends.
    async fn verdict(&mut self) -> Result<Result<(), Refusal>, Error> {
        let mut verdict = Verdict::default();
        let reading = self.dialogue.converse(|event| {
            if let Event::Reply(keyword, response) = event {
                verdict.note(keyword, response);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        let read = reading.await;
        verdict.of(read)
    }

    /// The replies to USER and PASS, both on their way. The first refusal counts.
    async fn both_replies(&mut self) -> Result<(), Error> {
        let user = self.dialogue.reply().await?;
        let pass = self.verdict().await;
        // Some hang up once they have refused.
        user.map_err(Error::Login)?;
        pass?.map_err(Error::Login)
    }

    /// Also behind STLS the msg-id is that of the greeting, which came in the clear: whoever
    /// changed it on the way has made the login fail, and never sees the digest.
    async fn apop(&mut self, user: &str, password: &SecretString) -> Result<(), Error> {
        let msg_id = apop::msg_id(&self.greeting).map_err(Error::Apop)?;
        let digest = apop::digest(msg_id, password);
        self.dialogue.send(&[Command::Apop(user, &digest)]).await?;
        self.verdict().await?.map_err(Error::Login)
    }
}

/// True if USER and PASS could carry the account's name and password as they are.
fn fits_user_and_pass(account: &Account, password: &SecretString) -> bool {
    let carries = |text: &str| argument::check(text.as_bytes()).is_ok();
    carries(&account.user)
        && !argument::has_stray_blanks(&account.user)
        && carries(password.expose_secret())
}

/// Whether PASS need not wait for the answer to USER (RFC 2449 §6.6): in no version of Outlook
/// (`OPOP3:C0045`, `C0047`), and not where a refused USER is how a server keeps passwords off
/// the open line.
fn sends_together(account: &Account) -> bool {
    account.profile.sends_pass_with_user() && account.server.security != Security::Plain
}

/// What an answer to USER or PASS means. Where the length of the line may be the reason, since
/// Exchange refuses a line over its limit, or hangs up, that is said too; so is a password that
/// begins with a blank.
fn judged(answer: Result<Result<(), Refusal>, Error>, command: Command<'_>) -> Result<(), Error> {
    let begins_blank = match command {
        Command::Pass(password) => password.expose_secret().starts_with(' '),
        _ => false,
    };
    let error = match answer {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(refusal)) if begins_blank && refusal.code.is_none() && !refusal.is_temporary() => {
            return Err(Error::LeadingBlank(refusal));
        }
        Ok(Err(refusal)) => Error::Login(refusal),
        Err(error) => error,
    };
    let may_be_length = match &error {
        Error::Login(refusal) => refusal.code.is_none() && !refusal.is_temporary(),
        Error::Farewell { .. } => false,
        error => error.is_hang_up(),
    };
    let (keyword, octets) = (command.keyword(), command.octets());
    if !may_be_length || octets <= SHORTEST_LIMIT {
        return Err(error);
    }
    Err(Error::LongLine {
        keyword,
        // How long a password is, is nobody's business.
        octets: (keyword == Keyword::User).then_some(octets),
        limit: SHORTEST_LIMIT,
        fault: Box::new(error),
    })
}
