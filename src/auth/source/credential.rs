//! A systemd credential: `LoadCredential=popsync-NAME:…` or `SetCredentialEncrypted=` of a unit put
//! it in a folder that only the unit can enter.

use std::env;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::time;

use super::{Error, Origin, file};
use crate::account::Account;
use crate::blocking;
use crate::patient::Patient;

/// The variable with the path of the folder (systemd.exec(5)).
const FOLDER: &str = "CREDENTIALS_DIRECTORY";

/// The path of the account's credential. None outside a unit with credentials, or if the account's
/// name cannot be a file name.
pub(super) fn path(account: &Account) -> Option<PathBuf> {
    let folder = env::var_os(FOLDER).filter(|folder| !folder.is_empty())?;
    let name = &account.name;
    (!name.contains('/')).then(|| PathBuf::from(folder).join(format!("popsync-{name}")))
}

/// Its content up to the first line end. None if there is no such credential.
///
/// Its mode is not checked: systemd gives the user access by an access control list, which looks
/// like group permission, and protects the folder instead.
pub(super) async fn content(
    path: PathBuf,
    limit: Duration,
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let origin = Origin::Credential(path.clone());
    let read = move || match Patient::open(&path, limit).and_then(file::first_line) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::CredentialIo { path, source }),
    };
    match time::timeout(limit, blocking::begin(read)).await {
        Ok(Ok(result)) => result,
        Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
        Err(_) => Err(Error::TimedOut { origin, limit }),
    }
}
