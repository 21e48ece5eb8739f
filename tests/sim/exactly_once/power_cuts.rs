//! The power goes at each change of the disk, and each kind of file system loses what it may lose of
//! what was not synced (see [`support::power`]). The next run completes what is left.
//!
//! `POPSYNC_EXHAUSTIVE=1 .ci/test` tries each loss at each change; otherwise a sample is tried.
//! `--no-capture` shows their number.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use support::bench::{Bench, By, Into, Run, Setup, Store, USER, letter, letters};
use support::power::{Disk, Journal, Loss};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

/// The disk and the mailbox of a client.
struct Client {
    bench: Bench,
    /// All messages that there ever were, by unique-id.
    messages: HashMap<String, Vec<u8>>,
    /// True if another account stores the same mailbox, behind the first one, and it is the other one
    /// that deletes.
    is_fleet: bool,
}

/// The second account. Accounts take their turns in this order.
const OTHER: &str = "younger";

impl Client {
    fn new(into: Into, messages: &[Vec<u8>]) -> Self {
        let bench = Setup::with([]).by(By::Plain).into(into).start();
        let mut client = Self {
            bench,
            messages: HashMap::new(),
            is_fleet: false,
        };
        client.deliver(messages);
        client
    }

    fn fleet(messages: &[Vec<u8>]) -> Self {
        let mut client = Self::new(Into::Maildir, messages);
        client.is_fleet = true;
        // The configuration is on the disk.
        drop(client.run());
        client
    }

    /// One that retrieves all messages and deletes them, ready to run.
    fn run(&self) -> Run<'_> {
        if !self.is_fleet {
            return self.bench.fetch(&DELETES);
        }
        let other = format!(
            "[accounts.{OTHER}]\nserver = {:?}\nuser = {USER:?}\nmaildir = {:?}\n\
             password-file = {:?}\ntls = \"off\"\nleave-on-server = false\n",
            self.bench.url(),
            self.bench.path(OTHER),
            self.bench.path("password")
        );
        let keys = format!("leave-on-server = true\n{other}");
        self.bench.sync(&keys, &["--jobs", "1"])
    }

    fn deliver(&mut self, messages: &[Vec<u8>]) {
        for message in messages {
            let unique_id = self.bench.deliver(message);
            self.messages.insert(unique_id, message.clone());
        }
    }

    fn journal(&self) -> Journal {
        Journal::begin(&self.bench.path(""), &self.bench.mailbox())
    }

    /// A whole run.
    fn records(&self, journal: &mut Journal) {
        let ended = self.run().recorded(journal);
        assert_eq!(ended.status, Some(0), "{}", ended.text());
        assert_eq!(self.differs(journal), None, "the journal is wrong");
    }

    /// One that is killed at this step. What it has written and not synced is still in memory when
    /// the next one begins.
    fn records_to(&self, step: &str, journal: &mut Journal) {
        let mut run = self.bench.fetch(&DELETES).env("POPSYNC_STOP_AT", step);
        run.command.args(["--max-messages", "2"]);
        assert!(run.recorded(journal).was_killed(), "{step}");
    }

    /// One that is killed before a sync, behind so many changes. False if not all that it did is
    /// recorded: a call that has ended may not have been seen when the kill came.
    fn records_to_sync(&self, behind: usize, journal: &mut Journal) -> bool {
        journal.kill_before_sync_behind(behind);
        let ended = self.bench.fetch(&DELETES).recorded(journal);
        assert!(ended.was_killed(), "{behind}: {}", ended.text());
        self.differs(journal).is_none()
    }

    /// The first file that is not as the journal has it.
    fn differs(&self, journal: &Journal) -> Option<std::path::PathBuf> {
        let disk = journal.cut(journal.len(), Loss::Nothing, 0);
        disk.differs_from(&self.bench.path(""))
    }

    /// The machine is on again, with this disk, and the server has these messages.
    fn wakes(&self, disk: &Disk, on_server: &[String]) {
        disk.write_to(&self.bench.path(""));
        let mailbox = self.bench.mailbox();
        mailbox.clear();
        for unique_id in on_server {
            mailbox.deliver_with_uid(unique_id, self.messages[unique_id].as_slice());
        }
        self.bench.store.look_anew();
    }

    fn completes(&self) {
        self.run().gives(0);
        self.bench.assert_exactly_once();
        if self.is_fleet {
            let other = Store::at(self.bench.path(OTHER));
            let held = self.bench.held();
            assert!(held.iter().all(|message| other.holds(message)));
            assert_eq!((other.len(), other.tmp()), (held.len(), vec![]));
        }
        assert!(self.bench.mailbox().is_empty(), "messages are left");
    }
}

