//! Steps 2 and 3: from nothing to a maildrop.

use secrecy::SecretString;

use super::{Event, Request, deletion};
use crate::account::Limits;
use crate::cache::{self, Cache, Snapshot};
use crate::maildrop::{self, Maildrop};
use crate::policy::Memory;
use crate::pop3::{Capabilities, Keyword};
use crate::session::{self, Listing, Peer, Refusal, Session};

/// Up to this many messages at the last listing, sizes are asked for together with unique-ids:
/// one wait for the server less. Above it, listing sizes that nobody needs would cost more.
const SIZES_AT_ONCE: u64 = 5_000;

/// Where fewer than one message in so many is new, sizes cost more than they are good for,
/// unless a limit needs them.
const WORTH_SIZES: usize = 200;

/// What earlier runs learnt of the server.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Messages that it listed last.
    listed: Option<u64>,
    capabilities: Option<Capabilities>,
}

impl Past {
    /// The same, but such that no sizes are asked for.
    pub(super) fn without_sizes(self) -> Self {
        Self {
            listed: Some(u64::MAX),
            ..self
        }
    }

    pub(super) fn read(cache: &Cache, account: i64) -> Result<Self, cache::Error> {
        Ok(Self {
            listed: cache.listed_last(account)?,
            capabilities: cache.capabilities(account)?,
        })
    }
}

/// A session whose maildrop is listed.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) builder: maildrop::Builder,
    /// What the server said to UIDL, where it does not have that.
    pub(super) nameless: Option<Refusal>,
}

/// Steps 2 and 3: connects, logs in, and lists. Sizes are among what is listed where that costs
/// no wait of its own, or next to nothing.
pub(super) async fn open(
    request: &Request<'_>,
    password: &SecretString,
    past: &Past,
) -> Result<Opened, session::Error> {
    let known = past.capabilities.as_ref();
    let connected = |peer: &Peer| {
        request.reporter.report(Event::Connected {
            address: &peer.address,
            tls: peer.tls.as_deref(),
        });
    };
    let mut session = Session::begin(request.account, password, known, connected).await?;
    request.reporter.report(Event::LoggedIn);
    let mut builder = maildrop::Builder::expecting(past.listed.unwrap_or(0));
    let few = past.listed.is_none_or(|listed| listed <= SIZES_AT_ONCE);
    let sizes = session.capabilities().pipelining() && few;
    let enter = |line: Listing<'_>| enter(&mut builder, line);
    let nameless = match session.listings(sizes, enter).await {
        Ok(()) => None,
        // A server without it, and not one that is busy.
        Err(session::Error::Refused(refusal))
            if refusal.command == Some(Keyword::Uidl) && !refusal.is_temporary() =>
        {
            builder = builder.without_unique_ids();
            scan(&mut session, &mut builder).await?;
            if !builder.has_sizes() && builder.is_expected() {
                // It refuses LIST, too.
                deletion::leave(session).await;
                return Err(session::Error::Refused(refusal));
            }
            Some(refusal)
        }
        Err(error) => {
            if matches!(error, session::Error::Refused(_)) {
                deletion::leave(session).await;
            }
            return Err(error);
        }
    };
    Ok(Opened {
        session,
        builder,
        nameless,
    })
}

/// The rest of step 3: sizes, where they are of use.
pub(super) async fn complete(
    request: &Request<'_>,
    session: &mut Session,
    mut builder: maildrop::Builder,
    snapshot: &Snapshot,
) -> Result<Maildrop, session::Error> {
    if !builder.has_sizes()
        && !builder.is_nameless()
        && wants_sizes(&request.account.limits, builder.maildrop(), snapshot)
    {
        scan(session, &mut builder).await?;
    }
    let maildrop = builder.finish();
    request.reporter.report(Event::Listed {
        messages: maildrop.len() as u64,
    });
    Ok(maildrop)
}

/// Adds the sizes, whether they are of use or not.
pub(super) async fn scan(
    session: &mut Session,
    builder: &mut maildrop::Builder,
) -> Result<(), session::Error> {
    session.scan_listing(|line| enter(builder, line)).await
}

/// Whether there is enough to retrieve that its sizes are worth listing all.
fn wants_sizes(limits: &Limits, maildrop: &Maildrop, snapshot: &Snapshot) -> bool {
    let limited = limits.max_size.is_some()
        || limits.max_octets.is_some()
        || limits.headers_only_above.is_some();
    let mut new = 0;
    for message in maildrop.iter() {
        match snapshot.recall(message.unique_id) {
            // Whether it is the same message as before, its size may tell.
            Some(remembered) if remembered.gone.is_some() => return true,
            Some(_) => {}
            None => new += 1,
        }
    }
    new > 0 && (limited || new >= maildrop.len() / WORTH_SIZES)
}

fn enter(builder: &mut maildrop::Builder, line: Listing<'_>) {
    match line {
        Listing::Drop(listing) => builder.drop_listing(listing),
        Listing::Scan(line) => builder.scan_listing(line),
        Listing::UniqueId(line) => builder.unique_id_listing(line),
    }
}
