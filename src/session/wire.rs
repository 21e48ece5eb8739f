//! What the log shows of the dialogue, and what it does not.
//!
//! Secrets are not shown where they are sent; and where a server says them back, as servers do
//! with commands that they do not know, its words are shown without them.

use std::borrow::Cow;

use memchr::memmem;
use secrecy::zeroize::Zeroizing;

use crate::pop3::{Command, Printable, Response};

/// The target of the log lines that show the dialogue.
pub(super) const WIRE: &str = "popsync::wire";

/// What stands in the place of a secret.
const HIDDEN: &[u8] = b"***";

/// Shorter ones are parts of too many words: taking those out would tell more than it hides.
const SHORTEST: usize = 4;

/// The secrets of a session, in the forms in which they were sent.
#[derive(Default)]
pub(super) struct Secrets(Vec<Zeroizing<Vec<u8>>>);

impl Secrets {
    pub(super) fn add(&mut self, secret: &[u8]) {
        let is_known = self.0.iter().any(|known| known.as_slice() == secret);
        if secret.len() >= SHORTEST && !is_known {
            self.0.push(Zeroizing::new(secret.to_vec()));
            // A longer one may hold a shorter one.
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// What the server said, without them.
    pub(super) fn without<'t>(&self, said: &'t [u8]) -> Cow<'t, [u8]> {
        let mut text = Cow::Borrowed(said);
        for secret in &self.0 {
            if memmem::find(&text, secret).is_none() {
                continue;
            }
            let mut rest = text.as_ref();
            let mut safe = Vec::with_capacity(rest.len());
            while let Some(at) = memmem::find(rest, secret) {
                safe.extend_from_slice(&rest[..at]);
                safe.extend_from_slice(HIDDEN);
                rest = &rest[at + secret.len()..];
            }
            safe.extend_from_slice(rest);
            text = Cow::Owned(safe);
        }
        text
    }
}

pub(super) fn trace_command(command: Command<'_>) {
    match command {
        Command::Apop(name, _) => tracing::trace!(target: WIRE, "C: APOP {name} ***"),
        Command::Auth(mechanism, None) => tracing::trace!(target: WIRE, "C: AUTH {mechanism}"),
        Command::Auth(mechanism, Some(_)) => {
            tracing::trace!(target: WIRE, "C: AUTH {mechanism} ***");
        }
        Command::Pass(_) => tracing::trace!(target: WIRE, "C: PASS ***"),
        Command::User(name) => tracing::trace!(target: WIRE, "C: USER {name}"),
        Command::Retr(number) | Command::Dele(number) => {
            tracing::trace!(target: WIRE, "C: {} {number}", command.keyword());
        }
        Command::Top(number, lines) => tracing::trace!(target: WIRE, "C: TOP {number} {lines}"),
        _ => tracing::trace!(target: WIRE, "C: {}", command.keyword()),
    }
}

pub(super) fn trace_response(response: Response<'_>, secrets: &Secrets) {
    let status = if response.is_positive() { "+" } else { "-" };
    let text = secrets.without(response.text());
    tracing::trace!(target: WIRE, "S: {status} {}", Printable(&text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_hidden_where_it_comes_back() {
        let mut secrets = Secrets::default();
        for secret in [
            &b"hunter2"[..],
            b"AGFubmEAaHVudGVyMg==",
            b"hunter2 and more",
            b"pw",
        ] {
            secrets.add(secret);
        }
        for (said, shown) in [
            ("unknown command PASS hunter2", "unknown command PASS ***"),
            ("hunter2hunter2", "******"),
            ("hunter2 and more", "***"),
            (
                "`AGFubmEAaHVudGVyMg==` is no command",
                "`***` is no command",
            ),
            ("pw", "pw"),
            ("nothing", "nothing"),
            ("", ""),
        ] {
            assert_eq!(secrets.without(said.as_bytes()), shown.as_bytes(), "{said}");
        }
    }
}
