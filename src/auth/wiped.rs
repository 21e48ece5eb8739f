//! Buffers for a secret that leave no copy behind: the content is overwritten when it moves to a
//! larger buffer, and at the end. That costs time for each octet of capacity, so a buffer begins
//! small.

use std::io::{self, Read};

use secrecy::zeroize::Zeroizing;

/// The size of a read.
pub(super) const PIECE: usize = 4096;

/// Appends octets to a buffer.
pub(super) fn extend(buffer: &mut Zeroizing<Vec<u8>>, octets: &[u8]) {
    let needed = buffer.len() + octets.len();
    if needed > buffer.capacity() {
        let room = needed.max(2 * buffer.capacity());
        let mut larger = Zeroizing::new(Vec::with_capacity(room));
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
    buffer.extend_from_slice(octets);
}

/// Reads until `enough`, the end, or `most` octets.
pub(super) fn read_until(
    mut file: impl Read,
    most: usize,
    enough: impl Fn(&[u8]) -> bool,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut read = Zeroizing::new(Vec::new());
    let mut piece = Zeroizing::new([0; PIECE]);
    while read.len() < most && !enough(&read) {
        let room = PIECE.min(most - read.len());
        match file.read(&mut piece[..room]) {
            Ok(0) => break,
            Ok(count) => extend(&mut read, &piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_holds_all_that_it_was_given() {
        let mut buffer = Zeroizing::new(Vec::new());
        let mut expected = Vec::new();
        for length in [0, 1, 3, 4096, 1, 20_000] {
            let octets: Vec<u8> = (0..length).map(|at: usize| at.to_le_bytes()[0]).collect();
            extend(&mut buffer, &octets);
            expected.extend_from_slice(&octets);
            assert_eq!(*buffer, expected);
        }
    }

    #[test]
    fn reading_ends_where_it_may_or_must() {
        let text = [b"line\n".repeat(2_000), b"end".to_vec()].concat();
        let table = [
            (0, "", 0),
            (5_000, "none", 5_000),
            (100_000, "none", text.len()),
            // The piece that holds the first line.
            (100_000, "\n", PIECE),
            (100_000, "", 0),
        ];
        for (most, end, length) in table {
            let has_end = |read: &[u8]| String::from_utf8_lossy(read).contains(end);
            let read = read_until(&text[..], most, has_end).unwrap();
            assert_eq!(*read, text[..length], "{most}");
        }
    }
}
