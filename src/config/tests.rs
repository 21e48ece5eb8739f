mod faults;
mod fleet;
pub(super) mod invented;
mod others;
mod rows;
mod schema;
mod several;

use proptest::prelude::*;

use super::*;
use crate::account::{AuthMethod, LineEndings, PasswordSource, Security, StoreSettings};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;

fn parse(text: &str) -> Result<Config, Error> {
    let base = Base {
        home: Some("/home/anna".into()),
        folder: "/etc/popsync".into(),
    };
    Config::parse(Path::new("config.toml"), text.as_bytes(), &base)
}

/// An account with these further lines.
fn with(lines: &str) -> Result<Account, Error> {
    let text = format!(
        "[accounts.work]\nserver = \"pop3s://mail.example.com\"\nuser = \"anna\"\n\
         maildir = \"~/Mail\"\n{lines}\n"
    );
    parse(&text).map(|config| config.accounts[0].clone())
}

/// An error as a person sees it.
fn shown(result: Result<impl std::fmt::Debug, Error>) -> String {
    let error = result.unwrap_err();
    assert_ne!(error.exit(), Exit::Success);
    let mut text = error.to_string();
    for part in [error.snippet(), error.hint().map(String::from)] {
        text.push('\n');
        text.push_str(&part.unwrap_or_default());
    }
    text
}

#[test]
fn the_shortest_account_gets_the_defaults_of_the_program() {
    let account = with("").unwrap();
    assert_eq!(account.name, "work");
    assert_eq!(account.identity.key, "work");
    assert_eq!(account.identity.host, "mail.example.com");
    assert_eq!(account.server.to_string(), "mail.example.com:995");
    assert_eq!(account.server.security, Security::ImplicitTls);
    assert_eq!(account.password, PasswordSource::Ask);
    assert_eq!(account.profile, Profile::Outlook2019);
    assert!(account.retention.leave_on_server);
    assert_eq!(account.retention.remove_after_days, None);
    assert_eq!(account.timeout.as_secs(), 60);
    assert_eq!(
        account.store,
        StoreSettings::Maildir {
            path: "/home/anna/Mail".into(),
            line_endings: LineEndings::Lf
        }
    );
}

