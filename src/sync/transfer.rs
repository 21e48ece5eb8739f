//! Retrieves the messages that the plan asks for. Sockets, files and cache each have their own
//! thread, with bounded channels between them. If it is little, one thread does all of it.
//!
//! One session, or several that share the messages, read: `reading`, `lane`, `supply`, `further`.
//!
//! The socket does not wait for the disk while the channels have room. The channels are small:
//! memory grows neither with messages nor with mailboxes.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;

use tokio::sync::mpsc::{Sender, channel, unbounded_channel};

use super::{Clock, Error, Event, Reporter, Stop, Warning};
use crate::account::Account;
use crate::cache::{AccountId, Cache, DoubtReason, MessageKey};
use crate::session::Session;
use crate::store::Store;

mod arrival;
mod chunk;
mod committer;
mod ending;
mod further;
mod intake;
mod landing;
mod lane;
mod order;
mod pull;
mod reading;
pub(super) mod sample;
mod supply;
mod workers;
mod writer;

pub(super) use arrival::{Arrival, Arrived};
pub(super) use further::Further;
pub(super) use intake::allowed;
pub(super) use landing::{Committed, Exactness, Landed, Landing};
pub(super) use order::Order;

use chunk::Chunk;
use committer::{Committer, Results};
use landing::Size;
use reading::Reading;
use supply::Supply;
use workers::{Returns, Workers};
use writer::Writer;

/// The maximum number of chunks between the socket and the files.
const CHUNKS: usize = 16;

/// The maximum number of batches that wait for the disk besides the one being written.
const BATCHES: usize = 1;

/// The maximum number of batches that wait for another program that takes messages one by one. They
/// are on the disk.
const BATCHES_TO_HAND_OVER: usize = 64;

/// The part of a large file system that stays free, whatever a server sends: other programs need
/// room, too. A small one reports when it is full.
const RESERVE: u64 = 64 << 20;

/// A further session takes as long as so many messages to log in and list, if the server does not
/// pipeline.
const WORTH_A_SESSION: usize = 16;

/// The reason for a message that would be larger than a file may be.
const TOO_LARGE: &str = "larger than a file may be here";

/// The inputs of a retrieval.
pub(super) struct Retrieval<'a> {
    pub(super) account: &'a Account,
    pub(super) account_id: AccountId,
    pub(super) store: Arc<dyn Store>,
    pub(super) cache: Cache,
    pub(super) order: Arc<Order>,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) clock: Clock,
    /// No message is recorded as stored before this time.
    pub(super) not_before: i64,
    pub(super) stop: Stop,
    /// The exactness of the server's sizes so far.
    pub(super) exactness: Exactness,
    /// Recorded messages that are already matched with other messages of the listing.
    pub(super) taken: HashSet<MessageKey>,
    /// How to open further sessions. None if there is to be one session alone.
    pub(super) further: Option<Further<'a>>,
}

/// The result of a retrieval.
pub(super) struct Retrieved {
    /// The messages that are stored durably and recorded. Those that came in the session that has
    /// made the listing are the last.
    pub(super) landings: Vec<Landing>,
    /// The number of them that were stored now, and not found to be stored already.
    pub(super) messages: u64,
    pub(super) octets: u64,
    /// True if no batch has failed.
    pub(super) all_published: bool,
    /// The number of messages that could not be retrieved.
    pub(super) failed: u64,
    /// Their unique-ids.
    pub(super) failed_ids: Vec<Vec<u8>>,
    /// The messages at which the session broke.
    pub(super) suspects: Vec<Vec<u8>>,
    /// The messages that were larger than allowed, so that the rest of them was not read.
    pub(super) endless: Vec<Vec<u8>>,
    /// True if some of them would be larger than a file may be here.
    pub(super) is_too_large: bool,
    /// True if client and server are out of step.
    pub(super) is_out_of_step: bool,
    /// The unique-ids of the refused messages, if the server hung up directly after the last
    /// refusal.
    pub(super) hung_up_after: Vec<Vec<u8>>,
    /// True if the server did not take several sessions at the same time well.
    pub(super) is_best_alone: bool,
    /// The error that ended it early, if there is one.
    pub(super) result: Result<(), Error>,
}

impl Retrieved {
    /// The result of a retrieval of no messages.
    pub(super) fn nothing() -> Self {
        Self {
            landings: Vec::new(),
            messages: 0,
            octets: 0,
            all_published: true,
            failed: 0,
            failed_ids: Vec::new(),
            suspects: Vec::new(),
            endless: Vec::new(),
            is_too_large: false,
            is_out_of_step: false,
            hung_up_after: Vec::new(),
            is_best_alone: false,
            result: Ok(()),
        }
    }

    /// Adds doubts to the messages that came shorter than LIST announced. The server's sizes proved
    /// exact only after they were recorded.
    fn doubt_short_ones(
        &mut self,
        cache: &mut Cache,
        exactness: Exactness,
    ) -> Result<(), crate::cache::Error> {
        if !exactness.is_proved() {
            return Ok(());
        }
        let is_late = |landing: &&mut Landing| {
            landing.size == Size::Shorter
                && landing.doubt.is_none()
                && matches!(landing.landed, Landed::Stored(_))
        };
        let mut keys: Vec<MessageKey> = Vec::new();
        for landing in self.landings.iter_mut().filter(is_late) {
            landing.doubt = Some(DoubtReason::Short);
            keys.push(landing.key);
        }
        cache.doubt(&keys, DoubtReason::Short)
    }
}

