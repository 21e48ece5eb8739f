//! Knobs about the form of answers: status lines, separators, listings, numbers, ids, sizes.

use crate::support::{Talk, USER, plain, talk, three, with_messages};
use exchange_sim::{
    Act, At, BareLf, CapaOdd, Knobs, Missing, NoCapa, Numbers, Profile, Separator, Sizes, Sort,
    StatusCase, Text, UidlOne,
};

#[test]
fn sep_stands_between_fields() {
    for (sep, stat, row) in [
        (Separator::Space, "+OK 3 4394\r\n", "1 6499\r\n"),
        (Separator::Spaces, "+OK   3   4394\r\n", "1   6499\r\n"),
        (Separator::Tab, "+OK\t3\t4394\r\n", "1\t6499\r\n"),
        (
            Separator::Mixed,
            "+OK \t\t 3 \t\t 4394\r\n",
            "1 \t\t 6499\r\n",
        ),
        (
            Separator::TrailingBlanks,
            "+OK 3 4394 \t\r\n",
            "1 6499 \t\r\n",
        ),
    ] {
        let mut talk = talk(Knobs {
            sep,
            ..Knobs::default()
        });
        assert_eq!(talk.ask("STAT"), stat);
        assert!(talk.ask("UIDL").contains(row));
    }
}

#[test]
fn status_case_changes_the_letters() {
    for (status_case, ok, err) in [
        (StatusCase::Lower, "+ok", "-err"),
        (StatusCase::Mixed, "+Ok", "-Err"),
    ] {
        let mut talk = talk(Knobs {
            status_case,
            ..Knobs::default()
        });
        assert!(talk.ask("STAT").starts_with(ok));
        assert!(talk.ask("LAST").starts_with(err));
    }
}

#[test]
fn status_odd_replaces_the_first_line() {
    for line in ["+", "+YES", "+ERR text", "OK", "", " +OK", "-err"] {
        let mut talk = talk(Knobs {
            status_odd: Some((At::verb("retr"), line.into())),
            ..Knobs::default()
        });
        let answer = talk.ask("RETR 1");
        assert_eq!(
            answer,
            format!("{line}\r\nSubject: one\r\n\r\nfirst\r\n.\r\n")
        );
        assert_eq!(talk.ask("NOOP"), "+OK\r\n");
    }
}

#[test]
fn first_line_long_has_the_length_asked_for_or_none() {
    for octets in [513, 10_000] {
        let mut talk = talk(Knobs {
            first_line_long: Some((At::verb("STAT"), Some(octets))),
            ..Knobs::default()
        });
        let answer = talk.ask("STAT");
        assert_eq!(answer.len() as u64, octets);
        assert!(answer.starts_with("+OK xxx") && answer.ends_with("x\r\n"));
    }
    let mut talk = talk(Knobs {
        first_line_long: Some((At::verb("STAT"), None)),
        ..Knobs::default()
    });
    talk.session.receive(b"STAT\r\n");
    let mut out = Vec::new();
    for _ in 0..40 {
        talk.session.pull(&mut out);
    }
    assert!(out.len() > 1_000_000 && !out.contains(&b'\n'));
}

#[test]
fn extra_text_follows_the_fields() {
    let mut talk = talk(Knobs {
        extra: Some("and more".to_owned()),
        ..Knobs::default()
    });
    assert_eq!(talk.ask("STAT"), "+OK 3 4394 and more\r\n");
    assert!(talk.ask("LIST").contains("\r\n1 1458 and more\r\n"));
    assert!(talk.ask("UIDL").contains("\r\n1 6499 and more\r\n"));
}

#[test]
fn term_ends_listings_otherwise() {
    let mut talk = talk(Knobs {
        term: Some(b".trailing".to_vec()),
        term_then_more: Some(b"4 99\r\n.\r\n".to_vec()),
        ..Knobs::default()
    });
    for command in ["LIST", "UIDL", "CAPA"] {
        assert!(
            talk.ask(command)
                .ends_with("\r\n.trailing\r\n4 99\r\n.\r\n")
        );
    }
    assert!(talk.ask("RETR 1").ends_with("first\r\n.\r\n"));
}

