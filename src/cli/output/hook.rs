//! The input of hooks, and the error of one that fails.

use std::borrow::Cow;

use serde::Serialize;

use crate::sync::Outcome;

use super::{Output, chain, sanitize};

#[derive(Serialize)]
struct Told<'a> {
    event: &'a str,
    account: &'a str,
    retrieved: u64,
    bytes: u64,
    headers: u64,
    deleted: u64,
    skipped: u64,
    failed: u64,
    held: u64,
    on_server: u64,
    exit: u8,
    error: Option<Cow<'a, str>>,
}

impl Output {
    /// The line that a hook gets on its standard input, with its line end.
    pub(in crate::cli) fn hook(&self, event: &str, account: &str, outcome: &Outcome) -> String {
        let summary = &outcome.summary;
        let error = outcome.result.as_ref().err().map(|error| chain(error));
        let told = Told {
            event,
            account,
            retrieved: summary.retrieved,
            bytes: summary.octets,
            headers: summary.headers,
            deleted: summary.deleted,
            skipped: summary.skipped,
            failed: summary.failed,
            held: summary.held,
            on_server: summary.on_server,
            exit: outcome.exit().code(),
            error: error.as_deref().map(sanitize::text),
        };
        // Only numbers and strings: this cannot fail.
        let line = serde_json::to_string(&told).unwrap_or_default();
        line + "\n"
    }

    /// Reports that a hook failed. It does not affect the run, whose last JSON line is already
    /// written.
    pub(in crate::cli) fn hook_failed(&self, account: &str, message: &str) {
        self.warning(account, message);
    }
}
