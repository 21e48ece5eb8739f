//! Lives: random histories of a mailbox and its copy, checked by an oracle that does not use the
//! program's own code.
//!
//! A seed makes one life: a kind of server and of store, and 5 to 15 events such as mail that
//! arrives, syncs, people who delete and file, backups that are restored, servers that break.
//! After each run nothing may be lost, stored twice or left out; `oracle.rs` defines this. A life
//! that fails is shortened and printed.
//!
//! `cargo test --test lives` lives 1,000 of them. More, or one again:
//!
//! ```text
//! POPSYNC_LIVES=20000 cargo test --test lives
//! POPSYNC_LIVES=1 POPSYNC_LIVES_SEED=4711 cargo test --test lives
//! ```
//!
//! `POPSYNC_LIVES_SHOWN` is how many failures of each kind are shortened and told, 2 by default.
//! `POPSYNC_LIVES_WITHOUT=Cuts,Breaks` leaves out events with these words in them, so that failures
//! behind a known one come to light.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

mod event;
mod judgement;
mod knowledge;
mod life;
mod mail;
mod oracle;
mod program;
mod server;
mod shrink;
mod store;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use tokio::runtime::Builder;

use event::Event;
use judgement::{Kind, Violation};
use shrink::{Failure, Place, live, shrink};

/// A number from the environment.
fn number(variable: &str, otherwise: u64) -> u64 {
    let set = env::var(variable).ok();
    set.map_or(otherwise, |number| number.parse().unwrap())
}

/// True if an event has one of these words in it.
fn is_left_out(event: &str, words: &str) -> bool {
    let mut words = words.split(',').filter(|word| !word.is_empty());
    words.any(|word| event.contains(word))
}

/// The lives with one kind of failure.
#[derive(Default)]
struct Failures {
    seeds: Vec<u64>,
    /// The shortened ones.
    told: Vec<String>,
}

/// The lives to run, and their results so far.
struct Lives {
    first: u64,
    count: u64,
    shown: usize,
    without: String,
    next: AtomicU64,
    failures: Mutex<BTreeMap<Kind, Failures>>,
}

impl Lives {
    /// One thread's share of the lives.
    fn live(&self, slot: usize) {
        let runtime = &Builder::new_current_thread().enable_all().build().unwrap();
        let place = Place { runtime, slot };
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.first + self.count {
                return;
            }
            let (birth, mut events) = event::life(seed);
            events.retain(|event| !is_left_out(&format!("{event:?}"), &self.without));
            let Some(failure) = live(birth, &events, &place) else {
                continue;
            };
            let kind = failure.violation.kind;
            let is_told = {
                let mut failures = self.failures.lock().unwrap();
                let failures = failures.entry(kind).or_default();
                failures.seeds.push(seed);
                failures.seeds.len() <= self.shown
            };
            if is_told {
                let (events, failure) = shrink(birth, events, failure, &place);
                let told = told(seed, &events, &failure);
                let mut failures = self.failures.lock().unwrap();
                failures.entry(kind).or_default().told.push(told);
            }
        }
    }
}

/// A failure in words.
fn told(seed: u64, events: &[Event], failure: &Failure) -> String {
    let Violation { kind, words } = &failure.violation;
    let mut told = format!("seed {seed}: {kind:?}: {words}\n");
    for line in &failure.story {
        let _ = writeln!(told, "    {line}");
    }
    let _ = writeln!(told, "    {events:?}");
    told
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "how many lives, and how long, is the result"
)]
fn no_life_loses_doubles_or_leaves_out_a_message() {
    let lives = Lives {
        first: number("POPSYNC_LIVES_SEED", 1),
        count: number("POPSYNC_LIVES", 1000),
        shown: number("POPSYNC_LIVES_SHOWN", 2) as usize,
        without: env::var("POPSYNC_LIVES_WITHOUT").unwrap_or_default(),
        next: AtomicU64::new(number("POPSYNC_LIVES_SEED", 1)),
        failures: Mutex::default(),
    };
    let (first, count, began) = (lives.first, lives.count, Instant::now());
    // Some lives wait for a server that stalls, and leave their processor to others.
    let threads = thread::available_parallelism().map_or(2, |count| 2 * count.get());
    thread::scope(|scope| {
        for slot in 0..threads.min(program::SLOTS) {
            let lives = &lives;
            scope.spawn(move || lives.live(slot));
        }
    });
    let failures = lives.failures.into_inner().unwrap();
    let failed: usize = failures.values().map(|failures| failures.seeds.len()).sum();
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("{count} lives from seed {first}, {failed} failed, {seconds:.1} s");
    let mut report = String::new();
    for (kind, Failures { seeds, told }) in &failures {
        let _ = writeln!(report, "{kind:?}: {} lives, seeds {seeds:?}\n", seeds.len());
        let _ = writeln!(report, "{}", told.join("\n"));
    }
    assert!(
        failures.is_empty(),
        "{failed} of {count} lives failed\n\n{report}"
    );
}
