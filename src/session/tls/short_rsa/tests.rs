//! Signatures that OpenSSL made with keys of 1024 and 1033 bits.

use super::*;

/// The message that all of them sign.
const MESSAGE: &[u8] = b"a handshake";

/// An RSAPublicKey of 1024 bits.
const KEY_1024: &str = "\
    30818902818100da9e7cc4a7fd379e87fda1ad98bb3e5913a9c54941434bc64d441d8bd5f4f065bb\
    b7307ec927b3f76b5006bbcc20bacb91b7ce648fec000f946c6ee1f058a453715c79fee4ffed00e6\
    6e997560f85db0820a28b3c6989b54d4e1e08f2e7806151da234c785be1b40acc1ce3982084a47df\
    4ecb7af1545d33cdb293e8de7b56c90203010001\
    ";

/// RSA-PKCS1 with SHA-256.
const PKCS1_SHA256_1024: &str = "\
    605564ceca3c6065b1fe07ff24305ce6eebc74376537bf4db8107cea65f598c7149aa7f17d66f735\
    cdd24e21f86e69e1ce65b5b2c2839abbd8da2eb89da228eff46300b6de4ced4fc082d88140403229\
    35340bcd5315e577964102c0000ed4632332cbdfa6bae6225756a8265fb1aaecba188cc02a58b370\
    10beb299f0aa13ee\
    ";

/// RSA-PKCS1 with SHA-384.
const PKCS1_SHA384_1024: &str = "\
    64300ac62191cfd01e4f82d028d279e30b8f7acc69aa9b2e1ebf5e10ab84650a10c9408ce19c3448\
    71b6b010c670e10affed5434c50109dbbfd3549de75e598d422d87870b7b0f90c0a8755e4c153f6c\
    a7b1768a217f9246ed48f90e71defefefbf054d754037e36efbe5ff1915b3ad85697804ba1555e73\
    997fcb26d1a50387\
    ";

/// RSA-PKCS1 with SHA-512.
const PKCS1_SHA512_1024: &str = "\
    4b0641b510d68b24095b271ed538341b59fe6b3f108d95af9ee9d2cc576de57e10fa990c25a6832b\
    9577dc181aa0d20a02790aa5b4b82807f12bdbe246f4446cb19181f272fe982a4cb871dcbd70c1e6\
    1adebba835382bf122672ece5d09320bcb45d8df4052b6c7de1d538f2e4097a517807fccd475e715\
    662a8bf4c988a923\
    ";

/// RSA-PSS with SHA-256.
const PSS_SHA256_1024: &str = "\
    2db1922ba87d9e6eea815b5a9d8b9203af7c906ccda97bb1a8288abe8ef6ce2ff5d1e1b7a9af42e4\
    f3d45abc3b0128b97f3a0b60f2a0533c6e6c55108c1d1fa9a4c9bc0158aa15d30af48f4cae3206fc\
    7522fd74877a060db9f696007f28d9a506ad541463b0442d1666a4d885394f56c3c2eb4bcaf3b861\
    5e5badc17f0b704d\
    ";

/// RSA-PSS with SHA-384.
const PSS_SHA384_1024: &str = "\
    510fbe1025de38f1d1ecf7a1724e9c24787d7e65f57e64fcc5a2dea9d7f855133b5aa9811af27406\
    75150ddbe6fa9a7b04f04cd4ff933572f3ba44ce16c5ec5fd315e339eddd91df76cbe8992e9c7647\
    9c9879ddc31a44fc242db8a822c5ab60f29e6e9ce509e71ea7c809183fccd589f91217aa4c7ba919\
    ca98eb5608e75bf0\
    ";

/// An RSAPublicKey of 1033 bits.
const KEY_1033: &str = "\
    30818a028182019f446a4e31e9728d8ee43acd59b57d26897cb50eb19984a43f2d3998d996b2f341\
    68f8557c6e8284bd92b617c51681fe0f631458d308de0b29dc796ea5ae067de33f0b9d3cf6f26d1e\
    c3fe8609b56b40d791c75a5af8c8a9abdf2080fe970ad4a18672c9e96bd12cb247093627414bbc5e\
    7eadc8805577a2f5fd3620f2fa8681150203010001\
    ";

/// RSA-PKCS1 with SHA-256.
const PKCS1_SHA256_1033: &str = "\
    00abd3c01b6ee1922ae9ed1888ab8a6d53e971536c72f3797680ec401ec9bd7d1773512cbe0d7a46\
    1ded61ba6283fb90a8383f74d130b1a51d190bef678d96bfc8194c3400c9cf2562b79d687cfff8a3\
    fab386e751c9575f22c6caf8db7d2f33ad0b3109d93512de62d1165f2ec8773d9e8575d3cf3c631a\
    186fa268f65dd32f7853\
    ";

/// RSA-PKCS1 with SHA-512.
const PKCS1_SHA512_1033: &str = "\
    016f34a90f3c4db57aabbc1632928ba4d3c1ca1ecf76563ccf2c0fd3167a05b2565fae5c1fe6798a\
    f9cd297c30d8a63a1bcbedfb8a92dc0b629b02e9894d9153f4a5783adfdb0e4cee7a1c8fe7aba040\
    a552e677b38a5fa941cf8d5a277e42724b29358617912ad43a6a1b8b36a925dfb49352fb957c5e8c\
    6dcba9fbd921731b0678\
    ";

