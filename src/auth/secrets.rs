//! Removes the user's secrets from text of other parties.
//!
//! A server may repeat an unknown command, a proxy the head of a request, a provider a field of a
//! form, a password command its output: unchanged, in capitals, in base64, cut short, or broken
//! into lines. Such text goes into logs and messages. So the secrets are first removed from it, in
//! every form in which a person could still read them.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;
use secrecy::zeroize::Zeroizing;

/// The text in place of a secret.
const HIDDEN: &[u8] = b"***";

/// Shorter secrets are part of too many words: hiding them would reveal more than it protects.
const SHORTEST: usize = 4;

/// A secret with this many letters and digits is found even if other characters stand between them.
/// A shorter one could occur in any text by chance.
const SHORTEST_LOOSE: usize = 8;

/// If a secret is this long, pieces of it are hidden too: lines that are too long are repeated cut.
const LONG: usize = 16;

/// The shortest such piece: longer than most words of any language.
const PIECE: usize = 12;

/// Secrets that must not appear in text for people.
#[derive(Default)]
pub(crate) struct Secrets {
    /// The secrets, in lower case.
    exact: Vec<Zeroizing<Vec<u8>>>,
    /// Only their letters and digits, in lower case, in several encodings.
    loose: Vec<Zeroizing<Vec<u8>>>,
}

impl Secrets {
    /// A set of these secrets.
    pub(crate) fn of<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Self {
        let mut all = Self::default();
        for secret in secrets {
            all.add(secret);
        }
        all
    }

    /// Adds a secret.
    pub(crate) fn add(&mut self, secret: &[u8]) {
        let exact = Zeroizing::new(secret.to_ascii_lowercase());
        if secret.len() < SHORTEST || self.exact.contains(&exact) {
            return;
        }
        self.exact.push(exact);
        let codings = [secret.to_vec(), hex(secret), percent(secret)];
        let codings = codings
            .into_iter()
            .chain((0..3).map(|at| base64(secret, at)));
        for coding in codings.map(Zeroizing::new) {
            let (loose, _) = squeezed(&coding);
            if loose.len() >= SHORTEST_LOOSE && !self.loose.contains(&loose) {
                self.loose.push(loose);
            }
        }
    }

    /// The text without the secrets.
    pub(crate) fn without<'t>(&self, said: &'t [u8]) -> Cow<'t, [u8]> {
        let mut found = self.found(said);
        if found.is_empty() {
            return Cow::Borrowed(said);
        }
        found.sort_unstable();
        let mut safe = Vec::with_capacity(said.len());
        let mut shown = 0;
        let mut hidden_to = 0;
        for (from, to) in found {
            // Overlapping places are hidden as one.
            if from >= hidden_to {
                safe.extend_from_slice(&said[shown..from]);
                safe.extend_from_slice(HIDDEN);
            }
            hidden_to = hidden_to.max(to);
            shown = hidden_to;
        }
        safe.extend_from_slice(&said[shown..]);
        Cow::Owned(safe)
    }

    /// The same for a string.
    pub(crate) fn without_in(&self, said: &str) -> String {
        // A secret can begin in the middle of a character only if it is not text itself.
        String::from_utf8_lossy(&self.without(said.as_bytes())).into_owned()
    }

    /// The places of the secrets: start and end.
    fn found(&self, said: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let lower = Zeroizing::new(said.to_ascii_lowercase());
        for secret in &self.exact {
            let places = memmem::find_iter(&lower, secret.as_slice());
            found.extend(places.map(|at| (at, at + secret.len())));
        }
        let (letters, places) = squeezed(said);
        let mut hide = |at: usize, length: usize| {
            found.push((places[at], places[at + length - 1] + 1));
        };
        for secret in &self.loose {
            for at in memmem::find_iter(&letters, secret.as_slice()) {
                hide(at, secret.len());
            }
            if secret.len() < LONG {
                continue;
            }
            for (at, piece) in letters.windows(PIECE).enumerate() {
                if memmem::find(secret, piece).is_some() {
                    hide(at, PIECE);
                }
            }
        }
        found
    }
}

/// The letters and digits in lower case, and the place of each.
fn squeezed(text: &[u8]) -> (Zeroizing<Vec<u8>>, Vec<usize>) {
    // Allocated once, with the full length: a buffer that grows leaves copies behind.
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut places = Vec::with_capacity(text.len());
    for (at, octet) in text.iter().enumerate() {
        // Beyond ASCII all octets count: a part of a character is no separator.
        if octet.is_ascii_alphanumeric() || !octet.is_ascii() {
            letters.push(octet.to_ascii_lowercase());
            places.push(at);
        }
    }
    (letters, places)
}

