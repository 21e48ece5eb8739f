//! Settings before they are an account.
//!
//! A setting that no rule connects with others is already in the part of the account that it
//! belongs to, such as [`Limits`]. The others remember where they were written, so that a
//! contradiction between a default and an account can point at a line.

use std::path::PathBuf;
use std::time::Duration;

use crate::account::{
    Alerts, AuthMethod, Limits, LineEndings, PasswordSource, Retention, TlsSettings,
};
use crate::auth::argument;
use crate::profile::Profile;

use super::contradiction::Contradiction;
use super::faults::Fault;
use super::origin::Setting;
use super::problem::Problem;
use super::route::RouteKeys;
use super::url::ServerUrl;

/// `tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    /// TLS, and the certificates that count.
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

/// The settings of `[defaults]`, of an account, of both, or of a command line.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(super) server: Option<Setting<ServerUrl>>,
    pub(super) user: Option<Setting<String>>,
    pub(super) auth: Option<Setting<AuthMethod>>,
    pub(super) password: Option<Setting<PasswordSource>>,
    pub(super) store: Option<Setting<Store>>,
    pub(super) exec_timeout: Option<Duration>,
    pub(super) line_endings: LineEndings,
    pub(super) profile: Option<Profile>,
    pub(super) leave_on_server: Option<bool>,
    pub(super) remove_after_days: Option<Setting<u32>>,
    pub(super) remove_when_deleted_locally: Option<Setting<bool>>,
    pub(super) remove_imported: Option<Setting<bool>>,
    pub(super) retention: Retention,
    pub(super) header_stubs: Option<Setting<bool>>,
    pub(super) limits: Limits,
    pub(super) tls: Option<Setting<Tls>>,
    pub(super) route: RouteKeys,
    pub(super) timeout: Option<Duration>,
    pub(super) alerts: Alerts,
}

impl Settings {
    /// Sets the user name.
    pub(super) fn set_user(&mut self, user: Setting<String>) -> Result<(), Fault> {
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

    /// Sets the source of the password, of which there can be one.
    pub(super) fn set_password(&mut self, source: Setting<PasswordSource>) -> Result<(), Fault> {
        if self.password.is_some() {
            return Err(Fault::new(&source.origin, Contradiction::TwoSources));
        }
        self.password = Some(source);
        Ok(())
    }

    /// Sets the store, of which there can be one.
    pub(crate) fn set_store(&mut self, store: Setting<Store>) -> Result<(), Fault> {
        if self.store.is_some() {
            return Err(Fault::new(&store.origin, Contradiction::TwoStores));
        }
        self.store = Some(store);
        Ok(())
    }

    /// Takes the user name over from the URL. To be called when all that stands in one place, such
    /// as a table of the file, is set.
    pub(super) fn take_user_of_url(&mut self) -> Result<(), Fault> {
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
}
