//! STAT, LIST and UIDL: the commands, and the trust in their answers.

use exchange_sim::{Knobs, Missing, Numbers, Profile, Sizes, Sort};

use super::common::{DELETING, KEEPING, sent};
use support::bench::{Bench, Setup, letter, letters};

/// OPOP3:C0015, V0003, V0007, C0016, C0018, C0019, C0035, C0036: no arguments, after login.
#[test]
fn listings_are_asked_for_without_arguments_and_after_login() {
    let bench = Bench::with(letters(2));
    bench.sync(KEEPING, &[]).gives(0);
    assert_eq!(sent(&bench)[3..6], ["STAT", "UIDL", "LIST"]);
    for verb in ["STAT", "UIDL", "LIST"] {
        assert_eq!(bench.sim.commands_of(verb), [verb]);
    }
    bench.assert_no_violations();
}

/// OPOP3:C0011: numbers that are not 1 to n lead to the right messages all the same.
#[test]
fn odd_message_numbers_lead_to_the_right_messages() {
    for numbers in [
        Numbers::Gap,
        Numbers::Shuffled,
        Numbers::Zero,
        Numbers::Huge,
    ] {
        let bench = Bench::with(letters(4));
        bench.knobs(Knobs {
            numbers,
            ..Knobs::default()
        });
        let ended = bench.sync(KEEPING, &[]).end();
        assert!(matches!(ended.status, Some(0 | 1)), "{}", ended.text());
        bench.assert_exactly_once();
    }
}

/// OPOP3:C0017, C0021; XPOP3:N4, N5, V0004, V0005: sizes are hints, exact or not.
#[test]
fn sizes_that_lie_change_nothing() {
    let lies = [
        "0",
        "1",
        "xx",
        "-5",
        "9223372036854775808",
        "99999999999999999999",
    ];
    let mut all: Vec<_> = lies
        .iter()
        .map(|lie| Knobs {
            size_lie: Some((*lie).to_owned()),
            ..Knobs::default()
        })
        .collect();
    for sizes in [Sizes::Exact, Sizes::Storage, Sizes::StorageFirstRetr] {
        all.push(Knobs {
            sizes: Some(sizes),
            ..Knobs::default()
        });
    }
    for stat_line in [
        &b"+OK 3 0"[..],
        b"+OK 3 18446744073709551615",
        b"+OK 3 many",
    ] {
        all.push(Knobs {
            stat_line: Some(stat_line.to_vec()),
            ..Knobs::default()
        });
    }
    for knobs in all {
        let bench = Bench::with(letters(3));
        bench.knobs(knobs);
        let ended = bench.sync(DELETING, &["--json"]).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
        // The retrieved octets are counted, not the listed ones.
        let octets: usize = (1..=3).map(|number| letter(number).len()).sum();
        let summary = ended.out.lines().last().unwrap();
        assert!(
            summary.contains(&format!("\"bytes\":{octets}")),
            "{summary}"
        );
    }
}

/// OPOP3:C0020, C0031: missing or bad sizes are no reason to fail.
#[test]
fn a_maildrop_without_a_scan_listing_is_synced() {
    for no_list in [Missing::Absent, Missing::Refused] {
        let bench = Bench::with(letters(2));
        bench.knobs(Knobs {
            no_list: Some(no_list),
            ..Knobs::default()
        });
        bench.sync(DELETING, &[]).gives(0);
        bench.assert_exactly_once();
    }
}

/// OPOP3:C0037: every message of the listing is retrieved, and STAT's count is not trusted.
#[test]
fn every_line_of_the_unique_id_listing_is_a_message() {
    let bench = Bench::with(letters(12));
    bench.sync(KEEPING, &[]).gives(0);
    bench.assert_exactly_once();
    assert_eq!(bench.sim.commands_of("RETR").len(), 12);
    for stat_line in ["+OK 3 100", "+OK 0 0", "+OK 4294967300 1"] {
        let bench = Bench::with(letters(12));
        bench.knobs(Knobs {
            stat_line: Some(stat_line.into()),
            ..Knobs::default()
        });
        // The user is warned; the mail is still retrieved.
        let ended = bench.sync(DELETING, &[]).gives(1);
        ended.says("the listing contradicts itself, so nothing is deleted");
        assert_eq!(bench.sim.commands_of("RETR").len(), 12, "{stat_line}");
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0], "{stat_line}");
        bench.assert_exactly_once();
    }
}

