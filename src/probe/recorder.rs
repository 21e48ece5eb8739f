//! Records the events of a session.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::pop3::{Capabilities, Form, Keyword, Place, Response, Tap};
use crate::session::{self, Address, Watch};

use super::{Error, Flight, Observations, Reply, Sample, Stage, Step, Transfer};

/// Returns the time.
pub(super) type Clock = fn() -> Instant;

/// Collects [`Observations`] while a session runs.
#[derive(Debug)]
pub(super) struct Recorder(Mutex<Notes>);

#[derive(Debug)]
struct Notes {
    seen: Observations,
    clock: Clock,
    /// The time when the current step began.
    mark: Instant,
    /// The listing or message that is being read.
    inside: Option<Keyword>,
    transfer: Transfer,
    /// True if several commands are outstanding, so that no time belongs to one of them.
    in_flight: bool,
}

impl Recorder {
    pub(super) fn new(deep: bool, clock: Clock) -> Self {
        Self(Mutex::new(Notes {
            seen: Observations {
                deep,
                ..Observations::default()
            },
            mark: clock(),
            clock,
            inside: None,
            transfer: Transfer::default(),
            in_flight: false,
        }))
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is known so far.
    pub(super) fn see<T>(&self, look: impl FnOnce(&Observations) -> T) -> T {
        look(&self.notes().seen)
    }

    /// Begins a step.
    pub(super) fn begin(&self, step: Step) {
        let mut notes = self.notes();
        notes.mark = (notes.clock)();
        notes.in_flight = step == Step::Pipelining;
        notes.transfer = Transfer::default();
    }

    /// Ends a step that no single line ends.
    pub(super) fn end(&self, step: Step) {
        self.notes().lap(step);
    }

    /// Notes that the login was accepted.
    pub(super) fn logged_in(&self) {
        self.notes().seen.logged_in = true;
    }

    /// The octets of the last TOP or RETR.
    pub(super) fn transfer(&self) -> Transfer {
        std::mem::take(&mut self.notes().transfer)
    }

    pub(super) fn sample(&self, sample: Sample) {
        self.notes().seen.samples.push(sample);
    }

    pub(super) fn flight(&self, flight: Flight) {
        self.notes().seen.flight = flight;
    }

    /// Notes a failure. Only the first one counts.
    pub(super) fn failed(&self, error: session::Error) {
        let mut notes = self.notes();
        if notes.inside == Some(Keyword::Capa) {
            // An incomplete list proves nothing about the capabilities that are not in it.
            notes.seen.capabilities.pop();
        }
        if notes.seen.error.is_none() {
            let error = Error::new(error, &notes.seen, notes.inside);
            notes.seen.error = Some(error);
        }
    }

    /// All observations.
    pub(super) fn take(&self) -> Observations {
        std::mem::take(&mut self.notes().seen)
    }
}

impl Watch for Recorder {
    fn dialling(&self) {
        self.begin(Step::Connect);
    }

    fn connected(&self, address: &Address) {
        let mut notes = self.notes();
        notes.seen.address = Some(address.clone());
        notes.seen.connections += 1;
        notes.lap(Step::Connect);
    }

    fn certificate(&self, der: &[u8]) {
        self.notes().seen.certificate = Some(der.to_vec());
    }

    fn protected(&self, protection: &str) {
        let mut notes = self.notes();
        notes.seen.tls = Some(protection.to_owned());
        // Earlier capabilities were asked for in the clear.
        for (stage, _) in &mut notes.seen.capabilities {
            *stage = Stage::BeforeTls;
        }
        notes.lap(Step::Tls);
    }
}

impl Tap for Recorder {
    fn line(&self, of: Option<Keyword>, place: Place, line: &[u8]) {
        let mut notes = self.notes();
        notes.seen.lines += 1;
        if Form::has_bare_line_end(line) {
            notes.seen.bare_line_ends.add(line);
        }
        match (place, of) {
            (Place::Status, _) => notes.status(of, line),
            (Place::Row, Some(keyword)) => notes.row(keyword, line),
            (Place::End, Some(keyword)) => {
                notes.inside = None;
                notes.seen.ends.push((keyword, line.to_vec()));
                notes.lap(keyword.into());
            }
            _ => {}
        }
    }

    fn message(&self, _: Keyword, octets: &[u8]) {
        self.notes().transfer.take(octets);
    }

    fn unfinished(&self, octets: &[u8]) {
        self.notes().seen.unfinished = Some(octets.to_vec());
    }
}

impl Notes {
    /// Adds the time since the mark to a step, and sets the mark anew.
    fn lap(&mut self, step: Step) {
        if self.in_flight && step != Step::Pipelining {
            return;
        }
        let now = (self.clock)();
        let time = now - self.mark;
        self.mark = now;
        if step == Step::Noop {
            self.seen.round_trips.push(time);
        }
        match self.seen.times.iter_mut().find(|(at, _)| *at == step) {
            Some((_, total)) => *total += time,
            None => self.seen.times.push((step, time)),
        }
    }

    fn status(&mut self, of: Option<Keyword>, line: &[u8]) {
        self.seen.replies.push(Reply {
            of,
            line: line.to_vec(),
        });
        self.inside = None;
        let positive = Response::parse(line).is_positive();
        match of {
            None => self.lap(Step::Greeting),
            Some(keyword @ (Keyword::Retr | Keyword::Top)) if positive => {
                self.inside = Some(keyword);
            }
            Some(keyword @ (Keyword::Capa | Keyword::List | Keyword::Uidl)) if positive => {
                self.inside = Some(keyword);
                match keyword {
                    Keyword::Capa => self.begin_capabilities(),
                    Keyword::List => self.seen.scan = Some(Default::default()),
                    _ => self.seen.unique_ids = Some(Default::default()),
                }
            }
            Some(keyword) => self.lap(keyword.into()),
        }
    }

    fn begin_capabilities(&mut self) {
        let stage = match self.seen.logged_in {
            true => Stage::AfterLogin,
            false => Stage::BeforeLogin,
        };
        self.seen
            .capabilities
            .push((stage, Capabilities::default()));
    }

    fn row(&mut self, keyword: Keyword, line: &[u8]) {
        match keyword {
            Keyword::Capa => {
                if let Some((_, capabilities)) = self.seen.capabilities.last_mut() {
                    capabilities.push(line);
                }
            }
            Keyword::List => {
                if let Some(scan) = &mut self.seen.scan {
                    scan.row(line);
                }
            }
            _ => {
                if let Some(ids) = &mut self.seen.unique_ids {
                    ids.row(line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use super::*;

    thread_local! {
        static START: Instant = Instant::now();
        static SECONDS: Cell<u64> = const { Cell::new(0) };
    }

    fn clock() -> Instant {
        START.with(|start| *start + Duration::from_secs(SECONDS.get()))
    }

    #[test]
    fn the_time_that_certificates_take_to_read_is_not_the_networks() {
        let recorder = Recorder::new(false, clock);
        SECONDS.set(10);
        recorder.dialling();
        SECONDS.set(12);
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 110));
        recorder.connected(&Address::Ip(here));
        let times = recorder.take().times;
        assert_eq!(times, [(Step::Connect, Duration::from_secs(2))]);
    }
}
