//! Knobs about messages, deletion and QUIT.

use crate::support::{Talk, USER, plain, talk, three, with_messages};
use exchange_sim::{Content, DeleErr, Fails, Knobs, Profile};

#[test]
fn retr_dotline_is_sent_as_it_is() {
    let mut talk = talk(Knobs {
        retr_dotline: Some(b".done".to_vec()),
        ..Knobs::default()
    });
    assert_eq!(
        talk.ask("RETR 1"),
        "+OK\r\n.done\r\nSubject: one\r\n\r\nfirst\r\n.\r\n"
    );
    assert!(talk.ask("TOP 1 0").starts_with("+OK\r\n.done\r\n"));
}

#[test]
fn no_stuffing_leaves_dots_alone() {
    let mut talk = talk(Knobs {
        no_stuffing: true,
        ..Knobs::default()
    });
    assert_eq!(
        talk.ask("RETR 2"),
        "+OK\r\nSubject: two\r\n\r\n.second\r\n.\r\n"
    );
}

#[test]
fn no_final_crlf_puts_the_terminator_behind_the_text() {
    let knobs = |no_final_crlf| Knobs {
        no_final_crlf,
        ..plain()
    };
    let mut odd =
        Talk::new(with_messages(Profile::Ex2016, &[b"\r\ntext"]).knobs(knobs(true))).log_in();
    assert_eq!(odd.ask("RETR 1"), "+OK\r\n\r\ntext.\r\n");
    let mut right =
        Talk::new(with_messages(Profile::Ex2016, &[b"\r\ntext"]).knobs(knobs(false))).log_in();
    assert_eq!(right.ask("RETR 1"), "+OK\r\n\r\ntext\r\n.\r\n");
}

#[test]
fn term_no_lf_leaves_out_the_last_octet() {
    let mut talk = talk(Knobs {
        term_no_lf: true,
        ..Knobs::default()
    });
    assert!(talk.ask("RETR 1").ends_with("first\r\n.\r"));
}

#[test]
fn empty_body_answers_with_nothing() {
    let mut talk = talk(Knobs {
        empty_body: true,
        ..Knobs::default()
    });
    assert_eq!(talk.ask("RETR 1"), "+OK\r\n.\r\n");
    assert!(talk.ask("TOP 1 0").contains("Subject"));
}

#[test]
fn single_messages_can_fail() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mailbox = site.mailbox(USER);
    let ids = mailbox.unique_ids();
    mailbox.set_fails(&ids[0], Fails::Retr);
    mailbox.set_fails(&ids[1], Fails::Empty);
    mailbox.set_fails(&ids[2], Fails::Convert);
    let mut talk = Talk::on(&site).log_in();
    for _ in 0..2 {
        assert!(talk.ask("RETR 1").starts_with("-ERR"));
        assert_eq!(talk.ask("RETR 2"), "+OK\r\n.\r\n");
        assert!(talk.ask("RETR 3").starts_with("-ERR"));
    }
}

#[test]
fn drop_received_leaves_out_the_first_one_with_its_folds() {
    let message = b"A: b\r\nReceived: one\r\n\tfolded\r\nReceived: two\r\n\r\nReceived: body\r\n";
    let knobs = Knobs {
        drop_received: true,
        ..plain()
    };
    let mut talk = Talk::new(with_messages(Profile::Ex2016, &[message]).knobs(knobs)).log_in();
    assert_eq!(
        talk.ask("RETR 1"),
        "+OK\r\nA: b\r\nReceived: two\r\n\r\nReceived: body\r\n.\r\n"
    );
    assert!(talk.ask("TOP 1 0").contains("Received: one"));
}

