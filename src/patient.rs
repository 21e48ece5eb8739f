//! Files that people write, or pipes such as those of a shell's `<(…)`. Reads wait for a pipe, but
//! not for ever.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// The time limit for all of a pipe, if nobody gives another.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A file that is read within a time limit.
#[derive(Debug)]
pub struct Patient {
    file: File,
    until: Instant,
}

impl Patient {
    /// Opens a file that is to be read within this time.
    ///
    /// # Errors
    /// The system's. A pipe that nobody writes to can be opened.
    pub(crate) fn open(path: &Path, limit: Duration) -> io::Result<Self> {
        // Otherwise open(2) would wait for a writer of the pipe for ever.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)?;
        Ok(Self {
            file,
            until: Instant::now() + limit,
        })
    }

    /// The metadata of the open file.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }
}

/// The text without the byte order mark that some editors write.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let left = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            // A file is always ready; a pipe is ready once somebody has written to it, or closed it
            // again.
            match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&left)) {
                Ok(0) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "it is a pipe, and nobody wrote to it in time",
                    ));
                }
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            match self.file.read(buffer) {
                // Another process has read it first.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    fn pipe() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        (folder, path)
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_has_an_end() {
        let (_folder, path) = pipe();
        let limit = Duration::from_millis(50);
        let mut read = String::new();
        let error = Patient::open(&path, limit)
            .unwrap()
            .read_to_string(&mut read);
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // Nor does a pipe that is left open.
        let held = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        (&held).write_all(b"half").unwrap();
        let error = Patient::open(&path, limit)
            .unwrap()
            .read_to_string(&mut read);
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_pipe_is_read_to_its_end() {
        let (_folder, path) = pipe();
        let mut pipe = Patient::open(&path, READ_TIMEOUT).unwrap();
        let writer = thread::spawn(move || {
            let mut pipe = OpenOptions::new().write(true).open(&path).unwrap();
            for part in ["one\n", "two\n"] {
                pipe.write_all(part.as_bytes()).unwrap();
            }
        });
        let mut read = String::new();
        pipe.read_to_string(&mut read).unwrap();
        writer.join().unwrap();
        assert_eq!(read, "one\ntwo\n");
    }
}
