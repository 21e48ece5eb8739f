//! Trust anchors and the client certificate of a TLS connection.

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// The TLS settings of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TlsSettings {
    /// The authorities to trust. If none are named, those of [`Roots::Webpki`]. With a fingerprint
    /// and none named, the fingerprint alone decides.
    pub roots: Option<Roots>,
    /// The one certificate or key that the server may have.
    pub fingerprint: Option<Fingerprint>,
    /// The client certificate for a server that asks for one.
    pub client: Option<ClientCertificate>,
    /// The oldest version allowed.
    pub min_version: TlsVersion,
    /// The name in the server's certificate, if it is not the server's host.
    pub server_name: Option<String>,
}

/// A set of certificate authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// The certificates of this PEM file.
    File(PathBuf),
    /// The authorities that the system trusts.
    System,
    /// Mozilla's, built in.
    Webpki,
}

impl Roots {
    /// The values of `roots`, the usual one first.
    pub(crate) const NAMES: [&str; 2] = ["webpki", "system"];
}

/// A certificate of the user's own, with its key; both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// The key. Nobody else may read it.
    pub key: PathBuf,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl TlsVersion {
    /// The values of `min-version`, the usual one first.
    pub const NAMES: [&str; 2] = ["1.2", "1.3"];

    /// The version of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "1.2" => Some(Self::Tls12),
            "1.3" => Some(Self::Tls13),
            _ => None,
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        })
    }
}

/// The SHA-256 digest of a certificate or of its public key, written `sha256:…` or
/// `spki-sha256:…` with 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// The object of the digest.
    pub of: Pinned,
    digest: [u8; 32],
}

/// The object of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned {
    /// The certificate (DER). A renewed one has another digest.
    Certificate,
    /// The SubjectPublicKeyInfo (DER), as in RFC 7469. The digest stays the same if a certificate
    /// is renewed with the same key.
    PublicKey,
}

impl Pinned {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Certificate => "sha256:",
            Self::PublicKey => "spki-sha256:",
        }
    }
}

impl Fingerprint {
    /// The fingerprint of a certificate, or of a SubjectPublicKeyInfo.
    pub fn of(what: Pinned, der: &[u8]) -> Self {
        Self {
            of: what,
            digest: Sha256::digest(der).into(),
        }
    }

    /// The hexadecimal digits alone.
    pub fn digits(&self) -> String {
        self.digest
            .iter()
            .fold(String::with_capacity(64), |mut digits, octet| {
                // Writing to a string cannot fail.
                let _ = write!(digits, "{octet:02x}");
                digits
            })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.of.prefix(), self.digits())
    }
}

/// The reason why a text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// It does not have 64 hexadecimal digits.
    #[error("not a SHA-256 fingerprint, which has 64 hexadecimal digits")]
    Digits,
    /// It is made with another digest.
    #[error("a fingerprint by {0}, which can be forged")]
    Weak(&'static str),
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads it with or without colons between the octets, in upper or lower case. Digits without a
    /// prefix are those of a certificate.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let text = text.trim().to_ascii_lowercase();
        let (of, digits) = [Pinned::PublicKey, Pinned::Certificate]
            .into_iter()
            .find_map(|of| Some((of, text.strip_prefix(of.prefix())?)))
            .unwrap_or((Pinned::Certificate, text.as_str()));
        let digits = match digits
            .split(':')
            .map(str::len)
            .collect::<Vec<_>>()
            .as_slice()
        {
            [_] => digits.to_owned(),
            parts if parts.iter().all(|length| *length == 2) => digits.replace(':', ""),
            _ => digits.to_owned(),
        };
        let mut digest = [0; 32];
        match digits.len() {
            64 => {}
            40 if is_hex(&digits) => return Err(FingerprintError::Weak("SHA-1")),
            32 if is_hex(&digits) => return Err(FingerprintError::Weak("MD5")),
            _ => return Err(FingerprintError::Digits),
        }
        if !is_hex(&digits) {
            return Err(FingerprintError::Digits);
        }
        for (octet, pair) in digest.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *octet = str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or(FingerprintError::Digits)?;
        }
        Ok(Self { of, digest })
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_people_copy_it() {
        // FIPS 180-4: SHA-256 of nothing.
        let digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let certificate = Fingerprint::of(Pinned::Certificate, b"");
        let colons: Vec<_> = digits.as_bytes().chunks(2).map(<[u8]>::to_vec).collect();
        let colons = String::from_utf8(colons.join(&b':')).unwrap();
        for text in [
            format!("sha256:{digits}"),
            format!("SHA256:{}", digits.to_uppercase()),
            format!("sha256:{}", colons.to_uppercase()),
            format!(" sha256:{colons}\n"),
            digits.to_owned(),
            colons.clone(),
        ] {
            assert_eq!(text.parse(), Ok(certificate), "{text}");
        }
        let key = Fingerprint::of(Pinned::PublicKey, b"");
        assert_eq!(format!("spki-sha256:{colons}").parse(), Ok(key));
        assert_ne!(key, certificate);
        assert_eq!(certificate.to_string(), format!("sha256:{digits}"));
        assert_eq!(key.to_string(), format!("spki-sha256:{digits}"));
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn what_proves_too_little_is_no_fingerprint() {
        use FingerprintError::{Digits, Weak};
        for (text, error) in [
            ("", Digits),
            ("sha256:", Digits),
            ("sha256:e3b0c442", Digits),
            (&"0".repeat(63), Digits),
            (&"0".repeat(65), Digits),
            (&"g".repeat(64), Digits),
            (&"+1".repeat(32), Digits),
            (&format!("sha512:{}", "0".repeat(64)), Digits),
            (&format!("sha256:{}é", "0".repeat(62)), Digits),
            (&format!("sha256:0:{}", "0".repeat(63)), Digits),
            (&"0".repeat(40), Weak("SHA-1")),
            (&["aB"; 20].join(":"), Weak("SHA-1")),
            (&"0".repeat(32), Weak("MD5")),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(error), "{text}");
        }
    }
}
