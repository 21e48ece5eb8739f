//! SIGKILL at random instants.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use exchange_sim::{Knobs, UpdateFail};

use support::bench::{Bench, Digest, Into, Process, Setup, digest, stored_form};

/// The number in the exhaustive form; otherwise a third of them.
const KILLS: usize = 100;

/// The number of messages in a full mailbox.
const FULL: usize = 1000;

/// A generator after Vigna's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }
}

/// The time of the kill.
#[derive(Debug)]
enum Instant {
    /// When the server has sent this many octets.
    Octets(u64),
    /// When the server has read this many commands.
    Commands(u64),
    /// This long after the last message was sent: while batches are made durable and recorded.
    Sent { messages: u64, after: Duration },
    /// This long after its start: while the state is opened and recovered.
    Started(Duration),
    /// At this step of the store's order, when it is reached for this time: in the middle of an
    /// append, which a kill by the clock seldom hits.
    Step(String),
}

/// A message that was delivered once, identified by its stored form.
struct Delivered {
    unique_id: String,
    stored: Digest,
    octets: u64,
}

struct World {
    bench: Bench,
    random: Random,
    ever: Vec<Delivered>,
    delivered: usize,
    /// Messages seen in the store; none of them may ever be missing.
    safe: HashSet<Digest>,
}

impl World {
    fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            self.delivered += 1;
            let words = match self.random.below(40) {
                0 => self.random.below(4000),
                _ => self.random.below(60),
            };
            let line = format!("{:x} some words of a letter\r\n", self.random.next());
            let message = format!(
                "From: sender@example.com\r\nSubject: message {}\r\n\r\n{}",
                self.delivered,
                line.repeat(words as usize / 4 + 1)
            );
            let unique_id = self.bench.deliver(message.as_bytes());
            self.ever.push(Delivered {
                unique_id,
                stored: digest(&stored_form(message.as_bytes())),
                octets: message.len() as u64,
            });
        }
    }

    /// The messages in the store. At the end of an mbox there may be a part of one, which the
    /// next run cuts off.
    fn stored(&self, when: &str) -> Vec<(PathBuf, Digest)> {
        let store = &self.bench.store;
        if store.spool.is_none() {
            return store.files().into_iter().collect();
        }
        let (mut messages, part) = store.messages_and_part_of_mbox();
        let known: HashSet<Digest> = self.ever.iter().map(|message| message.stored).collect();
        // A part that ends at a blank line looks like a message.
        let part = match messages.last() {
            Some(last) if part.is_none() && !known.contains(&digest(last)) => messages.pop(),
            _ => part,
        };
        if let Some(part) = part {
            let held = self.bench.held();
            assert!(
                held.iter().any(|message| message.starts_with(&part)),
                "{when}: the mbox ends in what is no part of a message"
            );
        }
        let numbered = messages.iter().enumerate();
        numbered
            .map(|(number, message)| (store.root.join(number.to_string()), digest(message)))
            .collect()
    }

    /// Nothing is lost, nothing is stored twice, and all messages gone from the server are stored.
    fn check(&mut self, when: &str) {
        let mut stored = HashSet::new();
        for (path, digest) in self.stored(when) {
            assert!(
                stored.insert(digest),
                "{when}: {} is there twice",
                path.display()
            );
        }
        let listed: HashSet<String> = self.bench.mailbox().unique_ids().into_iter().collect();
        let mut known = HashSet::new();
        for message in &self.ever {
            known.insert(message.stored);
            assert!(
                listed.contains(&message.unique_id) || stored.contains(&message.stored),
                "{when}: message {} is neither on the server nor stored",
                message.unique_id
            );
        }
        assert!(
            stored.is_subset(&known),
            "{when}: a part of a message is stored"
        );
        assert!(
            self.safe.is_subset(&stored),
            "{when}: a stored message is gone"
        );
        self.safe = stored;
    }

    /// The messages and octets that a run has to retrieve.
    fn to_retrieve(&self) -> (u64, u64) {
        let left = self
            .ever
            .iter()
            .filter(|message| !self.safe.contains(&message.stored));
        left.fold((0, 0), |(count, octets), message| {
            (count + 1, octets + message.octets + 8)
        })
    }

    fn instant(&mut self) -> Instant {
        let (messages, octets) = self.to_retrieve();
        let listed = self.bench.mailbox().len() as u64;
        match self.random.below(12) {
            0..=2 => Instant::Octets(self.random.below(500 + listed * 40 + octets)),
            3..=5 => Instant::Commands(1 + self.random.below(8 + messages + listed)),
            6..=7 => {
                let step = 1 + self.random.below(5);
                // One for each message, or piece of an mbox; the others are one for each batch.
                let times = if step == 4 { 1 + messages / 4 } else { 2 };
                Instant::Step(format!("{step}:{}", 1 + self.random.below(times)))
            }
            8..=9 => Instant::Sent {
                messages,
                after: Duration::from_micros(self.random.below(12_000)),
            },
            _ => Instant::Started(Duration::from_micros(self.random.below(40_000))),
        }
    }

    /// Runs the program and kills it. Returns true if it was connected to the server then.
    fn run_and_kill(&mut self, instant: &Instant) -> bool {
        let at_work = Arc::new(AtomicBool::new(false));
        let seen_at_work = Arc::clone(&at_work);
        let armed = Arc::new(AtomicBool::new(true));
        let (at_command, at_progress) = (Arc::clone(&armed), armed);
        let (on_octets, on_commands) = match *instant {
            Instant::Octets(octets) => (octets, u64::MAX),
            Instant::Commands(commands) => (u64::MAX, commands),
            Instant::Sent { .. } | Instant::Started(_) | Instant::Step(_) => (u64::MAX, u64::MAX),
        };
        let (last, after) = match *instant {
            Instant::Sent { messages, after } => (messages, after),
            _ => (u64::MAX, Duration::ZERO),
        };
        let (mut commands, mut retrieved) = (0, 0);
        self.bench.on_command(move |seen, process| {
            seen_at_work.store(true, Ordering::SeqCst);
            commands += 1;
            if commands >= on_commands && at_command.swap(false, Ordering::SeqCst) {
                process.kill();
            }
            retrieved += u64::from(seen.verb == "RETR");
            if retrieved == last && at_command.swap(false, Ordering::SeqCst) {
                let process = process.clone();
                thread::spawn(move || kill_later(&process, after));
            }
        });
        self.bench.on_progress(move |progress, process| {
            if progress.session_octets >= on_octets && at_progress.swap(false, Ordering::SeqCst) {
                process.kill();
            }
        });
        let connections = ["1", "4"][self.random.below(2) as usize];
        let arguments = ["--profile", "outlook-2016", "--connections", connections];
        let mut run = self.bench.fetch(&arguments);
        if let Instant::Step(step) = instant {
            run = run.env("POPSYNC_STOP_AT", step);
        }
        let run = run.start();
        if let Instant::Started(after) = *instant {
            kill_later(&run.process, after);
        }
        let ended = run.end();
        self.bench.settle();
        self.bench.no_hooks();
        assert!(
            // 1: not all deleted messages are gone.
            ended.was_killed() || matches!(ended.status, Some(0 | 1)),
            "{}",
            ended.text()
        );
        ended.was_killed() && at_work.load(Ordering::SeqCst)
    }
}

