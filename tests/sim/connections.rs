//! Several connections to one mailbox: `connections = 4`, for servers that do not lock it (`XPOP3:N3`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exchange_sim::{Act, At, CloseHow, Cut, CutAt, Knobs, Numbers, Seen};
use support::bench::{Bench, Ended, Into, Setup, letters};

const FOUR: &str = "connections = 4";

/// The sessions that have asked for messages, and those that have deleted.
#[derive(Default)]
struct Asked {
    by: Mutex<Sessions>,
    changed: Condvar,
}

#[derive(Default)]
struct Sessions {
    retr: BTreeMap<u64, u32>,
    dele: BTreeSet<u64>,
    quit: BTreeSet<u64>,
    has_waited: bool,
}

impl Asked {
    fn by(&self) -> MutexGuard<'_, Sessions> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Session 1 asks for its second message only when another session has asked for one, or has left:
    /// so it does not depend on the machine whether they share the messages.
    fn note(&self, seen: &Seen) {
        let mut by = self.by();
        match seen.verb.as_str() {
            "RETR" => *by.retr.entry(seen.session).or_default() += 1,
            "DELE" => {
                by.dele.insert(seen.session);
            }
            "QUIT" => {
                by.quit.insert(seen.session);
            }
            _ => return,
        }
        self.changed.notify_all();
        let is_alone =
            |by: &mut Sessions| by.retr.len() < 2 && by.quit.is_empty() && !by.has_waited;
        if seen.session == 1 && by.retr.get(&1) > Some(&1) && is_alone(&mut by) {
            let bound = Duration::from_secs(20);
            let waited = self.changed.wait_timeout_while(by, bound, is_alone);
            let (mut by, _) = waited.unwrap_or_else(PoisonError::into_inner);
            // Once is enough.
            by.has_waited = true;
        }
    }

    fn retrieving(&self) -> usize {
        self.by().retr.len()
    }

    fn deleting(&self) -> Vec<u64> {
        self.by().dele.iter().copied().collect()
    }
}

fn watched(setup: Setup) -> (Bench, Arc<Asked>) {
    let asked = Arc::new(Asked::default());
    let watching = Arc::clone(&asked);
    let setup = setup.build(move |builder| builder.on_command(move |seen| watching.note(seen)));
    (setup.start(), asked)
}

/// The knobs of the first connection, and of all others.
fn first_and_others(bench: &Bench, first: Knobs, others: Knobs) {
    bench.knobs(others);
    bench.sim.queue_knobs([first]);
}

fn warns(ended: &Ended) {
    ended.says("the server takes no second connection to this mailbox: ");
}

#[test]
fn connections_share_the_messages() {
    for into in [Into::Maildir, Into::Mbox] {
        let (bench, asked) = watched(Setup::with(letters(100)).into(into));
        bench.sync(FOUR, &[]).gives(0);
        bench.assert_exactly_once();
        bench.assert_no_violations();
        assert!(asked.retrieving() > 1, "{into:?}");
        // Nothing is new now.
        bench.sync(FOUR, &[]).gives(0);
        bench.assert_exactly_once();
        bench.configured("verify", FOUR, &[]).gives(0);
    }
}

#[test]
fn one_connection_deletes_and_only_at_the_end() {
    let (bench, asked) = watched(Setup::with(letters(100)));
    bench
        .sync(&format!("{FOUR}\nleave-on-server = false"), &[])
        .gives(0);
    assert!(asked.retrieving() > 1);
    assert_eq!(asked.deleting(), [1]);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
    bench.assert_no_violations();
}

#[test]
fn numbers_may_differ_from_connection_to_connection() {
    for numbers in [Numbers::Gap, Numbers::Shuffled] {
        let (bench, asked) = watched(Setup::with(letters(100)));
        let others = Knobs {
            numbers,
            ..Knobs::default()
        };
        first_and_others(&bench, Knobs::default(), others);
        bench.sync(FOUR, &[]).gives(0);
        bench.assert_exactly_once();
        assert!(asked.retrieving() > 1, "{numbers:?}");
    }
}

#[test]
fn another_listing_on_the_second_connection_leaves_all_to_the_first() {
    for others in [
        Knobs {
            only_newest: Some(30),
            ..Knobs::default()
        },
        Knobs {
            only_oldest: Some(30),
            ..Knobs::default()
        },
        Knobs {
            uid_change: true,
            ..Knobs::default()
        },
        Knobs {
            uid_dup: true,
            ..Knobs::default()
        },
        Knobs {
            size_lie: Some("7".to_owned()),
            ..Knobs::default()
        },
        Knobs {
            numbers: Numbers::Huge,
            ..Knobs::default()
        },
    ] {
        let (bench, _) = watched(Setup::with(letters(100)));
        first_and_others(&bench, Knobs::default(), others.clone());
        let ended = bench.sync(FOUR, &[]).gives(0);
        bench.assert_exactly_once();
        if !others.uid_dup {
            warns(&ended);
            ended.says("it lists other messages there");
        }
    }
}

#[test]
fn a_mailbox_that_is_locked_is_retrieved_over_one_connection() {
    let in_use = Act::Instead(b"-ERR [IN-USE] the mailbox is locked\r\n".to_vec());
    let closes = Act::Close(CloseHow::Fin);
    for (at, act, words) in [
        ("PASS", in_use.clone(), "the mailbox is locked"),
        ("PASS", closes.clone(), "connection"),
        ("UIDL", in_use, "the mailbox is locked"),
        ("LIST", closes, "connection"),
    ] {
        let bench = Bench::with(letters(60));
        let others = Knobs::default().rule(At::verb(at), act);
        first_and_others(&bench, Knobs::default(), others);
        let ended = bench.sync(FOUR, &[]).gives(0);
        bench.assert_exactly_once();
        // It may be done before the server answers.
        if ended.err.contains("warning") {
            warns(&ended);
            ended.says(words);
        }
    }
}

