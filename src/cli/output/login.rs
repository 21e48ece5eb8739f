//! What `popsync login` and `popsync logout` say.

use crate::cli::login::Error;
use crate::exit::Exit;

use super::Output;
use super::json::Line;

impl Output {
    /// The secret of an account is in the keyring.
    pub(in crate::cli) fn login_done(&self, account: &str, tested: bool) {
        self.json(|| Line::Login { account, tested });
        let how = if tested { ", and works" } else { "" };
        self.done(&format!("{account}: the password is in the keyring{how}"));
    }

    /// It is out of it, or never was there.
    pub(in crate::cli) fn logout_done(&self, account: &str, removed: bool) {
        self.json(|| Line::Logout { account, removed });
        self.done(&if removed {
            format!("{account}: the password is out of the keyring")
        } else {
            format!("{account}: the keyring had no password")
        });
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
        if self.terminal && !self.options.json && !self.options.quiet {
            self.line(line);
        }
    }
}
