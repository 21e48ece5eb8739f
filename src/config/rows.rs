//! The table of settings: every key of the configuration file, once.
//!
//! To add a key of an account, add a row to one of the files below, and the field that it sets to
//! the part of [`Account`](crate::account::Account) that it belongs to. All else reads the rows:
//! the file and its errors, `popsync account show`, the flags of `popsync fetch` with their help,
//! the example of a file, its JSON Schema and the list of keys in popsync(5).

use super::key::{Key, Table};
use super::row::{Kind, Rows};
use super::settings::Settings;

mod alerts;
mod limits;
mod login;
mod oauth;
mod retention;
mod route;
mod store;
mod tls;

pub(super) use login::{SERVER, USER};
pub(super) use store::MAILDIR;
pub(super) use tls::TLS_ROWS;

/// The keys of `[accounts.NAME]` and of `[defaults]`, in the order of the manual.
pub(crate) static ACCOUNT: Rows<Settings> = Rows(&[
    login::ROWS,
    oauth::ROWS,
    store::ROWS,
    retention::ROWS,
    limits::ROWS,
    tls::ROWS,
    route::ROWS,
    alerts::ROWS,
]);

/// The keys of an inline table, with the kinds of their values.
pub(super) fn keys_of(table: Table) -> Vec<(&'static Key, Kind)> {
    match table {
        Table::Account => ACCOUNT.keys(),
        Table::OAuth => oauth::OAUTH_ROWS.keys(),
        Table::Tls => TLS_ROWS.keys(),
        Table::Top => Vec::new(),
    }
}

/// The inline table with a key of this name.
pub(super) fn table_of(name: &str) -> Option<&'static str> {
    let tables = [Table::Tls, Table::OAuth].into_iter();
    let mut found = tables.filter(|table| keys_of(*table).iter().any(|(key, _)| key.name == name));
    found.next()?.key()
}

/// The keys of the shortest account.
pub(super) const SHORTEST: [&str; 4] = ["server", "user", "password-command", "maildir"];

/// The table of the shortest account, with examples for values.
pub(super) fn shortest_account() -> String {
    let mut text = String::from("[accounts.work]");
    for (key, _) in ACCOUNT.keys() {
        if SHORTEST.contains(&key.name) {
            text.push('\n');
            text.push_str(&key.assignment());
        }
    }
    text
}
