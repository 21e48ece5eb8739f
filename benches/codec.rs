//! How fast octets from a server become messages and listings: `cargo bench --bench codec`.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use popsync::internals::maildrop;
use popsync::pop3::listing::{ScanListing, UniqueIdListing};
use popsync::pop3::{Piece, Unstuffer};

fn main() {
    divan::main();
}

/// A message of about `octets` octets in lines of 76, as it comes over the wire; every
/// `stuffed`th line begins with a dot.
fn message(octets: usize, stuffed: usize) -> Vec<u8> {
    let line = [b'x'; 76];
    let mut wire = Vec::with_capacity(octets + octets / 50 + 100);
    for number in 1..=octets / 78 {
        if stuffed > 0 && number % stuffed == 0 {
            wire.push(b'.');
        }
        wire.extend_from_slice(&line);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// Takes a message apart in pieces of what one read of a socket gives.
fn unstuff(bencher: Bencher<'_, '_>, wire: &[u8]) {
    bencher
        .counter(BytesCount::new(wire.len()))
        .bench_local(|| {
            let mut unstuffer = Unstuffer::default();
            let mut octets = 0;
            for mut piece in wire.chunks(64 * 1024) {
                while let Some(part) = unstuffer.next_piece(&mut piece) {
                    match part {
                        Piece::Content(content) => octets += black_box(content).len(),
                        Piece::LoneDot => {}
                        Piece::End => return octets,
                    }
                }
            }
            octets
        });
}

#[divan::bench]
fn unstuff_a_large_message(bencher: Bencher<'_, '_>) {
    unstuff(bencher, &message(16 << 20, 0));
}

#[divan::bench]
fn unstuff_a_message_full_of_dots(bencher: Bencher<'_, '_>) {
    unstuff(bencher, &message(16 << 20, 1));
}

#[divan::bench]
fn unstuff_a_small_message(bencher: Bencher<'_, '_>) {
    unstuff(bencher, &message(2_000, 0));
}

/// Both listings of a maildrop, parsed and joined.
#[divan::bench(args = [1_000, 100_000, 1_000_000], sample_count = 10)]
fn join_listings(bencher: Bencher<'_, '_>, messages: usize) {
    let unique_ids: Vec<String> = (1..=messages)
        .map(|n| format!("{n} {:08x}5f3759df", n * 7))
        .collect();
    let sizes: Vec<String> = (1..=messages)
        .map(|n| format!("{n} {}", n % 50_000))
        .collect();
    bencher.counter(ItemsCount::new(messages)).bench_local(|| {
        let mut builder = maildrop::Builder::default();
        for line in &unique_ids {
            builder.unique_id_listing(UniqueIdListing::parse(line.as_bytes()));
        }
        for line in &sizes {
            builder.scan_listing(ScanListing::parse(line.as_bytes()));
        }
        assert_eq!(black_box(builder.finish()).len(), messages);
    });
}
