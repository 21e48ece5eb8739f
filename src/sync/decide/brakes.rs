//! The facts that the brakes on deletion need: if the store is still the same one, and which of the
//! stored messages are still in it.
//!
//! A store that is gone is not created again: it may be on a volume that is not mounted, or
//! elsewhere. Nothing is written into another store at the same path that has none of the account's
//! messages. In both cases the run ends before it connects, and a person decides. Another store
//! that has some of the account's messages was moved or restored from a backup: nobody deleted the
//! messages it lacks, so they stay on the server.

use std::collections::HashSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::inspection::Inspection;
use crate::account::{Account, Retention, StoreSettings};
use crate::cache::{self, AccountId, AccountRow, BrakeMemory, Cache, MessageKey, Snapshot};
use crate::maildrop::Maildrop;
use crate::policy::{Circumstances, Plan, StoreState, Whereabouts};
use crate::store::{Inventory, Maildir, Mbox, Store};
use crate::sync::{Allow, Error, Request};

/// The state of an account's past when a run begins.
#[derive(Debug, Clone)]
pub(in crate::sync) struct Brakes {
    /// The brakes' state, with this run's changes.
    memory: BrakeMemory,
    /// The brakes' state before this run.
    before: Option<BrakeMemory>,
    /// The end of the last run whose clock was trusted.
    pub(in crate::sync) trusted_at: Option<i64>,
    /// The key of the message that was stored last.
    newest: MessageKey,
    /// Messages that the store lacks and nobody deleted.
    lost: Vec<(MessageKey, Vec<u8>)>,
    /// Messages that were lost and are back.
    back: Vec<(MessageKey, Vec<u8>)>,
}

impl Brakes {
    /// An account without records.
    pub(in crate::sync) fn new() -> Self {
        Self {
            memory: BrakeMemory::default(),
            before: None,
            trusted_at: None,
            newest: MessageKey::NONE,
            lost: Vec::new(),
            back: Vec::new(),
        }
    }

    /// Checks that the store is the same one as before. Writes nothing.
    ///
    /// # Errors
    /// [`Error::StoreGone`] and [`Error::StoreReplaced`] if it is not, and no person has accepted
    /// that.
    pub(in crate::sync) fn inspect(
        cache: &Cache,
        row: &AccountRow,
        account: &Account,
        allow: Allow,
    ) -> Result<Self, Error> {
        let before = cache.brakes(row.id)?;
        let newest = cache.newest_message(row.id)?;
        let trusted_at = cache.trusted_at(row.id)?;
        let mut brakes = Self {
            memory: before.clone().unwrap_or_default(),
            before,
            trusted_at,
            newest,
            lost: Vec::new(),
            back: Vec::new(),
        };
        // Recorded, but not by a run: nobody knows if the record is right.
        let is_new = newest == MessageKey::NONE;
        brakes.memory.rebuilt |= !is_new && brakes.before.is_none() && trusted_at.is_none();
        brakes.memory.rebuilt &= !allow.mass_delete;
        brakes.memory.held &= !allow.mass_delete;
        brakes.follow_policy(account.retention, allow);
        if !is_new {
            brakes.check_store(cache, row, account, allow)?;
        }
        Ok(brakes)
    }

    /// True if no message was stored before this run.
    pub(in crate::sync) fn is_new(&self) -> bool {
        self.newest == MessageKey::NONE
    }

    /// Updates the key from which on messages were stored under a policy of deleting at once.
    /// Deleting such messages is no surprise.
    fn follow_policy(&mut self, retention: Retention, allow: Allow) {
        self.memory.deleting_after = match (retention.leave_on_server, self.memory.deleting_after) {
            (true, _) => None,
            (false, _) if allow.mass_delete => Some(MessageKey::NONE),
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
            // Nobody can look at the messages that an agent has taken.
            StoreSettings::Exec { .. } => return Ok(()),
        };
        let is_there = Maildir::is_there(path)?;
        let identity = if is_there {
            Some(Maildir::identity(path)?)
        } else {
            None
        };
        let is_same = is_there && (self.memory.store.is_none() || self.memory.store == identity);
        if is_same && !allow.store_as_is {
            return self.check_stamp(cache, row, path);
        }
        let inventory = if is_there {
            Maildir::look(path)?
        } else {
            Inventory::default()
        };
        let stock = cache.stock(row.id, &inventory, ..)?;
        if stock.found == 0 && stock.recorded > 0 && !allow.store_as_is {
            let (path, messages) = (PathBuf::from(path), stock.recorded);
            return Err(if is_there {
                Error::StoreReplaced { path, messages }
            } else {
                Error::StoreGone { path, messages }
            });
        }
        self.memory.emptied_upto = None;
        self.lost = stock.absent;
        self.back = stock.back;
        Ok(())
    }

