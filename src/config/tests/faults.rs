//! What is wrong with a file, word for word as a person sees it: where it is, and what to write
//! instead.

use std::path::Path;

use super::{parse, shown, with};
use crate::config::Config;
use crate::config::paths::Base;

#[test]
fn wrong_tls_settings_tell_what_to_write() {
    insta::assert_snapshot!(shown(with("tls = { fingerprint = \"sha256:abc\" }")), @r#"
    config.toml:5:23: `fingerprint` is not a SHA-256 fingerprint, which has 64 hexadecimal digits
      |
    5 | tls = { fingerprint = "sha256:abc" }
      |                       ^^^^^^^^^^^^
    write `fingerprint = "sha256:…"` with the digits that `popsync probe` shows; `spki-sha256:` is that of the public key
    "#);
    insta::assert_snapshot!(
        shown(with(&format!("tls = {{ fingerprint = \"{}\" }}", "0".repeat(40)))), @r#"
    config.toml:5:23: `fingerprint` is a fingerprint by SHA-1, which can be forged
      |
    5 | tls = { fingerprint = "0000000000000000000000000000000000000000" }
      |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    write `fingerprint = "sha256:…"` with the digits that `popsync probe` shows; `spki-sha256:` is that of the public key
    "#);
    insta::assert_snapshot!(shown(with("tls = { ca-file = \"x\", roots = \"system\" }")), @r#"
    config.toml:5:32: `ca-file` and `roots` are both set
      |
    5 | tls = { ca-file = "x", roots = "system" }
      |                                ^^^^^^^^
    leave `roots` out to trust those of `ca-file` alone, which may hold several
    "#);
    insta::assert_snapshot!(shown(with("tls = { client-key = \"x\" }")), @r#"
    config.toml:5:22: `client-key` is set, and `client-cert` is not
      |
    5 | tls = { client-key = "x" }
      |                      ^^^
    name the certificate as well; the key may stand in the same file
    "#);
    insta::assert_snapshot!(shown(with("tls = { min-version = \"1.1\" }")), @r#"
    config.toml:5:23: `min-version` has no value `1.1`
      |
    5 | tls = { min-version = "1.1" }
      |                       ^^^^^
    did you mean `1.2`? known: 1.2, 1.3
    "#);
    insta::assert_snapshot!(shown(with("tls = { roots = \"none\" }")), @r#"
    config.toml:5:17: `roots` has no value `none`
      |
    5 | tls = { roots = "none" }
      |                 ^^^^^^
    known: webpki, system
    "#);
    insta::assert_snapshot!(shown(with("tls = { server-name = \"a b\" }")), @r#"
    config.toml:5:23: `server-name` is not the name or address of a host
      |
    5 | tls = { server-name = "a b" }
      |                       ^^^^^
    write the name in the server's certificate: `server-name = "mail.example.com"`
    "#);
    for name in ["pop.example.com", "192.0.2.1", "2001:db8::1"] {
        let account = with(&format!("tls = {{ server-name = \"{name}\" }}")).unwrap();
        assert_eq!(account.tls.server_name.as_deref(), Some(name));
    }
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_one() {
    insta::assert_snapshot!(shown(with("leave_on_server = false")), @r"
    config.toml:5:1: unknown key `leave_on_server`
      |
    5 | leave_on_server = …
      | ^^^^^^^^^^^^^^^
    did you mean `leave-on-server`? known here: server, user, auth, password-command, password-file, password-netrc, oauth-token-command, oauth, maildir, mbox, exec, exec-timeout, line-endings, profile, leave-on-server, remove-after-days, remove-when-deleted-locally, remove-imported, max-deletions, headers-only-above, header-stubs, max-size, max-messages, max-octets, sessions-per-run, connections, tls, proxy, proxy-password-file, socket, source-address, timeout, complain-after, on-new-mail, on-failure
    ");
    insta::assert_snapshot!(shown(with("tls = { cafile = \"x\" }")), @r"
    config.toml:5:9: unknown key `cafile`
      |
    5 | tls = { cafile = …
      |         ^^^^^^
    did you mean `ca-file`? known here: ca-file, roots, fingerprint, client-cert, client-key, min-version, server-name
    ");
    insta::assert_snapshot!(shown(parse("user = \"anna\"")), @r"
    config.toml:1:1: unknown key `user`
      |
    1 | user = …
      | ^^^^
    known here: defaults, accounts, accounts-from, template; the keys of an account stand below `[defaults]` or `[accounts.NAME]`
    ");
    insta::assert_snapshot!(shown(parse("[account.work]\n")), @r"
    config.toml:1:2: unknown key `account`
      |
    1 | [account.work]
      |  ^^^^^^^
    did you mean `accounts`? known here: defaults, accounts, accounts-from, template
    ");
}

#[test]
fn a_key_of_another_table_or_program_is_known_for_what_it_is() {
    for (line, hint) in [
        ("min-version = \"1.3\"", "write `tls = { min-version = … }`"),
        ("ca-file = \"x\"", "write `tls = { ca-file = … }`"),
        ("client-id = \"x\"", "write `oauth = { client-id = … }`"),
        ("username = \"anna\"", "did you mean `user`?"),
        ("remove-after = 14", "did you mean `remove-after-days`?"),
        ("passwd = \"hunter2\"", "use `password-command = "),
        (
            "host = \"h\"",
            "`server = \"pop3s://mail.example.com:995\"`",
        ),
        ("Port = 995", "`server = \"pop3s://mail.example.com:995\"`"),
        (
            "use_ssl = true",
            "`server = \"pop3s://mail.example.com:995\"`",
        ),
        ("every = \"5m\"", "`popsync schedule --every 15m --install`"),
        ("keep = true", "`leave-on-server = false` deletes"),
        ("mda = \"maildrop\"", "to a program with `exec`"),
        ("max-size = \"5M\"", "write `MB` (powers of 1000) or `MiB`"),
        (
            "max-size = \"5 k \"",
            "write `KB` (powers of 1000) or `KiB`",
        ),
        ("max-size = \"5 T\"", "write whole octets, or a number with"),
    ] {
        let shown = shown(with(line));
        assert!(shown.contains(hint), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn what_to_write_instead_is_about_the_key_that_is_wrong() {
    for (line, hint) in [
        ("tls = \"on\"", "leave it out: popsync uses TLS"),
        (
            "tls = { ca-file = 5 }",
            "write for example `tls = { ca-file = \"/etc/ssl/our-ca.pem\" }`",
        ),
        (
            "remove-after-days = -1",
            "leave it out to keep messages on the server",
        ),
        ("sessions-per-run = 0", "leave it out for one"),
        ("max-messages = 0", "leave it out for no limit"),
        (
            "password-file = \"\"",
            "`password-file = \"~/.config/popsync/work.password\"`",
        ),
        ("maildir = \"\"", "`maildir = \"~/Mail/work\"`"),
    ] {
        let text = "[accounts.work]\nserver = \"pop3s://u@h\"\n".to_owned() + line;
        let shown = shown(parse(&text));
        assert!(shown.contains(hint), "{shown}");
        assert!(!shown.contains("or `tls = \"off\"`"), "{shown}");
    }
}

/// Ideographs are two columns wide.
#[test]
fn the_caret_stands_below_its_place_whatever_is_before_it() {
    insta::assert_snapshot!(shown(with("tls = { \"日本\" = 1 }")).lines().take(4).collect::<Vec<_>>().join("\n"), @r#"
    config.toml:5:9: unknown key `日本`
      |
    5 | tls = { "日本" = …
      |         ^^^^^^
    "#);
}

#[test]
fn a_password_in_the_file_is_refused_and_not_shown() {
    insta::assert_snapshot!(shown(with("password = \"hunter2\"")), @r#"
    config.toml:5:1: a password does not belong in this file
      |
    5 | password = …
      | ^^^^^^^^
    use `password-command = "pass show mail/work"`, or `password-file = "…"` with a file that only you can read
    "#);
    insta::assert_snapshot!(
        shown(parse("[accounts.a]\nserver = \"pop3s://anna:hunter2@mail\"")), @r#"
    config.toml:2:10: the server URL holds a password, which would show in process lists and in files
      |
    2 | server = "pop3s://anna:…@mail"
      |          ^^^^^^^^^^^^^^^^^^^^^
    leave the password out, and use `password-command` or `password-file`; a `:` that belongs to the user name is written `%3A`
    "#);
    for text in [
        "pasword = \"hunter2\"",
        "passwort = hunter2",
        "\"x\" = \"hunter2\"",
    ] {
        assert!(!shown(with(text)).contains("hunter2"), "{text}");
    }
}

#[test]
fn a_wrong_type_tells_what_it_should_be() {
    insta::assert_snapshot!(shown(with("leave-on-server = \"no\"")), @r#"
    config.toml:5:19: `leave-on-server` is a text, not true or false
      |
    5 | leave-on-server = "no"
      |                   ^^^^
    write `leave-on-server = true` or `false`, without quotes
    "#);
    insta::assert_snapshot!(shown(with("tls = false")), @r#"
    config.toml:5:7: `tls` is `false`, not `"off"` or a table
      |
    5 | tls = false
      |       ^^^^^
    leave it out for TLS as it is everywhere, or write for example `tls = { ca-file = "/etc/ssl/our-ca.pem" }`; `tls = "off"` allows plain text
    "#);
    insta::assert_snapshot!(shown(parse("[accounts]\nwork = 5")), @r"
    config.toml:2:8: `accounts.NAME` is a whole number, not a table
      |
    2 | work = 5
      |        ^
    write `[accounts.work]` and the account's keys below it
    ");
    insta::assert_snapshot!(shown(parse("accounts = []")), @r"
    config.toml:1:12: `accounts` is a list, not a table
      |
    1 | accounts = []
      |            ^^
    write `[accounts.work]` and the account's keys below it
    ");
}

#[test]
fn a_wrong_value_tells_what_could_be_there() {
    insta::assert_snapshot!(shown(with("profile = \"outlook-2003\"")), @r#"
    config.toml:5:11: `profile` has no value `outlook-2003`
      |
    5 | profile = "outlook-2003"
      |           ^^^^^^^^^^^^^^
    did you mean `outlook-2007`? known: outlook-2007, outlook-2010, outlook-2013, outlook-2016, outlook-2019, outlook-2021, outlook-2024, outlook-new, rfc1939
    "#);
    insta::assert_snapshot!(shown(with("auth = \"plane\"")), @r#"
    config.toml:5:8: `auth` has no value `plane`
      |
    5 | auth = "plane"
      |        ^^^^^^^
    did you mean `plain`? known: user, plain, login, cram-md5, scram-sha-1, scram-sha-1-plus, scram-sha-256, scram-sha-256-plus, ntlm, gssapi, xoauth2, oauthbearer, apop, external, auto
    "#);
    insta::assert_snapshot!(shown(with("max-size = \"25 M\"")), @r#"
    config.toml:5:12: `max-size` is not a size: write `MB` (powers of 1000) or `MiB` (powers of 1024) instead of `M`
      |
    5 | max-size = "25 M"
      |            ^^^^^^
    write for example `max-size = "25 MB"`
    "#);
    insta::assert_snapshot!(shown(with("max-octets = -1")), @r#"
    config.toml:5:14: `max-octets` is not a size: write whole octets, or a number with B, KB, MB, GB, KiB, MiB or GiB
      |
    5 | max-octets = -1
      |              ^^
    write for example `max-octets = "1 GiB"`
    "#);
    insta::assert_snapshot!(shown(with("max-messages = 0")), @r"
    config.toml:5:16: `max-messages` is not a whole number from 1 to 4294967295
      |
    5 | max-messages = 0
      |                ^
    leave it out for no limit, or write for example `max-messages = 500`
    ");
    insta::assert_snapshot!(shown(with("timeout = \"0s\"")), @r#"
    config.toml:5:11: `timeout` is not a time from 1 s to 24 h: write seconds, or a number with s, m or h
      |
    5 | timeout = "0s"
      |           ^^^^
    write for example `timeout = "60s"`
    "#);
    insta::assert_snapshot!(shown(with("remove-after-days = 0")), @r"
    config.toml:5:21: `remove-after-days` is 0
      |
    5 | remove-after-days = 0
      |                     ^
    write `leave-on-server = false` to delete messages as soon as they are stored
    ");
    insta::assert_snapshot!(shown(with("password-file = \"~root/x\"")), @r"
    config.toml:5:17: `password-file`: `~NAME` is not understood
      |
    5 | password-file = …
      |                 ^
    write the path in full, or `./~NAME` where that is its name
    ");
    insta::assert_snapshot!(shown(with("password-file = \"$XDG_DATA_HOME/x\"")), @r"
    config.toml:5:17: `password-file`: of variables only `$HOME` is understood, at the beginning
      |
    5 | password-file = …
      |                 ^
    write the path in full, or `./$NAME` where that is its name
    ");
    insta::assert_snapshot!(shown(with("password-command = \" \"")), @r"
    config.toml:5:20: `password-command` is empty
      |
    5 | password-command = …
      |                    ^
    leave it out to be asked, or write a command for `sh -c`
    ");
}

#[test]
fn what_is_not_toml_is_shown_with_its_place() {
    insta::assert_snapshot!(shown(parse("[accounts.work]\nuser = anna")), @r#"
    config.toml:2:8: not valid TOML: string values must be quoted, expected literal string
      |
    2 | user = anna
      |        ^^^^
    text stands in quotes: `user = "anna@example.com"`
    "#);
    let address = shown(parse("[accounts.anna@example.com]\nuser = \"anna\"\n"));
    let quoted = "stands in quotes: `[accounts.\"anna@example.com\"]`";
    assert!(address.contains(quoted), "{address}");
    insta::assert_snapshot!(shown(with("user = \"eva\"")), @r#"
    config.toml:5:1: not valid TOML: duplicate key
      |
    5 | user = "eva"
      | ^^^^
    each key and each table stands once; remove one of the two
    "#);
    let base = Base::of_file(Path::new("/c"));
    let latin1 = Config::parse(Path::new("c"), b"[defaults]\nuser = \"\xe9\"", &base);
    insta::assert_snapshot!(shown(latin1), @r#"
    c:2:9: not UTF-8
      |
    2 | user = "
      |         ^
    save the file as UTF-8
    "#);
}

#[test]
fn a_missing_key_is_shown_at_its_account() {
    insta::assert_snapshot!(shown(parse("[accounts.work]\nuser = \"anna\"")), @r#"
    config.toml:1:11: account `work`: `server` is missing
      |
    1 | [accounts.work]
      |           ^^^^
    write `server = "pop3s://mail.example.com"`
    "#);
    insta::assert_snapshot!(
        shown(parse("[accounts.work]\nserver = \"pop3s://mail\"\nmaildir = \"/m\"")), @r#"
    config.toml:1:11: account `work`: `user` is missing
      |
    1 | [accounts.work]
      |           ^^^^
    write `user = "anna@example.com"`
    "#);
    insta::assert_snapshot!(shown(parse("[accounts.work]\nserver = \"pop3s://u@mail\"")), @r#"
    config.toml:1:11: account `work`: `maildir` is missing
      |
    1 | [accounts.work]
      |           ^^^^
    write `maildir = "~/Mail/work"`, or `mbox` or `exec` instead
    "#);
    insta::assert_snapshot!(shown(parse("")), @r#"
    config.toml has no accounts

    run `popsync account add ADDRESS`, or write your account into it, for example:
    [accounts.work]
    server = "pop3s://mail.example.com"
    user = "anna@example.com"
    password-command = "pass show mail/work"
    maildir = "~/Mail/work"
    "#);
}

#[test]
fn contradictions_are_refused() {
    insta::assert_snapshot!(shown(with("tls = \"off\"")), @r#"
    config.toml:5:7: account `work`: `tls = "off"` contradicts `pop3s://`, which is TLS from the first octet
      |
    5 | tls = "off"
      |       ^^^^^
    write `pop3://` to go without TLS, or leave `tls` out
    "#);
    insta::assert_snapshot!(
        shown(with("password-command = \"x\"\npassword-file = \"y\"")), @r"
    config.toml:6:17: two of `password-command`, `password-file`, `password-netrc`, `oauth-token-command` and `oauth` are set
      |
    6 | password-file = …
      |                 ^
    leave all but one out
    ");
    insta::assert_snapshot!(
        shown(with("leave-on-server = false\nremove-after-days = 3")), @r"
    config.toml:6:21: account `work`: `remove-after-days` has no meaning with `leave-on-server = false`
      |
    6 | remove-after-days = 3
      |                     ^
    write `leave-on-server = true`, or leave `remove-after-days` out
    ");
    insta::assert_snapshot!(shown(parse(
        "[accounts.a]\nserver = \"pop3s://eva@mail\"\nuser = \"anna\"\n"
    )), @r#"
    config.toml:3:8: the server URL names the user `eva`, and `user` is `anna`
      |
    3 | user = "anna"
      |        ^^^^^^
    leave one of the two out
    "#);
    insta::assert_snapshot!(shown(parse(
        "[defaults]\nserver = \"pop3s://eva@mail\"\nmaildir = \"/m/\"\n\
         [accounts.a]\n[accounts.b]\nmaildir = \"/m\"\nserver = \"pop3://MAIL\"\nuser = \"eva\""
    )), @r"
    config.toml:5:11: account `b`: the same mailbox goes into the same store as account `a`
      |
    5 | [accounts.b]
      |           ^
    every message would be stored twice; remove one of the two
    ");
}

#[test]
fn deletions_are_not_followed_where_an_agent_takes_the_mail() {
    let text = |follow: bool, store: &str| {
        let keys = "server = \"pop3s://h\"\nuser = \"u\"\n";
        let follow = format!("remove-when-deleted-locally = {follow}");
        parse(&format!("[accounts.a]\n{keys}{store}\n{follow}\n"))
    };
    text(true, "mbox = \"/inbox\"").unwrap();
    text(false, "exec = \"maildrop\"").unwrap();
    let error = text(true, "exec = \"maildrop\"").unwrap_err().to_string();
    assert!(error.contains("needs a Maildir or an mbox"), "{error}");
}

#[test]
fn copies_of_imported_messages_are_sought_only_in_a_maildir() {
    let text = |sought: bool, store: &str| {
        let keys = "server = \"pop3s://h\"\nuser = \"u\"\n";
        let sought = format!("remove-imported = {sought}");
        parse(&format!("[accounts.a]\n{keys}{store}\n{sought}\n"))
    };
    text(true, "maildir = \"/m\"").unwrap();
    for store in ["mbox = \"/inbox\"", "exec = \"maildrop\""] {
        text(false, store).unwrap();
        let error = text(true, store).unwrap_err().to_string();
        assert!(
            error.contains("`remove-imported` needs a Maildir"),
            "{error}"
        );
    }
}