/// What runs, and what the journal holds of it.
type Runs = fn() -> (Client, Journal);

/// Tries one cut in `nth`, or all of them.
#[expect(clippy::print_stderr, reason = "how many points there are is a result")]
fn at_every_change(runs: Runs, nth: usize) {
    let seed = support::seed();
    let tried: Vec<usize> = thread::scope(|scope| {
        let halves = (0..2).map(|half| scope.spawn(move || one_half(runs, nth, half, seed)));
        let halves: Vec<_> = halves.collect();
        halves
            .into_iter()
            .map(|half| half.join().unwrap())
            .collect()
    });
    eprintln!("{} cuts tried", tried.iter().sum::<usize>());
}

fn one_half(runs: Runs, nth: usize, half: usize, seed: u64) -> usize {
    let (client, journal) = runs();
    assert!(
        journal.len() > 20,
        "only {} changes were seen",
        journal.len()
    );
    each_cut(
        &client,
        &journal,
        (half..=journal.len()).step_by(2),
        nth,
        seed,
    )
}

/// Tries one in `nth` of the cuts at these changes.
fn each_cut(
    client: &Client,
    journal: &Journal,
    changes: impl Iterator<Item = usize>,
    nth: usize,
    seed: u64,
) -> usize {
    let cuts = changes.flat_map(|at| Loss::ALL.map(|loss| (at, loss)));
    let cuts: Vec<_> = support::sample(cuts, nth).collect();
    for &(at, loss) in &cuts {
        let disk = journal.cut(at, loss, seed);
        let on_server = journal.on_server(at);
        client.wakes(&disk, on_server);
        let names = disk.names();
        let about = format!(
            "{loss:?} behind {at} of {} changes, {on_server:?} on the server, {names:#?}",
            journal.len()
        );
        let done = catch_unwind(AssertUnwindSafe(|| client.completes()));
        assert!(done.is_ok(), "{about}");
    }
    cuts.len()
}

/// Tries one cut in `nth`, or all of them, and another one somewhere in the run that completes what
/// the first has left.
#[expect(clippy::print_stderr, reason = "how many points there are is a result")]
fn twice_at_any_change(runs: Runs, nth: usize) {
    let seed = support::seed();
    let (client, journal) = runs();
    let cuts = (0..=journal.len()).flat_map(|at| Loss::ALL.map(|loss| (at, loss)));
    let cuts: Vec<_> = support::sample(cuts, nth).collect();
    for (number, &(at, loss)) in cuts.iter().enumerate() {
        client.wakes(&journal.cut(at, loss, seed), journal.on_server(at));
        let mut second = client.journal();
        client.records(&mut second);
        // Any number that has nothing to do with the first one.
        let again = (seed as usize).wrapping_add(number * 7919) % (second.len() + 1);
        let and_loss = Loss::ALL[number % Loss::ALL.len()];
        let disk = second.cut(again, and_loss, seed);
        client.wakes(&disk, second.on_server(again));
        let about = format!(
            "{loss:?} behind {at} of {} changes, {and_loss:?} behind {again} of {}, {:#?}",
            journal.len(),
            second.len(),
            disk.names()
        );
        let done = catch_unwind(AssertUnwindSafe(|| client.completes()));
        assert!(done.is_ok(), "{about}");
    }
    eprintln!("{} pairs of cuts tried", cuts.len());
}

#[test]
fn a_cut_in_the_first_sync_into_a_maildir_loses_and_repeats_nothing() {
    at_every_change(|| first(Into::Maildir), 40);
}

#[test]
fn a_cut_in_the_first_sync_into_an_mbox_loses_and_repeats_nothing() {
    at_every_change(|| first(Into::Mbox), 40);
}

fn first(into: Into) -> (Client, Journal) {
    let client = Client::new(into, &letters(2));
    let mut journal = client.journal();
    client.records(&mut journal);
    (client, journal)
}

