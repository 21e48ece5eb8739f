//! The store for tokens: the keyring, or a file that nobody else can read.
//!
//! Some providers accept each refresh token only once. So a new one is made durable before the
//! access token that came with it is used, and replaces the old one in one step.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use secrecy::SecretString;
use tokio::time::timeout;

use super::TokenError;
use super::error::{Place, StoreError};
use super::token::Tokens;
use crate::account::{Account, OAuth};
use crate::auth::{keyring, private_file, wiped};
use crate::blocking;
use crate::durable;

/// The largest file that is read.
const LIMIT: usize = 256 * 1024;

/// The time that another process may hold the tokens: longer than a renewal takes, with the command
/// that prints the client secret.
const CLAIM: Duration = Duration::from_secs(120);

/// Permissions of anybody but the owner.
const OTHERS: u32 = 0o077;

/// The place of an account's tokens.
#[derive(Debug, Clone)]
pub(super) enum Store {
    File(PathBuf),
    Keyring(keyring::Entry),
}

impl Store {
    pub(super) fn of(account: &Account, oauth: &OAuth) -> Self {
        match &oauth.token_file {
            Some(path) => Self::File(path.clone()),
            None => Self::Keyring(keyring::Entry::tokens(account)),
        }
    }

    /// The text that distinguishes it from other stores.
    pub(super) fn key(&self) -> String {
        format!("{self:?}")
    }

    /// The tokens, if there are any.
    pub(super) async fn load(&self) -> Result<Option<Tokens>, TokenError> {
        let text = match self {
            Self::File(path) => {
                let path = path.clone();
                blocking(move || read(&path)).await
            }
            Self::Keyring(entry) => keyring::get(entry).await.map_err(StoreError::Keyring),
        };
        let place = || match self {
            Self::File(path) => Place::File(path.clone()),
            Self::Keyring(_) => Place::Keyring,
        };
        let Some(text) = text.map_err(TokenError::Store)? else {
            return Ok(None);
        };
        match Tokens::of_text(&text) {
            Some(tokens) => Ok(Some(tokens)),
            None => Err(TokenError::Store(StoreError::Content { place: place() })),
        }
    }

    /// Keeps other processes from changing the tokens until it is dropped. None if there is no file
    /// to lock, or another process holds the lock too long; the caller goes on without it.
    pub(super) async fn claim(&self) -> Option<File> {
        let path = match self {
            // Each save replaces the file, so the lock is on its folder.
            Self::File(path) => durable::folder_of(path).to_owned(),
            Self::Keyring(_) => common_file()?,
        };
        let shown = path.display().to_string();
        let claiming = blocking::begin(move || match File::open(&path) {
            Ok(file) => file.lock().map(|()| file),
            Err(error) => Err(error),
        });
        match timeout(CLAIM, claiming).await {
            Ok(Ok(Ok(file))) => return Some(file),
            Ok(Ok(Err(error))) => tracing::debug!("cannot lock {shown}: {error}"),
            Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
            Err(_) => tracing::debug!("{shown} is locked for too long"),
        }
        None
    }

    /// Fails if tokens could not be stored here. The content does not matter.
    pub(super) async fn check(&self) -> Result<(), TokenError> {
        match self.load().await {
            Err(TokenError::Store(StoreError::Content { .. })) => Ok(()),
            loaded => loaded.map(|_| ()),
        }
    }

    /// Replaces the stored tokens with these.
    pub(super) async fn save(&self, tokens: &Tokens) -> Result<(), TokenError> {
        let text = tokens.text();
        match self {
            Self::File(path) => {
                let path = path.clone();
                blocking(move || write(&path, &text)).await
            }
            Self::Keyring(entry) => keyring::set(entry, &text)
                .await
                .map_err(StoreError::Keyring),
        }
        .map_err(TokenError::Store)
    }

    /// Removes them. Returns false if there were none.
    pub(super) async fn remove(&self) -> Result<bool, TokenError> {
        match self {
            Self::File(path) => {
                let path = path.clone();
                blocking(move || remove(&path)).await
            }
            Self::Keyring(entry) => keyring::remove(entry).await.map_err(StoreError::Keyring),
        }
        .map_err(TokenError::Store)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match blocking::begin(work).await {
        Ok(result) => result,
        Err(join) => std::panic::resume_unwind(join.into_panic()),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File {
        path: path.clone(),
        source,
    }
}

fn read(path: &Path) -> Result<Option<SecretString>, StoreError> {
    let failed = failed(path);
    let mut options = OpenOptions::new();
    // Otherwise a pipe without a writer would block for ever.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = match options.read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Checks the open file, so that it cannot be exchanged between the check and the reading.
    let metadata = file.metadata().map_err(&failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is no file")));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::FileOwner {
            path: path.to_owned(),
            owner: metadata.uid(),
        });
    }
    if metadata.mode() & OTHERS != 0 {
        return Err(StoreError::FileMode {
            path: path.to_owned(),
            mode: metadata.mode() & 0o777,
        });
    }
    let content = wiped::read_until(file, LIMIT, |_| false).map_err(&failed)?;
    let text = str::from_utf8(&content).unwrap_or_default();
    Ok(Some(SecretString::from(Box::<str>::from(text))))
}

/// An empty file that all processes of this user use, created if it is missing.
fn common_file() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "popsync")?;
    let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    let path = folder.join("oauth.lock");
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).mode(0o600);
            options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
            options.open(&path)
        });
    match made {
        Ok(_) => Some(path),
        Err(error) => {
            tracing::debug!("cannot make {}: {error}", path.display());
            None
        }
    }
}

fn write(path: &Path, text: &SecretString) -> Result<(), StoreError> {
    private_file::write(path, text).map_err(failed(path))
}

fn remove(path: &Path) -> Result<bool, StoreError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_file_is_for_its_owner_alone_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        assert!(read(&path).unwrap().is_none());
        for text in ["one", "two"] {
            write(&path, &SecretString::from(text)).unwrap();
            assert_eq!(read(&path).unwrap().unwrap().expose_secret(), text);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        // No other file is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        for mode in [0o640, 0o604, 0o620, 0o602] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(error, StoreError::FileMode { .. }), "{error:?}");
        }
        assert!(remove(&path).unwrap() && !remove(&path).unwrap());
    }

    #[test]
    fn a_pipe_is_no_token_file_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let error = read(&path).unwrap_err();
        assert!(matches!(error, StoreError::File { .. }), "{error:?}");
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/tokens");
        let error = write(&path, &SecretString::from("geheim")).unwrap_err();
        assert!(matches!(error, StoreError::File { .. }));
        assert!(!format!("{error:?}").contains("geheim"));
        assert!(matches!(read(folder.path()), Err(StoreError::File { .. })));
    }
}
