//! The engine by table: state, octets, expected answer; fed whole and octet by octet.

use crate::support::{PASSWORD, Talk, USER, plain, talk, three, with_messages};
use exchange_sim::{CloseAfterErr, Knobs, Profile, Server, Step, Text};

/// Where a case begins.
#[derive(Clone, Copy, Debug)]
enum State {
    Start,
    AfterUser,
    Transaction,
}

const STATE: &str = "-ERR Command is not valid in this state.\r\n";
const UNKNOWN: &str = "-ERR Protocol error. 19\r\n";
const ARGUMENTS: &str = "-ERR Protocol error. 14\r\n";
const RANGE: &str = "-ERR The specified message is out of range.\r\n";

#[test]
fn answers_are_those_of_the_table_however_the_octets_come() {
    use State::{AfterUser, Start, Transaction};
    let capa = "+OK\r\nTOP\r\nUIDL\r\nSASL NTLM GSSAPI PLAIN\r\nUSER\r\nSTLS\r\n.\r\n";
    let quit = "+OK Microsoft Exchange Server 2016 POP3 server signing off.\r\n";
    let good = "+OK User successfully logged on.\r\n";
    let bad = "-ERR Logon failure: unknown user name or bad password.\r\n";
    let cases: &[(State, &str, &str)] = &[
        (Start, "CAPA\r\n", capa),
        (Start, "capa\r\n", capa),
        (Start, "CAPA x\r\n", ARGUMENTS),
        (Start, "QUIT\r\n", quit),
        (Start, "QUIT now\r\n", ARGUMENTS),
        (Start, "USER anna@example.com\r\n", "+OK\r\n"),
        (Start, "USER nobody\r\n", "+OK\r\n"),
        (Start, "USER\r\n", ARGUMENTS),
        (Start, "USER a b\r\n", ARGUMENTS),
        (Start, "PASS x\r\n", STATE),
        (Start, "STAT\r\n", STATE),
        (Start, "RETR 1\r\n", STATE),
        (Start, "NOOP\r\n", STATE),
        (Start, "APOP a b\r\n", UNKNOWN),
        (Start, "LAST\r\n", UNKNOWN),
        (Start, "\r\n", UNKNOWN),
        (Start, "AUTH\r\n", "+OK\r\nNTLM\r\nGSSAPI\r\nPLAIN\r\n.\r\n"),
        (
            Start,
            "AUTH \r\n",
            "+OK\r\nNTLM\r\nGSSAPI\r\nPLAIN\r\n.\r\n",
        ),
        (Start, "AUTH CRAM-MD5\r\n", UNKNOWN),
        (Start, "AUTH XOAUTH2\r\n", UNKNOWN),
        (
            Start,
            "AUTH PLAIN\r\n*\r\n",
            "+ \r\n-ERR Authentication was cancelled.\r\n",
        ),
        (Start, "AUTH PLAIN\r\n!!\r\n", &("+ \r\n".to_owned() + bad)),
        (Start, "AUTH PLAIN =\r\n", bad),
        (Start, "STLS x\r\n", ARGUMENTS),
        (AfterUser, "PASS secret pass\r\n", good),
        (AfterUser, "PASS\tsecret pass\r\n", good),
        (AfterUser, "PASS  secret pass\r\n", bad),
        (AfterUser, "PASS secret  pass\r\n", bad),
        (AfterUser, "PASS secret pass \r\n", bad),
        (AfterUser, "PASS\r\n", bad),
        (
            AfterUser,
            "PASS no\r\nPASS secret pass\r\n",
            &(bad.to_owned() + STATE),
        ),
        (
            AfterUser,
            "USER x\r\nPASS secret pass\r\n",
            &("+OK\r\n".to_owned() + bad),
        ),
        (Transaction, "USER x\r\n", STATE),
        (Transaction, "PASS x\r\n", STATE),
        (Transaction, "AUTH\r\n", STATE),
        (Transaction, "STLS\r\n", STATE),
        (Transaction, "STAT\r\n", "+OK 3 4394\r\n"),
        (Transaction, "STAT 1\r\n", ARGUMENTS),
        (
            Transaction,
            "LIST\r\n",
            "+OK\r\n1 1458\r\n2 1460\r\n3 1476\r\n.\r\n",
        ),
        (Transaction, "LIST 2\r\n", "+OK 2 1460\r\n"),
        (Transaction, "LIST \t 2 \r\n", "+OK 2 1460\r\n"),
        (Transaction, "LIST 4\r\n", RANGE),
        (Transaction, "LIST 0\r\n", RANGE),
        (Transaction, "LIST 18446744073709551617\r\n", RANGE),
        (Transaction, "LIST x\r\n", ARGUMENTS),
        (Transaction, "LIST -1\r\n", ARGUMENTS),
        (
            Transaction,
            "UIDL\r\n",
            "+OK\r\n1 6499\r\n2 6501\r\n3 6502\r\n.\r\n",
        ),
        (Transaction, "UIDL 3\r\n", "+OK 3 6502\r\n"),
        (
            Transaction,
            "RETR 2\r\n",
            "+OK\r\nSubject: two\r\n\r\n..second\r\n.\r\n",
        ),
        (Transaction, "RETR 9\r\n", RANGE),
        (Transaction, "RETR\r\n", ARGUMENTS),
        (
            Transaction,
            "TOP 3 0\r\n",
            "+OK\r\nSubject: three\r\n\r\n.\r\n",
        ),
        (
            Transaction,
            "TOP 3 2\r\n",
            "+OK\r\nSubject: three\r\n\r\nline 1\r\nline 2\r\n.\r\n",
        ),
        (
            Transaction,
            "TOP 3 99\r\n",
            "+OK\r\nSubject: three\r\n\r\nline 1\r\nline 2\r\nline 3\r\n.\r\n",
        ),
        (Transaction, "TOP 3\r\n", ARGUMENTS),
        (Transaction, "TOP 3 x\r\n", ARGUMENTS),
        (Transaction, "NOOP\r\n", "+OK\r\n"),
        (Transaction, "DELE 1\r\nSTAT\r\n", "+OK\r\n+OK 2 2936\r\n"),
        (
            Transaction,
            "DELE 1\r\nLIST\r\n",
            "+OK\r\n+OK\r\n2 1460\r\n3 1476\r\n.\r\n",
        ),
        (
            Transaction,
            "DELE 1\r\nDELE 1\r\n",
            &("+OK\r\n".to_owned() + RANGE),
        ),
        (
            Transaction,
            "DELE 1\r\nRETR 1\r\n",
            &("+OK\r\n".to_owned() + RANGE),
        ),
        (
            Transaction,
            "DELE 1\r\nRSET\r\nSTAT\r\n",
            "+OK\r\n+OK\r\n+OK 3 4394\r\n",
        ),
        (Transaction, "CAPA\r\n", capa),
        (Transaction, "QUIT\r\n", quit),
    ];
    for (state, sent, expected) in cases {
        for step in [sent.len(), 1, 2] {
            let mut talk = Talk::new(with_messages(Profile::Ex2016, &three()).knobs(Knobs {
                close_after_err: CloseAfterErr::Never,
                ..plain()
            }));
            assert_eq!(
                talk.output(),
                "+OK The Microsoft Exchange POP3 service is ready.\r\n"
            );
            if !matches!(state, Start) {
                assert_eq!(talk.ask(&format!("USER {USER}")), "+OK\r\n");
            }
            if matches!(state, Transaction) {
                assert_eq!(talk.ask(&format!("PASS {PASSWORD}")), good);
            }
            let mut answer = String::new();
            for piece in sent.as_bytes().chunks(step) {
                answer += &talk.say(piece);
            }
            assert_eq!(answer, *expected, "{state:?} {sent:?} in pieces of {step}");
        }
    }
}

