//! RETR, DELE, QUIT: the messages that are retrieved, those that are deleted, and when.

use exchange_sim::{Act, At, CloseHow, Fails, Knobs, UpdateFail};

use super::common::{DELETING, KEEPING, sent};
use support::bench::{Bench, letter, letters, stored_form};

/// OPOP3:C0048, first half: Outlook 2007 to 2016 delete what is stored.
#[test]
fn outlook_2007_to_2016_delete_after_syncing() {
    for year in ["2007", "2010", "2013", "2016"] {
        let bench = Bench::with(letters(2));
        bench.on_command(|seen, _| {
            assert!(seen.verb != "DELE" || seen.retrieved, "retrieved first");
        });
        bench
            .sync(&format!("profile = \"outlook-{year}\""), &[])
            .gives(0);
        assert_eq!(
            sent(&bench)[6..],
            ["RETR 1", "RETR 2", "STAT", "DELE 1", "DELE 2", "QUIT"]
        );
        assert!(bench.mailbox().is_empty());
        bench.assert_exactly_once();
    }
}

/// OPOP3:C0048, second half: Outlook 2019 and later keep it.
#[test]
fn outlook_2019_and_later_keep_mail_on_the_server() {
    for name in ["2019", "2021", "2024", "new"] {
        let bench = Bench::with(letters(2));
        bench
            .sync(&format!("profile = \"outlook-{name}\""), &[])
            .gives(0);
        assert_eq!(sent(&bench)[6..], ["RETR 1", "RETR 2", "QUIT"]);
        assert_eq!(bench.mailbox().len(), 2);
        bench.assert_exactly_once();
    }
}

/// OPOP3:C0048: both are defaults, which the user can override.
#[test]
fn the_users_word_is_above_the_profile() {
    let bench = Bench::with(letters(2));
    let keys = format!("{DELETING}\nleave-on-server = true");
    bench.sync(&keys, &[]).gives(0);
    assert_eq!(bench.mailbox().len(), 2);
    let keys = format!("{KEEPING}\nleave-on-server = false");
    bench.sync(&keys, &[]).gives(0);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
}

/// OPOP3:V0004, V0005, C0013, C0024, C0025, C0026, C0030, V0006: one number each, none twice,
/// never RSET, and QUIT alone at the end.
#[test]
fn each_message_is_named_once_by_retr_and_once_by_dele() {
    let bench = Bench::with(letters(10));
    bench.sync(DELETING, &[]).gives(0);
    let numbered =
        |verb: &str| -> Vec<String> { (1..=10).map(|number| format!("{verb} {number}")).collect() };
    assert_eq!(bench.sim.commands_of("RETR"), numbered("RETR"));
    assert_eq!(bench.sim.commands_of("DELE"), numbered("DELE"));
    assert_eq!(bench.sim.commands_of("RSET"), [""; 0]);
    assert_eq!(bench.sim.commands_of("QUIT"), ["QUIT"]);
    assert_eq!(sent(&bench).last().unwrap(), "QUIT");
    bench.assert_no_violations();
}

/// XPOP3:C0004: if another client has removed a message since the login, only that one is missing.
#[test]
fn a_message_that_vanished_after_login_stops_no_other() {
    let bench = Bench::with(letters(4));
    let mailbox = bench.mailbox();
    let second = mailbox.unique_ids()[1].clone();
    bench.on_command(move |seen, _| {
        if seen.verb == "RETR" && seen.number == Some(1) {
            mailbox.remove(second.as_bytes());
        }
    });
    let ended = bench.sync(DELETING, &[]).gives(1);
    ended.says("could not be retrieved");
    let others = [1, 3, 4].map(|number| stored_form(&letter(number)));
    bench.assert_stored(&others);
    assert!(bench.mailbox().is_empty());
    bench.no_hooks();
    bench.sync(DELETING, &[]).gives(0);
    bench.assert_no_violations();
}

/// XPOP3:C0004: mail that came since the login waits for the next session.
#[test]
fn mail_that_arrives_after_login_waits_for_the_next_run() {
    let bench = Bench::with(letters(2));
    let mailbox = bench.mailbox();
    bench.on_command(move |seen, _| {
        if seen.verb == "STAT" && mailbox.len() == 2 {
            mailbox.deliver(letter(3));
        }
    });
    bench.sync(KEEPING, &[]).gives(0);
    assert_eq!(bench.store.len(), 2);
    bench.no_hooks();
    bench.sync(KEEPING, &[]).gives(0);
    bench.assert_stored(&[1, 2, 3].map(|number| stored_form(&letter(number))));
}

/// XPOP3:N3: there is no lock, so another client may delete a message that popsync is about to
/// delete.
#[test]
fn without_a_lock_another_client_may_delete_the_same_message() {
    let bench = Bench::with(letters(3));
    let mailbox = bench.mailbox();
    bench.on_command(move |seen, _| {
        if seen.verb == "DELE" && seen.number == Some(1) {
            mailbox.clear();
        }
    });
    bench.sync(DELETING, &[]).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
    bench.assert_no_violations();
}

/// XPOP3:V0006: UPDATE is not atomic, whatever the answer to QUIT: messages still listed are
/// deleted again, and the others are not missed.
#[test]
fn deletions_that_update_left_undone_are_asked_for_again() {
    for update_fail_ok in [true, false] {
        for update_fail in [UpdateFail::All, UpdateFail::EveryOther] {
            let bench = Bench::with(letters(5));
            bench.knobs(Knobs {
                update_fail,
                update_fail_ok,
                ..Knobs::default()
            });
            bench.sync(DELETING, &[]).end();
            bench.assert_exactly_once();
            assert!(!bench.mailbox().is_empty());
            bench.knobs(Knobs::default());
            bench.sync(DELETING, &[]).gives(0);
            assert!(bench.mailbox().is_empty());
            assert_eq!(bench.sim.commands_of("RETR").len(), 5);
            bench.assert_exactly_once();
        }
    }
}

