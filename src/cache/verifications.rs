//! Table `verifications`: when the messages were compared with their records, and the results.

use rusqlite::{Row, params};

use super::{AccountId, Cache, Error};
use super::{Statements, messages::column};

/// The number of verifications that are kept for an account.
const KEPT: i64 = 1_000;

/// The columns, in the order of [`of_row`].
const COLUMNS: &str = "started_at, finished_at, exit, parts, messages, compared, missing, damaged,
    altered, unrecorded, unfinished, differing, repaired, error";

/// A verification that is over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PastVerification {
    /// The time when it began, in seconds since 1970.
    pub started_at: i64,
    /// The time when it ended.
    pub finished_at: i64,
    /// Its exit status.
    pub exit: u8,
    /// One of this many parts of the messages was to be read.
    pub parts: u64,
    /// Recorded messages.
    pub messages: u64,
    /// Messages that were read and compared.
    pub compared: u64,
    /// Messages in no folder of the store.
    pub missing: u64,
    /// Messages that differ from what was stored.
    pub damaged: u64,
    /// Messages filed under another name, and changed.
    pub altered: u64,
    /// Messages that popsync stored, without a record.
    pub unrecorded: u64,
    /// Messages that a run left when it was cut short, and that are not yet in their places.
    pub unfinished: u64,
    /// Messages that the server has otherwise.
    pub differing: u64,
    /// The missing and damaged ones that were put in their places again.
    pub repaired: u64,
    /// The error, if one ended it.
    pub error: Option<String>,
}

impl Cache {
    /// Records a verification, and removes the oldest one if there are too many.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn record_verification(
        &mut self,
        account: AccountId,
        verification: &PastVerification,
    ) -> Result<(), Error> {
        let one = verification;
        let transaction = self.connection.transaction()?;
        let insert = format!(
            "INSERT INTO verifications (account, {COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
        );
        transaction.execute_cached(
            &insert,
            params![
                account,
                one.started_at,
                one.finished_at,
                one.exit,
                column(one.parts),
                column(one.messages),
                column(one.compared),
                column(one.missing),
                column(one.damaged),
                column(one.altered),
                column(one.unrecorded),
                column(one.unfinished),
                column(one.differing),
                column(one.repaired),
                one.error,
            ],
        )?;
        transaction.execute_cached(
            "DELETE FROM verifications WHERE account = ?1 AND id <=
                 (SELECT id FROM verifications WHERE account = ?1
                  ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            params![account, KEPT],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// The last verifications of an account, the newest first, at most `most` of them.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn verifications(
        &self,
        account: AccountId,
        most: usize,
    ) -> Result<Vec<PastVerification>, Error> {
        let query = format!(
            "SELECT {COLUMNS} FROM verifications WHERE account = ?1 ORDER BY id DESC LIMIT ?2"
        );
        let mut query = self.connection.prepare_cached(&query)?;
        let rows = query.query_map(params![account, column(most as u64)], of_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The last one.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn last_verification(
        &self,
        account: AccountId,
    ) -> Result<Option<PastVerification>, Error> {
        Ok(self.verifications(account, 1)?.pop())
    }

    /// The end of the last verification, whole or of a part, that left nothing wrong.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn last_good_verification(&self, account: AccountId) -> Result<Option<i64>, Error> {
        let ended = self.row(
            "SELECT finished_at FROM verifications
             WHERE account = ?1 AND exit = 0 ORDER BY id DESC LIMIT 1",
            [account],
            |row| row.get(0),
        )?;
        Ok(ended)
    }
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<PastVerification> {
    let count = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
    Ok(PastVerification {
        started_at: row.get(0)?,
        finished_at: row.get(1)?,
        exit: row.get(2)?,
        parts: count(3)?,
        messages: count(4)?,
        compared: count(5)?,
        missing: count(6)?,
        damaged: count(7)?,
        altered: count(8)?,
        unrecorded: count(9)?,
        unfinished: count(10)?,
        differing: count(11)?,
        repaired: count(12)?,
        error: row.get(13)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thousand_of_each_account_are_kept() {
        let mut cache = Cache::blank().unwrap();
        let accounts = "INSERT INTO accounts (id, key, host, user, name, store, tag, created_at)
             VALUES (1, '1', 'h', 'u', 'n', 's', '1', 0), (2, '2', 'h', 'v', 'n', 's', '2', 0)";
        cache.connection.execute_batch(accounts).unwrap();
        let [work, home] = [1, 2].map(AccountId::of);
        let at = |finished_at, exit, parts| PastVerification {
            started_at: finished_at - 5,
            finished_at,
            exit,
            parts,
            messages: 7,
            compared: 6,
            missing: 5,
            damaged: 4,
            altered: 3,
            unrecorded: 2,
            unfinished: 9,
            differing: 1,
            repaired: 8,
            error: Some("cut".to_owned()),
        };
        cache.record_verification(home, &at(1, 0, 1)).unwrap();
        for time in 10..1_020 {
            cache.record_verification(work, &at(time, 0, 20)).unwrap();
        }
        let of_work = cache.verifications(work, usize::MAX).unwrap();
        assert_eq!(of_work.len(), 1_000);
        assert_eq!(of_work[0], at(1_019, 0, 20));
        assert_eq!(of_work[999], at(20, 0, 20));
        assert_eq!(cache.verifications(work, 3).unwrap(), of_work[..3]);
        assert_eq!(cache.last_verification(home).unwrap(), Some(at(1, 0, 1)));
        cache.record_verification(work, &at(3_000, 1, 1)).unwrap();
        for (account, good) in [
            (work, Some(1_019)),
            (home, Some(1)),
            (AccountId::NONE, None),
        ] {
            assert_eq!(cache.last_good_verification(account).unwrap(), good);
        }
    }
}
