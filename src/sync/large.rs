//! Large messages in a sync: their headers, and the stubs that stand for them in the store.
//!
//! A stub is stored by the store's steps 1 to 6, like a message, and is recorded with the header
//! and not among the messages. Once the message is stored whole and shown, step 7 moves it to the
//! stub's place. After a crash in between, the next run does it, because the record remains.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::broke::{Broke, Untoppable};
use super::filed::FiledStubs;
use super::headers::{self, Header};
use super::ledger::{Ledger, Thread};
use super::likeness::Likeness;
use super::stub::{self, Facts};
use super::{Error, Event, Request, Stop, Summary, Warning};
use crate::cache::{AccountId, Cache, HeaderRow, LargeMessage, Whole};
use crate::maildrop::{Maildrop, Message};
use crate::policy::{Action, Plan};
use crate::session::Session;
use crate::store::{self, Name, Store, stop_point};

/// The number of headers, or stubs, that are recorded at a time.
const BATCH: usize = 256;

/// The inputs for retrieving the headers of large messages.
pub(super) struct Headers<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) stop: &'a Stop,
    pub(super) ledger: &'a mut Ledger,
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) untoppable: &'a Untoppable,
}

impl Headers<'_> {
    /// Retrieves the headers that the plan asks for, and stores the missing stubs.
    pub(super) async fn retrieve(
        mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        plan: &Plan,
        summary: &mut Summary,
    ) -> Result<(), Broke> {
        let wanted = plan.places();
        let wanted = wanted.filter(|(_, decision)| decision.action == Action::Headers);
        let wanted = wanted.filter_map(|(place, _)| maildrop.get(place));
        // A message at which the session breaks gives no header.
        let (bare, wanted): (Vec<Message<'_>>, Vec<Message<'_>>) =
            wanted.partition(|message| self.untoppable.has(message.unique_id));
        let mut without = bare.len() as u64;
        let bare = bare.into_iter().map(|message| large(message, None));
        self.record(bare.collect()).await?;
        let mut goes_on = true;
        for messages in wanted.chunks(BATCH) {
            let mut rows = Vec::with_capacity(messages.len());
            let pulled = match goes_on {
                true => self.pull(session, messages, &mut rows, summary).await,
                false => Ok(false),
            };
            // If the first one is only refused for now, the next run asks again.
            if let (Ok(false), false) = (&pulled, rows.is_empty() && goes_on) {
                goes_on = false;
                let had = rows.len();
                rows.extend(messages[had..].iter().map(|message| large(*message, None)));
            }
            let bare = rows.iter().filter(|row| row.header.is_none()).count() as u64;
            without += bare;
            summary.headers += rows.len() as u64 - bare;
            self.record(rows).await?;
            pulled?;
        }
        if without > 0 {
            self.request
                .warn(Warning::WithoutHeader { messages: without });
        }
        if self.request.account.limits.header_stubs {
            session.keep_alive_while(self.stubs()).await??;
        }
        Ok(())
    }

    async fn record(&mut self, rows: Vec<LargeMessage>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let now = (self.request.clock)();
        self.ledger
            .with(move |cache, account| cache.record_headers(account, &rows, now))
            .await
    }

    /// Asks for the headers of these messages. Returns false if the server does not send them.
    async fn pull(
        &mut self,
        session: &mut Session,
        messages: &[Message<'_>],
        rows: &mut Vec<LargeMessage>,
        summary: &mut Summary,
    ) -> Result<bool, Broke> {
        let asked: Vec<headers::Asked> = messages.iter().map(|&message| message.into()).collect();
        let reporter = self.request.reporter;
        let pulling = headers::pull(session, &asked, |index, header| {
            let message = messages[index];
            match header {
                Header::Is(octets) => rows.push(large(message, Some(octets))),
                Header::Refused(refusal) if refusal.is_temporary() => {
                    summary.failed += 1;
                    reporter.report(Event::MessageFailed {
                        number: message.number.as_u32(),
                        unique_id: message.unique_id,
                        reason: &refusal.to_string(),
                    });
                }
                Header::Refused(_) | Header::Unusable => rows.push(large(message, None)),
            }
        });
        self.stop.unless_stopped(pulling).await?.map_err(|cut| {
            let at = messages.get(cut.index);
            Broke::at_top(cut.error, at.map(|message| message.unique_id.to_vec()))
        })
    }

    /// Stores stubs for messages that have none and never had one: a stub that a person has deleted
    /// is not made again.
    async fn stubs(&mut self) -> Result<(), Error> {
        let account = self.request.account.clone();
        let store = Arc::clone(self.store);
        // The session is kept alive meanwhile.
        self.ledger
            .on(Thread::Other, move |cache, id| {
                let rows = cache.without_stub(id)?;
                if !rows.is_empty() {
                    // Before the first file bears the account's tag.
                    cache.wait_for_disk()?;
                }
                let text = |row: &HeaderRow| {
                    let facts = Facts {
                        account: &account.name,
                        host: &account.server.host,
                        unique_id: &row.unique_id,
                        octets: row.listed_octets,
                    };
                    let header = row.header.as_deref().unwrap_or_default();
                    stub::text(header, facts, account.store.line_endings())
                };
                make(cache, id, &*store, &rows, text)
            })
            .await
    }
}

