//! Sessions that end at some octet, each octet in turn: closed, reset, closed without close_notify,
//! or silent from there on; in plain text, after STLS and in TLS, and below TLS at the octets of its
//! records. The next run completes what is left.
//!
//! `POPSYNC_EXHAUSTIVE=1 .ci/test` tries every octet; otherwise a sample is tried. `--no-capture`
//! shows their number.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::sync::Mutex;
use std::thread;

use exchange_sim::{CloseHow, Cut, CutAt, Knobs};

use support::bench::{Bench, By, Setup, letter, letters};
use support::cutter::{Cutter, Ending};

const DELETES: [&str; 4] = ["--profile", "outlook-2016", "--timeout", "1s"];

/// The end of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The server closes, at an octet of the dialogue.
    Closes(CloseHow),
    /// The server says no more, at an octet of the dialogue.
    Stalls,
    /// The network does it, at an octet below TLS.
    Below(Ending),
}

impl End {
    fn is_silent(self) -> bool {
        matches!(self, Self::Stalls | Self::Below(Ending::Stall))
    }

    fn is_reset(self) -> bool {
        matches!(
            self,
            Self::Closes(CloseHow::Reset) | Self::Below(Ending::Reset)
        )
    }
}

/// A server, its mailbox, and the network in front of it.
struct Line {
    bench: Bench,
    cutter: Option<Cutter>,
    /// The messages that the mailbox ever had.
    messages: usize,
}

impl Line {
    fn start(by: By, end: End) -> Self {
        let bench = Setup::with(letters(2)).by(by).start();
        let cutter = matches!(end, End::Below(_)).then(|| Cutter::start(bench.sim.pop3s_port()));
        let line = Self {
            bench,
            cutter,
            messages: 2,
        };
        line.completes();
        line
    }

    /// The octets that the server sends in a whole session.
    fn octets(&self) -> u64 {
        match &self.cutter {
            Some(cutter) => cutter.longest(),
            None => self.bench.sim.transcripts()[0].octets_sent,
        }
    }

    fn fetch(&self) -> support::bench::Run<'_> {
        match &self.cutter {
            Some(cutter) => {
                let url = format!("pop3s://127.0.0.1:{}", cutter.port);
                self.bench.fetch_from(&url, &DELETES)
            }
            None => self.bench.fetch(&DELETES),
        }
    }

    fn end_at(&self, end: End, octet: u64) {
        let knobs = match end {
            End::Closes(how) => Knobs {
                cut: Some(Cut {
                    at: CutAt::Octet(octet),
                    how,
                }),
                ..Knobs::default()
            },
            End::Stalls => Knobs {
                stall: Some(octet),
                ..Knobs::default()
            },
            End::Below(ending) => {
                self.cutter.as_ref().unwrap().cut(octet, ending);
                Knobs::default()
            }
        };
        self.bench.knobs(knobs);
    }

    fn completes(&self) {
        if let Some(cutter) = &self.cutter {
            cutter.heal();
        }
        self.bench.knobs(Knobs::default());
        self.fetch().gives(0);
        self.bench.assert_exactly_once();
        assert!(self.bench.mailbox().is_empty());
    }

    /// The number of deletions in sessions that reached QUIT.
    fn deleted(&self) -> usize {
        let sessions = self.bench.sim.transcripts();
        let quit = sessions.iter().filter(|session| session.has_quit());
        let lines = quit.flat_map(|session| session.client_lines());
        lines.filter(|line| line.starts_with(b"DELE ")).count()
    }

    /// Two new messages come, the sessions of a run end at this octet, and those of the next do not.
    fn try_octet(&mut self, end: End, octet: u64, early: u64) {
        for _ in 0..2 {
            self.messages += 1;
            self.bench.deliver(&letter(self.messages));
        }
        let when = format!("{end:?} at {octet}");
        self.end_at(end, octet);
        self.bench.sim.clear_log();
        let ended = self.fetch().end();
        // If it ends before the greeting or in the handshake, the connection may look as if it had
        // never been established.
        let expected = [
            Some(0),
            Some(75),
            (octet < early && !end.is_silent()).then_some(69),
            ended.err.contains("no TLS connection with").then_some(69),
            // Two sessions that end at the same deletion are blamed on it.
            ended.err.contains("broke at its deletion").then_some(1),
        ];
        assert!(expected.contains(&ended.status), "{when}: {}", ended.text());
        // Each session ends at this octet, and one that only deletes may be short enough.
        if ended.status == Some(0) {
            self.bench.assert_exactly_once();
            assert!(self.bench.mailbox().is_empty(), "{when}");
        } else if end.is_silent() && ended.status == Some(75) {
            ended.says("timed out after 1 s");
        }
        assert_eq!(self.bench.store.tmp(), [""; 0], "{when}");
        // A message is on the server until the QUIT after its DELE.
        let left = self.bench.mailbox().len();
        assert_eq!(left, 2 - self.deleted(), "{when}");
        let stored = self.bench.store.len();
        self.bench.sim.clear_log();
        self.completes();
        let retrieved = self.bench.sim.commands_of("RETR").len();
        assert_eq!(
            stored + retrieved,
            self.messages,
            "{when}: stored, and retrieved again"
        );
    }
}