#[test]
fn bare_lf_leaves_out_the_cr() {
    let mut talk = talk(Knobs {
        bare_lf: BareLf {
            status: true,
            listing: true,
            body: true,
        },
        ..Knobs::default()
    });
    assert_eq!(talk.ask("UIDL"), "+OK\n1 6499\n2 6501\n3 6502\n.\n");
    assert_eq!(talk.ask("RETR 2"), "+OK\nSubject: two\n\n..second\n.\n");
    let mut only_body = crate::support::talk(Knobs {
        bare_lf: BareLf {
            body: true,
            ..BareLf::default()
        },
        ..Knobs::default()
    });
    assert_eq!(only_body.ask("RETR 1"), "+OK\r\nSubject: one\n\nfirst\n.\n");
}

#[test]
fn eight_bit_text_is_in_positive_answers() {
    let mut talk = talk(Knobs {
        eight_bit_text: true,
        ..Knobs::default()
    });
    assert!(!talk.ask("NOOP").is_ascii());
}

#[test]
fn list_counts_says_how_many() {
    let mut talk = talk(Knobs {
        list_counts: true,
        ..Knobs::default()
    });
    assert!(talk.ask("LIST").starts_with("+OK 3 4394\r\n"));
    assert!(talk.ask("UIDL").starts_with("+OK\r\n"));
}

#[test]
fn numbers_can_be_odd_and_still_address_the_right_message() {
    let uidl = |numbers| {
        let mut talk = talk(Knobs {
            numbers,
            ..Knobs::default()
        });
        let listing = talk.ask("UIDL");
        (talk, listing)
    };
    let (mut talk, listing) = uidl(Numbers::Gap);
    assert_eq!(listing, "+OK\r\n1 6499\r\n2 6501\r\n4 6502\r\n.\r\n");
    assert!(talk.ask("RETR 3").starts_with("-ERR"));
    assert!(talk.ask("RETR 4").contains("Subject: three"));
    assert_eq!(talk.ask("UIDL 4"), "+OK 4 6502\r\n");
    let (_, listing) = uidl(Numbers::Shuffled);
    assert_eq!(listing, "+OK\r\n3 6502\r\n1 6499\r\n2 6501\r\n.\r\n");
    let (_, listing) = uidl(Numbers::Zero);
    assert!(listing.starts_with("+OK\r\n0 6502\r\n1 6499\r\n"));
    let (_, listing) = uidl(Numbers::Huge);
    assert!(listing.ends_with("\r\n18446744073709551616 6502\r\n.\r\n"));
    let (_, listing) = uidl(Numbers::Duplicate);
    assert_eq!(listing, "+OK\r\n1 6499\r\n1 6501\r\n3 6502\r\n.\r\n");
}

#[test]
fn listings_can_differ() {
    let mut talk = talk(Knobs {
        hide_in_list: vec![1],
        hide_in_uidl: vec![2, 3],
        stat_line: Some(b"+OK x".to_vec()),
        ..Knobs::default()
    });
    assert_eq!(talk.ask("LIST"), "+OK\r\n2 1460\r\n3 1476\r\n.\r\n");
    assert_eq!(talk.ask("UIDL"), "+OK\r\n1 6499\r\n.\r\n");
    assert_eq!(talk.ask("STAT"), "+OK x\r\n");
}

#[test]
fn pretend_empty_hides_all_from_listings() {
    let mut talk = talk(Knobs {
        pretend_empty: true,
        ..Knobs::default()
    });
    assert_eq!(talk.ask("STAT"), "+OK 0 0\r\n");
    assert_eq!(talk.ask("LIST"), "+OK\r\n.\r\n");
    assert_eq!(talk.ask("UIDL"), "+OK\r\n.\r\n");
}

#[test]
fn an_empty_mailbox_is_zero_zero() {
    let mut talk = Talk::new(with_messages(Profile::Ex2016, &[])).log_in();
    assert_eq!(talk.ask("STAT"), "+OK 0 0\r\n");
    assert_eq!(talk.ask("UIDL"), "+OK\r\n.\r\n");
}

