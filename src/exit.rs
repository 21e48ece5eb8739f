//! Exit statuses: the sysexits that mail tools and their supervisors know.

use std::process::ExitCode;

/// The result of a run, as the number that the shell sees.
///
/// The order is the order of the numbers, so that the worse of two is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// 0: all done.
    Success = 0,
    /// 1: some messages could not be retrieved or deleted; the rest are safe.
    Partial = 1,
    /// 64: the command line is wrong (`EX_USAGE`).
    Usage = 64,
    /// 65: bad data from the server stopped the run (`EX_DATAERR`).
    DataError = 65,
    /// 69: the server is unavailable (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// 73: the store or the state cannot be created (`EX_CANTCREAT`).
    CannotCreate = 73,
    /// 74: reading or writing local files failed (`EX_IOERR`).
    IoError = 74,
    /// 75: try again later: locked maildrop, another run, time-out, throttling (`EX_TEMPFAIL`).
    TemporaryFailure = 75,
    /// 76: the server broke the protocol (`EX_PROTOCOL`).
    Protocol = 76,
    /// 77: authentication or permission (`EX_NOPERM`).
    NoPermission = 77,
    /// 78: the configuration is wrong (`EX_CONFIG`).
    Config = 78,
    /// 129: ended by SIGHUP, after complete messages were recorded.
    HungUp = 129,
    /// 130: ended by SIGINT, after complete messages were recorded.
    Interrupted = 130,
    /// 131: ended by SIGQUIT, after complete messages were recorded.
    Quit = 131,
    /// 143: ended by SIGTERM, after complete messages were recorded.
    Terminated = 143,
}

impl Exit {
    /// Every status with its meaning in a few words, for `--help` and the man page.
    pub const TABLE: [(Self, &'static str); 15] = [
        (Self::Success, "all done"),
        (
            Self::Partial,
            "some messages could not be retrieved or deleted; the rest are safe",
        ),
        (Self::Usage, "the command line is wrong"),
        (Self::DataError, "bad data from the server stopped the run"),
        (
            Self::Unavailable,
            "the server is unavailable or not to be trusted",
        ),
        (
            Self::CannotCreate,
            "the store or the state cannot be created",
        ),
        (Self::IoError, "reading or writing local files failed"),
        (
            Self::TemporaryFailure,
            "try again later: mailbox locked, another run active, time-out, connection lost",
        ),
        (Self::Protocol, "the server broke the protocol"),
        (Self::NoPermission, "authentication or permission refused"),
        (Self::Config, "the configuration is wrong"),
        (
            Self::HungUp,
            "ended by SIGHUP (the terminal was closed); what was complete is recorded",
        ),
        (
            Self::Interrupted,
            "ended by SIGINT (Ctrl-C); what was complete is recorded",
        ),
        (
            Self::Quit,
            "ended by SIGQUIT; what was complete is recorded",
        ),
        (
            Self::Terminated,
            "ended by SIGTERM; what was complete is recorded",
        ),
    ];

    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The status of a run that came to its end, where so many messages are not as they should be:
    /// the only place that says when it is [`Self::Partial`].
    #[must_use]
    pub fn after(failed: u64) -> Self {
        match failed {
            0 => Self::Success,
            _ => Self::Partial,
        }
    }

    /// The status of a run over several accounts: the highest-numbered failure.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.max(other)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_numbered_failure_wins() {
        assert_eq!(Exit::Success.merge(Exit::Partial), Exit::Partial);
        assert_eq!(
            Exit::NoPermission.merge(Exit::Unavailable),
            Exit::NoPermission
        );
        assert_eq!(Exit::Success.merge(Exit::Success), Exit::Success);
    }

    #[test]
    fn the_table_is_in_order_and_holds_each_status_once() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(
            codes,
            [0, 1, 64, 65, 69, 73, 74, 75, 76, 77, 78, 129, 130, 131, 143]
        );
    }
}
