//! `popsync account`: adding, listing, showing, testing and removing, as a shell sees it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use exchange_sim::{Profile, Server};
use serde_json::Value;
use support::cli::Popsync;
use support::keyring::Bus;

const USER: &str = "anna@example.com";
const PASSWORD: &str = "correct Horse  =+ battery";

fn server() -> Server {
    Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, [b"Subject: one\r\n\r\none\r\n".to_vec()])
        .start()
        .unwrap()
}

/// `account add` for this server.
fn add(server: &Server, more: &[&str]) -> Popsync {
    let url = format!("pop3s://localhost:{}", server.pop3s_port());
    let all = [
        &[
            "account",
            "add",
            USER,
            "--server",
            &url,
            "--ca-file",
            "ca.pem",
        ],
        more,
    ]
    .concat();
    Popsync::new(&all)
        .file("ca.pem", server.ca_pem())
        .file("password", PASSWORD)
}

/// What the hint to an unknown certificate offers is a flag here too, and is written down.
#[test]
fn a_certificate_is_trusted_by_a_flag_that_the_hint_offers() {
    let server = server();
    let url = format!("pop3s://localhost:{}", server.pop3s_port());
    let add = |more: &[&str]| {
        let all = [
            "account",
            "add",
            USER,
            "--server",
            &url,
            "--password-file",
            "password",
        ];
        Popsync::new(&[&all[..], more].concat())
            .file("ca.pem", server.ca_pem())
            .file("password", PASSWORD)
            .env("SSL_CERT_FILE", "ca.pem")
    };
    let refused = add(&[]).run();
    assert_eq!(refused.status, 69, "{}", refused.text());
    assert_eq!(server.commands(), [""; 0]);
    assert!(refused.err.contains("`--roots system`"), "{}", refused.err);
    let (_, pin) = refused.err.split_once("--fingerprint ").unwrap();
    let (pin, _) = pin.split_once('`').unwrap();
    for (flag, value, key) in [
        ("--fingerprint", pin, "fingerprint"),
        ("--roots", "system", "roots"),
    ] {
        let (home, added) = add(&[flag, value]).run_in();
        assert_eq!(added.status, 0, "{flag}: {}", added.text());
        let file = home.path().join(".config/popsync/config.toml");
        let text = std::fs::read_to_string(file).unwrap();
        let written = format!("tls = {{ {key} = \"{value}\" }}\n");
        assert!(text.ends_with(&written), "{text}");
    }
    let both = add(&["--roots", "system", "--ca-file", "ca.pem"]).run();
    assert_eq!(both.status, 64, "{}", both.text());
}

/// A file with comments, in an order and with spaces of its own.
const MINE: &str = "# mine\n[defaults]\nprofile   = \"outlook-2024\" # new\n\n\
                    [accounts.home]\nserver = \"pop3s://eva@mail.example.net\"\n\
                    password-command = \"echo geheim\"\nmaildir = \"~/home\"\n";

#[test]
fn an_account_is_tried_and_added_behind_what_is_there() {
    let server = server();
    let run = add(&server, &["--password-file", "password", "--name", "work"]).config(MINE);
    let (home, ended) = run.run_in();
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert_eq!(ended.out + &ended.err, "");
    let text = std::fs::read_to_string(home.path().join(".config/popsync/config.toml")).unwrap();
    let added = text.strip_prefix(MINE).unwrap();
    let port = server.pop3s_port();
    let folder = home.path().display();
    assert_eq!(
        added,
        format!(
            "\n[accounts.work]\nserver = \"pop3s://localhost:{port}\"\nuser = \"{USER}\"\n\
             password-file = \"{folder}/password\"\nmaildir = \"~/Mail/work\"\n\
             tls = {{ ca-file = \"{folder}/ca.pem\" }}\n"
        )
    );
    let pass = format!("PASS {PASSWORD}");
    assert_eq!(
        server.commands(),
        ["CAPA", &format!("USER {USER}"), &pass, "QUIT"]
    );
    // It works, and is removed without a trace.
    let sync = Popsync::within(&home, &["sync", "work", "--json"]).run();
    assert!(sync.out.contains("\"retrieved\":1"), "{}", sync.text());
    let remove = Popsync::within(&home, &["account", "remove", "work", "--json"]);
    remove.gives(
        0,
        "{\"event\":\"account-removed\",\"account\":\"work\",\
         \"config\":\"HOME/.config/popsync/config.toml\"}\n",
        "",
    );
    let text = std::fs::read_to_string(home.path().join(".config/popsync/config.toml")).unwrap();
    assert_eq!(text, MINE);
    assert!(
        home.path()
            .join("Mail/work/new")
            .read_dir()
            .unwrap()
            .count()
            == 1
    );
}