#[test]
fn every_key_is_read() {
    let config = parse(
        r#"
        [accounts.all]
        server = "pop3://Mail.Example.com:1110"
        user = "anna"
        auth = "user"
        password-file = "secret"
        maildir = "/var/mail/anna"
        profile = "outlook-2010"
        leave-on-server = true
        remove-after-days = 14
        remove-imported = true
        headers-only-above = "500 KiB"
        header-stubs = true
        sessions-per-run = 20
        connections = 4
        max-size = "25 MB"
        max-messages = 0x10
        max-octets = 1_000
        tls = { ca-file = "ca.pem", client-cert = "anna.pem", min-version = "1.3", server-name = "pop" }
        timeout = "2m"
        line-endings = "crlf"
        complain-after = "3h"
        on-new-mail = "notmuch new"
        on-failure = ["notify-send", "it failed"]
        "#,
    )
    .unwrap();
    insta::assert_debug_snapshot!(config.accounts[0], @r#"
    Account {
        name: "all",
        identity: Identity {
            key: "all",
            host: "mail.example.com",
            user: "anna",
        },
        server: Server {
            host: "Mail.Example.com",
            port: 1110,
            security: Stls,
        },
        user: "anna",
        auth: User,
        password: File(
            "/etc/popsync/secret",
        ),
        profile: Outlook2010,
        store: Maildir {
            path: "/var/mail/anna",
            line_endings: Crlf,
        },
        retention: Retention {
            leave_on_server: true,
            remove_after_days: Some(
                14,
            ),
            remove_when_deleted_locally: false,
            remove_imported: true,
            max_deletions: 500,
        },
        limits: Limits {
            max_size: Some(
                25000000,
            ),
            headers_only_above: Some(
                512000,
            ),
            max_messages: Some(
                16,
            ),
            max_octets: Some(
                1000,
            ),
            sessions: Some(
                20,
            ),
            connections: Some(
                4,
            ),
            header_stubs: true,
        },
        route: Route {
            via: Direct,
            source: None,
        },
        tls: TlsSettings {
            roots: Some(
                File(
                    "/etc/popsync/ca.pem",
                ),
            ),
            fingerprint: None,
            client: Some(
                ClientCertificate {
                    certificate: "/etc/popsync/anna.pem",
                    key: "/etc/popsync/anna.pem",
                },
            ),
            min_version: Tls13,
            server_name: Some(
                "pop",
            ),
        },
        timeout: 120s,
        alerts: Alerts {
            complain_after: Some(
                Time(
                    10800s,
                ),
            ),
            on_new_mail: Some(
                [
                    "notmuch",
                    "new",
                ],
            ),
            on_failure: Some(
                [
                    "notify-send",
                    "it failed",
                ],
            ),
        },
    }
    "#);
}

#[test]
fn an_account_is_above_the_defaults_and_these_above_the_profile() {
    let config = parse(
        r#"
        [defaults]
        server = "pop3s://eva@mail.example.com"
        password-command = "pass show mail"
        leave-on-server = false
        maildir = "~/a"
        tls = { ca-file = "/ca.pem" }
        timeout = 10

        [accounts.b]
        maildir = "~/b"

        [accounts.a]
        user = "anna"
        password-file = "~/p"
        leave-on-server = true
        tls = {}
        timeout = 20
        "#,
    )
    .unwrap();
    let [b, a] = &config.accounts[..] else {
        panic!("in the order of the file");
    };
    assert_eq!((b.name.as_str(), b.user.as_str()), ("b", "eva"));
    assert_eq!((a.name.as_str(), a.user.as_str()), ("a", "anna"));
    assert_eq!(b.password, PasswordSource::Command("pass show mail".into()));
    assert_eq!(a.password, PasswordSource::File("/home/anna/p".into()));
    assert!(!b.retention.leave_on_server && a.retention.leave_on_server);
    assert!(b.tls.roots.is_some() && a.tls.roots.is_none());
    assert_eq!((b.timeout.as_secs(), a.timeout.as_secs()), (10, 20));
}

#[test]
fn an_access_token_is_for_ways_to_log_in_that_take_one() {
    for auth in ["xoauth2", "oauthbearer", "auto"] {
        let lines = format!("auth = \"{auth}\"\noauth-token-command = \"oama access anna\"");
        let source = PasswordSource::TokenCommand("oama access anna".to_owned());
        assert_eq!(with(&lines).unwrap().password, source, "{auth}");
    }
    insta::assert_snapshot!(shown(with("oauth-token-command = \"oama access anna\"")), @r#"
    config.toml:5:23: account `work`: `oauth-token-command` has no meaning with `auth = "user"`
      |
    5 | oauth-token-command = "oama access anna"
      |                       ^^^^^^^^^^^^^^^^^^
    write `auth = "xoauth2"` as well, or `"oauthbearer"` or `"auto"`
    "#);
    let both = with("auth = \"auto\"\noauth-token-command = \"x\"\npassword-command = \"y\"");
    assert!(both.unwrap_err().to_string().contains("two of"));
    let empty = with("auth = \"auto\"\noauth-token-command = \" \"").unwrap_err();
    assert!(empty.to_string().contains("`oauth-token-command` is empty"));
}

#[test]
fn external_needs_a_client_certificate() {
    let account = with("auth = \"external\"\ntls = { client-cert = \"a.pem\" }").unwrap();
    assert_eq!(account.auth, AuthMethod::External);
    for tls in ["", "tls = { ca-file = \"ca.pem\" }"] {
        let error = with(&format!("auth = \"external\"\n{tls}")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("is the client certificate, and none is set")
        );
        assert!(error.hint().unwrap().contains("client-cert"));
    }
}

/// OPOP3:V0008: no Outlook has APOP.
#[test]
fn apop_is_for_the_generic_profile() {
    let account = with("profile = \"rfc1939\"\nauth = \"apop\"").unwrap();
    assert_eq!(account.auth, AuthMethod::Apop);
    assert!(account.retention.leave_on_server);
    insta::assert_snapshot!(shown(with("auth = \"apop\"")), @r#"
    config.toml:5:8: account `work`: `auth = "apop"` contradicts the profile `outlook-2019`: Outlook has no APOP
      |
    5 | auth = "apop"
      |        ^^^^^^
    write `profile = "rfc1939"` as well, or leave `auth` out for USER and PASS
    "#);
}

/// XPOP3:E0006: 1024 octets are the most that any Exchange takes.
#[test]
fn a_user_name_that_no_exchange_takes_is_refused() {
    let user = |octets: usize| {
        let user = "x".repeat(octets);
        parse(&format!(
            "[accounts.work]\nserver = \"pop3s://h\"\nuser = \"{user}\"\nmaildir = \"/m\""
        ))
    };
    assert!(user(1017).is_ok());
    let error = user(1018).unwrap_err();
    assert!(error.to_string().contains("longer than 1017 octets"));
}

#[test]
fn removal_after_days_keeps_messages_until_then_under_every_profile() {
    let account = with("profile = \"outlook-2010\"\nremove-after-days = 14").unwrap();
    assert!(account.retention.leave_on_server);
    let account = with("profile = \"outlook-2010\"").unwrap();
    assert!(!account.retention.leave_on_server);
}

#[test]
fn tls_off_is_plain_and_without_it_stls_is_required() {
    let table = [
        ("pop3s", "", Security::ImplicitTls, 995),
        ("pop3", "", Security::Stls, 110),
        ("pop3", "tls = \"off\"", Security::Plain, 110),
    ];
    for (scheme, tls, security, port) in table {
        let account = parse(&format!(
            "[accounts.a]\nserver=\"{scheme}://u@[::1]\"\nmaildir=\"/m\"\n{tls}"
        ));
        let account = &account.unwrap().accounts[0];
        assert_eq!(account.server.security, security);
        assert_eq!(account.server.port, port);
    }
}

#[test]
fn an_account_has_one_store_and_its_own_goes_before_that_of_the_defaults() {
    let text = |defaults: &str, own: &str| {
        let text =
            format!("[defaults]\n{defaults}\n[accounts.a]\nserver = \"pop3s://eva@mail\"\n{own}");
        parse(&text).map(|mut config| config.accounts.remove(0).store)
    };
    let mbox = StoreSettings::Mbox {
        path: "/home/anna/inbox".into(),
        line_endings: LineEndings::Crlf,
    };
    let crlf = "line-endings = \"crlf\"";
    let own = format!("mbox = \"~/inbox\"\n{crlf}");
    assert_eq!(text("", &own).unwrap(), mbox);
    assert_eq!(text("maildir = \"/m\"", &own).unwrap(), mbox);
    let defaults = format!("mbox = \"~/inbox\"\n{crlf}");
    assert_eq!(text(&defaults, "").unwrap(), mbox);
    insta::assert_snapshot!(shown(text("", "maildir = \"/m\"\nmbox = \"/inbox\"")), @r#"
    config.toml:6:8: an account has one store: `maildir`, `mbox` or `exec`
      |
    6 | mbox = "/inbox"
      |        ^^^^^^^^
    leave the others out; for several, write a second account with another name
    "#);
    let exec = |command: &[&str], seconds| StoreSettings::Exec {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        timeout: std::time::Duration::from_secs(seconds),
        line_endings: LineEndings::Lf,
    };
    let words = ["maildrop", "-d", "anna b"];
    let stores = [
        text("", "exec = \"maildrop -d 'anna b'\""),
        text(
            "maildir = \"/m\"",
            "exec = [\"maildrop\", \"-d\", \"anna b\"]",
        ),
    ];
    for store in stores {
        assert_eq!(store.unwrap(), exec(&words, 300));
    }
    let timed = text("exec-timeout = \"2m\"", "exec = \"procmail\"");
    assert_eq!(timed.unwrap(), exec(&["procmail"], 120));
    for (own, words) in [
        ("exec = \"\"", "`exec` is empty"),
        ("exec = []", "`exec` is empty"),
        ("exec = \"a 'b\"", "no partner"),
        ("exec = [\"a\", 1]", "a list of texts"),
        ("exec = \"a\"\nexec-timeout = 0", "`exec-timeout` is"),
    ] {
        let error = text("", own).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let error = text("header-stubs = true", "mbox = \"/inbox\"").unwrap_err();
    assert!(
        error.to_string().contains("`header-stubs` needs a Maildir"),
        "{error}"
    );
}

/// OPOP3:C0003.
#[test]
fn a_user_name_that_pop3_cannot_carry_is_refused() {
    let text = |user: &str| {
        parse(&format!(
            "[accounts.a]\nserver = \"pop3s://mail\"\nmaildir = \"/m\"\nuser = {user}"
        ))
    };
    insta::assert_snapshot!(shown(text(r#""anna\r\nDELE 1""#)), @r#"
    config.toml:4:8: the user name contains a carriage return, which POP3 cannot carry
      |
    4 | user = "anna\r\nDELE 1"
      |        ^^^^^^^^^^^^^^^^
    USER carries printable ASCII; `auth = "plain"` and others more
    "#);
    for user in [r#""a\nb""#, r#""a\u0000""#, r#""größe""#, r#""""#] {
        assert_eq!(text(user).unwrap_err().exit(), Exit::Config, "{user}");
    }
    // OPOP3:C0004, C0042: a server may read any run of blanks as one.
    insta::assert_snapshot!(shown(text(r#"" anna""#)), @r#"
    config.toml:4:8: account `a`: the user name has blanks at its ends, or two in a row, which USER cannot carry
      |
    4 | user = " anna"
      |        ^^^^^^^
    take them out, or write `auth = "plain"` as well
    "#);
    for user in [r#""anna ""#, r#""an  na""#] {
        assert_eq!(text(user).unwrap_err().exit(), Exit::Config, "{user}");
        let config = text(&format!("{user}\nauth = \"plain\"")).unwrap();
        assert_eq!(format!("\"{}\"", config.accounts[0].user), user);
    }
    assert_eq!(text(r#""anna lee""#).unwrap().accounts[0].user, "anna lee");
    // SASL carries more; but nothing that could end a line.
    let with_plain = |user: &str| text(&format!("{user}\nauth = \"plain\""));
    let config = with_plain(r#""größe""#).unwrap();
    assert_eq!(config.accounts[0].user, "größe");
    for user in [r#""a\nb""#, r#""a\rb""#, r#""a\u0000""#, r#""a\u0001""#] {
        assert_eq!(with_plain(user).unwrap_err().exit(), Exit::Config, "{user}");
    }
    assert!(parse("[accounts.a]\nserver = \"pop3s://a%0Ab@mail\"\nmaildir = \"/m\"").is_err());
}

#[test]
fn account_names_are_any_key_without_control_characters() {
    let text = |name: &str| {
        parse(&format!(
            "[accounts.{name}]\nserver = \"pop3s://u@mail\"\nmaildir = \"/m\""
        ))
    };
    for name in ["work", "\"anna@example.com\"", "\"größe\"", "'a b'"] {
        assert!(text(name).is_ok(), "{name}");
    }
    for name in [r#""""#, r#""a\nb""#, r#""\u009b""#, r#""\u0000""#] {
        assert!(text(name).is_err(), "{name}");
    }
}

#[test]
fn accounts_are_chosen_by_name() {
    let text = "[defaults]\nserver = \"pop3s://u@mail\"\n\
                [accounts.work]\nmaildir = \"/w\"\n[accounts.home]\nmaildir = \"/h\"";
    let chosen = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        parse(text).unwrap().select(&names).map(|accounts| {
            let names: Vec<_> = accounts.into_iter().map(|account| account.name).collect();
            names.join(" ")
        })
    };
    assert_eq!(chosen(&[]).unwrap(), "work home");
    assert_eq!(chosen(&["home", "work", "home"]).unwrap(), "work home");
    assert_eq!(chosen(&["home"]).unwrap(), "home");
    let error = chosen(&["home", "wrk"]).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    insta::assert_snapshot!(shown(Err::<(), _>(error)), @r"
    there is no account `wrk`

    did you mean `work`? known: work, home
    ");
}

#[test]
fn an_endless_file_is_refused() {
    let error = Config::load(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(error.cause(), Cause::TooLarge { .. }), "{error}");
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let base = Base { home: None, folder: "/".into() };
        if let Err(error) = Config::parse(Path::new("c"), &content, &base) {
            let _ = (error.to_string(), error.snippet(), error.hint());
        }
    }

    #[test]
    fn no_text_like_a_file_makes_it_panic(
        lines in proptest::collection::vec("(\\[accounts\\.[a-b]\\]|[a-z-]{1,17} = [\"0-9a-z:/@%]{0,20}|server = \"pop3s?://[ -~]{0,20}\"|max-size = \"[0-9]{0,22} ?[a-zA-Z]{0,3}\"|user = \".{0,8}\")", 0..12)
    ) {
        if let Err(error) = parse(&lines.join("\n")) {
            let _ = (error.to_string(), error.snippet(), error.hint());
        }
    }
}
