//! The messages that leave the server, and the time.

use crate::home::{Home, assert_holds};
use support::dovecot::Dovecot;
use support::mail::{nasty, ordinary};

#[test]
fn profile_2016_empties_the_server_once_all_is_stored() {
    let server = Dovecot::start();
    let mails = [ordinary(60, 1), nasty()].concat();
    server.deliver_all("anna", &mails);
    let home = Home::new();
    home.fetch(&server, &["--profile", "outlook-2016"])
        .silently();
    assert_eq!(server.messages("anna"), 0);
    assert_holds(&home.maildir(), &mails);
    // Nothing is deleted before all that is retrieved was.
    let commands = server.commands();
    let last = |keyword| commands.iter().rposition(|line| line.starts_with(keyword));
    let first = |keyword| commands.iter().position(|line| line.starts_with(keyword));
    assert!(last("RETR") < first("DELE"), "{commands:?}");
    assert_eq!(last("QUIT"), Some(commands.len() - 1));
}

#[test]
fn profile_2019_leaves_everything_on_the_server() {
    let server = Dovecot::start();
    let mails = ordinary(20, 2);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    for _ in 0..2 {
        home.fetch(&server, &["--profile", "outlook-2019"])
            .silently();
    }
    assert_eq!(server.messages("anna"), 20);
    assert_eq!(server.count("DELE"), 0);
    assert_holds(&home.maildir(), &mails);
}

#[test]
fn leave_on_server_outranks_the_profile() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(5, 3));
    let home = Home::new();
    let keep = ["--profile", "outlook-2016", "--leave-on-server", "true"];
    home.fetch(&server, &keep).silently();
    assert_eq!(server.messages("anna"), 5);
    let delete = ["--profile", "outlook-2019", "--leave-on-server", "false"];
    server.forget();
    home.fetch(&server, &delete).silently();
    assert_eq!(server.messages("anna"), 0);
    assert_eq!((server.count("RETR"), server.count("DELE")), (0, 5));
}

#[test]
fn remove_after_days_deletes_what_was_stored_long_enough_ago_and_nothing_else() {
    let server = Dovecot::start();
    let mails = ordinary(6, 4);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let settings = ["--remove-after-days", "14"];
    home.fetch(&server, &settings).silently();
    assert_eq!(server.messages("anna"), 6);

    // Two messages were stored 15 days ago, one almost 14.
    let database = home.database();
    for (days, hours, id) in [(15, 0, 1), (15, 0, 4), (13, 23, 5)] {
        let seconds: i64 = (days * 24 + hours) * 60 * 60;
        let changed = database
            .execute(
                "UPDATE messages SET stored_at = stored_at - ?1 WHERE id = ?2",
                (seconds, id),
            )
            .unwrap();
        assert_eq!(changed, 1);
    }
    drop(database);
    server.forget();
    home.fetch(&server, &settings).silently();
    assert_eq!((server.count("RETR"), server.count("DELE")), (0, 2));
    assert_eq!(server.messages("anna"), 4);
    assert_holds(&home.maildir(), &mails);

    server.forget();
    home.fetch(&server, &settings).silently();
    assert_eq!((server.count("RETR"), server.count("DELE")), (0, 0));
    assert_eq!(server.messages("anna"), 4);
}

#[test]
fn what_others_delete_on_the_server_stays_here() {
    let server = Dovecot::start();
    let mails = ordinary(8, 5);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    home.fetch(&server, &[]).silently();
    server.delete_first("anna");
    home.fetch(&server, &[]).silently();
    assert_holds(&home.maildir(), &mails);
}
