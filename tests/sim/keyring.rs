//! Passwords in the keyring: a gnome-keyring on a bus of its own, and every case without a keyring.
//! Also the systemd credential, which services use instead.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::os::unix::net::UnixListener;

use exchange_sim::{Profile, Server};
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

/// A run with the account `work` on this server.
fn popsync(server: &Server, arguments: &[&str]) -> Popsync {
    let config = format!(
        "[accounts.work]\nserver = \"pop3s://localhost:{}\"\nuser = \"{USER}\"\n\
         maildir = \"~/Mail\"\ntls = {{ ca-file = \"ca.pem\" }}\n",
        server.pop3s_port()
    );
    Popsync::new(arguments)
        .config(&config)
        .file(".config/popsync/ca.pem", server.ca_pem())
}

/// A run whose server must not be reached: nobody listens there.
fn without_server(arguments: &[&str], more: &str) -> Popsync {
    let config = format!(
        "[accounts.work]\nserver = \"pop3s://localhost:1\"\nuser = \"{USER}\"\n\
         maildir = \"~/Mail\"\n{more}"
    );
    Popsync::new(arguments).config(&config)
}

fn on(run: Popsync, bus: &Bus) -> Popsync {
    run.env("DBUS_SESSION_BUS_ADDRESS", &bus.address())
}

