//! `--shard I/N`: one of N parts of the accounts, for several machines that share the work.
//!
//! The part of an account depends on its name and on N alone. With one part more, about one account
//! in N + 1 moves, and all that move go to the new part: their state and mail move with them.

use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Set by Kubernetes in the pods of an indexed job.
const INDEX: &str = "JOB_COMPLETION_INDEX";

/// One of several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    /// Counted from 0.
    index: u32,
    of: u32,
}

/// The text does not name a part.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ShardError {
    #[error("it must be I/N, such as 0/4, or /N with I in JOB_COMPLETION_INDEX")]
    Form,
    #[error("I is counted from 0, and must be less than N")]
    Outside,
    #[error("JOB_COMPLETION_INDEX is not set to a number; write I/N")]
    NoIndex,
}

impl Shard {
    /// True if the account of this name is in this part.
    pub(super) fn has(self, account: &str) -> bool {
        part(account, self.of) == self.index
    }

    fn parse(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ShardError> {
        let (index, of) = text.split_once('/').ok_or(ShardError::Form)?;
        let of = of.parse().map_err(|_| ShardError::Form)?;
        let index = match index {
            "" => {
                let set = environment(INDEX).ok_or(ShardError::NoIndex)?;
                set.parse().map_err(|_| ShardError::NoIndex)?
            }
            index => index.parse().map_err(|_| ShardError::Form)?,
        };
        if index < of {
            Ok(Self { index, of })
        } else {
            Err(ShardError::Outside)
        }
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        Self::parse(text, |name| std::env::var(name).ok())
    }
}

/// The part of an account: the jump consistent hash of Lamping and Veach (2014), of the first eight
/// octets of the SHA-256 of its name.
fn part(account: &str, of: u32) -> u32 {
    let digest = Sha256::digest(account);
    let mut key = digest
        .iter()
        .take(8)
        .fold(0_u64, |key, octet| key << 8 | u64::from(*octet));
    let (mut part, mut next) = (0_u64, 0_u64);
    while next < u64::from(of) {
        part = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        // (part + 1) * 2^31 / ((key >> 33) + 1), rounded down. Neither factor has more than 32 bits.
        next = ((part + 1) << 31) / ((key >> 33) + 1);
    }
    // It is less than `of`.
    u32::try_from(part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: u32 = 2_000;

    fn names() -> impl Iterator<Item = String> {
        (0..NAMES).map(|number| format!("user{number}@example.com"))
    }

    #[test]
    fn every_account_is_in_exactly_one_part() {
        for of in [1, 2, 3, 7, 32] {
            let shards: Vec<_> = (0..of).map(|index| Shard { index, of }).collect();
            let mut sizes = vec![0_u32; of as usize];
            for name in names() {
                let having: Vec<_> = shards.iter().filter(|shard| shard.has(&name)).collect();
                assert_eq!(having.len(), 1, "{name} of {of}");
                sizes[having[0].index as usize] += 1;
            }
            // Six standard deviations.
            let fair = f64::from(NAMES) / f64::from(of);
            let largest = sizes.iter().max().copied().unwrap();
            assert!(
                f64::from(largest) <= fair + 6.0 * fair.sqrt(),
                "{largest} of {fair} in {of}"
            );
        }
    }

    #[test]
    fn with_one_part_more_accounts_move_only_into_it() {
        for of in [1, 4, 15] {
            let moved: Vec<_> = names()
                .filter(|name| part(name, of) != part(name, of + 1))
                .collect();
            assert!(moved.iter().all(|name| part(name, of + 1) == of));
            let expected = f64::from(NAMES) / f64::from(of + 1);
            let found = moved.len() as f64;
            assert!(
                (found - expected).abs() < 5.0 * expected.sqrt(),
                "{found} of {expected}"
            );
        }
    }

    /// Another machine, and another version, must find the same.
    #[test]
    fn the_part_of_a_name_never_changes() {
        // By an implementation in Python that follows the paper.
        for (name, of, expected) in [
            ("work", 2, 1),
            ("work", 7, 6),
            ("work", 1000, 502),
            ("anna@example.com", 2, 0),
            ("anna@example.com", 7, 0),
            ("anna@example.com", 1000, 610),
            ("Müller", 2, 1),
            ("Müller", 7, 5),
            ("Müller", 1000, 509),
        ] {
            assert_eq!(part(name, of), expected, "{name} of {of}");
        }
    }

    #[test]
    fn the_index_may_come_from_the_job() {
        let job = |name: &str| (name == INDEX).then(|| "3".to_owned());
        let none = |_: &str| None;
        assert_eq!(Shard::parse("0/4", none), Ok(Shard { index: 0, of: 4 }));
        assert_eq!(Shard::parse("/4", job), Ok(Shard { index: 3, of: 4 }));
        assert_eq!(Shard::parse("1/4", job), Ok(Shard { index: 1, of: 4 }));
        assert_eq!(Shard::parse("/4", none), Err(ShardError::NoIndex));
        assert_eq!(
            Shard::parse("/4", |_| Some("x".to_owned())),
            Err(ShardError::NoIndex)
        );
        assert_eq!(Shard::parse("/3", job), Err(ShardError::Outside));
        for wrong in ["4/4", "0/0", "9/1"] {
            assert_eq!(
                Shard::parse(wrong, none),
                Err(ShardError::Outside),
                "{wrong}"
            );
        }
        for wrong in [
            "",
            "4",
            "a/4",
            "1/b",
            "-1/4",
            "1/-4",
            "1/4/5",
            "1/99999999999",
        ] {
            assert_eq!(Shard::parse(wrong, none), Err(ShardError::Form), "{wrong}");
        }
    }
}
