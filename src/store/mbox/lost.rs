//! The end of an mbox that is missing: an older copy was put in its place, or the file was cut.
//!
//! Whoever deletes messages with a mail program has the file written anew, and what follows them
//! moves. So where the file ends exactly where a message was appended, or at a border of recorded
//! messages with those in front of it where they were, octet for octet, everything recorded from
//! there on is lost. A person who deleted the very last messages and nothing else looks the same;
//! then they stay on the server.

use std::fs::File;
use std::path::Path;

use super::anatomy::{Anatomy, KEPT};
use super::recovery::digest;
use super::scan::FROM;
use crate::store::{Error, Extent};

/// So many messages in front of the border have to be where they were.
const COMPARED: usize = 3;

/// The keys of the messages that are lost with the end of this file, in order of their places.
/// `extents` are all that are recorded, with their keys, in any order.
pub(super) fn lost(file: &File, path: &Path, extents: &[(i64, Extent)]) -> Result<Vec<i64>, Error> {
    let failed = |error| Error::io("reading", path, error);
    let size = file.metadata().map_err(failed)?.len();
    let extents = current(extents);
    // The file is as long as it was right before this message came.
    if let Some(first) = extents.iter().position(|(_, extent)| extent.start == size) {
        return Ok(extents[first..].iter().map(|(key, _)| *key).collect());
    }
    let there = extents.partition_point(|(_, extent)| end(extent) <= size);
    let (before, missing) = extents.split_at(there);
    let (Some((_, first)), Some((_, last))) = (missing.first(), before.last()) else {
        return Ok(Vec::new());
    };
    let is_border = size == end(last) || size == first.start;
    let is_cut = size > first.start && begins(file, first, size).map_err(failed)?;
    if !is_border && !is_cut {
        return Ok(Vec::new());
    }
    for (_, extent) in before.iter().rev().take(COMPARED) {
        let found = digest(file, extent.start, extent.length).map_err(failed)?;
        if found != Some(extent.sha256) {
            return Ok(Vec::new());
        }
    }
    Ok(missing.iter().map(|(key, _)| *key).collect())
}

fn end(extent: &Extent) -> u64 {
    extent.start.saturating_add(extent.length)
}

/// The extents that the last appending left valid, in order of their places. Where a later message
/// begins, nothing of an earlier one was there any more.
fn current(extents: &[(i64, Extent)]) -> Vec<(i64, Extent)> {
    let mut by_key = extents.to_vec();
    by_key.sort_unstable_by_key(|(key, _)| *key);
    let mut current: Vec<(i64, Extent)> = Vec::with_capacity(by_key.len());
    for (key, extent) in by_key {
        while current
            .last()
            .is_some_and(|(_, earlier)| end(earlier) > extent.start)
        {
            current.pop();
        }
        current.push((key, extent));
    }
    current
}

/// Whether the file ends within this message: what stands in its place bears its name. Messages
/// without a name are not told from others by a part of them.
fn begins(file: &File, extent: &Extent, size: u64) -> std::io::Result<bool> {
    let length = (size - extent.start).min(KEPT as u64);
    let mut part = vec![0; length as usize];
    std::os::unix::fs::FileExt::read_exact_at(file, &mut part, extent.start)?;
    let Some(line) = memchr::memchr(b'\n', &part).filter(|_| part.starts_with(FROM)) else {
        return Ok(false);
    };
    let mut message = Anatomy::new();
    message.take(&part[line + 1..]);
    let found = message.finish().message_id;
    Ok(found.is_some() && found == extent.marks.message_id)
}
