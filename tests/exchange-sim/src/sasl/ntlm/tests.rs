//! The examples of MS-NLMP §4.2: user `User`, password `Password`, domain `Domain`.

use super::hash::{hmac_md5, nt_hash, ntlm_v1_response, ntlm_v2_key, rc4};
use super::{SERVER_CHALLENGE, message};

const CLIENT_CHALLENGE: [u8; 8] = [0xaa; 8];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The `temp` of §4.2.4.1.3: version, time 0, the client's challenge, target info.
fn temp() -> Vec<u8> {
    let info = hex("02000c0044006f006d00610069006e00 01000c005300650072007600650072000000 0000");
    [
        hex("0101000000000000 0000000000000000").as_slice(),
        &CLIENT_CHALLENGE,
        &[0; 4],
        &info,
        &[0; 4],
    ]
    .concat()
}

#[test]
fn ntowf_v1_is_that_of_the_example() {
    // §4.2.2.1.2
    assert_eq!(
        nt_hash("Password").to_vec(),
        hex("a4f49c406510bdcab6824ee7c30fd852")
    );
}

#[test]
fn the_v1_response_is_that_of_the_example() {
    // §4.2.2.2.1
    assert_eq!(
        ntlm_v1_response(&nt_hash("Password"), SERVER_CHALLENGE, None),
        hex("67c43011f30298a2ad35ece64f16331c44bdbed927841f94")
    );
}

#[test]
fn the_v1_response_with_session_security_is_that_of_the_example() {
    // §4.2.3.2.2
    assert_eq!(
        ntlm_v1_response(
            &nt_hash("Password"),
            SERVER_CHALLENGE,
            Some(&CLIENT_CHALLENGE)
        ),
        hex("7537f803ae367128ca458204bde7caf81e97ed2683267232")
    );
}

#[test]
fn ntowf_v2_and_the_v2_response_are_those_of_the_example() {
    // §4.2.4.1.1
    let key = ntlm_v2_key("Password", "User", "Domain");
    assert_eq!(key.to_vec(), hex("0c868a403bfd7a93a3001ef22ef02e3f"));
    // §4.2.4.2.2
    let proof = hmac_md5(&key, &[&SERVER_CHALLENGE, &temp()]);
    assert_eq!(proof.to_vec(), hex("68cd0ab851e51c96aabc927bebef6a1c"));
    // §4.2.4.1.2 and §4.2.4.2.3
    let base_key = hmac_md5(&key, &[&proof]);
    assert_eq!(base_key.to_vec(), hex("8de40ccadbc14a82f15cb0ad0de95ca3"));
    assert_eq!(
        rc4(&base_key, &[0x55; 16]),
        hex("c5dad2544fc9799094ce1ce90bc9d03e")
    );
}

#[test]
fn the_challenge_has_the_parts_that_a_client_reads() {
    let challenge = message::challenge(SERVER_CHALLENGE);
    assert!(challenge.starts_with(b"NTLMSSP\0\x02\0\0\0"));
    assert_eq!(challenge[24..32], SERVER_CHALLENGE);
    let offset = u32::from_le_bytes(challenge[44..48].try_into().unwrap()) as usize;
    let ids: Vec<u16> = message::av_pairs(&challenge[offset..])
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids, [2, 1, 4, 3, 7]);
}

mod dialogue {
    //! Whole exchanges, with a client written here.

    use std::sync::Arc;

    use super::super::hash::{channel_bindings, wide};
    use super::*;
    use crate::clock::RealClock;
    use crate::directory::{Directory, User};
    use crate::knobs::{ExtendedProtection, Knobs};
    use crate::mailbox::{IdForm, Mailbox};
    use crate::sasl::{Context, Dialogue, Outcome};

    const NEGOTIATE: &[u8] = b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2extra";
    const END_POINT: &[u8] = &[7; 32];

    /// The client's deviations from a good one.
    #[derive(Clone, Copy, Default)]
    struct Client {
        wrong_password: bool,
        v1: bool,
        mic: Mic,
        binding: Option<&'static [u8]>,
    }

    #[derive(Clone, Copy, Default, PartialEq)]
    enum Mic {
        #[default]
        None,
        Good,
        Bad,
    }

