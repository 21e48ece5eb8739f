//! How fast messages are stored and recorded, and what is known is read back:
//! `cargo bench --bench state`. Disks differ: name yours beside the figures, and let `TMPDIR`
//! point at it.

#![expect(clippy::unwrap_used, reason = "benchmarks fail by panicking")]

mod support;

use std::path::Path;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use popsync::LineEndings;
use popsync::internals::cache::{Cache, LineEnds, Staged, Takes};
use popsync::internals::store::{Maildir, Name, Store};

use support::account;

fn main() {
    divan::main();
}

const BATCH: usize = 512;

/// Writes a batch of messages of 2 kB; gives their names.
fn write(maildir: &Maildir) -> Vec<Name> {
    (0..BATCH)
        .map(|_| {
            let mut draft = maildir.draft().unwrap();
            draft.write(&[b'x'; 2_000]).unwrap();
            draft.finish().unwrap()
        })
        .collect()
}

fn rows(names: Vec<Name>, first: usize) -> Vec<Staged> {
    let rows = names.into_iter().enumerate().map(|(n, name)| Staged {
        unique_id: format!("{:016x}", first + n).into_bytes(),
        name,
        octets: 2_000,
        sha256: [7; 32],
        stored_sha256: None,
        header_sha256: [8; 32],
        listed_octets: Some(2_000),
        extent: None,
        doubt: None,
        takes: Takes::New,
        line_ends: LineEnds {
            stored: LineEndings::Lf,
            bare: false,
        },
    });
    rows.collect()
}

/// Steps 1 to 5 of the store's order, with nothing left to chance.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn store_a_batch(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(&folder.path().join("state")).unwrap();
    let path = folder.path().join("mail");
    let row = cache.account(&account(&path), 0).unwrap();
    let maildir = Maildir::open(&path, &row.tag).unwrap();
    let mut first = 0;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        let names = write(&maildir);
        maildir.settle(&names).unwrap();
        cache.stage(row.id, &rows(names.clone(), first), 0).unwrap();
        maildir.publish(&names).unwrap();
        first += BATCH;
    });
}

/// The queries of a run that finds nothing new.
#[divan::bench(args = [1_000, 100_000, 1_000_000], sample_count = 5, sample_size = 1)]
fn read_what_is_known(bencher: Bencher<'_, '_>, messages: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let row = cache.account(&account(Path::new("/mail")), 0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(folder.path(), "bench").unwrap();
    let name = maildir.draft().unwrap().finish().unwrap();
    for first in (0..messages).step_by(10_000) {
        let names = vec![name.clone(); 10_000.min(messages - first)];
        cache.stage(row.id, &rows(names, first), 0).unwrap();
    }
    bencher
        .counter(ItemsCount::new(messages))
        .bench_local(|| assert_eq!(black_box(cache.snapshot(row.id)).unwrap().len(), messages));
}
