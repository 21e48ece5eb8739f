use proptest::prelude::*;

use super::*;

/// The octets that a server sends for `message`, which ends in CRLF or is empty.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut line_start = true;
    for (index, &octet) in message.iter().enumerate() {
        if line_start && octet == b'.' {
            out.push(b'.');
        }
        out.push(octet);
        line_start = octet == b'\n' && index > 0 && message[index - 1] == b'\r';
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// The message in `wire`, fed in pieces of `size` octets, and the octets after its end.
fn unstuffed(wire: &[u8], size: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut unstuffer = Unstuffer::default();
    let mut message = Vec::new();
    let mut rest = wire;
    while !rest.is_empty() {
        let (mut piece, tail) = rest.split_at(size.min(rest.len()));
        rest = tail;
        while let Some(part) = unstuffer.next_piece(&mut piece) {
            match part {
                Piece::Content(octets) => message.extend_from_slice(octets),
                Piece::LoneDot => {}
                Piece::End => return Some((message, [piece, rest].concat())),
            }
        }
    }
    None
}

#[test]
fn messages_by_table_in_pieces_of_every_size() {
    for (wire, message) in [
        (&b".\r\n"[..], Some(&b""[..])),
        (b"\r\n.\r\n", Some(b"\r\n")),
        (b"a\r\n.\r\n", Some(b"a\r\n")),
        (b"..\r\n.\r\n", Some(b".\r\n")),
        (b"...\r\n.\r\n", Some(b"..\r\n")),
        (b".done\r\n.\r\n", Some(b"done\r\n")),
        (b"a\r\n..b\r\n.c\r\n.\r\n", Some(b"a\r\n.b\r\nc\r\n")),
        // A bare LF or CR ends no line.
        (b"a\n.\nb\r\n.\r\n", Some(b"a\n.\nb\r\n")),
        (b"a\n.\r\nb\r\n.\r\n", Some(b"a\n.\r\nb\r\n")),
        (b"a\r.\rb\r\n.\r\n", Some(b"a\r.\rb\r\n")),
        (b"a\r\n.\nb\r\n.\r\n", Some(b"a\r\n\nb\r\n")),
        (b"a\r\n.\rb\r\n.\r\n", Some(b"a\r\n\rb\r\n")),
        (b"a\r\n.\r\r\n.\r\n", Some(b"a\r\n\r\r\n")),
        (b"a\r\r\n.\r\n", Some(b"a\r\r\n")),
        (b"\r\r\n\n\r\n.\r\n", Some(b"\r\r\n\n\r\n")),
        // No end.
        (b"text.\r\n", None),
        (b"text\r\n.\r", None),
        (b"text\r\n.", None),
    ] {
        for size in 1..=wire.len() {
            let found = unstuffed(wire, size);
            assert_eq!(
                found.as_ref().map(|(message, _)| message.as_slice()),
                message,
                "{:?} in pieces of {size}",
                String::from_utf8_lossy(wire)
            );
        }
    }
}

#[test]
fn what_follows_the_end_is_left_alone() {
    let (message, rest) = unstuffed(b"a\r\n.\r\n+OK next\r\n", 100).unwrap();
    assert_eq!(
        (message.as_slice(), rest.as_slice()),
        (&b"a\r\n"[..], &b"+OK next\r\n"[..])
    );
}

/// Octets that matter to the codec, often enough to occur side by side.
fn hostile_octets() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        3 => Just(b'\r'), 3 => Just(b'\n'), 3 => Just(b'.'), 2 => any::<u8>()
    ];
    proptest::collection::vec(octet, 0..200)
}

#[test]
fn a_first_dot_that_stands_alone_is_told() {
    for (wire, lone) in [
        (&b".signature\r\n.\r\n"[..], true),
        (b"..signature\r\n.\r\n", false),
        (b".\r\n", false),
        (b".\rx\r\n.\r\n", false),
        (b"x\r\n.y\r\n.\r\n", false),
    ] {
        for size in 1..=wire.len() {
            let mut unstuffer = Unstuffer::default();
            let mut found = false;
            for mut part in wire.chunks(size) {
                while let Some(piece) = unstuffer.next_piece(&mut part) {
                    found |= piece == Piece::LoneDot;
                }
            }
            assert_eq!(found, lone, "{wire:?} by {size}");
        }
    }
}

proptest! {
    #[test]
    fn unstuffing_inverts_stuffing(mut message in hostile_octets(), size in 1_usize..64) {
        if !message.is_empty() && !message.ends_with(b"\r\n") {
            message.extend_from_slice(b"\r\n");
        }
        let mut wire = stuffed(&message);
        wire.extend_from_slice(b"+OK rest");
        let (found, rest) = unstuffed(&wire, size).unwrap();
        prop_assert_eq!(found, message);
        prop_assert_eq!(rest, b"+OK rest");
    }

    #[test]
    fn any_cut_of_any_input_gives_the_same(wire in hostile_octets(), size in 1_usize..16) {
        prop_assert_eq!(unstuffed(&wire, size), unstuffed(&wire, wire.len().max(1)));
    }
}
