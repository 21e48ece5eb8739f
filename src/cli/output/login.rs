//! What `popsync login` and `popsync logout` say.

use crate::account::{Account, PasswordSource};
use crate::auth::keyring::Fault;
use crate::auth::oauth::Invitation;
use crate::cli::login::Error;
use crate::exit::Exit;

use super::Output;
use super::json::Line;

impl Output {
    /// The secret of an account is kept.
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

    /// It is not, any more or never was.
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

    /// Where a person has to sign in. This is said in any case: nothing goes on without it.
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

    /// A typed password is in the keyring.
    pub(in crate::cli) fn password_kept(&self, account: &str) {
        self.done(&format!("{account}: the password is in the keyring"));
    }

    /// It is not.
    pub(in crate::cli) fn password_not_kept(&self, fault: &Fault) {
        self.note(&format!("the password is not kept: {fault}"));
        self.note(fault.advice());
    }

    /// Something to know on the way.
    pub(in crate::cli) fn note(&self, text: &str) {
        if !self.options.quiet {
            self.line(text);
        }
    }

    /// Neither.
    pub(in crate::cli) fn login_failed(&self, account: &str, error: &Error) -> Exit {
        self.account_error(account, error, error.exit(), error.advice());
        error.exit()
    }

    /// A line for a person who waits for it.
    pub(super) fn done(&self, line: &str) {
        if self.streams.is_watched() && !self.options.json && !self.options.quiet {
            self.line(line);
        }
    }
}
