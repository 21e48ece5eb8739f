//! Progress of work on stored messages.

use super::{Event, Reporter};

/// Work that goes on. It ends when this is dropped.
pub(super) struct Progress<'a>(&'a dyn Reporter);

impl<'a> Progress<'a> {
    /// Reports that work begins, on this many messages and octets. `doing` is a word for people.
    pub(super) fn begin(
        reporter: &'a dyn Reporter,
        doing: &'static str,
        messages: u64,
        octets: u64,
    ) -> Self {
        reporter.report(Event::WorkBegun {
            doing,
            messages,
            octets,
        });
        Self(reporter)
    }

    /// Reports that a message of this many octets is done.
    pub(super) fn done(&self, octets: u64) {
        self.0.report(Event::WorkDone { octets });
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.0.report(Event::WorkEnded);
    }
}
