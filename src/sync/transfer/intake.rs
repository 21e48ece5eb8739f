//! The reader's side of a retrieval: digests and counts the octets, and passes them on.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

use super::arrival::Arrival;
use super::chunk::{Chunk, Ended, Part, Step};
use super::order::{Order, Slot};
use super::reading::Reading;
use super::supply::Supply;
use super::workers::{Returns, Workers};
use crate::account::LineEndings;
use crate::session::{INPUT_SIZE, Refusal, Sink};
use crate::stop::Stop;
use crate::sync::{Error, Event, Reporter};

/// The maximum size of a message. A larger one is considered endless, whatever the server
/// announced.
const MAX_OCTETS: u64 = 64 << 30;

/// A message may always have this many octets, even if the listing gave it fewer. Sizes are
/// estimates, not promises, but a gigabyte that was announced as a kilobyte is an attack.
const ALWAYS_ALLOWED: u64 = 2 << 30;

/// The maximum ratio of a message's size to its listed size.
const ESTIMATE_FACTOR: u64 = 4;

/// The maximum number of octets of a message with this listed size. With more it is considered
/// endless.
pub(in crate::sync) fn allowed(listed: Option<u64>) -> u64 {
    let listed = listed.unwrap_or(0);
    listed
        .saturating_mul(ESTIMATE_FACTOR)
        .clamp(ALWAYS_ALLOWED, MAX_OCTETS)
}

/// The writer begins when the first chunk has so many octets, or so many marks, or is so old. A
/// retrieval that ends before needs no threads.
const FIRST_CHUNK: usize = 4 * INPUT_SIZE;
const FIRST_MARKS: usize = 1024;
const FIRST_AGE: Duration = Duration::from_millis(200);

/// The reason why the rest of a message is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endless {
    /// Its octets are far beyond its listed size.
    BeyondListed,
    /// It is larger than `max-size`.
    BeyondMaxSize,
    /// The file system has no room for it.
    NoRoom,
}

impl Endless {
    /// The text for such a message.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::BeyondListed => "it does not end",
            Self::BeyondMaxSize => "larger than max-size, although the server listed it as smaller",
            Self::NoRoom => "the file system has no room for it",
        }
    }
}

impl From<Endless> for Error {
    fn from(endless: Endless) -> Self {
        match endless {
            Endless::BeyondListed => Self::EndlessMessage {
                reason: endless.reason(),
            },
            Endless::BeyondMaxSize => Self::LargerThanMaxSize,
            Endless::NoRoom => Self::NoRoom,
        }
    }
}

/// Takes messages from the session; see [`Sink`].
pub(super) struct Intake<'a> {
    /// The session's place among those of the retrieval. The first one has made the listing.
    pub(super) session: u8,
    pub(super) order: &'a Order,
    pub(super) supply: &'a Supply,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) line_endings: LineEndings,
    /// Larger messages are not stored, even if the listing gave a smaller size.
    pub(super) max_size: Option<u64>,
    /// After a signal, the current message is the last.
    pub(super) stop: Stop,
    pub(super) to_writer: Sender<Chunk>,
    pub(super) workers: &'a Workers,
    pub(super) returns: &'a Returns,
    pub(super) chunk: Chunk,
    /// When the first chunk began.
    began: Option<Instant>,
    /// The part of the first chunk that came in earlier reads.
    earlier: Part,
    /// The message that is being received.
    pub(super) arrival: Option<(Slot, Arrival)>,
    /// The size in the server's answer for it.
    pub(super) announced: Option<u64>,
    /// True if it begins like an answer: that to this RETR may have been taken by a line too many
    /// before it.
    pub(super) begins_like_answer: bool,
    /// True if it begins with a dot that was not stuffed.
    pub(super) has_lone_dot: bool,
    /// The last message that was answered.
    pub(super) last: Option<Slot>,
    /// The messages that the server refused.
    pub(super) refused: Vec<Slot>,
    /// True if nothing came since the last refusal.
    pub(super) refused_last: bool,
    /// The messages that could not be retrieved.
    pub(super) failures: Vec<Slot>,
    pub(super) received: u64,
    /// The number of octets that the file system has room for.
    pub(super) room: u64,
    /// A message that is larger than allowed. It may have ended in the same read.
    pub(super) endless: Option<(Slot, Endless)>,
    /// True if the session is to end early.
    pub(super) wants_no_more: bool,
}