#[test]
fn only_newest_shows_the_end_of_the_mailbox() {
    for (sort, listing) in [
        (Sort::Ascending, "+OK\r\n1 6501\r\n2 6502\r\n.\r\n"),
        (Sort::Descending, "+OK\r\n1 6502\r\n2 6501\r\n.\r\n"),
    ] {
        let mut talk = talk(Knobs {
            only_newest: Some(2),
            sort,
            ..Knobs::default()
        });
        assert_eq!(talk.ask("UIDL"), listing);
    }
}

#[test]
fn only_oldest_shows_the_beginning_of_the_mailbox() {
    let mut talk = talk(Knobs {
        only_oldest: Some(2),
        ..Knobs::default()
    });
    assert_eq!(talk.ask("UIDL"), "+OK\r\n1 6499\r\n2 6501\r\n.\r\n");
}

#[test]
fn descending_order_puts_the_newest_first() {
    let mut talk = talk(Knobs {
        sort: Sort::Descending,
        ..Knobs::default()
    });
    assert_eq!(
        talk.ask("UIDL"),
        "+OK\r\n1 6502\r\n2 6501\r\n3 6499\r\n.\r\n"
    );
    assert!(talk.ask("RETR 1").contains("Subject: three"));
}

#[test]
fn without_snapshots_new_mail_shows_at_once() {
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            live_listing: true,
            ..plain()
        })
        .site()
        .unwrap();
    let mut talk = Talk::on(&site).log_in();
    site.mailbox(USER).deliver(b"x\r\n");
    assert!(talk.ask("STAT").starts_with("+OK 4 "));
    assert!(talk.ask("RETR 4").starts_with("+OK"));
}

#[test]
fn sizes_are_estimates_or_exact() {
    for (sizes, first, later) in [
        (Sizes::Exact, "23", "23"),
        (Sizes::Storage, "1458", "1458"),
        (Sizes::StorageFirstRetr, "1458", "23"),
    ] {
        let mut talk = talk(Knobs {
            sizes: Some(sizes),
            ..Knobs::default()
        });
        assert_eq!(talk.ask("LIST 1"), format!("+OK 1 {first}\r\n"));
        talk.ask("RETR 1");
        assert_eq!(talk.ask("LIST 1"), format!("+OK 1 {later}\r\n"));
    }
    // The estimate is too high for small messages, right for some, too low for large ones.
    let message = |octets: usize| vec![b'x'; octets - 2].into_iter().chain(*b"\r\n").collect();
    let messages: Vec<Vec<u8>> = [100, 17_960, 50_000].map(message).to_vec();
    let views: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let mut talk = Talk::new(with_messages(Profile::Ex2016, &views)).log_in();
    assert_eq!(
        talk.ask("LIST"),
        "+OK\r\n1 1529\r\n2 17960\r\n3 47437\r\n.\r\n"
    );
}

#[test]
fn size_lie_is_the_size_of_every_row() {
    for lie in ["0", "1", "9223372036854775808", "-5", "xx", ""] {
        let mut talk = talk(Knobs {
            size_lie: Some(lie.to_owned()),
            ..Knobs::default()
        });
        assert!(talk.ask("LIST").contains(&format!("\r\n2 {lie}\r\n")));
    }
}

#[test]
fn endless_listings_never_end() {
    for (command, knobs) in [
        (
            "LIST\r\n",
            Knobs {
                endless_list: true,
                ..Knobs::default()
            },
        ),
        (
            "UIDL\r\n",
            Knobs {
                endless_list: true,
                ..Knobs::default()
            },
        ),
        (
            "CAPA\r\n",
            Knobs {
                capa_odd: vec![CapaOdd::Endless],
                ..Knobs::default()
            },
        ),
        (
            "RETR 1\r\n",
            Knobs {
                endless_body: true,
                ..Knobs::default()
            },
        ),
    ] {
        let mut talk = talk(knobs);
        talk.session.receive(command.as_bytes());
        let mut octets = 0;
        let mut out = Vec::new();
        for _ in 0..100 {
            talk.session.pull(&mut out);
            octets += out.len();
            assert!(!out.windows(5).any(|five| five == b"\r\n.\r\n"));
            out.clear();
        }
        assert!(octets > 3_000_000, "{command}");
    }
}

