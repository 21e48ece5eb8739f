//! Tests every rule of the plan by table, and the properties of any plan.

mod cases;

use std::collections::HashMap;
use std::num::NonZeroU64;

use proptest::prelude::*;

use super::*;
use crate::maildrop::Builder;
use crate::pop3::listing::{DropListing, ScanListing, UniqueIdListing};
use crate::profile::Profile;

mod limits;

use limits::WithHeaders;

const NOW: i64 = 1_700_000_000;

impl Memory for HashMap<Vec<u8>, Remembered> {
    fn recall(&self, unique_id: &[u8]) -> Option<Remembered> {
        self.get(unique_id).copied()
    }
}

/// A maildrop from lines of `number unique-id octets`.
fn maildrop(lines: &[&str]) -> Maildrop {
    let mut builder = Builder::default();
    builder.drop_listing(DropListing {
        messages: lines.len() as u64,
        octets: None,
    });
    for line in lines {
        builder.unique_id_listing(UniqueIdListing::parse(line.as_bytes()));
    }
    for line in lines {
        let (number, octets) = (line.split(' ').next(), line.split(' ').nth(2));
        if let (Some(number), Some(octets)) = (number, octets) {
            builder.scan_listing(ScanListing::parse(format!("{number} {octets}").as_bytes()));
        }
    }
    builder.finish()
}

fn stored(unique_id: &str, days_ago: i64, deletion_asked: bool) -> (Vec<u8>, Remembered) {
    let remembered = Remembered {
        stored_at: NOW - days_ago * DAY,
        deletion_asked,
        held: true,
        octets: None,
        copies: 1,
        gone: None,
        to_go: false,
        is_assumed: false,
        is_doubtful: false,
        whereabouts: Whereabouts::InStore,
    };
    (unique_id.as_bytes().to_vec(), remembered)
}

const KEEP: Retention = Retention::new(true, None);
const DELETE: Retention = Retention::new(false, None);
const FOURTEEN_DAYS: Retention = Retention::new(true, Some(14));

/// Circumstances in which nothing is unusual.
fn calm(on_server: u64) -> Circumstances {
    Circumstances {
        now: NOW,
        trusted_at: Some(NOW),
        on_server,
        has_history: true,
        store: StoreState::Holds,
        max_deletions: u64::MAX,
        allowed: true,
        contradicted: false,
        held: false,
    }
}

/// The decisions by these rules, with complete evidence.
fn decisions(
    maildrop: &Maildrop,
    memory: &impl Memory,
    retention: Retention,
    limits: Limits,
) -> Vec<Decision> {
    let evidence = Evidence {
        is_complete: true,
        ..Evidence::default()
    };
    let rules = Rules {
        retention,
        limits,
        taken: (0, 0),
        circumstances: &calm(maildrop.len() as u64),
    };
    plan(maildrop, memory, &evidence, rules).decisions
}

/// The plan as text, one line a message.
fn planned(
    lines: &[&str],
    memory: &[(Vec<u8>, Remembered)],
    retention: Retention,
    limits: Limits,
) -> Vec<String> {
    let memory: HashMap<_, _> = memory.iter().cloned().collect();
    decisions(&maildrop(lines), &memory, retention, limits)
        .into_iter()
        .map(|decision| format!("{}: {}", decision.action, decision.reason))
        .collect()
}

#[test]
fn each_rule_by_table() {
    let none = Limits::default();
    let a_stored = [stored("a", 20, false)];
    let a_asked = [stored("a", 20, true)];
    let a_young = [stored("a", 13, false)];
    type Case<'a> = (&'a str, &'a [(Vec<u8>, Remembered)], Retention, &'a str);
    let cases: &[Case<'_>] = &[
        ("1 a 10", &[], KEEP, "retrieve: new"),
        ("1 a 10", &[], FOURTEEN_DAYS, "retrieve: new"),
        ("1 a 10", &[], DELETE, "retrieve, then delete: new"),
        ("1 a 10", &a_stored, KEEP, "keep: stored"),
        (
            "1 a 10",
            &a_stored,
            DELETE,
            "delete: stored, and not left on the server",
        ),
        (
            "1 a 10",
            &a_stored,
            FOURTEEN_DAYS,
            "delete: stored longer ago than remove-after-days",
        ),
        ("1 a 10", &a_young, FOURTEEN_DAYS, "keep: stored"),
        (
            "1 a 10",
            &a_asked,
            DELETE,
            "delete: deletion asked before, still listed",
        ),
        (
            "1 a 10",
            &a_asked,
            FOURTEEN_DAYS,
            "delete: deletion asked before, still listed",
        ),
        // The user has changed the setting since.
        ("1 a 10", &a_asked, KEEP, "keep: stored"),
        ("1", &a_stored, DELETE, "skip: no unique-id"),
    ];
    for (line, memory, retention, expected) in cases {
        assert_eq!(planned(&[line], memory, *retention, none), [*expected]);
    }
}

