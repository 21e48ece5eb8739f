//! Accounts of several files and of a list, as a shell sees them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use serde_json::Value;
use support::cli::Popsync;
use tempfile::TempDir;

const MAIN: &str = "accounts-from = \"users.csv\"\n\n\
                    [accounts.main]\nserver = \"pop3s://anna@mail.example.com\"\nmaildir = \"m\"\n\n\
                    [template]\nserver = \"pop3s://mail.example.com\"\nuser = \"{user}\"\n\
                    password-command = \"cat secrets/{name}\"\nmaildir = \"mail/{name}\"\n";

const LIST: &str = "name,user\neva,eva@example.com\nkai,kai@example.com\n";

const SALES: &str = "# The sales people.\n\n# Olga, since 2021.\n[accounts.olga] # boss\n\
                     server = \"pop3s://olga@mail.example.com\"\nmaildir = \"olga\" # here\n";

fn popsync(arguments: &[&str]) -> Popsync {
    let popsync = Popsync::new(arguments)
        .config(MAIN)
        .file(".config/popsync/users.csv", LIST);
    beside(popsync, "sales.toml", SALES)
}

/// Nobody else can put files into its folder, whatever the umask.
fn beside(popsync: Popsync, name: &str, text: &str) -> Popsync {
    let folder = ".config/popsync/conf.d";
    let popsync = popsync.file(&format!("{folder}/{name}"), text);
    let folder = popsync.path(folder);
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    popsync
}

fn text(home: &Arc<TempDir>, name: &str) -> String {
    fs::read_to_string(home.path().join(".config/popsync").join(name)).unwrap()
}

fn is_unchanged(home: &Arc<TempDir>, but_for: &str) {
    for (name, before) in [
        ("config.toml", MAIN),
        ("users.csv", LIST),
        ("conf.d/sales.toml", SALES),
    ] {
        if name != but_for {
            assert_eq!(text(home, name), before);
        }
    }
}

