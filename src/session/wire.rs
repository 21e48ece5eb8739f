//! What the log shows of the dialogue, and what it does not.
//!
//! Secrets are not shown where they are sent; and where a server says them back, as servers do
//! with commands that they do not know, its words are shown without them.

use crate::auth::secrets::Secrets;
use crate::pop3::{Command, Printable, Response};

/// The target of the log lines that show the dialogue.
pub(super) const WIRE: &str = "popsync::wire";

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
    if is_shown() {
        let status = if response.is_positive() { "+" } else { "-" };
        let text = secrets.without(response.text());
        tracing::trace!(target: WIRE, "S: {status} {}", Printable(&text));
    }
}

pub(super) fn trace_line(line: &[u8], secrets: &Secrets) {
    if is_shown() {
        tracing::trace!(target: WIRE, "S: {}", Printable(&secrets.without(line)));
    }
}

/// Looking for secrets costs more than most lines do.
fn is_shown() -> bool {
    tracing::enabled!(target: WIRE, tracing::Level::TRACE)
}
