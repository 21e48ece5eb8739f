//! The protocol engine: octets in, octets out, no sockets, no threads, no clock of its own.
//!
//! Feed it with [`Session::receive`], take its output with [`Session::pull`] until that says
//! [`Step::Idle`], and call [`Session::tick`] when the time of [`Session::deadline`] has come.
//!
//! Invariants:
//!
//! - A command is carried out when everything before it has been pulled, so that output never
//!   piles up: a mailbox of any size needs the memory of one block.
//! - A session lists the snapshot taken at its login (XPOP3:C0004).
//! - Only QUIT removes messages (RFC 1939 §6), and only marked ones (XPOP3:V0006).

mod body;
mod capa;
mod dispatch;
mod input;
mod judge;
mod login;
mod maildrop;
mod output;
mod reply;
mod transaction;
mod update;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::lock;
use crate::knobs::{CloseHow, CutAt, Knobs};
use crate::sasl::Dialogue;
use crate::site::{Site, Tuned};
use crate::transcript::{Entry, Port, Transcript, What};
use input::Input;
use maildrop::Maildrop;
use output::{Finish, Piece};

/// The next step after [`Session::pull`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send what was appended, in a write of its own, and pull again.
    Send,
    /// Nothing to send before more input or the [`deadline`](Session::deadline).
    Idle,
    /// Pull again at this time of the clock.
    Sleep(Duration),
    /// Begin the TLS handshake as a server; then call [`Session::tls_begins`].
    StartTls,
    /// Close the connection, and drop the session.
    Close(CloseHow),
}

/// One connection's dialogue.
pub struct Session {
    site: Arc<Site>,
    knobs: Arc<Knobs>,
    tuned: Tuned,
    id: u64,
    port: Port,
    tls: bool,
    /// The certificate's hash for `tls-server-end-point` (RFC 5929 §4).
    binding: Option<Vec<u8>>,
    phase: Phase,
    input: Input,
    out: VecDeque<Piece>,
    /// Output that was made and not yet handed out, from `staged_at` on.
    staged: Vec<u8>,
    staged_at: usize,
    /// Octets handed out.
    sent: u64,
    /// Entries that become true once `sent` reaches an offset.
    finishing: VecDeque<(u64, Finish)>,
    /// The octet at which the connection ends.
    cut: Option<(u64, CloseHow)>,
    stalled: bool,
    next_drip: Duration,
    /// Output was asked for: there is no handshake to wait for, or it is done.
    pulled: bool,
    /// The greeting was handed out.
    greeted: bool,
    /// An answer is due or on its way since the timers were armed.
    busy: bool,
    armed_at: Duration,
    unsolicited_done: bool,
    /// Commands so far, and by keyword.
    commands: u32,
    verbs: HashMap<String, u32>,
    errors: u32,
    refused_logins: u32,
    quit: bool,
    pipelining_offered: bool,
    /// The user whose connections this one counts among.
    entered: Option<String>,
    transcript: Arc<Mutex<Transcript>>,
    ended: bool,
}

/// The states of RFC 1939 §3, with the steps of a login told apart.
enum Phase {
    /// AUTHORIZATION; the name of USER, if there was one.
    Start(Option<Vec<u8>>),
    /// AUTHORIZATION, in a SASL exchange.
    Sasl(Dialogue),
    /// TRANSACTION.
    Transaction(Box<Maildrop>),
    /// UPDATE and behind: no more input is read.
    Over,
}

impl Session {
    pub(crate) fn new(site: Arc<Site>, port: Port) -> Self {
        let tuned = site.next_knobs();
        let id = site.next_session();
        let mut session = Self {
            knobs: Arc::clone(&tuned.knobs),
            tuned,
            id,
            port,
            tls: port == Port::Tls,
            binding: None,
            phase: Phase::Start(None),
            input: Input::default(),
            out: VecDeque::new(),
            staged: Vec::new(),
            staged_at: 0,
            sent: 0,
            finishing: VecDeque::new(),
            cut: None,
            stalled: false,
            next_drip: Duration::ZERO,
            pulled: false,
            greeted: false,
            busy: false,
            armed_at: site.clock.now(),
            unsolicited_done: false,
            commands: 0,
            verbs: HashMap::new(),
            errors: 0,
            refused_logins: 0,
            quit: false,
            pipelining_offered: false,
            entered: None,
            transcript: site.log.begin(id, port),
            ended: false,
            site,
        };
        if let Some(cut) = &session.knobs.cut
            && let CutAt::Octet(octet) = cut.at
        {
            session.cut = Some((octet, cut.how));
        }
        session.greet();
        session
    }

