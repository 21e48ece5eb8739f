use super::*;

/// Proves its identity with these tokens. A sealed message has an `S` in front.
struct Script(Vec<Tokens>);

/// The server's token, the client's, and true if that is all.
type Tokens = (Option<&'static [u8]>, &'static [u8], bool);

impl SecurityContext for Script {
    fn step(&mut self, token: Option<&[u8]>) -> Result<(Vec<u8>, bool), SaslError> {
        let (expected, ours, complete) = self.0.remove(0);
        assert_eq!(token, expected);
        Ok((ours.to_vec(), complete))
    }
    fn unwrap(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SaslError> {
        let message = sealed.strip_prefix(b"S").ok_or(SaslError::Unexpected)?;
        Ok(message.to_vec())
    }
    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, SaslError> {
        Ok([b"S", message].concat())
    }
}

fn proven() -> Gssapi {
    let script = vec![
        (None, &b"ticket"[..], false),
        (Some(&b"proof"[..]), &b""[..], true),
    ];
    let mut gssapi = Gssapi::over(Box::new(Script(script)));
    let first = gssapi.initial().unwrap().unwrap();
    assert_eq!(first.octets(), b"ticket");
    assert_eq!(gssapi.finish(true), Err(SaslError::NoProof));
    assert_eq!(gssapi.finish(false), Ok(()));
    assert_eq!(gssapi.step(b"proof").unwrap().octets(), b"");
    gssapi
}

#[test]
fn both_sides_prove_themselves_and_agree_on_no_layer() {
    for offer in [&b"S\x01\0\0\0"[..], b"S\x07\0\x10\0"] {
        let mut gssapi = proven();
        assert_eq!(gssapi.step(offer).unwrap().octets(), b"S\x01\0\0\0");
        assert_eq!(gssapi.finish(true), Ok(()));
        assert_eq!(gssapi.step(offer).unwrap_err(), SaslError::Unexpected);
    }
    // It is not known if Exchange offers layers.
    assert_eq!(proven().finish(true), Ok(()));
}

#[test]
fn a_layer_that_must_be_is_not_agreed_on() {
    for offer in [
        &b"S\x06\0\x10\0"[..],
        b"S\0\0\0\0",
        b"S\x01\0\0",
        b"S",
        b"S\x01\0\0\0\0",
    ] {
        let refused = proven().step(offer);
        assert!(
            matches!(refused, Err(SaslError::Malformed { .. })),
            "{offer:?}"
        );
    }
    assert!(proven().step(b"\x01\0\0\0").is_err(), "not sealed");
}
