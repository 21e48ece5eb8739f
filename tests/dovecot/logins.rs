//! The ways to log in that Dovecot has.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};

use crate::home::{Home, run, stored};
use support::dovecot::{Dovecot, Tls};
use support::mail::ordinary;

/// Logs in, gets mail, and tells neither password nor what is made of it.
#[track_caller]
fn logs_in_by(server: &Dovecot, method: &str, commands: &[&str]) {
    let home = Home::new();
    server.forget();
    let arguments = ["--auth", method, "-vv"];
    let ended = run(&mut home.fetch_command(server, &server.pop3s("anna"), &arguments));
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (Some(0), ""),
        "{ended:#?}"
    );
    assert_eq!(stored(&home.maildir()).len(), 2, "{method}");
    for command in commands {
        assert!(ended.err.contains(command), "{command}: {}", ended.err);
    }
    for secret in ["correct horse", "AGFubm", "Y29ycmVj", "YW5uY"] {
        assert!(!ended.err.contains(secret), "{method}: {}", ended.err);
    }
}

#[test]
fn every_mechanism_logs_in() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(2, 1));
    logs_in_by(&server, "user", &["C: USER anna", "C: PASS ***"]);
    logs_in_by(&server, "plain", &["C: AUTH PLAIN ***"]);
    logs_in_by(&server, "login", &["C: AUTH LOGIN", "S: + ***", "C: ***"]);
    logs_in_by(
        &server,
        "cram-md5",
        &["C: AUTH CRAM-MD5", "S: + ***", "C: ***"],
    );
    logs_in_by(
        &server,
        "scram-sha-1",
        &["C: AUTH SCRAM-SHA-1 ***", "C: ***"],
    );
    logs_in_by(
        &server,
        "scram-sha-256",
        &["C: AUTH SCRAM-SHA-256 ***", "C: ***"],
    );
    let best = "scram-sha-256 is chosen, because it shows the password to nobody";
    logs_in_by(&server, "auto", &[best, "C: AUTH SCRAM-SHA-256 ***"]);
}

#[test]
fn every_mechanism_is_refused_once_and_in_so_many_words() {
    let server = Dovecot::start();
    let methods = [
        "plain",
        "login",
        "cram-md5",
        "scram-sha-1",
        "scram-sha-256",
        "auto",
    ];
    for (attempts, method) in methods.into_iter().enumerate() {
        let home = Home::new();
        home.write("password", "hunter2\n", 0o600);
        let ended = home.fetch(&server, &["--auth", method]);
        ended.fails(
            77,
            &[
                "popsync: anna@127.0.0.1: the server refused AUTH: `[AUTH] Authentication failed.`",
                "hint: check user name and password",
            ],
        );
        assert!(!ended.err.contains("hunter2"), "{ended:#?}");
        let sessions = server.tls_sessions(attempts + 1);
        let one = "(auth failed, 1 attempts in ";
        assert!(sessions[attempts].contains(one), "{sessions:#?}");
    }
}

/// Nothing is sent to a listener that leads to the password, unless its way is named.
#[test]
fn without_tls_auto_takes_what_shows_nothing_and_says_what_is_needed_for_less() {
    let server = Dovecot::with(Tls::Off);
    server.deliver_all("anna", &ordinary(1, 1));
    let url = server.pop3("anna");
    let home = Home::new();
    let fetch = |method: &str| {
        let arguments = ["--tls", "off", "-vv", "--auth", method];
        run(&mut home.fetch_command(&server, &url, &arguments))
    };
    let ended = fetch("auto");
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert!(
        ended.err.contains("C: AUTH SCRAM-SHA-256 ***"),
        "{ended:#?}"
    );
    assert!(!ended.err.contains("TLS is off"), "{ended:#?}");
    let ended = fetch("plain");
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert!(
        ended.err.contains("TLS is off: whoever listens can read"),
        "{ended:#?}"
    );
}

#[test]
fn apop_logs_in_under_the_generic_profile() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(1, 1));
    let home = Home::new();
    // Behind TLS from the first octet Dovecot offers no APOP.
    let arguments = ["--auth", "apop", "--profile", "rfc1939", "-vv"];
    let ended = run(&mut home.fetch_command(&server, &server.pop3("anna"), &arguments));
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert!(ended.err.contains("C: APOP anna ***"), "{ended:#?}");
    assert_eq!(stored(&home.maildir()).len(), 1);
}

/// The answers of a provider that is asked about tokens (RFC 7662): `token-of-USER` is USER's.
struct Introspection {
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl Introspection {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                // A client that is gone needs no answer.
                let _ = stream.and_then(answer);
            }
        });
        Self { port, stopped }
    }
}

