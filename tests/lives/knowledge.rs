//! The most that a program can know of the messages behind unique-ids: the observations of complete
//! runs. It is part of the state, and is restored with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::mail::Contents;
use crate::server::{Item, Manner, Session};

/// The content of a unique-id in the last complete run.
#[derive(Debug, Clone)]
struct Known {
    mail: usize,
    /// The content that a killed run may have recorded instead.
    or: Option<usize>,
    /// True if a complete run since then did not see it.
    gap: bool,
    /// True if no listing gave its size.
    is_unsized: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Knowledge {
    known: BTreeMap<String, Known>,
    /// The last complete listing.
    listed: BTreeSet<String>,
    octets: u64,
    /// For each content, the number of stored copies.
    pub(crate) stored: Vec<usize>,
    /// True if it was rebuilt from the store: messages are known only by their headers.
    pub(crate) by_header: bool,
    /// True if the store is also an mbox.
    pub(crate) is_mbox: bool,
}

impl Knowledge {
    /// True if no message had been stored yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.stored.iter().all(|&count| count == 0)
    }

    /// The other content that a message must be taken for, if nothing contradicts it: "same
    /// unique-id and nothing that speaks against it (listed size by the same way of counting,
    /// continuously listed …)"; and "STAT's total costs nothing and tells when LIST must be asked
    /// although UIDL shows nothing new" (issue 11). Such a message is found only by retrieving
    /// everything in each run.
    pub(crate) fn taken_for(
        &self,
        item: &Item,
        session: &Session,
        manner: Manner,
        contents: &Contents,
    ) -> Option<usize> {
        let known = self.known.get(&item.uid)?;
        let same_listing = self.octets == session.octets && self.listed == uids(session);
        let mut mails = [Some(known.mail), known.or].into_iter().flatten();
        mails.find(|&mail| {
            let size_before = manner.listed(&contents.get(mail).raw);
            // If no listing gave a size, the first one that does counts as its size, whichever
            // message has it. A message without a listed size cannot be another one.
            let is_swapped = mail != item.mail && (!known.gap || known.is_unsized);
            is_swapped
                && (known.is_unsized || size_before == manner.listed(&item.raw) || same_listing)
        })
    }

    /// Learns from a complete run, except the messages that it must have taken for others.
    pub(crate) fn learn(
        &mut self,
        session: &Session,
        unnoticed: &BTreeSet<String>,
        manner: Manner,
        contents: &Contents,
        is_unsized: bool,
    ) {
        let Some(listed) = &session.listed else {
            return;
        };
        self.listed = uids(session);
        self.octets = session.octets;
        // Deleted messages leave the total, too.
        for item in listed
            .iter()
            .filter(|item| session.deleted.contains(&item.uid))
        {
            let size = manner.listed(&contents.get(item.mail).raw);
            self.octets = self.octets.saturating_sub(size);
            self.listed.remove(&item.uid);
        }
        for (uid, known) in &mut self.known {
            known.gap |= !listed.iter().any(|item| item.uid == *uid);
        }
        for item in listed.iter().filter(|item| !unnoticed.contains(&item.uid)) {
            self.note(item, is_unsized);
        }
    }

    /// After an incomplete run, the messages that it retrieved may be recorded, or still those
    /// before them.
    pub(crate) fn learn_retrieved(&mut self, session: &Session) {
        for item in session.listed.iter().flatten() {
            if !session.retrieved.contains(&item.uid) {
                continue;
            }
            if let Some(known) = self.known.get_mut(&item.uid) {
                known.or = Some(item.mail);
            } else {
                self.note(item, false);
            }
        }
    }

    fn note(&mut self, item: &Item, is_unsized: bool) {
        let known = Known {
            mail: item.mail,
            or: None,
            gap: false,
            is_unsized,
        };
        self.known.insert(item.uid.clone(), known);
    }
}

fn uids(session: &Session) -> BTreeSet<String> {
    let listed = session.listed.iter().flatten();
    listed.map(|item| item.uid.clone()).collect()
}
