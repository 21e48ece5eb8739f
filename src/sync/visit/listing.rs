//! Steps 2 and 3: connect, log in, list.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::sleep;

use super::patience::Patience;
use super::{Listed, Visit};
use crate::account::Limits;
use crate::cache::{self, AccountId, Cache, Shown, Snapshot};
use crate::maildrop::{self, Maildrop};
use crate::pop3::{Capabilities, Keyword};
use crate::session::{self, Listing, Peer, Session};
use crate::sync::{Event, Request, quit};

/// Up to this many messages in the last listing, or recorded, work with all of them takes no time worth
/// mentioning. Sizes are then asked for together with unique-ids, which saves one wait for the server;
/// above it, listing unneeded sizes would cost more.
pub(super) const FEW: u64 = 5_000;

/// If fewer than one message in this many is new, sizes cost more than they help, unless a limit
/// needs them.
const WORTH_SIZES: usize = 200;

/// The same if several connections may share the messages: a further one needs so many.
const WORTH_SIZES_TO_SHARE: usize = 100;

/// Knowledge of the server from earlier runs, and from earlier sessions of this one.
#[derive(Debug, Default)]
pub(in crate::sync) struct Past {
    /// The number of messages in the last listing.
    listed: Option<u64>,
    capabilities: Option<Capabilities>,
    /// STAT's octets, if the recorded sizes agree with them.
    stat_octets: Option<u64>,
    /// True if the last listing contradicted itself.
    contradicted: bool,
    /// True if no sizes are asked for: the server breaks the session at LIST, or they are not
    /// needed.
    without_sizes: bool,
    /// True if this run has logged in before.
    has_logged_in: bool,
    /// The time between two logins that the server asked for then.
    login_delay: Option<Duration>,
}

impl Past {
    /// The same, but without asking for sizes.
    pub(in crate::sync) fn without_sizes(self) -> Self {
        Self {
            without_sizes: true,
            ..self
        }
    }

    /// The part that still counts after a session could not begin: the rest may have been the
    /// obstacle.
    pub(in crate::sync) fn essence(&self) -> Self {
        Self {
            without_sizes: self.without_sizes,
            has_logged_in: self.has_logged_in,
            login_delay: self.login_delay,
            ..Self::default()
        }
    }

    /// True if the last listing, if there was one, had few messages.
    pub(super) fn is_small(&self) -> bool {
        self.listed.is_none_or(|listed| listed <= FEW)
    }

    /// Notes that this run has logged in to a server with these capabilities.
    pub(in crate::sync) fn note_login(&mut self, capabilities: &Capabilities) {
        self.has_logged_in = true;
        self.login_delay = capabilities.login_delay().map(Duration::from_secs);
    }

    /// The time between two logins that the server asks for.
    pub(in crate::sync) fn login_delay(&self) -> Option<Duration> {
        self.login_delay
    }

    pub(in crate::sync) fn read(
        cache: &Cache,
        account: AccountId,
        now: i64,
    ) -> Result<Self, cache::Error> {
        let brakes = cache.brakes(account)?.unwrap_or_default();
        Ok(Self {
            listed: cache.listed_last(account)?,
            capabilities: cache.capabilities(account)?,
            stat_octets: brakes.stat_octets,
            contradicted: brakes.contradicted,
            without_sizes: cache.breaks_at_list(account, now)?,
            ..Self::default()
        })
    }
}

/// The reason why there is no listing.
struct Unlisted {
    error: session::Error,
    /// True if LIST may be the reason.
    for_list: bool,
}

impl From<session::Error> for Unlisted {
    fn from(error: session::Error) -> Self {
        Self {
            error,
            for_list: false,
        }
    }
}

/// Steps 2 and 3: connects, logs in, and lists. The listing has sizes if they cost no extra wait,
/// or almost none. If LIST breaks the session, another one does without it.
pub(super) async fn open(
    request: &Request<'_>,
    password: &SecretString,
    past: &Past,
) -> Result<Visit, session::Error> {
    match list(request, password, past, past.without_sizes).await {
        Ok(visit) => Ok(visit),
        Err(unlisted) if unlisted.for_list => {
            without_list(request, password, past, unlisted.error).await
        }
        Err(unlisted) => Err(unlisted.error),
    }
}

/// Opens a further session without asking for sizes: they are only hints, and LIST may have caused
/// `broke`.
async fn without_list(
    request: &Request<'_>,
    password: &SecretString,
    past: &Past,
    broke: session::Error,
) -> Result<Visit, session::Error> {
    tracing::debug!(error = %broke, "the session broke at LIST, trying without");
    match list(request, password, past, true).await {
        Ok(visit) => Ok(Visit {
            list_broke: Some(true),
            ..visit
        }),
        Err(unlisted) => {
            tracing::debug!(error = %unlisted.error, "it is not LIST alone");
            Err(broke)
        }
    }
}

