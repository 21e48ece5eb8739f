//! One suite for every real POP3 server that Debian packages: Courier, Cyrus, Dovecot, popa3d and
//! solid-pop3d. It compares the retrieved messages with the delivered ones, octet for octet, except
//! for changes by the server, which are named.
//!
//! All but Dovecot need root and are ignored without it; `.ci/test` runs them. README.md in this
//! folder has a table of the changes.

mod alteration;
mod inetd;
mod plain_dovecot;
mod probe;
mod sandbox;
mod sandboxed;
mod server;
mod suite;

use sandboxed::{courier::Courier, cyrus::Cyrus, popa3d::Popa3d, solid_pop3d::SolidPop3d};
use support::dovecot::Dovecot;

/// The servers' alterations are data; this is where people read them.
#[test]
fn the_readme_has_the_table_of_alterations() {
    let rows = [
        suite::row::<Courier>(),
        suite::row::<Cyrus>(),
        suite::row::<Dovecot>(),
        suite::row::<Popa3d>(),
        suite::row::<SolidPop3d>(),
    ];
    let table = rows.concat();
    let readme = include_str!("README.md");
    assert!(
        readme.contains(&table),
        "it is to have these rows:\n{table}"
    );
}

/// A change that no longer happens must not stay in the table.
#[test]
fn every_alteration_alters_something() {
    suite::alters::<Courier>();
    suite::alters::<Cyrus>();
    suite::alters::<Dovecot>();
    suite::alters::<Popa3d>();
    suite::alters::<SolidPop3d>();
}
