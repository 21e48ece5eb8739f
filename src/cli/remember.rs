//! `popsync fetch --remember`: puts a typed password that the server accepted into the keyring.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;

use crate::account::Account;
use crate::auth::keyring;
use crate::auth::source::{Prompt, Unanswered};
use crate::sync::{Event, Reporter};

use super::output::Output;

/// A prompt that keeps the typed password, and a reporter that notices if the server accepts it.
pub(super) struct Remembering<'a> {
    prompt: &'a dyn Prompt,
    reporter: &'a dyn Reporter,
    typed: Mutex<Option<SecretString>>,
    is_taken: AtomicBool,
}

impl<'a> Remembering<'a> {
    pub(super) fn new(prompt: &'a dyn Prompt, reporter: &'a dyn Reporter) -> Self {
        Self {
            prompt,
            reporter,
            typed: Mutex::default(),
            is_taken: AtomicBool::new(false),
        }
    }

    /// True if somebody has typed a password.
    pub(super) fn has_asked(&self) -> bool {
        let typed = self.typed.lock();
        typed.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The password, if one was typed and the server accepted it.
    pub(super) fn taken(self) -> Option<SecretString> {
        let typed = self.typed.into_inner();
        let typed = typed.unwrap_or_else(PoisonError::into_inner);
        typed.filter(|_| self.is_taken.load(Ordering::Relaxed))
    }
}

/// Puts the password of an account into the keyring. If the keyring fails, that is reported, but
/// the run does not fail.
pub(super) async fn keep(account: &Account, password: &SecretString, output: &Output) {
    match keyring::set(&keyring::Entry::password(account), password).await {
        Ok(()) => output.password_kept(&account.name),
        Err(fault) => output.password_not_kept(&fault),
    }
}

impl Prompt for Remembering<'_> {
    fn is_there(&self) -> bool {
        self.prompt.is_there()
    }

    fn password(&self, account: &Account) -> Result<SecretString, Unanswered> {
        let password = self.prompt.password(account)?;
        *self.typed.lock().unwrap_or_else(PoisonError::into_inner) = Some(password.clone());
        Ok(password)
    }
}

impl Reporter for Remembering<'_> {
    fn report(&self, event: Event<'_>) {
        if matches!(event, Event::LoggedIn) {
            self.is_taken.store(true, Ordering::Relaxed);
        }
        self.reporter.report(event);
    }
}
