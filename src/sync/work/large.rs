//! Large messages in a sync: their headers, and the stubs that stand for them in the store.
//!
//! A stub is made by the store's steps 1 to 6, as a message is, and is recorded beside the header
//! and not among the messages. Once the message is stored whole and shown, step 7 takes the stub
//! away; a crash in between leaves the record, by which the next run does it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::Work;
use crate::cache::{Cache, HeaderRow, LargeMessage};
use crate::maildrop::{Maildrop, Message};
use crate::policy::Action;
use crate::pop3::MessageNumber;
use crate::session::Session;
use crate::store::{self, Name, Store, stop_point};
use crate::sync::headers::{self, Header};
use crate::sync::planning::Plan;
use crate::sync::stub::{self, Facts};
use crate::sync::{Error, Event, Request, Stop, Summary, migration};

/// How many headers, or stubs, are recorded at a time.
const BATCH: usize = 256;

impl Work<'_> {
    /// Records which of the headers known belong to messages that are listed. `known`: whether
    /// there are any.
    pub(super) async fn note_headers(
        &mut self,
        maildrop: &Maildrop,
        known: bool,
    ) -> Result<(), Error> {
        if !known {
            return Ok(());
        }
        let ids = maildrop.iter().map(|message| message.unique_id.to_vec());
        let listed: HashSet<Vec<u8>> = ids.collect();
        let (account, now) = (self.row.id, (self.request.clock)());
        self.with_cache(move |cache| cache.headers_listed(account, |id| listed.contains(id), now))
            .await
    }

    /// Retrieves the headers that the plan wants, and makes the stubs that are missing.
    pub(super) async fn headers(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        plan: &Plan,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let places = plan.places(|action| action == Action::Headers);
        let mut goes_on = true;
        let mut without = 0;
        for batch in places.chunks(BATCH) {
            let messages: Vec<_> = batch.iter().filter_map(|&at| maildrop.get(at)).collect();
            let mut rows = Vec::with_capacity(messages.len());
            let pulled = if goes_on {
                pull(
                    self.request,
                    self.stop.clone(),
                    session,
                    &messages,
                    &mut rows,
                    summary,
                )
                .await
            } else {
                Ok(false)
            };
            // Where the first one is only refused for now, the next run asks again.
            if let (Ok(false), false) = (&pulled, rows.is_empty() && goes_on) {
                goes_on = false;
                let had = rows.len();
                rows.extend(messages[had..].iter().map(|message| large(*message, None)));
            }
            let bare = rows.iter().filter(|row| row.header.is_none()).count() as u64;
            without += bare;
            summary.headers += rows.len() as u64 - bare;
            let (account, now) = (self.row.id, (self.request.clock)());
            self.with_cache(move |cache| cache.record_headers(account, &rows, now))
                .await?;
            pulled?;
        }
        if without > 0 {
            let message = format!(
                "the server gives no header (TOP) of {without} large messages: they stay there, \
                 and are retrieved whole once `popsync mark` asks for them"
            );
            self.request
                .reporter
                .report(Event::Warning { message: &message });
        }
        if self.request.account.limits.header_stubs {
            session.keep_alive_while(self.stubs()).await??;
        }
        Ok(())
    }

    /// Puts stubs into the store for messages that have none and never had one: whoever deletes
    /// a stub does not get it again.
    async fn stubs(&mut self) -> Result<(), Error> {
        let account = self.request.account.clone();
        let id = self.row.id;
        let store = Arc::clone(&self.store);
        self.with_cache(move |cache| {
            let rows = cache.without_stub(id)?;
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
            Ok(make(cache, id, &*store, &rows, text))
        })
        .await?
    }

    /// Step 7, for what this run has stored whole.
    pub(super) async fn drop_stubs(&mut self) -> Result<(), Error> {
        let account = self.row.id;
        let path = self.request.account.store.maildir().map(Path::to_owned);
        self.with_cache(move |cache| Ok(drop_stubs(cache, account, path.as_deref())))
            .await?
    }
}

/// Asks for the headers of these messages; false where the server has none to give.
async fn pull(
    request: &Request<'_>,
    stop: Stop,
    session: &mut Session,
    messages: &[Message<'_>],
    rows: &mut Vec<LargeMessage>,
    summary: &mut Summary,
) -> Result<bool, Error> {
    let numbers: Vec<MessageNumber> = messages.iter().map(|message| message.number).collect();
    let reporter = request.reporter;
    let pulling = headers::pull(session, &numbers, |index, header| {
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
    stop.unless_stopped(pulling).await?
}

/// Steps 1 to 6 for stubs.
fn make(
    cache: &mut Cache,
    account: i64,
    store: &dyn Store,
    rows: &[HeaderRow],
    text: impl Fn(&HeaderRow) -> Vec<u8>,
) -> Result<(), Error> {
    for batch in rows.chunks(BATCH) {
        let mut stubs: Vec<(i64, Name)> = Vec::with_capacity(batch.len());
        for row in batch {
            // Step 1. What an error leaves behind, recovery removes.
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

/// Step 7: takes away the stubs of messages that are stored whole and shown, and forgets their
/// headers. A stub that a person has deleted is gone already.
pub(in crate::sync) fn drop_stubs(
    cache: &mut Cache,
    account: i64,
    maildir: Option<&Path>,
) -> Result<(), Error> {
    let whole = cache.whole_by_now(account)?;
    let stubs: Vec<&Name> = whole.iter().filter_map(|(_, stub)| stub.as_ref()).collect();
    let mut left = HashSet::new();
    if let (Some(maildir), false) = (maildir, stubs.is_empty()) {
        left = store::remove(maildir, &stubs)?;
    }
    if whole.is_empty() {
        return Ok(());
    }
    stop_point(7);
    let done: Vec<i64> = whole
        .iter()
        .filter(|(_, stub)| !stub.as_ref().is_some_and(|stub| left.contains(stub)))
        .map(|(id, _)| *id)
        .collect();
    cache.forget_headers(&done)?;
    Ok(())
}

fn large(message: Message<'_>, header: Option<&[u8]>) -> LargeMessage {
    LargeMessage {
        unique_id: message.unique_id.to_vec(),
        // The plan takes no message for large without a size.
        listed_octets: message.octets.unwrap_or_default(),
        header: header.map(|octets| (octets.to_vec(), migration::digest(octets))),
    }
}