#[test]
fn profiles_differ_in_what_they_delete() {
    for profile in Profile::ALL {
        let retention = Retention::new(profile.leaves_on_server(), None);
        let expected = match profile {
            Profile::Outlook2007
            | Profile::Outlook2010
            | Profile::Outlook2013
            | Profile::Outlook2016 => [
                "delete: stored, and not left on the server",
                "retrieve, then delete: new",
            ],
            _ => ["keep: stored", "retrieve: new"],
        };
        let memory = [stored("a", 400, false)];
        let plan = planned(&["1 a 1", "2 b 1"], &memory, retention, Limits::default());
        assert_eq!(plan, expected, "{profile}");
    }
}

#[test]
fn repeated_unique_ids_are_retrieved_until_all_copies_are_accounted_for() {
    let lines = ["1 a 10", "2 a 10", "3 b 10"];
    let none = Limits::default();
    let expected = ["retrieve: the unique-id does not tell which message this is"; 2];
    assert_eq!(planned(&lines, &[], KEEP, none)[..2], expected);
    assert_eq!(
        planned(&lines, &[stored("a", 1, false)], KEEP, none)[..2],
        expected
    );
    let (id, mut both) = stored("a", 100, false);
    both.copies = 2;
    assert_eq!(
        planned(&lines, &[(id.clone(), both)], KEEP, none)[..2],
        ["keep: stored"; 2]
    );
    // One of them is gone, or another one is left: nobody knows.
    assert_eq!(
        planned(&lines[..1], &[(id.clone(), both)], KEEP, none),
        expected[..1]
    );
    // The id alone never proves that this copy is the stored one.
    assert_eq!(
        planned(&lines, &[(id.clone(), both)], FOURTEEN_DAYS, none)[..2],
        ["keep: stored"; 2]
    );
    assert_eq!(
        planned(&lines, &[(id, both)], DELETE, none)[..2],
        ["retrieve, then delete: the unique-id does not tell which message this is"; 2]
    );
}

/// OPOP3:C0040: a unique-id that was gone may belong to another message now.
#[test]
fn a_unique_id_that_is_back_is_looked_into_before_anything_is_deleted() {
    let gone = |size, asked| {
        let (id, mut remembered) = stored("a", 100, asked);
        remembered.gone = Some(size);
        [(id, remembered)]
    };
    let looked_into = "the unique-id does not tell which message this is";
    let none = Limits::default();
    for (memory, retention, expected) in [
        (
            gone(Some(10), true),
            DELETE,
            format!("retrieve, then delete: {looked_into}"),
        ),
        (gone(None, true), KEEP, format!("retrieve: {looked_into}")),
        (
            gone(Some(11), false),
            DELETE,
            format!("retrieve, then delete: {looked_into}"),
        ),
        (
            gone(Some(11), false),
            FOURTEEN_DAYS,
            format!("retrieve: {looked_into}"),
        ),
        (
            gone(Some(11), false),
            KEEP,
            format!("retrieve: {looked_into}"),
        ),
        // If the listing once was empty, a size that agrees is enough.
        (gone(Some(10), false), KEEP, "keep: stored".to_owned()),
        (gone(None, false), KEEP, format!("retrieve: {looked_into}")),
    ] {
        assert_eq!(planned(&["1 a 10"], &memory, retention, none), [expected]);
    }
}

#[test]
fn a_listing_that_contradicts_itself_deletes_nothing() {
    let memory = [stored("a", 100, false)];
    for retention in [DELETE, FOURTEEN_DAYS] {
        let plan = planned(
            &["1 a 1", "2 b 1", "0 c 1"],
            &memory,
            retention,
            Limits::default(),
        );
        assert_eq!(
            plan,
            ["keep: the listing contradicts itself", "retrieve: new"]
        );
    }
}

#[test]
fn a_clock_that_jumps_back_deletes_nothing() {
    let memory = [stored("a", -400, false)];
    assert_eq!(
        planned(&["1 a 1"], &memory, FOURTEEN_DAYS, Limits::default()),
        ["keep: stored"]
    );
}

