//! Makes text from a server or a message safe to show.
//!
//! A subject or an error text can contain escape sequences that rewrite the screen, answer for the
//! user, or make one line look like another. All characters that are not plainly visible are
//! escaped: control characters (C0, DEL, C1), bidirectional controls, zero-width and other
//! invisible characters, line separators, and octets that are not UTF-8.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One line of text, without characters that could control a terminal.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => safe.push_str(r"\t"),
            '\n' => safe.push_str(r"\n"),
            '\r' => safe.push_str(r"\r"),
            c if !acts(c) => safe.push(c),
            c if c.is_ascii() => hex(&mut safe, c as u8),
            c => {
                // Writing to a string cannot fail.
                let _ = write!(safe, r"\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(safe)
}

/// A unique-id in a reversible form: printable ASCII stays, all else and the backslash become
/// `\xNN`.
pub(crate) fn unique_id(octets: &[u8]) -> String {
    let mut safe = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'\\' => hex(&mut safe, *octet),
            b'!'..=b'~' => safe.push(char::from(*octet)),
            _ => hex(&mut safe, *octet),
        }
    }
    safe
}

/// The octets of a unique-id in the form of [`unique_id`]. Characters without an escape are
/// literal.
pub(crate) fn octets(shown: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(shown.len());
    let mut rest = shown.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = rest
            .strip_prefix(br"\x")
            .and_then(|digits| str::from_utf8(digits.get(..2)?).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(octet) => {
                octets.push(octet);
                rest = &rest[4..];
            }
            None => {
                octets.push(first);
                rest = behind;
            }
        }
    }
    octets
}

fn hex(to: &mut String, octet: u8) {
    // Writing to a string cannot fail.
    let _ = write!(to, r"\x{octet:02x}");
}

/// True if a character does more than show itself.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' // soft hyphen
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{180e}' // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}' // zero-width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{1d173}'..='\u{1d17a}' // musical formatting
            | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        let table = [
            ("plain text, größe, 漢字, 👍", "plain text, größe, 漢字, 👍"),
            ("", ""),
            ("\x1b[2J", r"\x1b[2J"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("\x00\x07\x7f", r"\x00\x07\x7f"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{85}", r"\u{85}"),
            ("invoice\u{202e}fdp.exe", r"invoice\u{202e}fdp.exe"),
            ("\u{2066}x\u{2069}", r"\u{2066}x\u{2069}"),
            ("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}"),
            ("a\u{2028}b", r"a\u{2028}b"),
            ("\u{e0041}", r"\u{e0041}"),
        ];
        for (raw, expected) in table {
            assert_eq!(text(raw), expected);
        }
    }

    #[test]
    fn unique_ids_can_be_read_back() {
        let table: [(&[u8], &str); 5] = [
            (b"AAAA+b/=", "AAAA+b/="),
            (b"a b", r"a\x20b"),
            (br"a\x20b", r"a\x5cx20b"),
            (b"\x00\xff\x1b", r"\x00\xff\x1b"),
            (b"", ""),
        ];
        for (raw, expected) in table {
            assert_eq!(unique_id(raw), expected);
            assert_eq!(octets(expected), raw);
        }
    }

    #[test]
    fn what_is_not_escaped_stands_for_itself() {
        for shown in [r"\", r"\x", r"\x4", r"\xzz", r"\x+1", "ü"] {
            assert_eq!(octets(shown), shown.as_bytes());
        }
    }

    proptest::proptest! {
        #[test]
        fn every_unique_id_is_read_back(
            raw in proptest::collection::vec(proptest::num::u8::ANY, 0..80),
        ) {
            proptest::prop_assert_eq!(octets(&unique_id(&raw)), raw);
        }

        #[test]
        fn nothing_that_acts_is_left(raw in "\\PC*|.*|[\u{0}-\u{ff}]*") {
            proptest::prop_assert!(!text(&raw).contains(acts));
        }
    }
}
