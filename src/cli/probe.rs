//! `popsync probe`: checks one server against the rules.

use std::sync::Arc;

use crate::account::Account;
use crate::auth;
use crate::exit::Exit;
use crate::probe;
use crate::sync::system_clock;

use super::args::{Global, Probe};
use super::output::{self, Output};
use super::prompt::Terminal;
use super::{options, runtime, server};

/// Probes the server of an account, or of a URL.
pub(super) fn probe(global: &Global, arguments: &Probe) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let exit = match server::account(global, &arguments.account, &arguments.server) {
        Ok(account) => visit(&account, arguments.deep, &output),
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn visit(account: &Account, deep: bool, output: &Arc<Output>) -> Exit {
    runtime::within(output, 1, async |stop| {
        let prompt = Terminal::new(Arc::clone(output), stop.clone());
        // A failed connection belongs in the report.
        match auth::password::<auth::Error>(account, &prompt, async || Ok(())).await {
            Ok(password) => {
                let report = probe::run(account, &password, deep, stop.wait()).await;
                output.report(account, &report, system_clock())
            }
            Err(error) => output.failure(Some(&account.name), &error),
        }
    })
}
