//! The users who may log in, and the mailbox that a login opens.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::clock::lock;
use crate::mailbox::Mailbox;

/// A user with a mailbox.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: Mutex<Vec<u8>>,
    pub(crate) token: Mutex<Option<String>>,
    pub(crate) mailbox: Mailbox,
    /// POP3 is on for the mailbox.
    pub(crate) pop: bool,
}

/// All users, and the connections that they have open.
pub(crate) struct Directory {
    pub(crate) users: Vec<User>,
    /// The users who may open another mailbox than their own.
    delegates: Vec<(String, String)>,
    open: Mutex<HashMap<String, usize>>,
}

/// A login that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) user: String,
    pub(crate) mailbox: Mailbox,
}

impl Directory {
    pub(crate) fn new(users: Vec<User>, delegates: Vec<(String, String)>) -> Self {
        Self {
            users,
            delegates,
            open: Mutex::default(),
        }
    }

    /// The user by address, by alias (the part before the `@`), or by either after a domain:
    /// `domain/alias`, `domain\alias`.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let by_name = |user: &&User| user.name.eq_ignore_ascii_case(name);
        let by_alias = |user: &&User| {
            let alias = user.name.split('@').next().unwrap_or_default();
            alias.eq_ignore_ascii_case(name)
        };
        let mut users = self.users.iter();
        users
            .find(by_name)
            .or_else(|| self.users.iter().find(by_alias))
    }

    /// Checks name and password of USER and PASS. A name with `/` is split at the last slash
    /// into the login and the mailbox (MS-OXPOP3 §2.2.2).
    pub(crate) fn log_in(&self, name: &str, password: &[u8]) -> Option<Opened> {
        let (login, mailbox) = match name.rsplit_once('/') {
            Some((login, mailbox)) => (login, Some(mailbox)),
            None => (name, None),
        };
        let user = self.user(login)?;
        if *lock(&user.password) != password {
            return None;
        }
        self.open(user, mailbox)
    }

    /// Opens the mailbox of this name, or the user's own, if the user may.
    pub(crate) fn open(&self, user: &User, mailbox: Option<&str>) -> Option<Opened> {
        let owner = match mailbox {
            Some(name) => self.user(name)?,
            None => user,
        };
        let allowed = owner.name == user.name
            || self.delegates.iter().any(|(delegate, principal)| {
                delegate.eq_ignore_ascii_case(&user.name)
                    && principal.eq_ignore_ascii_case(&owner.name)
            });
        (allowed && owner.pop).then(|| Opened {
            user: user.name.clone(),
            mailbox: owner.mailbox.clone(),
        })
    }

    /// Counts a connection of the user, unless there are `most` already. Returns true if it did.
    pub(crate) fn enter(&self, user: &str, most: usize) -> bool {
        let mut open = lock(&self.open);
        let count = open.entry(user.to_owned()).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        true
    }

    pub(crate) fn leave(&self, user: &str) {
        if let Some(count) = lock(&self.open).get_mut(user) {
            *count = count.saturating_sub(1);
        }
    }
}