    /// A Maildir that was restored in place has a stamp that was restored with it. Messages stored
    /// after that stamp that are not there are lost: nobody deleted them.
    fn check_stamp(&mut self, cache: &Cache, row: &AccountRow, path: &Path) -> Result<(), Error> {
        let stamp = match self.memory.stamped {
            true => Maildir::stamp_at(path, &row.tag)?.map_or(MessageKey::NONE, MessageKey::new),
            false => self.newest,
        };
        // Lost messages may have been put back, by a person or by `popsync verify --repair`.
        if stamp >= self.newest && !cache.has_lost(row.id)? {
            return Ok(());
        }
        let stock = cache.stock(row.id, &Maildir::look(path)?, ..)?;
        let newer = stock.absent.into_iter().filter(|(key, _)| *key > stamp);
        self.lost = newer.collect();
        self.back = stock.back;
        Ok(())
    }

    /// An mbox is recognised by its content: mail programs write it anew all the time.
    fn check_mbox(
        &mut self,
        cache: &Cache,
        row: &AccountRow,
        path: &Path,
        allow: Allow,
    ) -> Result<(), Error> {
        if path.exists() {
            return self.check_end(cache, row, path);
        }
        let stock = cache.stock(row.id, &Inventory::default(), ..)?;
        if !allow.store_as_is && stock.recorded > 0 {
            let (path, messages) = (PathBuf::from(path), stock.recorded);
            return Err(Error::StoreGone { path, messages });
        }
        self.memory.emptied_upto = None;
        self.lost = stock.absent;
        Ok(())
    }

    /// A restored mbox ends at the end of an earlier message. Messages appended later are lost:
    /// nobody deleted them.
    fn check_end(&mut self, cache: &Cache, row: &AccountRow, path: &Path) -> Result<(), Error> {
        let Some(last) = cache.last_extent(row.id)? else {
            return Ok(());
        };
        // If it cannot be read, opening it reports that.
        let size = std::fs::metadata(path).map_or(u64::MAX, |file| file.len());
        if size >= last.start.saturating_add(last.length) {
            return Ok(());
        }
        let lost = Mbox::lost_at(path, &cache.extents(row.id)?)?;
        let lost: HashSet<MessageKey> = lost.into_iter().map(MessageKey::new).collect();
        if lost.is_empty() {
            return Ok(());
        }
        // A message elsewhere in the file is not lost, but one that is only similar to another is.
        let inventory = Mbox::look(path)?;
        let stock = cache.stock(row.id, &inventory, ..)?;
        let absent = stock.absent.into_iter().chain(stock.unproved);
        self.lost = absent.filter(|(key, _)| lost.contains(key)).collect();
        Ok(())
    }

    /// Finds the messages that a store has lost with its end: they stay on the server. Returns a
    /// warning for the user.
    pub(in crate::sync) fn notice_cut(
        &mut self,
        cache: &Cache,
        row: &AccountRow,
        store: &dyn Store,
    ) -> Result<Option<u64>, Error> {
        let inventory = if store.is_cut() {
            store.inventory()?
        } else {
            None
        };
        let Some(inventory) = inventory.filter(|seen| seen.gap().is_none()) else {
            return Ok(None);
        };
        let stock = cache.stock(row.id, &inventory, ..)?;
        self.lost.extend(stock.absent);
        Ok((stock.missed > 0).then_some(stock.missed))
    }

    /// Records the observations, and the identity of the store.
    pub(in crate::sync) fn settle(
        &mut self,
        cache: &mut Cache,
        row: &AccountRow,
        account: &Account,
        store: &dyn Store,
    ) -> Result<(), Error> {
        // A store without a stamp is one into which no batch went.
        let stamp = store.stamp()?.map_or(MessageKey::NONE, MessageKey::new);
        let maildir = account.store.maildir();
        if stamp != self.newest && maildir.is_some() {
            cache.wait_for_disk()?;
            store.set_stamp(self.newest.as_i64())?;
        }
        self.memory.stamped = true;
        self.memory.store = match maildir {
            Some(path) => Some(Maildir::identity(path)?),
            None => None,
        };
        if !self.lost.is_empty() || !self.back.is_empty() {
            let lost: Vec<MessageKey> = self.lost.drain(..).map(|(id, _)| id).collect();
            let back: Vec<MessageKey> = self.back.drain(..).map(|(id, _)| id).collect();
            cache.lost(&lost, &back)?;
        }
        self.save(cache, row.id)?;
        Ok(())
    }

    fn save(&mut self, cache: &mut Cache, account: AccountId) -> Result<(), cache::Error> {
        if self.before.as_ref() != Some(&self.memory) {
            cache.set_brakes(account, &self.memory)?;
            self.before = Some(self.memory.clone());
        }
        Ok(())
    }

