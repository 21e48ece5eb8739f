//! The word that a server says before it ends a session that has lasted too long for it: Exchange
//! says `-ERR Connection is closed. 21` (`XPOP3:V0003`), others say so in words of their own.
//!
//! It comes where nobody asked, behind a whole answer, or in the place of one, and is no answer
//! to any command: no message is to blame for it, and nothing is refused by it. A line that looks
//! like it proves nothing: it may be a part of a message that a broken server cut at a dot. Only
//! the end of the stream right behind it does.

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
