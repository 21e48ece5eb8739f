//! Many unique-ids, in hardly more memory than their octets take.

/// Unique-ids in an order, each with an index. Together they have less than four gibibytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct UniqueIds {
    /// One after another.
    octets: Vec<u8>,
    bounds: Bounds,
}

/// Where one unique-id ends and the next begins.
#[derive(Debug, Clone)]
enum Bounds {
    /// All are of one length, as many servers make them: this needs no memory for each.
    Alike { length: usize, count: usize },
    /// The end of each.
    Ends(Vec<u32>),
}

impl Default for Bounds {
    fn default() -> Self {
        Self::Alike {
            length: 0,
            count: 0,
        }
    }
}

impl UniqueIds {
    /// The number of unique-ids.
    pub(crate) fn len(&self) -> usize {
        match &self.bounds {
            Bounds::Alike { count, .. } => *count,
            Bounds::Ends(ends) => ends.len(),
        }
    }

    /// Adds a unique-id. False if there is no room for it.
    #[must_use]
    pub(crate) fn push(&mut self, unique_id: &[u8]) -> bool {
        let end = self.octets.len() + unique_id.len();
        // Empty ones take no room, but their number has 32 bits, too.
        let (Ok(end), Ok(_)) = (u32::try_from(end), u32::try_from(self.len() + 1)) else {
            return false;
        };
        self.octets.extend_from_slice(unique_id);
        match &mut self.bounds {
            Bounds::Alike { length, count } if *count == 0 || *length == unique_id.len() => {
                *length = unique_id.len();
                *count += 1;
            }
            Bounds::Alike { length, count } => {
                let ends = (1..=*count).map(|number| (number * *length) as u32);
                self.bounds = Bounds::Ends(ends.chain([end]).collect());
            }
            Bounds::Ends(ends) => ends.push(end),
        }
        true
    }

    /// The unique-id with this index.
    ///
    /// # Panics
    /// If there is none, unless all are empty.
    #[inline]
    pub(crate) fn at(&self, index: usize) -> &[u8] {
        let (start, end) = match &self.bounds {
            Bounds::Alike { length, .. } => (index * length, (index + 1) * length),
            Bounds::Ends(ends) => {
                let before = index.checked_sub(1);
                let start = before.map_or(0, |before| ends[before] as usize);
                (start, ends[index] as usize)
            }
        };
        &self.octets[start..end]
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// Those with these indexes, in this order. Each index is given once at most.
    ///
    /// # Panics
    /// If there is none with such an index.
    pub(crate) fn in_order(&self, indexes: &[usize]) -> Self {
        let mut chosen = Self::default();
        for &index in indexes {
            let has_room = chosen.push(self.at(index));
            debug_assert!(has_room, "they are no more than before");
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(all: &[Vec<u8>]) -> UniqueIds {
        let mut ids = UniqueIds::default();
        for one in all {
            assert!(ids.push(one));
        }
        ids
    }

    proptest! {
        #[test]
        fn each_unique_id_stays_as_it_is(
            all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), 0..12),
        ) {
            let ids = of(&all);
            prop_assert_eq!(ids.len(), all.len());
            for (index, one) in all.iter().enumerate() {
                prop_assert_eq!(ids.at(index), one);
            }
            let backwards: Vec<usize> = (0..all.len()).rev().collect();
            let ids = ids.in_order(&backwards);
            for (index, one) in all.iter().rev().enumerate() {
                prop_assert_eq!(ids.at(index), one);
            }
        }
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn there_is_none_behind_the_last() {
        of(&[b"a".to_vec(), b"b".to_vec()]).at(2);
    }

    #[test]
    fn those_of_one_length_take_their_octets_alone() {
        let mut ids = of(&vec![b"0123456789abcdef".to_vec(); 100]);
        assert!(matches!(ids.bounds, Bounds::Alike { count: 100, .. }));
        assert!(ids.push(b"short"));
        assert_eq!(
            (ids.len(), ids.at(99).len(), ids.at(100)),
            (101, 16, &b"short"[..])
        );
    }
}
