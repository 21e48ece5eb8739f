//! Accounts with OAuth as seen from a shell: `login`, `sync` and `logout` with a provider and a
//! simulated Exchange Online that accepts its tokens.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]
#![cfg(feature = "oauth")]

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use exchange_sim::{Profile, Server};
use serde_json::Value;
use support::cli::{Ended, Popsync};
use support::keyring::Bus;
use support::provider::{CLIENT, Poll, Provider, SCOPE, USER_CODE, browse};
use tempfile::TempDir;

const USER: &str = "anna@example.com";

/// A provider, and a server that accepts the newest of its tokens.
struct Bench {
    provider: Provider,
    server: Arc<Server>,
    home: Arc<TempDir>,
}

impl Bench {
    fn new() -> Self {
        let server = Server::builder(Profile::Exo)
            .user(USER, "no password works here")
            .messages(USER, [b"Subject: one\r\n\r\none\r\n".to_vec()])
            .start()
            .unwrap();
        let provider = Provider::start();
        let server = Arc::new(server);
        let site = Arc::clone(server.site());
        provider.state().on_token = Some(Box::new(move |token| site.set_token(USER, token)));
        provider.state().interval = Some(1);
        Self {
            provider,
            server,
            home: Arc::new(TempDir::new().unwrap()),
        }
    }

    /// A run with the account `work`; `more` are keys of its `oauth`.
    fn run(&self, arguments: &[&str], more: &str) -> Popsync {
        let url = |path| self.provider.url(path);
        let config = format!(
            "[accounts.work]\nserver = \"pop3s://localhost:{}\"\nuser = \"{USER}\"\n\
             maildir = \"~/Mail\"\ntls = {{ ca-file = \"ca.pem\" }}\n\
             oauth = {{ client-id = \"{CLIENT}\", scope = \"{SCOPE}\", token-endpoint = \"{}\", \
             device-endpoint = \"{}\", auth-endpoint = \"{}\"{more} }}\n",
            self.server.pop3s_port(),
            url("/token"),
            url("/device"),
            url("/authorize"),
        );
        Popsync::within(&self.home, arguments)
            .config(&config)
            .file(".config/popsync/ca.pem", self.server.ca_pem())
    }

    /// The same with the tokens in a file.
    fn with_file(&self, arguments: &[&str]) -> Popsync {
        self.run(arguments, ", token-file = \"~/tokens\"")
    }
}

