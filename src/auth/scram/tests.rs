use super::*;

/// An exchange with a fixed nonce.
fn scram(hash: Hash, bound: Bound, user: &str, password: &str, nonce: &str) -> Scram {
    let mut scram = Scram::new(hash, bound, user, &SecretString::from(password)).unwrap();
    scram.nonce = nonce.to_owned();
    scram
}

fn text(message: &Message) -> &str {
    str::from_utf8(message.octets()).unwrap()
}

/// The exchange of RFC 7677 §3, up to the server's first message.
fn of_rfc_7677() -> Scram {
    let mut scram = scram(
        Hash::Sha256,
        Bound::No,
        "user",
        "pencil",
        "rOprNGfwEbeRWgbNEkqO",
    );
    let first = scram.initial().unwrap().unwrap();
    assert_eq!(text(&first), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    scram
}

const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

#[test]
fn sha_256_is_that_of_the_rfc() {
    let mut scram = of_rfc_7677();
    let last = scram.step(SERVER_FIRST.as_bytes()).unwrap();
    assert_eq!(
        text(&last),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    assert!(
        scram
            .step(SERVER_FINAL.as_bytes())
            .unwrap()
            .octets()
            .is_empty()
    );
    assert_eq!(scram.finish(true), Ok(()));
    assert_eq!(scram.step(b"").unwrap_err(), SaslError::Unexpected);
}

/// RFC 5802 §5.
#[test]
fn sha_1_is_that_of_the_rfc() {
    let nonce = "fyko+d2lbbFgONRv9qkxdawL";
    let mut scram = scram(Hash::Sha1, Bound::No, "user", "pencil", nonce);
    let first = scram.initial().unwrap().unwrap();
    assert_eq!(text(&first), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    let server_first = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,\
                        s=QSXCR+Q6sek8bf92,i=4096";
    let last = scram.step(server_first.as_bytes()).unwrap();
    assert_eq!(
        text(&last),
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    );
    scram.step(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap();
    assert_eq!(scram.finish(true), Ok(()));
}

/// A server that does not know the password cannot pretend to, whatever it sends.
#[test]
fn a_login_counts_only_with_the_right_signature() {
    for (last, error) in [
        (
            "v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            SaslError::ServerSignature,
        ),
        (
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4",
            malformed("a last message without a signature"),
        ),
        ("v=6rri", SaslError::ServerSignature),
        ("v=", SaslError::ServerSignature),
        ("", malformed("a last message without a signature")),
        ("ok", malformed("a last message without a signature")),
    ] {
        let mut scram = of_rfc_7677();
        scram.step(SERVER_FIRST.as_bytes()).unwrap();
        assert_eq!(scram.step(last.as_bytes()).unwrap_err(), error, "{last}");
        assert_eq!(scram.finish(true), Err(SaslError::NoProof), "{last}");
    }
    // The verdict comes before the signature, at every step.
    let mut scram = of_rfc_7677();
    assert_eq!(scram.finish(true), Err(SaslError::NoProof));
    scram.step(SERVER_FIRST.as_bytes()).unwrap();
    assert_eq!(scram.finish(true), Err(SaslError::NoProof));
    assert_eq!(scram.finish(false), Ok(()));
}

#[test]
fn what_the_server_says_of_a_refusal_is_told() {
    let mut scram = of_rfc_7677();
    scram.step(SERVER_FIRST.as_bytes()).unwrap();
    let answer = scram
        .step("e=invalid-proof\u{1b}[31m,x".as_bytes())
        .unwrap();
    assert!(answer.octets().is_empty());
    let why = "invalid-proof[31m".to_owned();
    assert_eq!(scram.finish(false), Err(SaslError::Refused { why }));
    assert_eq!(scram.finish(true), Err(SaslError::NoProof));
}

#[test]
fn first_messages_that_no_honest_server_sends_are_not_answered() {
    let own = "rOprNGfwEbeRWgbNEkqO";
    let salt = "s=W22ZaJ0SNY7soEsUEjb6gQ==";
    let iterations = |iterations| SaslError::Iterations {
        iterations,
        are_too_few: iterations < LEAST_ITERATIONS,
    };
    let long = "x".repeat(2000);
    for (first, error) in [
        // The server must add to the client's nonce.
        (format!("r={own},{salt},i=4096"), SaslError::Nonce),
        (format!("r=x{own},{salt},i=4096"), SaslError::Nonce),
        (
            format!("r=rOprNGfwEbeRWgbNEkqx%hv,{salt},i=4096"),
            SaslError::Nonce,
        ),
        (format!("r=,{salt},i=4096"), SaslError::Nonce),
        (format!("r={own}a b,{salt},i=4096"), SaslError::Nonce),
        (format!("r={own}{long},{salt},i=4096"), SaslError::Nonce),
        // A comma ends it.
        (
            format!("r={own}a,b,{salt},i=4096"),
            malformed("a first message without a salt"),
        ),
        (format!("r={own}x,{salt},i=1"), iterations(1)),
        (format!("r={own}x,{salt},i=4095"), iterations(4095)),
        (format!("r={own}x,{salt},i=5000001"), iterations(5_000_001)),
        (
            format!("r={own}x,{salt},i=2147483648"),
            iterations(2_147_483_648),
        ),
        (
            format!("r={own}x,{salt},i=99999999999999999999"),
            iterations(u32::MAX),
        ),
        (format!("r={own}x,{salt},i=0"), iterations(0)),
        (
            format!("r={own}x,{salt},i=-1"),
            malformed("an iteration count that is no number"),
        ),
        (
            format!("r={own}x,{salt},i=+4096"),
            malformed("an iteration count that is no number"),
        ),
        (
            format!("r={own}x,{salt},i="),
            malformed("an iteration count that is no number"),
        ),
        (
            format!("r={own}x,{salt}"),
            malformed("a first message without an iteration count"),
        ),
        (
            format!("r={own}x,s=,i=4096"),
            malformed("a salt that is none"),
        ),
        (
            format!("r={own}x,s=***,i=4096"),
            malformed("a salt that is none"),
        ),
        (
            format!("r={own}x,i=4096,{salt}"),
            malformed("a first message without a salt"),
        ),
        // RFC 5802 §5.1: a mandatory extension that is unknown.
        (
            format!("m=x,r={own}x,{salt},i=4096"),
            malformed("a first message without a nonce"),
        ),
        (String::new(), malformed("a first message without a nonce")),
        (
            "e=no-resources".to_owned(),
            malformed("a first message without a nonce"),
        ),
    ] {
        let mut scram = of_rfc_7677();
        assert_eq!(scram.step(first.as_bytes()).unwrap_err(), error, "{first}");
        assert_eq!(
            scram.step(SERVER_FIRST.as_bytes()).unwrap_err(),
            SaslError::Unexpected
        );
    }
    assert!(of_rfc_7677().step(b"r=\xff\xfe").is_err());
    // The text after it may be ignored.
    let first = format!("{SERVER_FIRST},x=y,z");
    assert!(of_rfc_7677().step(first.as_bytes()).is_ok());
}

/// RFC 5802 §6 and §7: the flag comes first, and the binding's data in the last message.
#[test]
fn the_binding_is_named_first_and_signed_last() {
    let end_point = ChannelBinding::ServerEndPoint(vec![0, 1, 0xfe]);
    let exporter = ChannelBinding::Exporter(b"keys".to_vec());
    for (bound, name, header, channel) in [
        (Bound::No, "SCRAM-SHA-256", "n,,", "c=biws,"),
        (Bound::NotAnnounced, "SCRAM-SHA-256", "y,,", "c=eSws,"),
        (
            Bound::By(exporter),
            "SCRAM-SHA-256-PLUS",
            "p=tls-exporter,,",
            // `p=tls-exporter,,keys`
            "c=cD10bHMtZXhwb3J0ZXIsLGtleXM=,",
        ),
        (
            Bound::By(end_point),
            "SCRAM-SHA-256-PLUS",
            "p=tls-server-end-point,,",
            "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAAH+,",
        ),
    ] {
        let mut scram = scram(Hash::Sha256, bound, "user", "pencil", "abc");
        assert_eq!(scram.name(), name);
        let first = scram.initial().unwrap().unwrap();
        assert_eq!(text(&first), format!("{header}n=user,r=abc"));
        let last = scram.step(b"r=abcd,s=QSXCR+Q6sek8bf92,i=4096").unwrap();
        assert!(
            text(&last).starts_with(&format!("{channel}r=abcd,p=")),
            "{}",
            text(&last)
        );
    }
}

#[test]
fn names_and_passwords_are_prepared() {
    // RFC 4013 §3: a soft hyphen is removed, and U+2168 becomes `IX`.
    let mut prepared = scram(Hash::Sha256, Bound::No, "I\u{ad}X\u{2168},=", "x", "abc");
    let first = prepared.initial().unwrap().unwrap();
    assert_eq!(text(&first), "n,,n=IXIX=2C=3D,r=abc");
    let proof = |password| {
        let mut scram = scram(Hash::Sha256, Bound::No, "user", password, "abc");
        scram.initial().unwrap();
        let last = scram.step(b"r=abcd,s=QSXCR+Q6sek8bf92,i=4096")?;
        Ok(text(&last).to_owned())
    };
    assert_eq!(proof("\u{aa}\u{a0}"), proof("a "));
    // A control character, and both directions at once.
    for password in ["a\u{7}", "\u{627}1a"] {
        assert_eq!(proof(password), Err(SaslError::Prepare), "{password:?}");
    }
}

#[test]
fn every_exchange_has_a_nonce_of_its_own() {
    let nonce = || {
        Scram::new(Hash::Sha1, Bound::No, "", &SecretString::from(""))
            .unwrap()
            .nonce
    };
    let (one, other) = (nonce(), nonce());
    assert_ne!(one, other);
    assert_eq!(one.len(), 32);
    assert!(!one.contains(','));
}
