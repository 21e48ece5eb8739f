//! The schema, version by version. SQLite's `user_version` is the number of steps taken.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, Statements};

/// The step from each version to the next. A released file is never edited, removed or moved.
const STEPS: &[&str] = &[
    include_str!("../../migrations/0001_init.sql"),
    include_str!("../../migrations/0002_headers_only.sql"),
    include_str!("../../migrations/0003_imported.sql"),
    include_str!("../../migrations/0004_extents.sql"),
    include_str!("../../migrations/0005_guards.sql"),
    include_str!("../../migrations/0006_proof.sql"),
    include_str!("../../migrations/0007_list.sql"),
    include_str!("../../migrations/0008_verified.sql"),
    include_str!("../../migrations/0009_shown_number.sql"),
    include_str!("../../migrations/0010_sought.sql"),
    include_str!("../../migrations/0011_verifications.sql"),
    include_str!("../../migrations/0012_by_content.sql"),
    include_str!("../../migrations/0013_good_runs.sql"),
];

/// Refuses, before anything is written, a file of a newer popsync or of another program.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let version = version(connection).map_err(|source| Error::unreadable(path, source))?;
    if version > STEPS.len() {
        return Err(Error::TooNew {
            path: path.to_owned(),
            version,
            known: STEPS.len(),
        });
    }
    Ok(())
}

/// True if nothing was ever recorded.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, Error> {
    Ok(version(connection)? == 0)
}

/// True if the schema is the newest.
pub(super) fn is_current(connection: &Connection) -> Result<bool, Error> {
    Ok(version(connection)? == STEPS.len())
}

/// Brings the schema to the newest version.
pub(super) fn to_latest(connection: &mut Connection) -> Result<(), Error> {
    Ok(take(connection, STEPS)?)
}

/// Takes the remaining steps in one transaction, because each commit waits for the disk. If a step
/// fails, the old version stays.
fn take(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let taken = version(connection)?;
    if taken >= steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in &steps[taken..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", steps.len() as u32)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: u32 = connection.query_row_cached("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(version as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All parts of the schema.
    fn schema(connection: &Connection) -> Vec<String> {
        let query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql";
        let mut statement = connection.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn at(version: usize) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        take(&mut connection, &STEPS[..version]).unwrap();
        connection
    }

    #[test]
    fn every_old_schema_becomes_the_newest() {
        let newest = schema(&at(STEPS.len()));
        for version in 0..=STEPS.len() {
            let mut connection = at(version);
            let account = "INSERT INTO accounts VALUES
                (1, 'work', 'mail.example.com', 'anna', 'work', '/mail', 'tag', 0)";
            if version > 0 {
                connection.execute(account, []).unwrap();
            }
            assert_eq!(is_current(&connection).unwrap(), version == STEPS.len());
            to_latest(&mut connection).unwrap();
            assert!(is_current(&connection).unwrap());
            assert_eq!(schema(&connection), newest, "from {version}");
            let count = "SELECT count(*) FROM accounts WHERE user = 'anna'";
            let accounts: u32 = connection.query_one(count, [], |row| row.get(0)).unwrap();
            assert_eq!(accounts, u32::from(version > 0), "from {version}");
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_from_before() {
        let mut connection = at(2);
        let before = schema(&connection);
        let half = "CREATE TABLE half (x); no SQL at all";
        let fails = [STEPS[0], STEPS[1], STEPS[2], half];
        take(&mut connection, &fails).unwrap_err();
        assert_eq!(version(&connection).unwrap(), 2);
        assert_eq!(schema(&connection), before);
    }

    #[test]
    fn a_version_that_no_popsync_wrote_is_refused() {
        let newest = STEPS.len();
        for version in [i64::try_from(newest).unwrap() + 1, -1] {
            let connection = at(newest);
            connection
                .pragma_update(None, "user_version", version)
                .unwrap();
            check(&connection, Path::new("state")).unwrap_err();
        }
        check(&at(newest), Path::new("state")).unwrap();
    }
}
