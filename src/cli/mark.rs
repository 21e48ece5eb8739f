//! `popsync mark` and `popsync unmark`: choose the large messages that the next sync retrieves
//! whole.

use std::borrow::Cow;

use crate::cache::{self, AccountId, Cache, Marked};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sync::system_clock;

use super::args::{Global, Messages};
use super::options;
use super::output::{Mark, Output, sanitize};
use super::target::Target;

/// Why nothing was marked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// No messages have these unique-ids or numbers, which are safe for a terminal.
    #[error("{}", match &typed[..] {
        [id] => format!("no message with the unique-id or number `{id}` can be marked"),
        ids => format!(
            "no messages with these unique-ids or numbers can be marked: {}",
            ids.join(", ")
        ),
    })]
    Unknown { typed: Vec<String> },
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
                "nothing was changed; `popsync list` shows the messages with their numbers; large \
                 ones can be marked from the first sync with `headers-only-above` on"
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
            let set = set(&target, &messages.unique_ids, marked).map_err(Error::from);
            match set.and_then(|set| tell(&output, name, &set, marked)) {
                Ok(()) => Exit::Success,
                Err(error) => output.failure(Some(name), &error),
            }
        }
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// A message that a person named.
struct Named {
    unique_id: Vec<u8>,
    /// If it was named by that.
    number: Option<u32>,
    found: Marked,
}

impl Named {
    /// A unique-id, whatever else it may look like. If no message has it, the number that the last
    /// `popsync list` showed.
    fn find(cache: &Cache, account: AccountId, typed: &str) -> Result<Self, cache::Error> {
        let mut named = Self::unknown(typed);
        if !cache.knows(account, &named.unique_id)?
            && let Ok(number) = typed.parse()
            && let Some(unique_id) = cache.shown_under(account, number)?
        {
            named.unique_id = unique_id;
            named.number = Some(number);
        }
        Ok(named)
    }

    fn unknown(typed: &str) -> Self {
        Self {
            unique_id: sanitize::octets(typed),
            number: None,
            found: Marked::Unknown,
        }
    }
}

fn set(target: &Target, typed: &[String], marked: bool) -> Result<Vec<Named>, cache::Error> {
    // If there are no records, none are created.
    let known = Cache::open_read_only(&target.state_dir)?;
    let row = known.and_then(|cache| cache.find_account(&target.identity).transpose());
    let Some(row) = row.transpose()? else {
        return Ok(typed.iter().map(|typed| Named::unknown(typed)).collect());
    };
    let mut cache = Cache::open(&target.state_dir)?;
    let named = typed.iter().map(|typed| Named::find(&cache, row.id, typed));
    let mut named = named.collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<Vec<u8>> = named.iter().map(|named| named.unique_id.clone()).collect();
    let found = cache.mark(row.id, &ids, marked.then(system_clock))?;
    for (named, found) in named.iter_mut().zip(found) {
        named.found = found;
    }
    Ok(named)
}

/// Tells what became of each. If one of them is unknown, nothing has changed.
fn tell(output: &Output, name: &str, named: &[Named], marked: bool) -> Result<(), Error> {
    let of = |wanted: Marked| named.iter().filter(move |named| named.found == wanted);
    let unknown: Vec<_> = of(Marked::Unknown)
        .map(|named| sanitize::unique_id(&named.unique_id))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Unknown { typed: unknown });
    }
    for message in of(Marked::Done).chain(of(Marked::Stored)) {
        let stored = message.found == Marked::Stored;
        let mark = Mark {
            unique_id: &message.unique_id,
            number: message.number,
            marked: marked && !stored,
            stored,
        };
        output.marked(name, mark);
    }
    Ok(())
}
