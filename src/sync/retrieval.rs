//! Retrieves what the plan wants: socket, files and cache each on their own thread, bounded
//! channels between them.
//!
//! The socket is never kept waiting for the disk as long as the channels have room, and they
//! hold little: memory grows neither with messages nor with mailboxes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;

use tokio::sync::mpsc::{channel, unbounded_channel};
use tokio::task::spawn_blocking;

use super::chunk::Chunk;
use super::committer::Committer;
use super::intake::Intake;
use super::writer::Writer;
use super::{Clock, Error, Event, Reporter, Stop};
use crate::account::Account;
use crate::cache::{Cache, Digest};
use crate::maildrop::{self, Maildrop};
use crate::policy::{self, Memory};
use crate::session::{INPUT_SIZE, Session, Wanted};
use crate::store::Store;

/// How many chunks may be on their way from the socket to the files.
const CHUNKS: usize = 16;

/// How many batches may wait for the disk besides the one that it works on.
const BATCHES: usize = 1;

/// How many may wait for another program that takes messages one by one. They are on the disk.
const BATCHES_TO_HAND_OVER: usize = 64;

/// Which messages are retrieved, in which order.
#[derive(Debug)]
pub(super) struct Order {
    maildrop: Arc<Maildrop>,
    /// Places in the maildrop.
    places: Vec<usize>,
    /// Places in the order whose unique-id does not tell which message it is.
    ambiguous: HashSet<usize>,
    /// Places in the order of messages that a person asked for.
    marked: HashSet<usize>,
}

impl Order {
    /// Orders these places of the maildrop, as planned from what is remembered.
    /// `changed` are those whose header is not the one that was recorded.
    pub(super) fn new(
        maildrop: Arc<Maildrop>,
        places: Vec<usize>,
        memory: &impl Memory,
        changed: &HashSet<usize>,
    ) -> Self {
        let ambiguous = places.iter().enumerate().filter(|&(_, &place)| {
            changed.contains(&place)
                || maildrop.get(place).is_some_and(|message| {
                    policy::is_ambiguous(message, memory.recall(message.unique_id))
                })
        });
        let ambiguous = ambiguous.map(|(slot, _)| slot).collect();
        let marked = places.iter().enumerate().filter(|&(_, &place)| {
            let message = maildrop.get(place);
            let header = message.and_then(|message| memory.recall_header(message.unique_id));
            header.is_some_and(|header| header.marked)
        });
        let marked = marked.map(|(slot, _)| slot).collect();
        Self {
            maildrop,
            places,
            ambiguous,
            marked,
        }
    }

    /// Orders these places of a maildrop without unique-ids.
    pub(super) fn by_content(maildrop: Arc<Maildrop>, places: Vec<usize>) -> Self {
        Self {
            maildrop,
            places,
            ambiguous: HashSet::new(),
            marked: HashSet::new(),
        }
    }

    /// Whether a person asked for the message in this place of the order, whatever its size.
    pub(super) fn is_marked(&self, slot: usize) -> bool {
        self.marked.contains(&slot)
    }

    /// Whether the unique-id in this place of the order does not tell which message it is.
    pub(super) fn is_ambiguous(&self, slot: usize) -> bool {
        self.ambiguous.contains(&slot)
    }

    /// The unique-ids all of whose messages are among `safe`, where that needs saying, and how
    /// many messages each has.
    pub(super) fn accounted_for(&self, safe: &[usize]) -> impl Iterator<Item = (Vec<u8>, u32)> {
        let mut counts: HashMap<&[u8], (u32, u32)> = HashMap::new();
        for &slot in safe.iter().filter(|slot| self.ambiguous.contains(slot)) {
            let message = self.message(slot);
            counts
                .entry(message.unique_id)
                .or_insert((0, message.copies))
                .0 += 1;
        }
        let complete = counts
            .into_iter()
            .filter(|(_, (safe, listed))| safe == listed);
        complete.map(|(unique_id, (_, listed))| (unique_id.to_vec(), listed))
    }

    /// The message in this place of the order.
    pub(super) fn message(&self, slot: usize) -> maildrop::Message<'_> {
        match self.maildrop.get(self.places[slot]) {
            Some(message) => message,
            None => unreachable!("places come from the maildrop's own plan"),
        }
    }

    /// The unique-ids in these places, with the number of copies that puts them in doubt.
    pub(super) fn in_doubt(&self, safe: &[usize]) -> impl Iterator<Item = (Vec<u8>, u32)> {
        safe.iter()
            .map(|&slot| (self.message(slot).unique_id.to_vec(), 0))
    }

    /// Whether there is nothing to retrieve.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The place in the maildrop of this place of the order.
    pub(super) fn place(&self, slot: usize) -> usize {
        self.places[slot]
    }

    fn wanted(&self) -> Vec<Wanted> {
        (0..self.places.len())
            .map(|slot| {
                let message = self.message(slot);
                Wanted {
                    number: message.number,
                    octets: message.octets,
                }
            })
            .collect()
    }
}

/// What a retrieval needs.
pub(super) struct Retrieval<'a> {
    pub(super) account: &'a Account,
    pub(super) account_id: i64,
    pub(super) store: Arc<dyn Store>,
    pub(super) cache: Cache,
    pub(super) order: Arc<Order>,
    /// Stored messages that may be among these under new unique-ids, by their content.
    pub(super) absent: HashMap<Digest, Vec<i64>>,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) clock: Clock,
    /// No message is recorded as stored before this.
    pub(super) not_before: i64,
    pub(super) stop: Stop,
}

