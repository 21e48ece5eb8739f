//! Tables `guards` and `lost`: what the brakes on deletion remember.

use std::ops::RangeBounds;

use rusqlite::{OptionalExtension, params};

use super::messages::column;
use super::{AccountId, Cache, Error, MessageKey};
use crate::store::{Inventory, Name};

/// So many of the newest messages are looked at before all of an account's.
const NEWEST: i64 = 4096;

/// What the brakes remember of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrakeMemory {
    /// What tells the store from another one at the same path.
    pub store: Option<String>,
    /// Messages up to this key were stored before the policy was to delete at once; none while it
    /// leaves messages on the server.
    pub deleting_after: Option<MessageKey>,
    /// The store was found emptied: of the messages up to this key none was there.
    pub emptied_upto: Option<MessageKey>,
    /// A person has said that the messages up to this key need not be in the store.
    pub released_upto: Option<MessageKey>,
    /// STAT's octets where they agree with the sizes that are recorded.
    pub stat_octets: Option<u64>,
    /// The last listing contradicted itself.
    pub contradicted: bool,
    /// Deletions are held back until a person releases them.
    pub held: bool,
    /// No run recorded the messages, and no person has said that it will do.
    pub rebuilt: bool,
    /// A stamp was written into the store.
    pub stamped: bool,
    /// The last thing of lasting interest that a person was told.
    pub told: Option<String>,
}

/// How the stored messages of an account and an inventory of its store agree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    /// Messages with a file, as recorded, with the keys that were asked for.
    pub recorded: u64,
    /// Those of them that are in the store.
    pub found: u64,
    /// Keys and unique-ids of the messages that are not, whatever their key.
    pub absent: Vec<(MessageKey, Vec<u8>)>,
    /// Messages that may be in the store, and may not: only one like each was seen.
    pub unproved: Vec<(MessageKey, Vec<u8>)>,
    /// How many of the absent ones are not recorded as lost.
    pub missed: u64,
    /// Keys and unique-ids of the messages that were lost and are there.
    pub back: Vec<(MessageKey, Vec<u8>)>,
}

impl Cache {
    /// What the brakes remember; nothing where no run with brakes ever was.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn brakes(&self, account: AccountId) -> Result<Option<BrakeMemory>, Error> {
        let memory = self
            .connection
            .query_row(
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

    /// Remembers for the brakes.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn set_brakes(&mut self, account: AccountId, memory: &BrakeMemory) -> Result<(), Error> {
        self.connection.execute(
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

    /// The key of the message that was stored last; [`MessageKey::NONE`] where none is.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn newest_message(&self, account: AccountId) -> Result<MessageKey, Error> {
        // No index has the keys of one account in order. The newest message of all is nearly
        // always of an account that is at work; else all of this account's are looked through.
        let among_the_newest = self
            .connection
            .query_row(
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
        Ok(self.connection.query_row(
            "SELECT coalesce(max(id), 0) FROM messages WHERE account = ?1",
            [account],
            |row| row.get(0),
        )?)
    }

    /// When the last run ended whose clock was believed.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn trusted_at(&self, account: AccountId) -> Result<Option<i64>, Error> {
        let trusted = self
            .connection
            .query_row(
                "SELECT finished_at FROM runs WHERE account = ?1 AND clock_doubted = 0
                 ORDER BY id DESC LIMIT 1",
                [account],
                |row| row.get(0),
            )
            .optional()?;
        Ok(trusted)
    }

    /// Compares what is recorded with what is in the store. Messages with these keys are `counted`.
    /// A message that is recorded without a file, or is only staged, is neither there nor absent.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn stock(
        &self,
        account: AccountId,
        inventory: &Inventory,
        counted: impl RangeBounds<MessageKey>,
    ) -> Result<Stock, Error> {
        let mut query = self.connection.prepare(
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

    /// Whether any message is lost.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn has_lost(&self, account: AccountId) -> Result<bool, Error> {
        let query = "SELECT EXISTS (SELECT 1 FROM lost JOIN messages ON messages.id = lost.message
             WHERE account = ?1)";
        Ok(self
            .connection
            .query_one(query, [account], |row| row.get(0))?)
    }

    /// All names that are recorded, as an inventory of what should be there.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn recorded_names(&self, account: AccountId) -> Result<Inventory, Error> {
        let mut query = self
            .connection
            .prepare("SELECT name FROM messages WHERE account = ?1")?;
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
    pub fn names(&self, account: AccountId, unique_id: &[u8]) -> Result<Vec<Name>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT name FROM messages WHERE account = ?1 AND unique_id = ?2")?;
        let names = query.query_map(params![account, unique_id], |row| row.get(0).map(Name))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Records that a message, the only one with this unique-id, has another file now.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn moved_file(
        &mut self,
        account: AccountId,
        unique_id: &[u8],
        name: &Name,
    ) -> Result<(), Error> {
        self.connection.execute(
            "UPDATE messages SET name = ?3 WHERE account = ?1 AND unique_id = ?2",
            params![account, unique_id, name.as_str()],
        )?;
        Ok(())
    }

    /// Records that these messages are lost, and those are not any more.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn lost(&mut self, lost: &[MessageKey], back: &[MessageKey]) -> Result<(), Error> {
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
