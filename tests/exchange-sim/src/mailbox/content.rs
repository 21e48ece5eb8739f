//! The content of a message, and its form on the wire.

use std::fmt;
use std::sync::Arc;

/// Fills a buffer with the octets of a message from an offset on.
pub type Fill = Arc<dyn Fn(u64, &mut [u8]) + Send + Sync>;

/// The stored octets of a message: held, or made when they are sent.
#[derive(Clone)]
pub enum Content {
    /// Held in memory.
    Octets(Arc<[u8]>),
    /// Made on demand, so that a message of a gigabyte needs no memory.
    Made {
        /// How many octets.
        len: u64,
        /// Writes the octets from an offset on into the whole of a buffer.
        fill: Fill,
    },
}

impl Content {
    /// A message made on demand. It should end with CRLF, else the server adds one.
    pub fn made(len: u64, fill: impl Fn(u64, &mut [u8]) + Send + Sync + 'static) -> Self {
        Self::Made {
            len,
            fill: Arc::new(fill),
        }
    }

    /// A message of at least `len` octets (a multiple of 64, plus its header) with lines of 64
    /// octets, each of which differs from the others. For messages too large to hold.
    pub fn large(len: u64) -> Self {
        const LINE: u64 = 64;
        let header = b"Subject: a large message\r\nFrom: sender@exchange.example\r\n\r\n";
        let lines = len.div_ceil(LINE);
        let start = header.len() as u64;
        Self::made(start + lines * LINE, move |offset, buffer| {
            let mut at = offset;
            let mut rest = buffer;
            while !rest.is_empty() {
                let mut line = [b'x'; LINE as usize];
                let piece: &[u8] = if at < start {
                    &header[at as usize..]
                } else {
                    let number = format!("{:016}", (at - start) / LINE);
                    line[..16].copy_from_slice(number.as_bytes());
                    line[62..].copy_from_slice(b"\r\n");
                    &line[((at - start) % LINE) as usize..]
                };
                let n = piece.len().min(rest.len());
                rest[..n].copy_from_slice(&piece[..n]);
                rest = &mut rest[n..];
                at += n as u64;
            }
        })
    }

    /// The stored octets' count.
    pub fn len(&self) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::Made { len, .. } => *len,
        }
    }

    /// True if it has no octets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets that RETR sends, before byte-stuffing and without the terminator.
    pub fn wire_len(&self) -> u64 {
        self.len() + if self.needs_crlf() { 2 } else { 0 }
    }

    /// True if the server must add a CRLF so that the terminator is on a line of its own.
    pub(crate) fn needs_crlf(&self) -> bool {
        let len = self.len();
        if len < 2 {
            return len == 1;
        }
        let mut end = [0; 2];
        self.read(len - 2, &mut end);
        end != *b"\r\n"
    }

    /// Reads from `offset` on; `buffer` must not reach beyond the end.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) {
        match self {
            Self::Octets(octets) => {
                let start = offset as usize;
                buffer.copy_from_slice(&octets[start..start + buffer.len()]);
            }
            Self::Made { fill, .. } => fill(offset, buffer),
        }
    }

    /// All octets as a client is to receive them (see [`wire_form`]).
    pub fn to_wire_form(&self) -> Vec<u8> {
        let mut octets = vec![0; self.len() as usize];
        self.read(0, &mut octets);
        if self.needs_crlf() {
            octets.extend_from_slice(b"\r\n");
        }
        octets
    }
}

impl From<Vec<u8>> for Content {
    fn from(octets: Vec<u8>) -> Self {
        Self::Octets(octets.into())
    }
}

impl From<&[u8]> for Content {
    fn from(octets: &[u8]) -> Self {
        Self::Octets(octets.into())
    }
}

impl<const N: usize> From<&[u8; N]> for Content {
    fn from(octets: &[u8; N]) -> Self {
        Self::Octets(octets.as_slice().into())
    }
}

impl From<Arc<[u8]>> for Content {
    fn from(octets: Arc<[u8]>) -> Self {
        Self::Octets(octets)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} octets)", self.len())
    }
}

/// The form in which a client receives a stored message, with byte-stuffing undone: the octets, and
/// a CRLF if the last line has none. Bare CR and bare LF stay; an empty message stays empty.
///
/// ```
/// assert_eq!(exchange_sim::wire_form(b"a\n.b"), b"a\n.b\r\n");
/// assert_eq!(exchange_sim::wire_form(b""), b"");
/// ```
pub fn wire_form(stored: &[u8]) -> Vec<u8> {
    Content::from(stored).to_wire_form()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crlf_is_added_where_the_last_line_has_none() {
        for (stored, wire) in [
            (&b""[..], &b""[..]),
            (b"x", b"x\r\n"),
            (b"x\r", b"x\r\r\n"),
            (b"x\n", b"x\n\r\n"),
            (b"x\r\n", b"x\r\n"),
            (b"\r\n", b"\r\n"),
        ] {
            assert_eq!(wire_form(stored), wire, "{stored:?}");
            assert_eq!(Content::from(stored).wire_len(), wire.len() as u64);
        }
    }

    #[test]
    fn a_large_message_reads_alike_in_any_pieces() {
        let content = Content::large(1000);
        let whole = content.to_wire_form();
        assert!(whole.ends_with(b"\r\n"));
        for step in [1, 7, 64, 100] {
            let mut pieces = Vec::new();
            while pieces.len() < whole.len() {
                let mut piece = vec![0; step.min(whole.len() - pieces.len())];
                content.read(pieces.len() as u64, &mut piece);
                pieces.extend(piece);
            }
            assert_eq!(pieces, whole);
        }
    }
}