/// Asserts that no secret was printed.
#[track_caller]
fn discreet(ended: &Ended) {
    let text = ended.text();
    for secret in ["access-token-", "refresh-token-", "device-code-"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_device_signs_in_mail_comes_and_the_token_is_renewed() {
    let (bench, bus) = (Bench::new(), Bus::with_keyring());
    // It expires before it begins, so that every run renews it.
    bench.provider.state().life = 60;
    bench.provider.state().rotates = true;
    let run = |arguments: &[&str]| {
        let run = bench.run(arguments, "");
        let ended = run.env("DBUS_SESSION_BUS_ADDRESS", &bus.address()).run();
        discreet(&ended);
        ended
    };
    let ended = run(&["login", "work", "-q", "-vv"]);
    assert_eq!(ended.status, 64, "{}", ended.text());
    let ended = run(&["login", "work", "-q"]);
    let place = bench.provider.url("/activate");
    assert_eq!(
        (ended.status, ended.err.as_str()),
        (
            0,
            &*format!("Open {place} in any browser, and type this code there: {USER_CODE}\n")
        )
    );
    for (run_number, new) in [(1, 1), (2, 0)] {
        let ended = run(&["sync", "--json", "-vv"]);
        assert_eq!(ended.status, 0, "{}", ended.text());
        let told = format!("\"retrieved\":{new}");
        assert!(ended.out.contains(&told), "{}", ended.out);
        assert_eq!(bench.provider.state().refreshed, run_number);
    }
    // Always two steps, and never the password.
    let commands = bench.server.commands();
    assert!(
        commands.contains(&"AUTH XOAUTH2".to_owned()),
        "{commands:?}"
    );
    assert!(!commands.iter().any(|line| line.starts_with("PASS")));

    bench.provider.revoke();
    let ended = run(&["sync"]);
    insta::assert_snapshot!(ended.text(), @r"
    status: 77
    out:
    err:
    popsync: work: the provider does not take the stored sign-in any more: `Sorry.`
    hint: the password was changed, the permission was withdrawn, or the sign-in was not used for long: run `popsync login work`
    ");
    assert_eq!(run(&["logout", "work"]).status, 0);
    let ended = run(&["sync"]);
    insta::assert_snapshot!(ended.text(), @r"
    status: 77
    out:
    err:
    popsync: work: nobody has signed in for this account yet
    hint: run `popsync login work`
    ");
}

#[test]
fn a_browser_signs_in() {
    let bench = Bench::new();
    let (_home, mut child) = bench
        .with_file(&["login", "work", "--browser", "--json"])
        .start();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(
        (&line["event"], &line["code"]),
        (&"sign-in".into(), &Value::Null)
    );
    let pages = browse(line["address"].as_str().unwrap());
    assert_eq!(
        pages.last().unwrap(),
        "Signed in. You can close this window."
    );
    let last: Vec<_> = lines.map(|line| line.unwrap()).collect();
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{err}");
    assert_eq!(
        last,
        ["{\"event\":\"login\",\"account\":\"work\",\"tested\":true}"]
    );
    let ended = bench.with_file(&["sync", "--json"]).run();
    assert!(ended.out.contains("\"retrieved\":1"), "{}", ended.text());
    discreet(&ended);
}

/// The token was revoked at the provider, or the server's clock is ahead: one run fails, the next
/// has a new one.
#[test]
fn a_token_that_the_server_refuses_is_not_tried_twice() {
    let bench = Bench::new();
    assert_eq!(bench.with_file(&["login", "work", "-q"]).run().status, 0);
    bench.server.site().set_token(USER, "another");
    let ended = bench.with_file(&["sync"]).run();
    assert_eq!(ended.status, 77, "{}", ended.text());
    discreet(&ended);
    assert_eq!(bench.provider.state().refreshed, 0);
    let ended = bench.with_file(&["sync", "--json"]).run();
    assert!(ended.out.contains("\"retrieved\":1"), "{}", ended.text());
    assert_eq!(bench.provider.state().refreshed, 1);
}

#[test]
fn an_account_that_is_removed_leaves_no_tokens() {
    let bench = Bench::new();
    assert_eq!(bench.with_file(&["login", "work", "-q"]).run().status, 0);
    assert!(bench.home.path().join("tokens").exists());
    bench
        .with_file(&["account", "remove", "work"])
        .gives(0, "", "");
    assert!(!bench.home.path().join("tokens").exists());
}

/// No tokens are stored after a refusal by the person or by the server.
#[test]
fn a_sign_in_that_leads_nowhere_keeps_nothing() {
    let bench = Bench::new();
    bench.provider.state().polls = [Poll::Error("access_denied")].into();
    let ended = bench.with_file(&["login", "work"]).run();
    assert_eq!(ended.status, 77, "{}", ended.text());
    assert!(ended.err.contains("the sign-in was refused: `Sorry.`"));
    bench.provider.state().polls = [Poll::Grant].into();
    bench.provider.state().on_token = None;
    let ended = bench.with_file(&["login", "work"]).run();
    assert_eq!(ended.status, 77, "{}", ended.text());
    discreet(&ended);
    assert!(!bench.home.path().join("tokens").exists());
}

#[test]
fn without_a_keyring_it_says_where_tokens_can_be_kept() {
    let bench = Bench::new();
    let ended = bench.run(&["login", "work"], "").run();
    insta::assert_snapshot!(ended.text(), @r#"
    status: 77
    out:
    err:
    popsync: work: there is no D-Bus session here to find a keyring in
    hint: tokens are kept in the keyring; without one, name a file that only you can read: `oauth = { token-file = "…", … }`
    "#);
    // Nobody was asked to sign in for nothing.
    assert_eq!(bench.provider.state().polled, 0);
}

#[test]
fn what_is_wrong_with_the_settings_is_shown_with_its_place() {
    let error = |keys: &str| {
        let config =
            format!("[accounts.work]\nserver = \"pop3s://a@h\"\nmaildir = \"m\"\n{keys}\n");
        let ended = Popsync::new(&["sync"]).config(&config).run();
        assert_eq!(ended.status, 78, "{keys}: {}", ended.text());
        let words = ended.err.lines().next().unwrap();
        words.split_once("config.toml:").unwrap().1.to_owned()
    };
    let microsoft = "provider = \"microsoft\", client-id = \"x\"";
    for (keys, expected) in [
        (
            "oauth = { provider = \"microsoft\" }",
            "`client-id` is missing",
        ),
        ("oauth = { client-id = \"x\" }", "`provider` is missing"),
        (
            "oauth = { client-id = \"x\", issuer = \"https://h\" }",
            "`scope` is missing",
        ),
        (
            "oauth = { client-id = \"x\", scope = \"y\", issuer = \"http://127.0.0.1\" }",
            "`issuer` is not an `https://` URL",
        ),
        (
            "oauth = { client-id = \"x\", scope = \"y\", token-endpoint = \"http://h/t\" }",
            "`token-endpoint` is not an `https://` URL",
        ),
        (
            "oauth = { client-id = \"x\", scope = \"y\", device-endpoint = \"https://h/t\" }",
            "`token-endpoint` is missing",
        ),
        (
            "oauth = { provider = \"mircosoft\" }",
            "`provider` has no value `mircosoft`",
        ),
        ("oauth = { client = \"x\" }", "unknown key `client`"),
        (
            "oauth = { provider = \"google\", client-id = \"x\", tenant = \"y\" }",
            "`tenant` has no meaning without `provider = \"microsoft\"`",
        ),
        (
            &format!("oauth = {{ {microsoft}, tenant = \"../x\" }}"),
            "`tenant` is a text, not the name or number of a tenant",
        ),
        (
            &format!("oauth = {{ {microsoft}, issuer = \"https://h\" }}"),
            "`oauth` names its provider twice",
        ),
        (
            &format!("auth = \"plain\"\noauth = {{ {microsoft} }}"),
            "`oauth` has no meaning with `auth = \"plain\"`",
        ),
    ] {
        let told = error(keys);
        assert!(told.ends_with(expected), "{keys}: {told}");
    }
    let both = format!("password-file = \"x\"\noauth = {{ {microsoft} }}");
    assert!(error(&both).contains("`oauth` are set"), "{}", error(&both));
}
