//! The commands of the TRANSACTION state (RFC 1939 §5 and §7).

use std::sync::Arc;

use super::body::Body;
use super::dispatch::Command;
use super::maildrop::Maildrop;
use super::output::{NextRow, Piece};
use super::{Phase, Session};
use crate::knobs::{DeleErr, Knobs, Sizes, UidlOne};
use crate::mailbox::Fails;
use crate::text::Text;

/// The kind of listing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    Scan,
    UniqueId,
}

impl Session {
    /// Carries out a command of the TRANSACTION state; its arguments have been counted.
    pub(super) fn transaction(&mut self, command: &Command) {
        let knobs = Arc::clone(&self.knobs);
        if knobs.live_listing
            && let Phase::Transaction(maildrop) = &mut self.phase
        {
            maildrop.refresh(&knobs);
        }
        match (command.verb.as_str(), command.args.as_slice()) {
            ("STAT", _) => self.stat(),
            ("LIST", []) => self.listing(Listing::Scan),
            ("LIST", [number]) => self.list_one(Listing::Scan, number),
            ("UIDL", []) => self.listing(Listing::UniqueId),
            ("UIDL", [number]) => self.list_one(Listing::UniqueId, number),
            ("RETR", [number]) => self.retrieve(number, None),
            ("TOP", [number, lines]) => self.retrieve(number, Some(lines)),
            ("DELE", [number]) => self.dele(number),
            ("RSET", _) => {
                if let Phase::Transaction(maildrop) = &mut self.phase {
                    for entry in &mut maildrop.entries {
                        entry.marked = false;
                    }
                }
                self.ok(Text::Done);
            }
            _ => self.ok(Text::Done),
        }
    }

    fn maildrop(&self) -> Option<&Maildrop> {
        match &self.phase {
            Phase::Transaction(maildrop) => Some(maildrop),
            _ => None,
        }
    }

    fn sizes(&self) -> Sizes {
        let own = self.knobs.sizes;
        own.unwrap_or_else(|| self.site.profile.sizes())
    }

    /// Count and size of the messages that are not marked.
    fn totals(&self) -> (usize, u64) {
        let sizes = self.sizes();
        if self.knobs.pretend_empty {
            return (0, 0);
        }
        let Some(maildrop) = self.maildrop() else {
            return (0, 0);
        };
        let left = maildrop.entries.iter().filter(|entry| !entry.marked);
        left.fold((0, 0), |(count, size), entry| {
            (count + 1, size + entry.size(sizes))
        })
    }

    fn stat(&mut self) {
        if let Some(mut line) = self.knobs.stat_line.clone() {
            line.extend_from_slice(b"\r\n");
            return self.push_octets(line);
        }
        let (count, size) = self.totals();
        self.ok_fields(&[count.to_string().as_bytes(), size.to_string().as_bytes()]);
    }

    fn listing(&mut self, listing: Listing) {
        if self.knobs.list_counts && listing == Listing::Scan {
            let (count, size) = self.totals();
            self.ok_text(format!("{count} {size}").as_bytes());
        } else {
            self.ok(Text::Listing);
        }
        if self.knobs.uidl_blank_first && listing == Listing::UniqueId {
            self.push_octets(b"\r\n".to_vec());
        }
        let rows = self.rows(listing);
        self.push_rows(rows);
        self.push_terminator();
    }

    /// The rows of a listing, made one by one.
    fn rows(&self, listing: Listing) -> NextRow {
        let Some(maildrop) = self.maildrop().filter(|_| !self.knobs.pretend_empty) else {
            return Box::new(|_| false);
        };
        let hidden = match listing {
            Listing::Scan => &self.knobs.hide_in_list,
            Listing::UniqueId => &self.knobs.hide_in_uidl,
        };
        let sizes = self.sizes();
        let wrong = u64::from(self.knobs.uid_wrong_number && listing == Listing::UniqueId);
        let rows = maildrop.rows(hidden);
        // Sizes and ids are taken now: a DELE behind this command must not change its answer.
        let mut fields = rows.into_iter().map({
            let entries: Vec<_> = maildrop
                .entries
                .iter()
                .map(|entry| super::maildrop::Entry {
                    message: Arc::clone(&entry.message),
                    uid: Arc::clone(&entry.uid),
                    marked: entry.marked,
                })
                .collect();
            let knobs = Arc::clone(&self.knobs);
            move |(number, index)| {
                let field = match listing {
                    Listing::Scan => entries[index].shown_size(sizes, &knobs).into_bytes(),
                    Listing::UniqueId => entries[index].uid.to_vec(),
                };
                (number.text(wrong), field)
            }
        });
        let knobs = Arc::clone(&self.knobs);
        let end = self.listing_line_end();
        let mut more = maildrop.entries.len() as u64;
        Box::new(move |out| {
            let (number, field) = match fields.next() {
                Some(row) => row,
                None if knobs.endless_list => {
                    more += 1;
                    (more.to_string(), more.to_string().into_bytes())
                }
                None => return false,
            };
            add_row(out, &number, &field, listing, &knobs);
            out.extend_from_slice(end);
            true
        })
    }

