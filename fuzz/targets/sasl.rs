//! Any SASL exchange: no panic, no proof of a server that does not know the password, and words
//! that a terminal may see.

use popsync::internals::auth::cram_md5::CramMd5;
use popsync::internals::auth::login::Login;
use popsync::internals::auth::mechanism::Mechanism;
use popsync::internals::auth::oauthbearer::OAuthBearer;
use popsync::internals::auth::plain::Plain;
use popsync::internals::auth::scram::{Bound, Hash, Scram};
use popsync::internals::auth::xoauth2::XOauth2;
use secrecy::SecretString;

/// Stands for the client's nonce in a challenge.
const NONCE: &str = "{nonce}";

/// The first octet says which mechanism; the challenges behind it are apart by NUL.
pub(crate) fn holds(data: &[u8]) {
    let [which, challenges @ ..] = data else {
        return;
    };
    if takes_long(challenges) {
        return;
    }
    let password = SecretString::from("correct-horse");
    let scram = |hash, bound| -> Box<dyn Mechanism> {
        let scram = Scram::new(hash, bound, "anna", &password);
        Box::new(scram.expect("there are random numbers"))
    };
    let (mut mechanism, proves): (Box<dyn Mechanism>, bool) = match which % 7 {
        0 => (scram(Hash::Sha1, Bound::No), true),
        1 => (scram(Hash::Sha256, Bound::NotAnnounced), true),
        2 => (Box::new(CramMd5::new("anna", &password)), false),
        3 => (Box::new(Login::new("anna", &password)), false),
        4 => (Box::new(Plain::new("anna", &password)), false),
        5 => (
            Box::new(OAuthBearer::new("anna", "mail.example.com", 995, &password)),
            false,
        ),
        _ => (Box::new(XOauth2::new("anna", &password)), false),
    };
    let begun = mechanism.initial().expect("the credentials are fine");
    let begun = begun.map(|message| String::from_utf8_lossy(message.octets()).into_owned());
    let nonce = begun.as_deref().and_then(|text| text.split_once("r="));
    let nonce = nonce.map_or("", |(_, nonce)| nonce).as_bytes();
    let mut faults = Vec::new();
    for challenge in challenges.split(|&octet| octet == 0) {
        if let Err(fault) = mechanism.step(&with(challenge, nonce)) {
            faults.push(fault);
            break;
        }
    }
    let verdict = mechanism.finish(true);
    assert!(!proves || verdict.is_err(), "a server that knows nothing");
    faults.extend(verdict.err());
    faults.extend(mechanism.finish(false).err());
    for fault in faults {
        let words = fault.to_string();
        assert!(!words.chars().any(char::is_control), "{words:?}");
    }
}

/// The challenge with the nonce in its place.
fn with(challenge: &[u8], nonce: &[u8]) -> Vec<u8> {
    let place = challenge
        .windows(NONCE.len())
        .position(|window| window == NONCE.as_bytes());
    match place {
        Some(start) => {
            let (before, after) = (&challenge[..start], &challenge[start + NONCE.len()..]);
            [before, nonce, after].concat()
        }
        None => challenge.to_vec(),
    }
}

/// True if the challenges ask for so many rounds of hashing, though allowed, that it takes long.
fn takes_long(challenges: &[u8]) -> bool {
    let numbers = challenges.split(|octet| !octet.is_ascii_digit());
    let mut numbers =
        numbers.map(|digits| digits.iter().skip_while(|&&digit| digit == b'0').count());
    numbers.any(|digits| (5..=7).contains(&digits))
}
