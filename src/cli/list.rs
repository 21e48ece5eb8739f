//! `popsync list`: the messages on the server, and their state here.

use std::sync::Arc;

use crate::account::Account;
use crate::exit::Exit;
use crate::sync::{self, Survey, system_clock};

use super::args::{Global, List};
use super::output::{self, Output};
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
        output.survey(&account.name, &survey)
    })
}
