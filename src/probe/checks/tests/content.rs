use super::*;

#[test]
fn numbers() {
    let list = |list| Server {
        list,
        ..Server::default()
    };
    says("OPOP3:C0011", Server::default(), Ok, "1 to 2");
    for (rows, verdict, words) in [
        (
            &["+OK", "1 120", "3 200"][..],
            Tolerated,
            "LIST: `3 200` is out of order",
        ),
        (&["+OK", "1 1", "1 2"], Deviates, "LIST: number 1 twice"),
        (
            &["+OK", "0 1", "1 2"],
            Deviates,
            "LIST: `0 1` names no message",
        ),
    ] {
        says("OPOP3:C0011", list(rows), verdict, words);
    }
    let empty = Server {
        stat: "+OK 0 0",
        list: &["+OK"],
        uidl: &["+OK"],
        ..Server::default()
    };
    says("OPOP3:C0011", empty, NotSeen, "the mailbox is empty");
}

#[test]
fn drop_listings() {
    for (stat, verdict, words) in [
        ("+OK 2 320", Ok, "`+OK 2 320`"),
        ("+OK 2 320 more", Ok, "`+OK 2 320 more`; `more` is allowed"),
        (
            "+OK 2 many",
            Tolerated,
            "`+OK 2 many`: the size is no number",
        ),
        ("+OK 2", Deviates, "`+OK 2`: two numbers are due"),
        ("-ERR", Deviates, "refused: `-ERR`"),
    ] {
        let server = Server {
            stat,
            ..Server::default()
        };
        says("OPOP3:C0017", server, verdict, words);
    }
}

#[test]
fn scan_listings() {
    for (id, list, verdict, words) in [
        (
            "OPOP3:C0020",
            &["+OK", "1 120"][..],
            Tolerated,
            "1 line for 2 messages",
        ),
        (
            "OPOP3:C0020",
            &["-ERR no"],
            Tolerated,
            "refused: `-ERR no`; no sizes then",
        ),
        (
            "OPOP3:C0021",
            &["+OK", "1 120", "2 xx"],
            Tolerated,
            "no size: `2 xx`",
        ),
        (
            "OPOP3:C0021",
            &["+OK", "1 120 a", "2 200 b"],
            Ok,
            "`1 120 a` and 1 more; more is allowed",
        ),
        ("OPOP3:C0021", &["-ERR no"], NotSeen, "not reached"),
    ] {
        let server = Server {
            list,
            ..Server::default()
        };
        says(id, server, verdict, words);
    }
}

#[test]
fn messages() {
    let retr = |retr| Server {
        retr: Some(retr),
        ..Server::default()
    };
    let body = "Subject: a\r\n\r\nbody\r\n.\r\n";
    says(
        "OPOP3:C0021",
        retr(body),
        Tolerated,
        "message 1: listed 120, sent 20",
    );
    says("OPOP3:C0022", retr(body), Ok, "1 message, 20 octets");
    says("OPOP3:C0023", retr(body), Ok, "1 header as by TOP");
    says(
        "OPOP3:C0023",
        retr(".\r\n"),
        Deviates,
        "message 1 comes empty",
    );
    says(
        "OPOP3:C0023",
        retr("Subject: b\r\n\r\n.\r\n"),
        Tolerated,
        "message 1: TOP has another header",
    );
    let top = |top| Server {
        top,
        ..Server::default()
    };
    says(
        "OPOP3:C0034",
        top(body),
        Tolerated,
        "message 1: 6 octets of body, not asked for",
    );
    says(
        "OPOP3:C0034",
        top("Subject: a\r\n.\r\n"),
        Tolerated,
        "message 1: no blank line",
    );
    says(
        "OPOP3:C0022",
        Server::default(),
        NotSeen,
        "--deep retrieves a few",
    );
}

#[test]
fn unique_ids() {
    for (id, uidl, verdict, words) in [
        (
            "OPOP3:C0037",
            &["+OK", "1 a"][..],
            Deviates,
            "1 line for 2 messages",
        ),
        ("OPOP3:C0037", &["-ERR no"], Deviates, "refused: `-ERR no`"),
        (
            "OPOP3:C0038",
            &["+OK", "1 a", "2"],
            Deviates,
            "no unique-id: `2`",
        ),
        (
            "OPOP3:C0038",
            &["+OK", "1 a", "2 b x"],
            Ok,
            "`2 b x`; more is allowed",
        ),
        (
            "OPOP3:C0039",
            &["+OK", "1 a+", "2 b"],
            Tolerated,
            "`a+`: by RFC 1939 alone (0x21 to 0x7E)",
        ),
        (
            "OPOP3:C0039",
            &["+OK", "1 \u{7}", "2 b"],
            Tolerated,
            r"not printable: `\u{7}`",
        ),
        ("OPOP3:C0039", &["+OK", "1 abc", "2 b"], Ok, "1 to 3 octets"),
        (
            "OPOP3:C0041",
            &["+OK", "1 a", "2 a"],
            Tolerated,
            "1 id given before, first `a`",
        ),
        (
            "OPOP3:C0041",
            &["+OK", "1 a", "2 a", "3 a"],
            Tolerated,
            "2 ids given before, first `a`",
        ),
        ("OPOP3:C0041", &["+OK", "1 a", "2 b"], Ok, "no two alike"),
    ] {
        let server = Server {
            uidl,
            ..Server::default()
        };
        says(id, server, verdict, words);
    }
}
