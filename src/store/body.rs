//! A digest of the body of a message that stays the same when another program rewrites the message.
//!
//! Mail programs that do so change line ends, and may add blank lines at the end. They leave the
//! rest alone.

use memchr::memchr2;
use sha2::{Digest, Sha256};

/// Digests a body as it streams by, without CRs and without blank lines at its end.
#[derive(Debug)]
pub(crate) struct Body {
    digest: Sha256,
    is_empty: bool,
    /// Line ends that count only if something follows them.
    line_ends: u64,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            digest: Sha256::new(),
            is_empty: true,
            line_ends: 0,
        }
    }
}

impl Body {
    /// Takes the next octets.
    pub(crate) fn take(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !rest.is_empty() {
            let end = memchr2(b'\r', b'\n', rest);
            let (text, behind) = rest.split_at(end.unwrap_or(rest.len()));
            if !text.is_empty() {
                self.put_line_ends();
                self.digest.update(text);
                self.is_empty = false;
            }
            let Some((first, behind)) = behind.split_first() else {
                return;
            };
            self.line_ends += u64::from(*first == b'\n');
            rest = behind;
        }
    }

    /// The digest. None if the body is empty.
    pub(crate) fn finish(self) -> Option<[u8; 32]> {
        (!self.is_empty).then(|| self.digest.finalize().into())
    }

    fn put_line_ends(&mut self) {
        const LINE_ENDS: [u8; 64] = [b'\n'; 64];
        while self.line_ends > 0 {
            let count = self.line_ends.min(LINE_ENDS.len() as u64);
            self.digest.update(&LINE_ENDS[..count as usize]);
            self.line_ends -= count;
        }
    }
}
