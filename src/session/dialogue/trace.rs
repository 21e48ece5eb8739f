//! What the log shows of the dialogue, and what it does not.
//!
//! Secrets are not shown where they are sent; and where a server says them back, as servers do
//! with commands that they do not know, its words are shown without them.

use std::fmt;

use crate::auth::secrets::Secrets;
use crate::pop3::listing::{ScanListing, UniqueIdListing};
use crate::pop3::{Command, Keyword, MessageNumber, Printable, Response};

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
        let text = secrets.without(response.text());
        let status = match (response.is_positive(), response.is_foreign()) {
            (true, _) => "+OK",
            (false, false) => "-ERR",
            (false, true) => "",
        };
        let gap = if status.is_empty() || text.is_empty() {
            ""
        } else {
            " "
        };
        tracing::trace!(target: WIRE, "S: {status}{gap}{}", Printable(&text));
    }
}

/// The part of a reply of many lines that is counted instead of shown.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    lines: u64,
    octets: u64,
}

impl Bulk {
    /// Octets of a message.
    pub(super) fn add_content(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
    }

    /// A line of LIST.
    pub(super) fn add_scan(&mut self, line: ScanListing) {
        self.add_line(line.number, line.octets.map_or(0, digits));
    }

    /// A line of UIDL.
    pub(super) fn add_unique_id(&mut self, line: UniqueIdListing<'_>) {
        self.add_line(line.number, line.unique_id.len() as u64);
    }

    /// A line of a number, a blank, so many octets, and CRLF.
    fn add_line(&mut self, number: Option<MessageNumber>, octets: u64) {
        let number = number.map_or(0, |number| digits(number.as_u32().into()));
        self.lines += 1;
        self.octets += number + 1 + octets + 2;
    }

    /// The reply to this command is complete.
    pub(super) fn trace(&mut self, keyword: Keyword) {
        let Self { lines, octets } = std::mem::take(self);
        match (lines, octets) {
            (0, 0) => tracing::trace!(target: WIRE, "S: ."),
            (0, octets) => tracing::trace!(target: WIRE, "S: ({keyword}: {})", Size(octets)),
            (1, octets) => {
                tracing::trace!(target: WIRE, "S: ({keyword}: 1 line, {})", Size(octets));
            }
            (lines, octets) => {
                tracing::trace!(target: WIRE, "S: ({keyword}: {lines} lines, {})", Size(octets));
            }
        }
    }
}

/// Octets as people write them: `4.1 kB`.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            octets @ 0..1_000 => return write!(f, "{octets} B"),
            1_000..1_000_000 => (1_000, "kB"),
            1_000_000..1_000_000_000 => (1_000_000, "MB"),
            _ => (1_000_000_000, "GB"),
        };
        let (whole, tenth) = (self.0 / unit, self.0 % unit * 10 / unit);
        write!(f, "{whole}.{tenth} {name}")
    }
}

/// How many digits a number has.
fn digits(number: u64) -> u64 {
    u64::from(number.checked_ilog10().unwrap_or(0)) + 1
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_as_people_do() {
        for (octets, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (4_199, "4.1 kB"),
            (12_345_678, "12.3 MB"),
            (5_000_000_000, "5.0 GB"),
        ] {
            assert_eq!(Size(octets).to_string(), expected);
        }
        for (number, expected) in [(0, 1), (9, 1), (10, 2), (u64::MAX, 20)] {
            assert_eq!(digits(number), expected);
        }
    }
}