    /// The state of the store, from a look at it.
    pub(in crate::sync) fn store_state(
        &mut self,
        cache: &Cache,
        account: AccountId,
        inspection: &Inspection,
        allow: Allow,
    ) -> Result<StoreState, cache::Error> {
        let inventory = match inspection {
            Inspection::Taken(inventory) => inventory,
            Inspection::Impossible => return Ok(StoreState::Holds),
            Inspection::Failed(_) => return Ok(StoreState::Unreadable),
        };
        // Messages stored after the store was emptied do not count as filling it.
        let upto = self.memory.emptied_upto;
        let released = self
            .memory
            .released_upto
            .map_or(Bound::Unbounded, Bound::Excluded);
        let counted = (released, upto.map_or(Bound::Unbounded, Bound::Included));
        let stock = cache.stock(account, inventory, counted)?;
        let emptied = stock.found == 0 && stock.recorded > 0;
        self.memory.emptied_upto = emptied.then(|| upto.unwrap_or(self.newest));
        if allow.mass_delete && emptied {
            self.memory.released_upto = self.memory.emptied_upto.take();
        }
        Ok(if emptied {
            StoreState::Emptied
        } else {
            StoreState::Holds
        })
    }

    /// The facts that the plan itself does not know.
    pub(in crate::sync) fn circumstances(
        &self,
        request: &Request<'_>,
        maildrop: &Maildrop,
        store: StoreState,
    ) -> Circumstances {
        Circumstances {
            now: (request.clock)(),
            trusted_at: self.trusted_at,
            on_server: maildrop.len() as u64,
            has_history: !self.memory.rebuilt,
            store,
            max_deletions: request.account.retention.max_deletions,
            allowed: request.allow.mass_delete,
            contradicted: self.memory.contradicted && !is_agreed(maildrop),
            held: self.memory.held,
        }
    }

    /// Records the outcome of a listing and its plan. After a contradiction only a listing that
    /// agrees in full clears it. Held deletions stay held until a person releases them.
    pub(in crate::sync) fn learn(&mut self, maildrop: &Maildrop, plan: &Plan) {
        if !maildrop.contradictions().is_empty() {
            self.memory.contradicted = true;
        } else if is_agreed(maildrop) {
            self.memory.contradicted = false;
        }
        self.memory.held = plan.brakes.iter().any(|brake| brake.is_lasting());
    }

    /// Records STAT's octets, if the recorded sizes agree with them now.
    pub(in crate::sync) fn learn_octets(&mut self, octets: Option<u64>) {
        self.memory.stat_octets = octets;
    }

    /// Notes that messages up to this key are recorded as stored, and no run stored them: that they
    /// are deleted at once would be news.
    pub(in crate::sync) fn learn_found(&mut self, last: MessageKey) {
        self.memory.deleting_after = self.memory.deleting_after.map(|_| last);
    }

    /// Returns true if this was not shown to a person yet, and records that it is shown now.
    pub(in crate::sync) fn tells(&mut self, what: &str) -> bool {
        let is_new = self.memory.told.as_deref() != Some(what);
        self.memory.told = Some(what.to_owned());
        is_new
    }

    /// Records the brakes' state.
    pub(in crate::sync) fn remember(
        &mut self,
        cache: &mut Cache,
        account: AccountId,
    ) -> Result<(), cache::Error> {
        self.save(cache, account)
    }

    /// All facts about the stored messages that a plan needs.
    pub(in crate::sync) fn snapshot(
        &self,
        cache: &Cache,
        account: AccountId,
    ) -> Result<Snapshot, cache::Error> {
        let mut snapshot = cache.snapshot(account)?;
        for (_, unique_id) in &self.back {
            snapshot.found_again(unique_id);
        }
        for (_, unique_id) in &self.lost {
            snapshot.set_whereabouts(unique_id, Whereabouts::Lost);
        }
        Ok(snapshot)
    }
}

/// True if STAT, UIDL and LIST were all answered, and agree.
fn is_agreed(maildrop: &Maildrop) -> bool {
    maildrop.contradictions().is_empty() && maildrop.has_sizes()
}

/// Adds the places of messages from a look at the store. Several with one unique-id count as gone
/// only if all are.
pub(in crate::sync) fn place(
    cache: &Cache,
    account: AccountId,
    inspection: &Inspection,
    snapshot: &mut Snapshot,
) -> Result<(), cache::Error> {
    let inventory = match inspection {
        Inspection::Taken(inventory) => inventory,
        Inspection::Impossible => {
            snapshot.set_otherwise(Whereabouts::HandedOver);
            return Ok(());
        }
        Inspection::Failed(_) => {
            snapshot.set_otherwise(Whereabouts::Unclear);
            return Ok(());
        }
    };
    snapshot.set_otherwise(Whereabouts::InStore);
    let absence = match inventory.gap() {
        Some(_) => Whereabouts::Unclear,
        None => Whereabouts::Deleted,
    };
    let stock = cache.stock(account, inventory, ..)?;
    for (_, unique_id) in stock.unproved {
        snapshot.set_whereabouts(&unique_id, Whereabouts::Unclear);
    }
    for (_, unique_id) in stock.absent {
        let mut names = cache.names(account, &unique_id)?.into_iter();
        if !names.any(|name| name.as_str().is_empty() || inventory.holds(&name)) {
            snapshot.set_whereabouts(&unique_id, absence);
        }
    }
    Ok(())
}
