//! Snapshots, several sessions at once, and the UPDATE state.

use std::time::Duration;

use crate::support::{Client, PASSWORD, Talk, USER, plain, three, with_messages};
use exchange_sim::{IdForm, Knobs, Profile, UpdateFail};

#[test]
fn mail_that_arrives_after_login_shows_at_the_next() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut talk = Talk::on(&site).log_in();
    let uid = site.mailbox(USER).deliver(b"new\r\n");
    assert!(talk.ask("STAT").starts_with("+OK 3 "));
    let mut next = Talk::on(&site).log_in();
    assert!(next.ask("UIDL 4").ends_with(&format!(" {uid}\r\n")));
    let ids = site.mailbox(USER).unique_ids();
    let numbers: Vec<u64> = ids.iter().map(|id| id.parse().unwrap()).collect();
    assert!(numbers.is_sorted());
}

#[test]
fn mail_that_another_party_removes_stays_listed_and_cannot_be_retrieved() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mailbox = site.mailbox(USER);
    let mut talk = Talk::on(&site).log_in();
    let before = (talk.ask("STAT"), talk.ask("LIST"), talk.ask("UIDL"));
    let uid = mailbox.unique_ids()[1].clone();
    assert!(mailbox.remove(&uid));
    assert!(!mailbox.remove(&uid));
    let after = (talk.ask("STAT"), talk.ask("LIST"), talk.ask("UIDL"));
    assert_eq!(before, after);
    let gone = "-ERR The message could not be retrieved.\r\n";
    assert_eq!(talk.ask("RETR 2"), gone);
    assert_eq!(talk.ask("TOP 2 0"), gone);
    assert!(talk.ask("RETR 3").starts_with("+OK"));
    assert_eq!(talk.ask("DELE 2"), "+OK\r\n");
    assert!(talk.ask("QUIT").starts_with("+OK"));
    assert_eq!(mailbox.len(), 2);
}

#[test]
fn two_sessions_may_delete_the_same_message() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut a = Talk::on(&site).log_in();
    let mut b = Talk::on(&site).log_in();
    assert_eq!(a.ask("DELE 1"), "+OK\r\n");
    assert_eq!(b.ask("DELE 1"), "+OK\r\n");
    assert_eq!(b.ask("DELE 2"), "+OK\r\n");
    assert!(a.ask("QUIT").starts_with("+OK"));
    assert!(b.ask("LIST").contains("\r\n3 "));
    assert!(b.ask("QUIT").starts_with("+OK"));
    assert_eq!(site.mailbox(USER).len(), 1);
    assert_eq!(site.violations(), Vec::<String>::new());
}

#[test]
fn only_quit_removes() {
    let server = with_messages(Profile::Ex2016, &three()).start().unwrap();
    let mut client = Client::logged_in(&server);
    client.ask("DELE 1");
    drop(client);
    assert!(server.wait_until_idle(Duration::from_secs(5)));
    assert_eq!(server.mailbox(USER).len(), 3);
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut talk = Talk::on(&site).log_in();
    talk.ask("DELE 1");
    talk.ask("RSET");
    talk.ask("QUIT");
    assert_eq!(site.mailbox(USER).len(), 3);
}

#[test]
fn an_update_can_fail_in_part() {
    for (fail, left, answers) in [
        (UpdateFail::None, 0, true),
        (UpdateFail::All, 3, true),
        (UpdateFail::FirstRemoved(1), 2, true),
        (UpdateFail::EveryOther, 1, true),
        (UpdateFail::CloseAfter(2), 1, false),
    ] {
        for positive in [false, true] {
            let site = with_messages(Profile::Ex2016, &three())
                .knobs(Knobs {
                    update_fail: fail,
                    update_fail_ok: positive,
                    ..plain()
                })
                .site()
                .unwrap();
            let mut talk = Talk::on(&site).log_in();
            for n in 1..=3 {
                talk.ask(&format!("DELE {n}"));
            }
            let answer = talk.ask("QUIT");
            assert!(talk.is_closed());
            assert_eq!(site.mailbox(USER).len(), left, "{fail:?}");
            assert_eq!(answer.is_empty(), !answers);
            if answers && left > 0 {
                assert_eq!(answer.starts_with('+'), positive, "{answer}");
            }
            let mut again = Talk::on(&site).log_in();
            assert!(again.ask("STAT").starts_with(&format!("+OK {left} ")));
        }
    }
}

