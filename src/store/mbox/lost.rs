//! Detects that the end of an mbox is missing: an older copy was put in its place, or the file was
//! cut.
//!
//! When a mail program deletes messages, it writes the file anew, and the messages after them move.
//! So if the file ends exactly where a message was appended, or at a border of recorded messages
//! and those before it are in their places, octet for octet, then every message recorded from there
//! on is lost. It looks the same if a person deleted only the very last messages; then they stay on
//! the server.

use std::fs::File;
use std::path::Path;

use super::anatomy::{Anatomy, KEPT};
use super::recovery::digest;
use super::scan::FROM;
use crate::store::{Error, Extent};

/// The number of messages in front of the border that must be in their places.
const COMPARED: usize = 3;

/// The keys of the messages that are lost with the end of this file, in order of their places.
/// `extents` are all recorded places with their keys, in any order.
pub(super) fn lost(file: &File, path: &Path, extents: &[(i64, Extent)]) -> Result<Vec<i64>, Error> {
    let failed = |error| Error::io("reading", path, error);
    let size = file.metadata().map_err(failed)?.len();
    let extents = current(extents);
    // The file has the size that it had right before this message came.
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

/// The places that are valid since the last append, in order. If a later message begins inside an
/// earlier one, the earlier one was no longer there.
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

/// True if the file ends within this message: the text in its place has its Message-ID. A part of a
/// message without a Message-ID cannot be recognised.
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
