//! Unique names for the files that a run writes. The name shows the account.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Name;

/// Makes the names of one run for one account.
#[derive(Debug)]
pub(super) struct Names {
    /// Marks the files of one account, so that recovery does not touch those of others.
    tag: String,
    /// The prefix of the second part of every name of this account.
    prefix: String,
    /// Distinguishes the runs of that account, even if clock and process numbers repeat.
    run: u64,
    sequence: AtomicU64,
}

impl Names {
    /// `tag` consists of letters and digits, and no other account ever uses it.
    pub(super) fn new(tag: &str) -> io::Result<Self> {
        debug_assert!(tag.bytes().all(|octet| octet.is_ascii_alphanumeric()));
        let mut run = [0; 8];
        getrandom::fill(&mut run).map_err(io::Error::other)?;
        Ok(Self {
            tag: tag.to_owned(),
            prefix: format!("A{tag}R"),
            run: u64::from_ne_bytes(run),
            sequence: AtomicU64::new(0),
        })
    }

    /// A name that no other file of this account has or will have: the second, the account, the
    /// run, and a number within the run.
    pub(super) fn next(&self) -> Name {
        let second = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        Name(format!(
            "{second}.{}{:016x}Q{number}.popsync",
            self.prefix, self.run
        ))
    }

    /// True if a file belongs to this account, from any run.
    pub(super) fn is_ours(&self, file_name: &str) -> bool {
        file_name
            .split_once('.')
            .is_some_and(|(_, rest)| rest.starts_with(&self.prefix))
    }

    /// The mark of the account.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }
}
