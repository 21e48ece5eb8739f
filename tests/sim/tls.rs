//! The servers that the program trusts, and its errors for others: a TLS server of any kind in
//! front of the simulated Exchange. (Attack A6.)

mod old;

use std::process::Command;

use popsync::internals::account::{Fingerprint, Pinned};
use rcgen::{BasicConstraints, IsCa, KeyPair, PublicKeyData as _, SanType, date_time_ymd};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use support::bench::{Bench, By, Ended, Setup, letters};
use support::front::{ANY, Ca, Front, Identity, config, params, write};

const HERE: &[&str] = &["localhost", "127.0.0.1"];

/// A server without TLS, for a front.
fn plain() -> Bench {
    Setup::with(letters(2)).by(By::Plain).start()
}

fn front(bench: &Bench, identity: &Identity) -> Front {
    let config = config(&identity.certificate, &identity.key, ANY, None);
    Front::start(config, bench.sim.pop3_port())
}

fn of_certificate(identity: &Identity) -> String {
    Fingerprint::of(Pinned::Certificate, identity.certificate.der()).to_string()
}

fn of_key(identity: &Identity) -> String {
    let key = identity.key.subject_public_key_info();
    Fingerprint::of(Pinned::PublicKey, &key).to_string()
}

#[track_caller]
fn works(bench: &Bench, front: &Front, arguments: &[&str]) {
    bench.fetch_bare(&front.url(), arguments).gives(0);
    bench.assert_exactly_once();
}

/// The run ends with this status, and no octet of it reached the server.
#[track_caller]
fn refuses(bench: &Bench, front: &Front, arguments: &[&str], status: i32) -> Ended {
    let ended = bench.fetch_bare(&front.url(), arguments).end();
    assert_eq!(ended.status, Some(status), "{}", ended.text());
    assert_eq!(bench.sim.commands(), [""; 0], "{}", ended.text());
    bench.assert_stored(&[]);
    ended
}

