//! `popsync list`: the messages on the server, and what became of each here.

use std::sync::Arc;

use crate::account::Account;
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::sync::{self, Request, Survey, system_clock};

use super::args::{Global, List};
use super::output::{self, Output, Watcher};
use super::prompt::Terminal;
use super::target::Target;
use super::{config_path, options, run, signals, state_dir};

/// Lists an account.
pub(super) fn list(global: &Global, arguments: &List) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let name = &arguments.account;
    let exit = if arguments.local {
        local(global, name, &output)
    } else {
        match account(global, name) {
            Ok(account) => remote(global, &account, &output),
            Err(error) => output.config_error(&error),
        }
    };
    exit.merge(output.finish())
}

fn local(global: &Global, name: &str, output: &Output) -> Exit {
    let target = match Target::find(global, name) {
        Ok(target) => target,
        Err(failure) => return failure.tell(output, name),
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

fn account(global: &Global, name: &str) -> Result<Account, config::Error> {
    let names = [name.to_owned()];
    let mut accounts = Config::load(&config_path(global)?)?.select(&names)?;
    // `select` gives an account for every name.
    Ok(accounts.swap_remove(0))
}

fn remote(global: &Global, account: &Account, output: &Arc<Output>) -> Exit {
    let state_dir = match state_dir(global) {
        Ok(state_dir) => state_dir,
        Err(error) => return output.config_error(&error),
    };
    let started = signals::listen(output).and_then(|stop| Ok((stop, run::runtime(1)?)));
    let (stop, runtime) = match started {
        Ok(started) => started,
        Err(error) => {
            output.problem(None, &format!("cannot start: {error}"));
            return Exit::IoError;
        }
    };
    run::tell_panics(output);
    let prompt = Terminal::new(Arc::clone(output), stop.clone());
    let reporter = Watcher::new(Arc::clone(output), &account.name);
    let survey = runtime.block_on(sync::survey(&Request {
        account,
        state_dir: &state_dir,
        prompt: &prompt,
        reporter: &reporter,
        dry_run: true,
        allow: sync::Allow::default(),
        clock: system_clock,
        stop,
    }));
    let exit = output.survey(&account.name, &survey);
    runtime.shutdown_timeout(run::PATIENCE);
    exit
}
