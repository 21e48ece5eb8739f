//! RETR, DELE and QUIT. (Catalogue 48–74; attacks S5, S7, S10, M1–M6.)

use std::thread;

use exchange_sim::{Act, At, BareLf, Content, Fails, Knobs, sample};

use super::table::{fault, with_first_line};
use support::bench::{Bench, By, Setup, letter, letters, stored_form};

fn nasty() -> Vec<Vec<u8>> {
    let nasty = sample::nasty()
        .into_iter()
        .filter(|one| !one.octets.is_empty());
    nasty.map(|one| one.octets).collect()
}

#[test]
fn messages_of_any_form_are_stored_as_they_are_however_they_are_cut_into_packets() {
    for (chunk, cr_split) in [
        (None, false),
        (Some(1), false),
        (None, true),
        (Some(7), true),
    ] {
        // One octet a packet is slow for large messages.
        let messages = nasty()
            .into_iter()
            .filter(|one| chunk.is_none() || one.len() < 4096);
        let knobs = Knobs {
            chunk,
            cr_split,
            ..Knobs::default()
        };
        fault(format!("packets of {chunk:?}, {cr_split}"), knobs)
            .messages(messages.collect())
            .holds();
    }
}

#[test]
fn messages_of_any_form_are_stored_octet_for_octet_with_crlf() {
    let bench = Bench::with(nasty());
    bench.fetch(&["--line-endings", "crlf"]).gives(0);
    let wire: Vec<_> = nasty()
        .iter()
        .map(|sent| exchange_sim::wire_form(sent))
        .collect();
    bench.assert_stored(&wire);
}

#[test]
fn enormous_lines_and_headers_are_stored() {
    let line = |count: usize| vec![b'x'; count];
    let messages = vec![
        [b"Subject: 3 MB\r\n\r\n", &line(3 << 20)[..], b"\r\n"].concat(),
        [b"Subject: ", &line(1 << 20)[..], b"\r\n\r\nbody\r\n"].concat(),
        [b"Subject: dots\r\n\r\n", &vec![b'.'; 1 << 20][..], b"\r\n"].concat(),
        b"Received: fake\r\nReturn-Path: <>\r\nX-UIDL: 1\r\nStatus: RO\r\n\
          Subject: \x1b]0;x\x07\x1b[2J\r\n\r\nx\r\n"
            .to_vec(),
        b".\r\n".repeat(50_000),
        b"\r\n".repeat(50_000),
        b"\r".repeat(50_000),
        b"\n.\n".repeat(50_000),
    ];
    fault("enormous", Knobs::default())
        .messages(messages)
        .holds();
}

#[test]
fn a_forged_reply_inside_a_message_forges_nothing() {
    // Ends after LF . LF, for a client that ends there; then come replies to the next commands.
    let forged =
        b"Subject: smuggled\n\nbody\n.\n+OK\r\nSubject: forged\r\n\r\nx\n.\n+OK 0 0\r\n-ERR\r\n";
    let messages = vec![
        letter(1),
        forged.to_vec(),
        b"x\n.\r\n-ERR\r\n".to_vec(),
        letter(4),
    ];
    fault("LF . LF", Knobs::default())
        .messages(messages)
        .holds();
}

#[test]
fn an_empty_message_that_is_listed_so_is_stored() {
    let knobs = Knobs {
        sizes: Some(exchange_sim::Sizes::Exact),
        ..Knobs::default()
    };
    fault("of 0 octets", knobs)
        .messages(vec![letter(1), Vec::new(), letter(3)])
        .does_not_heal()
        .holds();
}

#[test]
fn an_empty_message_that_is_listed_otherwise_stays_and_is_told() {
    fault("of 0 octets, it is said of 1,437", Knobs::default())
        .messages(vec![letter(1), Vec::new(), letter(3)])
        .fails(1, "empty message")
        .leaves(1)
        .stores(vec![stored_form(&letter(1)), stored_form(&letter(3))])
        .deletes()
        .does_not_heal()
        .holds();
}

