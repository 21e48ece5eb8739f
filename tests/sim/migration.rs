//! A server that renames all its messages: the same mailbox under other unique-ids, as after a move
//! to another server. Nothing is stored twice, and no new message is missed.

use exchange_sim::{IdForm, Knobs, Missing, Sizes};

use support::bench::{Bench, Setup, letter, letters, stored_form};

/// The commands of a verb since the last look.
fn count(bench: &Bench, verb: &str) -> usize {
    bench.sim.commands_of(verb).len()
}

#[test]
fn renamed_messages_are_known_by_their_headers_and_only_new_ones_retrieved() {
    for pipelining in [false, true] {
        let bench = Setup::with(letters(50))
            .knobs(Knobs {
                pipelining,
                ..Knobs::default()
            })
            .start();
        bench.fetch(&[]).gives(0);
        bench.mailbox().renumber_all_ids(IdForm::Legacy);
        bench.deliver(&letter(51));
        bench.deliver(&letter(52));
        bench.sim.clear_log();
        let ended = bench.fetch(&[]).gives(0);
        assert!(
            ended
                .err
                .contains("the server has renamed its messages: 50 of 52"),
            "{}",
            ended.err
        );
        assert_eq!((count(&bench, "TOP"), count(&bench, "RETR")), (52, 2));
        bench.assert_exactly_once();
        bench.assert_no_violations();
        bench.sim.clear_log();
        // From now on the new ids are known.
        assert_eq!(bench.fetch(&[]).gives(0).err, "");
        assert_eq!((count(&bench, "TOP"), count(&bench, "RETR")), (0, 0));
        bench.assert_exactly_once();
    }
}

#[test]
fn a_new_server_that_counts_sizes_otherwise_changes_nothing() {
    let bench = Bench::with(letters(20));
    bench.fetch(&[]).gives(0);
    bench.mailbox().renumber_all_ids(IdForm::Legacy);
    bench.knobs(Knobs {
        sizes: Some(Sizes::Exact),
        ..Knobs::default()
    });
    bench.sim.clear_log();
    bench.fetch(&[]).gives(0);
    assert_eq!(count(&bench, "RETR"), 0);
    bench.assert_exactly_once();
}

#[test]
fn without_top_renamed_messages_are_known_by_their_content() {
    let bench = Bench::with(letters(20));
    bench.fetch(&[]).gives(0);
    bench.mailbox().renumber_all_ids(IdForm::Legacy);
    bench.deliver(&letter(21));
    for no_top in [
        Knobs {
            no_top: Some(Missing::Refused),
            ..Knobs::default()
        },
        Knobs {
            top_header_differs: true,
            ..Knobs::default()
        },
    ] {
        bench.knobs(no_top);
        bench.fetch(&[]).gives(0);
        bench.assert_exactly_once();
        bench.mailbox().renumber_all_ids(IdForm::Legacy);
    }
}

#[test]
fn a_part_of_the_mailbox_that_is_renamed_is_known_by_its_content() {
    for renamed in [1, 9] {
        let bench = Bench::with(letters(20));
        bench.fetch(&[]).gives(0);
        for unique_id in &bench.mailbox().unique_ids()[..renamed] {
            assert!(
                bench
                    .mailbox()
                    .change_uid(unique_id, format!("moved-{unique_id}"))
            );
        }
        bench.deliver(&letter(21));
        bench.fetch(&[]).gives(0);
        bench.assert_exactly_once();
        bench.sim.clear_log();
        bench.fetch(&[]).gives(0);
        assert_eq!((count(&bench, "TOP"), count(&bench, "RETR")), (0, 0));
        bench.assert_exactly_once();
    }
}

/// A server that restores mail under new ids, for instance from its own backup, has nothing new:
/// the octets show it, and the mail is stored once.
#[test]
fn mail_that_was_deleted_and_comes_back_under_another_id_is_not_stored_twice() {
    let bench = Bench::with([letter(1)]);
    for round in 1..=3 {
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        assert_eq!(count(&bench, "RETR"), round);
        assert!(bench.mailbox().is_empty());
        bench.assert_stored(&[stored_form(&letter(1))]);
        bench.deliver(&letter(1));
    }
    // If its copy is gone meanwhile, a person has deleted it, and it is not stored again.
    for path in bench.store.files().into_keys() {
        std::fs::remove_file(path).unwrap();
    }
    bench.store.look_anew();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    assert_eq!((bench.mailbox().len(), bench.store.len()), (1, 0));
}

/// peers M6: two messages of equal content are two messages, also after a move.
#[test]
fn twins_stay_two() {
    let bench = Bench::with([letter(1), letter(1), letter(2)]);
    bench.fetch(&[]).gives(0);
    bench.mailbox().renumber_all_ids(IdForm::Legacy);
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
    // A third one that comes later is new.
    bench.deliver(&letter(1));
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn an_empty_listing_in_between_does_not_hide_the_move() {
    let bench = Bench::with(letters(20));
    bench.fetch(&[]).gives(0);
    bench.knobs(Knobs {
        pretend_empty: true,
        ..Knobs::default()
    });
    bench.fetch(&[]).gives(0);
    bench.knobs(Knobs::default());
    bench.mailbox().renumber_all_ids(IdForm::Legacy);
    bench.sim.clear_log();
    bench.fetch(&[]).gives(0);
    assert_eq!(count(&bench, "RETR"), 0);
    bench.assert_exactly_once();
}

/// Messages deleted by a profile also vanish from the listing, and that is no move.
#[test]
fn deleted_messages_are_not_taken_for_renamed_ones() {
    let bench = Bench::with(letters(20));
    let deletes = ["--profile", "outlook-2016"];
    bench.fetch(&deletes).gives(0);
    bench.deliver(&letter(21));
    bench.sim.clear_log();
    assert_eq!(bench.fetch(&deletes).gives(0).err, "");
    assert_eq!((count(&bench, "TOP"), count(&bench, "RETR")), (0, 1));
    bench.assert_exactly_once();
}
