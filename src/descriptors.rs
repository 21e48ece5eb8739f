//! Errors whose cause is that no more files may be open.

use std::error::Error;
use std::io;

use rustix::io::Errno;

/// The hint where there are too few.
pub(crate) const ADVICE: &str = "lower `--jobs`, or allow more open files with `ulimit -n`";

/// True if the cause of an error is that no more files may be opened, by this program or by all.
pub(crate) fn are_exhausted(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && let Some(code) = error.raw_os_error()
        {
            return [Errno::MFILE, Errno::NFILE].contains(&Errno::from_raw_os_error(code));
        }
        cause = error.source();
    }
    false
}