#[test]
fn a_login_that_fails_leaves_the_file_as_it_was() {
    let server = server();
    let run = add(&server, &["--password-command", "echo wrong"]).config(MINE);
    let (home, ended) = run.run_in();
    assert_eq!(ended.status, 77, "{}", ended.text());
    assert!(ended.err.contains("Logon failure"), "{}", ended.err);
    assert!(ended.err.contains("nothing was written"), "{}", ended.err);
    let path = home.path().join(".config/popsync/config.toml");
    assert_eq!(std::fs::read_to_string(path).unwrap(), MINE);
}

#[test]
fn a_password_from_standard_input_goes_into_the_keyring() {
    let (server, bus) = (server(), Bus::with_keyring());
    let run = add(&server, &["--name", "work"]).input(&format!("{PASSWORD}\n"));
    let (home, ended) = run.env("DBUS_SESSION_BUS_ADDRESS", &bus.address()).run_in();
    assert_eq!(ended.status, 0, "{}", ended.text());
    let with_bus = |arguments: &[&str]| {
        Popsync::within(&home, arguments).env("DBUS_SESSION_BUS_ADDRESS", &bus.address())
    };
    let told = with_bus(&["account", "test", "work", "--json"]).run();
    let line: Value = serde_json::from_str(told.out.trim()).unwrap();
    assert_eq!(line["event"], "account-test");
    assert_eq!(
        (&line["logged_in"], &line["messages"]),
        (&true.into(), &1.into())
    );
    // With the account the password goes too.
    with_bus(&["account", "remove", "work"]).gives(0, "", "");
    let again = add(&server, &["--name", "work", "--no-test"])
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address());
    let (home, _) = again.run_in();
    let sync = Popsync::within(&home, &["sync"])
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address())
        .run();
    assert!(sync.err.contains("no password"), "{}", sync.text());
}

#[test]
fn large_providers_are_known_by_heart() {
    let run = Popsync::new(&["account", "add", "anna@gmx.de", "--no-test"]);
    let (home, ended) = run.run_in();
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (0, ""),
        "{}",
        ended.text()
    );
    assert_eq!(ended.err, "GMX wants POP3 switched on in its settings\n");
    let path = home.path().join(".config/popsync/config.toml");
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "[accounts.gmx]\nserver = \"pop3s://pop.gmx.net\"\nuser = \"anna@gmx.de\"\n\
         maildir = \"~/Mail/gmx\"\n"
    );
    // A second account there gets another name.
    let add = Popsync::within(&home, &["account", "add", "eva@gmx.de", "--no-test", "-q"]);
    add.gives(0, "", "");
    insta::assert_snapshot!(
        Popsync::within(&home, &["account", "list"]).run().text(), @r"
    status: 0
    out:
    gmx         anna@gmx.de  pop3s://pop.gmx.net  ~/Mail/gmx
    eva@gmx.de  eva@gmx.de   pop3s://pop.gmx.net  ~/Mail/eva@gmx.de
    err:
    ");
}

#[test]
fn an_account_of_microsoft_signs_in_there() {
    let add = [
        "account",
        "add",
        "anna@outlook.com",
        "--client-id",
        "0123",
        "--no-test",
        "-q",
    ];
    let (home, ended) = Popsync::new(&add).run_in();
    assert_eq!(
        (ended.status, ended.err.as_str()),
        (0, ""),
        "{}",
        ended.text()
    );
    let path = home.path().join(".config/popsync/config.toml");
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "[accounts.outlook]\nserver = \"pop3s://outlook.office365.com\"\n\
         user = \"anna@outlook.com\"\n\
         oauth = { client-id = \"0123\", provider = \"microsoft\" }\n\
         maildir = \"~/Mail/outlook\"\n"
    );
    let show = Popsync::within(&home, &["account", "show", "outlook", "--json"]).run();
    let line: Value = serde_json::from_str(show.out.trim()).unwrap();
    assert_eq!(
        (&line["auth"], &line["password"]),
        (&"xoauth2".into(), &"oauth".into())
    );
}

