//! An RSA key of any length for a TLS server. ring, like every current provider, does not sign with
//! keys of 1024 bits.

use num_bigint::BigUint;
use rcgen::{PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm as CertificateAlgorithm};
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use sha2::{Digest, Sha256};

const MODULUS_768: &str = "\
    d6c83a01acc7f72ca0acc550f6652a24ae0427a510acc3b62c712520e65ef83c166bf608f18030d9\
    2f9fd8fc76bd75153cfef18b23b3dd8229b3b2ab2e96eeb446272fb138d77b1e0fc649030dbab4f6\
    08c69cac0239264e517890537ffa57d5\
    ";
const EXPONENT_768: &str = "\
    0a56fb4be7587d12bded735651764f5012bc8a780cd4745b89ca2ca267d4bc988fefc4996b9ee33b\
    216acd9461d6ff12df05dba1f77538565863948a178fd28e34b59254d70dafa4dbaf31f3061c4a36\
    833915392bfc5afbbf20e11645016ae1\
    ";
const MODULUS_1024: &str = "\
    c2ce36d11f1cb08ab0126aaf78072870ddc22088632c7373ff7707479a8a41edb2742c585edceb6c\
    74f7dae720e92c9092eb0facf11c3149700516468f46b86977f866321e1eb391e7e4a976a2dd67fb\
    6a03d2bfae413ffea58d342ab1efeb18acce7a007cbe61a577d8c12579369436f46ce2f43152ec22\
    ecf5795b8faa1487\
    ";
const EXPONENT_1024: &str = "\
    4ae71d7eb516c3eedf9a8538e8cedfc6de0d9992b7874cf12a262b3f65f5893a0b26ce32406f737a\
    255373f0f0df974a13a39c486400f21689a2fb18b05881e928030c7690e4a82ed304db18692c4bda\
    63d91acb6a52445d69c672a6bf132459c5ebd34226e47a98819770d11aee6dadbe8beb1e40728f8a\
    39ac41ab786dfb39\
    ";

/// A key.
#[derive(Debug, Clone)]
pub struct RsaKey {
    modulus: BigUint,
    exponent: BigUint,
    public: Vec<u8>,
}

impl RsaKey {
    /// One of 1024 bits.
    pub fn of_1024_bits() -> Self {
        Self::new(MODULUS_1024, EXPONENT_1024)
    }

    /// One of 768 bits.
    pub fn of_768_bits() -> Self {
        Self::new(MODULUS_768, EXPONENT_768)
    }

    /// A thief of the certificate: it has the same public key, but not the private one.
    pub fn other(&self) -> Self {
        Self {
            exponent: &self.exponent + 2_u8,
            ..self.clone()
        }
    }

    fn new(modulus: &str, exponent: &str) -> Self {
        let number = |digits: &str| BigUint::parse_bytes(digits.as_bytes(), 16).unwrap();
        let (modulus, exponent) = (number(modulus), number(exponent));
        let octets = modulus.to_bytes_be();
        // RSAPublicKey (RFC 8017, A.1.1), with 65537. The modulus begins with a one bit.
        let length = u8::try_from(octets.len() + 1).unwrap();
        let mut inner = vec![0x02, 0x81, length, 0];
        inner.extend(octets);
        inner.extend([0x02, 3, 1, 0, 1]);
        let mut public = vec![0x30, 0x81, u8::try_from(inner.len()).unwrap()];
        public.extend(inner);
        Self {
            modulus,
            exponent,
            public,
        }
    }

    fn octets(&self) -> usize {
        self.modulus.to_bytes_be().len()
    }

    fn raw(&self, encoded: &[u8]) -> Vec<u8> {
        let signature = BigUint::from_bytes_be(encoded).modpow(&self.exponent, &self.modulus);
        let octets = signature.to_bytes_be();
        let mut padded = vec![0; self.octets() - octets.len()];
        padded.extend(octets);
        padded
    }
}

impl PublicKeyData for RsaKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static CertificateAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// It can sign other certificates.
impl rcgen::SigningKey for RsaKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.raw(&pkcs1(message, self.octets())))
    }
}

impl SigningKey for RsaKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        // rustls offers the schemes that the version allows.
        let mine = [
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
        ];
        let scheme = mine.into_iter().find(|scheme| offered.contains(scheme))?;
        let key = self.clone();
        Some(Box::new(RsaSigner { key, scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

#[derive(Debug)]
struct RsaSigner {
    key: RsaKey,
    scheme: SignatureScheme,
}

impl Signer for RsaSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let encoded = match self.scheme {
            SignatureScheme::RSA_PKCS1_SHA256 => pkcs1(message, self.key.octets()),
            _ => pss(message, self.key.octets()),
        };
        Ok(self.key.raw(&encoded))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §9.2).
fn pkcs1(message: &[u8], length: usize) -> Vec<u8> {
    let info = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let mut encoded = vec![0, 1];
    encoded.resize(length - info.len() - 33, 0xff);
    encoded.push(0);
    encoded.extend(info);
    encoded.extend(Sha256::digest(message));
    encoded
}

/// EMSA-PSS with SHA-256 (RFC 8017 §9.1.1) for a modulus of whole octets. A test's salt may be known.
fn pss(message: &[u8], length: usize) -> Vec<u8> {
    let salt = [7; 32];
    let hash = Sha256::new()
        .chain_update([0; 8])
        .chain_update(Sha256::digest(message))
        .chain_update(salt)
        .finalize();
    let mut block = vec![0; length - 33 - 33];
    block.push(1);
    block.extend(salt);
    let mask = (0_u32..).flat_map(|counter| {
        let seed = Sha256::new().chain_update(hash);
        seed.chain_update(counter.to_be_bytes()).finalize()
    });
    let mut encoded: Vec<u8> = block
        .iter()
        .zip(mask)
        .map(|(octet, mask)| octet ^ mask)
        .collect();
    encoded[0] &= 0x7f;
    encoded.extend(hash);
    encoded.push(0xbc);
    encoded
}
