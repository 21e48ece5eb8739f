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