#[test]
fn unique_ids_can_be_odd() {
    let ids = |knobs: Knobs| {
        let listing = talk(knobs).ask("UIDL");
        let rows = listing.strip_prefix("+OK\r\n").unwrap();
        let rows = rows.strip_suffix(".\r\n").unwrap();
        let rows = rows.split_terminator("\r\n").map(str::to_owned);
        rows.collect::<Vec<_>>()
    };
    let base = Knobs::default;
    assert_eq!(
        ids(Knobs {
            uid_dup: true,
            ..base()
        }),
        ["1 6499", "2 6499", "3 6502"]
    );
    assert_eq!(
        ids(Knobs {
            uid_case: true,
            ..base()
        }),
        ["1 id6499", "2 ID6499", "3 id6502"]
    );
    let long = ids(Knobs {
        uid_long: Some(71),
        ..base()
    });
    assert_eq!(long[0].len(), 2 + 71);
    assert_eq!(
        ids(Knobs {
            uid_empty: true,
            ..base()
        })[0],
        "1 "
    );
    assert_eq!(
        ids(Knobs {
            uid_missing: true,
            ..base()
        })[0],
        "1"
    );
    assert_eq!(
        ids(Knobs {
            uid_wrong_number: true,
            ..base()
        })[0],
        "2 6499"
    );
    assert_eq!(
        ids(Knobs {
            uidl_blank_first: true,
            ..base()
        })[0],
        ""
    );
    assert_eq!(
        ids(Knobs {
            uid_bytes: Some(b" \x00\x7f".to_vec()),
            ..base()
        })[0],
        "1 64 \x00\x7f99"
    );
}

#[test]
fn uid_change_gives_other_ids_at_each_login() {
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            uid_change: true,
            ..plain()
        })
        .site()
        .unwrap();
    let first = Talk::on(&site).log_in().ask("UIDL");
    let second = Talk::on(&site).log_in().ask("UIDL");
    assert_ne!(first, second);
}

#[test]
fn uid_reuse_gives_an_old_id_to_new_mail() {
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            uid_reuse: true,
            ..plain()
        })
        .site()
        .unwrap();
    let mailbox = site.mailbox(USER);
    mailbox.remove("6501");
    assert_eq!(mailbox.deliver(b"other\r\n"), "6501");
}

#[test]
fn uidl_of_one_message_can_be_odd() {
    let mut without = talk(Knobs {
        uidl_one: UidlOne::WithoutNumber,
        ..Knobs::default()
    });
    assert_eq!(without.ask("UIDL 1"), "+OK 6499\r\n");
    let mut lines = talk(Knobs {
        uidl_one: UidlOne::MultiLine,
        ..Knobs::default()
    });
    assert_eq!(lines.ask("UIDL 1"), "+OK\r\n1 6499\r\n.\r\n");
}

#[test]
fn commands_can_be_missing_or_unannounced() {
    let set = |missing| Knobs {
        no_uidl: Some(missing),
        no_top: Some(missing),
        no_list: Some(missing),
        ..Knobs::default()
    };
    for (missing, shown, works) in [
        (Missing::Absent, false, false),
        (Missing::Refused, true, false),
        (Missing::Unannounced, false, true),
    ] {
        let mut talk = talk(set(missing));
        let capa = talk.ask("CAPA");
        assert_eq!(capa.contains("\r\nUIDL\r\n"), shown);
        assert_eq!(capa.contains("\r\nTOP\r\n"), shown);
        for command in ["UIDL", "TOP 1 0", "LIST"] {
            assert_eq!(talk.ask(command).starts_with("+OK"), works, "{command}");
        }
    }
}