#[test]
fn mail_can_arrive_in_the_middle() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let uid = site.mailbox(USER).deliver_at(1, b"x\r\n");
    assert_eq!(site.mailbox(USER).unique_ids()[1], uid);
}

#[test]
fn removed_ids_never_return() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mailbox = site.mailbox(USER);
    let mut seen = mailbox.unique_ids();
    for _ in 0..5 {
        mailbox.clear();
        let uid = mailbox.deliver(b"x\r\n");
        assert!(!seen.contains(&uid));
        seen.push(uid);
    }
}

#[test]
fn a_migration_changes_all_ids_or_keeps_them() {
    let site = with_messages(Profile::Ex2003, &three()).site().unwrap();
    let mailbox = site.mailbox(USER);
    let old = mailbox.unique_ids();
    // To 2007 SP2: ids stay, new mail gets decimals.
    mailbox.set_id_form(IdForm::Decimal);
    let new = mailbox.deliver(b"x\r\n");
    assert!(new.parse::<u64>().is_ok());
    assert_eq!(mailbox.unique_ids()[..3], old[..]);
    // Before SP2: all ids are new (KB956884); an open session keeps what it listed.
    let mut talk = Talk::on(&site).log_in();
    let listed = talk.ask("UIDL");
    let renumbered = mailbox.renumber_all_ids(IdForm::Decimal);
    assert!(renumbered.iter().all(|id| !old.contains(id)));
    assert_eq!(talk.ask("UIDL"), listed);
    assert!(
        Talk::on(&site)
            .log_in()
            .ask("UIDL")
            .contains(&renumbered[0])
    );
}

#[test]
fn sixteen_connections_are_enough_for_a_user() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut open: Vec<Talk> = (0..16).map(|_| Talk::on(&site).log_in()).collect();
    for talk in &mut open {
        assert!(talk.ask("STAT").starts_with("+OK"));
    }
    let mut late = Talk::on(&site);
    late.output();
    late.ask(&format!("USER {USER}"));
    assert!(
        late.ask(&format!("PASS {PASSWORD}"))
            .starts_with("-ERR Logon failure")
    );
    open.pop();
    late.ask(&format!("USER {USER}"));
    assert!(late.ask(&format!("PASS {PASSWORD}")).starts_with("+OK"));
}

#[test]
fn the_number_of_connections_is_a_knob() {
    let knobs = Knobs {
        max_connections_per_user: 1,
        ..plain()
    };
    let builder = with_messages(Profile::Ex2016, &three()).knobs(knobs);
    let site = builder.site().unwrap();
    let _first = Talk::on(&site).log_in();
    let mut second = Talk::on(&site).log_in();
    assert!(second.ask("STAT").starts_with("-ERR"));
}

#[test]
fn the_handle_shows_and_changes_a_running_mailbox() {
    let server = with_messages(Profile::Ex2016, &three()).start().unwrap();
    let mailbox = server.mailbox(USER);
    assert_eq!(mailbox.name(), USER);
    assert_eq!(mailbox.messages(), three());
    mailbox.deliver_with_uid(b"my id", b"mine");
    assert_eq!(mailbox.wire_form_of("my id").unwrap(), b"mine\r\n");
    let mut client = Client::logged_in(&server);
    assert_eq!(client.message("RETR 4"), b"mine\r\n");
    assert!(mailbox.is_retrieved("my id"));
    assert!(!mailbox.is_retrieved(&mailbox.unique_ids()[0]));
    assert!(mailbox.set_listed_size("my id", 7));
    assert!(mailbox.change_uid("my id", "yours"));
    drop(client);
    let mut client = Client::logged_in(&server);
    assert_eq!(client.list("LIST")[3], "4 7");
    assert_eq!(client.list("UIDL")[3], "4 yours");
}
