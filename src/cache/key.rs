//! Keys of the tables, each with its own type: code that deletes must not mix them up.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

/// The key of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountId(i64);

impl AccountId {
    /// The key of no account: no row has it.
    pub(crate) const NONE: Self = Self(0);

    /// The key of a row in a test.
    #[cfg(test)]
    pub(super) fn of(key: i64) -> Self {
        Self(key)
    }
}

/// The key of a stored message. A message that was stored later has a larger key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MessageKey(i64);

impl MessageKey {
    /// Smaller than the key of any message.
    pub(crate) const NONE: Self = Self(0);

    /// The key with this number, which [`Self::as_i64`] returned.
    pub(crate) fn new(key: i64) -> Self {
        Self(key)
    }

    /// The key as a number, for use outside the cache.
    pub(crate) fn as_i64(self) -> i64 {
        self.0
    }
}

impl ToSql for AccountId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for AccountId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for MessageKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for MessageKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}