/// Their state stays open, and most of what they record waits for no sync of its own.
#[test]
fn a_cut_in_the_first_sync_of_two_accounts_loses_and_repeats_nothing() {
    at_every_change(|| first_of_fleet(2), 60);
}

/// Enough messages for a sync of the whole file system, which also covers the way to the store.
#[test]
fn a_cut_in_the_first_sync_of_two_accounts_with_many_messages_loses_and_repeats_nothing() {
    at_every_change(|| first_of_fleet(17), 120);
}

fn first_of_fleet(messages: usize) -> (Client, Journal) {
    let client = Client::fleet(&letters(messages));
    let mut journal = client.journal();
    client.records(&mut journal);
    (client, journal)
}

#[test]
fn a_cut_in_a_later_sync_into_a_maildir_loses_and_repeats_nothing() {
    at_every_change(|| later(Into::Maildir), 40);
}

#[test]
fn a_cut_in_a_later_sync_into_an_mbox_loses_and_repeats_nothing() {
    at_every_change(|| later(Into::Mbox), 40);
}

/// Enough messages for a sync of the whole file system, and one of many blocks.
fn later(into: Into) -> (Client, Journal) {
    let mut client = Client::new(into, &letters(2));
    client.completes();
    let long = [letter(3), b"A line of many.\r\n".repeat(20_000)].concat();
    client.deliver(&[long]);
    let more: Vec<_> = (4..=20).map(letter).collect();
    client.deliver(&more);
    let mut journal = client.journal();
    client.records(&mut journal);
    (client, journal)
}

#[test]
fn a_cut_behind_a_kill_loses_and_repeats_nothing_in_a_maildir() {
    at_every_change(|| killed(Into::Maildir), 100);
}

#[test]
fn a_cut_behind_a_kill_loses_and_repeats_nothing_in_an_mbox() {
    at_every_change(|| killed(Into::Mbox), 100);
}

/// A run is killed at each step, one after the other, and the last one completes everything.
fn killed(into: Into) -> (Client, Journal) {
    let client = Client::new(into, &letters(12));
    let mut journal = client.journal();
    for step in ["3", "1", "4", "2", "5"] {
        client.records_to(step, &mut journal);
    }
    client.records(&mut journal);
    (client, journal)
}

#[test]
fn a_second_cut_in_the_run_that_completes_the_first_loses_and_repeats_nothing() {
    for into in [Into::Maildir, Into::Mbox] {
        let runs: Runs = match into {
            Into::Maildir => || killed(Into::Maildir),
            Into::Mbox => || killed(Into::Mbox),
        };
        twice_at_any_change(runs, 200);
    }
}

#[test]
fn a_cut_behind_a_kill_before_a_sync_loses_and_repeats_nothing_in_a_maildir() {
    killed_before_a_sync(Into::Maildir);
}

#[test]
fn a_cut_behind_a_kill_before_a_sync_loses_and_repeats_nothing_in_an_mbox() {
    killed_before_a_sync(Into::Mbox);
}

/// What the killed run has written can be read by the next one, and is lost in a cut unless that
/// one syncs it before it acts upon it: above all SQLite's log.
#[expect(clippy::print_stderr, reason = "how many points there are is a result")]
fn killed_before_a_sync(into: Into) {
    let seed = support::seed();
    let (_, whole) = first(into);
    let (of_log, others) = whole.syncs(LOG);
    assert!(of_log.len() > 2, "the log is synced {} times", of_log.len());
    let syncs = support::sample(of_log, 2).chain(support::sample(others, 12));
    let syncs: Vec<usize> = syncs.collect();
    let next = AtomicUsize::new(0);
    let tried = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(&sync) = syncs.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let client = Client::new(into, &letters(2));
                    let mut journal = client.journal();
                    if client.records_to_sync(sync, &mut journal) {
                        let changes = journal.len()..;
                        client.records(&mut journal);
                        let changes = changes.take_while(|&at| at <= journal.len());
                        let cuts = each_cut(&client, &journal, changes, 60, seed);
                        tried.fetch_add(cuts, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    eprintln!("{} kills, {} cuts tried", syncs.len(), tried.into_inner());
}

const LOG: &str = "popsync.sqlite3-wal";
