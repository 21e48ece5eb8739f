//! Commits that need no sync of their own, and several changes in one commit.
//!
//! SQLite writes commits into the WAL one behind the other, and after a power cut reads it up to the
//! first damage. So a commit that was not synced is lost alone together with all later ones: the state
//! is that of a moment before it, as after a kill at that moment. That is enough as long as nothing
//! outside the state depends on it. These do, and wait for the disk first ([`Cache::wait_for_disk`],
//! or a commit that waits by itself):
//!
//! - a file that bears the account's tag: recovery knows its own files by the tag in its row;
//! - a message that readers see, which is not to be stored again: step 3 waits by itself;
//! - what recovery does with staged messages;
//! - a stamp, which claims that messages up to its key are recorded;
//! - a deletion on the server, and a file that a whole message replaces.

use super::{Cache, Error, Statements, group_commit, kept};

impl Cache {
    /// Changes the records without waiting for the disk: call [`Self::wait_for_disk`] before anything
    /// outside the state depends on the changes.
    pub(crate) fn in_order<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let done = group_commit::without_waiting(|| act(self));
        self.note_written();
        done
    }

    /// Changes the records of a run at its end. Only the next run depends on them, and it waits before
    /// it acts upon them. So they need not wait as long as caches are kept open: the last one that
    /// is closed makes them durable.
    pub(crate) fn at_the_end<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        match kept::is_wanted() {
            true => self.in_order(act),
            false => act(self),
        }
    }

    /// Notes that what is recorded now, by whatever process, may not be durable yet.
    pub(super) fn note_written(&mut self) {
        self.written = self.group.as_ref().map(group_commit::Member::written);
    }

    /// Makes all records durable that this run may have read or written, unless that has happened
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::NotDurable`].
    pub(crate) fn wait_for_disk(&mut self) -> Result<(), Error> {
        if let (Some(group), Some(written)) = (&self.group, self.written) {
            group.sync(written)?;
            self.written = None;
        }
        Ok(())
    }

    /// Makes all changes of `act` in one transaction, or in the one that has begun. If it fails, none
    /// is made.
    ///
    /// # Errors
    /// Those of `act`; [`Error::Sqlite`].
    pub(crate) fn in_one<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if !self.connection.is_autocommit() {
            return act(self);
        }
        self.connection.execute_cached("BEGIN IMMEDIATE", [])?;
        let done = act(self).and_then(|done| {
            self.connection.execute_cached("COMMIT", [])?;
            Ok(done)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            let _ = self.connection.execute_cached("ROLLBACK", []);
        }
        done
    }
}
