//! The schema, version by version.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::Error;

/// Every version's step from the one before. A released file is never edited, removed or moved.
const STEPS: &[M<'_>] = &[
    M::up(include_str!("../../migrations/0001_init.sql")),
    M::up(include_str!("../../migrations/0002_headers_only.sql")),
    M::up(include_str!("../../migrations/0003_imported.sql")),
    M::up(include_str!("../../migrations/0004_extents.sql")),
    M::up(include_str!("../../migrations/0005_guards.sql")),
    M::up(include_str!("../../migrations/0006_proof.sql")),
];

/// Refuses, before anything is written, a file of a newer popsync or of another program.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|source| Error::unreadable(path, source))?;
    let version = version as usize;
    if version > STEPS.len() {
        return Err(Error::TooNew {
            path: path.to_owned(),
            version,
            known: STEPS.len(),
        });
    }
    Ok(())
}

/// Whether the schema is the newest.
pub(super) fn is_current(connection: &Connection) -> Result<bool, Error> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(version as usize == STEPS.len())
}

/// Brings the schema to the newest version, each step in a transaction of its own.
pub(super) fn to_latest(connection: &mut Connection) -> Result<(), Error> {
    match Migrations::from_slice(STEPS).to_latest(connection) {
        // It would show the whole of the SQL.
        Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(err.into()),
        result => Ok(result?),
    }
}
