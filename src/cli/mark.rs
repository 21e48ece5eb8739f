//! `popsync mark` and `popsync unmark`: choose the large messages that the next sync retrieves
//! whole.

use std::borrow::Cow;

use crate::cache::{self, Cache, Marked};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sync::system_clock;

use super::args::{Global, Messages};
use super::options;
use super::output::{Output, sanitize};
use super::target::Target;

/// Why nothing was marked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// No messages have these unique-ids, which are safe for a terminal.
    #[error("{}", match &unique_ids[..] {
        [id] => format!("no message with the unique-id `{id}` is known"),
        ids => format!("no messages with these unique-ids are known: {}", ids.join(", ")),
    })]
    Unknown { unique_ids: Vec<String> },
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Cache(error) => error.exit(),
            Self::Unknown { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Cache(error) => error.hint(),
            Self::Unknown { .. } => Some(
                "nothing was changed; `popsync list` shows the messages with their unique-ids, \
                 those of large ones are known from the first sync with `headers-only-above` on"
                    .into(),
            ),
        }
    }
}

/// Marks messages, or removes the marks.
pub(super) fn mark(global: &Global, messages: &Messages, marked: bool) -> Exit {
    let output = Output::standard(options(global, false));
    let name = &messages.account;
    let exit = match Target::find(global, name) {
        Ok(target) => {
            let ids: Vec<Vec<u8>> = messages
                .unique_ids
                .iter()
                .map(|id| sanitize::octets(id))
                .collect();
            let found = set(&target, &ids, marked).map_err(Error::from);
            match found.and_then(|found| tell(&output, name, &ids, &found, marked)) {
                Ok(()) => Exit::Success,
                Err(error) => output.failure(Some(name), &error),
            }
        }
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn set(target: &Target, ids: &[Vec<u8>], marked: bool) -> Result<Vec<Marked>, cache::Error> {
    let unknown = || vec![Marked::Unknown; ids.len()];
    // If there are no records, none are created.
    let known = Cache::open_read_only(&target.state_dir)?;
    let Some(row) = known.and_then(|cache| cache.find_account(&target.identity).transpose()) else {
        return Ok(unknown());
    };
    let account = row?.id;
    let marked_at = marked.then(system_clock);
    Cache::open(&target.state_dir)?.mark(account, ids, marked_at)
}

/// Tells what became of each; of none, where one of them is unknown, which has changed nothing.
fn tell(
    output: &Output,
    name: &str,
    ids: &[Vec<u8>],
    found: &[Marked],
    marked: bool,
) -> Result<(), Error> {
    let of = |wanted: Marked| {
        let found = ids.iter().zip(found);
        found
            .filter(move |(_, is)| **is == wanted)
            .map(|(id, _)| id)
    };
    let unknown: Vec<_> = of(Marked::Unknown)
        .map(|id| sanitize::unique_id(id))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Unknown {
            unique_ids: unknown,
        });
    }
    for id in of(Marked::Done) {
        output.marked(name, id, marked, false);
    }
    for id in of(Marked::Stored) {
        output.marked(name, id, false, true);
    }
    Ok(())
}
