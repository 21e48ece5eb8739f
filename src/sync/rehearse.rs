//! A dry run: steps 1 to 4, which are reported and not carried out. Nothing is written, and the
//! decisions are those of a sync.

use std::sync::Arc;

use super::broke::{Broke, Untoppable};
use super::decide::{self, Basis, Brakes, lost_state, nameless};
use super::ledger::Ledger;
use super::visit::{self, Listed, Premises, Purpose, Visit};
use super::{Error, Event, Request, Stop, Summary, closed_store, quit};
use crate::maildrop::Maildrop;
use crate::policy::{Action, Plan, Trouble};
use crate::session::{self, Session};

/// The maximum number of sessions of a dry run with a server that breaks them at headers.
const MAX_SESSIONS: usize = 4;

/// Reports what a sync would do.
pub(super) async fn rehearse(request: &Request<'_>, summary: &mut Summary) -> Result<(), Error> {
    let stop = request.stop.clone();
    let password = visit::password(request, &stop).await?;
    let mut untoppable = Untoppable::default();
    let mut session = 1;
    loop {
        match look(request, &stop, &password, &untoppable, summary).await {
            Err(broke) if session < MAX_SESSIONS && untoppable.learn(&broke) => session += 1,
            result => return result.map_err(|broke| broke.error),
        }
    }
}

async fn look(
    request: &Request<'_>,
    stop: &Stop,
    password: &secrecy::SecretString,
    untoppable: &Untoppable,
    summary: &mut Summary,
) -> Result<(), Broke> {
    let account = request.account;
    let Premises {
        mut ledger,
        row,
        past,
        ..
    } = Premises::enter(request, Purpose::Rehearse).await?;
    let (settings, allow) = (account.clone(), request.allow);
    let opening = ledger.with(move |cache, _| {
        lost_state::refuse_known_maildir(cache, row.as_ref(), &settings)?;
        let header_index = lost_state::header_index(cache, row.as_ref(), &settings, allow)?;
        let brakes = match &row {
            Some(row) => Brakes::inspect(cache, row, &settings, allow)?,
            None => Brakes::new(),
        };
        Ok::<_, Error>((header_index, brakes))
    });
    let (mut header_index, mut brakes) = opening.await?;
    let store = closed_store(&account.store);
    let (snapshot, seen) = decide::recall(request, &mut ledger, &brakes, &store).await?;
    let visit = Visit::begin(request, stop, password, &past).await?;
    let completing = visit.complete(request, stop, password, &snapshot, &past);
    let Listed {
        mut session,
        maildrop,
        shown,
        nameless: without_unique_ids,
        ..
    } = completing.await?;
    summary.on_server = maildrop.len() as u64;
    if let Some(header_index) = &mut header_index {
        lost_state::refuse_known_store(
            &mut session,
            stop,
            &maildrop,
            &snapshot,
            account,
            header_index,
            untoppable,
        )
        .await?;
    }
    let plan = if let Some(refusal) = without_unique_ids {
        let planning = plan_by_headers(&mut session, &mut ledger, request, &maildrop, stop);
        let Some(plan) = planning.await? else {
            quit::leave(session).await;
            return Err(session::Error::Refused(refusal).into());
        };
        summary.failed += decide::warn_of_contradictions(request, &maildrop);
        plan
    } else {
        let basis = Basis {
            request,
            stop,
            ledger: &mut ledger,
            store: Arc::clone(&store),
            brakes: &mut brakes,
            trouble: &Trouble::default(),
            untoppable,
            taken: (0, 0),
        };
        let deciding = decide::decide(basis, &mut session, &maildrop, shown, snapshot, seen);
        let decided = deciding.await?;
        decided.warn(request, &maildrop, summary);
        decided.plan
    };
    summary.skipped = decide::skipped(&plan);
    tell(request, &maildrop, &plan);
    decide::report(request, &maildrop, &plan);
    quit::leave(session).await;
    Ok(())
}

/// The plan for a server without unique-ids; none where it has no headers (TOP) either.
async fn plan_by_headers(
    session: &mut Session,
    ledger: &mut Ledger,
    request: &Request<'_>,
    maildrop: &Maildrop,
    stop: &Stop,
) -> Result<Option<Plan>, Broke> {
    let recorded = ledger
        .with(|cache, account| cache.recorded(account))
        .await?;
    let looking = nameless::look(session, maildrop, &recorded, false);
    let seen = stop.unless_stopped(looking).await??;
    Ok(seen.map(|seen| nameless::plan(request, maildrop, (0, 0), &seen)))
}

/// Reports each decision, except those that only keep a message.
fn tell(request: &Request<'_>, maildrop: &Maildrop, plan: &Plan) {
    for (message, decision) in maildrop.iter().zip(&plan.decisions) {
        if decision.action != Action::Keep || decision.leaves_at().is_some() {
            request.reporter.report(Event::Decided {
                number: message.number.as_u32(),
                unique_id: message.unique_id,
                octets: message.octets,
                action: decision.action,
                reason: decision.reason,
                leaves_at: decision.leaves_at(),
            });
        }
    }
}
