//! Downloads the server's messages again, to compare them, and to replace missing or damaged ones.

use std::collections::HashMap;

use super::super::progress::Progress;
use super::super::transfer::{Arrival, Arrived};
use super::super::{Error, Request};
use super::look::found;
use super::mend::{Mended, Mender};
use super::{Condition, Finding, Tally, Wrong};
use crate::account::LineEndings;
use crate::cache::Stored;
use crate::maildrop::Maildrop;
use crate::session::{Refusal, Session, Sink, Wanted};
use crate::store::{Draft, Put, Store};

/// The number of repaired messages that are made durable together.
const BATCH: usize = 128;

/// The maximum size of a message, whatever the server sends.
const MAX_OCTETS: u64 = 64 << 30;

/// The messages of the listing that alone have one of these unique-ids, each with the given index.
fn listed<'a>(
    maildrop: &Maildrop,
    places: impl Iterator<Item = (&'a [u8], usize)>,
) -> (Vec<Wanted>, Vec<usize>) {
    let mut by_id: HashMap<&[u8], Option<usize>> = HashMap::new();
    for (unique_id, place) in places {
        // If several have one unique-id, nobody knows which it is.
        by_id
            .entry(unique_id)
            .and_modify(|place| *place = None)
            .or_insert(Some(place));
    }
    let found = maildrop.iter().filter_map(|message| {
        let place = (*by_id.get(message.unique_id)?)?;
        let wanted = Wanted {
            number: message.number,
            octets: message.octets,
        };
        (message.copies == 1).then_some((wanted, place))
    });
    found.unzip()
}

/// Downloads all stored messages, and compares them with the records.
pub(super) async fn compare(
    request: &Request<'_>,
    session: &mut Session,
    maildrop: &Maildrop,
    stored: &[Stored],
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<(), Error> {
    let ids = stored.iter().enumerate();
    let ids = ids.map(|(place, stored)| (stored.unique_id.as_slice(), place));
    let (wanted, places) = listed(maildrop, ids);
    let octets = places.iter().map(|&place| stored[place].octets).sum();
    let messages = places.len() as u64;
    let progress = Progress::begin(request.reporter, "downloading", messages, octets);
    let mut download = Download::new(None, |index, arrived: Option<Arrived>, _| {
        let stored = &stored[places[index]];
        progress.done(stored.octets);
        // A message that is refused was not seen to differ.
        if arrived.is_some_and(|arrived| arrived.sha256 != stored.sha256) {
            tally.differing += 1;
            tell(found(stored, None, Condition::Differs));
        }
    });
    session.retr(wanted.iter().copied(), &mut download).await?;
    download.result()
}

/// Retrieves missing or damaged messages, and puts them in their places.
pub(super) async fn repair(
    session: &mut Session,
    maildrop: &Maildrop,
    stored: &[Stored],
    wrong: &[Wrong],
    mut mender: Mender<'_>,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<(), Error> {
    let ids = wrong.iter().enumerate();
    let ids = ids.map(|(index, wrong)| (stored[wrong.place].unique_id.as_slice(), index));
    let (wanted, places) = listed(maildrop, ids);
    let drafts = mender.store();
    for (wanted, places) in wanted.chunks(BATCH).zip(places.chunks(BATCH)) {
        let mut mended = Vec::new();
        let mut failed = None;
        let style = |index: usize| stored[wrong[places[index]].place].line_ends.stored;
        let mut download = Download::new(Some((&*drafts, &style)), |index, arrived, draft| {
            let wrong = &wrong[places[index]];
            let stored = &stored[wrong.place];
            mender.progress.done(stored.octets);
            let (Some(arrived), Some(draft)) = (arrived, draft) else {
                return;
            };
            // The draft is removed when it is dropped.
            if arrived.sha256 != stored.sha256 {
                return;
            }
            match draft.finish() {
                Err(error) => failed = Some(error),
                Ok(draft) => mended.push(Mended {
                    draft,
                    arrived,
                    stored,
                    wrong,
                }),
            }
        });
        session.retr(wanted.iter().copied(), &mut download).await?;
        download.result()?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        let put = mender.mend(&mended)?;
        for (one, put) in mended.iter().zip(&put) {
            let (condition, kept) = match put {
                Put::There { kept } => (Condition::Repaired, kept.as_deref()),
                Put::InTheWay => (Condition::NotRepaired, None),
            };
            tally.repaired += u64::from(condition == Condition::Repaired);
            tell(Finding {
                kept,
                ..found(one.stored, one.wrong.path.as_deref(), condition)
            });
        }
    }
    Ok(())
}

/// The store that messages are written to, and the line endings of each.
type To<'a> = (&'a dyn Store, &'a (dyn Fn(usize) -> LineEndings + Sync));

/// Receives messages: digests them, and writes them if there is a store to write to.
struct Download<'a, F> {
    to: Option<To<'a>>,
    done: F,
    index: usize,
    arrival: Option<Arrival>,
    draft: Option<Box<dyn Draft>>,
    octets: Vec<u8>,
    failed: Option<Error>,
    is_endless: bool,
}

impl<'a, F> Download<'a, F>
where
    F: FnMut(usize, Option<Arrived>, Option<Box<dyn Draft>>) + Send,
{
    fn new(to: Option<To<'a>>, done: F) -> Self {
        Self {
            to,
            done,
            index: 0,
            arrival: None,
            draft: None,
            octets: Vec::new(),
            failed: None,
            is_endless: false,
        }
    }

    fn result(self) -> Result<(), Error> {
        match (self.failed, self.is_endless) {
            (Some(error), _) => Err(error),
            (None, true) => Err(Error::EndlessMessage {
                reason: "it does not end",
            }),
            (None, false) => Ok(()),
        }
    }

    /// Writes the octets received so far.
    fn write(&mut self) {
        if let Some(draft) = &mut self.draft
            && self.failed.is_none()
            && let Err(error) = draft.write(&self.octets)
        {
            self.failed = Some(error.into());
        }
        self.octets.clear();
    }
}

impl<F> Sink for Download<'_, F>
where
    F: FnMut(usize, Option<Arrived>, Option<Box<dyn Draft>>) + Send,
{
    fn begin(&mut self, _: Option<u64>) {
        let line_endings = self
            .to
            .map_or(LineEndings::Crlf, |(_, style)| style(self.index));
        self.arrival = Some(Arrival::new(line_endings));
        if let Some((store, _)) = self.to {
            match store.draft() {
                Ok(draft) => self.draft = Some(draft),
                Err(error) => self.failed = Some(error.into()),
            }
        }
    }

    fn content(&mut self, octets: &[u8]) {
        if let Some(arrival) = &mut self.arrival {
            arrival.take(octets, &mut self.octets);
            self.is_endless |= arrival.octets() > MAX_OCTETS;
        }
        self.write();
    }

    fn end(&mut self) {
        let arrived = self
            .arrival
            .take()
            .map(|arrival| arrival.finish(&mut self.octets));
        self.write();
        if self.failed.is_none() {
            (self.done)(self.index, arrived, self.draft.take());
        }
        self.draft = None;
        self.index += 1;
    }

    fn refused(&mut self, _: Refusal) {
        (self.done)(self.index, None, None);
        self.index += 1;
    }

    async fn hand_over(&mut self) -> bool {
        self.failed.is_none() && !self.is_endless
    }
}
