//! The readers' side of a retrieval: one session, or several that share the messages.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use super::chunk::Chunk;
use super::ending::Other;
use super::further::Further;
use super::intake::Intake;
use super::lane::Lane;
use super::order::Order;
use super::pull::{Judged, Pull};
use super::supply::Supply;
use super::workers::{Ended, Returns, Workers};
use crate::account::Account;
use crate::pop3::Capabilities;
use crate::session::Session;
use crate::stop::Signal;
use crate::sync::{Error, Event, Reporter, Stop, Warning};

/// The parts that the sessions of a retrieval share.
pub(super) struct Reading<'a> {
    pub(super) account: &'a Account,
    pub(super) further: Option<Further<'a>>,
    /// Those of the server.
    pub(super) capabilities: Capabilities,
    /// The number of sessions.
    pub(super) sessions: u8,
    pub(super) supply: Supply,
    pub(super) order: Arc<Order>,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) stop: Stop,
    pub(super) workers: Workers,
    pub(super) returns: Returns,
    /// The number of octets that the file system has room for.
    pub(super) room: u64,
}

/// The end of the reading.
pub(super) struct Read {
    pub(super) pull: Pull,
    /// True if the session that has made the listing can go on.
    is_well: bool,
    /// The further sessions.
    pub(super) others: Vec<Other>,
    /// True if the server did not take several sessions at the same time well.
    pub(super) is_best_alone: bool,
}

impl Reading<'_> {
    /// Reads all messages of the order, and passes them on.
    /// It is `fenced` if messages are deleted on the server afterwards.
    pub(super) async fn run(
        &self,
        session: &mut Session,
        to_writer: Sender<Chunk>,
        is_fenced: bool,
    ) -> Read {
        let lanes = (0..self.sessions).map(|number| {
            let intake = Intake::new(self, number, to_writer.clone());
            Lane::new(self, intake)
        });
        let mut lanes: Vec<Lane<'_>> = lanes.collect();
        drop(to_writer);
        let Some((first, further)) = lanes.split_first_mut() else {
            unreachable!("a retrieval has at least one session");
        };
        let others = join_all(further.iter_mut().map(Lane::further));
        let pulling = join(first.first(session), others);
        // After a signal the current messages still have a moment to come whole.
        let pulled = self.stop.unless_overdue(pulling).await;
        let flushed = join_all(lanes.iter_mut().map(Lane::flush)).await;
        let is_complete = self.supply.is_over() && flushed.iter().all(|flushed| *flushed);
        let signal = match pulled {
            Ok(_) => self.stop.asked().filter(|_| !is_complete),
            Err(signal) => Some(signal),
        };
        let mut lanes = lanes.into_iter();
        let Some(first) = lanes.next() else {
            unreachable!("a retrieval has at least one session");
        };
        let is_out_of_two =
            self.sessions > 1 && first.judged.as_ref().is_some_and(Judged::is_broken);
        let pull = Pull::of(first.intake, first.judged, signal);
        let mut read = Read {
            is_well: pull.result.is_ok(),
            pull,
            others: Vec::new(),
            is_best_alone: is_out_of_two,
        };
        for lane in lanes {
            if let Some(obstacle) = lane.obstacle.as_ref().filter(|_| !read.is_best_alone) {
                self.reporter.report(Event::Warning(Warning::OneSession {
                    obstacle: obstacle.into(),
                }));
            }
            // Nothing is deleted after a session that broke. Another one does that.
            read.add(lane, signal, is_complete && !is_fenced);
        }
        read
    }
}

impl Read {
    /// Adds the end of a further session.
    fn add(&mut self, lane: Lane<'_>, signal: Option<Signal>, bearable: bool) {
        self.is_best_alone |= lane.obstacle.is_some();
        let Some(opened) = lane.opened else {
            return;
        };
        let judged = lane.judged.as_ref();
        self.is_best_alone |= judged.is_some_and(Judged::is_broken);
        self.others.push(Other {
            number: lane.intake.session,
            opened,
            last: lane.intake.last,
            is_well: signal.is_none() && judged.is_some_and(Judged::is_well),
            is_out_of_step: judged.is_some_and(Judged::is_out_of_step),
            broke: None,
        });
        let further = Pull::of(lane.intake, lane.judged, signal);
        self.pull.add(further, bearable);
    }

    /// Waits until all that was read is written and committed.
    ///
    /// # Errors
    /// [`Error::Panicked`].
    pub(super) async fn settle(
        &mut self,
        workers: &Workers,
        session: &mut Session,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        // A slow disk may take its time, and QUIT is still to come, so the sessions are kept alive.
        // After an error, or in the middle of a message, no command may be sent. After a
        // signal no answer is waited for much longer.
        let (settled, is_settled) = watch::channel(false);
        let until = || {
            let mut is_settled = is_settled.clone();
            async move {
                // An error means that it is over, too.
                let _ = is_settled.wait_for(|settled| *settled).await;
            }
        };
        let ending = async {
            let ended = workers.end().await;
            settled.send_replace(true);
            Ok(ended?)
        };
        let others = self.others.iter_mut().filter(|other| other.is_well);
        let others = others.map(async |other| {
            let keeping = other.opened.session.keep_alive_while(until());
            let kept = stop.unless_overdue(keeping).await;
            other.is_well = matches!(kept, Ok(Ok(())));
            if let Ok(Err(error)) = kept {
                other.is_out_of_step = other.opened.session.is_out_of_step(&error);
                other.broke = Some(error);
            }
        });
        let first = async {
            match self.is_well {
                true => stop.unless_overdue(session.keep_alive_while(until())).await,
                false => Ok(Ok(())),
            }
        };
        let (ended, (kept, _)) = join(ending, join(first, join_all(others))).await;
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.pull.break_off(error, session),
            Err(signal) => self.pull.result = Err(signal.into()),
        }
        ended
    }
}
