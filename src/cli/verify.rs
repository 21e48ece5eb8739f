//! `popsync verify`: compares the local copies, and the server's, with the records.

use std::path::Path;
use std::sync::Arc;

use crate::account::Account;
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::sync::{self, Request, Scope};

use super::args::{Global, Verify};
use super::output::{self, Output};
use super::{config_path, options, runtime, state_dir};

/// Verifies the accounts of these names; all if there are none.
pub(super) fn verify(global: &Global, arguments: &Verify) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let accounts = || -> Result<_, config::Error> {
        let accounts = Config::load(&config_path(global)?)?.select(&arguments.accounts)?;
        Ok((accounts, state_dir(global)?))
    };
    let exit = match accounts() {
        Ok((accounts, state_dir)) => {
            let names_all = global.verbose > 0 || global.json;
            all(&accounts, &state_dir, scope(arguments), names_all, &output)
        }
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn scope(arguments: &Verify) -> Scope {
    Scope {
        server: arguments.server,
        deep: arguments.deep,
        repair: arguments.repair,
        accept_deletions: arguments.accept_deletions,
        parts: arguments.read_data_subset,
    }
}

/// Verifies one account after the other, since the disk is the limit. Names harmless findings if
/// `names_all`.
fn all(
    accounts: &[Account],
    state_dir: &Path,
    scope: Scope,
    names_all: bool,
    output: &Arc<Output>,
) -> Exit {
    runtime::within(output, 1, async |stop| {
        let mut exit = Exit::Success;
        for account in accounts {
            if let Some(signal) = stop.asked() {
                return exit.merge(signal.exit());
            }
            let mut tell = |finding: sync::Finding<'_>| {
                if names_all || !finding.condition.is_harmless() {
                    output.finding(&account.name, &finding);
                }
            };
            let verifying =
                async |request: &Request<'_>| sync::verify(request, scope, &mut tell).await;
            let verification =
                runtime::look(account, state_dir, output, stop.clone(), verifying).await;
            exit = exit.merge(output.verified(&account.name, &verification));
        }
        exit
    })
}
