//! Un-stuffing gives back what was stuffed, and ends where it ended, in whatever pieces it comes.

use popsync::pop3::{Piece, Unstuffer};

pub(crate) fn holds(data: &[u8]) {
    let [size, message @ ..] = data else {
        return;
    };
    let mut message = message.to_vec();
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        message.extend_from_slice(b"\r\n");
    }
    let rest = b"+OK next\r\n";
    let mut stream = stuffed(&message);
    stream.extend_from_slice(rest);
    let mut unstuffer = Unstuffer::default();
    let mut content = Vec::new();
    let mut ended_at = None;
    let mut read = 0;
    'pieces: for piece in stream.chunks(usize::from(*size % 64) + 1) {
        let mut left = piece;
        while let Some(found) = unstuffer.next_piece(&mut left) {
            match found {
                Piece::Content(octets) => content.extend_from_slice(octets),
                Piece::LoneDot => {}
                Piece::End => {
                    ended_at = Some(read + piece.len() - left.len());
                    break 'pieces;
                }
            }
        }
        read += piece.len();
    }
    assert_eq!(content, message);
    assert_eq!(ended_at, Some(stream.len() - rest.len()));
}

/// RFC 1939 §3, the slow and plain way: only CRLF ends a line.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut at_line_start = true;
    for (index, &octet) in message.iter().enumerate() {
        if at_line_start && octet == b'.' {
            stream.push(b'.');
        }
        stream.push(octet);
        at_line_start = octet == b'\n' && index > 0 && message[index - 1] == b'\r';
    }
    stream.extend_from_slice(b".\r\n");
    stream
}
