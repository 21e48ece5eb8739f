//! What the brakes on deletion need to know: whether the store is the one that was there before,
//! and which of the stored messages are still in it.
//!
//! A store that was there and is not, is not made anew: it is on a volume that is not mounted, or
//! somewhere else. A store at the same path that is another one and holds nothing of ours is not
//! written into. In both cases the run ends before it connects, and a person decides. One that is
//! another and holds something of ours was moved or brought back from a backup: what it lacks was
//! not deleted by anybody, so it stays on the server.

use std::path::{Path, PathBuf};

use super::{Allow, Error, Request};
use crate::account::{Account, Retention, StoreSettings};
use crate::cache::{self, AccountRow, Cache, Guard, Snapshot};
use crate::maildrop::Maildrop;
use crate::policy::{Circumstances, StoreState, Whereabouts};
use crate::store::{self, Doubt, Inventory, Maildir, Mbox, Store};

/// What is known of the past of an account when a run begins.
#[derive(Debug, Clone)]
pub(super) struct Guarding {
    /// What the brakes remember, as it is to be from now on.
    guard: Guard,
    /// The same as it was.
    before: Option<Guard>,
    /// When the last run ended whose clock was believed.
    pub(super) trusted_at: Option<i64>,
    /// Whether the runs that stored the messages are known.
    pub(super) has_history: bool,
    /// The key of the message that was stored last; 0 where none is.
    newest: i64,
    /// Unique-ids of messages that the store lacks and nobody deleted.
    lost: Vec<(i64, Vec<u8>)>,
    /// Keys of those that were lost and are there again.
    back: Vec<i64>,
}

impl Guarding {
    /// An account of which nothing is known.
    pub(super) fn new() -> Self {
        Self {
            guard: Guard::default(),
            before: None,
            trusted_at: None,
            has_history: true,
            newest: 0,
            lost: Vec::new(),
            back: Vec::new(),
        }
    }

    /// Looks whether the store is the one that was there before. Writes nothing.
    ///
    /// # Errors
    /// [`Error::StoreGone`] and [`Error::StoreReplaced`] where it is not, and a person has not
    /// said that it will do.
    pub(super) fn inspect(
        cache: &Cache,
        row: &AccountRow,
        account: &Account,
        allow: Allow,
    ) -> Result<Self, Error> {
        let before = cache.guard(row.id)?;
        let newest = cache.newest_message(row.id)?;
        let trusted_at = cache.trusted_at(row.id)?;
        let mut guarding = Self {
            guard: before.clone().unwrap_or_default(),
            has_history: newest == 0 || before.is_some() || trusted_at.is_some(),
            before,
            trusted_at,
            newest,
            lost: Vec::new(),
            back: Vec::new(),
        };
        guarding.follow_policy(account.retention, allow);
        if newest > 0 {
            guarding.check_store(cache, row, account, allow)?;
        }
        Ok(guarding)
    }

    /// Whether no message was stored before this run.
    pub(super) fn is_new(&self) -> bool {
        self.newest == 0
    }

    /// That the policy deletes at once is no news for messages that it was to delete at once when
    /// they were stored.
    fn follow_policy(&mut self, retention: Retention, allow: Allow) {
        self.guard.deleting_after = match (retention.leave_on_server, self.guard.deleting_after) {
            (true, _) => None,
            (false, _) if allow.mass_delete => Some(0),
            (false, Some(key)) => Some(key),
            (false, None) => Some(self.newest),
        };
    }