    /// The number of the session, counted from 1.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The knobs of the session.
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// True if the session is under TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Octets handed out so far.
    pub fn octets_sent(&self) -> u64 {
        self.sent
    }

    /// Takes octets from the client.
    pub fn receive(&mut self, octets: &[u8]) {
        if octets.is_empty() || matches!(self.phase, Phase::Over) {
            return;
        }
        self.judge_arrival();
        self.input.push(octets);
    }

    /// True if all output has been handed out.
    fn is_quiet(&self) -> bool {
        self.out.is_empty() && self.staged_at == self.staged.len()
    }

    /// The handshake is done. `binding` is the hash of the certificate for the channel binding
    /// `tls-server-end-point`.
    pub fn tls_begins(&mut self, binding: Option<Vec<u8>>) {
        self.tls = true;
        self.binding = binding;
        self.log(What::TlsBegins);
    }

    /// Drops input that arrived after a command and before its answer is sent. For the connection's
    /// loop, which may have more of it than the session has seen.
    pub(crate) fn drops_early_input(&self) -> bool {
        self.knobs.pipelining_unsupported
    }

    /// True if the session reads no more input.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// True if the answer to STLS is sent: the next input is the handshake.
    pub(crate) fn tls_is_next(&self) -> bool {
        matches!(self.out.front(), Some(Piece::StartTls)) && self.staged_at == self.staged.len()
    }

    /// Notes something in the transcript.
    pub fn note(&self, text: impl Into<String>) {
        self.log(What::Note(text.into()));
    }

    /// The time at which [`tick`](Self::tick) should be called, by the clock.
    ///
    /// Only complete commands reset the timers (XPOP3:V0002), and they stand still while an
    /// answer is on its way.
    pub fn deadline(&self) -> Option<Duration> {
        let busy = self.pulled && !self.is_quiet();
        if matches!(self.phase, Phase::Over) || self.stalled || busy {
            return None;
        }
        let limit = match self.phase {
            Phase::Transaction(_) => self.knobs.auth_timeout,
            _ => self.knobs.pre_auth_timeout,
        };
        let idle = self.armed_at + limit;
        Some(match self.unsolicited_at() {
            Some(at) => at.min(idle),
            None => idle,
        })
    }

    fn unsolicited_at(&self) -> Option<Duration> {
        let line = self.knobs.unsolicited.as_ref()?;
        (!self.unsolicited_done && self.greeted).then(|| self.armed_at + line.after)
    }

    /// Lets timers fire whose time has come.
    pub fn tick(&mut self) {
        let now = self.site.clock.now();
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.unsolicited_at().is_some_and(|at| at <= now)
            && let Some(unsolicited) = &self.knobs.unsolicited
        {
            let line = unsolicited.line.clone();
            self.unsolicited_done = true;
            self.push_octets(line);
            return;
        }
        // XPOP3:V0003: a notice comes before the close. There is no UPDATE (RFC 1939 §3).
        self.note("idle timeout");
        if !self.pulled {
            self.out.clear();
        } else if let Some(notice) = self.knobs.idle_notice.clone() {
            self.push_octets([notice.as_slice(), b"\r\n"].concat());
        }
        self.close(CloseHow::Fin);
    }

    /// Lets the output end with a close; no more input is read.
    fn close(&mut self, how: CloseHow) {
        self.out.push_back(Piece::Close(how));
        self.drop_marks();
        self.phase = Phase::Over;
    }

    fn log(&self, what: What) {
        let entry = Entry {
            at: self.site.clock.now(),
            tls: self.tls,
            what,
        };
        lock(&self.transcript).entries.push(entry);
    }

    /// The connection has ended: `by_client` when the client ended it or it broke. Called once,
    /// at the latest when the session is dropped.
    pub fn end(&mut self, by_client: bool) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.finish_unsent();
        if by_client {
            self.judge_end();
            self.log(What::ClientClosed);
        } else {
            self.log(What::ServerClosed);
        }
        self.drop_marks();
        if let Some(user) = self.entered.take() {
            self.site.directory.leave(&user);
        }
        self.phase = Phase::Over;
        let mut transcript = lock(&self.transcript);
        transcript.octets_sent = self.sent;
        transcript.ended = true;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end(false);
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("port", &self.port)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