#[test]
fn top_can_stop_early_refuse_and_differ() {
    let top = |knobs: Knobs, command: &str| talk(knobs).ask(command);
    let base = Knobs::default;
    assert_eq!(
        top(
            Knobs {
                top_lines: Some(1),
                ..base()
            },
            "TOP 3 9"
        ),
        "+OK\r\nSubject: three\r\n\r\nline 1\r\n.\r\n"
    );
    assert_eq!(
        top(
            Knobs {
                top_octets: Some(20),
                ..base()
            },
            "TOP 3 9"
        ),
        "+OK\r\nSubject: three\r\n\r\nli\r\n.\r\n"
    );
    let most = Some(99_999_999);
    let refused = top(
        Knobs {
            top_max_argument: most,
            ..base()
        },
        "TOP 3 100000000",
    );
    assert!(refused.starts_with("-ERR"));
    let twice = top(
        Knobs {
            top_two_ok: true,
            ..base()
        },
        "TOP 3 0",
    );
    assert!(twice.starts_with("+OK\r\n+OK\r\nSubject"));
    let differs = top(
        Knobs {
            top_header_differs: true,
            ..base()
        },
        "TOP 3 0",
    );
    assert!(differs.contains("X-Top-Only: yes\r\n"));
}

#[test]
fn top_ends_between_lines_wherever_blocks_end() {
    // Lines that cross the borders of the engine's blocks.
    let header = "H: x\r\n".repeat(4000);
    let body = "0123456789\r\n".repeat(4000);
    let message = format!("{header}\r\n{body}");
    let mut talk = Talk::new(with_messages(Profile::Ex2016, &[message.as_bytes()])).log_in();
    for lines in [0, 1, 2, 1500, 3999, 4000, 4001] {
        let shown = "0123456789\r\n".repeat(lines.min(4000));
        assert_eq!(
            talk.ask(&format!("TOP 1 {lines}")),
            format!("+OK\r\n{header}\r\n{shown}.\r\n")
        );
    }
}

#[test]
fn byte_stuffing_is_right_wherever_blocks_end() {
    for shift in 0..4 {
        let message = format!("{}{}", "x".repeat(shift), "\r\n.".repeat(20_000));
        let mut talk = Talk::new(with_messages(Profile::Ex2016, &[message.as_bytes()])).log_in();
        let stuffed = message.replace("\r\n.", "\r\n..");
        assert_eq!(talk.ask("RETR 1"), format!("+OK\r\n{stuffed}\r\n.\r\n"));
    }
}

#[test]
fn dele_can_be_refused() {
    for (dele_err, answers) in [
        (DeleErr::All, [false, false, false]),
        (DeleErr::Numbers(vec![2]), [true, false, true]),
        (DeleErr::AfterFirst(2), [true, true, false]),
    ] {
        let mut talk = talk(Knobs {
            dele_err,
            ..Knobs::default()
        });
        let got = [1, 2, 3].map(|n| talk.ask(&format!("DELE {n}")).starts_with('+'));
        assert_eq!(got, answers);
    }
}

#[test]
fn dele_can_be_ignored_and_quit_can_fail() {
    for (knobs, left, positive) in [
        (
            Knobs {
                dele_ignored: true,
                ..plain()
            },
            3,
            true,
        ),
        (
            Knobs {
                quit_err: true,
                ..plain()
            },
            2,
            false,
        ),
    ] {
        let site = with_messages(Profile::Ex2016, &three())
            .knobs(knobs)
            .site()
            .unwrap();
        let mut talk = Talk::on(&site).log_in();
        assert_eq!(talk.ask("DELE 1"), "+OK\r\n");
        assert_eq!(talk.ask("QUIT").starts_with('+'), positive);
        assert_eq!(site.mailbox(USER).len(), left);
    }
}

#[test]
fn a_gigabyte_is_made_as_it_is_sent() {
    let site = with_messages(Profile::Ex2016, &[]).site().unwrap();
    site.mailbox(USER).deliver(Content::large(1 << 30));
    let mut talk = Talk::on(&site).log_in();
    assert!(talk.ask("LIST 1").len() < 30);
    talk.session.receive(b"RETR 1\r\n");
    let mut out = Vec::new();
    for _ in 0..10 {
        out.clear();
        talk.session.pull(&mut out);
        assert!(out.len() <= 128 * 1024);
    }
    // The end is where it belongs, too.
    let end = Content::large(1 << 30);
    assert_eq!(end.wire_len(), end.len());
}
