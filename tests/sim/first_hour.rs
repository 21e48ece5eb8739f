//! The first hour with popsync, at a terminal: a user adds accounts and types passwords.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use exchange_sim::{Profile, Server};
use support::cli::Popsync;
use support::keyring::Bus;

const USER: &str = "anna@example.com";
const PASSWORD: &str = "correct Horse  =+ battery";

fn server(user: &str) -> Server {
    Server::builder(Profile::Ex2016)
        .user(user, PASSWORD)
        .messages(user, [b"Subject: one\r\n\r\none\r\n".to_vec()])
        .start()
        .unwrap()
}

fn url(server: &Server) -> String {
    format!("pop3s://localhost:{}", server.pop3s_port())
}

fn fetch(server: &Server, more: &[&str]) -> Popsync {
    let url = url(server);
    let all = [&["fetch", &url, "--user", USER, "--maildir", "Mail"], more].concat();
    Popsync::new(&all).file("ca.pem", server.ca_pem())
}

fn add(server: &Server, more: &[&str]) -> Popsync {
    let url = url(server);
    let all = [&["account", "add", USER, "--server", &url], more].concat();
    Popsync::new(&all).file("ca.pem", server.ca_pem())
}

fn configuration(home: &tempfile::TempDir) -> String {
    fs::read_to_string(home.path().join(".config/popsync/config.toml")).unwrap()
}

#[test]
fn a_password_is_asked_for_once_the_server_is_known_to_be_the_right_one() {
    let server = server(USER);
    let password = format!("Password for {USER}");
    let (_home, ended) =
        fetch(&server, &["--ca-file", "ca.pem"]).at_a_terminal(&[(&password, PASSWORD)]);
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(!ended.out.contains(PASSWORD), "{}", ended.out);
    let commands = server.commands();
    // The first connection ends without a login.
    let first = commands
        .iter()
        .position(|command| command == "QUIT")
        .unwrap();
    let before = &commands[..first];
    assert!(
        !before.iter().any(|line| line.starts_with("USER")),
        "{before:?}"
    );
    let passes = commands.iter().filter(|line| line.starts_with("PASS"));
    assert_eq!(passes.count(), 1, "{commands:?}");

    // No password is asked for if the certificate is not trusted, or there is no answer.
    let (_home, ended) = fetch(&server, &[]).at_a_terminal(&[]);
    assert_eq!(ended.status, 69, "{}", ended.text());
    assert!(!ended.out.contains("Password"), "{}", ended.out);
    let nobody = [
        "fetch",
        "pop3s://localhost:1",
        "--user",
        USER,
        "--maildir",
        "Mail",
    ];
    let (_home, ended) = Popsync::new(&nobody).at_a_terminal(&[]);
    assert_eq!(ended.status, 69, "{}", ended.text());
    assert!(!ended.out.contains("Password"), "{}", ended.out);
}

#[test]
fn what_the_server_refuses_is_asked_for_again_three_times() {
    let server = server("anna");
    let steps = [
        ("Maildir [~/Mail/example]: ", ""),
        (
            "Password for example (anna@example.com at localhost): ",
            PASSWORD,
        ),
        ("User name [anna@example.com]: ", "anna"),
        ("Password for example (anna at localhost): ", "wrong"),
        ("User name [anna]: ", ""),
        ("Password for example (anna at localhost): ", PASSWORD),
        ("which only you can read? [Y/n] ", ""),
    ];
    let (home, ended) = add(&server, &["--ca-file", "ca.pem"]).at_a_terminal(&steps);
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(
        ended.out.contains("next: `popsync sync example`"),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains(PASSWORD), "{}", ended.out);
    let text = configuration(&home);
    assert!(text.contains("user = \"anna\""), "{text}");
    let file = home.path().join(".config/popsync/example.password");
    assert_eq!(fs::read_to_string(&file).unwrap(), PASSWORD);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // Nothing has to be typed any more.
    let ended = Popsync::within(&home, &["sync", "--json"]).run();
    assert!(ended.out.contains("\"retrieved\":1"), "{}", ended.text());

    let steps = [
        ("Password for", "wrong"),
        ("User name", "anna"),
        ("Password for", "wrong"),
        ("User name", "anna"),
        ("Password for", "wrong"),
    ];
    let again = add(&server, &["--ca-file", "ca.pem", "--maildir", "Mail"]);
    let (home, ended) = again.at_a_terminal(&steps);
    assert_eq!(ended.status, 77, "{}", ended.text());
    assert!(ended.out.contains("nothing was written"), "{}", ended.out);
    assert!(!home.path().join(".config").exists());
}

