//! Any NTLM challenge: no panic, and an answer that is one, not much longer than the challenge, and
//! without the password.

use popsync::internals::auth::mechanism::Mechanism;
use popsync::internals::auth::ntlm::Ntlm;
use secrecy::SecretString;

pub(crate) fn holds(challenge: &[u8]) {
    let password = SecretString::from("correct-horse");
    for end_point in [None, Some(&[7; 32][..])] {
        let ntlm = Ntlm::new("EXAMPLE\\anna", &password, end_point);
        let mut ntlm = ntlm.expect("there are random numbers");
        let begun = ntlm.initial().expect("the client begins");
        assert!(begun.is_some());
        match ntlm.step(challenge) {
            Ok(answer) => {
                let answer = answer.octets();
                assert!(answer.starts_with(b"NTLMSSP\0\x03\0\0\0"));
                assert!(answer.len() <= challenge.len() + 2048);
                let plain = b"correct-horse";
                assert!(!answer.windows(plain.len()).any(|window| window == plain));
            }
            Err(fault) => {
                let words = fault.to_string();
                assert!(!words.chars().any(char::is_control), "{words:?}");
            }
        }
        // One challenge is all there is.
        assert!(ntlm.step(challenge).is_err());
    }
}