/// Tries one octet in `nth`, or all of them. Silence costs a second a session, so several lines
/// wait at the same time.
#[expect(clippy::print_stderr, reason = "how many points there are is a result")]
fn at_every_octet(by: By, end: End, nth: usize) {
    let total = Line::start(by, end).octets();
    assert!(total > 300, "the dialogue has {total} octets");
    // After an immediate reset, some octets that were sent may be lost, too.
    let early = match end {
        End::Below(_) => total,
        _ if end.is_reset() => 60,
        _ => 1,
    };
    let octets: Vec<u64> = support::sample(0..total, nth).collect();
    eprintln!("{by:?}, {end:?}: {total} octets, {} tried", octets.len());
    let octets = Mutex::new(octets.into_iter());
    thread::scope(|scope| {
        for _ in 0..if end.is_silent() { 12 } else { 2 } {
            scope.spawn(|| {
                let mut line = Line::start(by, end);
                loop {
                    let octet = octets.lock().unwrap().next();
                    let Some(octet) = octet else { return };
                    line.try_octet(end, octet, early);
                }
            });
        }
    });
}

#[test]
fn a_dialogue_that_ends_with_fin_at_any_octet_is_completed_by_the_next_run() {
    at_every_octet(By::Plain, End::Closes(CloseHow::Fin), 6);
}

#[test]
fn a_dialogue_that_is_reset_at_any_octet_is_completed_by_the_next_run() {
    at_every_octet(By::Plain, End::Closes(CloseHow::Reset), 18);
}

#[test]
fn a_dialogue_that_ends_without_close_notify_at_any_octet_is_completed_by_the_next_run() {
    at_every_octet(By::Tls, End::Closes(CloseHow::NoCloseNotify), 30);
}

#[test]
fn a_dialogue_in_tls_that_ends_in_any_way_is_completed_by_the_next_run() {
    at_every_octet(By::Tls, End::Closes(CloseHow::Fin), 60);
    at_every_octet(By::Tls, End::Closes(CloseHow::Reset), 60);
}

#[test]
fn a_dialogue_after_stls_that_ends_in_any_way_is_completed_by_the_next_run() {
    for how in [CloseHow::Fin, CloseHow::Reset, CloseHow::NoCloseNotify] {
        at_every_octet(By::Stls, End::Closes(how), 60);
    }
}

#[test]
fn a_dialogue_that_falls_silent_at_any_octet_is_completed_by_the_next_run() {
    for by in [By::Plain, By::Stls, By::Tls] {
        at_every_octet(by, End::Stalls, 60);
    }
}

#[test]
fn a_connection_that_ends_at_any_octet_below_tls_is_completed_by_the_next_run() {
    at_every_octet(By::Tls, End::Below(Ending::Fin), 200);
    at_every_octet(By::Tls, End::Below(Ending::Reset), 200);
}

#[test]
fn a_connection_that_falls_silent_at_any_octet_below_tls_is_completed_by_the_next_run() {
    at_every_octet(By::Tls, End::Below(Ending::Stall), 300);
}
