use super::*;

/// `hex("01 ab")`.
fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    let octet = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(octet).collect()
}

/// The values that MS-NLMP §4.2 computes with.
const SERVER_NONCE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
const OWN_NONCE: [u8; 8] = [0xaa; 8];

/// The CHALLENGE of MS-NLMP §4.2.4.3.
fn example() -> Vec<u8> {
    hex(
        "4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef \
         0000000000000000 2400240044000000 060070170000000f 530065007200760065007200 \
         02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000",
    )
}

fn ntlm(user: &str, end_point: Option<&[u8]>) -> Ntlm {
    let mut ntlm = Ntlm::new(user, &SecretString::from("Password"), end_point).unwrap();
    ntlm.nonce = OWN_NONCE;
    ntlm
}

/// AUTHENTICATE in answer to this CHALLENGE, and NEGOTIATE.
fn answer(mut ntlm: Ntlm, challenge: &[u8]) -> Result<(Vec<u8>, Vec<u8>), SaslError> {
    let negotiate = ntlm.initial().unwrap().unwrap().octets().to_vec();
    let answer = ntlm.step(challenge)?;
    assert_eq!(ntlm.step(challenge).unwrap_err(), SaslError::Unexpected);
    Ok((answer.octets().to_vec(), negotiate))
}

/// The octets that the field at this place of AUTHENTICATE points at.
fn field(message: &[u8], at: usize) -> &[u8] {
    let length = usize::from(u16::from_le_bytes([message[at], message[at + 1]]));
    let offset = u32::from_le_bytes(message[at + 4..at + 8].try_into().unwrap()) as usize;
    &message[offset..offset + length]
}

/// MS-NLMP §4.2.4.1 and §4.2.4.2.
#[test]
fn keys_and_responses_are_those_of_the_specification() {
    let key = response_key(&SecretString::from("Password"), "User", "Domain");
    assert_eq!(key.to_vec(), hex("0c868a403bfd7a93a3001ef22ef02e3f"));
    let info = &example()[0x44..];
    let nt = nt_response(&key, &SERVER_NONCE, &OWN_NONCE, &[0; 8], info);
    assert_eq!(nt[..16], hex("68cd0ab851e51c96aabc927bebef6a1c"));
    let session_key = hmac(&*key, &[&nt[..16]]);
    assert_eq!(
        session_key.to_vec(),
        hex("8de40ccadbc14a82f15cb0ad0de95ca3")
    );
    let lm = lm_response(&key, &SERVER_NONCE, &OWN_NONCE);
    assert_eq!(
        lm.to_vec(),
        hex("86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa")
    );
}

#[test]
fn an_answer_without_the_servers_time_has_both_responses_and_no_mic() {
    let (message, negotiate) = answer(ntlm("Domain\\User", None), &example()).unwrap();
    assert_eq!(negotiate.len(), 32);
    assert_eq!(negotiate[..12], hex("4e544c4d53535000 01000000"));
    assert_eq!(message[..12], hex("4e544c4d53535000 03000000"));
    assert_eq!(field(&message, 28), message::utf_16("Domain"));
    assert_eq!(field(&message, 36), message::utf_16("User"));
    assert_eq!(
        field(&message, 44),
        b"",
        "the workstation is nobody's business"
    );
    let lm = field(&message, 12);
    assert_eq!(lm, hex("86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa"));
    let nt = field(&message, 20);
    assert_eq!(nt[16..24], hex("0101000000000000"));
    assert_eq!(nt[32..40], OWN_NONCE);
    assert_eq!(nt[44..44 + 0x24], example()[0x44..]);
    assert_eq!(message[message::MIC], [0; 16]);
    // Version 1 is never spoken: its responses have 24 octets.
    assert!(nt.len() > 24);
}

/// The example with these pairs in front.
fn with_pairs(pairs: &[(u16, &[u8])]) -> Vec<u8> {
    let mut challenge = example();
    let mut info = Vec::new();
    for (id, value) in pairs {
        info.extend_from_slice(&id.to_le_bytes());
        info.extend_from_slice(&u16::try_from(value.len()).unwrap().to_le_bytes());
        info.extend_from_slice(value);
    }
    info.extend_from_slice(&example()[0x44..]);
    let length = u16::try_from(info.len()).unwrap().to_le_bytes();
    challenge.truncate(0x44);
    challenge.extend_from_slice(&info);
    challenge[40..42].copy_from_slice(&length);
    challenge
}