#[test]
fn a_wrong_password_on_a_further_connection_is_no_wrong_password() {
    let bench = Bench::with(letters(60));
    let others = Knobs {
        max_connections_per_user: 1,
        ..Knobs::default()
    };
    first_and_others(&bench, others.clone(), others);
    bench.sync(FOUR, &[]).gives(0);
    bench.assert_exactly_once();
}

/// The time of the run does not depend on the silent connections.
#[test]
fn a_further_connection_that_stays_silent_is_not_waited_for() {
    for at in ["PASS", "UIDL", "LIST"] {
        let bench = Bench::with(letters(60));
        let others = Knobs {
            silent_at: Some(At::verb(at)),
            ..Knobs::default()
        };
        first_and_others(&bench, Knobs::default(), others);
        // The test would take as long as the time-out.
        bench
            .sync(&format!("{FOUR}\ntimeout = \"1h\""), &[])
            .gives(0);
        bench.assert_exactly_once();
    }
}

#[test]
fn a_connection_that_breaks_loses_nothing() {
    let cut = |octets| Knobs {
        cut: Some(Cut::reset(CutAt::MidRetr { number: 3, octets })),
        ..Knobs::default()
    };
    let closes = || Knobs::default().rule(At::verb_nth("RETR", 2), Act::Close(CloseHow::Fin));
    let refuses = || {
        let refusal = Act::Instead(b"-ERR not now\r\n".to_vec());
        Knobs::default().rule(At::verb_nth("RETR", 2), refusal)
    };
    for (first, others, exit) in [
        (Knobs::default(), closes(), 0),
        (closes(), Knobs::default(), 0),
        (closes(), closes(), 0),
        (Knobs::default(), cut(100), 0),
        (cut(100), Knobs::default(), 0),
        // It could not be retrieved this time.
        (Knobs::default(), refuses(), 1),
        (refuses(), Knobs::default(), 1),
    ] {
        let (bench, _) = watched(Setup::with(letters(100)));
        // The second session and those after it.
        bench.knobs(Knobs::default());
        bench
            .sim
            .queue_knobs([first, others.clone(), others.clone(), others]);
        bench.sync(FOUR, &[]).gives(exit);
        bench.sync(FOUR, &[]).gives(0);
        bench.assert_exactly_once();
        bench.configured("verify", FOUR, &[]).gives(0);
    }
}

/// Some servers take leave of the older session when another one logs in. No message is to blame for
/// it, and the run goes on alone.
#[test]
fn a_connection_that_is_taken_leave_of_does_not_end_the_run() {
    let word = b"-ERR Connection is closed. 21\r\n".to_vec();
    let leaves = || {
        let at = || At::verb_nth("RETR", 3);
        let knobs = Knobs::default().rule(at(), Act::Instead(word.clone()));
        knobs.rule(at(), Act::CloseAfter(CloseHow::Fin))
    };
    for keys in [FOUR.to_owned(), format!("{FOUR}\nleave-on-server = false")] {
        for (first, others) in [
            (leaves(), Knobs::default()),
            (Knobs::default(), leaves()),
            (leaves(), leaves()),
        ] {
            let (bench, asked) = watched(Setup::with(letters(100)));
            bench
                .sim
                .queue_knobs([first, others.clone(), others.clone(), others]);
            bench.sync(&keys, &[]).gives(0);
            bench.assert_exactly_once();
            assert!(asked.retrieving() > 1);
            assert_eq!(bench.mailbox().is_empty(), keys != FOUR);
        }
    }
}

/// A broken server ends a message at a dot, so that the rest of it comes as the answers to what is
/// asked next: no message of that connection may count as whole.
#[test]
fn messages_of_a_connection_that_is_out_of_step_are_not_deleted() {
    let cut_at_dot =
        b"From: a@example.com\r\nSubject: dot\r\n\r\nbefore\r\n.\r\n-ERR no such message\r\n"
            .to_vec();
    let mut messages = letters(100);
    messages[70] = cut_at_dot;
    let (bench, asked) = watched(Setup::with(messages.clone()));
    let broken = Knobs {
        no_stuffing: true,
        ..Knobs::default()
    };
    first_and_others(&bench, Knobs::default(), broken);
    let keys = format!("{FOUR}\nleave-on-server = false");
    bench.sync(&keys, &[]).end();
    assert!(asked.retrieving() > 1);
    bench.knobs(Knobs::default());
    for _ in 0..3 {
        bench.sync(&keys, &[]).end();
    }
    bench.assert_exactly_once();
}

/// A server may delete at QUIT what it has sent (RFC 2449 §6.7). The agent takes one message, and
/// ends the run.
#[test]
fn no_connection_says_quit_when_messages_are_not_safe() {
    let (bench, asked) = watched(Setup::with(letters(60)));
    let agent = "sh -c 'cat >/dev/null; kill -TERM $PPID'";
    bench
        .fetch_to_agent(agent, &["--connections", "4"])
        .gives(143);
    assert!(asked.retrieving() > 1);
    assert!(asked.by().quit.is_empty(), "{:?}", asked.by().quit);
}
