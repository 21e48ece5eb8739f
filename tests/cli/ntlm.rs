//! NTLM against Samba, which was not written to agree with us: `ntlm_auth` plays the server, as
//! it does for web proxies, and knows one user's password.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use popsync::internals::auth::mechanism::{Mechanism, decode};
use popsync::internals::auth::ntlm::Ntlm;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

/// Samba's verdict on a login as `user` with `password`, if the right one is `right`.
fn verdict(right: &str, user: &str, password: &str) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().display().to_string();
    let mut settings = "[global]\nworkgroup = POPSYNC\nnetbios name = TESTSERVER\n".to_owned();
    for kind in [
        "private dir",
        "lock directory",
        "state directory",
        "cache directory",
    ] {
        writeln!(settings, "{kind} = {path}").unwrap();
    }
    let file = folder.path().join("smb.conf");
    File::create(&file)
        .unwrap()
        .write_all(settings.as_bytes())
        .unwrap();
    let started = Command::new("ntlm_auth")
        .args([
            "--helper-protocol=squid-2.5-ntlmssp",
            "--username=anna",
            "--domain=POPSYNC",
        ])
        .arg(format!("--password={right}"))
        .arg(format!("--configfile={}", file.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut samba = match started {
        Ok(samba) => samba,
        Err(error) => panic!("ntlm_auth cannot be run ({error}): install Samba's winbind"),
    };
    let mut ask = samba.stdin.take().unwrap();
    let mut lines = BufReader::new(samba.stdout.take().unwrap()).lines();
    let mut say = |line: String| {
        writeln!(ask, "{line}").unwrap();
        lines.next().unwrap().unwrap()
    };
    let mut ntlm = Ntlm::new(user, &SecretString::from(password), None).unwrap();
    let negotiate = ntlm.initial().unwrap().unwrap();
    let challenge = say(format!("YR {}", negotiate.encode().expose_secret()));
    let challenge = challenge.strip_prefix("TT ").unwrap().to_owned();
    let challenge = decode(challenge.as_bytes()).unwrap();
    let answer = ntlm.step(&challenge).unwrap();
    let verdict = say(format!("KK {}", answer.encode().expose_secret()));
    drop(ask);
    assert!(samba.wait().unwrap().success());
    verdict
}

#[test]
fn samba_takes_the_right_password() {
    for password in [
        "Secret1",
        "a",
        "pässwörd-€",
        "correct horse  battery=staple",
    ] {
        for user in ["POPSYNC\\anna", "popsync\\Anna"] {
            let told = verdict(password, user, password);
            assert!(told.starts_with("AF "), "{user}: {told}");
        }
    }
}

#[test]
fn samba_refuses_any_other() {
    for (user, password) in [("POPSYNC\\anna", "secret1"), ("POPSYNC\\anna", "Secret1 ")] {
        let told = verdict("Secret1", user, password);
        assert!(told.starts_with("NA "), "{user}: {told}");
    }
}