impl<'a> Intake<'a> {
    /// The intake of a session of this retrieval.
    pub(super) fn new(reading: &'a Reading<'_>, session: u8, to_writer: Sender<Chunk>) -> Self {
        let account = reading.account;
        Self {
            session,
            order: &reading.order,
            supply: &reading.supply,
            reporter: reading.reporter,
            line_endings: account.store.line_endings(),
            max_size: account.limits.max_size.map(Into::into),
            stop: reading.stop.clone(),
            to_writer,
            workers: &reading.workers,
            returns: &reading.returns,
            chunk: Chunk::of(session),
            began: None,
            earlier: Part::default(),
            arrival: None,
            announced: None,
            begins_like_answer: false,
            has_lone_dot: false,
            last: None,
            refused: Vec::new(),
            refused_last: false,
            failures: Vec::new(),
            received: 0,
            room: reading.room,
            endless: None,
            wants_no_more: false,
        }
    }

    /// The reason why a message of this many octets is too large, if it is.
    fn beyond(&self, slot: Slot, total: u64) -> Option<Endless> {
        let max_size = self.max_size.filter(|_| !self.order.is_marked(slot));
        let allowed = allowed(self.order.message(slot).octets);
        // The listing's size is an estimate, so the check allows twice the limit.
        if max_size.is_some_and(|max| total > max.saturating_mul(2)) {
            Some(Endless::BeyondMaxSize)
        } else if total > allowed {
            Some(Endless::BeyondListed)
        } else if total > self.room {
            Some(Endless::NoRoom)
        } else {
            None
        }
    }

    /// True after a signal, unless a message is being received.
    fn is_to_end(&self) -> bool {
        self.arrival.is_none() && self.stop.asked().is_some()
    }

    /// The messages at which the session may have broken: the one that was being received or due,
    /// and, if client and server are out of step, the one before it, which may continue after its
    /// apparent end.
    pub(super) fn suspects(&self, is_out_of_step: bool) -> Vec<Vec<u8>> {
        let before = self
            .last
            .filter(|_| is_out_of_step && self.arrival.is_none());
        let due = self.supply.due(self.session);
        let next = || (self.session == 0).then(|| self.supply.first_unasked());
        let current = due.or_else(|| next().flatten());
        self.ids(&before.into_iter().chain(current).collect::<Vec<Slot>>())
    }

    pub(super) fn fail(&mut self, slot: Slot, reason: &str) {
        self.failures.push(slot);
        let message = self.order.message(slot);
        self.reporter.report(Event::MessageFailed {
            number: message.number.as_u32(),
            unique_id: message.unique_id,
            reason,
        });
    }

    /// The unique-ids of the messages that the server refused.
    pub(super) fn refused_ids(&self) -> Vec<Vec<u8>> {
        self.ids(&self.refused)
    }

    /// The unique-ids of the messages that could not be retrieved.
    pub(super) fn failed_ids(&self) -> Vec<Vec<u8>> {
        self.ids(&self.failures)
    }

    pub(super) fn ids(&self, slots: &[Slot]) -> Vec<Vec<u8>> {
        let messages = slots.iter().map(|&slot| self.order.message(slot));
        messages.map(|message| message.unique_id.to_vec()).collect()
    }

    /// Passes on what has come. False if no more is wanted.
    async fn pass_on(&mut self) -> bool {
        if self.received > 0 {
            self.reporter.report(Event::Received {
                octets: self.received,
            });
            self.received = 0;
        }
        self.returns.report_stored(self.reporter);
        if self.endless.is_some() {
            return false;
        }
        if self.is_first_chunk_open() {
            self.earlier = self.chunk.part();
            return !self.is_to_end();
        }
        self.workers.start();
        self.flush().await && !self.is_to_end()
    }

