//! What `popsync verify` says.

use indicatif::HumanCount;
use serde::Serialize;

use crate::exit::Exit;
use crate::sync::{Fault, Finding, Tally, Verification};

use super::terminal::messages;
use super::{Output, sanitize};

#[derive(Serialize)]
struct FindingLine<'a> {
    event: &'static str,
    account: &'a str,
    unique_id: String,
    name: &'a str,
    path: Option<String>,
    state: &'static str,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    account: &'a str,
    messages: u64,
    intact: u64,
    unproven: u64,
    missing: u64,
    damaged: u64,
    repaired: u64,
    unrecorded: u64,
    differing: u64,
    on_server: Option<u64>,
    new: Option<u64>,
    exit: u8,
}

impl Output {
    /// A message that is not as it should be, or is so again.
    pub(in crate::cli) fn finding(&self, account: &str, finding: &Finding<'_>) {
        let unique_id = sanitize::unique_id(finding.unique_id);
        let path = finding.path.map(|path| path.to_string_lossy());
        let state = name(finding.fault);
        if self.options.json {
            let line = FindingLine {
                event: "finding",
                account,
                unique_id,
                name: finding.name,
                path: path.map(|path| sanitize::text(&path).into_owned()),
                state,
            };
            // Strings and nothing else: this cannot fail.
            self.data(serde_json::to_string(&line).unwrap_or_default());
        } else {
            let place = path.as_deref().unwrap_or(finding.name);
            let line = format!("{account}: {state}: {place} ({unique_id})");
            self.data(sanitize::text(&line).into_owned());
        }
    }

    /// How the verification of an account ended.
    pub(in crate::cli) fn verified(&self, account: &str, verification: &Verification) -> Exit {
        let Verification { tally, result } = verification;
        let exit = verification.exit();
        if let Err(error) = result {
            self.account_error(account, error, exit, error.advice());
        }
        if self.options.json {
            self.data(line(account, tally, exit));
        } else if result.is_ok() {
            self.done(&format!("{account}: {}", sum(tally)));
            self.hint(advice(tally));
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
        missing: tally.missing,
        damaged: tally.damaged,
        repaired: tally.repaired,
        unrecorded: tally.unrecorded,
        differing: tally.differing,
        on_server: tally.on_server,
        new: tally.on_server.map(|_| tally.new),
        exit: exit.code(),
    };
    // Numbers, a string and nothing else: this cannot fail.
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
        (tally.unproven, "with bare line ends"),
        (tally.missing, "missing"),
        (tally.damaged, "damaged"),
        (tally.repaired, "repaired"),
        (tally.differing, "differing on the server"),
        (tally.unrecorded, "not recorded"),
        (tally.new, "new on the server"),
    ];
    for (count, what) in counts {
        if count > 0 {
            text.push_str(&format!(", {} {what}", HumanCount(count)));
        }
    }
    text
}

fn advice(tally: &Tally) -> Option<&'static str> {
    if tally.missing + tally.damaged > tally.repaired {
        Some(
            "`popsync verify --repair` gets again what the server still has; a message that you \
             deleted yourself is missing, too",
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

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Damaged => "damaged",
        Fault::Differs => "differs",
        Fault::Missing => "missing",
        Fault::Repaired => "repaired",
        Fault::Unreadable => "unreadable",
    }
}
