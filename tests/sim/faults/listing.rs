//! STAT, LIST and UIDL. (Catalogue 22–41; attacks S1–S4.)

use exchange_sim::{Act, At, Knobs, Missing, Numbers, Sizes, Sort, UidlOne};

use super::table::fault;
use support::bench::{Bench, letters};

fn stat(line: &str) -> Knobs {
    Knobs {
        stat_line: Some(line.into()),
        ..Knobs::default()
    }
}

#[test]
fn sizes_of_stat_and_list_size_nothing_and_prove_nothing() {
    for line in [
        "+OK 4 -5",
        "+OK 4 many",
        "+OK 4 0",
        "+OK 4 99999999999999999999999",
        "+OK 4 18446744073709551615 and more",
    ] {
        fault(line, stat(line)).holds();
    }
    for size in [
        "0",
        "1",
        "xx",
        "-5",
        "",
        "1024",
        "2147483648",
        "4294967296",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999",
    ] {
        let knobs = Knobs {
            size_lie: Some(size.to_owned()),
            list_counts: true,
            ..Knobs::default()
        };
        fault(format!("a size of {size:?}"), knobs).holds();
    }
    for sizes in [Sizes::Exact, Sizes::Storage, Sizes::StorageFirstRetr] {
        let knobs = Knobs {
            sizes: Some(sizes),
            ..Knobs::default()
        };
        fault(format!("{sizes:?}"), knobs).holds();
    }
}

#[test]
fn a_stat_that_makes_no_sense_ends_the_run() {
    for line in [
        "+OK",
        "+OK 4",
        "+OK x y",
        "+OK -1 0",
        "+OK 18446744073709551616 5",
        "+YES",
        "+",
    ] {
        fault(line, stat(line))
            .fails(76, "STAT makes no sense")
            .never("RETR")
            .holds();
    }
    fault("STAT is refused", stat("-ERR no"))
        .fails(76, "the server refused STAT")
        .never("RETR")
        .holds();
    fault("STAT is refused for now", stat("-ERR [SYS/TEMP] not now"))
        .fails(75, "not now")
        .never("RETR")
        .holds();
}

#[test]
fn a_listing_that_contradicts_stat_deletes_nothing() {
    for line in [
        "+OK 0 0",
        "+OK 3 10",
        "+OK 5 10",
        "+OK 2147483648 1",
        "+OK 4294967300 1",
    ] {
        fault(line, stat(line))
            .keeps_everything(1, "contradicts itself")
            .holds();
    }
}

#[test]
fn mail_that_arrives_between_stat_and_uidl_is_safe() {
    let bench = Bench::with(letters(3));
    let mailbox = bench.mailbox();
    let fourth = support::bench::letter(4);
    bench.knobs(Knobs {
        live_listing: true,
        ..Knobs::default()
    });
    let deliver = fourth.clone();
    let mut delivered = false;
    bench.on_command(move |seen, _| {
        if seen.verb == "UIDL" && !delivered {
            delivered = true;
            mailbox.deliver(deliver.clone());
        }
    });
    bench.fetch(&["--profile", "outlook-2016"]).end();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    let mut all = bench.held();
    all.push(support::bench::stored_form(&fourth));
    bench.assert_stored(&all);
    assert!(bench.mailbox().is_empty());
}

#[test]
fn rows_of_one_listing_only_delete_nothing() {
    let uidl = Knobs {
        hide_in_uidl: vec![4],
        ..Knobs::default()
    };
    fault("a row in LIST only", uidl)
        .keeps_everything(1, "contradicts itself")
        .stores_first(3)
        .holds();
    let list = Knobs {
        hide_in_list: vec![2, 3],
        ..Knobs::default()
    };
    fault("rows in UIDL only", list)
        .keeps_everything(1, "messages that UIDL shows and LIST does not: 2")
        .holds();
}

#[test]
fn message_numbers_are_taken_as_they_come() {
    for numbers in [Numbers::Gap, Numbers::Shuffled] {
        let knobs = Knobs {
            numbers,
            ..Knobs::default()
        };
        fault(format!("{numbers:?}"), knobs).holds();
    }
    for sort in [Sort::Ascending, Sort::Descending] {
        let knobs = Knobs {
            sort,
            ..Knobs::default()
        };
        fault(format!("{sort:?}"), knobs).holds();
    }
    for numbers in [Numbers::Zero, Numbers::Huge] {
        let knobs = Knobs {
            numbers,
            ..Knobs::default()
        };
        fault(format!("{numbers:?}"), knobs)
            .keeps_everything(1, "name no message-number")
            .holds();
    }
    let repeated = Knobs {
        numbers: Numbers::Duplicate,
        ..Knobs::default()
    };
    fault("1, 1, 3, 4", repeated)
        .keeps_everything(1, "contradicts itself")
        .stores_some()
        .holds();
}