    impl Client {
        fn authenticate(self, challenge: &[u8]) -> Vec<u8> {
            let (user, domain) = ("anna", "Example");
            let password = if self.wrong_password { "no" } else { "secret" };
            let offset = u32::from_le_bytes(challenge[44..48].try_into().unwrap()) as usize;
            let mut info = challenge[offset..challenge.len() - 4].to_vec();
            if self.mic != Mic::None {
                info.extend([6, 0, 4, 0, 2, 0, 0, 0]);
            }
            if let Some(end_point) = self.binding {
                info.extend([10, 0, 16, 0]);
                info.extend(channel_bindings(end_point));
            }
            info.extend([0; 4]);
            let temp = [
                &hex("0101000000000000 0102030405060708")[..],
                &CLIENT_CHALLENGE,
                &[0; 4],
                &info,
                &[0; 4],
            ]
            .concat();
            let key = ntlm_v2_key(password, user, domain);
            let proof = hmac_md5(&key, &[&SERVER_CHALLENGE, &temp]);
            let base_key = hmac_md5(&key, &[&proof]);
            let session_key = [0x55; 16];
            let response = if self.v1 {
                ntlm_v1_response(&nt_hash(password), SERVER_CHALLENGE, None)
            } else {
                [&proof[..], &temp].concat()
            };
            let parts = [
                vec![0; 24],
                response,
                wide(domain),
                wide(user),
                Vec::new(),
                rc4(&base_key, &session_key),
            ];
            let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
            let mut at = 88_u32;
            for part in &parts {
                let len = part.len() as u16;
                message.extend(len.to_le_bytes());
                message.extend(len.to_le_bytes());
                message.extend(at.to_le_bytes());
                at += u32::from(len);
            }
            message.extend(0x4000_0001_u32.to_le_bytes());
            message.extend([0; 8 + 16]);
            message.extend(parts.concat());
            let mut mic = hmac_md5(&session_key, &[NEGOTIATE, challenge, &message]);
            if self.mic == Mic::Bad {
                mic[0] ^= 1;
            }
            if self.mic != Mic::None {
                message[72..88].copy_from_slice(&mic);
            }
            message
        }
    }

    fn accepts(knobs: Knobs, tls: bool, client: Client) -> bool {
        let clock = Arc::new(RealClock::default());
        let user = User {
            name: "anna@example.com".to_owned(),
            password: b"secret".to_vec().into(),
            token: None.into(),
            mailbox: Mailbox::new("anna@example.com", clock, IdForm::Decimal),
            pop: true,
        };
        let directory = Directory::new(vec![user], Vec::new());
        let context = Context {
            directory: &directory,
            knobs: &knobs,
            binding: tls.then_some(END_POINT),
        };
        let mut dialogue = Dialogue::begin("NTLM").unwrap();
        let Outcome::Challenge(empty) = dialogue.step(&context, None) else {
            panic!("a prompt comes first");
        };
        assert!(empty.is_empty());
        let Outcome::Challenge(challenge) = dialogue.step(&context, Some(NEGOTIATE)) else {
            panic!("a challenge comes second");
        };
        let message = client.authenticate(&challenge);
        matches!(dialogue.step(&context, Some(&message)), Outcome::Accept(_))
    }

    #[test]
    fn the_right_password_and_mic_are_accepted_and_no_others() {
        for (wrong_password, mic, good) in [
            (false, Mic::None, true),
            (false, Mic::Good, true),
            (false, Mic::Bad, false),
            (true, Mic::None, false),
            (true, Mic::Good, false),
        ] {
            let client = Client {
                wrong_password,
                mic,
                ..Client::default()
            };
            assert_eq!(accepts(Knobs::default(), false, client), good);
        }
    }

    #[test]
    fn v1_is_accepted_only_when_the_knob_says() {
        for ntlm_v1 in [false, true] {
            let knobs = Knobs {
                ntlm_v1,
                ..Knobs::default()
            };
            let client = Client {
                v1: true,
                ..Client::default()
            };
            assert_eq!(accepts(knobs, false, client), ntlm_v1);
        }
    }

    #[test]
    fn extended_protection_wants_the_channel_of_the_certificate() {
        let other: &[u8] = &[8; 32];
        for (policy, tls, binding, good) in [
            (ExtendedProtection::None, true, None, true),
            (ExtendedProtection::None, true, Some(other), true),
            (ExtendedProtection::Allow, true, None, true),
            (ExtendedProtection::Allow, true, Some(END_POINT), true),
            (ExtendedProtection::Allow, true, Some(other), false),
            (ExtendedProtection::Require, true, None, false),
            (ExtendedProtection::Require, true, Some(END_POINT), true),
            (ExtendedProtection::Require, true, Some(other), false),
            (ExtendedProtection::Require, false, None, true),
        ] {
            let knobs = Knobs {
                extended_protection: policy,
                ..Knobs::default()
            };
            let client = Client {
                binding,
                ..Client::default()
            };
            let got = accepts(knobs, tls, client);
            assert_eq!(got, good, "{policy:?} {tls} {binding:?}");
        }
    }

    #[test]
    fn messages_out_of_turn_and_cut_short_are_refused() {
        let knobs = Knobs::default();
        let directory = Directory::new(Vec::new(), Vec::new());
        let context = Context {
            directory: &directory,
            knobs: &knobs,
            binding: None,
        };
        let authenticate = Client::default().authenticate(&message::challenge(SERVER_CHALLENGE));
        for len in 0..authenticate.len() {
            let mut early = Dialogue::begin("NTLM").unwrap();
            let refused = early.step(&context, Some(&authenticate[..len]));
            assert!(matches!(refused, Outcome::Refuse));
            let mut cut = Dialogue::begin("NTLM").unwrap();
            cut.step(&context, Some(NEGOTIATE));
            let refused = cut.step(&context, Some(&authenticate[..len]));
            assert!(matches!(refused, Outcome::Refuse));
        }
    }
}