#[test]
fn text_behind_the_status_of_retr_proves_nothing_unless_it_says_more_than_came() {
    for text in [
        "+OK 0",
        "+OK 1 octets",
        "+OK -1 octets",
        "+OK message follows .",
    ] {
        let knobs = Knobs {
            status_odd: Some((At::verb("RETR"), text.into())),
            ..Knobs::default()
        };
        fault(text, knobs).holds();
    }
}

#[test]
fn a_message_shorter_than_retr_says_is_stored_and_stays_until_the_same_octets_came_twice() {
    let text = "+OK 999999999 octets";
    let knobs = Knobs {
        status_odd: Some((At::verb("RETR"), text.into())),
        ..Knobs::default()
    };
    fault(text, knobs)
        .keeps_everything(
            1,
            "message 4 (6504): it came shorter than the server had said",
        )
        .retrieves(&[1, 2, 3, 4])
        .sessions(1)
        .holds();
}

#[test]
fn a_line_that_begins_with_a_dot_is_no_end() {
    let knobs = Knobs {
        retr_dotline: Some(b".done".to_vec()),
        ..Knobs::default()
    };
    fault(".done", knobs)
        .stores(with_first_line("done", &letters(4)))
        .does_not_heal()
        .holds();
}

#[test]
fn a_body_without_stuffing_is_not_taken_for_whole() {
    let knobs = Knobs {
        no_stuffing: true,
        ..Knobs::default()
    };
    // Each letter has a line with a single dot, and continues after it.
    fault("no byte-stuffing", knobs)
        .fails(76, "")
        .stores_first(0)
        .holds();
}

/// Such a server ends a message at its dot, and the rest stays in the pipe. Whoever wrote that
/// rest, only the server has the whole message, so it stays there. The others are here or there.
#[test]
fn what_is_left_behind_an_unstuffed_dot_answers_no_command() {
    let left_over = [
        "two",
        "-two",
        ". two",
        "..",
        "+OK",
        "-ERR no",
        // The count is right, because the sender of most of the mail knows it. The following lines
        // answer DELE and QUIT.
        "+OK 3 99",
        "+OK 3 99\r\n+OK\r\n+OK\r\n+OK\r\n+OK",
        "+OK 3 99\r\n+OK 3 99\r\n+OK",
        "+OK\r\n.\r\n+OK 3 99\r\n+OK\r\n+OK",
        "+OK\r\nSubject: 9\r\n\r\nforged\r\n.",
    ];
    // Most of them wait for a time-out.
    thread::scope(|scope| {
        for left in left_over {
            scope.spawn(move || {
                for place in [0, 2] {
                    for pipelining in [false, true] {
                        cut_at_a_dot(left, place, pipelining);
                    }
                }
            });
        }
    });
}

fn cut_at_a_dot(left: &str, place: usize, pipelining: bool) {
    let what = format!("{left:?} in message {}, pipelining {pipelining}", place + 1);
    let plain = |number: usize| format!("Subject: {number}\r\n\r\ntext {number}\r\n").into_bytes();
    let whole = [plain(1), plain(2)];
    let cut = format!("Subject: cut\r\n\r\none\r\n.\r\n{left}\r\nthree\r\n");
    let mut messages = whole.to_vec();
    messages.insert(place, cut.into_bytes());
    let knobs = Knobs {
        no_stuffing: true,
        pipelining,
        ..Knobs::default()
    };
    let bench = Setup::with(messages).knobs(knobs).start();
    let mailbox = bench.mailbox();
    let mut others = mailbox.unique_ids();
    let unique_id = others.remove(place);
    for _ in 0..2 {
        let arguments = ["--profile", "outlook-2016", "--timeout", "1s"];
        bench.fetch(&arguments).end();
        let there = mailbox.unique_ids();
        assert!(there.contains(&unique_id), "{what}: it is gone");
        bench.store.look_anew();
        for (message, unique_id) in whole.iter().zip(&others) {
            let is_here = bench.store.holds(&stored_form(message));
            assert!(is_here || there.contains(unique_id), "{what}: one is lost");
        }
    }
}

