//! `popsync mark` and `popsync unmark`: choose the large messages that the next sync retrieves
//! whole.

use crate::cache::{self, Cache, Marked};
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::{Global, Messages};
use super::options;
use super::output::{Output, sanitize};
use super::target::Target;

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
            match set(&target, &ids, marked) {
                Ok(found) => tell(&output, name, &ids, &found, marked),
                Err(error) => output.cache_error(&error),
            }
        }
        Err(failure) => failure.tell(&output, name),
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

fn tell(output: &Output, name: &str, ids: &[Vec<u8>], found: &[Marked], marked: bool) -> Exit {
    let of = |wanted: Marked| {
        let found = ids.iter().zip(found);
        found
            .filter(move |(_, is)| **is == wanted)
            .map(|(id, _)| id)
    };
    let mut unknown = of(Marked::Unknown).peekable();
    if unknown.peek().is_some() {
        for id in unknown {
            let id = sanitize::unique_id(id);
            let message = format!("no message with the unique-id `{id}` is known");
            output.account_problem(name, &message, Exit::Usage);
        }
        output.hint(Some(
            "nothing was changed; `popsync list` shows the messages with their unique-ids, those \
             of large ones are known from the first sync with `headers-only-above` on",
        ));
        return Exit::Usage;
    }
    for id in of(Marked::Done) {
        output.marked(name, id, marked, false);
    }
    for id in of(Marked::Stored) {
        output.marked(name, id, false, true);
    }
    Exit::Success
}
