//! The form of unique-ids.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use crate::pop3::listing::{MAX_UNIQUE_ID, UniqueIdListing};

use super::{Rows, Sightings};

/// The form of one unique-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdForm {
    /// As Exchange 2007 and later makes them (`XPOP3:C0007`).
    Decimal,
    /// 32 characters of base64, as Exchange 5.0 to 2003 makes them.
    Base64,
    /// Hexadecimal digits, as Dovecot makes them.
    Hexadecimal,
    /// Anything else.
    Other,
}

impl IdForm {
    /// The form of an id. An id of decimal digits only counts as decimal, not as hexadecimal.
    pub(crate) fn of(id: &[u8]) -> Self {
        let is_base64 =
            |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'+' || *octet == b'/';
        if id.is_empty() {
            Self::Other
        } else if id.len() < 16 && id.iter().all(u8::is_ascii_digit) {
            Self::Decimal
        } else if id.len() >= 8 && id.iter().all(u8::is_ascii_hexdigit) {
            Self::Hexadecimal
        } else if id.len() == 32 && id.iter().all(is_base64) {
            Self::Base64
        } else {
            Self::Other
        }
    }

    /// The name of the form.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Decimal => "decimal",
            Self::Base64 => "base64",
            Self::Hexadecimal => "hexadecimal",
            Self::Other => "other",
        }
    }

    /// All forms.
    pub(crate) const ALL: [Self; 4] = [Self::Decimal, Self::Base64, Self::Hexadecimal, Self::Other];
}

/// The rows of UIDL.
#[derive(Clone, Default)]
pub(crate) struct UniqueIdRows {
    /// The form of the rows.
    pub rows: Rows,
    /// Rows without an id.
    pub missing: Sightings,
    /// Ids with an octet outside 0x2E to 0x7E (`OPOP3:C0039`) but none outside 0x21 to 0x7E.
    pub outside_outlook: Sightings,
    /// Ids with an octet outside 0x21 to 0x7E (RFC 1939 §7).
    pub outside_rfc: Sightings,
    /// Ids longer than 70 octets (RFC 1939 §7).
    pub too_long: Sightings,
    /// Ids that another message also has.
    pub repeated: Sightings,
    /// Decimal ids that are not larger than the one before.
    pub not_increasing: Sightings,
    /// The shortest and the longest, in octets.
    pub lengths: Option<(usize, usize)>,
    forms: [u64; IdForm::ALL.len()],
    last_decimal: u64,
    /// Hashes of the ids: small, and enough for counting.
    known: HashSet<u64>,
    hasher: RandomState,
}

impl fmt::Debug for UniqueIdRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UniqueIdRows");
        debug.field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl UniqueIdRows {
    /// Takes a row.
    pub(crate) fn row(&mut self, line: &[u8]) {
        let listing = UniqueIdListing::parse(line);
        self.rows.row(line, listing.number);
        let id = listing.unique_id;
        if id.is_empty() {
            self.missing.add(line);
            return;
        }
        let outside = |from| id.iter().any(|octet| !(from..=0x7e).contains(octet));
        if outside(0x21) {
            self.outside_rfc.add(id);
        } else if outside(0x2e) {
            self.outside_outlook.add(id);
        }
        if id.len() > MAX_UNIQUE_ID {
            self.too_long.add(id);
        }
        if !self.known.insert(self.hasher.hash_one(id)) {
            self.repeated.add(id);
        }
        let (shortest, longest) = self.lengths.unwrap_or((id.len(), id.len()));
        self.lengths = Some((shortest.min(id.len()), longest.max(id.len())));
        let form = IdForm::of(id);
        self.forms[form as usize] += 1;
        if form == IdForm::Decimal {
            // Fewer than 16 digits always fit.
            let value = str::from_utf8(id).map_or(0, |text| text.parse().unwrap_or(0));
            if self.forms[form as usize] > 1 && value <= self.last_decimal {
                self.not_increasing.add(id);
            }
            self.last_decimal = value;
        }
    }

    /// The number of ids that have this form.
    pub(crate) fn of_form(&self, form: IdForm) -> u64 {
        self.forms[form as usize]
    }

    /// The forms that occur, and the number of ids of each.
    pub(crate) fn forms(&self) -> impl Iterator<Item = (IdForm, u64)> {
        let all = IdForm::ALL.into_iter();
        all.map(|form| (form, self.of_form(form)))
            .filter(|(_, count)| *count > 0)
    }

    /// True if all have a form that Exchange makes.
    pub(crate) fn like_exchange(&self) -> bool {
        self.of_form(IdForm::Decimal) + self.of_form(IdForm::Base64) == self.rows.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_by_table() {
        for (id, form) in [
            ("6499", IdForm::Decimal),
            ("0", IdForm::Decimal),
            ("AAAADadKAAAQz+HlExtz3sqU2uoxlY1q", IdForm::Base64),
            ("0000000a5f3c1234", IdForm::Hexadecimal),
            ("000000015f3c1234", IdForm::Hexadecimal),
            ("0000000100000002", IdForm::Hexadecimal),
            ("d41d8cd98f00b204e9800998ecf8427e", IdForm::Hexadecimal),
            ("GmailId18f2a3b4c5d6e7f8", IdForm::Other),
            ("whqtswO00WBw418f9t5JxYwZ", IdForm::Other),
            ("", IdForm::Other),
        ] {
            assert_eq!(IdForm::of(id.as_bytes()), form, "{id}");
        }
    }

    #[test]
    fn ids_are_counted_by_what_is_odd_about_them() {
        let mut ids = UniqueIdRows::default();
        let long = format!("8 {}", "x".repeat(71));
        for row in [
            "1 6499",
            "2 6500",
            "3 6500",
            "4 6400",
            "5 a+b",
            "6 a\u{e4}",
            "7",
            &long,
        ] {
            ids.row(row.as_bytes());
        }
        assert_eq!(ids.rows.count, 8);
        assert_eq!(ids.of_form(IdForm::Decimal), 4);
        assert_eq!(ids.repeated.first, b"6500");
        assert_eq!(ids.not_increasing.count, 2);
        assert_eq!(ids.outside_outlook.first, b"a+b");
        assert_eq!(ids.outside_rfc.count, 1);
        assert_eq!(ids.missing.first, b"7");
        assert_eq!(ids.too_long.count, 1);
        assert_eq!(ids.lengths, Some((3, 71)));
        assert!(!ids.like_exchange());
    }
}
