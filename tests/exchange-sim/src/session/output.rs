//! The output of a session: pieces that are made when they are sent, and the knobs that cut, slow
//! and split the output.

use std::sync::Arc;
use std::time::Duration;

use super::body::Body;
use super::input::Line;
use super::{Phase, Session, Step};
use crate::knobs::CloseHow;
use crate::mailbox::Stored;
use crate::transcript::{KeptRows, What};

/// The amount of output that is made ahead.
const AHEAD: usize = 64 * 1024;

/// The part of a line that the transcript keeps.
const KEPT_LINE: usize = 2048;

/// A part of the output.
pub(super) enum Piece {
    /// Octets, from an offset on.
    Octets(Vec<u8>, usize),
    /// A message.
    Body(Box<Body>),
    /// Lines of a listing, made one by one.
    Rows(Rows),
    /// This octet so many times, or for ever.
    Fill(u8, Option<u64>),
    /// A wait, from when it is reached.
    Delay(Duration),
    /// A wait.
    Until(Duration),
    /// The TLS handshake.
    StartTls,
    /// The end.
    Close(CloseHow),
}

/// Lines of a listing.
pub(super) struct Rows {
    pub(super) next: NextRow,
    pub(super) kept: KeptRows,
}

/// Appends one line, or says that there are no more.
pub(super) type NextRow = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// The entry for the time when the last octet of an answer is sent.
pub(super) struct Finish {
    pub(super) message: Arc<Stored>,
    number: u64,
    whole: bool,
    octets: u64,
}

enum Made {
    /// Something is staged.
    Some,
    /// Nothing is; do this.
    Step(Step),
}

impl Session {
    /// Appends the next output to `out`, carrying out commands as their turn comes.
    pub fn pull(&mut self, out: &mut Vec<u8>) -> Step {
        self.pulled = true;
        if self.stalled {
            return Step::Idle;
        }
        loop {
            if let Some((limit, how)) = self.cut
                && self.sent == limit
            {
                self.abandon();
                return self.closing(how);
            }
            if self.staged_at < self.staged.len() {
                return self.hand_out(out);
            }
            self.staged.clear();
            self.staged_at = 0;
            match self.make() {
                Made::Some => {}
                Made::Step(step) => return step,
            }
        }
    }

    /// True if output is shaped octet by octet; then nothing is done ahead of it.
    fn is_shaped(&self) -> bool {
        let knobs = &self.knobs;
        self.cut.is_some()
            || knobs.cut.is_some()
            || knobs.stall.is_some()
            || knobs.drip.is_some()
            || knobs.chunk.is_some()
            || knobs.cr_split
    }

    fn hand_out(&mut self, out: &mut Vec<u8>) -> Step {
        let rest = &self.staged[self.staged_at..];
        let mut n = rest.len();
        if let Some(chunk) = self.knobs.chunk {
            n = n.min(chunk);
        }
        if self.knobs.cr_split
            && let Some(cr) = memchr::memchr(b'\r', &rest[..n])
        {
            n = cr + 1;
        }
        if let Some(drip) = self.knobs.drip {
            let now = self.site.clock.now();
            if now < self.next_drip {
                return Step::Sleep(self.next_drip);
            }
            n = n.min(drip.octets);
            self.next_drip = now + drip.every;
        }
        if let Some((limit, _)) = self.cut {
            n = n.min((limit - self.sent) as usize);
        }
        if let Some(stall) = self.knobs.stall {
            n = n.min((stall - self.sent) as usize);
            if n == 0 {
                self.stalled = true;
                self.note("the output stalls");
                return Step::Idle;
            }
        }
        out.extend_from_slice(&self.staged[self.staged_at..self.staged_at + n]);
        self.staged_at += n;
        self.sent += n as u64;
        self.finish_sent();
        // If a greeting is never sent, this stays false: any input is too early then.
        if self.is_quiet() {
            self.greeted = true;
            // Before the client can read this, and perhaps advance a clock.
            self.arm();
            self.send_unsolicited_at_once(out);
        }
        Step::Send
    }

    /// A line that is due at once goes out with what comes before it, so that no command of the
    /// client can come between.
    fn send_unsolicited_at_once(&mut self, out: &mut Vec<u8>) {
        if let Some(unsolicited) = &self.knobs.unsolicited
            && unsolicited.after.is_zero()
            && !self.unsolicited_done
        {
            out.extend_from_slice(&unsolicited.line);
            self.sent += unsolicited.line.len() as u64;
            self.unsolicited_done = true;
        }
    }

    /// Octets made so far, handed out or not.
    pub(super) fn made_octets(&self) -> u64 {
        self.sent + (self.staged.len() - self.staged_at) as u64
    }