    fn check_store(
        &mut self,
        cache: &Cache,
        row: &AccountRow,
        account: &Account,
        allow: Allow,
    ) -> Result<(), Error> {
        let path = match &account.store {
            StoreSettings::Maildir { path, .. } => path,
            StoreSettings::Mbox { path, .. } => return self.check_mbox(cache, row, path, allow),
            // What an agent made of its messages nobody can look at.
            StoreSettings::Exec { .. } => return Ok(()),
        };
        let is_there = Maildir::is_there(path)?;
        let identity = if is_there {
            Some(Maildir::identity(path)?)
        } else {
            None
        };
        let is_same = is_there && (self.guard.store.is_none() || self.guard.store == identity);
        if is_same && !allow.store_as_is {
            return Ok(());
        }
        let inventory = if is_there {
            Maildir::look(path)?
        } else {
            Inventory::default()
        };
        let stock = cache.stock(row.id, &inventory, None)?;
        if stock.found == 0 && stock.recorded > 0 && !allow.store_as_is {
            let (path, messages) = (PathBuf::from(path), stock.recorded);
            return Err(if is_there {
                Error::StoreReplaced { path, messages }
            } else {
                Error::StoreGone { path, messages }
            });
        }
        self.guard.emptied_upto = None;
        self.lost = stock.absent;
        self.back = stock.back;
        Ok(())
    }

    /// An mbox is told by what is in it: mail programs write it anew all the time.
    fn check_mbox(
        &mut self,
        cache: &Cache,
        row: &AccountRow,
        path: &Path,
        allow: Allow,
    ) -> Result<(), Error> {
        if path.exists() {
            return Ok(());
        }
        let stock = cache.stock(row.id, &Inventory::default(), None)?;
        if !allow.store_as_is && stock.recorded > 0 {
            let (path, messages) = (PathBuf::from(path), stock.recorded);
            return Err(Error::StoreGone { path, messages });
        }
        self.guard.emptied_upto = None;
        self.lost = stock.absent;
        Ok(())
    }

    /// Looks what a store that has lost its end lacks: that stays on the server. Gives what a
    /// person should know.
    pub(super) fn notice_cut(
        &mut self,
        cache: &Cache,
        row: &AccountRow,
        account: &Account,
        store: &dyn Store,
    ) -> Result<Option<String>, Error> {
        let inventory = if store.is_cut() {
            store.inventory()?
        } else {
            None
        };
        let Some(inventory) = inventory.filter(|seen| seen.is_doubtful().is_none()) else {
            return Ok(None);
        };
        let stock = cache.stock(row.id, &inventory, None)?;
        self.lost.extend(stock.absent);
        Ok((stock.missed > 0).then(|| {
            format!(
                "`{}` ends in the middle of a message: what was stored in it and is missing, {} \
                 messages, is not deleted on the server",
                account.store, stock.missed
            )
        }))
    }

    /// Remembers what was seen, and which store it is now.
    pub(super) fn settle(
        &mut self,
        cache: &mut Cache,
        row: &AccountRow,
        account: &Account,
    ) -> Result<(), Error> {
        self.guard.store = match account.store.maildir() {
            Some(path) => Some(Maildir::identity(path)?),
            None => None,
        };
        if !self.lost.is_empty() || !self.back.is_empty() {
            let lost: Vec<i64> = self.lost.drain(..).map(|(id, _)| id).collect();
            cache.lost(&lost, &std::mem::take(&mut self.back))?;
        }
        self.save(cache, row.id)?;
        Ok(())
    }

    fn save(&mut self, cache: &mut Cache, account: i64) -> Result<(), cache::Error> {
        if self.before.as_ref() != Some(&self.guard) {
            cache.set_guard(account, &self.guard)?;
            self.before = Some(self.guard.clone());
        }
        Ok(())
    }

    /// How the store is found, by a look at it.
    pub(super) fn store_state(
        &mut self,
        cache: &Cache,
        account: i64,
        look: &Look,
    ) -> Result<StoreState, cache::Error> {
        let inventory = match look {
            Look::Taken(inventory) => inventory,
            Look::Impossible => return Ok(StoreState::Holds),
            Look::Failed(_) => return Ok(StoreState::Unreadable),
        };
        // Messages that came after the store was emptied do not fill it again.
        let upto = self.guard.emptied_upto;
        let stock = cache.stock(account, inventory, upto)?;
        let emptied = stock.found == 0 && stock.recorded > 0;
        self.guard.emptied_upto = emptied.then(|| upto.unwrap_or(self.newest));
        Ok(if emptied {
            StoreState::Emptied
        } else {
            StoreState::Holds
        })
    }

