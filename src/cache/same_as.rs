//! A mailbox recorded under another name: the account was renamed, or its host or user is now spelt
//! differently.

use rusqlite::params;
use std::borrow::Cow;

use super::{AccountId, Cache, Error, Statements, accounts};
use crate::account::Identity;
use crate::exit::Exit;
use crate::failure::Failure;

/// A mailbox that has records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Its key in the other tables.
    pub id: AccountId,
    /// The identity under which it is recorded.
    pub identity: Identity,
    /// Its name in the configuration, or `user@host`.
    pub name: String,
}

/// The reason why a mailbox cannot take over the records of another name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SameAsError {
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] Error),
    /// No mailbox is recorded under that name.
    #[error("no mailbox `{named}` is recorded")]
    Unknown {
        /// The name.
        named: String,
        /// The recorded names.
        known: Vec<String>,
    },
    /// Several mailboxes have that name.
    #[error("several mailboxes are recorded as `{named}`: {}", of.join(", "))]
    Several {
        /// The name.
        named: String,
        /// The candidates.
        of: Vec<String>,
    },
    /// The mailbox has records of its own.
    #[error("`{name}` has records of its own already, so it cannot take over those of `{of}`")]
    Known {
        /// The mailbox.
        name: String,
        /// The other one.
        of: String,
    },
}

impl Failure for SameAsError {
    fn exit(&self) -> Exit {
        match self {
            Self::Cache(error) => error.exit(),
            Self::Unknown { .. } | Self::Several { .. } | Self::Known { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Cache(error) => error.hint(),
            Self::Unknown { known, .. } if known.is_empty() => Some(
                "no other mailbox is recorded: is it another state folder?".into(),
            ),
            Self::Unknown { known, .. } => {
                let known = known.join(", ");
                let hint =
                    format!("name it as `popsync status --all` does, or as USER@HOST: {known}");
                Some(hint.into())
            }
            Self::Several { .. } => Some("say which one, as USER@HOST".into()),
            Self::Known { .. } => Some(
                "both were fetched, each under its own name; nothing was changed. Leave `--same-as` \
                 out to go on"
                    .into(),
            ),
        }
    }
}

impl Recorded {
    fn mailbox(&self) -> String {
        format!("{}@{}", self.identity.user, self.identity.host)
    }
}

impl Cache {
    /// The mailbox that is recorded under this name, as `popsync status --all` shows it or as
    /// `user@host`, and that is not `own`. None if `own` has taken it over already.
    ///
    /// # Errors
    /// [`SameAsError::Unknown`], [`SameAsError::Several`] and [`SameAsError::Known`].
    pub(crate) fn named(
        &self,
        named: &str,
        own: &Identity,
    ) -> Result<Option<Recorded>, SameAsError> {
        let others = self.others(own)?;
        let is_meant = |one: &&Recorded| one.name == named || one.mailbox() == named;
        let mut meant: Vec<&Recorded> = others.iter().filter(is_meant).collect();
        // If several accounts have one name, choose the one for this mailbox. If one mailbox has
        // several stores, choose the one with this store.
        let is_mailbox =
            |one: &Recorded| one.identity.host == own.host && one.identity.user == own.user;
        if meant.iter().any(|one| is_mailbox(one)) {
            meant.retain(|one| is_mailbox(one));
        }
        if meant.iter().any(|one| one.identity.key == own.key) {
            meant.retain(|one| one.identity.key == own.key);
        }
        let is_blank = match self.find_account(own)? {
            Some(row) => self.is_blank(row.id)?,
            None => true,
        };
        match meant[..] {
            [] if !is_blank => Ok(None),
            [] => Err(SameAsError::Unknown {
                named: named.to_owned(),
                known: others.iter().map(Recorded::mailbox).collect(),
            }),
            [one] if is_blank => Ok(Some(one.clone())),
            [one] => Err(SameAsError::Known {
                name: format!("{}@{}", own.user, own.host),
                of: one.mailbox(),
            }),
            _ => Err(SameAsError::Several {
                named: named.to_owned(),
                of: meant.iter().map(|one| one.mailbox()).collect(),
            }),
        }
    }

    /// Lets `own` take over the records and the name of another mailbox. `own` must have no records
    /// except failed runs.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn take_name(&mut self, from: AccountId, own: &Identity) -> Result<(), Error> {
        let blank = self.find_account(own)?;
        let transaction = self.connection.transaction()?;
        if let Some(blank) = blank {
            accounts::forget_blank(&transaction, blank.id)?;
        }
        transaction.execute_cached(
            "UPDATE accounts SET key = ?2, host = ?3, user = ?4 WHERE id = ?1",
            params![from, own.key, own.host, own.user],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// All other mailboxes that have more records than failed runs.
    fn others(&self, own: &Identity) -> Result<Vec<Recorded>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, key, host, user, name FROM accounts
             WHERE key <> ?1 OR host <> ?2 OR user <> ?3 ORDER BY name, id",
        )?;
        let others = query.query_map(params![own.key, own.host, own.user], |row| {
            Ok(Recorded {
                id: row.get(0)?,
                identity: Identity {
                    key: row.get(1)?,
                    host: row.get(2)?,
                    user: row.get(3)?,
                },
                name: row.get(4)?,
            })
        })?;
        let mut known = Vec::new();
        for other in others {
            let other = other?;
            if !self.is_blank(other.id)? {
                known.push(other);
            }
        }
        Ok(known)
    }
}
