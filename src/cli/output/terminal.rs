//! Text for people: pure functions from events to lines.

use indicatif::{DecimalBytes, HumanCount};

use crate::policy::{Action, Reason};
use crate::sync::Summary;

use super::{sanitize, time};

/// `work: 12 new messages (3.4 MB), 2 deleted, 1,040 on the server, in 0.8 s`.
///
/// After a run that was cut short, the number on the server may not be known.
pub(super) fn summary(account: &str, summary: &Summary, complete: bool) -> String {
    format!("{}: {}", sanitize::text(account), sums(summary, complete))
}

/// The same without the account.
pub(super) fn sums(summary: &Summary, complete: bool) -> String {
    let mut parts = vec![match summary.retrieved {
        0 => "no new messages".to_owned(),
        count => format!(
            "{} new {} ({})",
            HumanCount(count),
            messages(count),
            octets(summary.octets)
        ),
    }];
    let counts = [
        (summary.headers, headers_only(summary.headers)),
        (summary.skipped, "skipped"),
        (summary.failed, "failed"),
        (summary.held, "deletions held"),
        (summary.deleted, "deleted"),
    ];
    parts.extend(
        counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", HumanCount(*count))),
    );
    if complete || summary.on_server > 0 {
        parts.push(format!("{} on the server", HumanCount(summary.on_server)));
    }
    let seconds = summary.elapsed.as_secs_f64();
    parts.push(format!("in {seconds:.1} s"));
    parts.join(", ")
}

/// One line of a dry run: number, size, action, unique-id, reason.
pub(super) fn decision(
    number: u32,
    size: Option<u64>,
    action: Action,
    unique_id: &[u8],
    (reason, leaves_at): (Reason, Option<i64>),
) -> String {
    let size = size.map_or_else(|| "-".to_owned(), octets);
    let unique_id = sanitize::unique_id(unique_id);
    let kept = action == Action::Keep && reason != Reason::HeldBack;
    let action = action.to_string();
    let leaves = match (kept, leaves_at) {
        (true, Some(time)) => format!(", leaves on {}", time::zoned(time)),
        _ => String::new(),
    };
    format!("{number:>7}  {size:>9}  {action:<21}  {unique_id}  ({reason}{leaves})")
}

/// The heading of a dry run. The lines about messages stand below it.
pub(super) fn plan(
    retrieve: u64,
    size: u64,
    headers: u64,
    delete: u64,
    skip: u64,
    listed: u64,
) -> String {
    let headers = match headers {
        0 => String::new(),
        1 => "1 header, ".to_owned(),
        headers => format!("{} headers, ", HumanCount(headers)),
    };
    format!(
        "{} to retrieve ({}), {headers}{} to delete, {} skipped, {} on the server; nothing was done",
        HumanCount(retrieve),
        octets(size),
        HumanCount(delete),
        HumanCount(skip),
        HumanCount(listed),
    )
}

/// `1 message`, `2 messages`: the noun.
pub(super) fn messages(count: u64) -> &'static str {
    if count == 1 { "message" } else { "messages" }
}

/// `1 header only`, `2 headers only`: without the number.
pub(super) fn headers_only(count: u64) -> &'static str {
    if count == 1 {
        "header only"
    } else {
        "headers only"
    }
}

/// A size for people: `3.4 MB`.
pub(super) fn octets(count: u64) -> String {
    let text = DecimalBytes(count).to_string();
    // One digit after the point is enough, and steadier to look at than two.
    match text.split_once('.') {
        Some((whole, rest)) if rest.len() > 2 && rest.is_char_boundary(2) => {
            let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{whole}.{}{unit}", &rest[..1])
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_summary_says_what_happened_and_leaves_out_what_did_not() {
        let full = Summary {
            retrieved: 12,
            octets: 3_412_345,
            headers: 0,
            deleted: 2,
            may_have_deleted: true,
            skipped: 0,
            failed: 0,
            held: 0,
            on_server: 1_040,
            elapsed: Duration::from_millis(812),
        };
        let table = [
            (
                full,
                "work: 12 new messages (3.4 MB), 2 deleted, 1,040 on the server, in 0.8 s",
            ),
            (
                Summary {
                    retrieved: 1,
                    octets: 512,
                    skipped: 3,
                    failed: 1,
                    ..full
                },
                "work: 1 new message (512 B), 3 skipped, 1 failed, 2 deleted, \
                 1,040 on the server, in 0.8 s",
            ),
            (
                Summary {
                    retrieved: 0,
                    deleted: 0,
                    held: 12,
                    ..full
                },
                "work: no new messages, 12 deletions held, 1,040 on the server, in 0.8 s",
            ),
            (
                Summary::default(),
                "work: no new messages, 0 on the server, in 0.0 s",
            ),
        ];
        for (summary, expected) in table {
            assert_eq!(super::summary("work", &summary, true), expected);
        }
        assert_eq!(
            summary("work", &Summary::default(), false),
            "work: no new messages, in 0.0 s"
        );
    }

    #[test]
    fn a_name_cannot_act_on_the_terminal() {
        let line = summary("a\u{202e}b", &Summary::default(), true);
        assert!(line.starts_with(r"a\u{202e}b: "), "{line}");
    }

    #[test]
    fn sizes_have_one_digit_after_the_point() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (12_345, "12.3 kB"),
            (3_412_345, "3.4 MB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (count, expected) in table {
            assert_eq!(octets(count), expected);
        }
    }

    #[test]
    fn a_dry_run_is_a_table() {
        insta::assert_snapshot!(
            [
                decision(1, Some(12_345), Action::Retrieve, b"AAAB", (Reason::New, None)),
                decision(2, None, Action::RetrieveThenDelete, b"a b", (Reason::New, Some(0))),
                decision(10_000, Some(9), Action::Delete, b"AAAC", (Reason::AskedBefore, Some(0))),
                plan(2, 12_345, 0, 1, 0, 1_040),
            ]
            .join("\n"), @r"
              1    12.3 kB  retrieve               AAAB  (new)
              2          -  retrieve, then delete  a\x20b  (new)
          10000        9 B  delete                 AAAC  (deletion asked before, still listed)
        2 to retrieve (12.3 kB), 1 to delete, 0 skipped, 1,040 on the server; nothing was done
        ");
    }
}
