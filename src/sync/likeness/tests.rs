use super::*;

const SENT: &[u8] = b"Received: from a\r\n\tby b\r\nMessage-ID: <1@x>\r\nSubject: a  b\r\n\
    From: eva@example.com\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\n";

fn without_id(header: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(header.to_vec()).unwrap();
    text.replacen("Message-ID: <1@x>\r\n", "", 1).into_bytes()
}

fn portrait(message: &[u8], size: usize) -> Portrait {
    let mut reading = Reading::default();
    for piece in message.chunks(size) {
        reading.take(piece);
    }
    reading.finish()
}

fn lf(message: &[u8]) -> Vec<u8> {
    String::from_utf8(message.to_vec())
        .unwrap()
        .replace("\r\n", "\n")
        .into_bytes()
}

#[test]
fn a_header_is_recorded_and_stored_and_sent_alike() {
    let sent = Likeness::of_sent(SENT);
    assert_eq!(sent.as_sent, Some(headers::digest(SENT)));
    assert_eq!(sent.as_sent, sent.without_added);
    assert_eq!(Likeness::of_sent(&SENT[..SENT.len() - 2]), sent);
    for stored in [SENT.to_vec(), lf(SENT)] {
        let body = b"body";
        let stored = Likeness::of_stored(&[&stored[..], body].concat());
        assert_eq!(
            Likeness {
                behind_front: Vec::new(),
                ..stored
            },
            sent
        );
    }
    // A bare LF of the server's is no line's end.
    let bare = b"A: b\nC: d\r\n\r\n";
    let digest = headers::digest(bare);
    assert_eq!(Likeness::of_sent(bare).as_sent, Some(digest));
}

#[test]
fn what_programs_add_drop_or_move_leaves_the_plain_form_as_it_is() {
    let plain = Likeness::of_sent(SENT).plain;
    assert!(plain.is_some());
    let own = "Message-ID: <1@x>\nSubject: a  b\nFrom: eva@example.com\n\
        Date: Mon, 01 Jan 2024 00:00:00 +0000\n";
    for changed in [
        // getmail and fetchmail.
        format!("Return-Path: <a@x>\nDelivered-To: b\nReceived: by getmail\n{own}\n"),
        format!("Received: by fetchmail\nReceived: from a\n\tby b\n{own}X-UIDL: 1\n\n"),
        // mutt and neomutt.
        format!("Received: from a\n\tby b\n{own}Content-Length: 7\nStatus: RO\nLines: 1\n\n"),
        format!(
            "Status: RO\r\nX-Status: A\r\n{}\r\n",
            own.replace('\n', "\r\n")
        ),
        // An mbox's line in front.
        format!(">From eva@example.com Thu Jan  1 00:00:00 1970\n{own}\n"),
        // A program that parses fields and writes them anew.
        format!("{}\n", own.replace("Subject: a  b", "SUBJECT:a\n b")),
    ] {
        let likeness = Likeness::of_stored(changed.as_bytes());
        assert_eq!(likeness.plain, plain, "{changed}");
    }
    for (from, to) in [
        ("Subject: a", "Subject: b"),
        ("<1@x>", "<2@x>"),
        ("eva@", "eve@"),
        ("2024", "2025"),
        ("From: ", "To: c\nFrom: "),
    ] {
        let other = Likeness::of_stored(format!("{}\n", own.replace(from, to)).as_bytes());
        assert_ne!(other.plain, plain, "{to}");
    }
}

/// These fields do not matter in the server's own header either.
#[test]
fn both_sides_go_without_what_programs_add() {
    let with = b"Status: RO\r\nReceived: from a\r\nSubject: s\r\nMessage-ID: <1@x>\r\n\r\n";
    let without = b"Received: from a\nSubject: s\nMessage-ID: <1@x>\n\n";
    let (sent, stored) = (Likeness::of_sent(with), Likeness::of_stored(without));
    assert_ne!(sent.as_sent, stored.as_sent);
    assert_eq!(sent.without_added, stored.as_sent);
    assert_eq!(sent.plain, stored.plain);
}

#[test]
fn fields_in_front_that_nobody_knows_are_left_out_only_before_a_message_id() {
    let fronted = |front: usize, own: &[u8]| {
        let front: String = (0..front).map(|n| format!("X-Spam-{n}: no\r\n")).collect();
        Likeness::of_stored(&[front.as_bytes(), own].concat())
    };
    let sent = Likeness::of_sent(SENT);
    let plain = sent.plain.unwrap();
    for (front, found) in [(1, true), (MOST_IN_FRONT, true), (MOST_IN_FRONT + 1, false)] {
        let stored = fronted(front, SENT);
        assert_eq!(stored.behind_front.contains(&plain), found, "{front}");
    }
    let nameless = without_id(SENT);
    assert!(fronted(1, &nameless).behind_front.is_empty());
    // Never so many that the Message-ID is among them.
    assert_eq!(fronted(0, SENT).behind_front.len(), 0);
}

