//! One of the sessions that share a retrieval: how it takes messages from the supply, and ends.

use super::further::{Numbers, Obstacle, Opened};
use super::intake::Intake;
use super::order::{Order, Slot};
use super::pull::Judged;
use super::reading::Reading;
use super::supply::Supply;
use crate::session::{self, Session, Wanted};

/// A session and its part of the retrieval.
pub(super) struct Lane<'o> {
    reading: &'o Reading<'o>,
    pub(super) intake: Intake<'o>,
    /// How its reading ended. None if a signal was overdue, or it did not begin.
    pub(super) judged: Option<Judged>,
    /// The session, if it is a further one and was opened.
    pub(super) opened: Option<Opened>,
    /// The reason why it was not opened.
    pub(super) obstacle: Option<Obstacle>,
}

/// The messages that one session asks for, one after another.
struct Share<'o> {
    session: u8,
    order: &'o Order,
    supply: &'o Supply,
    /// None for the session that has made the order's listing.
    numbers: Option<&'o Numbers>,
}

impl Share<'_> {
    fn has(&self, slot: Slot) -> bool {
        let in_order = |numbers: &Numbers| numbers.of_message(slot).is_some();
        self.numbers.is_none_or(in_order)
    }
}

impl Iterator for Share<'_> {
    type Item = Wanted;

    fn next(&mut self) -> Option<Wanted> {
        let slot = self.supply.next(self.session, |slot| self.has(slot))?;
        let wanted = Wanted::from(self.order.message(slot));
        let number = self.numbers.and_then(|numbers| numbers.of_message(slot));
        Some(Wanted {
            number: number.unwrap_or(wanted.number),
            ..wanted
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.supply.unasked()))
    }
}

impl<'o> Lane<'o> {
    pub(super) fn new(reading: &'o Reading<'o>, intake: Intake<'o>) -> Self {
        Self {
            reading,
            intake,
            judged: None,
            opened: None,
            obstacle: None,
        }
    }

    /// Passes on what came last, unless client and server were out of step: then it is not known
    /// which message it belongs to. False if messages may be missing.
    pub(super) async fn flush(&mut self) -> bool {
        match &self.judged {
            Some(judged) if judged.is_out_of_step() => {
                self.intake.flush_earlier().await;
                false
            }
            _ => self.intake.flush().await,
        }
    }

    /// Retrieves in the session that has made the listing.
    pub(super) async fn first(&mut self, session: &mut Session) {
        self.judged = Some(pull(&mut self.intake, session, None).await);
    }

    /// Opens a further session, unless there is nothing left for it, and retrieves in it.
    pub(super) async fn further(&mut self) {
        let Some(further) = &self.reading.further else {
            return;
        };
        let supply = self.intake.supply;
        let opening = Opened::open(
            self.reading.account,
            further.password,
            &self.reading.capabilities,
            self.intake.order,
        );
        let opened = tokio::select! {
            opened = opening => opened,
            () = supply.closed() => return,
        };
        match opened {
            Ok(opened) => {
                // After a signal no message is begun any more.
                if self.reading.stop.asked().is_some() {
                    return;
                }
                let Opened {
                    session, numbers, ..
                } = self.opened.insert(opened);
                self.judged = Some(pull(&mut self.intake, session, Some(numbers)).await);
            }
            Err(obstacle) => {
                supply.close();
                self.obstacle = Some(obstacle);
            }
        }
    }
}

/// Retrieves until nothing is left, also what other sessions leave when they break.
async fn pull(intake: &mut Intake<'_>, session: &mut Session, numbers: Option<&Numbers>) -> Judged {
    let mut share = Share {
        session: intake.session,
        order: intake.order,
        supply: intake.supply,
        numbers,
    };
    let pulled = retrieve(intake, session, &mut share).await;
    let judged = Judged::of(intake, pulled, session);
    intake.supply.leave(intake.session, judged.blames());
    judged
}

async fn retrieve(
    intake: &mut Intake<'_>,
    session: &mut Session,
    share: &mut Share<'_>,
) -> Result<(), session::Error> {
    loop {
        session.retr(share.by_ref(), intake).await?;
        if intake.wants_no_more {
            return Ok(());
        }
        let more = share.supply.more(|slot| share.has(slot));
        if !session.keep_alive_while(more).await? {
            return Ok(());
        }
    }
}
