//! Table `runs`.

use rusqlite::params;

use super::{AccountId, Cache, Error};
use crate::exit::Exit;

/// How many runs of an account are kept.
const KEPT: i64 = 10_000;

/// A run that is over.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// When it began, in seconds since 1970.
    pub started_at: i64,
    /// When it ended.
    pub finished_at: i64,
    /// Its status.
    pub exit: Exit,
    /// Messages retrieved and stored.
    pub retrieved: u64,
    /// Their octets as sent.
    pub octets: u64,
    /// Messages whose deletion the server accepted.
    pub deleted: u64,
    /// Messages left aside by a limit.
    pub skipped: u64,
    /// Messages that could not be retrieved or deleted.
    pub failed: u64,
    /// Messages on the server; none where the maildrop was not listed.
    pub on_server: Option<u64>,
    /// Whether all that is staged is where readers look: not so where a batch failed.
    pub all_published: bool,
    /// Whether the clock was not believed.
    pub clock_doubted: bool,
    /// Why it failed.
    pub error: Option<&'a str>,
}

impl Cache {
    /// Records the run; and does step 6 of the store's order for the last batch, where that is
    /// published. Where it is not, the next run takes up what is staged.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn finish_run(&mut self, account: AccountId, run: Run<'_>) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        if run.all_published {
            super::messages::clear_staged(&transaction, account)?;
        }
        transaction.execute(
            "INSERT INTO runs (account, started_at, finished_at, exit, retrieved, octets, deleted,
                 skipped, failed, on_server, error, clock_doubted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                account,
                run.started_at,
                run.finished_at,
                run.exit.code(),
                run.retrieved.cast_signed(),
                run.octets.cast_signed(),
                run.deleted.cast_signed(),
                run.skipped.cast_signed(),
                run.failed.cast_signed(),
                run.on_server.map(u64::cast_signed),
                run.error,
                run.clock_doubted,
            ],
        )?;
        transaction.execute(
            "DELETE FROM runs WHERE account = ?1 AND id <=
                 (SELECT id FROM runs WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            params![account, KEPT],
        )?;
        transaction.commit()?;
        Ok(())
    }
}
