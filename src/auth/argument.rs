//! The characters that may follow USER and PASS on the wire, and those that SASL may carry.
//!
//! Outlook sends these arguments as printable ASCII (`OPOP3:C0003`). A CR or LF inside one would
//! end the command early, and the author of the password could add commands of his own.

use std::fmt;

use crate::pop3::MAX_COMMAND;

/// The longest argument of USER and of PASS: with it the line has the maximum length that any
/// Exchange can be set to accept (`XPOP3:E0006`).
pub(crate) const MAX: usize = MAX_COMMAND - "USER \r\n".len();

/// A byte that cannot be sent. Only its class is stored and not the byte, since it is part of a
/// secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadByte {
    /// 0x0D.
    CarriageReturn,
    /// 0x00 to 0x1F and 0x7F, except those with a variant of their own.
    Control,
    /// 0x0A.
    LineFeed,
    /// 0x80 and above.
    NonAscii,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// 0x00.
    Nul,
}

impl fmt::Display for BadByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CarriageReturn => "a carriage return",
            Self::Control => "a control character",
            Self::LineFeed => "a line feed",
            Self::NonAscii => "a character outside ASCII",
            Self::NotUtf8 => "bytes that are not UTF-8",
            Self::Nul => "a NUL",
        })
    }
}

/// Checks that `argument` can be sent as it is.
///
/// # Errors
/// The class of the first byte that cannot be sent.
pub(crate) fn check(argument: &[u8]) -> Result<(), BadByte> {
    argument
        .iter()
        .find_map(|byte| match byte {
            b' '..=b'~' => None,
            b'\r' => Some(BadByte::CarriageReturn),
            b'\n' => Some(BadByte::LineFeed),
            0 => Some(BadByte::Nul),
            0x80.. => Some(BadByte::NonAscii),
            _ => Some(BadByte::Control),
        })
        .map_or(Ok(()), Err)
}

/// True if USER would not carry this name unchanged: it takes one argument (`OPOP3:C0042`), and a
/// server may read any run of blanks as one, and ignore blanks at the end (`OPOP3:C0004`).
pub(crate) fn has_stray_blanks(name: &str) -> bool {
    name.starts_with(' ') || name.ends_with(' ') || name.contains("  ")
}

/// Checks that SASL may carry `argument`: UTF-8 without control characters. SASLprep forbids them
/// (RFC 4013 §2.3) and some mechanisms use them.
///
/// # Errors
/// The class of the first byte that is not allowed.
pub(crate) fn check_text(argument: &[u8]) -> Result<(), BadByte> {
    argument
        .iter()
        .find_map(|byte| match byte {
            b'\r' => Some(BadByte::CarriageReturn),
            b'\n' => Some(BadByte::LineFeed),
            0 => Some(BadByte::Nul),
            byte if byte.is_ascii_control() => Some(BadByte::Control),
            _ => None,
        })
        .map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_can_be_sent() {
        let table: [(&[u8], Result<(), BadByte>); 8] = [
            (b"", Ok(())),
            (b"hunter2 ~!", Ok(())),
            (b"a\rb", Err(BadByte::CarriageReturn)),
            (b"a\nDELE 1", Err(BadByte::LineFeed)),
            (b"a\0", Err(BadByte::Nul)),
            (b"\x7f", Err(BadByte::Control)),
            (b"\t", Err(BadByte::Control)),
            ("größe".as_bytes(), Err(BadByte::NonAscii)),
        ];
        for (argument, expected) in table {
            assert_eq!(check(argument), expected, "{argument:?}");
        }
    }

    #[test]
    fn blanks_stand_alone_and_between_words() {
        for name in ["anna", "an na", "a n n a", ""] {
            assert!(!has_stray_blanks(name), "{name:?}");
        }
        for name in [" anna", "anna ", "an  na", " ", "  ", "a  "] {
            assert!(has_stray_blanks(name), "{name:?}");
        }
    }

    #[test]
    fn sasl_carries_everything_but_control_characters() {
        assert_eq!(check_text("größe \u{a0}~".as_bytes()), Ok(()));
        assert_eq!(check_text(b"a\x1b[2J"), Err(BadByte::Control));
        assert_eq!(check_text(b"a\rb"), Err(BadByte::CarriageReturn));
        assert_eq!(check_text(b"a\nDELE 1"), Err(BadByte::LineFeed));
        assert_eq!(check_text(b"a\0b"), Err(BadByte::Nul));
    }
}
