//! Messages that a store already has are not downloaded again, whoever stored them: after the state
//! was lost, or after a switch from another program.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write as _;

use exchange_sim::{At, CloseHow, Knobs, Missing};

use support::bench::{Bench, Into, Setup, letter, letters, stored_form};

const FROM_STORE: [&str; 2] = ["work", "--from-store"];

/// Six letters, fetched, whose state is lost; and one more.
fn lost(into: Into) -> Bench {
    let bench = Setup::with(letters(6)).into(into).start();
    bench.sync("", &[]).gives(0);
    fs::remove_dir_all(bench.path("state")).unwrap();
    bench.deliver(&letter(7));
    bench.sim.clear_log();
    bench
}

/// The next sync retrieves this many, and everything is there once.
#[track_caller]
fn retrieves(bench: &Bench, keys: &str, count: usize) {
    bench.sim.clear_log();
    bench.sync(keys, &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), count);
}

#[test]
fn a_lost_state_stops_a_sync_until_the_store_is_taken_over() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = lost(into);
        // However often it runs.
        for _ in 0..2 {
            bench.sync("", &[]).gives(74).says("--from-store");
        }
        assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
        bench.configured("import", "", &FROM_STORE).gives(0);
        // Exchange estimates sizes, which a few messages show; for an mbox no sizes are compared.
        let sample: &[&str] = match into {
            Into::Maildir => &["RETR 1", "RETR 3", "RETR 5"],
            Into::Mbox => &[],
        };
        assert_eq!(bench.sim.commands_of("RETR"), sample);
        retrieves(&bench, "", 1);
        bench.assert_exactly_once();
        retrieves(&bench, "", 0);
        bench.assert_exactly_once();
    }
}

/// While the server lists nothing, there is nothing to compare the store with.
#[test]
fn a_lost_state_stops_a_sync_also_after_the_mailbox_was_empty() {
    for (import, uid) in [
        (false, "6500"),
        (true, "6500"),
        (false, "anew"),
        (true, "anew"),
    ] {
        let bench = lost(Into::Mbox);
        bench.mailbox().clear();
        for _ in 0..2 {
            bench.sync("", &[]).gives(0);
        }
        if import {
            bench.configured("import", "", &FROM_STORE).gives(0);
        }
        bench.deliver_with_uid(uid.as_bytes(), &letter(2));
        bench.sync("", &[]).gives(74).says("--from-store");
        bench.sync("", &["--dry-run"]).gives(74);
        assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
        bench.configured("import", "", &FROM_STORE).gives(0);
        retrieves(&bench, "", 0);
        assert_eq!(bench.store.messages_of_mbox().len(), 6);
    }
}

/// Other mail than the store's comes, and from then on the account has records.
#[test]
fn a_lost_state_does_not_stop_other_mail() {
    let bench = lost(Into::Mbox);
    bench.mailbox().clear();
    bench.sync("", &[]).gives(0);
    bench.deliver(&letter(8));
    retrieves(&bench, "", 1);
    bench.deliver(&letter(9));
    retrieves(&bench, "", 1);
    assert_eq!(bench.store.messages_of_mbox().len(), 8);
}

/// All messages of another program's list are gone, and the store has the later ones.
#[test]
fn a_list_that_names_nothing_does_not_hide_what_the_store_holds() {
    let bench = lost(Into::Mbox);
    bench.configured("import", "", &FROM_STORE).gives(0);
    bench
        .mailbox()
        .remove(bench.mailbox().unique_ids().last().unwrap());
    for (number, uid) in bench.mailbox().unique_ids().iter().enumerate() {
        bench.mailbox().change_uid(uid, format!("anew-{number}"));
    }
    bench.sync("", &[]).gives(74).says("--from-store");
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
}

/// The header of the first message breaks the session: those of the others are enough.
#[test]
fn a_lost_state_stops_a_sync_also_where_a_header_breaks_the_session() {
    let bench = lost(Into::Mbox);
    bench.knobs(Knobs {
        close_at: Some((At::line("TOP 1 0"), CloseHow::Fin)),
        ..Knobs::default()
    });
    for _ in 0..2 {
        bench.sync("", &[]).gives(74).says("--from-store");
        assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    }
}

#[test]
fn a_rehearsal_stops_where_the_sync_would() {
    lost(Into::Maildir).sync("", &["--dry-run"]).gives(74);
}

