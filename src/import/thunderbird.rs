//! Thunderbird's `popstate.dat`: `*HOST USER`, and for each message of that mailbox a line `STATE
//! UNIQUE-ID TIME`. The state is `k` for a message that is kept on the server, `d` for one that is
//! to be deleted there, `b` for one of which only the headers were fetched, and `f` for one that is
//! to be fetched whole. The last two were not downloaded. Old files have no time.

use super::{LineError, Parsed, Parser};

#[derive(Debug, Default)]
pub(super) struct Thunderbird {
    /// True after the first mailbox.
    begun: bool,
}

impl Parser for Thunderbird {
    fn line<'a>(&mut self, line: &'a [u8]) -> Result<Parsed<'a>, LineError> {
        let form = LineError::Form {
            expected: "`*HOST USER`, or a letter of `kdbf` and a unique-id",
        };
        match line.first() {
            None | Some(b'#') => Ok(Parsed::Nothing),
            Some(b'*') => {
                let space = line.iter().position(|&octet| octet == b' ').ok_or(form)?;
                self.begun = true;
                Ok(Parsed::Mailbox {
                    host: &line[1..space],
                    user: &line[space + 1..],
                })
            }
            Some(state @ (b'k' | b'd' | b'b' | b'f')) if line.get(1) == Some(&b' ') => {
                if !self.begun {
                    return Err(LineError::NoMailbox);
                }
                let unique_id = without_time(&line[2..]);
                if matches!(state, b'b' | b'f') {
                    return Ok(Parsed::Nothing);
                }
                Ok(Parsed::Had(unique_id))
            }
            _ => Err(form),
        }
    }
}

/// The unique-id before the time, if there is one.
fn without_time(text: &[u8]) -> &[u8] {
    let Some(space) = text.iter().rposition(|&octet| octet == b' ') else {
        return text;
    };
    let time = &text[space + 1..];
    if !time.is_empty() && time.iter().all(u8::is_ascii_digit) {
        &text[..space]
    } else {
        text
    }
}
