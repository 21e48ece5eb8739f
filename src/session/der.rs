//! The few fields of a certificate that are needed as the very octets, also where webpki refuses
//! the certificate: DER (ITU-T X.690) read one element at a time.
//!
//! webpki reads X.509 version 3 alone, and `x509-cert`, which reads more, is optional.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed.
const VERSION: u8 = 0xa0;

/// The first fields of a certificate (RFC 5280 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    /// Its version of X.509, as people count.
    pub(super) version: u8,
    /// The issuer's name, without its outer tag.
    pub(super) issuer: &'a [u8],
    /// The SubjectPublicKeyInfo, whole.
    pub(super) key: &'a [u8],
}

/// A public key (RFC 5280 §4.1.2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PublicKey<'a> {
    /// The AlgorithmIdentifier, without its outer tag.
    pub(super) algorithm: &'a [u8],
    /// The key as that algorithm writes it.
    pub(super) octets: &'a [u8],
}

/// An RSA key (RFC 8017, A.1.1); both big-endian, without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RsaKey<'a> {
    pub(super) modulus: &'a [u8],
    pub(super) exponent: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads a certificate.
    pub(super) fn read(certificate: &'a [u8]) -> Option<Self> {
        let (certificate, _) = Element::of(SEQUENCE, certificate)?;
        let (signed, _) = Element::of(SEQUENCE, certificate.content)?;
        let mut rest = signed.content;
        // Left out in the first version.
        let mut version = 1;
        if let Some((number, behind)) = Element::of(VERSION, rest) {
            let (number, _) = Element::of(INTEGER, number.content)?;
            version = number.content.last()?.checked_add(1)?;
            rest = behind;
        }
        let mut next = |tag| {
            let (element, behind) = Element::of(tag, rest)?;
            rest = behind;
            Some(element)
        };
        let _serial_number = next(INTEGER)?;
        let _signature = next(SEQUENCE)?;
        let issuer = next(SEQUENCE)?.content;
        let _validity = next(SEQUENCE)?;
        let _subject = next(SEQUENCE)?;
        let key = next(SEQUENCE)?.whole;
        Some(Self {
            version,
            issuer,
            key,
        })
    }
}

impl<'a> PublicKey<'a> {
    /// Reads what a SubjectPublicKeyInfo has inside its outer tag.
    pub(super) fn read(content: &'a [u8]) -> Option<Self> {
        let (algorithm, rest) = Element::of(SEQUENCE, content)?;
        let (bits, _) = Element::of(BIT_STRING, rest)?;
        // How many bits of the last octet are unused: none in any key.
        let (0, octets) = bits.content.split_first()? else {
            return None;
        };
        Some(Self {
            algorithm: algorithm.content,
            octets,
        })
    }

    /// Reads a SubjectPublicKeyInfo.
    pub(super) fn of(key: &'a [u8]) -> Option<Self> {
        Self::read(Element::of(SEQUENCE, key)?.0.content)
    }
}

impl<'a> RsaKey<'a> {
    /// Reads one.
    pub(super) fn read(octets: &'a [u8]) -> Option<Self> {
        let (key, _) = Element::of(SEQUENCE, octets)?;
        let (modulus, rest) = Element::of(INTEGER, key.content)?;
        let (exponent, _) = Element::of(INTEGER, rest)?;
        Some(Self {
            modulus: without_zeros(modulus.content),
            exponent: without_zeros(exponent.content),
        })
    }

    /// The length of its modulus.
    pub(super) fn bits(&self) -> usize {
        let unused = self
            .modulus
            .first()
            .map_or(0, |octet| octet.leading_zeros());
        self.modulus.len() * 8 - unused as usize
    }
}

fn without_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
    &octets[zeros..]
}

/// One element: what it holds, and it with its tag and length.
#[derive(Clone, Copy)]
struct Element<'a> {
    content: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of `input`, where it has this tag, and what is behind it.
    fn of(tag: u8, input: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[found, first], _) = input.split_first_chunk::<2>()?;
        if found != tag {
            return None;
        }
        let (start, length) = match first {
            0..=0x7f => (2, usize::from(first)),
            // A certificate has no element of 16 MiB.
            0x81..=0x83 => {
                let start = 2 + usize::from(first & 0x7f);
                let octets = input.get(2..start)?;
                let length = octets
                    .iter()
                    .fold(0, |length, &octet| length << 8 | usize::from(octet));
                (start, length)
            }
            _ => return None,
        };
        let (whole, rest) = input.split_at_checked(start + length)?;
        let content = &whole[start..];
        Some((Self { content, whole }, rest))
    }
}

#[cfg(test)]
mod tests;