fn hex(secret: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(2 * secret.len());
    for octet in secret {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    text.into_bytes()
}

/// RFC 3986 §2.1, as in a form.
fn percent(secret: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(3 * secret.len());
    for octet in secret {
        match octet {
            b'-' | b'.' | b'_' | b'~' => text.push(char::from(*octet)),
            octet if octet.is_ascii_alphanumeric() => text.push(char::from(*octet)),
            octet => {
                let _ = write!(text, "%{octet:02X}");
            }
        }
    }
    text.into_bytes()
}

/// The secret in base64, after this many other octets, without the letters that depend on the
/// octets before or after it. The two alphabets differ only in characters that are not letters.
fn base64(secret: &[u8], before: usize) -> Vec<u8> {
    let octets = Zeroizing::new([&[0; 2][..before], secret].concat());
    let mut text = STANDARD_NO_PAD.encode(&*octets).into_bytes();
    if octets.len() % 3 != 0 {
        text.pop();
    }
    text.drain(..(4 * before).div_ceil(3));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_hidden_where_it_comes_back() {
        let secrets = Secrets::of([
            &b"hunter2"[..],
            b"AGFubmEAaHVudGVyMg==",
            b"hunter2 and more",
            b"pw",
        ]);
        for (said, shown) in [
            ("unknown command PASS hunter2", "unknown command PASS ***"),
            ("hunter2hunter2", "******"),
            ("hunter2 and more", "***"),
            (
                "`AGFubmEAaHVudGVyMg==` is no command",
                "`***` is no command",
            ),
            ("pw", "pw"),
            ("nothing", "nothing"),
            ("", ""),
        ] {
            assert_eq!(secrets.without(said.as_bytes()), shown.as_bytes(), "{said}");
            assert_eq!(secrets.without_in(said), shown);
        }
    }

    /// Each form by another tool: `base64`, `xxd -p`, Python's `urllib.parse.quote`.
    #[test]
    fn a_secret_is_hidden_in_every_form_in_which_it_can_be_read() {
        let secrets = Secrets::of([&b"Hunter2-/Hunter2"[..]]);
        for said in [
            "HUNTER2-/HUNTER2",
            "hunter2-/hunter2",
            "Hunter2-/\r\n Hunter2",
            "H u n t e r 2 - / H u n t e r 2",
            "Hunter2-\\/Hunter2",
            // By itself, and after one, two, and six octets.
            "SHVudGVyMi0vSHVudGVyMg==",
            "OkhunTER2LS9IdW50ZXIy",
            "eEh1bnRlcjItL0h1bnRlcjI=",
            "eHhIdW50ZXIyLS9IdW50ZXIy",
            "AGFubmEASHVudGVyMi0vSHVudGVyMg==",
            "48756e746572322d2f48756e74657232",
            "48 75 6E 74 65 72 32 2D 2F 48 75 6E 74 65 72 32",
            "Hunter2-%2FHunter2",
            "%48%75%6E%74%65%72%32%2D%2F%48%75%6E%74%65%72%32",
        ] {
            let shown = secrets.without_in(&format!("no such command: {said} (1)"));
            assert!(shown.starts_with("no such command: "), "{said}: {shown}");
            assert!(shown.ends_with(" (1)"), "{said}: {shown}");
            let left: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
            // At most the letters at the ends, which depend on the text around the secret.
            assert!(left.len() <= "nosuchcommand1".len() + 9, "{said}: {shown}");
            assert!(shown.contains("***"), "{said}: {shown}");
        }
    }

    #[test]
    fn a_piece_of_a_long_secret_is_one_too() {
        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9";
        let secrets = Secrets::of([token.as_bytes()]);
        for piece in [&token[..12], &token[..30], &token[9..21], &token[20..]] {
            let shown = secrets.without_in(&format!("bad token {piece}..."));
            assert_eq!(shown, "bad token ***...");
        }
        assert_eq!(secrets.without_in("eyJ0eXAi"), "eyJ0eXAi");
    }

    #[test]
    fn other_words_stay() {
        let secrets = Secrets::of([&b"pass"[..], b"correct horse battery staple"]);
        for said in [
            "invalid login",
            "a horse, a battery",
            "[AUTH] try again at 12:30",
            "ungültig \u{fffd} \u{1f40e}",
        ] {
            assert_eq!(secrets.without_in(said), said);
        }
        assert_eq!(secrets.without_in("wrong password"), "wrong ***word");
        assert!(matches!(secrets.without(b"no"), Cow::Borrowed(b"no")));
    }

    proptest::proptest! {
        #[test]
        fn no_secret_is_left_in_what_is_shown(
            secret in proptest::collection::vec(proptest::prelude::any::<u8>(), 4..40),
            before: Vec<u8>,
            behind: Vec<u8>,
        ) {
            let secrets = Secrets::of([&secret[..]]);
            let said = [&before[..], &secret, &behind].concat();
            let shown = secrets.without(&said);
            let star = secret.contains(&b'*');
            proptest::prop_assert!(star || memmem::find(&shown, &secret).is_none());
        }
    }
}