/// Steps 1 to 6 for stubs.
fn make(
    cache: &mut Cache,
    account: AccountId,
    store: &dyn Store,
    rows: &[HeaderRow],
    text: impl Fn(&HeaderRow) -> Vec<u8>,
) -> Result<(), Error> {
    for batch in rows.chunks(BATCH) {
        let mut stubs: Vec<(i64, Name)> = Vec::with_capacity(batch.len());
        for row in batch {
            // Step 1. Recovery removes what an error leaves behind.
            let mut draft = store.draft()?;
            draft.write(&text(row))?;
            stubs.push((row.id, draft.finish()?));
        }
        let names: Vec<Name> = stubs.iter().map(|(_, name)| name.clone()).collect();
        // Step 2.
        store.settle(&names)?;
        // Step 3.
        cache.stage_stubs(&stubs)?;
        stop_point(3);
        // Steps 4 and 5.
        store.publish(&names)?;
        // Step 6.
        cache.settle_stubs(account, &[])?;
    }
    Ok(())
}

/// Step 7: moves messages that are stored whole and shown to the places of their stubs, removes the
/// stubs, and forgets their headers. A stub that a person has deleted is gone already.
pub(super) fn drop_stubs(
    cache: &mut Cache,
    account: AccountId,
    store: &dyn Store,
    maildir: Option<&Path>,
) -> Result<(), Error> {
    let whole = cache.whole_by_now(account)?;
    if whole.is_empty() {
        return Ok(());
    }
    cache.wait_for_disk()?;
    let stubs = whole.iter();
    let pairs: Vec<(Name, Option<Name>)> = stubs
        .filter_map(|row| Some((row.stub.clone()?, row.message.clone())))
        .collect();
    let mut left = HashSet::new();
    if let (Some(maildir), false) = (maildir, pairs.is_empty()) {
        let mut replaced = store::replace(maildir, &pairs)?;
        let copies = copies(cache, store, &whole, &replaced.gone)?;
        if !copies.is_empty() {
            store::replace(maildir, &copies)?;
        }
        left = std::mem::take(&mut replaced.left);
    }
    stop_point(7);
    let done: Vec<i64> = whole
        .iter()
        .filter(|row| !row.stub.as_ref().is_some_and(|stub| left.contains(stub)))
        .map(|row| row.id)
        .collect();
    cache.forget_headers(&done)?;
    Ok(())
}

/// The stubs that a mail program has filed under new names, with the messages that replace them.
fn copies(
    cache: &Cache,
    store: &dyn Store,
    whole: &[Whole],
    gone: &HashSet<Name>,
) -> Result<Vec<(Name, Option<Name>)>, Error> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let filed = FiledStubs::read(store)?;
    let mut copies = Vec::new();
    for row in whole {
        if row.stub.as_ref().is_some_and(|stub| gone.contains(stub))
            && let Some(header) = cache.header_of(row.id)?
            && let Some(copy) = filed.of(&Likeness::of_sent(&header))
        {
            copies.push((copy.clone(), row.message.clone()));
        }
    }
    Ok(copies)
}

fn large(message: Message<'_>, header: Option<&[u8]>) -> LargeMessage {
    LargeMessage {
        unique_id: message.unique_id.to_vec(),
        // The plan never treats a message without a size as large.
        listed_octets: message.octets.unwrap_or_default(),
        header: header.map(|octets| (octets.to_vec(), headers::digest(octets))),
    }
}
