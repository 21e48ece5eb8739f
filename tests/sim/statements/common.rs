//! The common parts of the tests of statements.

use support::bench::{Bench, Ended};

/// A profile that keeps mail on the server (OPOP3:C0048).
pub(crate) const KEEPING: &str = "profile = \"outlook-2019\"";

/// A profile that deletes what is stored (OPOP3:C0048).
pub(crate) const DELETING: &str = "profile = \"outlook-2016\"";

/// The commands of all sessions.
pub(crate) fn sent(bench: &Bench) -> Vec<String> {
    bench.sim.commands()
}

/// A sync of another account on the bench's server, with this user name and password; `gives` is
/// its expected status.
#[track_caller]
pub(crate) fn sync_as(bench: &Bench, user: &str, password: &str, gives: i32) -> Ended {
    sync_with(bench, user, password, "", gives)
}

/// The same with more keys.
#[track_caller]
pub(crate) fn sync_with(
    bench: &Bench,
    user: &str,
    password: &str,
    more: &str,
    gives: i32,
) -> Ended {
    let keys = format!(
        "[accounts.other]\nserver = {:?}\nuser = {user:?}\nmaildir = \"other\"\n\
         tls = {{ ca-file = \"ca.pem\" }}\n{KEEPING}\n{more}",
        bench.url()
    );
    let run = bench.sync(&keys, &["other"]);
    run.env("POPSYNC_PASSWORD", password).gives(gives)
}