#[test]
fn the_line_limit_of_each_profile_counts_the_line_end() {
    for (profile, limit) in [
        (Profile::Ex2003, 255),
        (Profile::Ex2007, 47),
        (Profile::Ex2010, 512),
        (Profile::Exo, 512),
    ] {
        assert_eq!(profile.max_command(), limit);
        let fits = format!("USER {}\r\n", "x".repeat(limit - 7));
        let mut talk = Talk::new(with_messages(profile, &three()));
        talk.output();
        assert_eq!(talk.say(&fits), "+OK\r\n", "{profile:?}");
        let too_long = format!("USER {}\r\n", "x".repeat(limit - 6));
        let without_lf = "x".repeat(limit);
        for sent in [too_long, without_lf] {
            let mut talk = Talk::new(with_messages(profile, &three()));
            talk.output();
            assert_eq!(
                talk.say(&sent),
                "-ERR Protocol error. Connection is closed. 10\r\n",
                "{profile:?}"
            );
            assert!(talk.is_closed());
        }
    }
}

#[test]
fn max_command_size_has_the_bounds_of_exchange() {
    for (max, fine) in [(39, false), (40, true), (1024, true), (1025, false)] {
        let started = Server::builder(Profile::Ex2016)
            .knobs(Knobs {
                max_command: Some(max),
                ..Knobs::default()
            })
            .site();
        assert_eq!(started.is_ok(), fine, "{max}");
    }
    for (line, fine) in [
        ("USER 123456789012345678901234567890123", true),
        ("USER 1234567890123456789012345678901234", false),
    ] {
        let mut talk = Talk::new(with_messages(Profile::Ex2016, &[]).knobs(Knobs {
            max_command: Some(40),
            ..plain()
        }));
        talk.output();
        assert_eq!(talk.ask(line).starts_with("+OK"), fine, "{line}");
    }
}

