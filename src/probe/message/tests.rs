use super::*;

fn transfer(wire: &[u8]) -> Transfer {
    let mut transfer = Transfer::default();
    transfer.take(wire);
    transfer
}

#[test]
fn octets_are_those_of_the_message_without_what_the_wire_adds() {
    for (wire, octets, stuffed, unstuffed, bare) in [
        (&b"A: b\r\n\r\nx\r\n.\r\n"[..], 11, 0, 0, 0),
        (b"A: b\r\n\r\n..x\r\n...\r\n.\r\n", 16, 2, 0, 0),
        (b"A: b\r\n\r\n.x\r\n.\r\n", 11, 0, 1, 0),
        (b"a\nb\rc\r\n.\r\n", 7, 0, 0, 2),
        (b".\r\n", 0, 0, 0, 0),
    ] {
        let name = String::from_utf8_lossy(wire);
        let transfer = transfer(wire);
        assert_eq!(transfer.octets(), octets, "{name:?}");
        assert_eq!(transfer.stuffed, stuffed, "{name:?}");
        assert_eq!(transfer.unstuffed, unstuffed, "{name:?}");
        assert_eq!(transfer.bare_line_ends, bare, "{name:?}");
        assert!(transfer.is_complete(), "{name:?}");
    }
    assert!(!transfer(b"A: b\r\n\r\nx\r\n.\r").is_complete());
}

#[test]
fn the_header_ends_at_the_blank_line() {
    let whole = transfer(b"A: b\r\nC: d\r\n\r\nbody\r\n.\r\n");
    assert_eq!(whole.header, b"A: b\r\nC: d\r\n");
    assert!(whole.blank_line);
    assert_eq!(whole.body(), 6);
    let body_only = transfer(b"\r\nbody\r\n.\r\n");
    assert!(body_only.header.is_empty() && body_only.blank_line);
    for header in [&b"A: b\r\n"[..], b""] {
        let alone = transfer(&[header, b".\r\n"].concat());
        assert_eq!(alone.header, header);
        assert!(!alone.blank_line);
        assert_eq!(alone.odd_field(), None);
    }
    let endless = transfer(&vec![b'x'; 2 * HEADER_LIMIT]);
    assert!(!endless.blank_line);
    assert_eq!(endless.header.len(), HEADER_LIMIT);
}

#[test]
fn odd_header_fields_are_found() {
    for (wire, odd) in [
        (&b"A: b\r\n c\r\nX-D : e\r\n\r\n.\r\n"[..], None),
        (
            b"From me Thu Jan 1\r\nA: b\r\n\r\n.\r\n",
            Some(&b"From me Thu Jan 1"[..]),
        ),
        (b"A: b\r\nno colon\r\n\r\n.\r\n", Some(b"no colon")),
        (b"A: b\r\n\tc\r\n\r\n.\r\n", None),
        (b"\tc\r\nA: b\r\n\r\n.\r\n", Some(b"\tc")),
    ] {
        assert_eq!(transfer(wire).odd_field(), odd);
    }
}
