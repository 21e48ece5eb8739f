//! The same for an mbox, which is recognised by its content.

use std::fs;

use support::bench::{Bench, Into, Setup, letter, letters};

const FOLLOW: [&str; 1] = ["--remove-when-deleted-locally"];
const KEYS: &str = "remove-when-deleted-locally = true";

/// A server with this many letters, all of them in an mbox, without any output.
fn fetched(count: usize) -> Bench {
    let bench = Setup::with(letters(count)).into(Into::Mbox).start();
    assert_eq!(bench.fetch(&FOLLOW).gives(0).err, "");
    bench.sim.clear_log();
    bench
}

/// A person deletes this message with a program that writes the file anew.
fn delete(bench: &Bench, number: usize) {
    let text = fs::read_to_string(&bench.store.root).unwrap();
    let mut messages: Vec<&str> = text.split_inclusive("\n\nFrom ").collect();
    // The next one's `From ` stands at the end of each.
    messages.remove(number);
    let mut left = messages.concat();
    if number == messages.len() {
        left.truncate(left.len() - "From ".len());
    }
    rewrite(bench, left.as_bytes());
}

fn rewrite(bench: &Bench, content: &[u8]) {
    let file = fs::File::create(&bench.store.root).unwrap();
    std::io::Write::write_all(&mut &file, content).unwrap();
}

#[test]
fn what_is_deleted_from_an_mbox_is_deleted_there_as_a_rehearsal_and_the_list_say() {
    let bench = fetched(4);
    delete(&bench, 2);
    let rehearsed = bench
        .fetch(&["--remove-when-deleted-locally", "--dry-run", "-v"])
        .gives(0);
    for words in ["(stored, and deleted from the store since)", "1 to delete"] {
        assert!(rehearsed.out.contains(words), "{}", rehearsed.text());
    }
    assert_eq!(bench.mailbox().len(), 4);
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
    assert_eq!(bench.mailbox().len(), 3);
}

/// A restored file looks just the same: nobody has deleted the messages missing at its end, and no
/// policy deletes them on the server.
#[test]
fn what_is_missing_at_the_very_end_of_an_mbox_stays_on_the_server() {
    for missing in 1..4 {
        let bench = fetched(4);
        for number in (4 - missing..4).rev() {
            delete(&bench, number);
        }
        let rehearsed = bench
            .fetch(&["--remove-when-deleted-locally", "--dry-run"])
            .gives(0);
        let words = "0 to retrieve (0 B), 0 to delete";
        assert!(rehearsed.out.contains(words), "{}", rehearsed.text());
        for settings in [&FOLLOW[..], &FOLLOW] {
            bench.fetch(settings).gives(0);
        }
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
        assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
        assert_eq!(bench.mailbox().len(), 4);
        // The messages in the store are deleted on the server if nothing is to be left there.
        bench
            .fetch(&["--leave-on-server", "false", "--allow-mass-delete"])
            .gives(0);
        assert_eq!(bench.mailbox().len(), missing);
    }
}

#[test]
fn the_list_says_what_the_next_sync_removes_for_being_deleted_here() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = Setup::with(letters(4)).into(into).start();
        bench.sync(KEYS, &[]).gives(0);
        if into == Into::Mbox {
            delete(&bench, 1);
        } else {
            let gone = bench.store.names("new")[1].clone();
            fs::remove_file(bench.store.root.join("new").join(gone)).unwrap();
        }
        let listed = bench.configured("list", KEYS, &["work"]).gives(0);
        assert_eq!(
            listed.out.matches("to be removed").count(),
            1,
            "{}",
            listed.text()
        );
        let listed = bench.configured("list", "", &["work"]).gives(0);
        assert!(!listed.out.contains("to be removed"), "{}", listed.text());
    }
}

/// A disk, a quota or a crash of another program has removed its end: nobody deleted these
/// messages, even after new mail follows the cut.
#[test]
fn what_an_mbox_lacks_that_lost_its_end_stays_on_the_server() {
    for cut in 1..4 {
        let bench = fetched(6);
        let content = fs::read(&bench.store.root).unwrap();
        rewrite(&bench, &content[..content.len() * cut / 4 + 7]);
        bench
            .fetch(&FOLLOW)
            .gives(0)
            .says("ends in the middle of a message");
        // Once is enough.
        assert_eq!(bench.fetch(&FOLLOW).gives(0).err, "");
        bench.deliver(&letter(7));
        for settings in [
            &FOLLOW[..],
            &FOLLOW,
            &["--remove-when-deleted-locally", "--allow-mass-delete"],
        ] {
            assert_eq!(bench.fetch(settings).gives(0).err, "");
        }
        assert_eq!(bench.mailbox().len(), 7);
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    }
}
