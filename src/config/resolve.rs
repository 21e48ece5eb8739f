//! From settings to an account, and the rules between settings.

use crate::account::{
    Account, AuthMethod, DEFAULT_EXEC_TIMEOUT, DEFAULT_TIMEOUT, Identity, Limits, PasswordSource,
    Retention, Security, Server, StoreSettings, TlsSettings,
};
use crate::auth::argument;

use super::contradiction::Contradiction;
use super::faults::{Fault, Faults};
use super::origin::{Origin, Setting};
use super::problem::Problem;
use super::rows::{MAILDIR, SERVER, USER};
use super::settings::{Settings, Store, Tls};

/// The name under which the state of an account is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StateKey<'a> {
    /// The account's name in the configuration.
    Name(&'a str),
    /// The store's path; the account is called `user@host`.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command line's"))]
    Store,
}

impl Settings {
    /// Makes an account of these settings. A missing key is reported at `whole`.
    pub(crate) fn resolve(self, key: StateKey<'_>, whole: &Origin) -> Result<Account, Faults> {
        let missing = |key| Fault::new(whole, Problem::Missing { key });
        let mut faults = Faults::default();
        let auth = self.auth();
        let retention = faults.keep(self.retention());
        let security = faults.keep(self.security());
        faults.keep(self.auth_fits(auth));
        let route = faults.keep(self.route.clone().route());
        let server = self.server.as_ref().ok_or_else(|| missing(&SERVER));
        let server = faults.keep(server);
        faults.keep(self.password_fits(auth));
        let user = self.user.as_ref().ok_or_else(|| missing(&USER));
        let user = faults.keep(user);
        faults.keep(user.map_or(Ok(()), |user| user_fits(user, auth)));
        let store = self.store().ok_or_else(|| missing(&MAILDIR));
        let store = faults.keep(store);
        if let Some(store) = &store {
            faults.keep(self.stubs_fit(store));
            faults.keep(self.deletion_fits(store));
        }
        let (Some(retention), Some(security), Some(route)) = (retention, security, route) else {
            return Err(faults);
        };
        let (Some(server), Some(user), Some(store)) = (server, user, store) else {
            return Err(faults);
        };
        faults.into_result()?;
        let (url, user) = (server.value.clone(), user.value.clone());
        let (name, identity_key) = match key {
            StateKey::Name(name) => (name.to_owned(), name.to_owned()),
            StateKey::Store => (format!("{user}@{}", url.host), store.to_string()),
        };
        Ok(Account {
            name,
            identity: Identity {
                key: identity_key,
                host: url.host.to_ascii_lowercase(),
                user: user.clone(),
            },
            server: Server {
                port: url.port.unwrap_or_else(|| security.default_port()),
                host: url.host,
                security,
            },
            user,
            auth,
            password: self
                .password
                .map_or(PasswordSource::Ask, |source| source.value),
            profile: self.profile.unwrap_or_default(),
            store,
            retention,
            limits: Limits {
                header_stubs: self.header_stubs.is_some_and(|stubs| stubs.value),
                ..self.limits
            },
            route,
            tls: match self.tls.map(|tls| tls.value) {
                Some(Tls::On(settings)) => settings,
                Some(Tls::Off) | None => TlsSettings::default(),
            },
            timeout: self.timeout.unwrap_or(DEFAULT_TIMEOUT),
            alerts: self.alerts,
        })
    }

    /// The rules by which messages leave the server. A user who asks for removal after some days,
    /// or of messages that are deleted here, wants them to stay until then, even if the profile
    /// would delete them at once.
    fn retention(&self) -> Result<Retention, Fault> {
        let days = self.remove_after_days.as_ref();
        let follow = self.remove_when_deleted_locally.as_ref();
        let follow = follow.is_some_and(|follow| follow.value);
        let leave = match (self.leave_on_server, days) {
            (Some(false), Some(days)) => {
                let problem = Contradiction::RemoveAfterWithoutLeave;
                return Err(Fault::new(&days.origin, problem));
            }
            (Some(leave), _) => leave,
            (None, Some(_)) => true,
            (None, None) if follow => true,
            (None, None) => self.profile.unwrap_or_default().leaves_on_server(),
        };
        Ok(Retention {
            leave_on_server: leave,
            remove_after_days: days.map(|days| days.value),
            remove_when_deleted_locally: follow,
            remove_imported: self.remove_imported.as_ref().is_some_and(|one| one.value),
            ..self.retention
        })
    }