proptest! {
    /// One decision for each message. No message is deleted that is not stored, none is retrieved
    /// that is, and no new one is left out.
    #[test]
    fn what_must_hold_for_any_maildrop(
        rows in proptest::collection::vec((0_u32..12, 0_u8..8, 0_u64..1000), 0..12),
        memory in proptest::collection::vec((0_u8..8, -30_i64..60, any::<bool>()), 0..8),
        leave_on_server in any::<bool>(),
        remove_after_days in proptest::option::of(1_u32..30),
    ) {
        let lines: Vec<String> =
            rows.iter().map(|(number, id, octets)| format!("{number} id{id} {octets}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let memory: HashMap<_, _> = memory
            .iter()
            .map(|(id, days, asked)| stored(&format!("id{id}"), *days, *asked))
            .collect();
        let maildrop = maildrop(&lines);
        let retention = Retention::new(leave_on_server, remove_after_days);
        let plan = decisions(&maildrop, &memory, retention, Limits::default());
        prop_assert_eq!(plan.len(), maildrop.len());
        for (message, decision) in maildrop.iter().zip(&plan) {
            let remembered = memory.recall(message.unique_id);
            match decision.action {
                Action::Delete => {
                    prop_assert!(remembered.is_some());
                    prop_assert_eq!(message.copies, 1);
                    prop_assert!(!leave_on_server || remove_after_days.is_some());
                }
                Action::RetrieveThenDelete => prop_assert!(!leave_on_server),
                Action::RetrieveThenDeleteIfKnown => {
                    prop_assert!(false, "nothing is only assumed here");
                }
                Action::Keep => prop_assert!(remembered.is_some()),
                Action::Retrieve => prop_assert!(remembered.is_none() || message.copies > 1),
                Action::Headers | Action::Skip => {
                    prop_assert!(false, "nothing limits this run");
                }
            }
            if !maildrop.contradictions().is_empty() {
                prop_assert!(decision.action != Action::Delete);
                prop_assert!(decision.action != Action::RetrieveThenDelete);
            }
        }
    }

    /// A message that is not stored is never deleted, whatever is known of its header.
    #[test]
    fn a_message_without_more_than_its_header_is_never_deleted(
        rows in proptest::collection::vec((1_u32..12, 0_u8..8, 0_u64..1000), 0..12),
        memory in proptest::collection::vec((0_u8..8, -30_i64..60, any::<bool>()), 0..4),
        headers in proptest::collection::vec((0_u8..8, 0_u64..1000, any::<bool>()), 0..8),
        leave_on_server in any::<bool>(),
        above in proptest::option::of(1_u64..1000),
    ) {
        let lines: Vec<String> =
            rows.iter().map(|(number, id, octets)| format!("{number} id{id} {octets}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let memory = memory
            .iter()
            .map(|(id, days, asked)| stored(&format!("id{id}"), *days, *asked))
            .collect();
        let headers = headers
            .iter()
            .map(|&(id, octets, marked)| {
                (format!("id{id}").into_bytes(), HeaderOnly { octets, marked })
            })
            .collect();
        let memory = WithHeaders(memory, headers);
        let retention = Retention { leave_on_server, ..KEEP };
        let limits = Limits {
            headers_only_above: above.and_then(NonZeroU64::new),
            ..Limits::default()
        };
        let maildrop = maildrop(&lines);
        let plan = decisions(&maildrop, &memory, retention, limits);
        for (message, decision) in maildrop.iter().zip(&plan) {
            let known = memory.recall_header(message.unique_id);
            let is_large = above
                .zip(message.octets)
                .is_some_and(|(above, octets)| octets > above);
            if memory.recall(message.unique_id).is_some() || message.copies > 1 {
                prop_assert!(decision.action != Action::Headers);
                continue;
            }
            prop_assert!(decision.action != Action::Delete);
            let marked = known.is_some_and(|header| header.marked);
            prop_assert_eq!(decision.action.retrieves(), marked || !is_large);
        }
    }
}

/// The other program's copy may be gone, so no setting deletes the message.
#[test]
fn what_another_program_had_is_neither_retrieved_nor_deleted() {
    for retention in [KEEP, DELETE, FOURTEEN_DAYS] {
        let (unique_id, remembered) = stored("a", 100, false);
        let imported = Remembered {
            held: false,
            ..remembered
        };
        let memory: HashMap<_, _> = [(unique_id, imported)].into();
        let decided = |lines: &[&str]| {
            let decisions = decisions(&maildrop(lines), &memory, retention, Limits::default());
            let actions = decisions.iter().map(|decision| decision.action);
            (decisions[0].reason, actions.collect::<Vec<_>>())
        };
        assert_eq!(
            decided(&["1 a"]),
            (Reason::Imported, vec![Action::Keep]),
            "{retention:?}"
        );
        // It was one message then, and nobody knows which of these it was.
        let (reason, actions) = decided(&["1 a", "2 a"]);
        assert_eq!(reason, Reason::UniqueIdAmbiguous);
        assert!(actions.iter().all(|action| action.retrieves()));
    }
}

#[test]
fn what_was_to_be_deleted_at_once_when_it_was_stored_says_that_it_was_interrupted() {
    let (id, mut remembered) = stored("a", 1, false);
    remembered.to_go = true;
    let plan = planned(&["1 a 10"], &[(id, remembered)], DELETE, Limits::default());
    assert_eq!(plan, ["delete: stored, and its deletion was interrupted"]);
}