#[test]
fn a_password_goes_into_the_keyring_is_used_and_goes_out_again() {
    let (server, bus) = (server(), Bus::with_keyring());
    let login = on(popsync(&server, &["login", "work", "--json"]), &bus);
    login.input(&format!("{PASSWORD}\n")).gives(
        0,
        "{\"event\":\"login\",\"account\":\"work\",\"tested\":true}\n",
        "",
    );
    // The login is tried, and nothing else is done there.
    let pass = format!("PASS {PASSWORD}");
    assert_eq!(
        server.commands(),
        ["CAPA", &format!("USER {USER}"), &pass, "QUIT"]
    );
    let clear = PASSWORD.as_bytes();
    assert!(!bus.kept().windows(clear.len()).any(|part| part == clear));

    let ended = on(popsync(&server, &["sync", "--json"]), &bus).run();
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(ended.out.contains("\"retrieved\":1"), "{}", ended.out);

    let logout = || on(popsync(&server, &["logout", "work", "--json"]), &bus);
    let told =
        |removed| format!("{{\"event\":\"logout\",\"account\":\"work\",\"removed\":{removed}}}\n");
    logout().gives(0, &told(true), "");
    logout().gives(0, &told(false), "");

    let ended = on(popsync(&server, &["sync"]), &bus).run();
    insta::assert_snapshot!(ended.text(), @r"
    status: 77
    out:
    err:
    popsync: work: no password, and no terminal to ask for one
    hint: run `popsync login` for this account, set `password-command` or `password-file`, or POPSYNC_PASSWORD for this run
    ");
}

/// Cron and systemd do not set the address of the bus; it is at systemd's usual place.
#[test]
fn the_bus_is_found_in_the_runtime_folder() {
    let (server, bus) = (server(), Bus::with_keyring());
    let folder = bus.runtime_folder();
    let found = |run: Popsync| {
        run.env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env("XDG_RUNTIME_DIR", folder.to_str().unwrap())
    };
    found(popsync(&server, &["login", "work"]))
        .input(PASSWORD)
        .gives(0, "", "");
    found(popsync(&server, &["sync"])).gives(0, "", "");
}

#[test]
fn a_password_that_the_server_refuses_is_not_kept() {
    let (server, bus) = (server(), Bus::with_keyring());
    let login = on(popsync(&server, &["login", "work"]), &bus).input("wrong\n");
    let ended = login.run();
    assert_eq!(ended.status, 77, "{}", ended.text());
    assert!(ended.err.contains("Logon failure"), "{}", ended.err);
    on(popsync(&server, &["logout", "work", "--json"]), &bus).gives(
        0,
        "{\"event\":\"logout\",\"account\":\"work\",\"removed\":false}\n",
        "",
    );
    // The server was asked once: another attempt might lock the account.
    let passes = server.commands();
    assert_eq!(
        passes
            .iter()
            .filter(|line| line.starts_with("PASS"))
            .count(),
        1
    );
}

/// A password belongs to a user at a host. An account that is moved to another server has none.
#[test]
fn no_other_server_is_given_the_password() {
    let (server, bus) = (server(), Bus::with_keyring());
    on(popsync(&server, &["login", "work"]), &bus)
        .input(PASSWORD)
        .gives(0, "", "");
    let said = server.commands().len();
    for other in ["127.0.0.1", "localhost."] {
        let config = format!(
            "[accounts.work]\nserver = \"pop3s://{other}:{}\"\nuser = \"{USER}\"\n\
             maildir = \"~/Mail\"\ntls = {{ ca-file = \"ca.pem\" }}\n",
            server.pop3s_port()
        );
        let sync = Popsync::new(&["sync"])
            .config(&config)
            .file(".config/popsync/ca.pem", server.ca_pem());
        let ended = on(sync, &bus).run();
        assert_eq!(ended.status, 77, "{}", ended.text());
        assert!(ended.err.contains("no password"), "{}", ended.err);
    }
    assert_eq!(server.commands().len(), said);
}

#[test]
fn without_a_test_nobody_is_dialled() {
    let bus = Bus::with_keyring();
    on(without_server(&["login", "work", "--no-test"], ""), &bus)
        .input("hunter2\r\n")
        .gives(0, "", "");
    let ended = on(without_server(&["login", "work"], ""), &bus)
        .input("hunter2\n")
        .run();
    assert_eq!(ended.status, 69, "{}", ended.text());
}

#[test]
fn an_empty_line_is_no_password() {
    let bus = Bus::with_keyring();
    for input in ["", "\n", "\r\nhunter2"] {
        let login = on(without_server(&["login", "work", "--no-test"], ""), &bus);
        let ended = login.input(input).run();
        insta::allow_duplicates!(insta::assert_snapshot!(ended.text(), @r"
        status: 77
        out:
        err:
        popsync: work: standard input gave no password
        hint: the password is the first line alone
        "));
    }
}

#[test]
fn where_there_is_no_bus_it_says_so_and_what_to_do() {
    let sync = without_server(&["sync"], "").run();
    insta::assert_snapshot!(sync.text(), @r"
    status: 77
    out:
    err:
    popsync: work: no password, and no terminal to ask for one: there is no D-Bus session here to find a keyring in
    hint: cron and system services reach the keyring only while you are logged in, or after `loginctl enable-linger`; else use `password-command`, `password-file` or a systemd credential
    ");
    // Nobody is asked for a password that cannot be stored.
    let login = without_server(&["login", "work"], "").input("hunter2\n");
    insta::assert_snapshot!(login.run().text(), @r"
    status: 77
    out:
    err:
    popsync: work: there is no D-Bus session here to find a keyring in
    hint: cron and system services reach the keyring only while you are logged in, or after `loginctl enable-linger`; else use `password-command`, `password-file` or a systemd credential
    ");
}

#[test]
fn where_no_keyring_runs_it_says_so_and_what_to_do() {
    let bus = Bus::start();
    let ended = on(without_server(&["logout", "work"], ""), &bus).run();
    insta::assert_snapshot!(ended.text(), @r"
    status: 77
    out:
    err:
    popsync: work: no keyring is installed or running
    hint: install and start one, such as gnome-keyring or KWallet; or use `password-command` or `password-file`
    ");
}

#[test]
fn a_locked_keyring_says_so_and_what_to_do() {
    let (server, mut bus) = (server(), Bus::with_keyring());
    on(popsync(&server, &["login", "work"]), &bus)
        .input(PASSWORD)
        .gives(0, "", "");
    bus.lock();
    let ended = on(popsync(&server, &["sync"]), &bus).run();
    insta::assert_snapshot!(ended.text(), @r"
    status: 77
    out:
    err:
    popsync: work: no password, and no terminal to ask for one: the keyring is locked, and cannot ask here for its own password
    hint: log in to the desktop, which unlocks it; for scheduled runs use `password-command`, `password-file` or a systemd credential
    ");
    // The sources after the keyring still count.
    on(popsync(&server, &["sync"]), &bus)
        .env("POPSYNC_PASSWORD", PASSWORD)
        .gives(0, "", "");
}

/// Neither for the password nor for anything else.
#[test]
fn a_configured_source_leaves_the_keyring_alone() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("unix:path={}", socket.display());
    let server = server();
    for key in [
        "password-file = \"pw\"",
        "password-command = \"cat ~/.config/popsync/pw\"",
    ] {
        let config = format!(
            "[accounts.work]\nserver = \"pop3s://localhost:{}\"\nuser = \"{USER}\"\n\
             maildir = \"~/Mail\"\ntls = {{ ca-file = \"ca.pem\" }}\n{key}\n",
            server.pop3s_port()
        );
        Popsync::new(&["sync"])
            .config(&config)
            .file(".config/popsync/ca.pem", server.ca_pem())
            .file(".config/popsync/pw", PASSWORD)
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .gives(0, "", "");
        let nobody = listener.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// The two would contradict each other: the next run would use the other one.
#[test]
fn login_says_where_the_password_comes_from_instead() {
    let login = without_server(&["login", "work"], "password-command = \"pass mail\"\n");
    insta::assert_snapshot!(login.input("hunter2\n").run().text(), @r"
    status: 78
    out:
    err:
    popsync: work: its password comes from `password-command`, not from the keyring
    hint: take `password-command` out of the configuration to have the password in the keyring
    ");
}

#[test]
fn a_systemd_credential_is_the_password() {
    let server = server();
    let run = popsync(&server, &["sync", "-v"]).file("run/popsync-work", &format!("{PASSWORD}\n"));
    let folder = run.path("run");
    let ended = run
        .env("CREDENTIALS_DIRECTORY", folder.to_str().unwrap())
        .env("POPSYNC_PASSWORD", "another")
        .run();
    assert_eq!(ended.status, 0, "{}", ended.text());
    let place = "the password is from the systemd credential HOME/run/popsync-work";
    assert!(ended.err.contains(place), "{}", ended.err);
    // That of another account, and none at all.
    for name in ["run/popsync-home", "other"] {
        let run = popsync(&server, &["sync"]).file(name, PASSWORD);
        let folder = run.path("run");
        run.env("CREDENTIALS_DIRECTORY", folder.to_str().unwrap())
            .env("POPSYNC_PASSWORD", PASSWORD)
            .gives(0, "", "");
    }
}
