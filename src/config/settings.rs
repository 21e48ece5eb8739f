//! Settings before they are an account: layers, each of which may leave keys out.
//!
//! Every value remembers where it was written, so that a contradiction between a default and an
//! account can point at a line.

use std::num::NonZeroU64;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::account::{
    Account, AuthMethod, DEFAULT_EXEC_TIMEOUT, DEFAULT_MAX_DELETIONS, DEFAULT_TIMEOUT, Identity,
    Limits, LineEndings, PasswordSource, Retention, Security, Server, StoreSettings, TlsSettings,
};
use crate::auth::argument;
use crate::profile::Profile;

use super::alerts::AlertKeys;
use super::contradiction::Contradiction;
use super::faults::Faults;
use super::problem::Problem;
use super::proxy::RouteKeys;
use super::url::ServerUrl;

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Octets of the configuration file.
    File(Range<usize>),
    /// An argument of the command line.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command line's"))]
    Flag(&'static str),
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting {
            value: change(self.value),
            origin: self.origin,
        }
    }
}

/// The largest `remove-after-days`: a century.
const MOST_DAYS: u32 = 36_500;

/// What is wrong, and where.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) origin: Origin,
    pub(crate) problem: Box<Problem>,
    /// The account it concerns, where the place does not tell.
    pub(crate) account: Option<String>,
}

impl Fault {
    pub(crate) fn new(origin: &Origin, problem: impl Into<Problem>) -> Self {
        Self {
            origin: origin.clone(),
            problem: Box::new(problem.into()),
            account: None,
        }
    }

    /// The same, with the account named.
    pub(crate) fn of(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }
}

/// `tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    /// TLS, and whom to trust.
    On(TlsSettings),
    /// `tls = "off"`.
    Off,
}

/// `maildir`, `mbox` or `exec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Store {
    /// The folder.
    Maildir(PathBuf),
    /// The file.
    Mbox(PathBuf),
    /// The command.
    Exec(Vec<String>),
}

/// What the account's state is kept under.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key<'a> {
    /// The account's name in the configuration.
    Name(&'a str),
    /// The store's path; the account is called `user@host`.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command line's"))]
    Store,
}

/// One layer: `[defaults]`, an account, or a command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) server: Option<Setting<ServerUrl>>,
    pub(crate) user: Option<Setting<String>>,
    pub(crate) auth: Option<Setting<AuthMethod>>,
    pub(crate) password: Option<Setting<PasswordSource>>,
    pub(crate) store: Option<Setting<Store>>,
    pub(crate) exec_timeout: Option<Setting<Duration>>,
    pub(crate) profile: Option<Setting<Profile>>,
    pub(crate) leave_on_server: Option<Setting<bool>>,
    pub(crate) remove_after_days: Option<Setting<u32>>,
    pub(crate) headers_only_above: Option<Setting<NonZeroU64>>,
    pub(crate) header_stubs: Option<Setting<bool>>,
    pub(crate) remove_when_deleted_locally: Option<Setting<bool>>,
    pub(crate) max_deletions: Option<Setting<NonZeroU64>>,
    pub(crate) max_size: Option<Setting<NonZeroU64>>,
    pub(crate) max_messages: Option<Setting<NonZeroU64>>,
    pub(crate) max_octets: Option<Setting<NonZeroU64>>,
    pub(crate) route: RouteKeys,
    pub(crate) sessions: Option<Setting<NonZeroU64>>,
    pub(crate) tls: Option<Setting<Tls>>,
    pub(crate) timeout: Option<Setting<Duration>>,
    pub(crate) line_endings: Option<Setting<LineEndings>>,
    pub(crate) alerts: AlertKeys,
}

