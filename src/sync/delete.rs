//! Deleting on the server: step 6. The only place that sends DELE.
//!
//! A DELE is sent for a message that [`crate::policy`] decided to delete and for which there is
//! proof: it was committed in this session or found in the store, it is not doubtful, and the fence
//! was passed. Only the code that checks this can make a [`Deletable`] or a [`Fence`].

use super::broke::Broke;
use super::decide::{Found, Gone, Inspection};
use super::in_step::are_in_step;
use super::transfer::{Committed, Landed, Landing};
use super::{Event, Reporter, Warning};
use crate::maildrop::{Maildrop, Place};
use crate::policy::Action;
use crate::session::{self, Session};
use crate::store::{Name, Readers};

/// The reason why the server's copy of a message is no longer needed. Each proof is made in one
/// place: where the fact is established.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// This session retrieved it, and it is on stable storage and recorded.
    Committed(Committed),
    /// A person deleted it here, and the policy follows that.
    DeletedHere(Option<Gone>),
    /// A look found it in the store.
    InStore(Found),
}

/// A message that may be deleted on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deletable {
    /// Its place in the maildrop.
    place: Place,
    _proof: Proof,
}

impl Deletable {
    /// A message that this session retrieved, if the plan deletes it and it is not doubtful.
    pub(super) fn landed(place: Place, action: Action, landing: &Landing) -> Option<Self> {
        if landing.doubt.is_some() {
            return None;
        }
        let proof = match (action, landing.landed) {
            (
                // `RetrieveThenDeleteIfKnown` needs `Known`: a message stored only now is not the
                // recorded one.
                Action::RetrieveThenDelete | Action::RetrieveThenDeleteIfKnown,
                Landed::Known(committed),
            )
            | (Action::RetrieveThenDelete, Landed::Stored(committed)) => {
                Proof::Committed(committed)
            }
            (Action::RetrieveThenDeleteIfKnown, Landed::Followed) => Proof::DeletedHere(None),
            _ => return None,
        };
        Some(Self {
            place,
            _proof: proof,
        })
    }

    /// Its place in the maildrop.
    pub(super) fn place(&self) -> Place {
        self.place
    }
}

/// The messages of earlier runs that a plan deletes, if a look at the store proves that they may
/// go. If the policy `follows` local deletions, the store is searched once more for a missing
/// message: a mail program may have been moving it.
pub(super) fn proofs(
    messages: Vec<(Place, Vec<Name>)>,
    follows: bool,
    inspection: &Inspection,
    store: &dyn Readers,
) -> Vec<Deletable> {
    let mut again: Option<Inspection> = None;
    let proved = messages.into_iter().filter_map(|(place, names)| {
        let proof = match inspection.find(&names) {
            Some(found) => Proof::InStore(found),
            None if follows => {
                let gone = inspection.miss(&names)?;
                if store.can_miss_moves() {
                    let again = again.get_or_insert_with(|| Inspection::at(store));
                    again.miss(&names)?;
                }
                Proof::DeletedHere(Some(gone))
            }
            None => return None,
        };
        Some(Deletable {
            place,
            _proof: proof,
        })
    });
    proved.collect()
}

/// Proof that client and server are in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence(());

/// Asks for the proof. None if the answer differs.
///
/// # Errors
/// Those of the connection.
pub(super) async fn fence(
    session: &mut Session,
    maildrop: &Maildrop,
) -> Result<Option<Fence>, session::Error> {
    let is_proved = are_in_step(session, maildrop).await?;
    Ok(is_proved.then_some(Fence(())))
}

/// The outcome of the deletions.
pub(super) struct Asked {
    /// The places in the maildrop whose deletion the server accepted.
    pub(super) places: Vec<Place>,
    /// The number that the server did not accept.
    pub(super) failed: u64,
    /// An error if the server sent anything after its last reply.
    pub(super) end: Result<(), session::Error>,
}

/// Deletes these messages, and ends the session, which makes the deletions final.
///
/// # Errors
/// Those of the connection, with the message at which it broke. Nothing counts as deleted then.
pub(super) async fn delete(
    session: &mut Session,
    _fence: Fence,
    maildrop: &Maildrop,
    deletable: &[Deletable],
    reporter: &dyn Reporter,
    may_have_deleted: &mut bool,
) -> Result<Asked, Broke> {
    let listed = deletable.iter().filter_map(|deletable| {
        let place = deletable.place;
        Some((place, maildrop.get(place)?))
    });
    let (places, messages): (Vec<Place>, Vec<_>) = listed.unzip();
    let numbers: Vec<_> = messages.iter().map(|message| message.number).collect();
    let mut accepted = Vec::with_capacity(places.len());
    let mut failed = 0;
    let mut answered = 0;
    let asking = session.dele(&numbers, |index, answer| {
        answered = index + 1;
        match answer {
            Ok(()) => accepted.push(places[index]),
            Err(refusal) => {
                failed += 1;
                reporter.report(Event::MessageFailed {
                    number: messages[index].number.as_u32(),
                    unique_id: messages[index].unique_id,
                    reason: &refusal.to_string(),
                });
            }
        }
    });
    if let Err(error) = asking.await {
        let at = messages.get(answered);
        let at = at.map(|message| message.unique_id.to_vec());
        return Err(Broke::at_dele(error.into(), at));
    }
    // Set before QUIT: if its answer is lost, the server may still have deleted them.
    *may_have_deleted |= !accepted.is_empty();
    let end = match session.quit().await {
        Ok(end) => {
            reporter.report(Event::Deleted {
                messages: accepted.len() as u64,
            });
            end
        }
        // RFC 1939 §6: the server removed some of them, or none. XPOP3:V0006: the next listing
        // shows which, and the others are deleted then.
        Err(session::Error::Refused(refusal)) => {
            failed += accepted.len() as u64;
            accepted.clear();
            let refusal = &refusal;
            reporter.report(Event::Warning(Warning::DeletionsRefused { refusal }));
            Ok(())
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Asked {
        places: accepted,
        failed,
        end,
    })
}