#[test]
fn files_that_are_the_servers_messages_are_stored_ones_from_then_on() {
    let bench = lost(Into::Maildir);
    bench.configured("import", "", &FROM_STORE).gives(0);
    bench.configured("verify", "", &[]).gives(0);
    // Nothing is deleted that no run is known to have stored, until a person allows it.
    retrieves(&bench, "", 1);
    for _ in 0..2 {
        bench
            .sync("leave-on-server = false", &[])
            .gives(1)
            .says("rebuilt");
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
        assert_eq!(bench.mailbox().len(), 7);
    }
    bench
        .sync("leave-on-server = false", &["--allow-mass-delete"])
        .gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 1);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
}

/// It is not known what earlier runs did with these messages: the first deletions wait for a
/// person.
#[test]
fn what_was_found_again_is_not_deleted_at_once_for_being_deleted_here() {
    let bench = lost(Into::Maildir);
    bench.configured("import", "", &FROM_STORE).gives(0);
    let gone = bench.store.names("new")[0].clone();
    fs::remove_file(bench.store.root.join("new").join(gone)).unwrap();
    bench
        .sync("remove-when-deleted-locally = true", &[])
        .gives(1)
        .says("rebuilt");
    assert_eq!(bench.mailbox().len(), 7);
}

#[test]
fn an_import_that_fails_leaves_the_state_lost() {
    let bench = lost(Into::Maildir);
    bench.knobs(Knobs {
        no_top: Some(Missing::Refused),
        ..Knobs::default()
    });
    let ended = bench.configured("import", "", &FROM_STORE).gives(69);
    ended.says("--seed");
    let no_list = ["work", "--from", "fdm", "/dev/null"];
    bench.configured("import", "", &no_list).gives(65);
    bench.sync("", &[]).gives(74);
    assert_eq!(bench.store.len(), 6);
    // A person may accept an empty server, too.
    bench.mailbox().clear();
    bench.configured("import", "", &["work", "--seed"]).gives(0);
    bench.deliver(&letter(8));
    retrieves(&bench, "", 1);
}

/// A letter with a Message-ID of its own.
fn named(number: usize) -> Vec<u8> {
    let name = format!("Message-ID: <{number}@example.com>\r\n");
    [name.as_bytes(), &letter(number)].concat()
}

/// As getmail and mpop store it, and mutt and Dovecot change it.
#[test]
fn what_other_programs_have_stored_does_not_come_again_and_is_never_deleted() {
    let front = "Return-Path: <a@example.com>\nDelivered-To: anna\nReceived: from host by getmail;\n\tSat\n";
    for into in [Into::Maildir, Into::Mbox] {
        let bench = Setup::with((1..=3).map(named)).into(into).start();
        let mut mbox = Vec::new();
        for number in 1..=2 {
            let stored = [front.as_bytes(), &stored_form(&named(number))].concat();
            let text = String::from_utf8(stored).unwrap();
            let text = text.replacen("\n\n", "\nStatus: RO\nX-UID: 4\n\n", 1);
            if into == Into::Maildir {
                for folder in ["tmp", "new", "cur"] {
                    fs::create_dir_all(bench.store.root.join(folder)).unwrap();
                }
                let path = bench
                    .store
                    .root
                    .join(format!("cur/1700000000.M{number}P1.host:2,S"));
                File::create(path)
                    .unwrap()
                    .write_all(text.as_bytes())
                    .unwrap();
            } else {
                let text = text.replace("\nFrom ", "\n>From ");
                mbox.extend(format!("From a Thu Jan  1 00:00:00 1970\n{text}\n").into_bytes());
            }
        }
        if into == Into::Mbox {
            File::create(&bench.store.root)
                .unwrap()
                .write_all(&mbox)
                .unwrap();
        }
        bench.configured("import", "", &FROM_STORE).gives(0);
        retrieves(&bench, "leave-on-server = false", 1);
        assert_eq!(bench.mailbox().len(), 2);
        retrieves(&bench, "leave-on-server = false", 0);
        assert_eq!(bench.mailbox().len(), 2);
    }
}

#[test]
fn an_mbox_that_holds_other_mail_is_no_obstacle() {
    let bench = Setup::with(letters(3)).into(Into::Mbox).start();
    let other = b"From a Thu Jan  1 00:00:00 1970\nMessage-ID: <other@x>\n\nother\n\n";
    File::create(&bench.store.root)
        .unwrap()
        .write_all(other)
        .unwrap();
    retrieves(&bench, "", 3);
    retrieves(&bench, "", 0);
    // A user who wants the messages there a second time says so.
    fs::remove_dir_all(bench.path("state")).unwrap();
    bench.sync("", &[]).gives(74).says("--accept-store");
    bench.sync("", &["--accept-store"]).gives(0);
    assert_eq!(bench.store.messages_of_mbox().len(), 7);
}
