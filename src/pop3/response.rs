//! Status indicators, response codes and the text after them.

use std::fmt;

/// One status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    positive: bool,
    /// The status indicator as sent. Empty if there is none.
    word: &'a [u8],
    foreign: bool,
    text: &'a [u8],
    shown: &'a [u8],
}

impl<'a> Response<'a> {
    /// The same response with another text for people. Its meaning does not change.
    #[must_use]
    pub fn shown_as<'t>(self, shown: &'t [u8]) -> Response<'t>
    where
        'a: 't,
    {
        Response { shown, ..self }
    }

    /// Reads a status line without its CRLF. Never fails: a line that does not begin with `+` is
    /// negative, in any letter case and with any word (`OPOP3:V0001`).
    pub fn parse(line: &'a [u8]) -> Self {
        let indicator = line
            .iter()
            .position(|&octet| octet == b' ' || octet == b'\t')
            .unwrap_or(line.len());
        // A line without a status indicator is all text.
        let (word, text) = match line.first() {
            Some(b'+' | b'-') => line.split_at(indicator),
            _ => (&line[..0], line),
        };
        let text = text.trim_ascii_start();
        Self {
            positive: line.first() == Some(&b'+'),
            word,
            foreign: line.first().is_some_and(u8::is_ascii_graphic) && word.is_empty(),
            text,
            shown: text,
        }
    }

    /// True if the command succeeded.
    pub fn is_positive(&self) -> bool {
        self.positive
    }

    /// True if its first octet belongs to another protocol: such a line counts as negative, but the
    /// server hardly means that.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The challenge in a SASL exchange: after a single `+` (RFC 5034 §4), or directly attached to
    /// it, as some servers leave the blank out.
    pub(super) fn challenge(&self) -> Option<&'a [u8]> {
        match self.word.strip_prefix(b"+")? {
            b"" => Some(self.text),
            glued if self.text.is_empty() && is_glued_challenge(glued) => Some(glued),
            _ => None,
        }
    }

    /// The text after the status indicator, as sent.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The text to show to people: all of it, unless [`Self::shown_as`] removed something.
    pub fn shown(&self) -> &'a [u8] {
        self.shown
    }

    /// The size of the message in a reply to RETR: `+OK 120 octets` (RFC 1939 §5), or `+OK Message
    /// follows (120 octets)`. A number anywhere else is ignored.
    pub fn announced_octets(&self) -> Option<u64> {
        let text = self.text();
        let inside = text.iter().position(|&octet| octet == b'(');
        let text = inside.map_or(text, |at| &text[at + 1..]);
        let mut words = text.split(|octet| b" \t)".contains(octet));
        let number = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
        let unit = words.next()?.to_ascii_lowercase();
        let units: [&[u8]; 4] = [b"octets", b"octet", b"bytes", b"byte"];
        units.contains(&unit.as_slice()).then_some(number)
    }

    /// The response code at the start of the text (RFC 2449 §8), in upper case.
    pub fn code(&self) -> Option<ResponseCode> {
        let rest = self.text.strip_prefix(b"[")?;
        let end = rest.iter().position(|&octet| octet == b']')?;
        let code = rest[..end].to_ascii_uppercase();
        // RFC 2449 §9: printable ASCII without brackets.
        if code.is_empty() || !code.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        Some(match code.as_slice() {
            b"AUTH" => ResponseCode::Auth,
            b"IN-USE" => ResponseCode::InUse,
            b"LOGIN-DELAY" => ResponseCode::LoginDelay,
            b"SYS/PERM" => ResponseCode::SysPerm,
            b"SYS/TEMP" => ResponseCode::SysTemp,
            _ => ResponseCode::Other(String::from_utf8_lossy(&code).into_owned()),
        })
    }
}

/// True if all of it is base64, and it is not a word such as `OK`.
fn is_glued_challenge(text: &[u8]) -> bool {
    let digits = text.strip_suffix(b"=").unwrap_or(text);
    let digits = digits.strip_suffix(b"=").unwrap_or(digits);
    let digit = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/".contains(octet);
    let says_ok = text.len() >= 2 && text[..2].eq_ignore_ascii_case(b"OK");
    text.len().is_multiple_of(4) && digits.iter().all(digit) && !says_ok
}

/// A response code of RFC 2449 §8.1 or RFC 3206 §4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseCode {
    /// The credentials are wrong.
    Auth,
    /// The maildrop is locked by another session.
    InUse,
    /// The last login was too short a time ago.
    LoginDelay,
    /// A code that popsync does not know.
    Other(String),
    /// The server needs its administrator.
    SysPerm,
    /// The server has a temporary problem.
    SysTemp,
}