#[test]
fn greetings_and_farewells_are_those_of_the_transcripts() {
    let host = "cwBpAG0AMAAxAC4AZQB4AGMAaABhAG4AZwBlAC4AZQB4AGEAbQBwAGwAZQA=";
    let modern = "+OK The Microsoft Exchange POP3 service is ready.";
    let online = format!("{modern} [{host}]\r\n");
    let modern = format!("{modern}\r\n");
    let cases = [
        (
            Profile::Ex2003,
            "+OK Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 (sim01.exchange.example) ready.\r\n",
            "+OK Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 signing off.\r\n",
        ),
        (
            Profile::Ex2007,
            "+OK Microsoft Exchange Server 2007 POP3 service ready\r\n",
            "+OK Microsoft Exchange Server 2007 POP3 server signing off.\r\n",
        ),
        (
            Profile::Ex2010,
            &modern,
            "+OK Microsoft Exchange Server 2010 POP3 server signing off.\r\n",
        ),
        (
            Profile::Ex2013,
            &modern,
            "+OK Microsoft Exchange Server 2013 POP3 server signing off.\r\n",
        ),
        (
            Profile::Ex15Tp,
            &modern,
            "+OK Microsoft Exchange Server 2013 POP3 server signing off.\r\n",
        ),
        (
            Profile::Ex2016,
            &modern,
            "+OK Microsoft Exchange Server 2016 POP3 server signing off.\r\n",
        ),
        (
            Profile::Exo,
            &online,
            "+OK Microsoft Exchange Server 2016 POP3 server signing off.\r\n",
        ),
    ];
    for (profile, greeting, farewell) in cases {
        let mut talk = Talk::new(with_messages(profile, &three()));
        assert_eq!(talk.output(), greeting, "{profile:?}");
        assert_eq!(talk.ask("QUIT"), farewell, "{profile:?}");
        assert!(talk.is_closed());
        assert_eq!(Profile::from_name(profile.name()), Some(profile));
    }
    let mut talk = Talk::new(with_messages(Profile::Ex2007, &[]).knobs(Knobs {
        modern_2007_banner: true,
        ..plain()
    }));
    assert_eq!(talk.output(), modern);
}

#[test]
fn exchange_2003_has_capabilities_and_errors_of_its_own() {
    let mut talk = Talk::new(with_messages(Profile::Ex2003, &three()));
    talk.output();
    assert_eq!(
        talk.ask("CAPA"),
        "+OK Capability list follows\r\nTOP\r\nUSER\r\nPIPELINING\r\nEXPIRE NEVER\r\nUIDL\r\nSASL NTLM\r\n.\r\n"
    );
    assert_eq!(talk.ask("LAST"), "-ERR Protocol error.\r\n");
    assert_eq!(talk.ask("STLS"), STATE);
}

