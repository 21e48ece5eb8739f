//! Basic operation: greeting, lines, status indicators, ends of answers.

use exchange_sim::{Act, At, CapaOdd, Cut, CutAt, Knobs, Profile, Separator, StatusCase, sample};

use super::common::{DELETING, KEEPING, sent};
use support::bench::{Bench, By, Setup, letter, letters, stored_form};

/// OPOP3:C0001, C0002, C0007, C0043; XPOP3:C0002. The half sentence of C0043 that allows USER
/// before the greeting is not made use of.
#[test]
fn a_silent_server_is_sent_nothing_and_given_up() {
    let bench = Setup::with(letters(1)).by(By::Plain).start();
    bench.knobs(Knobs {
        silent_at: Some(At::Greeting),
        ..Knobs::default()
    });
    let ended = bench.fetch(&["--timeout", "1"]).gives(75);
    ended.says("timed out after 1 s waiting for the greeting");
    assert_eq!(bench.sim.transcripts()[0].client_lines(), [[0_u8; 0]; 0]);
}

/// XPOP3:E0001, OPOP3:C0001: the port is what the user says, here one that was free.
#[test]
fn any_port_will_do_for_either_kind_of_tls() {
    for by in [By::Tls, By::Stls] {
        let bench = Setup::with(letters(1)).by(by).start();
        bench.sync(KEEPING, &[]).gives(0);
        bench.assert_exactly_once();
    }
}

/// OPOP3:C0003, C0004, XPOP3:N1: printable ASCII, single spaces, CRLF; seen by the server on
/// every line of every command that a sync sends.
#[test]
fn every_line_sent_is_printable_with_single_spaces_and_crlf() {
    let bench = Bench::with(letters(3));
    bench.sync(DELETING, &[]).gives(0);
    let transcripts = bench.sim.transcripts();
    for line in transcripts[0].client_lines() {
        // The recorder has removed the CRLF, and reports a missing one.
        assert!(line.iter().all(|octet| (b' '..=b'~').contains(octet)));
        let text = String::from_utf8(line).unwrap();
        let parts: Vec<_> = text.splitn(2, ' ').collect();
        assert!(parts[0].bytes().all(|octet| octet.is_ascii_uppercase()));
        assert!(parts[0] == "PASS" || !text.contains("  "), "{text}");
        assert_eq!(text.trim(), text);
    }
    bench.assert_no_violations();
}

/// OPOP3:C0003: nothing goes out when a password cannot be sent, not even a connection.
#[test]
fn a_password_with_a_line_end_sends_nothing() {
    let bench = Bench::with(letters(1));
    let keys = format!(
        "[accounts.other]\nserver = {:?}\nuser = \"anna\"\nmaildir = \"m\"\n",
        bench.url()
    );
    let run = bench.sync(&keys, &["other"]);
    let ended = run.env("POPSYNC_PASSWORD", "secret\r\nDELE 1").gives(78);
    ended.says("contains a carriage return");
    assert!(bench.sim.transcripts().is_empty());
}

/// OPOP3:C0004, C0017, C0021, C0038: any run of spaces and tabs, and text behind the fields.
#[test]
fn answers_are_read_with_any_blanks_and_extra_text() {
    for sep in [
        Separator::Spaces,
        Separator::Tab,
        Separator::Mixed,
        Separator::TrailingBlanks,
    ] {
        for extra in [None, Some("and more words".to_owned())] {
            let bench = Setup::with(letters(3))
                .knobs(Knobs {
                    sep,
                    extra: extra.clone(),
                    ..Knobs::default()
                })
                .start();
            bench.sync(KEEPING, &[]).gives(0);
            bench.assert_exactly_once();
            bench.sync(KEEPING, &[]).gives(0);
            assert_eq!(bench.sim.commands_of("RETR").len(), 3);
            bench.assert_no_violations();
        }
    }
}

/// OPOP3:C0005, C0014, C0006: where Outlook hangs, popsync gives up, and nothing is stored or
/// deleted that did not come whole.
#[test]
fn an_answer_that_does_not_end_is_given_up() {
    for (at, octets, words) in [
        ("STAT", 4, "waiting for the reply to STAT"),
        ("UIDL", 9, "waiting for the reply to UIDL"),
        ("RETR", 50, "waiting for the reply to RETR"),
    ] {
        let bench = Setup::with(letters(2)).start();
        bench.knobs(
            Knobs::default().rule(At::verb(at), Act::Rewrite(b"+OK".repeat(octets / 3 + 1))),
        );
        let ended = bench.fetch(&["--timeout", "1"]).gives(75);
        ended.says(words);
        assert_eq!(bench.store.len(), 0);
        bench.knobs(Knobs::default());
        bench.fetch(&[]).gives(0);
        bench.assert_exactly_once();
    }
}

