//! The states that `status`, `report` and `log` read: that of `--state-dir`, or those of `--merge`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::cache::{self, Cache, FILE_NAME};
use crate::config::{self, Base};
use crate::exit::Exit;
use crate::failure::Failure;

use super::args::{Global, Merge};
use super::output::Output;
use super::{state_dir, target};

/// States that are open for reading.
pub(super) struct States {
    open: Vec<State>,
    left_out: Vec<LeftOut>,
    /// True for those of `--merge`: one that cannot be read does not keep the others back.
    are_merged: bool,
}

/// The state in one folder.
pub(super) struct State {
    pub(super) dir: PathBuf,
    /// None if nothing is recorded there yet.
    pub(super) cache: Option<Cache>,
}

/// A state that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the state in `{}` is left out", dir.display())]
pub(super) struct LeftOut {
    dir: PathBuf,
    #[source]
    error: Unread,
}

/// The reason why a state cannot be read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error("there is no `{FILE_NAME}`")]
    Missing,
}

impl States {
    /// Opens the states that the command line names.
    ///
    /// # Errors
    /// Those of the only state; with `--merge`, those of the names of the folders.
    pub(super) fn open(global: &Global, merge: &Merge) -> Result<Self, target::Error> {
        let mut states = Self {
            open: Vec::new(),
            left_out: Vec::new(),
            are_merged: !merge.merge.is_empty(),
        };
        if !states.are_merged {
            let dir = state_dir(global)?;
            let cache = Cache::open_read_only(&dir)?;
            states.open.push(State { dir, cache });
            return Ok(states);
        }
        for dir in &merge.merge {
            let dir = Base::current()
                .expand(dir)
                .map_err(|error| config::Error::argument("--merge", "merge", error))?;
            match Cache::open_read_only(&dir) {
                Ok(Some(cache)) => states.open.push(State {
                    dir,
                    cache: Some(cache),
                }),
                Ok(None) => states.leave_out(dir, Unread::Missing),
                Err(error) => states.leave_out(dir, error.into()),
            }
        }
        Ok(states)
    }

    /// The result of `read` for each state, in order, with the state's number; of one where nothing is
    /// recorded, the default. With `--merge`, a state for which it fails is left out.
    ///
    /// # Errors
    /// Those of `read` for the only state.
    pub(super) fn each<T: Default>(
        &mut self,
        mut read: impl FnMut(&State, &Cache) -> Result<T, cache::Error>,
    ) -> Result<Vec<(usize, T)>, cache::Error> {
        let mut results = Vec::new();
        let mut failed = Vec::new();
        for (number, state) in self.open.iter().enumerate() {
            let result = match &state.cache {
                Some(cache) => cache.at_once(|cache| read(state, cache)),
                None => Ok(T::default()),
            };
            match result {
                Ok(result) => results.push((number, result)),
                Err(error) if self.are_merged => failed.push((state.dir.clone(), error)),
                Err(error) => return Err(error),
            }
        }
        for (dir, error) in failed {
            self.leave_out(dir, error.into());
        }
        Ok(results)
    }

    /// The state of this number.
    pub(super) fn get(&self, number: usize) -> Option<&State> {
        self.open.get(number)
    }

    /// Those that are open.
    pub(super) fn all(&self) -> &[State] {
        &self.open
    }

    /// The folder of the state, if there are several and readers may ask in which one an account is.
    pub(super) fn shown_dir(&self, number: usize) -> Option<&Path> {
        let state = self.open.get(number).filter(|_| self.are_merged)?;
        Some(&state.dir)
    }

    /// Those that cannot be read.
    pub(super) fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Reports those that cannot be read. Returns the highest of their statuses.
    pub(super) fn report(&self, output: &Output) -> Exit {
        let failures = self.left_out.iter();
        let exits = failures.map(|one| output.failure(None, one));
        exits.fold(Exit::Success, Exit::merge)
    }

    /// Leaves out what `read` could not read of a state that was read before.
    ///
    /// # Errors
    /// The error, if it is the only state.
    pub(super) fn without<T>(
        &mut self,
        number: usize,
        read: Result<T, cache::Error>,
    ) -> Result<Option<T>, cache::Error> {
        match (read, self.open.get(number)) {
            (Ok(found), _) => Ok(Some(found)),
            (Err(error), Some(state)) if self.are_merged => {
                let dir = state.dir.clone();
                if self.left_out.iter().all(|one| one.dir != dir) {
                    self.leave_out(dir, error.into());
                }
                Ok(None)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn leave_out(&mut self, dir: PathBuf, error: Unread) {
        self.left_out.push(LeftOut { dir, error });
    }
}

impl Failure for LeftOut {
    fn exit(&self) -> Exit {
        match &self.error {
            Unread::Cache(error) => error.exit(),
            Unread::Missing => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match &self.error {
            Unread::Cache(error) => error.hint(),
            Unread::Missing => Some(
                "is its volume mounted? a state folder is what `--state-dir` names in a sync, and \
                 has that file after the first one"
                    .into(),
            ),
        }
    }
}