impl Settings {
    /// Sets the user name of this layer.
    pub(crate) fn set_user(&mut self, user: Setting<String>) -> Result<(), Fault> {
        if user.value.is_empty() {
            return Err(Fault::new(&user.origin, Problem::EmptyUser));
        }
        if let Err(byte) = argument::check_text(user.value.as_bytes()) {
            return Err(Fault::new(&user.origin, Problem::User(byte)));
        }
        if user.value.len() > argument::MAX {
            return Err(Fault::new(&user.origin, Problem::UserTooLong));
        }
        self.user = Some(user);
        Ok(())
    }

    /// Sets the password's source of this layer, of which there can be one.
    pub(crate) fn set_password(&mut self, source: Setting<PasswordSource>) -> Result<(), Fault> {
        if self.password.is_some() {
            return Err(Fault::new(&source.origin, Contradiction::TwoSources));
        }
        self.password = Some(source);
        Ok(())
    }

    /// Sets the store of this layer, of which there can be one.
    pub(crate) fn set_store(&mut self, store: Setting<Store>) -> Result<(), Fault> {
        if self.store.is_some() {
            return Err(Fault::new(&store.origin, Contradiction::TwoStores));
        }
        self.store = Some(store);
        Ok(())
    }

    /// Sets the days after which messages leave the server.
    pub(crate) fn set_days(&mut self, days: Setting<Option<u64>>) -> Result<(), Fault> {
        let problem = match days.value.map(u32::try_from) {
            Some(Ok(0)) => Problem::RemoveAtOnce,
            Some(Ok(count)) if count <= MOST_DAYS => {
                self.remove_after_days = Some(days.map(|_| count));
                return Ok(());
            }
            _ => Problem::Number {
                key: "remove-after-days",
                most: MOST_DAYS.into(),
            },
        };
        Err(Fault::new(&days.origin, problem))
    }

    /// To be called when all of this layer is set: makes the user name of the URL that of the
    /// layer.
    pub(crate) fn finish_layer(&mut self) -> Result<(), Fault> {
        let Some(server) = &self.server else {
            return Ok(());
        };
        let Some(url) = &server.value.user else {
            return Ok(());
        };
        match &self.user {
            Some(user) if user.value == *url => Ok(()),
            Some(user) => Err(Fault::new(
                &user.origin,
                Contradiction::Users {
                    url: url.clone(),
                    key: user.value.clone(),
                },
            )),
            None => self.set_user(Setting {
                value: url.clone(),
                origin: server.origin.clone(),
            }),
        }
    }

    /// These settings, and where they are silent those of `below`.
    pub(crate) fn or(self, below: &Self) -> Self {
        let below = below.clone();
        Self {
            server: self.server.or(below.server),
            user: self.user.or(below.user),
            auth: self.auth.or(below.auth),
            password: self.password.or(below.password),
            store: self.store.or(below.store),
            exec_timeout: self.exec_timeout.or(below.exec_timeout),
            profile: self.profile.or(below.profile),
            leave_on_server: self.leave_on_server.or(below.leave_on_server),
            remove_after_days: self.remove_after_days.or(below.remove_after_days),
            headers_only_above: self.headers_only_above.or(below.headers_only_above),
            header_stubs: self.header_stubs.or(below.header_stubs),
            remove_when_deleted_locally: self
                .remove_when_deleted_locally
                .or(below.remove_when_deleted_locally),
            max_deletions: self.max_deletions.or(below.max_deletions),
            max_size: self.max_size.or(below.max_size),
            max_messages: self.max_messages.or(below.max_messages),
            max_octets: self.max_octets.or(below.max_octets),
            route: self.route.or(below.route),
            sessions: self.sessions.or(below.sessions),
            tls: self.tls.or(below.tls),
            timeout: self.timeout.or(below.timeout),
            line_endings: self.line_endings.or(below.line_endings),
            alerts: self.alerts.or(below.alerts),
        }
    }

