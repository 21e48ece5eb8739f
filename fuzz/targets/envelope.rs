//! Whatever a message has for a header: no panic, and the same whatever follows it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use popsync::envelope::Envelope;

fuzz_target!(|header: &[u8]| {
    let read = Envelope::parse(header);
    let again = Envelope::parse(header);
    assert_eq!(read, again);
});