/// The pause is no synchronisation: any length is right.
fn kill_later(process: &Process, after: Duration) {
    thread::sleep(after);
    process.kill();
}

#[test]
fn a_hundred_kills_at_random_instants_lose_nothing_and_store_nothing_twice() {
    a_hundred_kills(Into::Maildir);
}

#[test]
fn a_hundred_kills_leave_an_mbox_with_every_message_once() {
    a_hundred_kills(Into::Mbox);
}

fn a_hundred_kills(into: Into) {
    let mut world = World {
        bench: Setup::with([]).into(into).start(),
        random: Random(support::seed()),
        ever: Vec::new(),
        delivered: 0,
        safe: HashSet::new(),
    };
    world.deliver(FULL);
    let wanted = if support::exhaustive() {
        KILLS
    } else {
        KILLS / 3
    };
    let (mut kills, mut runs) = (0, 0);
    while kills < wanted {
        runs += 1;
        assert!(
            runs < 3 * wanted,
            "most runs ended before they could be killed"
        );
        let (left, mailbox) = (world.to_retrieve().0, world.bench.mailbox());
        if left < FULL as u64 / 4 && mailbox.len() < 2 * FULL {
            let more = FULL as u64 / 4 + world.random.below(FULL as u64 / 2);
            world.deliver(more as usize);
        }
        // A mail program is at work too.
        if into == Into::Mbox {
            if world.random.below(4) == 0 && world.bench.store.root.exists() {
                let every = 2 + world.random.below(200) as usize;
                world.bench.store.mark_read(every);
            }
        } else if let Some(name) = world.bench.store.names("new").first() {
            match world.random.below(3) {
                0 => world.bench.store.read(name),
                1 => world.bench.store.archive(name),
                _ => {}
            }
        }
        world.bench.knobs(Knobs {
            pipelining: world.random.below(2) == 0,
            chunk: Some(500 + world.random.below(16_000) as usize),
            update_fail: match world.random.below(4) {
                0 => UpdateFail::EveryOther,
                _ => UpdateFail::None,
            },
            ..Knobs::default()
        });
        let instant = world.instant();
        kills += usize::from(world.run_and_kill(&instant));
        world.check(&format!("run {runs}, {instant:?}"));
    }
    world.bench.knobs(Knobs::default());
    world.bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    world.bench.store.look_anew();
    world.bench.assert_exactly_once();
    assert!(
        world.bench.mailbox().is_empty(),
        "messages are left on the server"
    );
}