#[test]
fn an_answer_that_will_not_do_is_asked_for_again() {
    let server = server(USER);
    let config = format!(
        "[accounts.work]\nserver = \"{}\"\nuser = \"eva\"\nmaildir = \"~/Mail\"\n",
        url(&server)
    );
    let add = |more: &[&str]| {
        let add = add(&server, &[&["--no-test", "--auth", "plain"], more].concat());
        add.config(&config)
    };
    let steps = [
        ("Maildir [", "~/Mail/work/mine"),
        ("Maildir [", "~/Other/cur/../cur/x"),
        ("Maildir [", "~/Elsewhere//./mine/"),
        ("Password for", PASSWORD),
        ("only you can read? [Y/n] ", "n"),
    ];
    let run = add(&[]);
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(run.path("Other").join(part)).unwrap();
    }
    let (home, ended) = run.at_a_terminal(&steps);
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(
        ended.out.contains("lies in the Maildir of `work`"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("lies in the Maildir HOME/Other"),
        "{}",
        ended.out
    );
    let text = configuration(&home);
    assert!(text.ends_with("maildir = \"~/Elsewhere/mine\"\n"), "{text}");

    // A flag is refused; a folder of Maildir++ is not an account's Maildir.
    let inside = add(&["--maildir", "Mail/mine"]).run();
    assert_eq!(inside.status, 64, "{}", inside.text());
    let (_home, beside) = add(&["--maildir", "Mail/.mine"]).run_in();
    assert_eq!(beside.status, 0, "{}", beside.text());
}

#[test]
fn the_server_of_a_domain_that_says_nothing_is_proposed() {
    let add = [
        "account",
        "add",
        "anna@nothing.invalid",
        "--no-test",
        "--maildir",
        "Mail",
    ];
    let steps = [
        (
            "POP3 server of nothing.invalid [pop3s://pop.nothing.invalid]: ",
            "imap://host",
        ),
        ("POP3 server of", ""),
        ("Password for", PASSWORD),
        ("only you can read? [Y/n] ", ""),
    ];
    let (home, ended) = Popsync::new(&add).at_a_terminal(&steps);
    assert_eq!(ended.status, 0, "{}", ended.text());
    let looking = "looking for the POP3 server of nothing.invalid";
    assert!(ended.out.contains(looking), "{}", ended.out);
    let text = configuration(&home);
    assert!(
        text.contains("server = \"pop3s://pop.nothing.invalid\""),
        "{text}"
    );
}

/// `[defaults]` may name the source of another server's password.
#[test]
fn a_password_of_the_defaults_goes_to_no_new_server_unasked() {
    let server = server(USER);
    let config = "[defaults]\npassword-command = \"cat password\"\n\n[accounts.home]\n\
                  server = \"pop3s://eva@mail.example.net\"\nmaildir = \"~/home\"\n";
    let add = || {
        add(&server, &["--ca-file", "ca.pem", "--maildir", "Mail"])
            .config(config)
            .file("password", PASSWORD)
    };
    let (home, ended) = add().run_in();
    assert_eq!(ended.status, 64, "{}", ended.text());
    assert!(ended.err.contains("another server's"), "{}", ended.err);
    assert_eq!(configuration(&home), config);
    assert!(server.commands().is_empty(), "{:?}", server.commands());
    let (_home, ended) = add().at_a_terminal(&[("[y/N] ", "")]);
    assert_eq!(ended.status, 64, "{}", ended.text());
    assert!(server.commands().is_empty(), "{:?}", server.commands());
}