#[test]
fn without_unique_ids_headers_tell_messages_apart_and_nothing_is_deleted() {
    for missing in [Missing::Absent, Missing::Refused] {
        let knobs = Knobs {
            no_uidl: Some(missing),
            ..Knobs::default()
        };
        fault(format!("UIDL {missing:?}"), knobs.clone())
            .keeps_everything(0, "the server has no unique-ids (UIDL)")
            .holds();
        let no_top = Knobs {
            no_top: Some(missing),
            ..knobs
        };
        fault(format!("UIDL and TOP {missing:?}"), no_top)
            .fails(76, "the server refused UIDL")
            .says("hint: nothing was retrieved: without unique-ids popsync tells messages apart by LIST and TOP")
            .never("RETR")
            .holds();
    }
    let for_now = Knobs::default().rule(
        At::verb("UIDL"),
        Act::Instead(b"-ERR [SYS/TEMP] not now\r\n".to_vec()),
    );
    fault("UIDL is refused for now", for_now)
        .fails(75, "not now")
        .never("RETR")
        .holds();
}

#[test]
fn ids_that_are_missing_or_too_long_delete_nothing() {
    let empty = Knobs {
        uid_empty: true,
        ..Knobs::default()
    };
    let missing = Knobs {
        uid_missing: true,
        ..Knobs::default()
    };
    for knobs in [empty, missing] {
        fault("no ids", knobs)
            .fails(1, "no unique-id")
            .never("RETR")
            .holds();
    }
    for length in [9_000, 10_000_000] {
        let knobs = Knobs {
            uid_long: Some(length),
            ..Knobs::default()
        };
        fault(format!("ids of {length}"), knobs)
            .fails(76, "a line of more than")
            .never("RETR")
            .holds();
    }
}

#[test]
fn ids_at_the_wrong_numbers_delete_nothing() {
    let knobs = Knobs {
        uid_wrong_number: true,
        ..Knobs::default()
    };
    fault("numbers one too high", knobs)
        .fails(1, "contradicts itself")
        .stores_some()
        .holds();
}

#[test]
fn listings_that_end_oddly_end_where_outlook_ends_them() {
    for term in [".", ". ", ".trailing", "..", ".5 abc"] {
        let knobs = Knobs {
            term: Some(term.into()),
            ..Knobs::default()
        };
        fault(format!("a listing that ends in {term}"), knobs).holds();
    }
    let more = Knobs {
        term_then_more: Some(b"5 id-of-nothing\r\n.\r\n".to_vec()),
        ..Knobs::default()
    };
    fault("rows behind the end", more)
        .fails(76, "not asked for")
        .never("RETR")
        .violates()
        .holds();
}

#[test]
fn a_blank_line_in_front_of_the_unique_ids_loses_nothing() {
    let knobs = Knobs {
        uidl_blank_first: true,
        ..Knobs::default()
    };
    fault("a blank line first", knobs).holds();
}

#[test]
fn a_listing_without_end_is_given_up() {
    let knobs = Knobs {
        endless_list: true,
        ..Knobs::default()
    };
    fault("endless", knobs)
        .fails(76, "does not end")
        .never("RETR")
        .unpipelined()
        .holds();
}

#[test]
fn first_lines_without_end_are_given_up() {
    for verb in ["CAPA", "USER", "PASS", "STAT", "UIDL", "RETR"] {
        for octets in [Some(10_000), None] {
            let knobs = Knobs {
                first_line_long: Some((At::verb(verb), octets)),
                ..Knobs::default()
            };
            fault(format!("{octets:?} octets of {verb}"), knobs)
                .fails(76, "a line of more than")
                .holds();
        }
        let knobs = Knobs {
            first_line_long: Some((At::verb(verb), Some(513))),
            ..Knobs::default()
        };
        // STAT without numbers is tested elsewhere.
        if verb != "STAT" {
            fault(format!("513 octets of {verb}"), knobs).holds();
        }
    }
}

#[test]
fn a_part_of_the_mailbox_is_taken_for_what_it_is() {
    for (knobs, stored) in [
        (
            Knobs {
                pretend_empty: true,
                ..Knobs::default()
            },
            0,
        ),
        (
            Knobs {
                only_oldest: Some(3),
                ..Knobs::default()
            },
            3,
        ),
    ] {
        fault("a part", knobs)
            .stores_first(stored)
            .leaves(4 - stored)
            .holds();
    }
    let newest = Knobs {
        only_newest: Some(1),
        ..Knobs::default()
    };
    fault("the newest", newest).stores_some().leaves(3).holds();
}

#[test]
fn nothing_is_asked_of_a_single_message_but_itself() {
    for uidl_one in [UidlOne::Normal, UidlOne::WithoutNumber, UidlOne::MultiLine] {
        let knobs = Knobs {
            uidl_one,
            top_octets: Some(10),
            top_lines: Some(1),
            top_max_argument: Some(0),
            top_two_ok: true,
            top_header_differs: true,
            ..Knobs::default()
        };
        fault(format!("{uidl_one:?}"), knobs).never("TOP").holds();
    }
    let changing = Knobs {
        uid_change: true,
        ..Knobs::default()
    };
    fault("ids of this session only", changing).holds();
}