#[test]
fn accounts_of_all_files_are_checked_and_listed_with_their_files() {
    popsync(&["config", "check"]).gives(0, "", "");
    let listed = popsync(&["account", "list"]).run();
    insta::assert_snapshot!(listed.text(), @r#"
    status: 0
    out:
    main  anna             pop3s://mail.example.com  m
    olga  olga             pop3s://mail.example.com  olga      conf.d/sales.toml
    eva   eva@example.com  pop3s://mail.example.com  mail/eva  users.csv:2
    kai   kai@example.com  pop3s://mail.example.com  mail/kai  users.csv:3
    err:
    "#);
    let listed = popsync(&["account", "list", "--json"]).run();
    let lines: Vec<Value> = listed
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let places: Vec<_> = lines
        .iter()
        .map(|line| (line["config"].as_str().unwrap(), line["line"].as_u64()))
        .collect();
    assert_eq!(
        places,
        [
            ("HOME/.config/popsync/config.toml", None),
            ("HOME/.config/popsync/conf.d/sales.toml", None),
            ("HOME/.config/popsync/users.csv", Some(2)),
            ("HOME/.config/popsync/users.csv", Some(3)),
        ]
    );
    assert_eq!(lines[3]["settings"]["maildir"], "\"mail/kai\"");
    assert_eq!(lines[3]["settings"]["password-command"], Value::Null);
}

#[test]
fn an_account_is_shown_with_its_file() {
    insta::assert_snapshot!(popsync(&["account", "show", "eva"]).run().text(), @r#"
    status: 0
    out:
    [accounts.eva]
    server = "pop3s://mail.example.com"  # from [template]
    user = "eva@example.com"  # from [template]
    password-command = …  # from [template]
    maildir = "mail/eva"  # from [template]
    # server: mail.example.com:995, TLS from the first octet
    # profile: outlook-2019
    # password: password-command
    # file: users.csv:2
    err:
    "#);
    insta::assert_snapshot!(popsync(&["account", "show", "olga"]).run().text(), @r#"
    status: 0
    out:
    [accounts.olga]
    server = "pop3s://olga@mail.example.com"
    maildir = "olga"
    # server: mail.example.com:995, TLS from the first octet
    # profile: outlook-2019
    # password: keyring, systemd credential, POPSYNC_PASSWORD or prompt
    # file: conf.d/sales.toml
    err:
    "#);
    let main = popsync(&["account", "show", "main"]).run();
    assert!(!main.out.contains("# file"), "{}", main.out);
}

#[test]
fn all_mistakes_of_all_files_are_told_in_one_run() {
    let check = Popsync::new(&["config", "check"])
        .config(&MAIN.replace("[accounts.main]\n", "[accounts.main]\nusr = 1\n"))
        .file(
            ".config/popsync/users.csv",
            "name,user\neva,e\n../x,x\neva,f\n",
        );
    let check = beside(check, "a.toml", "[accounts.a\n");
    let check = beside(check, "b.toml", "[accounts.b]\nuser = \"b\"\nusr = 1\n");
    let ended = check.run();
    insta::assert_snapshot!(ended.text(), @r#"
    status: 78
    out:
    err:
    popsync: HOME/.config/popsync/config.toml:4:1: unknown key `usr`
      |
    4 | usr = …
      | ^^^
    hint: did you mean `user`? known here: server, user, auth, password-command, password-file, password-netrc, oauth-token-command, oauth, maildir, mbox, exec, exec-timeout, line-endings, profile, leave-on-server, remove-after-days, remove-when-deleted-locally, remove-imported, max-deletions, headers-only-above, header-stubs, max-size, max-messages, max-octets, sessions-per-run, connections, tls, proxy, proxy-password-file, socket, source-address, timeout, complain-after, on-new-mail, on-failure
    popsync: HOME/.config/popsync/conf.d/b.toml:3:1: unknown key `usr`
      |
    3 | usr = …
      | ^^^
    hint: did you mean `user`? known here: server, user, auth, password-command, password-file, password-netrc, oauth-token-command, oauth, maildir, mbox, exec, exec-timeout, line-endings, profile, leave-on-server, remove-after-days, remove-when-deleted-locally, remove-imported, max-deletions, headers-only-above, header-stubs, max-size, max-messages, max-octets, sessions-per-run, connections, tls, proxy, proxy-password-file, socket, source-address, timeout, complain-after, on-new-mail, on-failure
    popsync: HOME/.config/popsync/conf.d/b.toml:1:11: account `b`: `server` is missing
      |
    1 | [accounts.b]
      |           ^
    hint: write `server = "pop3s://mail.example.com"`
    popsync: HOME/.config/popsync/conf.d/b.toml:1:11: account `b`: `maildir` is missing
      |
    1 | [accounts.b]
      |           ^
    hint: write `maildir = "~/Mail/work"`, or `mbox` or `exec` instead
    popsync: HOME/.config/popsync/users.csv:3:1: account `../x`: the value in column `name` cannot be a part of `maildir`: it begins with `.`
    hint: in a path, a value is a part of a name: it has no `/`, and begins with none of `. ~ $`
    popsync: HOME/.config/popsync/users.csv:3:1: account `../x`: the value in column `name` cannot be a part of `password-command`: it begins with `.`
    hint: in a command, a value has letters and digits of ASCII and `@ . _ + -` alone, and begins with none of `. + -`
    popsync: HOME/.config/popsync/users.csv:4:1: account `eva`: its name is in HOME/.config/popsync/users.csv:2 as well
    hint: neither is used while it is not clear which one is meant; give one another name
    popsync: HOME/.config/popsync/conf.d/a.toml:1:12: not valid TOML: unclosed table, expected `]`
      |
    1 | [accounts.a
      |            ^
    "#);
}

#[test]
fn an_account_is_renamed_and_removed_in_its_file() {
    let (home, ended) = popsync(&["account", "remove", "olga", "--json"]).run_in();
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(ended.out.contains("conf.d/sales.toml"), "{}", ended.out);
    is_unchanged(&home, "conf.d/sales.toml");
    let expected = "# The sales people.\n\n# Olga, since 2021.\n";
    assert_eq!(text(&home, "conf.d/sales.toml"), expected);
    let (home, ended) = popsync(&["account", "rename", "olga", "boss", "--json"]).run_in();
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(ended.out.contains("conf.d/sales.toml"), "{}", ended.out);
    is_unchanged(&home, "conf.d/sales.toml");
    let expected = SALES.replace("[accounts.olga]", "[accounts.boss]");
    assert_eq!(text(&home, "conf.d/sales.toml"), expected);
}

#[test]
fn a_list_is_not_changed_but_its_row_is_named() {
    for command in [
        &["account", "remove", "kai"][..],
        &["account", "rename", "kai", "k"],
    ] {
        let (home, ended) = popsync(command).run_in();
        assert_eq!(ended.status, 78, "{}", ended.text());
        let place = "is in line 3 of HOME/.config/popsync/users.csv";
        assert!(ended.err.contains(place), "{}", ended.err);
        is_unchanged(&home, "");
    }
    // A name of another file is taken.
    for (old, new) in [("main", "kai"), ("main", "olga"), ("olga", "main")] {
        let (home, ended) = popsync(&["account", "rename", old, new]).run_in();
        assert_eq!(ended.status, 64, "{}", ended.text());
        is_unchanged(&home, "");
    }
}

#[test]
fn an_account_is_added_to_the_main_file_under_a_free_name() {
    let add = |name: &str| {
        popsync(&[
            "account",
            "add",
            "new@example.com",
            "--name",
            name,
            "--server",
            "pop3s://mail.example.com",
            "--password-command",
            "pass show new",
            "--no-test",
        ])
    };
    for taken in ["olga", "kai", "main"] {
        let (home, ended) = add(taken).run_in();
        assert_eq!(ended.status, 64, "{}", ended.text());
        assert!(ended.err.contains("already"), "{}", ended.err);
        is_unchanged(&home, "");
    }
    let (home, ended) = add("new").run_in();
    assert_eq!(ended.status, 0, "{}", ended.text());
    is_unchanged(&home, "config.toml");
    assert!(text(&home, "config.toml").starts_with(MAIN));
    Popsync::within(&home, &["config", "check"]).gives(0, "", "");
}
