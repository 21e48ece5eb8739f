//! The output of `popsync log --verifications`, and the words for a verification elsewhere.

use std::borrow::Cow;

use indicatif::HumanCount;
use serde::Serialize;

use crate::cache::PastVerification;

use super::table::{self, Align};
use super::terminal::messages;
use super::{Output, sanitize, time};

const HEAD: [(&str, Align); 4] = [
    ("started", Align::Left),
    ("account", Align::Left),
    ("exit", Align::Right),
    ("result", Align::Left),
];

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    account: &'a str,
    #[serde(flatten)]
    facts: Facts<'a>,
}

/// A verification in JSON.
#[derive(Serialize)]
pub(super) struct Facts<'a> {
    started: Option<String>,
    finished: Option<String>,
    exit: u8,
    parts: u64,
    messages: u64,
    compared: u64,
    missing: u64,
    damaged: u64,
    altered: u64,
    unrecorded: u64,
    unfinished: u64,
    differing: u64,
    repaired: u64,
    error: Option<Cow<'a, str>>,
}

impl Output {
    /// Prints verifications with the names of their accounts, in this order.
    pub(in crate::cli) fn verifications(&self, all: &[(String, PastVerification)]) {
        if all.is_empty() {
            self.nothing("no verification is recorded yet");
        } else if self.options.json {
            for (account, one) in all {
                self.line_of(&line(account, one));
            }
        } else {
            let rows: Vec<_> = all
                .iter()
                .map(|(account, one)| cells(account, one))
                .collect();
            for line in table::lines(HEAD, &rows, table::width()) {
                self.data(line);
            }
        }
    }
}

fn line<'a>(account: &'a str, verification: &'a PastVerification) -> Line<'a> {
    Line {
        event: "verification",
        account,
        facts: facts(verification),
    }
}

pub(super) fn facts(verification: &PastVerification) -> Facts<'_> {
    Facts {
        started: time::utc(verification.started_at),
        finished: time::utc(verification.finished_at),
        exit: verification.exit,
        parts: verification.parts,
        messages: verification.messages,
        compared: verification.compared,
        missing: verification.missing,
        damaged: verification.damaged,
        altered: verification.altered,
        unrecorded: verification.unrecorded,
        unfinished: verification.unfinished,
        differing: verification.differing,
        repaired: verification.repaired,
        error: verification.error.as_deref().map(sanitize::text),
    }
}

fn cells(account: &str, verification: &PastVerification) -> [String; 4] {
    [
        time::zoned(verification.started_at),
        sanitize::text(account).into_owned(),
        verification.exit.to_string(),
        sanitize::text(&result(verification)).into_owned(),
    ]
}

/// `1,040 of 1,040 messages compared, 1 missing`: the result in words. An error is not yet safe for
/// a terminal.
pub(super) fn result(verification: &PastVerification) -> String {
    let mut text = format!(
        "{} of {} {} compared",
        HumanCount(verification.compared),
        HumanCount(verification.messages),
        messages(verification.messages)
    );
    if verification.parts > 1 {
        text.push_str(&format!(
            " (one of {} parts)",
            HumanCount(verification.parts)
        ));
    }
    let counts = [
        (verification.missing, "missing"),
        (verification.damaged, "damaged"),
        (verification.altered, "altered by another program"),
        (verification.unrecorded, "not recorded"),
        (verification.unfinished, "left by a run that was cut short"),
        (verification.differing, "differing on the server"),
        (verification.repaired, "repaired"),
    ];
    for (count, what) in counts {
        if count > 0 {
            text.push_str(&format!(", {} {what}", HumanCount(count)));
        }
    }
    match &verification.error {
        Some(error) => text.push_str(&format!("; it was cut short: {error}")),
        None if verification.exit == 0 && verification.missing + verification.damaged == 0 => {
            text.push_str(", nothing wrong");
        }
        None => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> PastVerification {
        PastVerification {
            started_at: 1_700_000_000,
            finished_at: 1_700_000_060,
            parts: 1,
            messages: 1_040,
            compared: 1_040,
            ..PastVerification::default()
        }
    }

    #[test]
    fn the_words_say_what_was_read_and_what_was_wrong() {
        let part = PastVerification {
            parts: 20,
            compared: 52,
            ..whole()
        };
        let repaired = PastVerification {
            compared: 1_038,
            missing: 2,
            damaged: 1,
            repaired: 3,
            ..whole()
        };
        let cut = PastVerification {
            compared: 7,
            exit: 130,
            error: Some("interrupted".to_owned()),
            ..whole()
        };
        let altered = PastVerification {
            altered: 1,
            exit: 1,
            ..whole()
        };
        for (verification, expected) in [
            (whole(), "1,040 of 1,040 messages compared, nothing wrong"),
            (
                part,
                "52 of 1,040 messages compared (one of 20 parts), nothing wrong",
            ),
            (
                repaired,
                "1,038 of 1,040 messages compared, 2 missing, 1 damaged, 3 repaired",
            ),
            (
                cut,
                "7 of 1,040 messages compared; it was cut short: interrupted",
            ),
            (
                altered,
                "1,040 of 1,040 messages compared, 1 altered by another program",
            ),
        ] {
            assert_eq!(result(&verification), expected);
        }
    }

    #[test]
    fn json_has_every_documented_field_and_no_raw_text_of_a_server() {
        let manual = include_str!("../../../man/parts/popsync-log.roff").replace('\\', "");
        let verification = PastVerification {
            error: Some("it said \u{202e}no".to_owned()),
            ..whole()
        };
        let json = serde_json::to_value(line("work", &verification)).unwrap();
        for field in json.as_object().unwrap().keys() {
            assert!(manual.contains(&format!("\"{field}\":")), "{field}");
        }
        assert_eq!(json["finished"], "2023-11-14T22:14:20Z");
        assert_eq!(json["error"], r"it said \u{202e}no");
        assert_eq!(
            cells("work", &verification)[3].matches('\u{202e}').count(),
            0
        );
    }
}
