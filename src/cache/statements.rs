//! Statements that are compiled once for a connection, and not each time.

use rusqlite::{Connection, Params, Row};

/// What rusqlite has for statements of its cache in two steps.
pub(super) trait Statements {
    /// Runs a statement that gives no rows, and returns how many it changed.
    fn execute_cached(&self, statement: &str, parameters: impl Params) -> rusqlite::Result<usize>;

    /// Reads the row of a query.
    fn query_row_cached<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T>;
}

impl Statements for Connection {
    fn execute_cached(&self, statement: &str, parameters: impl Params) -> rusqlite::Result<usize> {
        self.prepare_cached(statement)?.execute(parameters)
    }

    fn query_row_cached<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.prepare_cached(query)?.query_row(parameters, read)
    }
}