/// RSA-PSS with SHA-256.
const PSS_SHA256_1033: &str = "\
    0038cab2e5ed4113c5ecfd8777c6269bf55562e56650f21b23411af30b88f2b90c53d1466fd4ae4a\
    09cb2b77e822f971646433e1ac95a2acd4f7a60b012f7db6d241ade445167f66a17121eb1a1b52cf\
    6d69484934ef934d83ddf7ea645db9553eea98ec4fde16ff612d4289d4b5154e72c9df0bbd081f64\
    bb90e70633a833c0a027\
    ";

fn octets(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let octet = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

/// Key, scheme and signature.
fn signatures() -> Vec<(Vec<u8>, SignatureScheme, Vec<u8>)> {
    let row = |(key, scheme, signature)| (octets(key), scheme, octets(signature));
    let rows = [
        (
            KEY_1024,
            SignatureScheme::RSA_PKCS1_SHA256,
            PKCS1_SHA256_1024,
        ),
        (
            KEY_1024,
            SignatureScheme::RSA_PKCS1_SHA384,
            PKCS1_SHA384_1024,
        ),
        (
            KEY_1024,
            SignatureScheme::RSA_PKCS1_SHA512,
            PKCS1_SHA512_1024,
        ),
        (KEY_1024, SignatureScheme::RSA_PSS_SHA256, PSS_SHA256_1024),
        (KEY_1024, SignatureScheme::RSA_PSS_SHA384, PSS_SHA384_1024),
        (
            KEY_1033,
            SignatureScheme::RSA_PKCS1_SHA256,
            PKCS1_SHA256_1033,
        ),
        (
            KEY_1033,
            SignatureScheme::RSA_PKCS1_SHA512,
            PKCS1_SHA512_1033,
        ),
        (KEY_1033, SignatureScheme::RSA_PSS_SHA256, PSS_SHA256_1033),
    ];
    rows.map(row).to_vec()
}

#[test]
fn what_openssl_signed_is_valid_for_that_message_key_and_scheme_alone() {
    for (der, scheme, signature) in signatures() {
        let key = RsaKey::read(&der).unwrap();
        assert!(verify(&key, scheme, MESSAGE, &signature), "{scheme:?}");
        assert!(!verify(&key, scheme, b"another handshake", &signature));
        for (other, _, _) in signatures() {
            let other = RsaKey::read(&other).unwrap();
            let same = other == key;
            assert_eq!(verify(&other, scheme, MESSAGE, &signature), same);
        }
        for (_, other, _) in signatures() {
            let same = other == scheme;
            assert_eq!(verify(&key, other, MESSAGE, &signature), same);
        }
        assert!(!verify(
            &key,
            SignatureScheme::RSA_PKCS1_SHA1,
            MESSAGE,
            &signature
        ));
    }
}

#[test]
fn a_signature_with_any_bit_changed_is_none() {
    for (der, scheme, signature) in signatures() {
        let key = RsaKey::read(&der).unwrap();
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(!verify(&key, scheme, MESSAGE, &changed), "{scheme:?}: {at}");
        }
        for length in [0, 1, signature.len() - 1] {
            assert!(!verify(&key, scheme, MESSAGE, &signature[..length]));
        }
        let longer = [&[0], &signature[..]].concat();
        assert!(!verify(&key, scheme, MESSAGE, &longer));
    }
}

/// RFC 8017 §9.2, note 2, and §9.1.2: what is not checked could be chosen by a forger.
#[test]
fn all_of_what_was_signed_is_looked_at() {
    for (der, scheme, signature) in signatures() {
        let key = RsaKey::read(&der).unwrap();
        let right = encoded(&key, &signature).unwrap();
        let holds = |encoded: &[u8]| match scheme {
            SignatureScheme::RSA_PKCS1_SHA256 => is_pkcs1::<Sha256>(MESSAGE, encoded, 1),
            SignatureScheme::RSA_PKCS1_SHA384 => is_pkcs1::<Sha384>(MESSAGE, encoded, 2),
            SignatureScheme::RSA_PKCS1_SHA512 => is_pkcs1::<Sha512>(MESSAGE, encoded, 3),
            SignatureScheme::RSA_PSS_SHA256 => is_pss::<Sha256>(MESSAGE, encoded, key.bits() - 1),
            _ => is_pss::<Sha384>(MESSAGE, encoded, key.bits() - 1),
        };
        assert!(holds(&right));
        for at in 0..right.len() * 8 {
            let mut changed = right.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(!holds(&changed), "{scheme:?}: bit {at}");
        }
    }
}

#[test]
fn a_key_that_could_be_forged_or_would_take_long_is_none() {
    let (der, scheme, signature) = signatures().remove(0);
    let key = RsaKey::read(&der).unwrap();
    let long = [0xff; 5];
    let mut even = key.modulus.to_vec();
    even[127] &= 0xfe;
    for key in [
        RsaKey {
            exponent: &[1],
            ..key
        },
        RsaKey {
            exponent: &[2],
            ..key
        },
        RsaKey {
            exponent: &[],
            ..key
        },
        RsaKey {
            exponent: &long,
            ..key
        },
        RsaKey {
            modulus: &even,
            ..key
        },
        RsaKey {
            modulus: &key.modulus[..96],
            ..key
        },
        RsaKey {
            modulus: &[],
            ..key
        },
    ] {
        assert_eq!(encoded(&key, &signature), None, "{key:?}");
        assert!(!verify(&key, scheme, MESSAGE, &signature));
    }
}
