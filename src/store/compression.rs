//! The forms in which programs compress or encrypt files of messages, known by their first octets.

/// This many octets show how a file is compressed.
pub(super) const TELLING: usize = 16;

/// The first octets of a file compressed with gzip.
pub(super) const GZIP: &[u8] = b"\x1f\x8b";

/// The first octets and the names of other forms: those of Dovecot's plugins `zlib` and
/// `mail-crypt`, and of the usual programs.
const SEALED: [(&[u8], &str); 8] = [
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x5d\0\0", "lzma"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"Dovecot-LZ4\x0d\x2a\x9b\xc5", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"CRYPTED\x03\x07", "mail-crypt"),
];

/// The form, other than gzip, that a program has compressed or encrypted a file in.
pub(super) fn sealed_as(start: &[u8]) -> Option<&'static str> {
    let known = SEALED
        .iter()
        .find(|(magic, form)| start.starts_with(magic) && (*form != "bzip2" || is_bzip2(start)));
    known.map(|(_, form)| *form)
}

/// True for bzip2. A header field may be called `BZh`, so the octets after the level must be those
/// of the first block, or of the end.
fn is_bzip2(start: &[u8]) -> bool {
    let behind = start.get(4..10).unwrap_or_default();
    behind == b"\x31\x41\x59\x26\x53\x59" || behind == b"\x17\x72\x45\x38\x50\x90"
}

/// The name of the form that a file which begins like this is compressed or encrypted in.
pub(super) fn packed_as(start: &[u8]) -> Option<&'static str> {
    match start.starts_with(GZIP) {
        true => Some("gzip"),
        false => sealed_as(start),
    }
}
