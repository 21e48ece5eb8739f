//! APOP (RFC 1939 §7): a digest of the server's greeting and the password in place of the
//! password.
//!
//! Neither Outlook nor Exchange has it (`OPOP3:V0008`, `XPOP3:V0012`). It is for old servers, and
//! only used when asked for. MD5 is broken: an attacker who chooses the greeting can learn the
//! first characters of the password in some hundreds of logins (CVE-2007-1558). The greetings that
//! make this possible have no valid msg-id, so only valid msg-ids are digested.

use std::borrow::Cow;
use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret, SecretString};

use crate::exit::Exit;
use crate::failure::Failure;

/// The longest msg-id that is digested, with its angle brackets.
pub(crate) const MAX_MSG_ID: usize = 255;

/// The reason why there is nothing to digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The greeting has a msg-id that is not valid by RFC 822 §4.6.
    #[error("the server's greeting holds a msg-id that is not valid")]
    Invalid,
    /// The greeting has no msg-id, so the server has no APOP.
    #[error("the server's greeting offers no APOP")]
    NotOffered,
    /// It is longer than `MAX_MSG_ID`.
    #[error("the server's greeting holds a msg-id of more than {MAX_MSG_ID} octets")]
    TooLong,
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        Exit::NoPermission
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(
            "write `auth = \"user\"`, or leave `auth` out: USER and PASS over TLS are safer than APOP"
                .into(),
        )
    }
}

/// The msg-id in the text of a greeting, angle brackets included.
///
/// # Errors
/// If there is none, or one that must not be digested.
pub(crate) fn msg_id(greeting: &[u8]) -> Result<&[u8], Error> {
    let start = greeting.iter().position(|&octet| octet == b'<');
    let from = &greeting[start.ok_or(Error::NotOffered)?..];
    let end = from.iter().position(|&octet| octet == b'>');
    let msg_id = &from[..=end.ok_or(Error::NotOffered)?];
    if msg_id.len() > MAX_MSG_ID {
        return Err(Error::TooLong);
    }
    let inner = &msg_id[1..msg_id.len() - 1];
    // Text in angle brackets without an @ is a remark of the server, and not an offer.
    let at = inner.iter().position(|&octet| octet == b'@');
    let (local, domain) = inner.split_at(at.ok_or(Error::NotOffered)?);
    let domain = &domain[1..];
    if is_dot_atom(local) && (is_dot_atom(domain) || is_domain_literal(domain)) {
        Ok(msg_id)
    } else {
        Err(Error::Invalid)
    }
}

fn is_dot_atom(text: &[u8]) -> bool {
    text.split(|&octet| octet == b'.')
        .all(|atom| !atom.is_empty() && atom.iter().all(|&octet| is_atext(octet)))
}

fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

/// `[192.0.2.1]`.
fn is_domain_literal(text: &[u8]) -> bool {
    let inner = text
        .strip_prefix(b"[")
        .and_then(|text| text.strip_suffix(b"]"));
    inner.is_some_and(|inner| {
        let address = |octet: &u8| octet.is_ascii_alphanumeric() || b".:".contains(octet);
        !inner.is_empty() && inner.iter().all(address)
    })
}

/// The digest that APOP sends in place of the password. It is secret too, since guesses can be
/// tried against it.
pub(crate) fn digest(msg_id: &[u8], password: &SecretString) -> SecretString {
    let mut md5 = Md5::new();
    md5.update(msg_id);
    md5.update(password.expose_secret());
    let mut text = String::with_capacity(32);
    for octet in md5.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    SecretString::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 1939 §7.
    #[test]
    fn the_digest_is_that_of_the_rfc() {
        let greeting = b"POP3 server ready <1896.697170952@dbc.mtview.ca.us>";
        let msg_id = msg_id(greeting).unwrap();
        let digest = digest(msg_id, &SecretString::from("tanstaaf"));
        assert_eq!(digest.expose_secret(), "c4c9334bac560ecc979e58001b3e22fb");
    }

    #[test]
    fn msg_ids_are_found_anywhere_in_the_greeting() {
        for (greeting, expected) in [
            ("<1.2@h> ready", "<1.2@h>"),
            ("ready <a/+=b.c@[192.0.2.1]>", "<a/+=b.c@[192.0.2.1]>"),
            ("ready<1@x.example>.", "<1@x.example>"),
        ] {
            assert_eq!(msg_id(greeting.as_bytes()), Ok(expected.as_bytes()));
        }
    }

    /// CVE-2007-1558: collisions need octets that no msg-id has.
    #[test]
    fn nothing_but_a_valid_msg_id_is_ever_digested() {
        for greeting in [
            &b"<a\xff@h>"[..],
            b"<a b@h>",
            b"<a\0@h>",
            b"<a@b@h>",
            b"<@h>",
            b"<a@>",
            b"<a..b@h>",
            b"<.a@h>",
            b"<a@h.>",
            b"<a@[]>",
            b"<a@[1 2]>",
            b"<a<b@h>",
            b"<\"a\"@h>",
        ] {
            assert_eq!(msg_id(greeting), Err(Error::Invalid), "{greeting:?}");
        }
        for greeting in [&b"ready"[..], b"", b"a@b", b"ready <now>", b"<a@h", b"a@h>"] {
            assert_eq!(msg_id(greeting), Err(Error::NotOffered), "{greeting:?}");
        }
        let long = format!("<{}@h>", "a".repeat(MAX_MSG_ID - 3));
        assert_eq!(msg_id(long.as_bytes()), Err(Error::TooLong));
        let longest = format!("<{}@h>", "a".repeat(MAX_MSG_ID - 4));
        assert!(msg_id(longest.as_bytes()).is_ok());
    }
}