impl<'a> Retrieval<'a> {
    /// Retrieves and stores. However it ends, complete messages are stored and recorded.
    pub(super) async fn run(self, session: &mut Session) -> Result<(Cache, Retrieved), Error> {
        let is_fenced = self
            .further
            .as_ref()
            .is_some_and(|further| further.is_fenced);
        let (reading, to_writer) = self.start(session)?;
        let (order, reporter) = (&reading.order, reading.reporter);
        let mut read = reading.run(session, to_writer, is_fenced).await;
        let ended = read
            .settle(&reading.workers, session, &reading.stop)
            .await?;
        reading.returns.report_stored(reporter);
        let too_large = ended.written.too_large;
        let is_too_large = !too_large.is_empty();
        let too_large = too_large
            .into_iter()
            .map(|slot| (slot, TOO_LARGE.to_owned()));
        let mut done = ended.committed;
        let mut pull = read.pull;
        for (slot, reason) in done.results.refused.drain(..).chain(too_large) {
            let message = order.message(slot);
            pull.failed_ids.push(message.unique_id.to_vec());
            reporter.report(Event::MessageFailed {
                number: message.number.as_u32(),
                unique_id: message.unique_id,
                reason: &reason,
            });
        }
        let mut landings = done.results.landings;
        // It is stable: those of the first session come last, in their order.
        landings.sort_by_key(|landing| reading.supply.session_of(landing.slot) == 0);
        let mut retrieved = Retrieved {
            landings,
            messages: done.results.messages,
            octets: done.results.octets,
            all_published: done.result.is_ok(),
            failed: pull.failed_ids.len() as u64,
            failed_ids: pull.failed_ids,
            suspects: pull.suspects,
            endless: pull.endless,
            is_too_large,
            is_out_of_step: pull.is_out_of_step,
            hung_up_after: pull.hung_up_after,
            is_best_alone: read.is_best_alone,
            // If the disk fails, the writer often only sees that its batches are not accepted.
            result: (done.result)
                .and_then(|()| Ok(ended.written.result?))
                .and(pull.result),
        };
        retrieved.doubt_short_ones(&mut done.cache, done.exactness)?;
        // Only now, and only if all are stored: a server may delete at QUIT what it has sent
        // (RFC 2449 §6.7).
        let has_failed = retrieved.result.is_err();
        let ending = ending::end(read.others, is_fenced, has_failed, &reading.stop);
        let ended = match has_failed {
            true => ending.await,
            // QUIT is still to come in the first one.
            false => match session.keep_alive_while(ending).await {
                Ok(ended) => ended,
                Err(error) => {
                    retrieved.is_out_of_step |= session.is_out_of_step(&error);
                    retrieved.result = Err(error.into());
                    Vec::new()
                }
            },
        };
        retrieved.learn(ended, order, &reading.supply, &mut done.cache, reporter)?;
        Ok((done.cache, retrieved))
    }

    /// The number of sessions that are worth it.
    fn sessions(&self) -> u8 {
        let Some(further) = &self.further else {
            return 1;
        };
        let worth = 1 + self.order.len() / WORTH_A_SESSION;
        let most = usize::from(further.connections.get());
        u8::try_from(worth.min(most)).unwrap_or(u8::MAX)
    }

    /// Makes the parts that write and commit, and what feeds them.
    fn start(self, session: &Session) -> Result<(Reading<'a>, Sender<Chunk>), Error> {
        let sessions = self.sessions();
        let (to_writer, chunks) = channel(CHUNKS);
        // Room for all chunks in use: those in the channel, the readers' and the writer's.
        let (spare_to, spare) = channel(CHUNKS + 1 + usize::from(sessions));
        let (to_committer, batches) = sync_channel(if self.store.hands_over() {
            BATCHES_TO_HAND_OVER
        } else {
            BATCHES
        });
        let (stored_to, stored) = unbounded_channel();
        let failed = Arc::new(AtomicBool::new(false));
        let hands_over = self.store.hands_over();
        let room = room(&*self.store);
        let writer = Writer {
            store: Arc::clone(&self.store),
            chunks,
            spare: spare_to,
            batches: to_committer,
            failed: Arc::clone(&failed),
        };
        let committer = Committer {
            may_be_known: self.order.looks_into_any()
                || self.cache.has_unlisted(self.account_id)?,
            store: self.store,
            cache: self.cache,
            account: self.account_id,
            order: Arc::clone(&self.order),
            clock: self.clock,
            not_before: self.not_before,
            stored: stored_to,
            batches,
            failed,
            stop: self.stop.clone(),
            exactness: self.exactness,
            results: Results::default(),
            inventory: None,
            shown: HashSet::new(),
            taken: self.taken,
        };
        let may_take_long = hands_over || committer.may_be_known;
        let workers = Workers::new(writer, committer, self.stop.clone());
        // Several sessions pass on several chunks. Another program takes its time, and so does a look
        // into a large store: the session is kept alive meanwhile.
        if sessions > 1 || may_take_long {
            workers.start();
        }
        let reading = Reading {
            account: self.account,
            further: self.further,
            capabilities: session.capabilities().clone(),
            supply: Supply::new(self.order.len(), sessions),
            sessions,
            order: self.order,
            reporter: self.reporter,
            stop: self.stop,
            workers,
            returns: Returns::new(spare, stored),
            room,
        };
        Ok((reading, to_writer))
    }
}

/// The maximum number of octets of one message, for the free space that there is.
fn room(store: &dyn Store) -> u64 {
    let free = store.room().filter(|&free| free > 10 * RESERVE);
    free.map_or(u64::MAX, |free| free - RESERVE)
}