    fn make(&mut self) -> Made {
        let shaped = self.is_shaped();
        while self.staged.len() < AHEAD {
            let waiting = !self.staged.is_empty();
            let Some(piece) = self.out.pop_front() else {
                if waiting && shaped {
                    break;
                }
                if !self.carry_out_next() {
                    break;
                }
                continue;
            };
            match piece {
                Piece::Octets(octets, at) => {
                    if at == 0 {
                        self.log_lines(&octets);
                    }
                    let n = AHEAD.min(octets.len() - at);
                    self.staged.extend_from_slice(&octets[at..at + n]);
                    if at + n < octets.len() {
                        self.out.push_front(Piece::Octets(octets, at + n));
                    }
                }
                Piece::Body(mut body) => {
                    body.fill(&mut self.staged, AHEAD);
                    if body.is_done() {
                        self.finishing
                            .push_back((self.made_octets(), Finish::of(&body)));
                    } else {
                        self.out.push_front(Piece::Body(body));
                    }
                }
                Piece::Rows(mut rows) => {
                    let mut more = true;
                    while more && self.staged.len() < AHEAD {
                        let start = self.staged.len();
                        more = (rows.next)(&mut self.staged);
                        rows.kept.add(&self.staged[start..]);
                    }
                    if more {
                        self.out.push_front(Piece::Rows(rows));
                    } else {
                        self.log(rows.kept.take());
                    }
                }
                Piece::Fill(octet, left) => {
                    let n = left.unwrap_or(u64::MAX).min(AHEAD as u64);
                    let len = self.staged.len() + n as usize;
                    self.staged.resize(len, octet);
                    let left = left.map(|left| left - n);
                    if left != Some(0) {
                        self.out.push_front(Piece::Fill(octet, left));
                    }
                }
                Piece::Delay(by) => {
                    let until = self.site.clock.now() + by;
                    self.out.push_front(Piece::Until(until));
                    if waiting {
                        break;
                    }
                }
                Piece::Until(until) => {
                    if waiting {
                        self.out.push_front(Piece::Until(until));
                        break;
                    }
                    if self.site.clock.now() < until {
                        self.out.push_front(Piece::Until(until));
                        return Made::Step(Step::Sleep(until));
                    }
                }
                Piece::StartTls if !waiting => {
                    self.drop_clear_text();
                    return Made::Step(Step::StartTls);
                }
                Piece::Close(how) if !waiting => return Made::Step(self.closing(how)),
                last => {
                    self.out.push_front(last);
                    break;
                }
            }
        }
        if self.staged.is_empty() {
            self.arm();
            return Made::Step(Step::Idle);
        }
        Made::Some
    }

    /// Carries out the next command, if there is a complete one.
    fn carry_out_next(&mut self) -> bool {
        let limit = match &self.phase {
            Phase::Over => return false,
            Phase::Sasl(_) if !self.knobs.sasl_counts_against_limit => crate::sasl::MAX_LINE,
            _ => self.max_command(),
        };
        match self.input.line(limit) {
            Line::Complete(line) => self.carry_out(&line),
            Line::Partial => return false,
            Line::TooLong(line) => self.too_long(&line, limit),
        }
        true
    }

    /// Arms the timers when an answer is out.
    fn arm(&mut self) {
        if self.busy {
            self.busy = false;
            self.armed_at = self.site.clock.now();
        }
    }

    fn closing(&mut self, how: CloseHow) -> Step {
        self.drop_marks();
        self.phase = Phase::Over;
        let how = match how {
            CloseHow::Fin if self.knobs.no_close_notify => CloseHow::NoCloseNotify,
            other => other,
        };
        self.end(false);
        Step::Close(how)
    }

    /// Gives up all output that is not handed out.
    fn abandon(&mut self) {
        self.finish_unsent();
        self.out.clear();
        self.staged.clear();
        self.staged_at = 0;
    }

    fn finish_sent(&mut self) {
        while let Some((offset, _)) = self.finishing.front()
            && *offset <= self.sent
            && let Some((_, finish)) = self.finishing.pop_front()
        {
            if finish.whole {
                finish.message.set_retrieved();
            }
            self.log(finish.entry(0));
        }
    }

    /// Notes the messages that did not go out in full.
    pub(super) fn finish_unsent(&mut self) {
        let unsent = (self.staged.len() - self.staged_at) as u64;
        while let Some((offset, finish)) = self.finishing.pop_front() {
            self.log(finish.entry(offset.saturating_sub(self.sent)));
        }
        if let Some(Piece::Body(body)) = self.out.front() {
            // The rest is more than the staged octets, so it never counts as complete.
            let mut entry = Finish::of(body);
            entry.octets += 1;
            self.log(entry.entry(unsent + 1));
        }
    }

    fn log_lines(&self, octets: &[u8]) {
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let kept = line.len().min(KEPT_LINE);
            self.log(What::Server(line[..kept].to_vec()));
        }
    }

    pub(super) fn push_octets(&mut self, octets: Vec<u8>) {
        if !octets.is_empty() {
            self.out.push_back(Piece::Octets(octets, 0));
        }
    }
}

impl Finish {
    fn of(body: &Body) -> Self {
        Self {
            message: Arc::clone(&body.message),
            number: body.number,
            whole: body.whole,
            octets: body.octets,
        }
    }

    /// The entry when so many octets of the answer did not go out.
    fn entry(&self, unsent: u64) -> What {
        What::Message {
            number: self.number,
            unique_id: self.message.uid().to_vec(),
            octets: self.octets.saturating_sub(unsent),
            complete: unsent == 0,
        }
    }
}