/// XPOP3:E0005: messages that age or a rule removed on the server stay in the store.
#[test]
fn mail_that_the_server_removed_by_age_stays_in_the_store() {
    let bench = Bench::with(letters(3));
    bench.sync(KEEPING, &[]).gives(0);
    bench.mailbox().clear();
    bench.sync(KEEPING, &[]).gives(0);
    bench.deliver(&letter(4));
    bench.sync(KEEPING, &[]).gives(0);
    bench.assert_exactly_once();
}

/// XPOP3:E0003: a full mailbox accepts no mail until some is deleted; a client can do that about a
/// quota.
#[test]
fn a_mailbox_at_its_quota_is_emptied_and_takes_what_waits_outside() {
    const QUOTA: usize = 4;
    let incoming: Vec<_> = (1..=11).map(letter).collect();
    let bench = Bench::with(incoming[..QUOTA].to_vec());
    let mut waiting = incoming[QUOTA..].iter();
    let mut rounds = 0;
    while !bench.mailbox().is_empty() {
        bench.sync(DELETING, &[]).gives(0);
        let room = QUOTA - bench.mailbox().len();
        for message in waiting.by_ref().take(room) {
            bench.deliver(message);
        }
        rounds += 1;
    }
    assert_eq!((rounds, waiting.len()), (3, 0));
    bench.assert_stored(
        &incoming
            .iter()
            .map(|sent| stored_form(sent))
            .collect::<Vec<_>>(),
    );
    bench.assert_no_violations();
}

/// XPOP3:E0004: warnings come as messages that differ only in the day. Each counts as one, whether
/// the previous one is still there or not.
#[test]
fn each_warning_of_the_quota_is_a_message_of_its_own() {
    let warning = |day: u32| {
        format!(
            "From: \"Microsoft Outlook\" <postmaster@example.com>\r\n\
             Date: Mon, {day} Nov 2026 06:00:00 +0000\r\n\
             Subject: Your mailbox is almost full\r\n\r\nPlease reduce it.\r\n"
        )
        .into_bytes()
    };
    let all: Vec<_> = (11..=16).map(warning).collect();
    let stored: Vec<_> = all.iter().map(|sent| stored_form(sent)).collect();
    for keys in [KEEPING, DELETING] {
        // Two at once, then one a day, and one that arrives after the login.
        let bench = Bench::with(all[..2].to_vec());
        bench.sync(keys, &[]).gives(0);
        bench.assert_stored(&stored[..2]);
        for day in 2..5 {
            bench.deliver(&all[day]);
            bench.sync(keys, &[]).gives(0);
            bench.assert_stored(&stored[..=day]);
        }
        let (mailbox, last) = (bench.mailbox(), all[5].clone());
        let mut last = Some(last);
        bench.on_command(move |seen, _| {
            if seen.verb == "UIDL"
                && let Some(last) = last.take()
            {
                mailbox.deliver(last);
            }
        });
        bench.sync(keys, &[]).gives(0);
        bench.assert_stored(&stored[..5]);
        bench.no_hooks();
        bench.sync(keys, &[]).gives(0);
        bench.assert_stored(&stored);
        assert_eq!(bench.mailbox().is_empty(), keys == DELETING);
        bench.assert_no_violations();
    }
}

/// XPOP3:C0005: a refusal, and then the end of the connection, wherever it comes. Nothing is lost,
/// nothing deleted that was not stored, and the next run has all of it.
#[test]
fn a_close_behind_any_refusal_loses_nothing() {
    for (at, status) in [
        (At::verb("CAPA"), 0),
        (At::verb("USER"), 77),
        (At::verb("PASS"), 77),
        (At::verb_nth("STAT", 1), 76),
        (At::verb("UIDL"), 75),
        (At::verb("LIST"), 0),
        (At::line("RETR 1"), 1),
        (At::line("RETR 2"), 1),
        (At::verb_nth("STAT", 2), 76),
        (At::line("DELE 1"), 75),
        (At::line("DELE 3"), 75),
        (At::verb("QUIT"), 1),
    ] {
        let bench = Bench::with(letters(3));
        let refusal = b"-ERR Command is not valid.\r\n".to_vec();
        bench.knobs(
            Knobs::default()
                .rule(at.clone(), Act::Instead(refusal))
                .rule(at.clone(), Act::CloseAfter(CloseHow::Fin)),
        );
        let complaints = bench.complaints();
        bench.on_command(move |seen, _| {
            if seen.verb == "DELE" && !seen.retrieved {
                complaints.add(format!("{seen:?} of a message that never came"));
            }
        });
        let ended = bench.sync(DELETING, &[]).end();
        assert_eq!(ended.status, Some(status), "{at:?}: {}", ended.text());
        bench.knobs(Knobs::default());
        bench.no_hooks();
        bench.sync(DELETING, &[]).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty(), "{at:?}");
    }
}

/// XPOP3:C0004, C0005: a message that cannot be converted is reported, stays on the server, and
/// does not stop the others.
#[test]
fn a_message_that_cannot_be_had_is_reported_and_stays() {
    let bench = Bench::with(letters(3));
    let ids = bench.mailbox().unique_ids();
    bench.mailbox().set_fails(ids[1].as_bytes(), Fails::Convert);
    bench.sync(DELETING, &[]).gives(1).says("refused RETR");
    assert_eq!(bench.mailbox().unique_ids(), [ids[1].clone()]);
    assert_eq!(bench.store.len(), 2);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 1", "DELE 3"]);
    bench.assert_no_violations();
}
