//! A pseudo terminal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The time limit for a program's output.
const PATIENCE: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// A terminal, from the user's side.
pub struct Pty {
    master: File,
    slave: File,
    read: Vec<u8>,
    /// The length of the output that was already waited for.
    seen: usize,
}

impl Pty {
    /// Opens one. It is no process's controlling terminal.
    pub fn open() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let name = OsStr::from_bytes(name.as_bytes());
        let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
        Self {
            master: File::from(master),
            slave: File::from(slave),
            read: Vec::new(),
            seen: 0,
        }
    }

    /// Opens one with this many columns.
    pub fn wide(columns: u16) -> Self {
        let pty = Self::open();
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&pty.slave, size).unwrap();
        pty
    }

    /// An end for a program.
    pub fn end(&self) -> Stdio {
        self.slave.try_clone().unwrap().into()
    }

    /// Closes the terminal while a program uses it: all its operations there fail.
    pub fn hang_up(self) -> Hung {
        Hung(self.slave)
    }

    /// Reads the programs' output until it has this text after the last one waited for.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        loop {
            let unseen = &self.read[self.seen..];
            let found = unseen
                .windows(text.len())
                .position(|part| part == text.as_bytes());
            if let Some(at) = found {
                self.seen += at + text.len();
                return;
            }
            let shown = String::from_utf8_lossy(unseen);
            let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
            let count = poll(&mut ready, Some(&PATIENCE)).unwrap();
            assert!(count > 0, "`{text}` does not come, but `{shown}`");
            let count = self.master.read(&mut buffer).unwrap_or(0);
            assert!(
                count > 0,
                "`{text}` does not come, but `{shown}`, and the end"
            );
            self.read.extend_from_slice(&buffer[..count]);
        }
    }

    /// Types a line there.
    pub fn enter(&mut self, line: &str) {
        self.master.write_all(line.as_bytes()).unwrap();
        self.master.write_all(b"\n").unwrap();
    }

    /// All output of the programs, until the last of them has ended.
    pub fn read_to_end(self) -> Vec<u8> {
        let Self {
            mut master,
            slave,
            mut read,
            ..
        } = self;
        drop(slave);
        let mut buffer = [0; 4096];
        // At the end Linux returns an error.
        while let Ok(count @ 1..) = master.read(&mut buffer) {
            read.extend_from_slice(&buffer[..count]);
        }
        read
    }
}

/// A terminal that is gone.
pub struct Hung(File);

impl Hung {
    /// An end for a program.
    pub fn end(&self) -> Stdio {
        self.0.try_clone().unwrap().into()
    }
}
