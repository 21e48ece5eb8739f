//! Any header of a message: no panic, and the same result whatever follows it.

use popsync::internals::envelope::Envelope;

pub(crate) fn holds(header: &[u8]) {
    let read = Envelope::parse(header);
    let again = Envelope::parse(header);
    assert_eq!(read, again);
}
