//! The AUTHORIZATION state: the order of commands, and the meaning of a refusal.

use exchange_sim::{Act, At, CloseAfterErr, Knobs, LoginType, Profile, RefuseLogins};

use super::common::{DELETING, KEEPING, sent, sync_as, sync_with};
use support::bench::{Bench, By, PASSWORD, Setup, USER, letters};

/// The whole of a refused login.
fn refused_at_pass() -> [String; 4] {
    [
        "CAPA".to_owned(),
        format!("USER {USER}"),
        format!("PASS {PASSWORD}"),
        "QUIT".to_owned(),
    ]
}

/// OPOP3:C0008, C0010, C0012, C0044; XPOP3:C0003: one attempt, nothing of the TRANSACTION state,
/// and leave.
#[test]
fn a_refused_login_is_not_repeated_and_ends_with_quit() {
    let bench = Bench::with(letters(1));
    bench.sim.set_password(USER, "another");
    let ended = bench.sync(KEEPING, &[]).gives(77);
    ended.says("the server refused PASS: `Logon failure: unknown user name or bad password.`");
    ended.says("hint: check user name and password");
    assert_eq!(sent(&bench), refused_at_pass());
    bench.assert_no_violations();
}

/// XPOP3:C0005: a close behind the refusal changes neither the words nor the status.
#[test]
fn a_server_that_closes_after_a_refused_login_is_no_other_case() {
    let bench = Bench::with(letters(1));
    bench.sim.set_password(USER, "another");
    bench.knobs(Knobs {
        close_after_err: CloseAfterErr::Always,
        ..Knobs::default()
    });
    let ended = bench.sync(KEEPING, &[]).gives(77);
    ended.says("the server refused PASS: `Logon failure: unknown user name or bad password.`");
    bench.assert_no_violations();
}

/// OPOP3:C0009, C0045; XPOP3:V0010: no PASS after a refused USER, and the hint names TLS.
#[test]
fn a_refused_user_is_followed_by_quit_and_points_at_tls() {
    let bench = Setup::with(letters(1)).by(By::Plain).start();
    bench.knobs(Knobs {
        login_type: Some(LoginType::Secure),
        ..Knobs::default()
    });
    let ended = bench.sync(KEEPING, &[]).gives(77);
    ended.says("the server refused USER: `Command is not valid in this state.`");
    ended.says("use `pop3s://`, or `pop3://` without `tls = \"off\"`");
    assert_eq!(
        sent(&bench),
        ["CAPA".to_owned(), format!("USER {USER}"), "QUIT".to_owned()]
    );
    bench.assert_no_violations();
}

/// OPOP3:C0009: if all announced mechanisms are unknown, USER is tried, since every server may have
/// it and old ones do not announce it.
#[test]
fn a_server_without_a_common_mechanism_is_left_without_a_password() {
    let bench = Bench::with(letters(1));
    bench.knobs(Knobs {
        capa_tls: Some(vec!["UIDL".to_owned(), "SASL X-NEW".to_owned()]),
        refuse_user: true,
        ..Knobs::default()
    });
    bench.sync(KEEPING, &[]).gives(77).says("refused USER");
    assert!(bench.sim.commands_of("PASS").is_empty());
    bench.assert_no_violations();
}

/// XPOP3:V0008, V0009: a positive USER proves nothing about the mailbox.
#[test]
fn an_unknown_user_is_known_by_pass_alone() {
    let bench = Bench::with(letters(1));
    let ended = sync_as(&bench, "nobody@example.com", "secret", 77);
    ended.says("the server refused PASS");
    let answers = bench.sim.transcripts()[0].server_lines();
    assert_eq!(
        answers.iter().filter(|line| line.starts_with(b"-")).count(),
        1
    );
    bench.assert_no_violations();
}

/// XPOP3:V0011, OPOP3:C0042, C0046: the password is sent unchanged, spaces included.
#[test]
fn spaces_in_a_password_are_sent_as_they_are() {
    let password = "  two  and  three   ";
    let bench = Setup::with([])
        .build(move |builder| builder.user("spaces", password))
        .start();
    sync_as(&bench, "spaces", password, 0);
    assert_eq!(
        sent(&bench)[1..3],
        ["USER spaces".to_owned(), format!("PASS {password}")]
    );
    bench.assert_no_violations();
}

