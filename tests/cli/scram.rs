//! SCRAM against GNU SASL, which was not written to agree with us: `gsasl` plays the server, and
//! is told what the connection is bound to.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use popsync::internals::auth::SaslError;
use popsync::internals::auth::binding::ChannelBinding;
use popsync::internals::auth::mechanism::{Mechanism, Message, decode};
use popsync::internals::auth::scram::{Bound, Hash, Scram};
use secrecy::{ExposeSecret, SecretString};

const OUTPUT: &str = "Output from server:";

/// The end of an exchange with a server whose password is `right`, and whose connection has the
/// channel binding `bound`.
fn verdict(
    mut scram: Scram,
    user: &str,
    right: &str,
    bound: Option<&[u8]>,
) -> Result<(), SaslError> {
    // Anything unexpected must not hang the test. It prints most things on stderr.
    let started = Command::new("sh")
        .args(["-c", "exec timeout 30 gsasl \"$@\" 2>&1", "sh"])
        .args([
            "--server",
            "--quality=qop-auth",
            "--mechanism",
            scram.name(),
        ])
        .arg(format!("--authentication-id={user}"))
        .arg(format!("--password={right}"))
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut gsasl = match started {
        Ok(gsasl) => gsasl,
        Err(error) => panic!("gsasl cannot be run ({error}): install GNU SASL's gsasl"),
    };
    let mut ask = gsasl.stdin.take().unwrap();
    let mut told = BufReader::new(gsasl.stdout.take().unwrap());
    let first = scram.initial().unwrap().unwrap();
    writeln!(ask, "{}", first.encode().expose_secret()).unwrap();
    // Once empty, before anything was said, and then what the server says first. What the
    // connection is bound to it wants to be told when it asks, and not before.
    let mut lines = String::new();
    while lines.matches(OUTPUT).count() < 2 {
        let mut octet = [0];
        assert_eq!(told.read(&mut octet).unwrap(), 1, "{lines}");
        lines.push(char::from(octet[0]));
        if let Some(bound) = bound
            && lines.ends_with("channel binding: ")
        {
            writeln!(ask, "{}", Message::new(&[bound]).encode().expose_secret()).unwrap();
        }
    }
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    line.clear();
    told.read_line(&mut line).unwrap();
    let last = scram.step(&decode(line.as_bytes()).unwrap())?;
    // And nothing, which is the answer to its signature.
    writeln!(ask, "{}\n", last.encode().expose_secret()).unwrap();
    drop(ask);
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    let accepted = gsasl.wait().unwrap().success();
    if let Some((_, behind)) = rest.split_once(OUTPUT) {
        let line = behind.trim_start().lines().next().unwrap();
        scram.step(&decode(line.as_bytes())?)?;
    }
    scram.finish(accepted)?;
    if accepted {
        return Ok(());
    }
    Err(SaslError::Refused { why: rest })
}

fn scram(hash: Hash, bound: Bound, user: &str, password: &str) -> Scram {
    Scram::new(hash, bound, user, &SecretString::from(password)).unwrap()
}

#[test]
fn both_sides_are_convinced() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        for (user, password) in [
            ("user", "pencil"),
            ("a,b=c", "a  b"),
            ("größe", "pässwörd-€"),
        ] {
            let ours = scram(hash, Bound::No, user, password);
            assert_eq!(
                verdict(ours, user, password, None),
                Ok(()),
                "{hash:?} {user}"
            );
        }
        let wrong = scram(hash, Bound::No, "user", "pen");
        assert!(matches!(
            verdict(wrong, "user", "pencil", None),
            Err(SaslError::Refused { .. })
        ));
    }
}

/// RFC 9266: bound to the same connection, and to another one.
#[test]
fn a_login_is_good_for_the_connection_that_it_is_bound_to_and_no_other() {
    let keys = [7; 32];
    for hash in [Hash::Sha1, Hash::Sha256] {
        let ours = || {
            let binding = ChannelBinding::Exporter(keys.to_vec());
            scram(hash, Bound::By(binding), "user", "pencil")
        };
        assert_eq!(verdict(ours(), "user", "pencil", Some(&keys)), Ok(()));
        let elsewhere = verdict(ours(), "user", "pencil", Some(&[8; 32]));
        assert!(
            matches!(elsewhere, Err(SaslError::Refused { .. })),
            "{elsewhere:?}"
        );
    }
}
