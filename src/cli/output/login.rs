//! The output of `popsync login` and `popsync logout`.

use crate::account::{Account, PasswordSource};
use crate::auth::keyring;
use crate::auth::oauth::Invitation;
use crate::failure::Failure;

use super::Output;
use super::json::Line;

impl Output {
    /// Reports that the secret of an account was stored.
    pub(in crate::cli) fn login_done(&self, account: &Account, tested: bool) {
        let name = &account.name;
        self.json(|| Line::Login {
            account: name,
            tested,
        });
        let what = match account.password {
            PasswordSource::OAuth(_) => "signed in",
            _ => "the password is in the keyring",
        };
        let how = if tested { ", and it works" } else { "" };
        self.done(&format!("{name}: {what}{how}"));
    }

    /// Reports that the secret was removed, or that there was none.
    pub(in crate::cli) fn logout_done(&self, account: &Account, removed: bool) {
        let name = &account.name;
        self.json(|| Line::Logout {
            account: name,
            removed,
        });
        let what = match (&account.password, removed) {
            (PasswordSource::OAuth(_), true) => "signed out",
            (PasswordSource::OAuth(_), false) => "nobody was signed in",
            (_, true) => "the password is out of the keyring",
            (_, false) => "the keyring had no password",
        };
        self.done(&format!("{name}: {what}"));
    }

    /// Shows where a person has to sign in. It is always printed: nothing continues without it.
    pub(in crate::cli) fn invited(&self, account: &str, invitation: &Invitation<'_>) {
        let (address, code) = match *invitation {
            Invitation::Browser { address } => (address, None),
            Invitation::Device { address, code, .. } => (address, Some(code)),
        };
        self.json(|| Line::SignIn {
            account,
            address,
            code,
        });
        match code {
            Some(code) => self.line(&format!(
                "Open {address} in any browser, and type this code there: {code}"
            )),
            None => {
                self.line("Open this in a browser on this machine:");
                self.line(address);
            }
        }
    }

    /// Reports that a typed password was put into the keyring.
    pub(in crate::cli) fn password_kept(&self, account: &str) {
        self.done(&format!("{account}: the password is in the keyring"));
    }

    /// Reports that it was not.
    pub(in crate::cli) fn password_not_kept(&self, error: &keyring::Error) {
        self.note(&format!("the password is not kept: {error}"));
        self.note(&error.hint().unwrap_or_default());
    }

    /// Prints a note.
    pub(in crate::cli) fn note(&self, text: &str) {
        if !self.options.quiet {
            self.line(text);
        }
    }

    /// A line for an interactive user.
    pub(super) fn done(&self, line: &str) {
        if self.streams.is_watched() && !self.options.json && !self.options.quiet {
            self.line(line);
        }
    }
}