/// XPOP3:N1, V0011: a server may take blanks at the beginning of a password for a longer separator.
/// They are still sent, once, and after a refusal the hint names an unambiguous way.
#[test]
fn a_password_that_begins_with_a_blank_is_sent_as_it_is_and_a_refusal_names_plain() {
    let password = " first blank";
    let bench = Setup::with([])
        .build(move |builder| builder.user("spaces", password))
        .start();
    sync_as(&bench, "spaces", password, 0);
    // Like a server that looks for the argument after all blanks.
    let refusal = b"-ERR Logon failure: unknown user name or bad password.\r\n";
    bench.knobs(Knobs::default().rule(At::verb("PASS"), Act::Instead(refusal.to_vec())));
    bench.sim.clear_log();
    let ended = sync_as(&bench, "spaces", password, 77);
    ended.says("the server refused PASS: `Logon failure: unknown user name or bad password.`");
    ended.says("hint: the password begins with a blank");
    ended.says("`auth = \"plain\"` sends it as it is");
    assert_eq!(bench.sim.commands_of("PASS"), [format!("PASS {password}")]);
    // Any other password is simply wrong.
    let ended = sync_as(&bench, "spaces", "first blank ", 77);
    ended.says("hint: check user name and password");
    assert!(!ended.text().contains("blank,"), "{}", ended.text());

    bench.sim.clear_log();
    sync_with(&bench, "spaces", password, "auth = \"plain\"", 0);
    assert_eq!(bench.sim.commands_of("PASS"), [""; 0]);
    bench.assert_no_violations();
}

