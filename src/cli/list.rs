//! `popsync list`: the messages on the server, and their state here.

use std::path::Path;
use std::sync::Arc;

use crate::account::Account;
use crate::cache::{self, Cache};
use crate::exit::Exit;

use crate::sync::{self, State, Survey, system_clock};

use super::args::{Global, List};
use super::output::{self, Output, chain};
use super::target::Target;
use super::{configured, options, runtime, state_dir};

/// Lists an account.
pub(super) fn list(global: &Global, arguments: &List) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let name = &arguments.account;
    let exit = if arguments.local {
        local(global, name, &output)
    } else {
        match configured(global, name) {
            Ok(account) => remote(global, &account, &output),
            Err(error) => output.failure(None, &error),
        }
    };
    exit.merge(output.finish())
}

fn local(global: &Global, name: &str, output: &Output) -> Exit {
    let target = match Target::find(global, name) {
        Ok(target) => target,
        Err(error) => return output.failure(None, &error),
    };
    let survey = match sync::survey_local(&target.remains(), system_clock()) {
        Ok(entries) => Survey {
            entries,
            result: Ok(()),
        },
        Err(error) => Survey {
            entries: Vec::new(),
            result: Err(error),
        },
    };
    output.survey(name, &survey)
}

fn remote(global: &Global, account: &Account, output: &Arc<Output>) -> Exit {
    let state_dir = match state_dir(global) {
        Ok(state_dir) => state_dir,
        Err(error) => return output.failure(None, &error),
    };
    runtime::within(output, 1, async |stop| {
        let survey = runtime::look(account, &state_dir, output, stop, sync::survey).await;
        // Before they are on the screen, where a person may mark by them.
        if let Err(error) = keep_numbers(account, &state_dir, &survey) {
            output.warning(
                &account.name,
                &format!(
                    "`popsync mark` cannot go by these numbers: {}",
                    chain(&error)
                ),
            );
        }
        output.survey(&account.name, &survey)
    })
}

/// Keeps the numbers of messages that can be marked. They are known only in this session.
fn keep_numbers(account: &Account, state_dir: &Path, survey: &Survey) -> Result<(), cache::Error> {
    let mut large = survey.entries.iter();
    // If there are none, there may be no state either, and none is created.
    if !large.any(|entry| entry.state == State::HeadersOnly) {
        return Ok(());
    }
    let mut cache = Cache::open(state_dir)?;
    let Some(row) = cache.find_account(&account.identity)? else {
        return Ok(());
    };
    let shown = survey.entries.iter();
    let shown = shown.filter_map(|entry| Some((entry.number?, &*entry.unique_id)));
    cache.numbers_shown(row.id, shown)
}
