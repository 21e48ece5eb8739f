//! The recorder: the rules that the client of MS-STANOPOP3 keeps, checked on every line.
//!
//! A rule is only reported when the octets prove it: input that is there before an answer was
//! handed out was certainly sent before the client could read that answer.

use std::sync::atomic::Ordering;

use super::{Phase, Session};
use crate::transcript::What;

/// The commands of AUTHORIZATION and of TRANSACTION that popsync's profile knows.
const LOGIN_VERBS: [&str; 4] = ["USER", "PASS", "AUTH", "STLS"];
const MAILDROP_VERBS: [&str; 8] = [
    "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET",
];

impl Session {
    pub(super) fn violation(&self, text: impl Into<String>) {
        self.log(What::Violation(text.into()));
    }

    /// Judges that octets arrive now.
    pub(super) fn judge_arrival(&self) {
        if !self.greeted {
            // OPOP3:C0002, C0007: the greeting comes first.
            self.violation("octets before the greeting");
        } else if !self.is_quiet() && !self.stalled && self.input.is_empty() {
            self.judge_early();
        }
    }

    /// Judges that a command came before the answer to the one before it.
    fn judge_early(&self) {
        let known = self.site.pipelining_known.load(Ordering::Relaxed);
        if !self.pipelining_offered && !known {
            // OPOP3:C0014 and RFC 2449 §6.6.
            self.violation("a command before the answer to the one before it");
        }
    }

    /// Judges a line as it came, line end included.
    pub(super) fn judge_line(&self, raw: &[u8], verb: &str, is_command: bool) {
        let line = raw.strip_suffix(b"\n").unwrap_or(raw);
        let shown = String::from_utf8_lossy(line).into_owned();
        let Some(line) = line.strip_suffix(b"\r") else {
            self.violation(format!("bare LF: {shown:?}"));
            return;
        };
        // OPOP3:C0003: printable ASCII and CRLF.
        if !line.iter().all(|octet| (0x20..=0x7e).contains(octet)) {
            self.violation(format!("not printable ASCII: {shown:?}"));
        }
        if !self.input.is_empty() {
            self.judge_early();
        }
        if !is_command {
            return;
        }
        // OPOP3:C0004: exactly one space between parts. PASS has the rest of the line as its
        // argument (OPOP3:C0046, XPOP3:V0011).
        let blanks = line.windows(2).any(|pair| pair == b"  ")
            || line.starts_with(b" ")
            || line.ends_with(b" ");
        if blanks && verb != "PASS" {
            self.violation(format!("spaces that are not single: {shown:?}"));
        }
        let bare = line.len() == verb.len();
        match verb {
            "RSET" => self.violation("RSET was sent"), // OPOP3:V0006
            "APOP" => self.violation("APOP was sent"), // OPOP3:V0008
            // OPOP3:V0003 and V0007.
            "LIST" | "UIDL" if !bare => {
                self.violation(format!("{verb} with a message-number: {shown:?}"));
            }
            // OPOP3:C0012, C0015, C0027, C0030.
            "QUIT" | "STAT" | "NOOP" | "CAPA" | "STLS" if !bare => {
                self.violation(format!("{verb} with an argument: {shown:?}"));
            }
            "UTF8" | "LANG" if self.knobs.utf8 => {}
            "QUIT" | "CAPA" => {}
            _ if LOGIN_VERBS.contains(&verb) || MAILDROP_VERBS.contains(&verb) => {}
            _ => self.violation(format!("unknown command: {shown:?}")),
        }
        // OPOP3:C0016, C0018, C0025, C0028, C0033, C0035, C0043, C0047.
        let in_transaction = matches!(self.phase, Phase::Transaction(_));
        if (LOGIN_VERBS.contains(&verb) && in_transaction)
            || (MAILDROP_VERBS.contains(&verb) && !in_transaction)
        {
            self.violation(format!("{verb} in the wrong state"));
        }
        if verb == "PASS" && !matches!(self.phase, Phase::Start(Some(_))) {
            self.violation("PASS without a positive USER before it");
        }
    }

    /// Judges the end of a connection that the client closed.
    pub(super) fn judge_end(&self) {
        let orderly = self.greeted && self.is_quiet() && self.knobs.is_orderly();
        if orderly && !self.quit && !matches!(self.phase, Phase::Over) {
            self.violation("the connection ended without QUIT");
        }
    }
}
