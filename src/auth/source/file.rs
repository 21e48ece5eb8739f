//! `password-file`: a file that nobody else can read, or a pipe.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::time;

use super::{Error, LIMIT, Origin};
use crate::auth::private_file;
use crate::auth::wiped;
use crate::blocking;
use crate::patient::Patient;

/// The content of the file up to its first line end.
pub(super) async fn content(path: PathBuf, limit: Duration) -> Result<Zeroizing<Vec<u8>>, Error> {
    let origin = Origin::File(path.clone());
    // It may be a pipe without a writer. The thread is then left behind.
    match time::timeout(limit, blocking::begin(move || read(&path))).await {
        Ok(Ok(result)) => result,
        Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
        Err(_) => Err(Error::TimedOut { origin, limit }),
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    private_file::open(path)
        .and_then(|file| Ok(first_line(file)?))
        .map_err(|error| Error::File {
            key: "password-file",
            path: path.to_owned(),
            error,
        })
}

/// Reads until a line end, the end, or one octet more than a password may have.
pub(super) fn first_line(file: Patient) -> io::Result<Zeroizing<Vec<u8>>> {
    wiped::read_until(file, LIMIT + 1, |read| read.contains(&b'\n'))
}