/// Displays octets from a server: valid UTF-8 unchanged, everything else and control characters
/// escaped. The output layer decides what a terminal may do with the rest.
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a>(pub &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    fmt::Write::write_char(f, character)?;
                }
            }
            for octet in chunk.invalid() {
                write!(f, "\\x{octet:02x}")?;
            }
        }
        Ok(())
    }
}

/// The maximum number of characters of the server's text that people see.
const SHOWN: usize = 200;

/// Cuts a server's text to a length that people read. Interpret it before.
#[must_use]
pub fn shortened(mut words: String) -> String {
    if let Some((end, _)) = words.char_indices().nth(SHOWN) {
        words.truncate(end);
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_retr_announces_by_table() {
        for (line, size) in [
            (&b"+OK 120 octets"[..], Some(120)),
            (b"+OK 1 octet follows", Some(1)),
            (b"+OK Message follows (1200 octets)", Some(1200)),
            (b"+OK (7 Bytes)", Some(7)),
            (b"+OK", None),
            (b"+OK 120", None),
            (b"+OK 120 messages", None),
            (b"+OK of 120 octets", None),
            (b"+OK 99999999999999999999 octets", None),
            (b"+OK -1 octets", None),
        ] {
            assert_eq!(Response::parse(line).announced_octets(), size, "{line:?}");
        }
    }

    /// OPOP3:V0001: only the first octet decides.
    #[test]
    fn the_first_octet_alone_decides() {
        for line in ["+OK", "+ok", "+Ok fine", "+", "+YES", "+ERR no", "+\t"] {
            assert!(Response::parse(line.as_bytes()).is_positive(), "{line}");
        }
        for line in ["-ERR", "-err", "-", "OK", "", " +OK", "hello", "\t+OK"] {
            assert!(!Response::parse(line.as_bytes()).is_positive(), "{line}");
        }
    }

    #[test]
    fn a_challenge_may_lack_its_blank_and_is_no_other_word() {
        let challenge = |line: &'static str| Response::parse(line.as_bytes()).challenge();
        for (line, asked) in [
            ("+ UGFzcw==", "UGFzcw=="),
            ("+ go ahead", "go ahead"),
            ("+ ", ""),
            ("+", ""),
            ("+UGFzcw==", "UGFzcw=="),
            ("+YWJj", "YWJj"),
        ] {
            assert_eq!(challenge(line), Some(asked.as_bytes()), "{line}");
        }
        for line in [
            "+OK",
            "+ok",
            "+OKAY",
            "+YES",
            "+ERR",
            "+ERR text",
            "+DONE it is",
            "+UGFzcw",
            "+UG=zcw==",
            "-ERR",
            "UGFzcw==",
            "",
        ] {
            assert_eq!(challenge(line), None, "{line}");
        }
    }

    #[test]
    fn text_follows_any_run_of_spaces_and_tabs() {
        for (line, text) in [
            ("+OK", ""),
            ("+OK ", ""),
            ("+OK \t two  words ", "two  words "),
            ("-ERR\tno", "no"),
            ("nonsense from a proxy", "nonsense from a proxy"),
        ] {
            assert_eq!(Response::parse(line.as_bytes()).text(), text.as_bytes());
        }
    }

    #[test]
    fn response_codes_are_read_in_any_case_and_unknown_ones_kept() {
        let code = |line: &str| Response::parse(line.as_bytes()).code();
        assert_eq!(code("-ERR [in-use] busy"), Some(ResponseCode::InUse));
        assert_eq!(code("-ERR [AUTH] no"), Some(ResponseCode::Auth));
        assert_eq!(code("-ERR [SYS/TEMP] x"), Some(ResponseCode::SysTemp));
        assert_eq!(code("-ERR [SYS/PERM]"), Some(ResponseCode::SysPerm));
        assert_eq!(code("-ERR [LOGIN-DELAY] x"), Some(ResponseCode::LoginDelay));
        assert_eq!(
            code("-ERR [X-NEW] x"),
            Some(ResponseCode::Other("X-NEW".into()))
        );
        for none in [
            "-ERR",
            "-ERR []",
            "-ERR [a b] x",
            "-ERR [AUTH",
            "-ERR x [AUTH]",
        ] {
            assert_eq!(code(none), None, "{none}");
        }
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        assert_eq!(shortened("ü".repeat(200)), "ü".repeat(200));
        assert_eq!(shortened("ü".repeat(201)), "ü".repeat(200) + "…");
        assert_eq!(shortened(String::new()), "");
    }

    #[test]
    fn printable_escapes_what_could_drive_a_terminal() {
        let text = Printable(b"ok \x1b]0;x\x07 \xff \xc2\x9b \r\n gr\xc3\xbc\xc3\x9fe").to_string();
        assert_eq!(
            text,
            "ok \\u{1b}]0;x\\u{7} \\xff \\u{9b} \\r\\n gr\u{fc}\u{df}e"
        );
    }
}