#[test]
fn a_pinned_certificate_is_trusted_whatever_else_it_says() {
    let mut expired = params(&["other.example"]);
    (expired.not_before, expired.not_after) =
        (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let mut authority = params(HERE);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for identity in [
        Identity::self_signed(&params(HERE)),
        Identity::self_signed(&expired),
        Identity::self_signed(&authority),
        Ca::new().issue(&params(&[])),
    ] {
        let bench = plain();
        let front = front(&bench, &identity);
        works(
            &bench,
            &front,
            &["--fingerprint", &of_certificate(&identity)],
        );
        works(&bench, &front, &["--fingerprint", &of_key(&identity)]);
        let bare = of_certificate(&identity)
            .replace("sha256:", "")
            .to_uppercase();
        works(&bench, &front, &["--fingerprint", &bare]);
    }
}

#[test]
fn a6_a_certificate_that_is_not_the_pinned_one_is_shown_and_refused() {
    let bench = plain();
    let ca = Ca::new();
    let (identity, other) = (ca.issue(&params(HERE)), ca.issue(&params(HERE)));
    let front = front(&bench, &identity);
    write(&bench.path("front.pem"), &ca.pem(), 0o644);
    for (pin, seen) in [
        (of_certificate(&other), of_certificate(&identity)),
        (of_key(&other), of_key(&identity)),
    ] {
        // A trusted authority does not make up for a wrong fingerprint.
        for more in [&[][..], &["--ca-file", "front.pem"]] {
            let arguments = [&["--fingerprint", &pin], more].concat();
            let ended = refuses(&bench, &front, &arguments, 69);
            ended.says(&format!("fingerprint is {seen}, which is not the one"));
            ended.says("hint: either the server has a new certificate, or this is not the server");
        }
    }
}

#[test]
fn a_pin_and_authorities_must_both_hold() {
    let bench = plain();
    let (ca, other) = (Ca::new(), Ca::new());
    let identity = ca.issue(&params(HERE));
    let front = front(&bench, &identity);
    write(&bench.path("right.pem"), &ca.pem(), 0o644);
    write(&bench.path("wrong.pem"), &other.pem(), 0o644);
    for pin in [of_certificate(&identity), of_key(&identity)] {
        for roots in [["--ca-file", "wrong.pem"], ["--roots", "webpki"]] {
            let arguments = [&["--fingerprint", &pin][..], &roots].concat();
            refuses(&bench, &front, &arguments, 69).says("its issuer ");
        }
    }
    let pin = of_key(&identity);
    works(
        &bench,
        &front,
        &["--fingerprint", &pin, "--ca-file", "right.pem"],
    );
}

#[test]
fn a_copy_of_the_pinned_certificate_without_its_key_is_refused() {
    let identity = Identity::self_signed(&params(HERE));
    let thief = KeyPair::generate().unwrap();
    for version in [&TLS12, &TLS13] {
        let bench = plain();
        let config = config(&identity.certificate, &thief, &[version], None);
        let front = Front::start(config, bench.sim.pop3_port());
        for pin in [of_certificate(&identity), of_key(&identity)] {
            let ended = refuses(&bench, &front, &["--fingerprint", &pin], 69);
            ended.says("the server does not prove that it has its key");
            ended.says("hint: somebody may be tampering");
        }
        assert_eq!(
            front.names(),
            [None::<String>; 0],
            "a handshake was completed"
        );
    }
}

#[test]
fn a6_what_is_wrong_with_a_certificate_is_named_with_the_setting_that_helps() {
    let ca = Ca::new();
    let dated = |from, to| {
        let mut params = params(HERE);
        (params.not_before, params.not_after) =
            (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params
    };
    let mut nul = params(&[]);
    nul.subject_alt_names = vec![SanType::DnsName(
        "127.0.0.1\0.evil.example".try_into().unwrap(),
    )];
    let mut as_dns_name = params(&[]);
    as_dns_name.subject_alt_names = vec![SanType::DnsName("127.0.0.1".try_into().unwrap())];
    let many: Vec<_> = (0..20).map(|n| format!("h{n}.example")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let mut authority = params(HERE);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (identity, words, hint) in [
        (
            ca.issue(&dated(2001, 2002)),
            "it expired on 2002-01-01",
            "administrator has to renew it",
        ),
        (
            ca.issue(&dated(2089, 2090)),
            "it is not valid before 2089-01-01",
            "is the clock",
        ),
        (
            ca.issue(&params(&["a.example", "b.example"])),
            "it was issued for a.example, b.example",
            "server-name = ",
        ),
        (
            ca.issue(&params(&many)),
            "h7.example and 12 more",
            "--server-name",
        ),
        (
            ca.issue(&params(&["*", "*.0.0.1"])),
            "it was issued for",
            "--server-name",
        ),
        (ca.issue(&params(&[])), "it names no host", "ca-file"),
        (ca.issue(&nul), "is not to be trusted", "hint: "),
        (ca.issue(&as_dns_name), "is not to be trusted", "hint: "),
        (
            Identity::self_signed(&params(HERE)),
            "it is self-signed",
            "fingerprint = \"sha256:",
        ),
        (
            Identity::self_signed(&authority),
            "it is self-signed",
            "--ca-file",
        ),
        (
            Ca::new().issue(&params(HERE)),
            "its issuer has not signed it: CN=authority of the front",
            "ca-file",
        ),
        (
            Ca::named("\u{1b}]0;x\u{7}\u{202e}").issue(&params(HERE)),
            "its issuer is unknown",
            "ca-file",
        ),
        (
            Ca::named("another").issue(&params(HERE)),
            "its issuer is unknown: CN=another",
            "roots = \"system\"",
        ),
    ] {
        let bench = plain();
        let front = front(&bench, &identity);
        write(&bench.path("front.pem"), &ca.pem(), 0o644);
        let ended = refuses(&bench, &front, &["--ca-file", "front.pem"], 69);
        ended.says(words);
        // Hints are wrapped.
        let flat = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(hint), "{hint:?} is missing: {}", ended.text());
    }
}

/// As `openssl req -x509` makes them for a home server.
#[test]
fn a_server_that_is_the_authority_in_the_file_itself_is_trusted() {
    let authority = |names: &[&str], until| {
        let mut params = params(names);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(until, 1, 1);
        Identity::self_signed(&params)
    };
    let arguments = ["--ca-file", "front.pem"];
    let own = authority(HERE, 2090);
    for trusted in [&own, &Identity::self_signed(&params(HERE))] {
        let bench = plain();
        write(&bench.path("front.pem"), &trusted.certificate.pem(), 0o644);
        works(&bench, &front(&bench, trusted), &arguments);
    }
    // It does not vouch for other certificates, nor is it valid for all hosts and for ever.
    for (identity, file, words) in [
        (&authority(HERE, 2090), &own, "it is self-signed"),
        (
            &Identity {
                certificate: own.certificate.clone(),
                key: KeyPair::generate().unwrap(),
            },
            &own,
            "is not to be trusted",
        ),
    ] {
        let bench = plain();
        write(&bench.path("front.pem"), &file.certificate.pem(), 0o644);
        refuses(&bench, &front(&bench, identity), &arguments, 69).says(words);
    }
    for (identity, words) in [
        (authority(HERE, 2021), "it expired on 2021-01-01"),
        (
            authority(&["other.example"], 2090),
            "it was issued for other.example",
        ),
    ] {
        let bench = plain();
        write(&bench.path("front.pem"), &identity.certificate.pem(), 0o644);
        refuses(&bench, &front(&bench, &identity), &arguments, 69).says(words);
    }
}

#[test]
fn the_systems_authorities_are_trusted_where_asked_for() {
    let bench = plain();
    let ca = Ca::new();
    let front = front(&bench, &ca.issue(&params(HERE)));
    write(&bench.path("system.pem"), &ca.pem(), 0o644);
    let system = bench.path("system.pem");
    let run = |arguments: &[&str], file: &str| {
        let run = bench.fetch_bare(&front.url(), arguments);
        run.env("SSL_CERT_FILE", file).end()
    };
    let system = system.to_str().unwrap();
    let ended = run(&[], system);
    assert_eq!(ended.status, Some(69), "{}", ended.text());
    let ended = run(&["--roots", "system"], "/nonexistent");
    assert_eq!(ended.status, Some(78), "{}", ended.text());
    ended.says("the system has no certificate authorities");
    assert_eq!(bench.sim.commands(), [""; 0]);
    let ended = run(&["--roots", "system"], system);
    assert_eq!(ended.status, Some(0), "{}", ended.text());
    bench.assert_exactly_once();
}

/// A typing error in a path is the most likely reason.
#[test]
fn why_the_authorities_cannot_be_read_is_said() {
    let bench = plain();
    let front = front(&bench, &Identity::self_signed(&params(HERE)));
    let ended = refuses(&bench, &front, &["--ca-file", "missing.pem"], 78);
    ended.says("missing.pem` cannot be read: No such file or directory");
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_asks() {
    for version in [&TLS12, &TLS13] {
        let bench = plain();
        let ca = Ca::new();
        let server = ca.issue(&params(HERE));
        let anna = ca.issue(&params(&["anna"]));
        let eva = Ca::new().issue(&params(&["eva"]));
        let config = config(
            &server.certificate,
            &server.key,
            &[version],
            Some(ca.verifier()),
        );
        let front = Front::start(config, bench.sim.pop3_port());
        let put = |name: &str, content: &str, mode| write(&bench.path(name), content, mode);
        put("front.pem", &ca.pem(), 0o644);
        put("anna.pem", &anna.certificate.pem(), 0o644);
        put("anna.key", &anna.key.serialize_pem(), 0o600);
        put("eva.pem", &eva.certificate.pem(), 0o644);
        put("eva.key", &eva.key.serialize_pem(), 0o600);
        put("open.key", &anna.key.serialize_pem(), 0o644);
        put(
            "both.pem",
            &(anna.key.serialize_pem() + &anna.certificate.pem()),
            0o600,
        );
        put(
            "sealed.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            0o600,
        );
        put(
            "old-sealed.key",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
             DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nMIIB\n\
             -----END RSA PRIVATE KEY-----\n",
            0o600,
        );
        put(
            "broken.key",
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
            0o600,
        );
        put("empty", "", 0o600);
        let with = |certificate, key| {
            vec![
                "--ca-file",
                "front.pem",
                "--client-cert",
                certificate,
                "--client-key",
                key,
            ]
        };
        works(&bench, &front, &with("anna.pem", "anna.key"));
        works(
            &bench,
            &front,
            &["--ca-file", "front.pem", "--client-cert", "both.pem"],
        );
        bench.settle();
        bench.sim.clear_log();
        for (arguments, words, hint) in [
            (
                with("anna.pem", "eva.key"),
                "is not that of the certificate",
                "hint: `client-cert`",
            ),
            (
                with("anna.pem", "open.key"),
                "can be read by others (mode 644)",
                "hint: run `chmod 600",
            ),
            (
                with("anna.pem", "sealed.key"),
                "is encrypted",
                "openssl pkey -in",
            ),
            (
                with("anna.pem", "old-sealed.key"),
                "is encrypted",
                "openssl pkey -in",
            ),
            (with("anna.pem", "none.key"), "No such file", ""),
            (with("none.pem", "anna.key"), "No such file", ""),
            (
                with("anna.pem", "anna.pem"),
                "can be read by others",
                "chmod",
            ),
            (
                with("anna.pem", "empty"),
                "there is no private key",
                "BEGIN PRIVATE KEY",
            ),
            (
                with("empty", "anna.key"),
                "there is no certificate",
                "BEGIN CERTIFICATE",
            ),
            (
                with("anna.pem", "broken.key"),
                "cannot be used",
                "hint: keys may be RSA",
            ),
            (with("anna.pem", "/"), "cannot be used", ""),
        ] {
            let ended = bench.fetch_bare(&front.url(), &arguments).end();
            assert_eq!(ended.status, Some(78), "{arguments:?}: {}", ended.text());
            ended.says(words);
            let flat = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(hint), "{hint:?} is missing: {}", ended.text());
        }
        // Under TLS 1.3 the server refuses when the client considers the handshake done.
        let ended = bench
            .fetch_bare(&front.url(), &["--ca-file", "front.pem"])
            .end();
        assert!(matches!(ended.status, Some(69 | 75)), "{}", ended.text());
        let ended = bench
            .fetch_bare(&front.url(), &with("eva.pem", "eva.key"))
            .end();
        assert!(matches!(ended.status, Some(69 | 75)), "{}", ended.text());
        assert_eq!(bench.sim.commands(), [""; 0]);
    }
}

#[test]
fn the_oldest_version_is_kept_to() {
    let bench = plain();
    let ca = Ca::new();
    let identity = ca.issue(&params(HERE));
    write(&bench.path("front.pem"), &ca.pem(), 0o644);
    let serve = |version| {
        let config = config(&identity.certificate, &identity.key, &[version], None);
        Front::start(config, bench.sim.pop3_port())
    };
    let (old, new) = (serve(&TLS12), serve(&TLS13));
    let newest = ["--ca-file", "front.pem", "--min-version", "1.3"];
    refuses(&bench, &old, &newest, 69).says("hint: `min-version = \"1.3\"` rules out TLS 1.2");
    works(&bench, &new, &newest);
    works(
        &bench,
        &old,
        &["--ca-file", "front.pem", "--min-version", "1.2"],
    );
    works(&bench, &new, &["--ca-file", "front.pem"]);
}

#[test]
fn another_name_can_be_asked_for_and_verified() {
    let bench = plain();
    let ca = Ca::new();
    let front = front(&bench, &ca.issue(&params(&["mail.example"])));
    write(&bench.path("front.pem"), &ca.pem(), 0o644);
    let named = |name| ["--ca-file", "front.pem", "--server-name", name];
    let ended = refuses(&bench, &front, &named("other.example"), 69);
    ended.says("the certificate of other.example is not to be trusted");
    ended.says("it was issued for mail.example");
    works(&bench, &front, &named("mail.example"));
    assert_eq!(front.names().last(), Some(&Some("mail.example".to_owned())));
}

/// OpenSSL computes the same fingerprints.
#[test]
fn openssl_reads_the_fingerprints_alike() {
    let identity = Identity::self_signed(&params(HERE));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.pem");
    write(&path, &identity.certificate.pem(), 0o644);
    let Ok(output) = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&path)
        .output()
    else {
        // If there is an OpenSSL, it decides.
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let shown = text.trim().split_once('=').unwrap().1;
    let read: Fingerprint = shown.parse().unwrap();
    assert_eq!(read.to_string(), of_certificate(&identity));
}