#[test]
fn a_fetched_mailbox_has_its_password_in_the_keyring_where_that_is_wanted() {
    let (server, bus) = (server(USER), Bus::with_keyring());
    let on_bus = |run: Popsync| run.env("DBUS_SESSION_BUS_ADDRESS", &bus.address());
    let fetch = |more: &[&str]| on_bus(fetch(&server, &[&["--ca-file", "ca.pem"], more].concat()));
    let steps = |typed| [("Password for", typed)];
    // Neither without being asked to, nor a wrong one.
    let (_home, ended) = fetch(&[]).at_a_terminal(&steps(PASSWORD));
    assert_eq!(ended.status, 0, "{}", ended.text());
    let (_home, ended) = fetch(&["--remember"]).at_a_terminal(&steps("wrong"));
    assert_eq!(ended.status, 77, "{}", ended.text());
    assert_eq!(fetch(&[]).run().status, 77);
    let (_home, ended) = fetch(&["--remember"]).at_a_terminal(&steps(PASSWORD));
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(
        ended.out.contains("the password is in the keyring"),
        "{}",
        ended.out
    );
    fetch(&[]).gives(0, "", "");

    // By its URL it can be removed and added again.
    let url = url(&server);
    let by_url = |command: &str| {
        let arguments = [
            command,
            &url,
            "--user",
            USER,
            "--ca-file",
            "ca.pem",
            "--json",
        ];
        on_bus(Popsync::new(&arguments)).file("ca.pem", server.ca_pem())
    };
    let account = format!("{USER}@localhost");
    let logged_out =
        format!("{{\"event\":\"logout\",\"account\":\"{account}\",\"removed\":true}}\n");
    by_url("logout").gives(0, &logged_out, "");
    assert_eq!(fetch(&[]).run().status, 77);
    let logged_in = format!("{{\"event\":\"login\",\"account\":\"{account}\",\"tested\":true}}\n");
    let login = by_url("login").input(&format!("{PASSWORD}\n"));
    login.gives(0, &logged_in, "");
    fetch(&[]).gives(0, "", "");
    // Flags describe a server, not an account.
    let needless = Popsync::new(&["login", "work", "--user", "eva"]).run();
    assert_eq!(needless.status, 64, "{}", needless.text());
}

/// Without a keyring, the mail is still fetched.
#[test]
fn a_password_that_cannot_be_kept_is_no_failure() {
    let server = server(USER);
    let (_home, ended) = fetch(&server, &["--ca-file", "ca.pem", "--remember"])
        .at_a_terminal(&[("Password for", PASSWORD)]);
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(
        ended.out.contains("the password is not kept"),
        "{}",
        ended.out
    );
}

/// The system's `man` shows the page; a stand-in here shows its input.
#[test]
fn a_manual_page_opens_on_a_terminal() {
    let man = "#!/bin/sh\necho \"man $*\"\nhead -n 1\n";
    let at_a_terminal = |arguments: &[&str], program: Option<&str>| {
        let mut run = Popsync::new(arguments);
        if let Some(program) = program {
            run = run.file("bin/man", program);
            let executable = fs::Permissions::from_mode(0o700);
            fs::set_permissions(run.path("bin/man"), executable).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", run.path("bin").display());
        run.env("PATH", &path).at_a_terminal(&[]).1
    };
    let shown = at_a_terminal(&["man", "account", "add"], Some(man));
    assert_eq!(shown.status, 0, "{}", shown.text());
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(".TH popsync-account-add 1 \"\" \"popsync {version}\"");
    assert!(shown.out.starts_with("man -l -\r\n"), "{}", shown.out);
    assert!(shown.out.contains(&title), "{}", shown.out);
    // A `man` that fails counts as missing: the source is better than nothing.
    let printed = at_a_terminal(&["man", "sync"], Some("#!/bin/sh\nexit 1\n"));
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(printed.out.contains(".SH SYNOPSIS"), "{}", printed.out);
    let unknown = Popsync::new(&["man", "account", "sub"]).run();
    assert_eq!(unknown.status, 64, "{}", unknown.text());
    assert!(
        unknown.err.contains("no manual page `account-sub`"),
        "{}",
        unknown.err
    );
}