/// MS-NLMP §3.1.5.1.2.
#[test]
fn an_answer_with_the_servers_time_is_sealed() {
    let time = [1, 2, 3, 4, 5, 6, 7, 8];
    let challenge = with_pairs(&[(AV_TIMESTAMP, &time), (AV_FLAGS, &[1, 0, 0, 0])]);
    let (message, negotiate) = answer(ntlm("Domain\\User", Some(b"digest")), &challenge).unwrap();
    assert_eq!(field(&message, 12), [0; 24]);
    let nt = field(&message, 20);
    assert_eq!(nt[24..32], time);
    let own = &nt[44..nt.len() - 4];
    // The server's pairs in their order, then the client's: the flags with the MIC's bit, and the
    // binding.
    let bindings = channel_bindings(b"digest");
    let expected = [
        &[7, 0, 8, 0][..],
        &time,
        &example()[0x44..0x44 + 0x20],
        &[6, 0, 4, 0, 3, 0, 0, 0, 10, 0, 16, 0],
        &bindings,
        &[0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(own, expected);
    let key = response_key(&SecretString::from("Password"), "User", "Domain");
    let session_key = hmac(&*key, &[&nt[..16]]);
    let mut without = message.clone();
    without[message::MIC].fill(0);
    let mic = hmac(&*session_key, &[&negotiate, &challenge, &without]);
    assert_eq!(message[message::MIC], *mic);
}

/// A digest of 32 octets behind 16 zeros, the length 53 and the prefix, as MS-NLMP has it; the
/// expected value is Python's.
#[test]
fn channel_bindings_are_a_digest_of_the_whole_structure() {
    let bindings = channel_bindings(&[0x11; 32]);
    assert_eq!(bindings.to_vec(), hex("187b8ed16257050635bf9bbd99eb5e29"));
}

#[test]
fn names_are_split_at_a_backslash_and_nowhere_else() {
    for (name, domain, user) in [
        ("CORP\\anna", "CORP", "anna"),
        ("anna", "", "anna"),
        ("anna@corp.example", "", "anna@corp.example"),
        ("corp/anna", "", "corp/anna"),
    ] {
        let (message, _) = answer(ntlm(name, None), &example()).unwrap();
        assert_eq!(field(&message, 28), message::utf_16(domain), "{name}");
        assert_eq!(field(&message, 36), message::utf_16(user), "{name}");
    }
}

#[test]
fn old_challenges_without_target_information_are_answered() {
    let mut old = example();
    old.truncate(32);
    // No target information.
    old[22] &= 0x7f;
    let (message, _) = answer(ntlm("anna", None), &old).unwrap();
    assert_eq!(field(&message, 20).len(), 16 + 28 + 4 + 4);
    // No Unicode either.
    old[20] &= 0xfe;
    let (message, _) = answer(ntlm("anna", None), &old).unwrap();
    assert_eq!(field(&message, 36), b"anna");
    assert!(matches!(
        answer(ntlm("größe", None), &old),
        Err(SaslError::Malformed { .. })
    ));
}

/// CVE-2012-3482 and similar: nothing outside a challenge is ever read.
#[test]
fn challenges_that_are_cut_off_or_point_elsewhere_are_not_answered() {
    let refused = |challenge: &[u8]| {
        let answer = answer(ntlm("anna", None), challenge);
        assert!(
            matches!(answer, Err(SaslError::Malformed { .. })),
            "{challenge:02x?}"
        );
    };
    let whole = example();
    for length in 0..whole.len() {
        if (32..48).contains(&length) {
            // These are complete, in an older form.
            answer(ntlm("anna", None), &whole[..length]).unwrap();
        } else if length != whole.len() {
            refused(&whole[..length]);
        }
    }
    for (at, octets) in [
        // The length, and the offset.
        (40, &[0xff, 0xff][..]),
        (40, &[0x25, 0x00]),
        (44, &[0xff, 0xff, 0xff, 0xff]),
        (44, &[0x45, 0x00, 0x00, 0x00]),
        // The first pair's length.
        (0x46, &[0xff, 0xff]),
        (0x46, &[0x1e, 0x00]),
        // The signature, and the type.
        (0, b"X"),
        (8, &[3]),
    ] {
        let mut challenge = example();
        challenge[at..at + octets.len()].copy_from_slice(octets);
        refused(&challenge);
    }
    refused(&with_pairs(&[(AV_TIMESTAMP, &[1, 2, 3])]));
    refused(b"");
}
