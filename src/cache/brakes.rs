//! Tables `guards` and `lost`: the state that the brakes on deletion keep.

use std::ops::RangeBounds;

use rusqlite::{OptionalExtension, params};

use super::{AccountId, Cache, Error, MessageKey};
use super::{Statements, messages::column};
use crate::store::{Inventory, Name};

/// An account with fewer messages than this is searched through its own index alone.
const FEW: i64 = 1024;

/// This many of the newest messages are searched before all of a larger account's.
const NEWEST: i64 = 4096;

/// The state that the brakes keep for an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BrakeMemory {
    /// The identity of the store, which another one at the same path does not have.
    pub store: Option<String>,
    /// Messages up to this key were stored before the policy was to delete at once. None while it
    /// leaves messages on the server.
    pub deleting_after: Option<MessageKey>,
    /// The store was found emptied: none of the messages up to this key was there.
    pub emptied_upto: Option<MessageKey>,
    /// A person has accepted that the messages up to this key are not in the store.
    pub released_upto: Option<MessageKey>,
    /// STAT's octets, if they agree with the recorded sizes.
    pub stat_octets: Option<u64>,
    /// True if the last listing contradicted itself.
    pub contradicted: bool,
    /// True if deletions are held back until a person releases them.
    pub held: bool,
    /// True if no run recorded the messages, and no person has accepted that.
    pub rebuilt: bool,
    /// True if a stamp was written into the store.
    pub stamped: bool,
    /// The last warning of lasting interest that was shown.
    pub told: Option<String>,
}

/// The result of comparing an account's records with an inventory of its store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stock {
    /// The number of recorded messages with a file, among the keys asked for.
    pub recorded: u64,
    /// The number of them that are in the store.
    pub found: u64,
    /// Keys and unique-ids of the messages that are not in the store, whatever their key.
    pub absent: Vec<(MessageKey, Vec<u8>)>,
    /// Messages that may be in the store: only one similar to each was seen.
    pub unproved: Vec<(MessageKey, Vec<u8>)>,
    /// The number of absent messages that are not recorded as lost.
    pub missed: u64,
    /// Keys and unique-ids of the messages that were lost and are back.
    pub back: Vec<(MessageKey, Vec<u8>)>,
}