#[test]
fn what_cannot_be_added_is_explained() {
    let add = |arguments: &[&str]| {
        let all = [&["account", "add"], arguments].concat();
        Popsync::new(&all).config(MINE).run().text()
    };
    insta::assert_snapshot!(add(&["anna@icloud.com"]), @r"
    status: 69
    out:
    err:
    popsync: icloud.com: Apple's iCloud has no POP3
    hint: if there is a server after all, name it with `--server`
    ");
    insta::assert_snapshot!(add(&["anna@outlook.com"]), @r"
    status: 64
    out:
    err:
    popsync: the server of outlook.com accepts OAuth only, no passwords
    hint: `--client-id ID` names the program to sign in with; `popsync man config`, section OAUTH, tells how to get one
    ");
    insta::assert_snapshot!(add(&["anna"]), @r"
    status: 64
    out:
    err:
    popsync: ADDRESS is not a mail address such as `anna@example.com`
    hint: write the address whose mail popsync is to retrieve
    ");
    insta::assert_snapshot!(add(&["anna@gmx.de", "--name", "home", "--no-test"]), @r"
    status: 64
    out:
    err:
    GMX wants POP3 switched on in its settings
    popsync: home: there is an account `home` already
    hint: choose another name with `--name`, or remove that one first
    ");
    let wrong = add(&["anna@example.com", "--server", "pop3s://h/x", "--no-test"]);
    assert!(wrong.starts_with("status: 78"), "{wrong}");
    assert!(wrong.contains("the server URL has a path"), "{wrong}");
}

#[test]
fn an_account_is_shown_without_secrets() {
    let show = Popsync::new(&["account", "show", "home"]).config(MINE);
    insta::assert_snapshot!(show.run().text(), @r#"
    status: 0
    out:
    [accounts.home]
    server = "pop3s://eva@mail.example.net"
    password-command = …
    maildir = "~/home"
    profile = "outlook-2024"  # from [defaults]
    # server: mail.example.net:995, TLS from the first octet
    # profile: outlook-2024
    # password: password-command
    err:
    "#);
    let show = Popsync::new(&["account", "show", "home", "--json"]).config(MINE);
    let ended = show.run();
    assert!(!ended.out.contains("geheim"), "{}", ended.out);
    let line: Value = serde_json::from_str(ended.out.trim()).unwrap();
    assert_eq!(line["event"], "account");
    assert_eq!(line["settings"]["maildir"], "\"~/home\"");
    assert_eq!(line["settings"]["password-command"], Value::Null);
}

#[test]
fn a_test_says_what_works_and_changes_nothing() {
    let server = server();
    let run = add(&server, &["--name", "work", "--no-test"]);
    let (home, ended) = run.run_in();
    assert_eq!(ended.status, 0, "{}", ended.text());
    let test = |password: &str| {
        Popsync::within(&home, &["account", "test", "work"]).env("POPSYNC_PASSWORD", password)
    };
    let ended = test(PASSWORD).run();
    assert_eq!(
        (ended.status, ended.err.as_str()),
        (0, ""),
        "{}",
        ended.text()
    );
    let lines: Vec<_> = ended
        .out
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(
        lines,
        ["connection", "TLS", "login", "capabilities", "mailbox"]
    );
    assert!(ended.out.contains("1 message, "), "{}", ended.out);
    // The lines of the steps before the failure stay.
    let ended = test("wrong").run();
    assert_eq!(ended.status, 77, "{}", ended.text());
    assert!(ended.out.starts_with("connection ") && !ended.out.contains("login"));
    let reading = ["CAPA", "USER", "PASS", "STAT", "QUIT"];
    for command in server.commands() {
        let keyword = command.split(' ').next().unwrap().to_owned();
        assert!(reading.contains(&keyword.as_str()), "{command}");
    }
    assert!(!home.path().join("Mail").exists());
}

#[test]
fn what_cannot_be_cut_out_is_left_for_an_editor() {
    let inline = "accounts = { work = { server = \"pop3s://a@h\", maildir = \"m\" } }\n";
    let remove = Popsync::new(&["account", "remove", "work"]).config(inline);
    insta::assert_snapshot!(remove.run().text(), @r"
    status: 78
    out:
    err:
    popsync: work: account `work` cannot be changed in HOME/.config/popsync/config.toml without touching the rest
    hint: popsync changes tables that begin with `[accounts.NAME]`; change this one by hand
    ");
}