#[test]
fn capa_can_be_missing() {
    let mut refused = talk(Knobs {
        no_capa: Some(NoCapa::Err),
        ..Knobs::default()
    });
    assert!(refused.ask("CAPA").starts_with("-ERR"));
    let mut closed = talk(Knobs {
        no_capa: Some(NoCapa::Close),
        ..Knobs::default()
    });
    assert_eq!(closed.ask("CAPA"), "");
    assert!(closed.is_closed());
    let mut hangs = talk(Knobs {
        no_capa: Some(NoCapa::Hang),
        ..Knobs::default()
    });
    assert_eq!(hangs.ask("CAPA"), "");
    assert!(!hangs.is_closed());
}

#[test]
fn capa_can_be_odd() {
    let capa = |odd: CapaOdd| {
        talk(Knobs {
            capa_odd: vec![odd],
            ..Knobs::default()
        })
        .ask("CAPA")
    };
    assert!(capa(CapaOdd::LowerCase).contains("\r\nsasl ntlm gssapi plain\r\n"));
    assert!(capa(CapaOdd::DoubleBlanks).contains("\r\nSASL  NTLM  GSSAPI  PLAIN\r\n"));
    assert_eq!(capa(CapaOdd::Empty), "+OK\r\n.\r\n");
    let long = capa(CapaOdd::LongLine(600));
    assert!(long.split_inclusive("\r\n").any(|line| line.len() == 600));
    assert!(capa(CapaOdd::UnknownTags).contains("\r\nX-SIMULATED one two=3\r\n\r\n"));
    assert!(capa(CapaOdd::LeadingDot).contains("\r\n..X-DOT\r\n"));
}

#[test]
fn capabilities_can_be_replaced_by_state_and_extended() {
    let lines = |text: &str| Some(vec![text.to_owned()]);
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            capa_plain: lines("STLS"),
            capa_tls: lines("USER"),
            capa_after_login: lines("UIDL"),
            capa_extra: vec!["X-EXTRA".to_owned()],
            pipelining: true,
            resp_codes: true,
            expire: Some("5 USER".to_owned()),
            utf8: true,
            ..plain()
        })
        .site()
        .unwrap();
    let more = "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nEXPIRE 5 USER\r\nUTF8\r\nLANG\r\nX-EXTRA\r\n.\r\n";
    let mut talk = Talk::on(&site);
    talk.output();
    assert_eq!(talk.ask("CAPA"), format!("+OK\r\nSTLS\r\n{more}"));
    talk.session.tls_begins(None);
    assert_eq!(talk.ask("CAPA"), format!("+OK\r\nUSER\r\n{more}"));
    assert!(!talk.ask("UTF8").is_ascii());
    let mut talk = Talk::on(&site).log_in();
    assert_eq!(talk.ask("CAPA"), format!("+OK\r\nUIDL\r\n{more}"));
}

#[test]
fn rules_reach_what_has_no_knob() {
    let mut talk = talk(
        Knobs::default()
            .rule(At::Line("NOOP".into()), Act::Instead(b"\r\n".to_vec()))
            .rule(
                At::verb_nth("STAT", 2),
                Act::Rewrite(b"+OK 9 9\r\n".to_vec()),
            )
            .rule(At::verb("UIDL"), Act::Before(b"* hello\r\n".to_vec()))
            .rule(At::verb("LIST"), Act::After(b"+OK again\r\n".to_vec()))
            .rule(At::verb("DELE"), Act::Silent)
            .rule(At::Nth(9), Act::CloseAfter(exchange_sim::CloseHow::Reset))
            .text(Text::Done, "done"),
    );
    assert_eq!(talk.ask("NOOP"), "\r\n");
    assert_eq!(talk.ask("STAT"), "+OK 3 4394\r\n");
    assert_eq!(talk.ask("STAT"), "+OK 9 9\r\n");
    assert!(talk.ask("UIDL").starts_with("* hello\r\n+OK\r\n"));
    assert!(talk.ask("LIST").ends_with(".\r\n+OK again\r\n"));
    assert_eq!(talk.ask("DELE 1"), "");
    assert_eq!(talk.ask("RSET"), "+OK done\r\n");
    assert!(talk.is_closed());
}