/// OPOP3:C0006, C0022: an incomplete message is discarded, and not deleted.
#[test]
fn a_message_cut_short_is_neither_stored_nor_deleted() {
    let bench = Bench::with(letters(3));
    bench.knobs(Knobs {
        cut: Some(Cut::fin(CutAt::MidRetr {
            number: 2,
            octets: 40,
        })),
        ..Knobs::default()
    });
    let ended = bench.sync(KEEPING, &[]).gives(1);
    ended.says("message 2 (6501): ");
    bench.assert_stored(&[letter(1), letter(3)].map(|sent| stored_form(&sent)));
    let complaints = bench.complaints();
    bench.on_command(move |seen, _| {
        if seen.verb == "DELE" && !seen.retrieved {
            complaints.add(format!("{seen:?} of a message that never came whole"));
        }
    });
    bench.knobs(Knobs::default());
    bench.sync(DELETING, &[]).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

/// OPOP3:V0001: any letters, and any word behind the plus.
#[test]
fn whatever_begins_with_a_plus_is_positive() {
    for status_case in [StatusCase::Lower, StatusCase::Mixed] {
        let bench = Setup::with(letters(2)).start();
        bench.knobs(Knobs {
            status_case,
            ..Knobs::default()
        });
        bench.sync(KEEPING, &[]).gives(0);
        bench.assert_exactly_once();
    }
    for word in ["+", "+YES", "+ERR text", "+ok"] {
        for at in ["USER", "PASS", "UIDL", "LIST", "RETR", "DELE"] {
            let bench = Setup::with(letters(2)).start();
            bench.knobs(Knobs {
                status_odd: Some((At::verb(at), word.into())),
                ..Knobs::default()
            });
            bench.sync(DELETING, &[]).gives(0);
            bench.assert_exactly_once();
        }
    }
}

/// OPOP3:V0001: all else is negative, even if it looks friendly.
#[test]
fn whatever_does_not_begin_with_a_plus_is_negative() {
    for word in ["OK", " +OK", "", "*OK"] {
        let bench = Setup::with(letters(2)).start();
        bench.knobs(Knobs {
            status_odd: Some((At::verb("PASS"), word.into())),
            ..Knobs::default()
        });
        bench.sync(DELETING, &[]).gives(77).says("refused PASS");
        assert_eq!(bench.sim.commands_of("STAT"), [""; 0]);
    }
}

/// OPOP3:V0002: LIST, UIDL and CAPA end at any line that begins with a dot; a message does not.
#[test]
fn listings_end_at_any_dot_and_messages_at_the_right_one() {
    let bench = Setup::with(letters(3)).start();
    bench.knobs(Knobs {
        term: Some(b".trailing".to_vec()),
        capa_odd: vec![CapaOdd::UnknownTags],
        ..Knobs::default()
    });
    bench.sync(KEEPING, &[]).gives(0);
    bench.assert_exactly_once();

    let bench = Setup::with([]).start();
    bench.mailbox().deliver(letter(1));
    bench.knobs(Knobs {
        retr_dotline: Some(b".done".to_vec()),
        ..Knobs::default()
    });
    bench.sync(KEEPING, &[]).gives(0);
    let lf = String::from_utf8(letter(1)).unwrap().replace("\r\n", "\n");
    bench.assert_stored(&[format!("done\n{lf}").into_bytes()]);
}

/// OPOP3:V0002: text after the early end of a listing is no answer to a command.
#[test]
fn what_follows_the_end_of_a_listing_breaks_the_session() {
    let bench = Setup::with(letters(3)).start();
    bench.knobs(Knobs {
        term: Some(b".trailing".to_vec()),
        term_then_more: Some(b"9 unasked\r\n.\r\n".to_vec()),
        ..Knobs::default()
    });
    bench.sync(DELETING, &[]).gives(76);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert_eq!(bench.sim.commands_of("QUIT"), [""; 0]);
}

/// OPOP3:C0006, V0002, C0022, C0023, XPOP3:C0011: octet for octet, whatever is in them.
#[test]
fn messages_arrive_octet_for_octet_whatever_they_hold() {
    // Servers send an empty message if they could not read one.
    let mut nasty = sample::nasty();
    nasty.retain(|nasty| !nasty.octets.is_empty());
    let bench = Setup::with(nasty.into_iter().map(|nasty| nasty.octets)).start();
    bench.sync(KEEPING, &[]).gives(0);
    bench.assert_exactly_once();
    bench.assert_no_violations();
}

/// XPOP3:C0001: Exchange keeps to 512 octets; a line up to that is read, as is a longer one, and
/// one without an end is not waited for.
#[test]
fn status_lines_may_be_long_and_not_endless() {
    for octets in [512, 4000] {
        let bench = Setup::with(letters(1)).start();
        bench.knobs(Knobs {
            first_line_long: Some((At::verb("RETR"), Some(octets))),
            ..Knobs::default()
        });
        bench.sync(KEEPING, &[]).gives(0);
        bench.assert_exactly_once();
    }
    let bench = Setup::with(letters(1)).start();
    bench.knobs(Knobs {
        first_line_long: Some((At::verb("RETR"), None)),
        ..Knobs::default()
    });
    bench
        .sync(KEEPING, &[])
        .gives(76)
        .says("a line of more than");
    assert_eq!(sent(&bench).last().unwrap(), "RETR 1");
}

/// OPOP3:C0031, XPOP3:C0006: a server without a necessary command is distinguished from one without
/// mail.
#[test]
fn a_server_without_a_needed_command_is_named() {
    for (verb, status) in [("STAT", 76), ("UIDL", 0), ("LIST", 0), ("CAPA", 0)] {
        let bench = Setup::with(letters(2)).profile(Profile::Ex2010).start();
        let refusal = b"-ERR Protocol error. 19\r\n".to_vec();
        bench.knobs(Knobs::default().rule(At::verb(verb), Act::Instead(refusal)));
        let ended = bench.sync(DELETING, &[]).gives(status);
        if status == 0 {
            bench.assert_exactly_once();
            // Headers identify messages well enough to store them, and not to delete them.
            let left = if verb == "UIDL" { 2 } else { 0 };
            assert_eq!(bench.mailbox().len(), left, "{verb}");
        } else {
            ended.says(&format!("refused {verb}: `Protocol error. 19`"));
            assert_eq!(bench.mailbox().len(), 2);
            assert_eq!(sent(&bench).last().unwrap(), "QUIT");
        }
    }
}