#[test]
fn capabilities_under_tls_leave_out_stls_and_what_needs_no_tls() {
    for (profile, sasl) in [
        (Profile::Ex2007, "PLAIN"),
        (Profile::Ex2016, "PLAIN"),
        (Profile::Exo, "PLAIN XOAUTH2"),
    ] {
        let site = with_messages(profile, &three()).site().unwrap();
        let mut talk = Talk::tls(&site);
        talk.output();
        assert_eq!(
            talk.ask("CAPA"),
            format!("+OK\r\nTOP\r\nUIDL\r\nSASL {sasl}\r\nUSER\r\n.\r\n")
        );
        assert_eq!(talk.ask("STLS"), STATE);
    }
}

#[test]
fn secure_login_refuses_before_tls_and_not_under_it() {
    let site = with_messages(Profile::Ex2013, &three())
        .knobs(Knobs::default())
        .site()
        .unwrap();
    let mut talk = Talk::on(&site);
    talk.output();
    assert_eq!(talk.ask("USER anna"), STATE);
    assert_eq!(talk.ask("AUTH PLAIN"), STATE);
    assert_eq!(talk.ask("AUTH NTLM"), STATE);
    let mut talk = Talk::tls(&site);
    talk.output();
    assert_eq!(talk.ask("USER anna"), "+OK\r\n");
}

#[test]
fn plain_text_authentication_allows_ntlm_only_before_tls() {
    let mut talk = Talk::new(with_messages(Profile::Ex2013, &three()).knobs(Knobs {
        login_type: Some(exchange_sim::LoginType::PlainTextAuthentication),
        ..Knobs::default()
    }));
    talk.output();
    assert_eq!(talk.ask("USER anna"), STATE);
    assert_eq!(talk.ask("AUTH PLAIN"), STATE);
    assert_eq!(talk.ask("AUTH NTLM"), "+ \r\n");
}

#[test]
fn stls_forgets_the_user_and_input_behind_it() {
    let mut talk = Talk::new(with_messages(Profile::Ex2016, &three()));
    talk.output();
    talk.ask(&format!("USER {USER}"));
    assert_eq!(
        talk.say("STLS\r\nQUIT\r\n"),
        "+OK Begin TLS negotiation.\r\n"
    );
    assert_eq!(talk.step, Step::StartTls);
    talk.session.tls_begins(None);
    assert_eq!(talk.output(), "");
    assert_eq!(talk.ask(&format!("PASS {PASSWORD}")), STATE);
}

#[test]
fn texts_can_be_replaced() {
    let mut talk = talk(Knobs::default().text(Text::Message, "message follows"));
    assert!(talk.ask("RETR 1").starts_with("+OK message follows\r\n"));
}

#[test]
fn no_status_line_is_longer_than_exchange_sends() {
    // XPOP3:C0001
    for profile in Profile::ALL {
        let mut talk = Talk::new(with_messages(profile, &three()));
        let mut lines = talk.output();
        for command in ["X", "USER a", "PASS b", "STAT", "AUTH X", "CAPA", "QUIT"] {
            lines += &talk.ask(command);
        }
        assert!(lines.lines().all(|line| line.len() <= 510));
    }
}

#[test]
fn migrated_mailboxes_list_both_forms_of_ids() {
    let site = with_messages(Profile::Ex2003Migrated, &three())
        .site()
        .unwrap();
    let ids = site.mailbox(USER).unique_ids();
    assert_eq!(ids[0].len(), 32);
    assert_eq!(ids[1].len(), 32);
    assert!(ids[2].parse::<u64>().is_ok());
    let site = with_messages(Profile::Ex2016, &three())
        .legacy_messages(1)
        .site()
        .unwrap();
    let ids = site.mailbox(USER).unique_ids();
    assert!(ids[0].len() == 32 && ids[1].len() < 32);
}
