//! Mail to deliver: ordinary, awkward, and twins that share a header.

use std::collections::HashMap;
use std::sync::Arc;

/// A generator after Vigna's SplitMix64: small, and the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// One content, numbered by its index among all of a life. Contents have different stored forms; a
/// message that arrives twice is one content.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// As RETR sends it before byte-stuffing: empty, or lines of which the last one ends.
    pub(crate) raw: Arc<[u8]>,
    /// Its description, for stories.
    pub(crate) what: String,
}

impl Mail {
    /// Its form in a Maildir: LF for each CRLF.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let mut stored = Vec::with_capacity(self.raw.len());
        for (place, &octet) in self.raw.iter().enumerate() {
            if octet != b'\r' || self.raw.get(place + 1) != Some(&b'\n') {
                stored.push(octet);
            }
        }
        stored
    }

    /// Everything in front of the first empty line.
    pub(crate) fn header(&self) -> &[u8] {
        header(&self.raw)
    }

    /// True if it has a bare CR or LF: the sent form cannot be restored from the stored one.
    pub(crate) fn has_bare_line_ends(&self) -> bool {
        let octets = |wanted| {
            self.raw
                .iter()
                .filter(move |&&octet| octet == wanted)
                .count()
        };
        let pairs = self.raw.windows(2).filter(|two| two == b"\r\n").count();
        octets(b'\r') != pairs || octets(b'\n') != pairs
    }

    /// True if a server that does not stuff dots spoils it.
    pub(crate) fn has_dots(&self) -> bool {
        self.raw.starts_with(b".") || self.raw.windows(3).any(|three| three == b"\r\n.")
    }
}

pub(crate) fn header(raw: &[u8]) -> &[u8] {
    if raw.starts_with(b"\r\n") {
        return b"";
    }
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or(raw, |end| &raw[..end + 2])
}

/// All contents of a life.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    all: Vec<Mail>,
    /// By their stored form.
    numbers: HashMap<Vec<u8>, usize>,
}

impl Contents {
    pub(crate) fn get(&self, number: usize) -> &Mail {
        &self.all[number]
    }

    pub(crate) fn all(&self) -> &[Mail] {
        &self.all
    }

    /// The content of a message in a store, if it is one. A mail program may have added a `Status`
    /// in front.
    pub(crate) fn identify(&self, stored: &[u8]) -> Option<usize> {
        let bare = stored.strip_prefix(STATUS).unwrap_or(stored);
        self.numbers.get(bare).copied()
    }

    fn add(&mut self, what: impl Into<String>, raw: Vec<u8>) -> usize {
        let (what, raw) = (what.into(), raw.into());
        let mail = Mail { raw, what };
        // The few without a number of their own arrive again as the same content.
        let number = *self.numbers.entry(mail.stored()).or_insert(self.all.len());
        if number == self.all.len() {
            self.all.push(mail);
        }
        number
    }

    /// A message to arrive: mostly a new content, or one that was there before.
    pub(crate) fn arrival(&mut self, random: &mut Random) -> usize {
        let number = self.all.len();
        let head = |id: bool| {
            let id = if id {
                format!("Message-ID: <{number}@example.org>\r\n")
            } else {
                String::new()
            };
            format!(
                "From: sender@example.org\r\nSubject: letter {number}\r\n{id}Date: Mon, 01 Jan \
                 2024 00:{:02}:00 +0000\r\n",
                number % 60
            )
        };
        let body = text(number, random);
        let letter = |parts: &[&[u8]]| [head(true).as_bytes(), b"\r\n", &parts.concat()].concat();
        match random.below(16) {
            0 | 1 if number > 0 => {
                let other = random.below(number);
                self.twin(other, random)
            }
            2 if number > 0 => random.below(number),
            3 => {
                let raw = [head(false).as_bytes(), b"\r\n", &body].concat();
                self.add("no Message-ID", raw)
            }
            4 | 5 => {
                let dots = b".\r\n..\r\nmiddle\r\n.end\r\n";
                self.add("dot lines", letter(&[&body, dots, &body]))
            }
            6 => {
                let raw = letter(&[&body, b".signature\r\n"]);
                self.add("a dot first in a line", raw)
            }
            7 => {
                let bare = b"bare\nLF, bare\rCR\n.\nand \r\r\n";
                self.add("bare LF and CR", letter(&[bare, &body]))
            }
            8 => {
                let from = b"From here\r\n>From there\r\n\r\nFrom a@b Tue Nov 14 22:13:20 2023\r\n";
                self.add("From lines", letter(&[&body, from]))
            }
            9 => match random.below(4) {
                0 => self.add("empty", Vec::new()),
                1 => self.add("one empty line", b"\r\n".to_vec()),
                2 => self.add("no body", head(true).into()),
                _ => {
                    let raw = [b"\r\nno header\r\n".as_slice(), &body].concat();
                    self.add("no header", raw)
                }
            },
            _ => self.add("letter", letter(&[&body])),
        }
    }

    /// The same header, another body of another size.
    pub(crate) fn twin(&mut self, of: usize, random: &mut Random) -> usize {
        let number = self.all.len();
        let header = self.get(of).header().to_vec();
        let mut body = text(number, random);
        body.extend_from_slice(&vec![b'x'; 1 + random.below(300)]);
        body.extend_from_slice(b"\r\n");
        let mut raw = [&header, b"\r\n".as_slice(), &body].concat();
        if self.all.iter().any(|mail| mail.raw.len() == raw.len()) {
            raw.extend_from_slice(b"and more\r\n");
        }
        self.add(format!("header of #{of}"), raw)
    }

    /// Other mail of the same size for the server; the same mail if it is too short.
    pub(crate) fn same_size(&mut self, of: usize) -> usize {
        let number = self.all.len();
        let length = self.get(of).raw.len();
        let mut raw = format!("Subject: letter {number} in the size of {of}\r\n\r\n").into_bytes();
        if raw.len() + 4 > length {
            return of;
        }
        raw.resize(length - 2, b'y');
        raw.extend_from_slice(b"\r\n");
        self.add(format!("as long as #{of}"), raw)
    }

    /// Other mail.
    pub(crate) fn other(&mut self, random: &mut Random) -> usize {
        let number = self.all.len();
        let subject = format!("Subject: other letter {number}\r\n\r\n");
        let body = text(number, random);
        self.add("other", [subject.as_bytes(), &body].concat())
    }
}

/// The line that mail programs add to read messages.
pub(crate) const STATUS: &[u8] = b"Status: RO\n";

/// Lines that no other content has.
fn text(number: usize, random: &mut Random) -> Vec<u8> {
    let line = format!("line of {number}, {:x}\r\n", random.next());
    let lines = match random.below(30) {
        0 => 400,
        _ => 1 + random.below(40),
    };
    line.repeat(lines).into_bytes()
}
