//! `password-file`: a file that nobody else can read, or a pipe.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::task;
use tokio::time;

use super::LIMIT;
use crate::auth::error::{Error, Origin};

/// Read permission of the group and of others.
const READ_BY_OTHERS: u32 = 0o044;

/// What the file holds, up to its first line end.
pub(super) async fn content(path: PathBuf, limit: Duration) -> Result<Zeroizing<Vec<u8>>, Error> {
    let origin = Origin::File(path.clone());
    // A named pipe that nobody writes to blocks in open(2). That thread is then left behind.
    match time::timeout(limit, task::spawn_blocking(move || read(&path))).await {
        Ok(Ok(result)) => result,
        Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
        Err(_) => Err(Error::TimedOut { origin, limit }),
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |source| Error::FileIo {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    // Asked of the open file, so that it cannot be exchanged between the check and the reading.
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != 0 {
        return Err(Error::FileOwner {
            path: path.to_owned(),
            owner: metadata.uid(),
        });
    }
    if metadata.mode() & READ_BY_OTHERS != 0 {
        return Err(Error::FileMode {
            path: path.to_owned(),
            mode: metadata.mode() & 0o777,
        });
    }
    first_line(file).map_err(failed)
}

/// Reads until a line end, the end, or one octet more than a password may have.
pub(super) fn first_line(mut file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    // Never grown: growing would leave a copy behind.
    let mut buffer = Zeroizing::new(vec![0; LIMIT + 1]);
    let mut filled = 0;
    while filled < buffer.len() && !buffer[..filled].contains(&b'\n') {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}
