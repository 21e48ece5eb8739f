//! The forms of unique-ids.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A form of unique-ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// 2007 and later: decimal integers that increase, with gaps (XPOP3:C0007).
    Decimal,
    /// 2003: 32 characters of base64, `A-Z a-z 0-9 + /`, with a common tail (the form of 2000's
    /// transcripts; XPOP3:C0009 says only that it differs).
    Legacy,
}

/// The source of ids of one mailbox. It never goes back (XPOP3:C0008).
#[derive(Debug)]
pub(super) struct Ids {
    form: IdForm,
    next: u64,
    tail: [u8; 16],
}

impl Ids {
    /// A source whose 2003 ids end in a tail made from the mailbox's name.
    pub(super) fn new(form: IdForm, name: &str) -> Self {
        let mut tail = [0; 16];
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        for (i, octet) in name.bytes().cycle().take(64).enumerate() {
            state = (state ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
            tail[i % 16] = (state >> 32) as u8;
        }
        Self {
            form,
            next: 6499,
            tail,
        }
    }

    pub(super) fn set_form(&mut self, form: IdForm) {
        self.form = form;
    }

    pub(super) fn next(&mut self) -> Vec<u8> {
        let number = self.next;
        // Gaps of 0 to 2 ids, as mail that was moved or deleted leaves them.
        self.next += 1 + number % 3;
        match self.form {
            IdForm::Decimal => number.to_string().into_bytes(),
            IdForm::Legacy => {
                let mut octets = [0; 24];
                // The published ids count in steps of four in the first two octets.
                let count = (number - 6499) * 4;
                octets[..2].copy_from_slice(&(count as u16).to_be_bytes());
                octets[2..8].copy_from_slice(&[0x03, 0x69, 0xd2, 0x80, 0x00, 0x04]);
                octets[4] ^= (count >> 16) as u8;
                octets[5] ^= (count >> 24) as u8;
                octets[8..].copy_from_slice(&self.tail);
                STANDARD.encode(octets).into_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn legacy_ids_have_the_form_of_the_transcripts_and_do_not_repeat() {
        let mut ids = Ids::new(IdForm::Legacy, "anna");
        let mut seen = HashSet::new();
        for _ in 0..50_000 {
            let id = ids.next();
            assert_eq!(id.len(), 32);
            assert!(
                id.iter()
                    .all(|c| c.is_ascii_alphanumeric() || b"+/".contains(c))
            );
            assert!(seen.insert(id));
        }
    }

    #[test]
    fn decimal_ids_increase_with_gaps() {
        let mut ids = Ids::new(IdForm::Decimal, "anna");
        let numbers: Vec<u64> = (0..100)
            .map(|_| String::from_utf8(ids.next()).unwrap().parse().unwrap())
            .collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(numbers.windows(2).any(|pair| pair[0] + 1 < pair[1]));
    }
}