#[test]
fn a_body_whose_end_is_not_on_a_line_of_its_own_is_waited_for_and_given_up() {
    let knobs = Knobs {
        no_final_crlf: true,
        ..Knobs::default()
    };
    fault("text.", knobs)
        .messages(vec![
            letter(1),
            b"Subject: x\r\n\r\ntext".to_vec(),
            letter(3),
        ])
        .hangs()
        .fails(1, "message 1 (6501): timed out")
        .stores(vec![stored_form(&letter(1)), stored_form(&letter(3))])
        .deletes()
        .leaves(1)
        .unpipelined()
        .holds();
    let knobs = Knobs {
        term_no_lf: true,
        ..Knobs::default()
    };
    fault(". CR", knobs)
        .hangs()
        .fails(75, "timed out")
        .unpipelined()
        .holds();
}

#[test]
fn line_ends_without_cr_end_nothing() {
    let table = [
        (
            BareLf {
                status: true,
                ..BareLf::default()
            },
            0,
        ),
        (
            BareLf {
                listing: true,
                ..BareLf::default()
            },
            0,
        ),
        (
            BareLf {
                body: true,
                ..BareLf::default()
            },
            0,
        ),
    ];
    for (bare_lf, stored) in table {
        let knobs = Knobs {
            bare_lf,
            ..Knobs::default()
        };
        fault(format!("{bare_lf:?}"), knobs)
            .hangs()
            .fails(75, "timed out")
            .stores_first(stored)
            .unpipelined()
            .holds();
    }
}

#[test]
fn a_message_without_end_is_given_up() {
    let knobs = Knobs {
        endless_body: true,
        ..Knobs::default()
    };
    fault("endless", knobs)
        .by(By::Plain)
        .messages(letters(1))
        .on_disk()
        .fails(65, "it does not end")
        .sessions(2)
        .unpipelined()
        .holds();
}

#[test]
fn s7_a_message_far_larger_than_listed_is_stored_or_skipped_by_max_size() {
    let bench = Bench::with(letters(1));
    bench.mailbox().deliver(Content::large(3 << 20));
    let ids = bench.mailbox().unique_ids();
    bench.mailbox().set_listed_size(&ids[1], 1);
    let ended = bench
        .fetch(&["--profile", "outlook-2016", "--max-size", "1MiB"])
        .gives(1);
    ended.says("larger than max-size");
    bench.assert_stored(&bench.held());
    assert_eq!(bench.mailbox().unique_ids(), ids[1..]);
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    assert_eq!(bench.store.len(), 2);
    assert!(bench.mailbox().is_empty());
}

/// The excess octets, and the message's end, in one packet.
#[test]
fn a_message_that_ends_as_it_becomes_too_large_is_the_one_that_is_named() {
    for behind in [0, 1] {
        let bench = Bench::with(letters(1));
        bench.mailbox().deliver(Content::large(8300));
        for number in 0..behind {
            bench.deliver(&letter(3 + number));
        }
        let ids = bench.mailbox().unique_ids();
        bench.mailbox().set_listed_size(&ids[1], 1);
        let ended = bench
            .fetch(&["--profile", "outlook-2016", "--max-size", "4KiB"])
            .gives(1);
        ended.says("message 2 (6501): larger than max-size");
        bench.assert_stored(&bench.held());
        assert_eq!(bench.mailbox().unique_ids(), ids[1..2]);
    }
}

#[test]
fn what_is_said_of_a_message_that_cannot_be_had_is_shown_escaped() {
    let bench = Bench::with(letters(3));
    bench.deliver_with_uid(b"\x1b[2J\x07\x9b/../", &letter(4));
    bench
        .mailbox()
        .set_fails(b"\x1b[2J\x07\x9b/../", Fails::Retr);
    bench.knobs(Knobs::default().text(
        exchange_sim::Text::NotRetrieved,
        b"\x1b]0;title\x07 no \xff\r +OK".to_vec(),
    ));
    let ended = bench.fetch(&["-vv"]).gives(1);
    ended.says("\\x1b[2J\\x07\\x9b/../");
    ended.says("no \\xff");
}

