//! The content of the maildrop: message-numbers, unique-ids, sizes, and on a deep visit messages.

use exchange_sim::{Knobs, Numbers, Profile, Server, Sizes};

use super::told::{USER, odd, probe, told_of};

#[test]
fn message_numbers_are_checked() {
    for (numbers, verdict) in [
        (Numbers::InOrder, "ok"),
        (Numbers::Gap, "tolerated"),
        (Numbers::Shuffled, "tolerated"),
        (Numbers::Zero, "deviates"),
        (Numbers::Huge, "deviates"),
        (Numbers::Duplicate, "deviates"),
    ] {
        let told = told_of(Knobs {
            numbers,
            ..Knobs::default()
        });
        assert_eq!(told.on("OPOP3:C0011").0, verdict, "{numbers:?}");
    }
}

#[test]
fn unique_ids_are_checked() {
    let octets = |octets: &[u8]| Knobs {
        uid_bytes: Some(octets.to_vec()),
        ..Knobs::default()
    };
    for (knobs, id, verdict) in [
        (octets(b"+"), "OPOP3:C0039", "tolerated"),
        (octets(b"\x1b"), "OPOP3:C0039", "tolerated"),
        (octets(b"\xff"), "OPOP3:C0039", "tolerated"),
        (octets(b"x"), "OPOP3:C0039", "ok"),
        (octets(b"x"), "XPOP3:C0007", "tolerated"),
        (
            Knobs {
                uid_long: Some(71),
                ..Knobs::default()
            },
            "OPOP3:C0039",
            "tolerated",
        ),
        (
            Knobs {
                uid_dup: true,
                ..Knobs::default()
            },
            "OPOP3:C0041",
            "tolerated",
        ),
        (
            Knobs {
                uid_dup: true,
                ..Knobs::default()
            },
            "XPOP3:C0009",
            "deviates",
        ),
        (
            Knobs {
                uid_missing: true,
                ..Knobs::default()
            },
            "OPOP3:C0038",
            "deviates",
        ),
        (
            Knobs {
                hide_in_uidl: vec![6],
                ..Knobs::default()
            },
            "OPOP3:C0037",
            "deviates",
        ),
    ] {
        let told = told_of(knobs);
        assert_eq!(told.on(id).0, verdict, "{id}: {}", told.on(id).1);
        assert!(!told.on(id).1.contains(['\u{1b}', '\u{ff}']));
    }
}

#[test]
fn sizes_are_compared_on_a_deep_visit() {
    let exact = odd(Knobs {
        sizes: Some(Sizes::Exact),
        ..Knobs::default()
    });
    let told = probe(&exact, &["--deep"]);
    assert_eq!(told.on("OPOP3:C0021"), ("ok", "exact for 4 messages"));
    assert_eq!(told.header["compared"], 4);
    assert_eq!(told.header["exact"], 4);
    let told = probe(&odd(Knobs::default()), &["--deep"]);
    assert_eq!(told.header["exact"], 0);
    assert_eq!(told.on("OPOP3:C0021").0, "tolerated");
    let nonsense = Knobs {
        size_lie: Some("xx".to_owned()),
        ..Knobs::default()
    };
    assert_eq!(told_of(nonsense).on("OPOP3:C0021").0, "tolerated");
}

#[test]
fn messages_are_checked_on_a_deep_visit() {
    let dots = |knobs: Knobs| {
        let dots = b"Subject: dots\r\n\r\n.hidden\r\n..\r\n".to_vec();
        let sim = Server::builder(Profile::Ex2016)
            .user(USER, "secret")
            .messages(USER, [dots])
            .knobs(knobs)
            .start()
            .unwrap();
        probe(&sim, &["--deep"])
    };
    let told = dots(Knobs::default());
    assert!(told.on("OPOP3:V0002").1.ends_with("2 dots doubled"));
    let told = dots(Knobs {
        no_stuffing: true,
        ..Knobs::default()
    });
    assert_eq!(told.on("OPOP3:V0002").0, "deviates");
    let told = dots(Knobs {
        empty_body: true,
        ..Knobs::default()
    });
    assert_eq!(told.on("OPOP3:C0023").0, "deviates");
    let told = dots(Knobs {
        top_header_differs: true,
        ..Knobs::default()
    });
    assert_eq!(told.on("OPOP3:C0023").0, "tolerated");
}