impl Drop for Introspection {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread, so that it sees it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One request, and its answer. Dovecot puts the token behind the URL, or in the body.
fn answer(stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let (mut asked, mut length) = (String::new(), 0);
    reader.read_line(&mut asked)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(octets) = line.strip_prefix("content-length:") {
            length = octets.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.push_str(&String::from_utf8_lossy(&body));
    let user = asked.split("token-of-").nth(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        &rest[..end.unwrap_or(rest.len())]
    });
    let json = match user {
        Some(user) => format!(r#"{{"active":true,"username":"{user}"}}"#),
        None => r#"{"active":false}"#.to_owned(),
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let mut stream = reader.into_inner();
    write!(stream, "{head}Content-Length: {}\r\n\r\n{json}", json.len())
}

/// A Dovecot that takes access tokens, and who it asks about them.
fn with_tokens() -> (Dovecot, Introspection) {
    let provider = Introspection::start();
    let port = provider.port;
    let server = Dovecot::with_more(Tls::Good, |folder| {
        let settings = format!(
            "introspection_mode = post\n\
             introspection_url = http://127.0.0.1:{port}/introspect\n\
             username_attribute = username\n\
             active_attribute = active\n\
             active_value = true\n\
             openid_configuration_url = http://127.0.0.1:{port}/.well-known/openid-configuration\n"
        );
        let mut file = File::create(folder.join("oauth.conf")).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        format!(
            "auth_mechanisms = xoauth2 oauthbearer\n\
             passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n\
             \x20 args = {}/oauth.conf\n}}\n",
            folder.display()
        )
    });
    (server, provider)
}

#[test]
fn access_tokens_log_in_and_bad_ones_are_explained() {
    let (server, _provider) = with_tokens();
    server.deliver_all("anna", &ordinary(2, 1));
    let fetch = |method: &str, command: &str| {
        let home = Home::new();
        let mut arguments = vec!["fetch"];
        let (url, ca_file) = (server.pop3s("anna"), server.ca_file());
        arguments.extend([&url, "--maildir", "Mail", "--auth", method, "-vv"]);
        arguments.extend(["--ca-file", ca_file.to_str().unwrap()]);
        arguments.extend(["--oauth-token-command", command]);
        let ended = home.run(&arguments);
        for secret in ["token-of-anna", "dG9rZW4tb2", "t0ken"] {
            assert!(!ended.err.contains(secret), "{method}: {}", ended.err);
        }
        (ended, home)
    };
    for (method, line) in [
        ("xoauth2", "C: AUTH XOAUTH2\n"),
        ("oauthbearer", "C: AUTH OAUTHBEARER ***\n"),
        ("auto", "oauthbearer is chosen, because"),
    ] {
        let (ended, home) = fetch(method, "echo token-of-anna");
        assert_eq!(ended.status, Some(0), "{ended:#?}");
        assert!(ended.err.contains(line), "{line:?}: {}", ended.err);
        assert_eq!(stored(&home.maildir()).len(), 2, "{method}");
        let (ended, _) = fetch(method, "echo t0ken");
        let said = "`[AUTH] Authentication failed.`; before that the server said about the access token: status ";
        ended.fails(
            77,
            &[
                "the server refused AUTH: ",
                said,
                "hint: the token may have expired",
            ],
        );
        let (ended, _) = fetch(method, "echo two words");
        ended.fails(78, &["the access token is not one word"]);
        assert!(!ended.err.contains("C: AUTH"), "{ended:#?}");
    }
}

/// A CA of clients, and anna's certificate by it. Nobody is asked for a password.
#[test]
fn a_client_certificate_logs_in_by_external() {
    let home = Home::new();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name
        .push(DnType::CommonName, "CA of clients");
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut anna = CertificateParams::default();
    anna.distinguished_name = DistinguishedName::new();
    anna.distinguished_name.push(DnType::CommonName, "anna");
    anna.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let anna = anna.signed_by(&key, &*ca).unwrap();
    home.write("anna.pem", &(anna.pem() + &key.serialize_pem()), 0o600);
    let server = Dovecot::with_more(Tls::Good, |folder| {
        let mut file = File::create(folder.join("clients.pem")).unwrap();
        file.write_all(ca.pem().as_bytes()).unwrap();
        format!(
            "auth_mechanisms = external\nssl_ca = <{}/clients.pem\nssl_require_crl = no\n\
             ssl_verify_client_cert = yes\nauth_ssl_username_from_cert = yes\n\
             passdb {{\n  driver = static\n  args = nopassword=y\n}}\n",
            folder.display()
        )
    });
    server.deliver_all("anna", &ordinary(2, 1));
    let (url, ca_file) = (server.pop3s("anna"), server.ca_file());
    let arguments = ["fetch", &url, "--maildir", "Mail", "-vv"];
    let ca_file = ["--ca-file", ca_file.to_str().unwrap()];
    for method in ["external", "auto"] {
        let more = ["--client-cert", "anna.pem", "--auth", method];
        let ended = home.run(&[&arguments[..], &ca_file, &more].concat());
        assert_eq!(ended.status, Some(0), "{ended:#?}");
        assert!(ended.err.contains("C: AUTH EXTERNAL ***"), "{ended:#?}");
        assert_eq!(stored(&home.maildir()).len(), 2);
    }
    let ended = home.run(&[&arguments[..], &ca_file, &["--auth", "external"]].concat());
    ended.fails(64, &["none is set", "hint: add `--client-cert FILE`"]);
}