impl Cache {
    /// The brakes' state. None if no run with brakes ever was.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn brakes(&self, account: AccountId) -> Result<Option<BrakeMemory>, Error> {
        let memory = self
            .connection
            .query_row_cached(
                "SELECT store, deleting_after, emptied_upto, stat_octets, contradicted, held,
                     rebuilt, stamped, told, released_upto
                 FROM guards WHERE account = ?1",
                [account],
                |row| {
                    Ok(BrakeMemory {
                        store: row.get(0)?,
                        deleting_after: row.get(1)?,
                        emptied_upto: row.get(2)?,
                        stat_octets: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                        contradicted: row.get(4)?,
                        held: row.get(5)?,
                        rebuilt: row.get(6)?,
                        stamped: row.get(7)?,
                        told: row.get(8)?,
                        released_upto: row.get(9)?,
                    })
                },
            )
            .optional()?;
        Ok(memory)
    }

    /// Records the brakes' state.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn set_brakes(
        &mut self,
        account: AccountId,
        memory: &BrakeMemory,
    ) -> Result<(), Error> {
        self.connection.execute_cached(
            "INSERT INTO guards (account, store, deleting_after, emptied_upto, stat_octets,
                 contradicted, held, rebuilt, stamped, told, released_upto)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (account) DO UPDATE SET store = excluded.store,
                 deleting_after = excluded.deleting_after, emptied_upto = excluded.emptied_upto,
                 stat_octets = excluded.stat_octets, contradicted = excluded.contradicted,
                 held = excluded.held, rebuilt = excluded.rebuilt, stamped = excluded.stamped,
                 told = excluded.told, released_upto = excluded.released_upto",
            params![
                account,
                memory.store,
                memory.deleting_after,
                memory.emptied_upto,
                memory.stat_octets.map(column),
                memory.contradicted,
                memory.held,
                memory.rebuilt,
                memory.stamped,
                memory.told,
                memory.released_upto
            ],
        )?;
        Ok(())
    }

    /// The key of the message that was stored last. [`MessageKey::NONE`] if there is none.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn newest_message(&self, account: AccountId) -> Result<MessageKey, Error> {
        // No index has the keys of one account in order. In a small account all keys are looked at.
        let (seen, newest) = self.connection.query_row_cached(
            "SELECT count(*), coalesce(max(id), 0)
             FROM (SELECT id FROM messages WHERE account = ?1 LIMIT ?2)",
            params![account, FEW],
            |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)),
        )?;
        if seen < FEW {
            return Ok(newest);
        }
        // The newest message of all is often that of a large account that has just run; otherwise
        // all of this account's are searched.
        let among_the_newest = self
            .connection
            .query_row_cached(
                "SELECT id FROM messages NOT INDEXED
                 WHERE account = ?1 AND id > (SELECT max(id) FROM messages) - ?2
                 ORDER BY id DESC LIMIT 1",
                params![account, NEWEST],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(id) = among_the_newest {
            return Ok(id);
        }
        Ok(self.connection.query_row_cached(
            "SELECT coalesce(max(id), 0) FROM messages WHERE account = ?1",
            [account],
            |row| row.get(0),
        )?)
    }

    /// The end of the last run whose clock was trusted.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn trusted_at(&self, account: AccountId) -> Result<Option<i64>, Error> {
        let trusted = self
            .connection
            .query_row_cached(
                "SELECT finished_at FROM runs WHERE account = ?1 AND clock_doubted = 0
                 ORDER BY id DESC LIMIT 1",
                [account],
                |row| row.get(0),
            )
            .optional()?;
        Ok(trusted)
    }

    /// Compares the records with the store. Only messages with these keys are `counted`. A message
    /// that is recorded without a file, or is only staged, counts neither as present nor as absent.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn stock(
        &self,
        account: AccountId,
        inventory: &Inventory,
        counted: impl RangeBounds<MessageKey>,
    ) -> Result<Stock, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT m.id, m.unique_id, m.name, l.message IS NOT NULL
             FROM messages m LEFT JOIN lost l ON l.message = m.id
             WHERE m.account = ?1 AND m.name <> '' AND m.id NOT IN (SELECT message FROM staged)
             ORDER BY m.id",
        )?;
        let mut rows = query.query([account])?;
        let mut stock = Stock::default();
        while let Some(row) = rows.next()? {
            let id: MessageKey = row.get(0)?;
            let counts = counted.contains(&id);
            let name = Name(row.get(2)?);
            let is_there = inventory.holds(&name);
            if is_there && !inventory.proves(&name) {
                stock.unproved.push((id, row.get(1)?));
            }
            stock.recorded += u64::from(counts);
            stock.found += u64::from(counts && is_there);
            match (is_there, row.get::<_, bool>(3)?) {
                (true, true) => stock.back.push((id, row.get(1)?)),
                (false, is_lost) => {
                    stock.absent.push((id, row.get(1)?));
                    stock.missed += u64::from(!is_lost);
                }
                (true, false) => {}
            }
        }
        Ok(stock)
    }

    /// True if any message is lost.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn has_lost(&self, account: AccountId) -> Result<bool, Error> {
        // `CROSS JOIN` makes SQLite begin with the few lost messages, not with all messages.
        let query = "SELECT EXISTS (SELECT 1 FROM lost CROSS JOIN messages
                 ON messages.id = lost.message WHERE account = ?1)";
        Ok(self
            .connection
            .query_row_cached(query, [account], |row| row.get(0))?)
    }

    /// All recorded names, as an inventory of the files that should be there.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn recorded_names(&self, account: AccountId) -> Result<Inventory, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT name FROM messages WHERE account = ?1")?;
        let mut rows = query.query([account])?;
        let mut names = Inventory::default();
        while let Some(row) = rows.next()? {
            let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            names.add(name);
        }
        Ok(names)
    }

    /// The names of the messages with this unique-id.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn names(&self, account: AccountId, unique_id: &[u8]) -> Result<Vec<Name>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT name FROM messages WHERE account = ?1 AND unique_id = ?2")?;
        let names = query.query_map(params![account, unique_id], |row| row.get(0).map(Name))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Records the new file of a message, the only one with this unique-id.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn moved_file(
        &mut self,
        account: AccountId,
        unique_id: &[u8],
        name: &Name,
    ) -> Result<(), Error> {
        self.connection.execute_cached(
            "UPDATE messages SET name = ?3 WHERE account = ?1 AND unique_id = ?2",
            params![account, unique_id, name.as_str()],
        )?;
        Ok(())
    }

    /// Records that the messages in `lost` are lost, and those in `back` no longer.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn lost(&mut self, lost: &[MessageKey], back: &[MessageKey]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut lose = transaction.prepare_cached(
                "INSERT OR IGNORE INTO lost (message) SELECT id FROM messages WHERE id = ?1",
            )?;
            for id in lost {
                lose.execute([id])?;
            }
            let mut find = transaction.prepare_cached("DELETE FROM lost WHERE message = ?1")?;
            for id in back {
                find.execute([id])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