    /// What the plan does not know.
    pub(super) fn circumstances(
        &self,
        request: &Request<'_>,
        maildrop: &Maildrop,
        store: StoreState,
    ) -> Circumstances {
        Circumstances {
            now: (request.clock)(),
            trusted_at: self.trusted_at,
            on_server: maildrop.len() as u64,
            has_history: self.has_history,
            store,
            max_deletions: request.account.retention.max_deletions,
            allowed: request.allow.mass_delete,
        }
    }

    /// Remembers whether the store was found emptied.
    pub(super) fn remember_state(
        &mut self,
        cache: &mut Cache,
        account: i64,
    ) -> Result<(), cache::Error> {
        self.save(cache, account)
    }

    /// Everything that a plan needs to know of the stored messages. Where `look` is given, also
    /// which of them were deleted from the store.
    pub(super) fn snapshot(
        &self,
        cache: &Cache,
        account: i64,
        look: Option<&Look>,
    ) -> Result<Snapshot, cache::Error> {
        let mut snapshot = cache.snapshot(account)?;
        for (_, unique_id) in &self.lost {
            snapshot.set_whereabouts(unique_id, Whereabouts::Lost);
        }
        if let Some(Look::Taken(inventory)) = look
            && inventory.is_doubtful().is_none()
        {
            for (_, unique_id) in cache.stock(account, inventory, None)?.absent {
                // Of several with one unique-id all must be gone.
                let mut names = cache.names(account, &unique_id)?.into_iter();
                if !names.any(|name| name.as_str().is_empty() || inventory.holds(&name)) {
                    snapshot.set_whereabouts(&unique_id, Whereabouts::Deleted);
                }
            }
        }
        Ok(snapshot)
    }
}

/// A look at the store.
#[derive(Debug)]
pub(super) enum Look {
    /// It came to its end.
    Taken(Inventory),
    /// This kind of store cannot be looked at.
    Impossible,
    /// The store cannot be read.
    Failed(store::Error),
}

impl Look {
    /// Looks at a store that is open.
    pub(super) fn at(store: &dyn Store) -> Self {
        Self::of(store.inventory())
    }

    /// Looks at a store that is not opened.
    pub(super) fn at_account(account: &Account) -> Self {
        let path = match &account.store {
            StoreSettings::Maildir { path, .. } => path,
            StoreSettings::Mbox { path, .. } => return Self::of(Mbox::look(path).map(Some)),
            StoreSettings::Exec { .. } => return Self::Impossible,
        };
        match Maildir::is_there(path) {
            Ok(true) => Self::of(Maildir::look(path).map(Some)),
            Ok(false) => Self::Taken(Inventory::default()),
            Err(error) => Self::Failed(error),
        }
    }

    fn of(inventory: Result<Option<Inventory>, store::Error>) -> Self {
        match inventory {
            Ok(Some(inventory)) => Self::Taken(inventory),
            Ok(None) => Self::Impossible,
            Err(error) => Self::Failed(error),
        }
    }

    /// Why it cannot be told which messages were deleted from the store, where that is so and a
    /// person should know. That it changed all the time is no such thing: the next run will tell.
    pub(super) fn worry(&self) -> Option<String> {
        match self {
            Self::Taken(inventory) => inventory
                .is_doubtful()
                .filter(|doubt| **doubt != Doubt::Changing)
                .map(ToString::to_string),
            Self::Impossible => None,
            Self::Failed(error) => Some(format!("the store cannot be read: {error}")),
        }
    }

    /// Whether this message is certainly not in the store.
    pub(super) fn lacks(&self, name: &store::Name) -> bool {
        match self {
            Self::Taken(inventory) => inventory.is_doubtful().is_none() && !inventory.holds(name),
            Self::Impossible | Self::Failed(_) => false,
        }
    }
}
