//! The rules of a file system, and its requests.

use rustix::io::Errno;

/// The rules of a file system that differ from those of the usual ones.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Characters that no name may hold.
    pub forbidden: &'static str,
    /// `New` and `new` are the same name.
    pub ignores_case: bool,
    /// Times of files are whole multiples of this number of seconds.
    pub seconds: u64,
    /// A file may have several names.
    pub links: bool,
    /// A rename may ask that nothing is replaced (`RENAME_NOREPLACE`).
    pub spares: bool,
    /// A rename may replace a file.
    pub replaces: bool,
    /// Files have permission bits of their own.
    pub permissions: bool,
    /// Programs may share the memory of a file.
    pub maps: bool,
    /// Folders and files keep their inode numbers when the volume is mounted again.
    pub numbers: bool,
}

impl Manners {
    /// A usual file system.
    pub const USUAL: Self = Self {
        forbidden: "",
        ignores_case: false,
        seconds: 1,
        links: true,
        spares: true,
        replaces: true,
        permissions: true,
        maps: true,
        numbers: true,
    };

    /// FAT with long names, as Linux mounts it with `umask=077`.
    pub const FAT: Self = Self {
        forbidden: "\\:*?\"<>|",
        ignores_case: true,
        seconds: 2,
        links: false,
        permissions: false,
        numbers: false,
        ..Self::USUAL
    };

    /// SFTP version 3 without extensions: a rename fails if the name is taken.
    pub const SFTP: Self = Self {
        links: false,
        spares: false,
        replaces: false,
        numbers: false,
        ..Self::USUAL
    };

    /// A file system without a cache of pages, as some of 9p and of FUSE.
    pub const DIRECT: Self = Self {
        maps: false,
        ..Self::USUAL
    };

    /// NFS.
    pub const NFS: Self = Self {
        spares: false,
        ..Self::USUAL
    };
}

/// A request that changes something. Names are those in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A new file.
    Create(String),
    /// A new folder.
    Mkdir(String),
    /// A second name for a file.
    Link(String),
    /// Another name, perhaps in another folder.
    Rename(String, String),
    /// One name less.
    Unlink(String),
    /// This many octets more.
    Write(usize),
    /// A file was closed.
    Close,
    /// A file is to be durable.
    Sync,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is carried out.
    Done,
    /// It fails.
    Fails(Errno),
    /// It is carried out, but its answer is lost; asked again, the server gives this one.
    Lost(Errno),
}