/// OPOP3:V0008, XPOP3:V0012: no APOP, even if the greeting offers it.
#[test]
fn a_timestamp_in_the_greeting_leads_to_no_apop() {
    for profile in &popsync::Profile::ALL[..8] {
        let bench = Bench::with(letters(1));
        bench.knobs(Knobs {
            greeting: Some(b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n".to_vec()),
            ..Knobs::default()
        });
        bench
            .sync(&format!("profile = \"{profile}\""), &[])
            .gives(0);
        assert_eq!(bench.sim.commands_of("APOP"), [""; 0]);
        bench.assert_no_violations();
    }
}

/// XPOP3:C0010: a mailbox in another site looks like a wrong password, and the server's text is
/// passed on.
#[test]
fn a_mailbox_in_another_site_is_reported_in_the_servers_words() {
    let bench = Setup::with(letters(1)).profile(Profile::Ex2007).start();
    bench.knobs(Knobs {
        wrong_site: true,
        ..Knobs::default()
    });
    let ended = bench.sync(DELETING, &[]).gives(77);
    ended.says("the server refused PASS: `Logon failure: unknown user name or bad password.`");
    bench.knobs(Knobs::default());
    bench.sync(DELETING, &[]).gives(0);
    bench.assert_exactly_once();
}

/// XPOP3:V0001: the text helps a person, escaped, and may be missing.
#[test]
fn the_text_of_a_refusal_is_passed_on_escaped_or_missing() {
    let refused = |text: &str, status: i32| {
        let bench = Bench::with(letters(1));
        bench.knobs(Knobs {
            refuse_logins: Some(RefuseLogins {
                text: text.to_owned(),
                times: None,
            }),
            ..Knobs::default()
        });
        bench.sync(KEEPING, &[]).gives(status)
    };
    refused(
        "Request is throttled. Suggested Backoff Time: 299498 milliseconds",
        75,
    )
    .says("`Request is throttled. Suggested Backoff Time: 299498 milliseconds`");
    refused("\x1b[2Jgone \x07", 77).says(r"`\u{1b}[2Jgone \u{7}`");
    refused("", 77).says("the server refused PASS and gave no reason");
    refused("[IN-USE] Mailbox is open elsewhere", 75).says("try again later");
}

/// XPOP3:E0006, E0007, N2: 47 octets on Exchange 2007, of which a person is told; 512 later.
#[test]
fn a_user_name_that_exchange_2007_does_not_take_is_said_to_be_long() {
    let user = "firstname.lastname@department.example.com";
    let on = |profile| {
        Setup::with([])
            .profile(profile)
            .build(move |builder| builder.user(user, "secret"))
            .start()
    };
    let bench = on(Profile::Ex2007);
    let ended = sync_as(&bench, user, "secret", 77);
    ended.says("the server refused USER: `Protocol error. Connection is closed. 10`");
    ended.says(
        "hint: the USER line has 48 bytes, and Exchange 2007 accepts 47 unless its administrator \
         raises MaxCommandSize",
    );
    assert!(bench.sim.commands_of("PASS").is_empty());
    for profile in [Profile::Ex2010, Profile::Ex2013, Profile::Ex2016] {
        let bench = on(profile);
        sync_as(&bench, user, "secret", 0);
        bench.assert_no_violations();
    }
}

/// XPOP3:E0006: an administrator can allow at most 1024 octets, so more is never sent, nor is there
/// a connection for it; the minimum is 40.
#[test]
fn what_no_exchange_takes_is_refused_before_dialling() {
    let bench = Bench::with([]);
    let longer = "x".repeat(1018);
    sync_as(&bench, "anna", &longer, 78).says("too long for POP3: more than 1017 bytes");
    sync_as(&bench, &longer, "secret", 78).says("longer than 1017 octets");
    assert!(bench.sim.transcripts().is_empty());

    let longest = "x".repeat(1017);
    let password = longest.clone();
    let bench = Setup::with([])
        .build(move |builder| builder.user("anna", password))
        .start();
    bench.knobs(Knobs {
        max_command: Some(1024),
        ..Knobs::default()
    });
    sync_as(&bench, "anna", &longest, 0);
    bench.assert_no_violations();
}

/// XPOP3:E0006: with the minimum of 40 octets, everything except a login with long names still
/// fits.
#[test]
fn the_shortest_limit_of_exchange_is_enough_for_every_other_command() {
    let bench = Setup::with(letters(3)).start();
    bench.knobs(Knobs {
        max_command: Some(40),
        ..Knobs::default()
    });
    bench.sync(DELETING, &[]).gives(0);
    bench.assert_exactly_once();
    bench.assert_no_violations();
}

/// XPOP3:E0002: each of the mechanisms logs in, and is the one that was asked for. (GSS-API, which
/// needs a Kerberos server, is in the tests with Dovecot.)
#[test]
fn each_mechanism_of_exchange_logs_in_by_itself() {
    let names = ["NTLM", "GSSAPI", "PLAIN"].map(str::to_owned).to_vec();
    for profile in [
        Profile::Ex2007,
        Profile::Ex2010,
        Profile::Ex2013,
        Profile::Ex2016,
    ] {
        for (auth, line) in [
            ("user", format!("USER {USER}")),
            ("plain", "AUTH PLAIN".to_owned()),
            ("ntlm", "AUTH NTLM".to_owned()),
        ] {
            let bench = Setup::with(letters(1)).profile(profile).start();
            bench.knobs(Knobs {
                mechanisms_tls: Some(names.clone()),
                ..Knobs::default()
            });
            bench
                .sync(&format!("{KEEPING}\nauth = {auth:?}"), &[])
                .gives(0);
            let logins = ["USER", "AUTH"].map(|verb| bench.sim.commands_of(verb));
            assert_eq!(logins.concat(), [line], "{profile:?}");
            bench.assert_exactly_once();
            bench.assert_no_violations();
            // A wrong password is refused by the same one, and no other is tried.
            bench.sim.set_password(USER, "another");
            bench.sim.clear_log();
            bench
                .sync(&format!("{KEEPING}\nauth = {auth:?}"), &[])
                .gives(77);
            let logins = ["USER", "AUTH"].map(|verb| bench.sim.commands_of(verb));
            assert_eq!(logins.concat().len(), 1, "{profile:?}, {auth}");
        }
    }
}

/// XPOP3:E0002: every Exchange has USER and PASS.
#[test]
fn user_and_pass_work_whatever_else_is_offered() {
    for profile in [Profile::Ex2007, Profile::Ex2016, Profile::Exo] {
        let bench = Setup::with(letters(1)).profile(profile).start();
        bench.sync(KEEPING, &[]).gives(0);
        assert_eq!(sent(&bench)[1], format!("USER {USER}"));
        bench.assert_exactly_once();
    }
}
