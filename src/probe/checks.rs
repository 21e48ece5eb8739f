//! From observations to verdicts: every check is a row of a table, and a pure function.

use std::fmt;

use crate::pop3::Printable;

use super::{Observations, Sightings};

mod exchange;
mod framing;
mod outlook;

/// The verdict on a server for a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The server follows it, as far as could be seen.
    Ok,
    /// The server does not follow it, and popsync tolerates that, as Outlook does.
    Tolerated,
    /// The server does not follow it.
    Deviates,
    /// There was nothing to judge by.
    NotSeen,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Tolerated, Self::Deviates, Self::NotSeen];

    /// The verdict in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Tolerated => "tolerated",
            Self::Deviates => "deviates",
            Self::NotSeen => "not seen",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A statement, and the function that checks a server against it.
struct Check {
    /// `OPOP3:C0017`, `XPOP3:N4`.
    id: &'static str,
    /// The statement in a few words.
    rule: &'static str,
    judge: fn(&Observations) -> Judgement,
}

/// The verdict on a server for a statement, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The statement: `OPOP3:C0017` of \[MS-STANOPOP3\], `XPOP3:C0007` of \[MS-STANXPOP3\].
    pub id: &'static str,
    /// The statement in a few words.
    pub rule: &'static str,
    /// The observation behind the verdict.
    pub seen: String,
    /// The verdict.
    pub verdict: Verdict,
}

/// Checks the observations against all statements. Those of \[MS-STANXPOP3\] apply to Exchange
/// only, and are left out for other servers.
pub(super) fn judge(seen: &Observations) -> Vec<Finding> {
    let exchange: &[Check] = if seen.is_exchange() {
        &exchange::CHECKS
    } else {
        &[]
    };
    let checks = outlook::CHECKS.iter().chain(exchange);
    let finding = |check: &Check| {
        let (verdict, words) = (check.judge)(seen);
        Finding {
            id: check.id,
            rule: check.rule,
            seen: words,
            verdict,
        }
    };
    checks.map(finding).collect()
}

type Judgement = (Verdict, String);

fn ok(words: impl Into<String>) -> Judgement {
    (Verdict::Ok, words.into())
}

fn tolerated(words: impl Into<String>) -> Judgement {
    (Verdict::Tolerated, words.into())
}

fn deviates(words: impl Into<String>) -> Judgement {
    (Verdict::Deviates, words.into())
}

fn not_seen(words: impl Into<String>) -> Judgement {
    (Verdict::NotSeen, words.into())
}

fn not_reached() -> Judgement {
    not_seen("not reached")
}

/// The maximum number of quoted characters.
const LONGEST: usize = 48;

/// The beginning of what a server sent.
fn quote(octets: &[u8]) -> String {
    let text = Printable(octets).to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The end of what a server sent.
fn quote_end(octets: &[u8]) -> String {
    let text = Printable(octets).to_string();
    match text.char_indices().nth_back(LONGEST) {
        Some((start, character)) => format!("`…{}`", &text[start + character.len_utf8()..]),
        None => format!("`{text}`"),
    }
}

/// `1 row`, `2 rows`.
fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `` `1\t120` `` and, if there are more of them, the number.
fn example(sightings: &Sightings) -> String {
    let first = quote(&sightings.first);
    match sightings.count {
        0 | 1 => first,
        more => format!("{first} and {} more", more - 1),
    }
}

#[cfg(test)]
mod tests;