/// From cron this is a mail: two thousand refusals of 8 kB each were once one of 16 MB.
#[test]
fn long_refusals_of_many_messages_are_few_lines() {
    let bench = Bench::with(letters(60));
    for unique_id in bench.mailbox().unique_ids() {
        bench.mailbox().set_fails(&unique_id, Fails::Retr);
    }
    let words = "no such luck, ".repeat(550);
    bench.knobs(Knobs::default().text(exchange_sim::Text::NotRetrieved, words));
    let ended = bench.fetch(&[]).gives(1);
    ended.says("no such luck");
    ended.says("50 more messages could not be had");
    assert!(ended.text().len() < 5000, "{}", ended.text());
    // What is kept for `status` and `log` is no longer.
    let state = rusqlite::Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
    let longest: Option<i64> = state
        .query_row("SELECT max(length(error)) FROM runs", [], |row| row.get(0))
        .unwrap();
    assert!(longest.is_none_or(|octets| octets < 5000), "{longest:?}");
}

#[test]
fn a_second_answer_to_any_command_ends_the_run() {
    for junk in ["+OK once more\r\n", "\r\n", "x", "-ERR no\r\n"] {
        for verb in ["CAPA", "USER", "PASS", "STAT", "UIDL", "LIST"] {
            let knobs = Knobs {
                pipelined_junk: Some((At::verb(verb), junk.into())),
                ..Knobs::default()
            };
            // With pipelining, an excess answer is found when all are counted.
            fault(format!("{junk:?} behind {verb}"), knobs)
                .fails(76, "")
                .never("RETR")
                .unpipelined()
                .holds();
        }
        for verb in ["CAPA", "PASS"] {
            let knobs = Knobs {
                pipelined_junk: Some((At::verb(verb), junk.into())),
                ..Knobs::default()
            };
            fault(format!("{junk:?} behind {verb}"), knobs)
                .fails(76, "not asked for")
                .never("RETR")
                .pipelined()
                .holds();
        }
        let knobs = Knobs {
            pipelined_junk: Some((At::verb_nth("DELE", 2), junk.into())),
            ..Knobs::default()
        };
        let row = fault(format!("{junk:?} behind DELE"), knobs)
            .keeps_everything(76, "")
            .deletes()
            .never("QUIT");
        // Junk without a line end becomes one line with the answer after it.
        if junk.ends_with("\r\n") {
            row.holds();
        } else {
            row.unpipelined().holds();
        }
    }
}

#[test]
fn a_second_answer_to_retr_makes_the_message_doubtful() {
    for junk in ["+OK once more\r\n", "x", "rest of the message\r\n.\r\n"] {
        // Message 1 keeps its number, so the fault happens whenever it is retrieved. All messages
        // of such a session are retrieved again; the ones that may have got the excess answer come
        // last.
        let table: [(u32, &[u32]); 3] = [
            (1, &[1, 3, 4, 1, 2]),
            (3, &[1, 2, 3, 1, 2, 1, 1]),
            (4, &[1, 2, 3, 4, 1, 2, 3, 1]),
        ];
        for (number, retrieved) in table {
            let knobs = Knobs {
                pipelined_junk: Some((At::line(&format!("RETR {number}")), junk.into())),
                ..Knobs::default()
            };
            let row = fault(format!("{junk:?} behind RETR {number}"), knobs)
                .retrieves(retrieved)
                .unpipelined();
            if number == 1 {
                row.fails(
                    1,
                    "message 1 (6499): the server sent something it was not asked for",
                )
                .stores([2, 3, 4].map(|n| stored_form(&letter(n))).to_vec())
                .deletes()
                .leaves(1)
                .holds();
            } else {
                row.holds();
            }
        }
    }
}

/// A line too many came so late that it was taken for the answer to the next RETR, whose own answer
/// then looks like the first line of the message. Client and server are in step again behind it.
#[test]
fn a_message_that_begins_like_an_answer_is_asked_for_again_before_it_is_deleted() {
    let bench = Bench::with(letters(6));
    let late = Knobs::default().rule(At::line("RETR 4"), Act::Before(b"+OK\r\n".to_vec()));
    bench.knobs(late);
    bench.sync("leave-on-server = false", &[]).gives(0);
    assert_eq!(bench.mailbox().len(), 1);
    bench.knobs(Knobs::default());
    for _ in 0..2 {
        bench.sync("leave-on-server = false", &[]).gives(0);
    }
    assert!(bench.mailbox().is_empty());
    for message in bench.held() {
        assert!(bench.store.holds(&message));
    }
}

