//! Work whose instructions can be counted: no clock, no socket, the same every time. It is
//! counted by `benches/instructions.sh`, which calls this program
//!
//! - `prepare FOLDER`, to write a cache, and then
//! - `WORK TIMES FOLDER`, to do one kind of work so many times. What never is done costs what
//!   it takes to get ready, which is not counted.

#![expect(clippy::unwrap_used, reason = "benchmarks fail by panicking")]

mod support;

use std::hint::black_box;
use std::path::Path;

use popsync::LineEndings;
use popsync::internals::account::{Limits, Retention};
use popsync::internals::cache::{Cache, LineEnds, Snapshot, Staged, Takes};
use popsync::internals::maildrop::{self, Maildrop};
use popsync::internals::policy::{self, Action, Circumstances, Evidence, Rules, StoreState};
use popsync::internals::store::{Maildir, Store};
use popsync::pop3::listing::{ScanListing, UniqueIdListing};
use popsync::pop3::{Piece, Unstuffer};

use support::account;

/// Nothing is ever deleted.
const RETENTION: Retention = Retention::new(true, None);

/// How many messages a maildrop has.
const MESSAGES: usize = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["prepare", folder] => prepare(Path::new(folder)),
        [work, times, folder] => {
            let times = times.parse().unwrap();
            match *work {
                "unstuff" => unstuff(times, 0),
                "unstuff_dots" => unstuff(times, 1),
                "join" => join_listings(times),
                "snapshot" => snapshot(times, Path::new(folder)),
                "plan" => plan(times, Path::new(folder)),
                _ => panic!("there is no work `{work}`"),
            }
        }
        // `cargo bench` runs all benchmarks, and this one is not for it.
        _ => {}
    }
}

/// Un-stuffs a message of 16 MiB; every `stuffed`th line begins with a dot.
fn unstuff(times: usize, stuffed: usize) {
    let mut wire = Vec::with_capacity(17 << 20);
    while wire.len() < 16 << 20 {
        wire.extend_from_slice(if stuffed > 0 { b"." } else { b"" });
        wire.extend_from_slice(&[b'x'; 76]);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    for _ in 0..times {
        let mut unstuffer = Unstuffer::default();
        let mut octets = 0;
        for mut piece in wire.chunks(64 * 1024) {
            while let Some(Piece::Content(content)) = unstuffer.next_piece(&mut piece) {
                octets += black_box(content).len();
            }
        }
        assert!(octets > 15 << 20);
    }
}

fn unique_id(n: usize) -> String {
    format!("{:08x}5f3759df", n * 7)
}

fn listed_octets(n: usize) -> u64 {
    n as u64 % 50_000
}

/// Both listings as lines.
struct Lines {
    unique_ids: Vec<String>,
    sizes: Vec<String>,
}

impl Lines {
    fn new() -> Self {
        let numbers = 1..=MESSAGES;
        Self {
            unique_ids: numbers
                .clone()
                .map(|n| format!("{n} {}", unique_id(n)))
                .collect(),
            sizes: numbers
                .map(|n| format!("{n} {}", listed_octets(n)))
                .collect(),
        }
    }

    fn join(&self) -> Maildrop {
        let mut builder = maildrop::Builder::default();
        for line in &self.unique_ids {
            builder.unique_id_listing(UniqueIdListing::parse(line.as_bytes()));
        }
        for line in &self.sizes {
            builder.scan_listing(ScanListing::parse(line.as_bytes()));
        }
        builder.finish()
    }
}

/// Parses both listings and joins them.
fn join_listings(times: usize) {
    let lines = Lines::new();
    for _ in 0..times {
        assert_eq!(black_box(lines.join()).len(), MESSAGES);
    }
}

/// Reads from the cache what is known of all messages.
fn snapshot(times: usize, folder: &Path) {
    for _ in 0..times {
        assert_eq!(black_box(known(folder)).len(), MESSAGES);
    }
}

/// All computations of a run that finds nothing new.
fn plan(times: usize, folder: &Path) {
    let lines = Lines::new();
    for _ in 0..times {
        let (maildrop, snapshot) = (lines.join(), known(folder));
        let circumstances = Circumstances {
            now: 0,
            trusted_at: None,
            on_server: MESSAGES as u64,
            has_history: true,
            store: StoreState::Holds,
            max_deletions: 0,
            allowed: false,
            contradicted: false,
            held: false,
        };
        let rules = Rules {
            retention: RETENTION,
            limits: Limits::default(),
            taken: (0, 0),
            circumstances: &circumstances,
        };
        let plan = policy::plan(&maildrop, &snapshot, &Evidence::default(), rules);
        let mut decisions = plan.decisions.iter();
        assert!(decisions.all(|it| it.action == Action::Keep));
        assert!(snapshot.changes(&snapshot.shown_by(&maildrop)).0.is_empty());
    }
}

fn known(folder: &Path) -> Snapshot {
    let mut cache = Cache::open(folder).unwrap();
    let row = cache.account(&account(Path::new("/mail")), 0).unwrap();
    cache.snapshot(row.id).unwrap()
}

/// Writes a cache that knows all messages.
fn prepare(folder: &Path) {
    let mut cache = Cache::open(folder).unwrap();
    let row = cache.account(&account(Path::new("/mail")), 0).unwrap();
    let maildir = Maildir::open(&folder.join("mail"), &row.tag).unwrap();
    let name = maildir.draft().unwrap().finish().unwrap();
    let rows: Vec<Staged> = (1..=MESSAGES)
        .map(|n| Staged {
            unique_id: unique_id(n).into_bytes(),
            name: name.clone(),
            octets: 2_000,
            sha256: [7; 32],
            stored_sha256: None,
            header_sha256: [8; 32],
            listed_octets: Some(listed_octets(n)),
            extent: None,
            doubt: None,
            takes: Takes::New,
            line_ends: LineEnds {
                stored: LineEndings::Lf,
                bare: false,
            },
        })
        .collect();
    cache.stage(row.id, &rows, 0).unwrap();
    cache.clear_staged(row.id).unwrap();
}
