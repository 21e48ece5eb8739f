//! Any three listings: every message once and in order, one decision for each, and nothing
//! deleted that is not stored.

use std::collections::HashMap;

use popsync::internals::maildrop::Builder;
use popsync::pop3::listing::{DropListing, ScanListing, UniqueIdListing};

pub(crate) fn holds(data: &[u8]) {
    let mut parts = data.split(|&octet| octet == 0);
    let [stat, uidl, list] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let mut builder = Builder::default();
    if let Some(stat) = DropListing::parse(stat) {
        builder.drop_listing(stat);
    }
    for line in lines(uidl) {
        builder.unique_id_listing(UniqueIdListing::parse(line));
    }
    for line in lines(list) {
        builder.scan_listing(ScanListing::parse(line));
    }
    let before: Vec<u32> = builder
        .maildrop()
        .iter()
        .map(|message| message.number.as_u32())
        .collect();
    let maildrop = builder.finish();
    let numbers: Vec<u32> = maildrop
        .iter()
        .map(|message| message.number.as_u32())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(before, numbers);
    let mut copies: HashMap<&[u8], u32> = HashMap::new();
    for message in maildrop.iter() {
        *copies.entry(message.unique_id).or_default() += 1;
    }
    // A message without a unique-id shares it with nobody.
    for message in maildrop
        .iter()
        .filter(|message| !message.unique_id.is_empty())
    {
        assert_eq!(message.copies, copies[message.unique_id]);
    }
}

fn lines(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    part.split(|&octet| octet == b'\n')
        .filter(|line| !line.is_empty())
}