    /// `LIST n` and `UIDL n`, which Outlook never sends (OPOP3:V0003, V0007).
    fn list_one(&mut self, listing: Listing, argument: &[u8]) {
        let Some((number, index)) = self.addressed(argument, "") else {
            return;
        };
        let Phase::Transaction(maildrop) = &self.phase else {
            return;
        };
        let entry = &maildrop.entries[index];
        let number = number.to_string();
        let (field, form) = match listing {
            Listing::Scan => (
                entry.shown_size(self.sizes(), &self.knobs).into_bytes(),
                UidlOne::Normal,
            ),
            Listing::UniqueId => (entry.uid.to_vec(), self.knobs.uidl_one),
        };
        match form {
            UidlOne::Normal => self.ok_fields(&[number.as_bytes(), &field]),
            UidlOne::WithoutNumber => self.ok_fields(&[&field]),
            UidlOne::MultiLine => {
                self.ok(Text::Listing);
                let mut line = Vec::new();
                let knobs = Arc::clone(&self.knobs);
                add_row(&mut line, &number, &field, listing, &knobs);
                line.extend_from_slice(self.listing_line_end());
                self.push_octets(line);
                self.push_terminator();
            }
        }
    }

    /// The message that an argument addresses; answers if there is none, or it is marked
    /// (OPOP3:C0026).
    fn addressed(&mut self, argument: &[u8], verb: &str) -> Option<(u64, usize)> {
        if argument.is_empty() || !argument.iter().all(u8::is_ascii_digit) {
            self.err(Text::WrongArguments);
            return None;
        }
        let number = number(argument);
        let found = self.maildrop().and_then(|maildrop| {
            let index = maildrop.index_of(number?)?;
            Some((number?, index, maildrop.entries[index].marked))
        });
        match found {
            Some((number, index, false)) => Some((number, index)),
            Some((number, _, true)) => {
                if !verb.is_empty() {
                    self.violation(format!("{verb} {number} after its DELE"));
                }
                self.err(Text::OutOfRange);
                None
            }
            None => {
                self.err(Text::OutOfRange);
                None
            }
        }
    }

    /// RETR, and TOP with a number of lines.
    fn retrieve(&mut self, argument: &[u8], lines: Option<&Vec<u8>>) {
        let verb = if lines.is_some() { "TOP" } else { "RETR" };
        let top = match lines {
            None => None,
            Some(lines) => match number(lines) {
                Some(lines) if self.knobs.top_max_argument.is_none_or(|most| lines <= most) => {
                    Some(lines)
                }
                _ => return self.err(Text::WrongArguments),
            },
        };
        let Some((number, index)) = self.addressed(argument, verb) else {
            return;
        };
        let Some(maildrop) = self.maildrop() else {
            return;
        };
        let message = Arc::clone(&maildrop.entries[index].message);
        let fails = message.fails();
        // XPOP3:C0004: a message that vanished since the login is still listed, and fails here.
        if !message.is_present() || matches!(fails, Fails::Retr | Fails::Convert) {
            return self.err(Text::NotRetrieved);
        }
        self.ok(Text::Message);
        if top.is_some() && self.knobs.top_two_ok {
            self.ok(Text::Message);
        }
        let empty = fails == Fails::Empty || (self.knobs.empty_body && top.is_none());
        let body = Body::new(message, number, top, empty, Arc::clone(&self.knobs));
        self.out.push_back(Piece::Body(Box::new(body)));
    }

    fn dele(&mut self, argument: &[u8]) {
        let Some((number, index)) = self.addressed(argument, "DELE") else {
            return;
        };
        let Phase::Transaction(maildrop) = &mut self.phase else {
            return;
        };
        let refused = match &self.knobs.dele_err {
            DeleErr::None => false,
            DeleErr::All => true,
            DeleErr::Numbers(numbers) => numbers.contains(&number),
            DeleErr::AfterFirst(most) => maildrop.marked().len() >= *most as usize,
        };
        if refused {
            return self.err(Text::NotDeleted);
        }
        maildrop.entries[index].marked = true;
        self.ok(Text::Deleted);
    }
}

/// A row of LIST or UIDL without its line end.
fn add_row(out: &mut Vec<u8>, number: &str, field: &[u8], listing: Listing, knobs: &Knobs) {
    out.extend_from_slice(number.as_bytes());
    if listing == Listing::UniqueId && knobs.uid_missing {
        return;
    }
    out.extend_from_slice(knobs.sep.between().as_bytes());
    out.extend_from_slice(field);
    if let Some(extra) = &knobs.extra {
        out.extend_from_slice(knobs.sep.between().as_bytes());
        out.extend_from_slice(extra.as_bytes());
    }
    out.extend_from_slice(knobs.sep.trailing().as_bytes());
}

/// A number of decimal digits, if 64 bits hold it.
pub(super) fn number(argument: &[u8]) -> Option<u64> {
    if !argument.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(argument).ok()?.parse().ok()
}