    /// True if the writer has not begun, and need not yet: perhaps the rest comes soon, and is little.
    fn is_first_chunk_open(&mut self) -> bool {
        let began = *self.began.get_or_insert_with(Instant::now);
        !self.workers.are_running()
            && self.chunk.octets.len() < FIRST_CHUNK
            && self.chunk.marks.len() < FIRST_MARKS
            && began.elapsed() < FIRST_AGE
    }

    /// Hands the part of the first chunk to the writer that came in earlier reads, and drops the rest.
    pub(super) async fn flush_earlier(&mut self) {
        let earlier = std::mem::take(&mut self.earlier);
        self.chunk.truncate(earlier);
        self.flush().await;
    }

    /// Hands the chunk to the writer. If this is broken off, the chunk stays here. False if there is
    /// no writer any more.
    pub(super) async fn flush(&mut self) -> bool {
        if self.chunk.is_empty() {
            return true;
        }
        let Ok(place) = self.to_writer.reserve().await else {
            return false;
        };
        let next = self.returns.spare(self.session);
        place.send(std::mem::replace(&mut self.chunk, next));
        self.earlier = Part::default();
        true
    }
}

impl Sink for Intake<'_> {
    fn begin(&mut self, announced: Option<u64>) {
        let Some(slot) = self.supply.due(self.session) else {
            return;
        };
        self.refused_last = false;
        self.announced = announced;
        self.begins_like_answer = false;
        self.has_lone_dot = false;
        self.arrival = Some((slot, Arrival::new(self.line_endings)));
        self.chunk.mark(Step::Begin { slot });
    }

    fn content(&mut self, octets: &[u8]) {
        self.received += octets.len() as u64;
        let Some((slot, arrival)) = &mut self.arrival else {
            return;
        };
        self.begins_like_answer |= arrival.octets() == 0 && octets.starts_with(b"+OK");
        arrival.take(octets, &mut self.chunk.octets);
        let (slot, total) = (*slot, arrival.octets());
        // The limits are checked while a message arrives, because an endless one has no end to
        // check at.
        let beyond = || Some((slot, self.beyond(slot, total)?));
        self.endless = self.endless.or_else(beyond);
    }

    fn lone_dot(&mut self) {
        self.has_lone_dot = true;
    }

    fn end(&mut self) {
        let Some((slot, arrival)) = self.arrival.take() else {
            return;
        };
        let listed = self.order.message(slot).octets;
        let octets = arrival.octets();
        // Exchange has sent nothing where a message was due. A message that is really empty has
        // the listed size 0.
        if octets == 0 && listed != Some(0) {
            self.chunk.mark(Step::Discard);
            self.fail(
                slot,
                "the server sent an empty message; it stays there and is asked for again",
            );
        } else if self.endless.is_some() {
            self.chunk.mark(Step::Discard);
        } else {
            let arrived = arrival.finish(&mut self.chunk.octets);
            // The server's size includes the dot that it did not stuff.
            let uncounted = u64::from(self.has_lone_dot);
            self.chunk.mark(Step::End(Ended {
                arrived,
                announced: self.announced,
                counted: arrived.octets + uncounted,
                begins_like_answer: self.begins_like_answer,
            }));
            self.reporter.report(Event::Retrieved);
        }
        self.last = Some(slot);
        self.supply.answered(self.session);
    }

    fn refused(&mut self, refusal: Refusal) {
        let Some(slot) = self.supply.due(self.session) else {
            return;
        };
        // XPOP3:C0004: it may have vanished since the listing.
        self.fail(slot, &refusal.to_string());
        self.refused.push(slot);
        self.refused_last = true;
        self.last = Some(slot);
        self.supply.answered(self.session);
    }

    async fn hand_over(&mut self) -> bool {
        let wants_more = self.pass_on().await;
        self.wants_no_more = !wants_more;
        wants_more
    }
}
