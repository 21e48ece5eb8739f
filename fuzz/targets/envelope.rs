//! Whatever a message has for a header: no panic, and the same whatever follows it.

use popsync::envelope::Envelope;

pub(crate) fn holds(header: &[u8]) {
    let read = Envelope::parse(header);
    let again = Envelope::parse(header);
    assert_eq!(read, again);
}