/// What came of it.
pub(super) struct Retrieved {
    /// The places in the order of the messages that are safe: those that may be deleted on the
    /// server.
    pub(super) safe: Vec<usize>,
    /// Those of them that were found to be stored already.
    pub(super) known: HashSet<usize>,
    /// How many of them were stored, and not found to be stored already.
    pub(super) messages: u64,
    pub(super) octets: u64,
    /// No batch has failed.
    pub(super) all_published: bool,
    /// How many messages could not be had.
    pub(super) failed: u64,
    /// Their unique-ids.
    pub(super) failed_ids: Vec<Vec<u8>>,
    /// It is in doubt which message is which.
    pub(super) in_doubt: bool,
    /// The unique-ids of the messages that were refused, where the server hung up right after
    /// the last of them.
    pub(super) hung_up_after: Vec<Vec<u8>>,
    /// Why it ended before its time, if it did.
    pub(super) result: Result<(), Error>,
}

impl Retrieved {
    /// There was nothing to retrieve.
    pub(super) fn nothing() -> Self {
        Self {
            safe: Vec::new(),
            known: HashSet::new(),
            messages: 0,
            octets: 0,
            all_published: true,
            failed: 0,
            failed_ids: Vec::new(),
            in_doubt: false,
            hung_up_after: Vec::new(),
            result: Ok(()),
        }
    }
}

impl Retrieval<'_> {
    /// Retrieves and stores. However it ends, what was complete is stored and recorded.
    pub(super) async fn run(self, session: &mut Session) -> Result<(Cache, Retrieved), Error> {
        let (to_writer, chunks) = channel(CHUNKS);
        let (spare_to, spare) = channel(CHUNKS + 2);
        let (to_committer, batches) = sync_channel(if self.store.hands_over() {
            BATCHES_TO_HAND_OVER
        } else {
            BATCHES
        });
        let (stored_to, stored) = unbounded_channel();
        let failed = Arc::new(AtomicBool::new(false));
        let mut intake = Intake {
            order: &self.order,
            reporter: self.reporter,
            line_endings: self.account.store.line_endings(),
            max_size: self.account.limits.max_size.map(Into::into),
            to_writer,
            spare,
            stored,
            chunk: Chunk::with_capacity(INPUT_SIZE),
            arrival: None,
            slot: 0,
            refused: Vec::new(),
            refused_last: false,
            failures: Vec::new(),
            received: 0,
            endless: None,
        };
        let writer = Writer {
            store: Arc::clone(&self.store),
            chunks,
            spare: spare_to,
            batches: to_committer,
            failed: Arc::clone(&failed),
        };
        let committer = Committer {
            store: self.store,
            cache: self.cache,
            account: self.account_id,
            order: Arc::clone(&self.order),
            absent: self.absent,
            clock: self.clock,
            not_before: self.not_before,
            stored: stored_to,
            batches,
            failed,
            known: Vec::new(),
            stop: self.stop.clone(),
            refused: Vec::new(),
        };
        let writer = spawn_blocking(|| writer.run());
        let committer = spawn_blocking(|| committer.run());
        let wanted = self.order.wanted();
        let pulled = self
            .stop
            .unless_stopped(session.retr(&wanted, &mut intake))
            .await;
        let (mut failed_ids, endless) = (intake.failed_ids(), intake.endless);
        let in_doubt = matches!(&pulled, Ok(Err(error)) if session.is_out_of_step(error));
        let hung_up_after = match &pulled {
            Ok(Err(error)) if intake.refused_last && error.is_hang_up() => intake.refused_ids(),
            _ => Vec::new(),
        };
        let Intake {
            mut stored,
            to_writer,
            ..
        } = intake;
        // Without a sender the writer ends, and with it the committer. A slow disk may take its
        // time, and QUIT is still to come.
        drop(to_writer);
        let joined = async { (writer.await, committer.await) };
        tokio::pin!(joined);
        let mut ended = None;
        let mut alive = Ok(());
        if matches!(pulled, Ok(Ok(()))) && endless.is_none() {
            match session.keep_alive_while(joined.as_mut()).await {
                Ok(both) => ended = Some(both),
                Err(error) => alive = Err(error),
            }
        }
        let (written, committed) = match ended {
            Some(both) => both,
            None => joined.await,
        };
        let mut messages = 0;
        while stored.try_recv().is_ok() {
            messages += 1;
        }
        if messages > 0 {
            self.reporter.report(Event::Stored { messages });
        }
        let committed = committed.map_err(Error::panicked)?;
        let written = written.map_err(Error::panicked)?;
        for (slot, reason) in &committed.refused {
            let message = self.order.message(*slot);
            failed_ids.push(message.unique_id.to_vec());
            self.reporter.report(Event::MessageFailed {
                number: message.number.as_u32(),
                unique_id: message.unique_id,
                reason,
            });
        }
        let result = match (written, endless, pulled) {
            (Err(error), ..) => Err(error.into()),
            (_, Some(octets), _) => Err(Error::EndlessMessage { octets }),
            (_, _, Err(stopped)) => Err(stopped),
            (_, _, Ok(Err(error))) => Err(error.into()),
            (_, _, Ok(Ok(()))) => alive.map_err(Error::from),
        };
        Ok((
            committed.cache,
            Retrieved {
                safe: committed.safe,
                known: committed.known.into_iter().collect(),
                messages: committed.messages,
                octets: committed.octets,
                all_published: committed.result.is_ok(),
                failed: failed_ids.len() as u64,
                failed_ids,
                in_doubt,
                hung_up_after,
                // Where the disk fails, the writer often only learns that nobody takes its
                // batches.
                result: committed.result.and(result),
            },
        ))
    }
}