/// OPOP3:C0039 against XPOP3:C0007 and RFC 1939: octets below 0x2E, ids beyond 70 octets and
/// non-ASCII ids identify messages as well as any others.
#[test]
fn unique_ids_outside_outlooks_range_tell_messages_apart() {
    let odd = [
        Knobs {
            uid_bytes: Some(b"!\"#$%&'()*+,-".to_vec()),
            ..Knobs::default()
        },
        Knobs {
            uid_bytes: Some(b"\x7f\x80\xff".to_vec()),
            ..Knobs::default()
        },
        Knobs {
            uid_long: Some(71),
            ..Knobs::default()
        },
        Knobs {
            uid_long: Some(4000),
            ..Knobs::default()
        },
        Knobs {
            uid_case: true,
            ..Knobs::default()
        },
    ];
    for knobs in odd {
        let bench = Bench::with(letters(4));
        bench.knobs(knobs);
        bench.sync(KEEPING, &[]).gives(0);
        bench.assert_exactly_once();
        bench.sync(KEEPING, &[]).gives(0);
        assert_eq!(bench.sim.commands_of("RETR").len(), 4);
        bench.sync(DELETING, &[]).gives(0);
        assert!(bench.mailbox().is_empty());
        bench.assert_exactly_once();
        bench.assert_no_violations();
    }
}

/// OPOP3:C0040: if another message gets an old id, that message is not lost.
#[test]
fn a_reused_unique_id_loses_no_message() {
    // With and without a run in between, which sees that the ids are gone.
    for seen_gone in [false, true] {
        let bench = Bench::with(letters(2));
        bench.knobs(Knobs {
            uid_reuse: true,
            ..Knobs::default()
        });
        bench.sync(DELETING, &[]).gives(0);
        if seen_gone {
            bench.sync(DELETING, &[]).gives(0);
        }
        bench.deliver(&letter(3));
        bench.sync(DELETING, &[]).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
}

/// OPOP3:C0041: two messages under one id are both stored, and none is deleted unseen.
#[test]
fn messages_that_share_a_unique_id_are_all_stored() {
    for profile in [KEEPING, DELETING] {
        let bench = Bench::with(letters(4));
        bench.knobs(Knobs {
            uid_dup: true,
            ..Knobs::default()
        });
        bench.sync(profile, &[]).end();
        bench.assert_exactly_once();
    }
}

/// XPOP3:C0007, C0008, C0009: messages migrated from 2003 keep their ids beside the decimals.
#[test]
fn ids_of_exchange_2003_and_decimals_live_in_one_listing() {
    let bench = Setup::with(letters(6))
        .profile(Profile::Ex2003Migrated)
        .start();
    bench.sync(KEEPING, &[]).gives(0);
    bench.assert_exactly_once();
    bench.deliver(&letter(7));
    bench.sync(KEEPING, &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 7);
    bench.sync(DELETING, &[]).gives(0);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
    bench.assert_no_violations();
}

/// Exchange's `MessageRetrievalSortOrder`: OPOP3:C0011 in the other direction.
#[test]
fn the_newest_message_may_come_first() {
    let bench = Bench::with(letters(3));
    let sort = Sort::Descending;
    bench.knobs(Knobs {
        sort,
        ..Knobs::default()
    });
    bench.sync(KEEPING, &[]).gives(0);
    bench.deliver(&letter(4));
    bench.sync(KEEPING, &[]).gives(0);
    bench.assert_exactly_once();
    assert_eq!(bench.sim.commands_of("RETR").last().unwrap(), "RETR 1");
}