/// A message may really begin so.
#[test]
fn a_message_that_really_begins_like_an_answer_is_stored_once_and_deleted() {
    let strange = b"+OK this is no header\r\nand no body\r\n".to_vec();
    let bench = Bench::with([letter(1), strange, letter(3)]);
    for left in [1, 0] {
        bench.sync("leave-on-server = false", &[]).gives(0);
        assert_eq!(bench.mailbox().len(), left);
        bench.assert_exactly_once();
    }
}

#[test]
fn answers_that_are_out_of_step_store_nothing_wrong() {
    // One answer is missing: all later ones answer the command before theirs. From then on the run
    // sends commands one by one, and retrieves the messages of that session again.
    let missing = Knobs::default().rule(At::line("RETR 2"), Act::Instead(Vec::new()));
    let row = |knobs: &Knobs| {
        fault("no answer to RETR 2", knobs.clone())
            .messages(letters(8))
            .hangs()
    };
    row(&missing)
        .retrieves(&[1, 2, 3, 4, 5, 6, 7, 8, 1])
        .unpipelined()
        .holds();
    row(&missing)
        .retrieves(&[1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 1, 3, 4, 5, 6, 1, 1, 1])
        .pipelined()
        .holds();
    // If mail stays on the server, message 2 keeps its number.
    let others = [1, 3, 4, 5, 6, 7, 8].map(|number| stored_form(&letter(number)));
    row(&missing)
        .arguments(&["--leave-on-server", "true"])
        .fails(1, "message 2 (6501): timed out")
        .stores(others.to_vec())
        .holds();
    let twice = Knobs::default().rule(
        At::line("RETR 2"),
        Act::After(b"+OK\r\nx\r\n.\r\n".to_vec()),
    );
    fault("a message too many", twice.clone())
        .messages(letters(8))
        .unpipelined()
        .holds();
    fault("a message too many", twice)
        .messages(letters(8))
        .pipelined()
        .holds();
}

#[test]
fn odd_answers_to_dele_and_quit_delete_no_more_than_was_stored() {
    // The server treated these as +OK and deleted; the client could not know.
    for line in ["", "OK", "-", " +OK"] {
        let knobs = Knobs {
            status_odd: Some((At::verb("DELE"), line.into())),
            ..Knobs::default()
        };
        fault(format!("{line:?} to DELE"), knobs)
            .keeps_everything(1, "the server refused DELE")
            .deletes()
            .leaves(0)
            .holds();
        let knobs = Knobs {
            status_odd: Some((At::verb("QUIT"), line.into())),
            ..Knobs::default()
        };
        fault(format!("{line:?} to QUIT"), knobs)
            .keeps_everything(1, "the server refused QUIT")
            .deletes()
            .leaves(0)
            .holds();
    }
    for line in ["+", "+YES", "+ERR really"] {
        for verb in ["DELE", "QUIT"] {
            let knobs = Knobs {
                status_odd: Some((At::verb(verb), line.into())),
                ..Knobs::default()
            };
            fault(format!("{line:?} to {verb}"), knobs).holds();
        }
    }
}

#[test]
fn a_server_that_drops_all_when_the_connection_drops_takes_nothing_that_was_complete() {
    let bench = Setup::with(letters(6)).start();
    bench.knobs(Knobs {
        drop_empties: true,
        ..Knobs::default().rule(At::line("RETR 5"), Act::Close(exchange_sim::CloseHow::Fin))
    });
    let ended = bench.fetch(&["--profile", "outlook-2016"]).gives(1);
    ended.says("message 5 (6505): the session broke at it, and it is not listed any more");
    assert!(bench.mailbox().is_empty());
    bench.assert_stored(&bench.held()[..4]);
    bench.knobs(Knobs::default());
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_stored(&bench.held()[..4]);
}

#[test]
fn a_header_that_the_server_leaves_out_is_left_out() {
    let received = |number| [b"Received: from a\r\n\tby b\r\n".to_vec(), letter(number)].concat();
    let knobs = Knobs {
        drop_received: true,
        ..Knobs::default()
    };
    fault("without Received", knobs)
        .messages((1..=4).map(received).collect())
        .stores(letters(4).iter().map(|sent| stored_form(sent)).collect())
        .does_not_heal()
        .holds();
}
