use super::*;

#[test]
fn drop_listings() {
    let drop = |messages, octets| Some(DropListing { messages, octets });
    for (text, expected) in [
        ("2 320", drop(2, Some(320))),
        ("2 \t\t 320 and more", drop(2, Some(320))),
        ("0 0", drop(0, Some(0))),
        ("2 -5", drop(2, None)),
        ("2 many", drop(2, None)),
        ("2 18446744073709551616", drop(2, None)),
        ("2", None),
        ("", None),
        ("-1 0", None),
        ("two 320", None),
        ("18446744073709551616 1", None),
    ] {
        assert_eq!(DropListing::parse(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn scan_listings() {
    for (line, number, octets) in [
        ("1 120", Some(1), Some(120)),
        ("1 \t120 flags=x", Some(1), Some(120)),
        ("  1 120  ", Some(1), Some(120)),
        ("1", Some(1), None),
        ("1 xx", Some(1), None),
        ("1 -5", Some(1), None),
        ("0 120", None, Some(120)),
        ("4294967296 120", None, Some(120)),
        ("", None, None),
    ] {
        let parsed = ScanListing::parse(line.as_bytes());
        assert_eq!(parsed.number.map(MessageNumber::as_u32), number, "{line}");
        assert_eq!(parsed.octets, octets, "{line}");
    }
}

#[test]
fn unique_id_listings() {
    for (line, number, unique_id) in [
        (
            &b"1 whqtswO00WBw418f9t5JxYwZ"[..],
            Some(1),
            &b"whqtswO00WBw418f9t5JxYwZ"[..],
        ),
        (b"1\tABC extra words", Some(1), b"ABC"),
        (b"2   !\"#$%&'()*+,-", Some(2), b"!\"#$%&'()*+,-"),
        (b"3", Some(3), b""),
        (b"3 ", Some(3), b""),
        (b"4 \xff\x00\x7f", Some(4), b"\xff\x00\x7f"),
        (b"x abc", None, b"abc"),
        (b"", None, b""),
    ] {
        let parsed = UniqueIdListing::parse(line);
        assert_eq!(parsed.number.map(MessageNumber::as_u32), number);
        assert_eq!(parsed.unique_id, unique_id);
    }
}