    /// The way to log in.
    fn auth(&self) -> AuthMethod {
        let source = self.password.as_ref().map(|source| &source.value);
        match (&self.auth, source) {
            (Some(auth), _) => auth.value,
            // Both providers that are known by name have it.
            (None, Some(PasswordSource::OAuth(_))) => AuthMethod::XOauth2,
            (None, _) => AuthMethod::default(),
        }
    }

    /// APOP is for the generic profile: no Outlook sends it (`OPOP3:V0008`).
    fn auth_fits(&self, method: AuthMethod) -> Result<(), Fault> {
        let Some(auth) = &self.auth else {
            return Ok(());
        };
        let profile = self.profile.unwrap_or_default();
        let tls = self.tls.as_ref().map(|tls| &tls.value);
        let has_certificate = matches!(tls, Some(Tls::On(tls)) if tls.client.is_some());
        if method == AuthMethod::External && !has_certificate {
            let problem = Contradiction::ExternalWithoutCertificate;
            return Err(Fault::new(&auth.origin, problem));
        }
        if method == AuthMethod::Apop && !profile.has_apop() {
            let problem = Contradiction::ApopWithOutlook { profile };
            return Err(Fault::new(&auth.origin, problem));
        }
        Ok(())
    }

    /// A token is for the ways to log in that take one.
    fn password_fits(&self, auth: AuthMethod) -> Result<(), Fault> {
        let Some(source) = &self.password else {
            return Ok(());
        };
        let problem = match source.value {
            _ if auth.takes_token() || auth == AuthMethod::Auto => return Ok(()),
            PasswordSource::TokenCommand(_) => Contradiction::TokenWithoutOAuth { auth },
            PasswordSource::OAuth(_) => Contradiction::OAuthUnused { auth },
            _ => return Ok(()),
        };
        Err(Fault::new(&source.origin, problem))
    }

    fn store(&self) -> Option<StoreSettings> {
        let line_endings = self.line_endings;
        Some(match self.store.clone()?.value {
            Store::Maildir(path) => StoreSettings::Maildir { path, line_endings },
            Store::Mbox(path) => StoreSettings::Mbox { path, line_endings },
            Store::Exec(command) => StoreSettings::Exec {
                command,
                timeout: self.exec_timeout.unwrap_or(DEFAULT_EXEC_TIMEOUT),
                line_endings,
            },
        })
    }

    fn stubs_fit(&self, store: &StoreSettings) -> Result<(), Fault> {
        match &self.header_stubs {
            Some(stubs) if stubs.value && store.maildir().is_none() => Err(Fault::new(
                &stubs.origin,
                Contradiction::StubsWithoutMaildir,
            )),
            _ => Ok(()),
        }
    }

    fn deletion_fits(&self, store: &StoreSettings) -> Result<(), Fault> {
        let is_agent = matches!(store, StoreSettings::Exec { .. });
        if let Some(follow) = self.remove_when_deleted_locally.as_ref()
            && follow.value
            && is_agent
        {
            return Err(Fault::new(&follow.origin, Contradiction::NothingToFollow));
        }
        match &self.remove_imported {
            Some(imported) if imported.value && store.maildir().is_none() => Err(Fault::new(
                &imported.origin,
                Contradiction::ImportedWithoutMaildir,
            )),
            _ => Ok(()),
        }
    }

    fn security(&self) -> Result<Security, Fault> {
        let off = self.tls.as_ref().filter(|tls| tls.value == Tls::Off);
        match (&self.server, off) {
            (Some(server), Some(off)) if server.value.implicit_tls => {
                Err(Fault::new(&off.origin, Contradiction::PlainWithPop3s))
            }
            (Some(server), off) => Ok(server.value.security(off.is_some())),
            // Reported as missing by the caller.
            (None, _) => Ok(Security::ImplicitTls),
        }
    }
}

/// Checks that a line of USER can carry the name.
fn user_fits(user: &Setting<String>, auth: AuthMethod) -> Result<(), Fault> {
    if !auth.is_ascii() {
        return Ok(());
    }
    if let Err(byte) = argument::check(user.value.as_bytes()) {
        return Err(Fault::new(&user.origin, Problem::User(byte)));
    }
    if argument::has_stray_blanks(&user.value) {
        return Err(Fault::new(&user.origin, Problem::UserBlanks));
    }
    Ok(())
}
