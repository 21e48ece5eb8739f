//! Known messages whose size is not what it was: perhaps others under their unique-ids.

use std::collections::HashSet;

use super::{Decision, Memory, is_ambiguous};
use crate::maildrop::Maildrop;

/// Up to so many are looked into, however small the mailbox.
const ALWAYS_LOOKED_INTO: usize = 10;

/// Known messages that a listing gives other sizes than before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resized {
    /// All of them, by their places in the maildrop.
    pub places: HashSet<usize>,
    /// Whether they are so few that each may be another message (`OPOP3:C0040`). Otherwise the
    /// server counts otherwise than before: Exchange, for one, estimates (`XPOP3:N5`).
    pub are_doubtful: bool,
}

/// Finds the messages that stay as they are by the plan, and have other sizes than before.
pub fn resized(maildrop: &Maildrop, memory: &impl Memory, decisions: &[Decision]) -> Resized {
    let mut places = HashSet::new();
    let mut same = 0;
    let messages = maildrop.iter().zip(decisions).enumerate();
    for (place, (message, decision)) in messages {
        let remembered = memory
            .recall(message.unique_id)
            .filter(|remembered| remembered.held && !decision.action.touches());
        let Some(remembered) = remembered else {
            continue;
        };
        // Without a size, now or before, it tells nothing; and of several with one unique-id
        // nobody knows whose it is.
        let sizes = message.octets.zip(remembered.octets);
        match sizes.filter(|_| !is_ambiguous(message, Some(remembered))) {
            Some((now, before)) if now != before => {
                places.insert(place);
            }
            Some(_) => same += 1,
            None => {}
        }
    }
    Resized {
        are_doubtful: places.len() <= ALWAYS_LOOKED_INTO.max(same),
        places,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Limits, Retention};
    use crate::maildrop::Builder;
    use crate::policy::{Remembered, Whereabouts, plan};
    use crate::pop3::listing::{ScanListing, UniqueIdListing};

    struct Sized(u64);

    impl Memory for Sized {
        fn recall(&self, unique_id: &[u8]) -> Option<Remembered> {
            (unique_id != b"new").then_some(Remembered {
                stored_at: 0,
                deletion_asked: false,
                held: true,
                octets: Some(self.0),
                copies: 1,
                gone: None,
                to_go: false,
                whereabouts: Whereabouts::Stored,
            })
        }
    }

    fn resized(sizes: &[Option<u64>]) -> Resized {
        let mut builder = Builder::default();
        for number in 1..=sizes.len() {
            builder.unique_id_listing(UniqueIdListing::parse(
                format!("{number} u{number}").as_bytes(),
            ));
        }
        for (octets, number) in sizes.iter().zip(1..) {
            if let Some(octets) = octets {
                builder.scan_listing(ScanListing::parse(format!("{number} {octets}").as_bytes()));
            }
        }
        let maildrop = builder.finish();
        let limits = Limits::default();
        let decisions = plan(
            &maildrop,
            &Sized(100),
            Retention::new(true, None),
            limits,
            (0, 0),
            0,
        );
        super::resized(&maildrop, &Sized(100), &decisions)
    }

    #[test]
    fn a_few_other_sizes_are_doubtful_and_many_are_another_way_to_count() {
        assert_eq!(resized(&[Some(100), None]).places.len(), 0);
        let few = resized(&[Some(100), Some(101), None]);
        assert_eq!((few.places, few.are_doubtful), (HashSet::from([1]), true));
        let ten = resized(&[Some(7); 10]);
        assert_eq!((ten.places.len(), ten.are_doubtful), (10, true));
        let all = resized(&[Some(7); 11]);
        assert_eq!((all.places.len(), all.are_doubtful), (11, false));
        let half = resized(&[[Some(7); 11], [Some(100); 11]].concat());
        assert_eq!((half.places.len(), half.are_doubtful), (11, true));
    }
}
