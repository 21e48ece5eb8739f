//! Several mistakes in one file: all of them are found, and none that is only the shadow of
//! another.

use std::path::Path;

use crate::config::{Base, Config};

/// Every mistake: line, column, and what is wrong.
fn mistakes(text: &str) -> Vec<String> {
    let base = Base {
        home: Some("/home/anna".into()),
        folder: "/etc/popsync".into(),
    };
    match Config::of_text(Path::new("f"), text.as_bytes(), &base) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

fn account(lines: &str) -> Vec<String> {
    mistakes(&format!("[accounts.work]\n{lines}\n"))
}

const SOUND: &str = "server = \"pop3s://h\"\nuser = \"anna\"\nmaildir = \"m\"\n";

#[test]
fn every_mistake_of_a_file_is_found_in_its_order() {
    let text = "x = 1\n\
                [defaults]\ntimeout = \"1d\"\nleave-on-server = false\nremove-after-days = 3\n\
                [accounts.work]\nserver = \"https://h\"\nuser = \"\"\nmax_size = 1\n\
                tls = { cafile = 1, roots = \"none\", fingerprint = \"x\" }\n\
                [accounts.home]\nuser = \"anna\"\npassword = \"hunter2\"\nmbox = 1\n\
                [accounts.\"\"]\nmaildir = \"m\"\n\
                [accounts.other]\nserver = \"pop3s://h\"\nuser = \"eva\"\nmaildir = \"m\"\n\
                auth = \"apop\"\nheader-stubs = 1\n";
    insta::assert_snapshot!(mistakes(text).join("\n"), @r#"
    f:1:1: unknown key `x`
    f:3:11: `timeout` is not a time from 1 s to 24 h: write seconds, or a number with s, m or h
    f:7:10: the server is not a URL that begins with `pop3s://` or `pop3://`
    f:8:8: `user` is empty
    f:9:1: unknown key `max_size`
    f:10:9: unknown key `cafile`
    f:10:29: `roots` has no value `none`
    f:10:51: `fingerprint` is not a SHA-256 fingerprint, which has 64 hexadecimal digits
    f:5:21: `remove-after-days` has no meaning with `leave-on-server = false`
    f:6:11: account `work`: `maildir` is missing
    f:13:1: a password does not belong in this file
    f:14:8: `mbox` is a whole number, not a text in quotes
    f:11:11: account `home`: `server` is missing
    f:15:11: an account's name is not empty and has no control characters
    f:15:11: account ``: `server` is missing
    f:15:11: account ``: `user` is missing
    f:22:16: `header-stubs` is a whole number, not true or false
    f:21:8: account `other`: `auth = "apop"` contradicts the profile `outlook-2019`: Outlook has no APOP
    "#);
    assert!(!mistakes(text).concat().contains("hunter2"));
}

#[test]
fn what_cannot_be_read_is_not_missing_as_well() {
    for lines in [
        "server = 1\nuser = \"anna\"\nmaildir = \"m\"",
        "servr = \"pop3s://h\"\nuser = \"anna\"\nmaildir = \"m\"",
        // The user of the URL cannot be used.
        "server = \"pop3s://a%0Ab@h\"\nmaildir = \"m\"",
        "server = \"https://anna@h\"\nmaildir = \"m\"",
        "server = \"pop3s://h\"\nuser = 1\nmaildir = \"m\"",
        "server = \"pop3s://h\"\nuser = \"anna\"\nmbox = 1",
        "server = \"pop3s://h\"\nuser = \"anna\"\nmail-dir = \"m\"",
        "server = \"pop3s://h\"\nuser = \"anna\"\nexec = \"'\"",
    ] {
        assert_eq!(account(lines).len(), 1, "{lines}: {:?}", account(lines));
    }
}

#[test]
fn what_cannot_be_read_contradicts_nothing() {
    for lines in [
        "auth = \"apop\"\nprofile = \"rfc\"",
        "auth = \"external\"\ntls = { client-cert = 1, client-key = \"k\" }",
        "auth = \"external\"\ntls = { clientcert = \"c\", client-key = \"k\" }",
        "auth = \"xoauth\"\noauth-token-command = \"x\"",
        "auth = \"xoauth\"\noauth = { provider = \"google\", client-id = \"x\" }",
        "proxy = \"socks5:\"\nproxy-password-file = \"p\"",
        "proxy = \"socks5://a@h\"\nproxy-password-file = 1",
        "oauth = { provider = \"googel\", client-id = \"x\" }",
        "oauth = { provider = \"google\", clientid = \"x\" }",
    ] {
        let found = account(&format!("{SOUND}{lines}"));
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
    }
    let user = account("server = \"pop3s://h\"\nuser = \"änn  a\"\nmaildir = \"m\"\nauth = 1");
    assert_eq!(user.len(), 1, "{user:?}");
}

#[test]
fn contradictions_in_one_account_are_all_found() {
    let lines = "auth = \"external\"\nleave-on-server = false\nremove-after-days = 1\n\
                 proxy = \"socks5://a@h\"\ntls = { ca-file = \"c\", roots = \"system\", \
                 client-key = \"k\" }";
    assert_eq!(account(&format!("{SOUND}{lines}")).len(), 4);
    let empty = account("");
    assert_eq!(empty.len(), 3, "{empty:?}");
    let oauth = account(&format!("{SOUND}oauth = {{ tenant = \"x\" }}"));
    assert_eq!(oauth.len(), 2, "{oauth:?}");
}

/// A setting of the account's own does not suffer from a wrong default.
#[test]
fn a_wrong_default_hides_only_what_rests_on_it() {
    let rest = "user = \"anna\"\nmaildir = \"m\"\n";
    let defaults = "[defaults]\nserver = 1\nprofile = 1\n";
    let found = mistakes(&format!("{defaults}[accounts.a]\n{rest}auth = \"apop\"\n"));
    assert_eq!(found.len(), 2, "{found:?}");
    let own = "profile = \"outlook-2019\"\nauth = \"apop\"\n";
    let found = mistakes(&format!("{defaults}[accounts.a]\n{rest}{own}"));
    assert_eq!(found.len(), 3, "{found:?}");
    // Both accounts see it, and it is told once, for neither.
    let text = "[defaults]\nserver = \"pop3s://h\"\ntls = \"off\"\n\
                [accounts.a]\nuser = \"a\"\nmaildir = \"a\"\n\
                [accounts.b]\nuser = \"b\"\nmaildir = \"b\"\n";
    let found = mistakes(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(!found[0].contains("account `"), "{found:?}");
}

#[test]
fn a_slip_in_the_syntax_hides_no_other_one() {
    let text = format!(
        "[accounts.a]\n{SOUND}auth = user\nservr = 1\nmax-size = \n\
         [accounts.b]\nuser = anna\n"
    );
    insta::assert_snapshot!(mistakes(&text).join("\n"), @r"
    f:5:8: not valid TOML: string values must be quoted, expected literal string
    f:7:12: not valid TOML: string values must be quoted, expected literal string
    f:9:8: not valid TOML: string values must be quoted, expected literal string
    f:6:1: unknown key `servr`
    ");
    for text in [
        "[accounts.a\nserver = \"pop3s://h\"\n",
        "[accounts.a]]\nuser = \"anna\"\n",
        "[accounts.a]\nuser = \"anna\nmaildir = \"m\"\n",
        "[accounts.a]\nuser = \"\"\"anna\nmaildir = \"m\"\n",
        "[accounts.a]\nexec = [\"a\", \n\nmaildir = \"m\"\n",
        "[accounts.a]\ntls = { ca-file = \"x\"\nmaildir = \"m\"\n",
        "[accounts.a]\nuser = \"a\"\nuser = \"b\"\n",
        "[accounts.a]\n[accounts.b]\n[accounts.a]\nservr = 1\n",
    ] {
        let found = mistakes(text);
        assert!(!found.is_empty(), "{text}");
        for mistake in found {
            assert!(mistake.contains("not valid TOML"), "{text}: {mistake}");
        }
    }
}

#[test]
fn a_file_without_accounts_is_told_so_beside_its_mistakes() {
    let found = mistakes("[defaults]\nservr = 1\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].ends_with("has no accounts"), "{found:?}");
    for text in ["accounts = 1\n", "[account.work]\nuser = 1\n", "x = y\n"] {
        assert_eq!(mistakes(text).len(), 1, "{:?}", mistakes(text));
    }
}

#[test]
fn accounts_that_share_a_store_are_found_beside_wrong_ones() {
    let same = format!("[accounts.a]\n{SOUND}[accounts.b]\n{SOUND}[accounts.c]\nservr = 1\n");
    let found = mistakes(&same).join("\n");
    assert!(found.contains("same store as account `a`"), "{found}");
    assert!(found.contains("`servr`"), "{found}");
}

/// A file of nothing but mistakes takes no time that grows with its square.
#[test]
fn no_more_mistakes_are_told_than_anybody_reads() {
    let lines: String = (0..2_000).map(|n| format!("x{n} = 1\n")).collect();
    assert_eq!(account(&format!("{SOUND}{lines}")).len(), 1_000);
    let lines: String = (0..2_000).map(|n| format!("x{n} = y\n")).collect();
    assert_eq!(account(&lines).len(), 1_000);
}
