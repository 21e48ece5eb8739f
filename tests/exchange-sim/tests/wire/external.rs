//! Clients of other projects: Python's poplib and curl. So the simulator is not only checked by
//! popsync.
//!
//! If python3 or curl is missing, these tests fail and say so; they never pass unseen.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::{PASSWORD, USER, plain, with_messages};
use exchange_sim::{Knobs, LoginType, Profile, Server, sample, wire_form};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("exchange-sim-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn ca(&self, server: &Server) -> String {
        let path = self.0.join("ca.pem");
        server.write_ca(&path).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(program: &str, arguments: &[&str]) -> Output {
    match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(error) => panic!("{program} cannot be run ({error}): install {program} for this test"),
    }
}

/// Runs a program that must succeed, and gives its output.
fn good(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = run(program, arguments);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

const POPLIB: &str = r#"
import hashlib, poplib, ssl, sys
how, port, ca, user, password, delete = sys.argv[1:7]
context = ssl.create_default_context(cafile=ca)
if how == "pop3s":
    pop = poplib.POP3_SSL("localhost", int(port), context=context, timeout=10)
else:
    pop = poplib.POP3("localhost", int(port), timeout=10)
    if how == "stls":
        pop.stls(context=context)
print("greeting", pop.getwelcome().decode())
print("capa", sorted(pop.capa()))
pop.user(user)
pop.pass_(password)
count, size = pop.stat()
print("stat", count)
print("list", len(pop.list()[1]))
for row in pop.uidl()[1]:
    number, uid = row.decode().split()
    lines = pop.retr(int(number))[1]
    body = b"".join(line + b"\r\n" for line in lines)
    print("message", number, uid, hashlib.sha256(body).hexdigest())
    assert pop.top(int(number), 0)[1] == lines[:lines.index(b"") + 1]
if delete != "0":
    pop.dele(int(delete))
print("quit", pop.quit().decode())
"#;

fn poplib(how: &str, server: &Server, ca: &str, delete: &str) -> Vec<String> {
    let port = match how {
        "pop3s" => server.pop3s_port(),
        _ => server.pop3_port(),
    };
    let port = port.to_string();
    let arguments = ["-c", POPLIB, how, &port, ca, USER, PASSWORD, delete];
    let output = String::from_utf8(good("python3", &arguments)).unwrap();
    output.lines().map(str::to_owned).collect()
}

#[test]
fn poplib_reads_every_message_by_every_way_in() {
    use sha2::{Digest as _, Sha256};

    let messages = sample::messages(20, 3);
    let views: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let folder = Folder::new("poplib");
    for (how, profile) in [
        ("pop3", Profile::Ex2003),
        ("pop3", Profile::Ex2007),
        ("stls", Profile::Ex2010),
        ("pop3s", Profile::Ex2013),
        ("pop3s", Profile::Ex2016),
        ("pop3s", Profile::Exo),
    ] {
        let server = with_messages(profile, &views).start().unwrap();
        let ids = server.mailbox(USER).unique_ids();
        let lines = poplib(how, &server, &folder.ca(&server), "2");
        for (i, message) in messages.iter().enumerate() {
            let digest: String = Sha256::digest(message)
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect();
            let row = format!("message {} {} {digest}", i + 1, ids[i]);
            assert!(lines.contains(&row), "{profile:?}: {row} in {lines:#?}");
        }
        assert!(lines.contains(&"stat 20".to_owned()));
        assert!(server.wait_until_idle(Duration::from_secs(5)));
        assert_eq!(server.mailbox(USER).len(), 19);
        assert_eq!(server.mailbox(USER).unique_ids()[1], ids[2]);
    }
}

fn curl(arguments: &[&str]) -> Vec<u8> {
    let always = ["--silent", "--show-error", "--max-time", "20"];
    good("curl", &[&always, arguments].concat())
}

#[test]
fn curl_gets_messages_octet_for_octet() {
    let nasty = sample::nasty();
    let octets: Vec<&[u8]> = nasty.iter().map(|one| one.octets.as_slice()).collect();
    let server = with_messages(Profile::Ex2016, &octets).start().unwrap();
    let folder = Folder::new("curl");
    let ca = folder.ca(&server);
    let user = format!("{USER}:{PASSWORD}");
    for (i, one) in nasty.iter().enumerate() {
        let url = format!("pop3s://localhost:{}/{}", server.pop3s_port(), i + 1);
        let got = curl(&["--cacert", &ca, "--user", &user, &url]);
        // curl turns an empty message into a CRLF by itself.
        let expected = match one.octets.as_slice() {
            b"" => b"\r\n".to_vec(),
            octets => wire_form(octets),
        };
        assert_eq!(got, expected, "{}", one.name);
    }
    let url = format!("pop3://localhost:{}/", server.pop3_port());
    let listing = curl(&["--ssl-reqd", "--cacert", &ca, "--user", &user, &url]);
    let rows = listing.split(|octet| *octet == b'\n').count();
    assert_eq!(rows, nasty.len() + 1);
}

#[test]
fn curl_logs_in_with_each_mechanism() {
    let folder = Folder::new("mechanisms");
    let user = format!("{USER}:{PASSWORD}");
    for (profile, mechanism) in [
        (Profile::Ex2007, "PLAIN"),
        (Profile::Ex2010, "NTLM"),
        (Profile::Ex2016, ""),
        (Profile::Ex2016, "NTLM"),
        (Profile::Ex2016, "PLAIN"),
    ] {
        // Without a mechanism in CAPA curl sends USER and PASS.
        let knobs = Knobs {
            mechanisms_plain: mechanism.is_empty().then(Vec::new),
            ..plain()
        };
        let server = with_messages(profile, &[b"Subject: x\r\n\r\nx\r\n"])
            .knobs(knobs)
            .start()
            .unwrap();
        let url = format!("pop3://localhost:{}/1", server.pop3_port());
        let options = format!("AUTH={mechanism}");
        let choose: &[&str] = match mechanism {
            "" => &[],
            _ => &["--login-options", &options],
        };
        let got = curl(&[choose, &["--user", &user, &url]].concat());
        assert_eq!(got, b"Subject: x\r\n\r\nx\r\n", "{profile:?} {mechanism}");
        let wrong = format!("{USER}:wrong");
        let arguments = [choose, &["--silent", "--user", &wrong, &url]].concat();
        assert!(!run("curl", &arguments).status.success());
        let auth = server.commands_of("AUTH");
        assert_eq!(auth.is_empty(), mechanism.is_empty(), "{auth:?}");
    }
    let server = Server::builder(Profile::Exo)
        .user(USER, PASSWORD)
        .token(USER, "a-token")
        .messages(USER, [b"x\r\n"])
        .start()
        .unwrap();
    let url = format!("pop3s://localhost:{}/1", server.pop3s_port());
    let ca = folder.ca(&server);
    let got = curl(&[
        "--cacert",
        &ca,
        "--user",
        USER,
        "--oauth2-bearer",
        "a-token",
        "--login-options",
        "AUTH=XOAUTH2",
        &url,
    ]);
    assert_eq!(got, b"x\r\n");
}

#[test]
fn curl_refuses_a_certificate_of_another_ca() {
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .knobs(Knobs {
            certificate: exchange_sim::Certificate::OtherCa,
            login_type: Some(LoginType::Secure),
            ..plain()
        })
        .start()
        .unwrap();
    let folder = Folder::new("other-ca");
    let ca = folder.ca(&server);
    let url = format!("pop3s://localhost:{}/", server.pop3s_port());
    let output = run("curl", &["--silent", "--cacert", &ca, &url]);
    // "Not trusted", or a handshake that failed for its signature: it depends on the TLS library.
    let code = output.status.code();
    assert!(matches!(code, Some(35 | 60)), "{code:?}");
}
