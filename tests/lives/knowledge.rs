//! The most that any program can know of what unique-ids stand for: what complete runs saw. It is
//! kept in the state, and goes back with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::mail::Contents;
use crate::server::{Item, Manner, Session};

/// What a unique-id stood for in the last complete run.
#[derive(Debug, Clone)]
struct Known {
    mail: usize,
    /// The one that a killed run may have recorded in its place.
    or: Option<usize>,
    /// Whether a complete run did not see it since.
    gap: bool,
    /// No listing gave its size.
    is_unsized: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Knowledge {
    known: BTreeMap<String, Known>,
    /// What the last complete listing showed.
    listed: BTreeSet<String>,
    octets: u64,
    /// For each content, the copies that were stored.
    pub(crate) stored: Vec<usize>,
    /// It was rebuilt from the store: messages are known by their headers alone.
    pub(crate) by_header: bool,
    /// And the store is an mbox.
    pub(crate) is_mbox: bool,
}

impl Knowledge {
    /// Whether nothing had been stored yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.stored.iter().all(|&count| count == 0)
    }

    /// The other content that a message must be taken for, where nothing speaks against it: "same
    /// unique-id and nothing that speaks against it (listed size by the same way of counting,
    /// continuously listed …)"; and "STAT's total costs nothing and tells when LIST must be asked
    /// although UIDL shows nothing new" (issue 11). Nobody can tell such a message without
    /// retrieving everything at each run.
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
            // Where no listing gave a size, the first one that does is taken for it, whosever it
            // is; and one that no listing gave cannot be another one.
            let is_swapped = mail != item.mail && (!known.gap || known.is_unsized);
            is_swapped
                && (known.is_unsized || size_before == manner.listed(&item.raw) || same_listing)
        })
    }

    /// Learns from a complete run, but for the messages that it must have taken for others.
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
        // What was deleted leaves the total, too.
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

    /// Of a run that came to no end, the messages that it retrieved may be recorded, or still those
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
