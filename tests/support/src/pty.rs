//! A pseudo terminal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal, from the side of whoever sits there.
pub struct Pty {
    master: File,
    slave: File,
}

impl Pty {
    /// Opens one. It is nobody's controlling terminal.
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
        }
    }

    /// An end for a program.
    pub fn end(&self) -> Stdio {
        self.slave.try_clone().unwrap().into()
    }

    /// Closes the terminal while a program has it: all it does there fails.
    pub fn hang_up(self) -> Hung {
        Hung(self.slave)
    }

    /// Everything that programs write there, until the last of them has ended.
    pub fn read_to_end(self) -> Vec<u8> {
        let Self { mut master, slave } = self;
        drop(slave);
        let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
        // At the end Linux gives an error.
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
