//! The ends of further sessions, and what they say about the messages that came there.

use futures_util::future::join_all;

use super::further::Opened;
use super::landing::Landing;
use super::order::{Order, Slot};
use super::supply::Supply;
use super::{Retrieved, Warning};
use crate::cache::{self, Cache, DoubtReason, MessageKey};
use crate::session;
use crate::sync::in_step::are_in_step;
use crate::sync::{Event, Reporter, Stop, quit};

/// A further session whose reading has ended.
pub(super) struct Other {
    pub(super) number: u8,
    pub(super) opened: Opened,
    /// The last message that was answered.
    pub(super) last: Option<Slot>,
    /// True if it can go on.
    pub(super) is_well: bool,
    /// True if client and server were out of step.
    pub(super) is_out_of_step: bool,
    /// The error that ended it after its last message.
    pub(super) broke: Option<session::Error>,
}

/// A further session that has ended.
pub(super) struct Ended {
    number: u8,
    last: Option<Slot>,
    end: End,
}

/// The state of a session at its end, which tells if its messages are whole.
enum End {
    /// They are as whole as the session shows.
    InStep,
    /// It is not known, so that another session deletes them. The error, unless that is known.
    Unknown(Option<session::Error>),
    /// STAT or UIDL lists other messages than before.
    OtherListing,
    /// Client and server were out of step. The error is new if it came only now.
    OutOfStep(Option<session::Error>),
}

/// Ends the sessions. If messages are deleted on the server afterwards, they are `fenced`: each has
/// to show that it is in step. If the run has failed, QUIT is not said.
pub(super) async fn end(
    others: Vec<Other>,
    is_fenced: bool,
    has_failed: bool,
    stop: &Stop,
) -> Vec<Ended> {
    let ends = others.into_iter().map(async |mut other| {
        other.is_well &= !has_failed;
        Ended {
            number: other.number,
            last: other.last,
            end: end_of(other, is_fenced, stop).await,
        }
    });
    join_all(ends).await
}

async fn end_of(other: Other, is_fenced: bool, stop: &Stop) -> End {
    let Opened {
        mut session,
        maildrop,
        ..
    } = other.opened;
    if other.is_out_of_step {
        return End::OutOfStep(other.broke);
    }
    if !other.is_well {
        return match is_fenced {
            true => End::Unknown(other.broke),
            false => End::InStep,
        };
    }
    if is_fenced {
        let asking = are_in_step(&mut session, &maildrop);
        match stop.unless_stopped(asking).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false) | Err(session::Error::Refused(_))) => return End::OtherListing,
            Ok(Err(error)) if session.is_out_of_step(&error) => {
                return End::OutOfStep(Some(error));
            }
            Ok(Err(error)) => return End::Unknown(Some(error)),
            Err(_) => return End::Unknown(None),
        }
    }
    match quit::leave_at_the_end(session).await {
        Ok(()) => End::InStep,
        Err(error) => End::OutOfStep(Some(error)),
    }
}

impl Retrieved {
    /// Takes in what the ends of the further sessions say: nothing is deleted whose session was not
    /// in step, and whatever may be incomplete is retrieved once more.
    pub(super) fn learn(
        &mut self,
        ended: Vec<Ended>,
        order: &Order,
        supply: &Supply,
        cache: &mut Cache,
        reporter: &dyn Reporter,
    ) -> Result<(), cache::Error> {
        for Ended { number, last, end } in ended {
            if matches!(end, End::InStep) {
                continue;
            }
            let came = |landing: &&mut Landing| supply.session_of(landing.slot) == number;
            let mut keys = Vec::new();
            for landing in self.landings.iter_mut().filter(came) {
                landing.doubt.get_or_insert(DoubtReason::Session);
                keys.extend(Some(landing.key).filter(|&key| key != MessageKey::NONE));
            }
            match end {
                End::InStep => continue,
                End::Unknown(error) => {
                    self.is_best_alone = true;
                    if let Some(error) = error
                        && self.result.is_ok()
                    {
                        self.result = Err(error.into());
                    }
                    continue;
                }
                End::OtherListing => {
                    self.failed += keys.len() as u64;
                    let messages = keys.len();
                    reporter.report(Event::Warning(Warning::ListingChanged { messages }));
                }
                End::OutOfStep(error) => {
                    self.is_best_alone = true;
                    if let Some(error) = error
                        && self.result.is_ok()
                    {
                        let last = last.map(|slot| order.message(slot).unique_id.to_vec());
                        self.suspects.extend(last);
                        self.result = Err(error.into());
                    }
                }
            }
            cache.doubt(&keys, DoubtReason::Session)?;
        }
        Ok(())
    }
}
