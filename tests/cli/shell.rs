//! The command line as a shell sees it: arguments, statuses, help, and what configuration
//! errors say. What a sync does stands elsewhere.

use std::process::{Command, Stdio};

use support::cli::Popsync;

#[test]
fn help_fits_a_terminal_and_has_every_section() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["help", "fetch"],
        &["fetch", "-h"],
        &["sync", "--help"],
        &["man", "--help"],
        &["completions", "-h"],
    ] {
        let ended = Popsync::new(arguments).run();
        assert_eq!((ended.status, ended.err.as_str()), (0, ""));
        for line in ended.out.lines() {
            assert!(line.chars().count() <= 79, "{arguments:?}: {line}");
        }
    }
    let help = Popsync::new(&["--help"]).run().out;
    for section in ["Examples:", "Files:", "Environment:", "Exit status:"] {
        assert!(help.contains(section), "{section}");
    }
}

#[test]
fn the_version_is_told() {
    let version = concat!("popsync ", env!("CARGO_PKG_VERSION"), "\n");
    Popsync::new(&["--version"]).gives(0, version, "");
}

#[test]
fn a_wrong_command_line_is_status_64() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["fetch"],
        &["fetch", "pop3s://a@h"],
        &["fetch", "pop3s://a@h", "--maildir", "m", "--max-size", "0"],
        &["fetch", "pop3s://a@h", "--maildir", "m", "--timeout", "0"],
        &["fetch", "pop3s://a@h", "--maildir", "m", "--tls", "on"],
        &["fetch", "pop3s://a@h", "--maildir", "m", "--profile", "x"],
        &["sync", "--jobs", "0"],
        &["sync", "-v", "-q"],
        &["completions", "dos"],
        &["man", "nothing"],
    ] {
        let ended = Popsync::new(arguments).run();
        assert_eq!(ended.status, 64, "{arguments:?}: {}", ended.text());
        assert_eq!(ended.out, "", "{arguments:?}");
        assert_ne!(ended.err, "", "{arguments:?}");
    }
}