#[test]
fn message_ids_and_origins_count_where_they_say_something() {
    let id =
        |text: &str| Likeness::of_stored(format!("{text}\nSubject: s\n\n").as_bytes()).message_id;
    let one = id("Message-ID: <1@x>");
    assert!(one.is_some());
    for same in [
        "Message-Id:<1@x>",
        "MESSAGE-ID:\n <1@x> (comment)",
        "message-id : 1@x",
    ] {
        assert_eq!(id(same), one, "{same}");
    }
    for none in [
        "Message-ID:",
        "Message-ID: <>",
        "Message-ID: < >",
        "X: <1@x>",
    ] {
        assert_eq!(id(none), None, "{none}");
    }
    let origin = |text: &str| Likeness::of_sent(text.as_bytes()).origin;
    let one = origin("Date: d\r\nFrom: f\r\nSubject: s\r\n");
    assert_eq!(
        origin("X: y\r\nSUBJECT:s\r\nFrom:\r\n f\r\nDate: d\r\n"),
        one
    );
    assert!(one.is_some() && origin("Date: d\r\nFrom: f\r\n").is_some());
    assert_ne!(origin("Date: d\r\nFrom: s\r\nSubject: f\r\n"), one);
    for none in ["Date: d\r\n", "From: f\r\nSubject: s\r\n", ""] {
        assert_eq!(origin(none), None, "{none}");
    }
    // Without both, the other fields do not identify a message.
    let rest = Likeness::of_stored(b"Received: from a\nX: y\n\n");
    assert!(rest.plain.is_none() && rest.as_sent.is_some());
}

#[test]
fn a_copy_of_a_stub_is_known_wherever_its_field_stands() {
    for (header, is_stub) in [
        ("X-Popsync-Stub: x\nSubject: s\n\n", true),
        ("Status: RO\nSubject: s\nx-popsync-stub:x\n\n", true),
        ("Subject: X-Popsync-Stub: x\n\nX-Popsync-Stub: x\n", false),
    ] {
        assert_eq!(Likeness::of_stored(header.as_bytes()).is_stub, is_stub);
    }
}

#[test]
fn a_message_is_the_same_in_pieces_of_every_size() {
    let sent = [SENT, b"one\r\n\r\n\rtwo\r\n\r\n\r\n"].concat();
    let digest: Digest = Sha256::digest(&sent).into();
    for stored in [sent.clone(), lf(&sent)] {
        let whole = portrait(&stored, stored.len());
        assert_eq!(whole.whole, digest);
        assert_eq!(whole.header.as_sent, Some(headers::digest(SENT)));
        for size in 1..20 {
            assert_eq!(portrait(&stored, size), whole, "{size}");
        }
    }
    let body = |text: &str| portrait(text.as_bytes(), 3).body;
    assert_eq!(
        body("A: b\n\none\ntwo\n\n\n"),
        body("C: d\r\n\r\none\r\ntwo")
    );
    assert_ne!(body("A: b\n\none\ntwo\n"), body("A: b\n\none\n\ntwo\n"));
    assert_eq!(body("A: b\n\n\n\n"), None);
    assert_eq!(portrait(b"", 1).header, Likeness::of_sent(b""));
}

#[test]
fn a_header_without_end_is_kept_no_longer_than_any_header_is() {
    let mut reading = Reading::default();
    for _ in 0..64 {
        reading.take(&b"X-A: aaaaaaaaaa\n".repeat(4096));
    }
    assert_eq!(reading.header.len(), MAX_HEADER);
}

#[test]
fn an_index_gives_all_places_of_a_digest_and_none_of_another() {
    let mut index = Index::default();
    let digest = |number: u8| -> Digest { Sha256::digest([number]).into() };
    for place in 0..200_u32 {
        index.put(Kind::Plain, Some(&digest((place % 50) as u8)), place);
        index.put(Kind::Header, Some(&digest((place % 50) as u8)), place);
        index.put(Kind::Header, None, place);
    }
    index.sort();
    let places = |kind, number| {
        index
            .places(kind, Some(&digest(number)))
            .collect::<Vec<_>>()
    };
    for number in 0..50 {
        let first = usize::from(number);
        assert_eq!(
            places(Kind::Plain, number),
            [first, first + 50, first + 100, first + 150]
        );
    }
    assert!(places(Kind::Plain, 51).is_empty());
    assert!(places(Kind::Whole, 1).is_empty());
    assert_eq!(index.places(Kind::Header, None).count(), 0);
}
