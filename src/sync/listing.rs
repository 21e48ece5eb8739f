//! Steps 2 and 3: from nothing to a maildrop.

use secrecy::SecretString;

use super::{Event, Request};
use crate::cache::Snapshot;
use crate::maildrop::{self, Maildrop};
use crate::policy::Memory;
use crate::session::{self, Listing, Session};

/// Up to this many messages at the last listing, sizes are asked for together with unique-ids:
/// one wait for the server less. Above it, listing sizes that nobody needs would cost more.
const SIZES_AT_ONCE: u64 = 5_000;

/// Steps 2 and 3: connects, logs in, and lists. Sizes are among what is listed where that costs
/// no wait of its own, or next to nothing.
pub(super) async fn open(
    request: &Request<'_>,
    password: &SecretString,
    listed_last: Option<u64>,
) -> Result<(Session, maildrop::Builder), session::Error> {
    let (mut session, peer) = Session::open(request.account).await?;
    request.reporter.report(Event::Connected {
        address: peer.address,
        tls: peer.tls.as_deref(),
    });
    session.login(&request.account.user, password).await?;
    request.reporter.report(Event::LoggedIn);
    let mut builder = maildrop::Builder::default();
    let sizes =
        session.capabilities().pipelining() && listed_last.is_none_or(|last| last <= SIZES_AT_ONCE);
    session
        .listings(sizes, |line| enter(&mut builder, line))
        .await?;
    Ok((session, builder))
}

/// The rest of step 3: sizes, which are of use only where there is something to retrieve.
pub(super) async fn complete(
    request: &Request<'_>,
    session: &mut Session,
    mut builder: maildrop::Builder,
    snapshot: &Snapshot,
) -> Result<Maildrop, session::Error> {
    let is_new = |message: maildrop::Message<'_>| snapshot.recall(message.unique_id).is_none();
    if !builder.has_sizes() && builder.maildrop().iter().any(is_new) {
        session
            .scan_listing(|line| enter(&mut builder, line))
            .await?;
    }
    let maildrop = builder.finish();
    request.reporter.report(Event::Listed {
        messages: maildrop.len() as u64,
    });
    Ok(maildrop)
}

fn enter(builder: &mut maildrop::Builder, line: Listing<'_>) {
    match line {
        Listing::Drop(listing) => builder.drop_listing(listing),
        Listing::Scan(line) => builder.scan_listing(line),
        Listing::UniqueId(line) => builder.unique_id_listing(line),
    }
}
