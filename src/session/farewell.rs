//! The word that a server says before it ends a session that has lasted too long for it: Exchange
//! says `-ERR Connection is closed. 21` (`XPOP3:V0003`), others say so in words of their own.
//!
//! It comes where nobody asked, behind a whole answer, or in the place of one, and is no answer
//! to any command: no message is to blame for it, and nothing is refused by it. A line that looks
//! like it proves nothing: it may be a part of a message that a broken server cut at a dot. Only
//! the end of the stream right behind it does.

use tokio::io::AsyncReadExt;

use super::refusal::shown;
use super::{Error, LAST_WORDS, Session, pace};
use crate::pop3::{self, Response};

/// How the word may begin.
const BEGINNINGS: [&str; 4] = [
    "connection is closed",
    "connection closed",
    "disconnected",
    "disconnecting",
];

/// Words that it may hold.
const WORDS: [&str; 7] = [
    "autologout",
    "auto-logout",
    "idle time",
    "inactivity",
    "pop timeout",
    "session timed out",
    "shutting down",
];

/// Whether the text of a negative answer says that the server ends the session, whatever it was
/// asked.
pub(super) fn is_farewell(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    // Behind a response code, where there is one (RFC 2449 §8).
    let words = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((_, words)) => words.trim_start(),
        None => &text,
    };
    BEGINNINGS.iter().any(|word| words.starts_with(word))
        || WORDS.iter().any(|word| words.contains(word))
}

impl Session {
    /// The error as it is meant, once the octets behind it are read.
    pub(super) async fn settle(&mut self, error: Error) -> Error {
        match error {
            Error::Farewell { notice, .. } => self.behind_farewell(notice).await,
            Error::Protocol {
                fault: pop3::Error::Leftover { .. },
                ..
            } => self.unasked_farewell().await.unwrap_or(error),
            error => error,
        }
    }

    /// The word came in the place of an answer. The commands that were on their way behind it may
    /// have the same answer; where more comes than that, it was none.
    async fn behind_farewell(&mut self, notice: String) -> Error {
        let mut rest = self.input[self.start..self.end].to_vec();
        let (is_closed, more) = self.rest().await;
        rest.extend_from_slice(more);
        let lines = rest.split_inclusive(|&octet| octet == b'\n');
        let is_negative = |line: &[u8]| line.first() == Some(&b'-') && line.ends_with(b"\r\n");
        let count = lines.clone().count();
        if count > self.connection.outstanding() || !lines.clone().all(is_negative) {
            rest.truncate(pop3::LEFTOVER_SHOWN);
            return self.protocol(pop3::Error::Leftover { text: rest });
        }
        Error::Farewell { notice, is_closed }
    }

    /// The farewell, where the octets that nobody asked for are one: one negative line, and then the
    /// end.
    async fn unasked_farewell(&mut self) -> Option<Error> {
        let said = &self.input[self.start..self.end];
        let line = said.strip_suffix(b"\r\n")?;
        if line.first() != Some(&b'-') || line.contains(&b'\n') {
            return None;
        }
        let notice = shown(&self.secrets.without(Response::parse(line).text()));
        match self.rest().await {
            (true, b"") => Some(Error::Farewell {
                notice,
                is_closed: true,
            }),
            _ => None,
        }
    }

    /// Reads on for a moment. Gives whether the stream ended, and the octets before that.
    async fn rest(&mut self) -> (bool, &[u8]) {
        (self.start, self.end) = (0, 0);
        let (input, end) = (&mut self.input, &mut self.end);
        let reading = async {
            loop {
                match self.stream.read(&mut input[*end..]).await {
                    // The input may be full, too.
                    Ok(0) | Err(_) => return *end < input.len(),
                    Ok(octets) => *end += octets,
                }
            }
        };
        let ended = pace::within(LAST_WORDS.min(self.pace.timeout()), reading).await;
        (ended.unwrap_or(false), &self.input[..self.end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn farewells_are_told_from_refusals() {
        for text in [
            "Connection is closed. 21",
            "[SYS/TEMP] Connection is closed. 10",
            "Disconnected for inactivity.",
            "Disconnected",
            "autologout time expired",
            "Idle timeout, closing connection",
            "POP timeout from client",
            "Server shutting down.",
        ] {
            assert!(is_farewell(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "no such message",
            // One line of Exchange in answer to a login is about that login.
            "Protocol error. Connection is closed. 10",
            "message 3 was deleted",
            "Logon failure: unknown user name or bad password.",
            "the message could not be converted",
        ] {
            assert!(!is_farewell(text.as_bytes()), "{text}");
        }
    }
}
