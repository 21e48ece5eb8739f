//! The snapshot of a session (XPOP3:C0004), with the oddities of numbers, ids and sizes.

use std::sync::Arc;

use crate::directory::Opened;
use crate::knobs::{Knobs, Numbers, Sizes, Sort};
use crate::mailbox::Stored;

/// A session's view of a mailbox.
pub(super) struct Maildrop {
    pub(super) opened: Opened,
    pub(super) entries: Vec<Entry>,
    /// The number of the login, for ids that change at each.
    login: u64,
    numbers: Numbers,
}

/// A message of the snapshot.
pub(super) struct Entry {
    pub(super) message: Arc<Stored>,
    /// The unique-id as it was at login, knobs applied.
    pub(super) uid: Arc<[u8]>,
    pub(super) marked: bool,
}

/// A message-number as LIST and UIDL show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowNumber {
    Is(u64),
    /// 2^64, which no 64-bit number holds.
    Huge,
}

impl Maildrop {
    pub(super) fn take(opened: Opened, login: u64, knobs: &Knobs) -> Self {
        let mut messages = opened.mailbox.visible();
        if let Some(newest) = knobs.only_newest {
            messages.drain(..messages.len().saturating_sub(newest));
        }
        if let Some(oldest) = knobs.only_oldest {
            messages.truncate(oldest);
        }
        if knobs.sort == Sort::Descending {
            messages.reverse();
        }
        let mut maildrop = Self {
            opened,
            entries: Vec::with_capacity(messages.len()),
            login,
            numbers: knobs.numbers,
        };
        for message in messages {
            maildrop.add(message, knobs);
        }
        maildrop
    }

    /// Adds messages delivered since, for a server without snapshots.
    pub(super) fn refresh(&mut self, knobs: &Knobs) {
        for message in self.opened.mailbox.visible() {
            let mut known = self.entries.iter();
            if !known.any(|entry| Arc::ptr_eq(&entry.message, &message)) {
                self.add(message, knobs);
            }
        }
    }

    fn add(&mut self, message: Arc<Stored>, knobs: &Knobs) {
        let uid = self.odd_uid(message.uid(), knobs);
        self.entries.push(Entry {
            message,
            uid,
            marked: false,
        });
    }

    /// The unique-id of the next message of the snapshot.
    fn odd_uid(&self, uid: Arc<[u8]>, knobs: &Knobs) -> Arc<[u8]> {
        let second = self.entries.len() % 2 == 1;
        let mut odd = uid.to_vec();
        match self.entries.last() {
            Some(first) if second && knobs.uid_dup => return Arc::clone(&first.uid),
            Some(first) if second && knobs.uid_case => {
                return first.uid.to_ascii_uppercase().into();
            }
            _ => {}
        }
        if knobs.uid_case {
            odd.splice(..0, *b"id");
        }
        if knobs.uid_change {
            odd.splice(..0, format!("{}-", self.login).into_bytes());
        }
        if let Some(octets) = &knobs.uid_bytes {
            let middle = odd.len() / 2;
            odd.splice(middle..middle, octets.iter().copied());
        }
        if let Some(len) = knobs.uid_long {
            odd.resize(odd.len().max(len), b'x');
        }
        if knobs.uid_empty {
            odd.clear();
        }
        odd.into()
    }

    /// The message-number of an entry.
    pub(super) fn number_of(&self, index: usize) -> u64 {
        let number = index as u64 + 1;
        match self.numbers {
            Numbers::Gap if number >= 3 => number + 1,
            _ => number,
        }
    }

    /// The entry with a message-number, marked or not.
    pub(super) fn index_of(&self, number: u64) -> Option<usize> {
        let number = match self.numbers {
            Numbers::Gap if number == 3 => return None,
            Numbers::Gap if number > 3 => number - 1,
            _ => number,
        };
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        (index < self.entries.len()).then_some(index)
    }

    pub(super) fn stored(&self, number: u64) -> Option<&Arc<Stored>> {
        let index = self.index_of(number)?;
        Some(&self.entries[index].message)
    }

    /// The rows of a listing: unmarked messages, as the knobs number and order them.
    pub(super) fn rows(&self, hidden: &[u64]) -> Vec<(RowNumber, usize)> {
        let mut rows: Vec<_> = (0..self.entries.len())
            .filter(|index| !self.entries[*index].marked)
            .map(|index| (self.number_of(index), index))
            .filter(|(number, _)| !hidden.contains(number))
            .map(|(number, index)| (RowNumber::Is(number), index))
            .collect();
        let last = rows.last().copied();
        match (self.numbers, last) {
            (Numbers::Shuffled, Some(_)) => rows.rotate_right(1),
            (Numbers::Zero, Some((_, index))) => rows.insert(0, (RowNumber::Is(0), index)),
            (Numbers::Huge, Some((_, index))) => rows.push((RowNumber::Huge, index)),
            (Numbers::Duplicate, _) if rows.len() > 1 => rows[1].0 = rows[0].0,
            _ => {}
        }
        rows
    }

    /// The messages that are marked, in the order of their numbers.
    pub(super) fn marked(&self) -> Vec<Arc<Stored>> {
        let marked = self.entries.iter().filter(|entry| entry.marked);
        marked.map(|entry| Arc::clone(&entry.message)).collect()
    }
}

impl Entry {
    /// The size for STAT (XPOP3, variation of RFC 1939 §5).
    pub(super) fn size(&self, sizes: Sizes) -> u64 {
        if let Some(own) = self.message.listed_size() {
            return own.parse().unwrap_or(0);
        }
        let exact = self.message.content.wire_len();
        // Integers, so that every machine rounds alike.
        let estimate = (exact * 92 + 143_700 + 50) / 100;
        match sizes {
            Sizes::Exact => exact,
            Sizes::StorageFirstRetr if self.message.is_retrieved() => exact,
            Sizes::Storage | Sizes::StorageFirstRetr => estimate,
        }
    }

    /// The size for LIST.
    pub(super) fn shown_size(&self, sizes: Sizes, knobs: &Knobs) -> String {
        match &knobs.size_lie {
            Some(lie) => lie.clone(),
            None => self
                .message
                .listed_size()
                .unwrap_or_else(|| self.size(sizes).to_string()),
        }
    }
}

impl RowNumber {
    pub(super) fn text(self, add: u64) -> String {
        match self {
            Self::Is(number) => (number + add).to_string(),
            Self::Huge => "18446744073709551616".to_owned(),
        }
    }
}
