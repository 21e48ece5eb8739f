//! The output of `popsync verify`.

use std::path::Path;

use indicatif::HumanCount;
use serde::Serialize;

use crate::exit::Exit;
use crate::sync::{Condition, Finding, Tally, Verification};

use super::terminal::messages;
use super::{Output, sanitize};

#[derive(Serialize)]
struct FindingLine<'a> {
    event: &'static str,
    account: &'a str,
    unique_id: Option<String>,
    name: &'a str,
    path: Option<String>,
    octet: Option<u64>,
    kept: Option<String>,
    state: &'static str,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    account: &'a str,
    messages: u64,
    intact: u64,
    unproven: u64,
    unread: u64,
    missing: u64,
    accepted: u64,
    damaged: u64,
    altered: u64,
    repaired: u64,
    moved: u64,
    filed: u64,
    duplicates: u64,
    unrecorded: u64,
    unfinished: u64,
    foreign: u64,
    differing: u64,
    on_server: Option<u64>,
    new: Option<u64>,
    exit: u8,
}

impl Output {
    /// Reports a message with a problem, or one that was repaired.
    pub(in crate::cli) fn finding(&self, account: &str, finding: &Finding<'_>) {
        let unique_id = finding.unique_id.map(sanitize::unique_id);
        let shown = |path: &Path| sanitize::text(&path.to_string_lossy()).into_owned();
        let state = name(finding.condition);
        if self.options.json {
            let line = FindingLine {
                event: "finding",
                account,
                unique_id,
                name: finding.name,
                path: finding.path.map(shown),
                octet: finding.at,
                kept: finding.kept.map(shown),
                state,
            };
            // Only strings and numbers: this cannot fail.
            self.data(serde_json::to_string(&line).unwrap_or_default());
            return;
        }
        let mut line = format!("{account}: {state}: ");
        line.push_str(&finding.path.map_or_else(|| finding.name.to_owned(), shown));
        if let Some(at) = finding.at {
            line.push_str(&format!(" at octet {at}"));
        }
        if let Some(unique_id) = unique_id {
            line.push_str(&format!(" ({unique_id})"));
        }
        if let Some(kept) = finding.kept {
            line.push_str(&match finding.path == Some(kept) {
                true => "; the damaged one is still in it".to_owned(),
                false => format!("; the damaged one is kept as {}", shown(kept)),
            });
        }
        self.data(sanitize::text(&line).into_owned());
    }

    /// Reports the result of the verification of an account.
    pub(in crate::cli) fn verified(&self, account: &str, verification: &Verification) -> Exit {
        let tally = &verification.tally;
        let exit = verification.exit();
        if let Some(error) = verification.error() {
            self.failure(Some(account), error);
        }
        if self.options.json {
            self.data(line(account, tally, exit));
        } else if verification.error().is_none() {
            self.done(&format!("{account}: {}", sum(tally)));
            self.hint(hint(tally));
        }
        exit
    }
}

fn line(account: &str, tally: &Tally, exit: Exit) -> String {
    let line = Line {
        event: "verified",
        account,
        messages: tally.messages,
        intact: tally.intact,
        unproven: tally.unproven,
        unread: tally.unread,
        missing: tally.missing,
        accepted: tally.accepted,
        damaged: tally.damaged,
        altered: tally.altered,
        repaired: tally.repaired,
        moved: tally.moved,
        filed: tally.filed,
        duplicates: tally.duplicates,
        unrecorded: tally.unrecorded,
        unfinished: tally.unfinished,
        foreign: tally.foreign,
        differing: tally.differing,
        on_server: tally.on_server,
        new: tally.on_server.map(|_| tally.new),
        exit: exit.code(),
    };
    // Only numbers and a string: this cannot fail.
    serde_json::to_string(&line).unwrap_or_default()
}

fn sum(tally: &Tally) -> String {
    let mut text = format!(
        "{} {}, {} intact",
        HumanCount(tally.messages),
        messages(tally.messages),
        HumanCount(tally.intact)
    );
    let counts = [
        (tally.unproven, "not proven"),
        (tally.unread, "not read this time"),
        (tally.missing, "missing"),
        (tally.accepted, "deleted by you"),
        (tally.damaged, "damaged"),
        (tally.altered, "altered by another program"),
        (tally.repaired, "repaired"),
        (tally.differing, "differing on the server"),
        (tally.moved, "in other folders"),
        (tally.filed, "under other names"),
        (tally.duplicates, "more than once"),
        (tally.unrecorded, "not recorded"),
        (tally.unfinished, "left by a run that was cut short"),
        (tally.foreign, "of other programs"),
        (tally.new, "new on the server"),
    ];
    for (count, what) in counts {
        if count > 0 {
            text.push_str(&format!(", {} {what}", HumanCount(count)));
        }
    }
    text
}

fn hint(tally: &Tally) -> Option<&'static str> {
    if tally.missing + tally.damaged > tally.repaired {
        Some(
            "`popsync verify --repair` gets again what the server still has; where you deleted the \
             missing ones yourself, say so with `--accept-deletions`",
        )
    } else if tally.unfinished > 0 {
        Some(
            "`popsync sync` or `popsync verify --repair` puts in their places what a run left when \
             it was cut short",
        )
    } else if tally.unrecorded > 0 {
        Some(
            "messages that popsync stored and knows nothing of: the state is older than the store, \
             or lost; what of them is still on the server would come again",
        )
    } else {
        None
    }
}

fn name(condition: Condition) -> &'static str {
    match condition {
        Condition::Accepted => "accepted",
        Condition::Altered => "altered",
        Condition::Compressed => "compressed",
        Condition::Damaged => "damaged",
        Condition::Differs => "differs",
        Condition::Duplicate => "duplicate",
        Condition::Filed => "filed",
        Condition::Foreign => "foreign",
        Condition::Missing => "missing",
        Condition::Moved => "moved",
        Condition::NotRepaired => "not-repaired",
        Condition::Repaired => "repaired",
        Condition::Unrecorded => "unrecorded",
        Condition::Unreadable => "unreadable",
    }
}