#[test]
fn fetch_says_what_is_wrong_with_its_arguments() {
    let fetch = |arguments: &[&str]| {
        let mut all = vec!["fetch", "--maildir", "m"];
        all.extend(arguments);
        Popsync::new(&all).run().text()
    };
    insta::assert_snapshot!(fetch(&["mail.example.com"]), @r"
    status: 64
    out:
    err:
    popsync: URL: the server is not a URL that begins with `pop3s://` or `pop3://`
    hint: write `pop3s://mail.example.com` (TLS, port 995) or `pop3://mail.example.com` (STLS, port 110)
    ");
    insta::assert_snapshot!(fetch(&["pop3s://mail.example.com"]), @r"
    status: 64
    out:
    err:
    popsync: URL: `user` is missing
    hint: write `pop3s://USER@HOST`, or add `--user NAME`
    ");
    insta::assert_snapshot!(fetch(&["pop3s://anna:hunter2@mail.example.com"]), @r"
    status: 64
    out:
    err:
    popsync: URL: the server URL holds a password, which would show in process lists and in files
    hint: leave the password out, and use `password-command` or `password-file`; a `:` that belongs to the user name is written `%3A`
    ");
    insta::assert_snapshot!(fetch(&["pop3s://anna@mail", "--user", "eva"]), @r"
    status: 64
    out:
    err:
    popsync: --user: the server URL names the user `anna`, and `user` is `eva`
    hint: leave one of the two out
    ");
    insta::assert_snapshot!(fetch(&["pop3s://anna@mail", "--tls", "off"]), @r#"
    status: 64
    out:
    err:
    popsync: --tls: `tls = "off"` contradicts `pop3s://`, which is TLS from the first octet
    hint: write `pop3://` to go without TLS, or leave `--tls off` out
    "#);
    insta::assert_snapshot!(
        fetch(&["pop3://anna@mail", "--tls", "off", "--ca-file", "x"]), @r"
    status: 64
    out:
    err:
    popsync: --ca-file: it has no meaning when TLS is off
    hint: leave one of the two out
    ");
    insta::assert_snapshot!(fetch(&["pop3s://anna@mail", "--remove-after-days", "0"]), @r"
    status: 64
    out:
    err:
    popsync: --remove-after-days: `remove-after-days` is 0
    hint: write `--leave-on-server false` to delete messages as soon as they are stored
    ");
    insta::assert_snapshot!(
        fetch(&["pop3s://anna@mail", "--remove-after-days", "3", "--leave-on-server", "false"]), @r"
    status: 64
    out:
    err:
    popsync: --remove-after-days: `remove-after-days` has no meaning with `leave-on-server = false`
    hint: leave one of the two out
    ");
    insta::assert_snapshot!(fetch(&["pop3s://a%0AQUIT@mail"]), @r#"
    status: 64
    out:
    err:
    popsync: URL: the user name contains a line feed, which POP3 cannot carry
    hint: USER carries printable ASCII; `--auth plain` and others more
    "#);
}

/// A hint on `key = "value"` in a file becomes one on `--key value` here.
#[test]
fn hints_on_the_command_line_speak_of_flags() {
    for (arguments, hint) in [
        (&["--auth", "apop"][..], "add `--profile rfc1939`"),
        (&["--auth", "external"], "add `--client-cert FILE`"),
        (&["--oauth-token-command", "x"], "add `--auth xoauth2`"),
        (&["--fingerprint", "x"], "write `--fingerprint sha256:…`"),
        (
            &["--proxy", "ftp://h"],
            "write `--proxy socks5://HOST:PORT`",
        ),
        (&["--source-address", "x"], "an address of this computer"),
        (
            &["--server-name", "a b"],
            "the name in the server's certificate",
        ),
        (
            &["--remove-after-days", "40000"],
            "leave it out to keep messages",
        ),
    ] {
        let all = [&["fetch", "--maildir", "m", "pop3s://anna@mail"], arguments].concat();
        let ended = Popsync::new(&all).run();
        assert_eq!(ended.status, 64, "{arguments:?}: {}", ended.text());
        let (_, told) = ended.err.split_once("hint: ").unwrap_or_default();
        assert!(told.contains(hint), "{arguments:?}: {}", ended.err);
        assert!(!told.contains(" = "), "{arguments:?}: {}", ended.err);
    }
    for arguments in [["--max-messages", "0"], ["--sessions-per-run", "x"]] {
        let all = [
            &["fetch", "--maildir", "m", "pop3s://anna@mail"],
            &arguments[..],
        ]
        .concat();
        let ended = Popsync::new(&all).run();
        assert!(
            ended.err.contains("not a whole number from 1 on"),
            "{}",
            ended.err
        );
    }
}

#[test]
fn a_missing_configuration_is_explained() {
    insta::assert_snapshot!(Popsync::new(&["sync"]).run().text(), @r#"
    status: 78
    out:
    err:
    popsync: there is no configuration file HOME/.config/popsync/config.toml
    hint: run `popsync account add ADDRESS`, or write your account into it, for example:
      [accounts.work]
      server = "pop3s://mail.example.com"
      user = "anna@example.com"
      password-command = "pass show mail/work"
      maildir = "~/Mail/work"
    "#);
    let other = Popsync::new(&["sync"]).env("POPSYNC_CONFIG", "other.toml");
    assert!(other.run().err.contains("HOME/other.toml"));
    let flag = Popsync::new(&["--config", "~/flag.toml", "sync"]).env("POPSYNC_CONFIG", "x");
    assert!(flag.run().err.contains("HOME/flag.toml"));
}

#[test]
fn a_wrong_configuration_is_shown_with_its_place() {
    let sync = |config: &str| Popsync::new(&["sync"]).config(config).run().text();
    insta::assert_snapshot!(sync("[accounts.work]\nservr = \"pop3s://mail\"\n"), @r"
    status: 78
    out:
    err:
    popsync: HOME/.config/popsync/config.toml:2:1: unknown key `servr`
      |
    2 | servr = …
      | ^^^^^
    hint: did you mean `server`? known here: server, user, auth, password-command, password-file, password-netrc, oauth-token-command, oauth, maildir, mbox, exec, exec-timeout, line-endings, profile, leave-on-server, remove-after-days, remove-when-deleted-locally, remove-imported, max-deletions, headers-only-above, header-stubs, max-size, max-messages, max-octets, sessions-per-run, connections, tls, proxy, proxy-password-file, socket, source-address, timeout, complain-after, on-new-mail, on-failure
    ");
    insta::assert_snapshot!(sync("[accounts.work]\nserver = pop3s\n"), @r#"
    status: 78
    out:
    err:
    popsync: HOME/.config/popsync/config.toml:2:10: not valid TOML: string values must be quoted, expected literal string
      |
    2 | server = pop3s
      |          ^^^^^
    hint: text stands in quotes: `user = "anna@example.com"`
    "#);
    insta::assert_snapshot!(sync("[accounts.work]\npassword = \"hunter2\"\n"), @r#"
    status: 78
    out:
    err:
    popsync: HOME/.config/popsync/config.toml:2:1: a password does not belong in this file
      |
    2 | password = …
      | ^^^^^^^^
    hint: use `password-command = "pass show mail/work"`, or `password-file = "…"` with a file that only you can read
    "#);
    insta::assert_snapshot!(sync("# nothing\n"), @r#"
    status: 78
    out:
    err:
    popsync: HOME/.config/popsync/config.toml has no accounts
    hint: run `popsync account add ADDRESS`, or write your account into it, for example:
      [accounts.work]
      server = "pop3s://mail.example.com"
      user = "anna@example.com"
      password-command = "pass show mail/work"
      maildir = "~/Mail/work"
    "#);
}

/// A control character in the file is shown, not sent to the terminal.
#[test]
fn what_a_configuration_error_quotes_is_escaped() {
    let config = "[accounts.work]\nprofile = \"\\u001b[31m\\u202e\"\n";
    let ended = Popsync::new(&["sync"]).config(config).run();
    assert_eq!(ended.status, 78);
    assert!(
        ended.err.contains(r"no value `\x1b[31m\u{202e}`"),
        "{}",
        ended.err
    );
    assert!(!ended.err.contains(['\x1b', '\u{202e}']));
}

const TWO: &str = "[defaults]\nserver = \"pop3s://anna@127.0.0.1:1\"\n\
                   [accounts.work]\nmaildir = \"~/work\"\n\
                   [accounts.home]\nmaildir = \"~/home\"\n";

#[test]
fn an_unknown_account_is_a_usage_error() {
    let sync = Popsync::new(&["sync", "hom"]).config(TWO);
    insta::assert_snapshot!(sync.run().text(), @r"
    status: 64
    out:
    err:
    popsync: there is no account `hom`
    hint: did you mean `home`? known: work, home
    ");
}

#[test]
fn a_mistake_in_another_account_is_told_if_all_are_meant() {
    let config = format!("{TWO}[accounts.broken]\n");
    for arguments in [
        &["config", "check"][..],
        &["account", "list"],
        &["sync", "broken"],
    ] {
        let ended = Popsync::new(arguments).config(&config).run();
        assert_eq!(ended.status, 78, "{arguments:?}");
        assert!(ended.err.contains("account `broken`"), "{}", ended.err);
    }
    let ended = Popsync::new(&["sync", "work"]).config(&config).run();
    assert_ne!(ended.status, 78, "{}", ended.err);
    assert!(!ended.err.contains("broken"), "{}", ended.err);
}

#[test]
fn an_error_before_any_account_is_in_the_json_too() {
    let sync = Popsync::new(&["sync", "--json"]).config("x = 1\n");
    insta::assert_snapshot!(sync.run().text(), @r#"
    status: 78
    out:
    {"event":"error","account":null,"exit":78,"message":"HOME/.config/popsync/config.toml:1:1: unknown key `x`","hint":"known here: defaults, accounts, accounts-from, template; the keys of an account stand below `[defaults]` or `[accounts.NAME]`"}
    err:
    popsync: HOME/.config/popsync/config.toml:1:1: unknown key `x`
      |
    1 | x = …
      | ^
    hint: known here: defaults, accounts, accounts-from, template; the keys of an account stand below `[defaults]` or `[accounts.NAME]`
    "#);
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = Popsync::new(&["completions", shell]).run();
        assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{shell}");
        assert!(ended.out.contains("_POPSYNC_COMPLETE"), "{shell}");
    }
}

#[test]
fn manual_pages_are_printed_by_any_of_their_names() {
    let list = Popsync::new(&["man", "--list"]).run();
    assert_eq!(list.status, 0);
    for page in list.out.lines() {
        let ended = Popsync::new(&["man", page]).run();
        assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{page}");
        assert!(ended.out.contains(".SH NAME"), "{page}");
    }
    for (name, title) in [
        ("fetch", ".TH popsync-fetch 1"),
        ("popsync.1", ".TH popsync 1"),
        ("popsync-sync.1", ".TH popsync-sync 1"),
        ("config", ".TH popsync 5"),
        ("popsync.5", ".TH popsync 5"),
    ] {
        assert!(
            Popsync::new(&["man", name]).run().out.contains(title),
            "{name}"
        );
    }
}

/// A reader that has seen enough is no failure.
#[test]
fn a_closed_pipe_is_success() {
    for arguments in [&["man"][..], &["completions", "bash"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = Command::new(env!("CARGO_BIN_EXE_popsync"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(writer)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_behind_stdout_is_an_error() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        return;
    };
    let output = Command::new(env!("CARGO_BIN_EXE_popsync"))
        .arg("man")
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(74));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        err.starts_with("popsync: cannot write to standard output: "),
        "{err}"
    );
}