    /// Makes an account of these settings. `whole` is where a missing key is reported.
    pub(crate) fn resolve(self, key: Key<'_>, whole: &Origin) -> Result<Account, Faults> {
        let missing = |key| Fault::new(whole, Problem::Missing { key });
        let mut faults = Faults::default();
        let auth = self.auth();
        let retention = faults.keep(self.retention());
        let security = faults.keep(self.security());
        faults.keep(self.auth_fits(auth));
        let route = faults.keep(self.route.clone().route());
        let server = self.server.as_ref().ok_or_else(|| missing("server"));
        let server = faults.keep(server);
        faults.keep(self.password_fits(auth));
        let user = self.user.as_ref().ok_or_else(|| missing("user"));
        let user = faults.keep(user);
        faults.keep(user.map_or(Ok(()), |user| user_fits(user, auth)));
        let store = self.store().ok_or_else(|| missing("maildir"));
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
            Key::Name(name) => (name.to_owned(), name.to_owned()),
            Key::Store => (format!("{user}@{}", url.host), store.to_string()),
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
            password: value_or_default(self.password, PasswordSource::Ask),
            profile: value_or_default(self.profile, Profile::default()),
            store,
            retention,
            limits: Limits {
                sessions: self.sessions.map(|limit| limit.value),
                header_stubs: value_or_default(self.header_stubs, false),
                headers_only_above: self.headers_only_above.map(|limit| limit.value),
                max_size: self.max_size.map(|limit| limit.value),
                max_messages: self.max_messages.map(|limit| limit.value),
                max_octets: self.max_octets.map(|limit| limit.value),
            },
            route,
            tls: match self.tls.map(|tls| tls.value) {
                Some(Tls::On(settings)) => settings,
                Some(Tls::Off) | None => TlsSettings::default(),
            },
            timeout: value_or_default(self.timeout, DEFAULT_TIMEOUT),
            alerts: self.alerts.alerts(),
        })
    }

    /// When messages leave the server. Who asks for removal after some days, or once they are
    /// deleted here, wants them to stay until then, also under a profile that would delete at
    /// once.
    fn retention(&self) -> Result<Retention, Fault> {
        let profile = self.profile.as_ref().map(|profile| profile.value);
        let days = self.remove_after_days.as_ref();
        let follow = self.remove_when_deleted_locally.as_ref();
        let follow = follow.is_some_and(|follow| follow.value);
        let leave = match (&self.leave_on_server, days) {
            (Some(leave), Some(days)) if !leave.value => {
                let problem = Contradiction::RemoveAfterWithoutLeave;
                return Err(Fault::new(&days.origin, problem));
            }
            (Some(leave), _) => leave.value,
            (None, Some(_)) => true,
            (None, None) if follow => true,
            (None, None) => profile.unwrap_or_default().leaves_on_server(),
        };
        Ok(Retention {
            leave_on_server: leave,
            remove_after_days: days.map(|days| days.value),
            remove_when_deleted_locally: follow,
            max_deletions: self
                .max_deletions
                .as_ref()
                .map_or(DEFAULT_MAX_DELETIONS, |most| most.value.get()),
        })
    }

    /// How to log in.
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
        let profile = self.profile.as_ref().map(|profile| profile.value);
        let profile = profile.unwrap_or_default();
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
        let line_endings = self.line_endings.clone();
        let line_endings = value_or_default(line_endings, LineEndings::default());
        Some(match self.store.clone()?.value {
            Store::Maildir(path) => StoreSettings::Maildir { path, line_endings },
            Store::Mbox(path) => StoreSettings::Mbox { path, line_endings },
            Store::Exec(command) => StoreSettings::Exec {
                command,
                timeout: value_or_default(self.exec_timeout.clone(), DEFAULT_EXEC_TIMEOUT),
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
        match &self.remove_when_deleted_locally {
            Some(follow) if follow.value && is_agent => {
                Err(Fault::new(&follow.origin, Contradiction::NothingToFollow))
            }
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

fn value_or_default<T>(setting: Option<Setting<T>>, default: T) -> T {
    setting.map_or(default, |setting| setting.value)
}