async fn list(
    request: &Request<'_>,
    password: &SecretString,
    past: &Past,
    without_sizes: bool,
) -> Result<Visit, Unlisted> {
    let known = past.capabilities.as_ref();
    let connected = |peer: &Peer| {
        request.reporter.report(Event::Connected {
            address: &peer.address,
            tls: peer.tls.as_deref(),
        });
    };
    let mut patience = Patience::new(request.account.timeout);
    let mut session = loop {
        let error = match Session::begin(request.account, password, known, connected).await {
            Ok(session) => break session,
            Err(error) => error,
        };
        let wait = patience.wait(&error, past.login_delay);
        match wait.filter(|_| past.has_logged_in) {
            Some(wait) => {
                tracing::debug!(%error, "trying again in {} s", wait.as_secs());
                sleep(wait).await;
            }
            None => return Err(error.into()),
        }
    };
    request.reporter.report(Event::LoggedIn);
    let mut builder = maildrop::Builder::default();
    let sizes = session.capabilities().pipelining() && past.is_small() && !without_sizes;
    let enter = |line: Listing<'_>| enter(&mut builder, line);
    let nameless = match session.listings(sizes, enter).await {
        Ok(()) => None,
        // The server lacks it, and is not just busy.
        Err(session::Error::Refused(refusal))
            if refusal.command == Some(Keyword::Uidl) && !refusal.is_temporary() =>
        {
            builder = builder.without_unique_ids();
            scan(&mut session, &mut builder).await?;
            if !builder.has_sizes() && builder.is_expected() {
                // It refuses LIST, too.
                quit::leave(session).await;
                return Err(session::Error::Refused(refusal).into());
            }
            Some(refusal)
        }
        Err(error) => {
            let for_list = session.is_due_to_list(&error);
            if matches!(error, session::Error::Refused(_)) {
                quit::leave(session).await;
            }
            return Err(Unlisted { error, for_list });
        }
    };
    Ok(Visit {
        session,
        builder,
        list_broke: (sizes || nameless.is_some()).then_some(false),
        nameless,
    })
}

/// The rest of step 3: sizes, if they are needed. Also returns the listing compared with the
/// recorded messages.
pub(super) async fn complete(
    mut visit: Visit,
    request: &Request<'_>,
    password: &SecretString,
    snapshot: &Snapshot,
    past: &Past,
) -> Result<Listed, session::Error> {
    let limits = &request.account.limits;
    let builder = &mut visit.builder;
    let mut shown = snapshot.shown_by(builder.maildrop());
    if !builder.has_sizes()
        && !builder.is_nameless()
        && (past.contradicted
            || wants_sizes(limits, builder.maildrop(), &shown)
            || total_has_changed(builder, snapshot, &shown, past))
    {
        visit = scanned(visit, request, password, past).await?;
        // Another session may list other messages.
        shown = snapshot.shown_by(visit.builder.maildrop());
    }
    let maildrop = visit.builder.finish();
    request.reporter.report(Event::Listed {
        messages: maildrop.len() as u64,
    });
    Ok(Listed {
        session: visit.session,
        maildrop,
        shown,
        nameless: visit.nameless,
        list_broke: visit.list_broke,
    })
}

/// The same with sizes, unless LIST has broken a session.
pub(super) async fn scanned(
    mut visit: Visit,
    request: &Request<'_>,
    password: &SecretString,
    past: &Past,
) -> Result<Visit, session::Error> {
    if past.without_sizes || visit.list_broke.is_some() {
        return Ok(visit);
    }
    match scan(&mut visit.session, &mut visit.builder).await {
        Ok(()) => Ok(Visit {
            list_broke: Some(false),
            ..visit
        }),
        Err(error) if visit.session.is_due_to_list(&error) => {
            drop(visit);
            without_list(request, password, past, error).await
        }
        Err(error) => Err(error),
    }
}

async fn scan(
    session: &mut Session,
    builder: &mut maildrop::Builder,
) -> Result<(), session::Error> {
    session.scan_listing(|line| enter(builder, line)).await
}

/// True if enough messages are to be retrieved to make it worth listing all sizes.
fn wants_sizes(limits: &Limits, maildrop: &Maildrop, shown: &Shown) -> bool {
    let limited = limits.max_size.is_some()
        || limits.max_octets.is_some()
        || limits.headers_only_above.is_some();
    let new = shown.not_stored();
    // Several connections need them to tell messages apart.
    let worth = match limits.connections {
        Some(_) => WORTH_SIZES_TO_SHARE.min(maildrop.len() / WORTH_SIZES),
        None => maildrop.len() / WORTH_SIZES,
    };
    shown.has_question() || new > 0 && (limited || new >= worth)
}

/// True if STAT's octets differ from the sum of the recorded sizes. They cost nothing, and show if
/// a unique-id was given to another message (`OPOP3:C0040`) when UIDL lists nothing new.
fn total_has_changed(
    builder: &maildrop::Builder,
    snapshot: &Snapshot,
    shown: &Shown,
    past: &Past,
) -> bool {
    let Some(now) = builder.stat_octets() else {
        return false;
    };
    // New messages have no known size; they are retrieved, whatever their size.
    if snapshot.is_empty() || shown.unknown() > 0 {
        return false;
    }
    let vanished = snapshot.vanished_octets(shown);
    let expected = past.stat_octets.zip(vanished);
    expected.and_then(|(before, gone)| before.checked_sub(gone)) != Some(now)
}

fn enter(builder: &mut maildrop::Builder, line: Listing<'_>) {
    match line {
        Listing::Drop(listing) => builder.drop_listing(listing),
        Listing::Scan(line) => builder.scan_listing(line),
        Listing::UniqueId(line) => builder.unique_id_listing(line),
    }
}
