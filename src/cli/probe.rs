//! `popsync probe`: one server held against the rules.

use std::path::PathBuf;
use std::sync::Arc;

use crate::account::Account;
use crate::auth::source;
use crate::config::{Base, Error, Fault, Key, Origin, Store};
use crate::exit::Exit;
use crate::probe;
use crate::sync::system_clock;

use super::args::{Global, Probe, ServerFlags};
use super::output::{self, Output};
use super::prompt::Terminal;
use super::{configured, fetch, options, runtime};

/// Probes the server of an account, or of a URL.
pub(super) fn probe(global: &Global, arguments: &Probe) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let is_url = arguments.account.contains("://");
    let exit = match flag(&arguments.server) {
        Some(flag) if !is_url => needless(&output, flag, &arguments.account),
        _ => match account(global, arguments, is_url) {
            Ok(account) => visit(&account, arguments.deep, &output),
            Err(error) => output.config_error(&error),
        },
    };
    exit.merge(output.finish())
}

fn account(global: &Global, arguments: &Probe, is_url: bool) -> Result<Account, Error> {
    if is_url {
        return of_url(arguments, &Base::current()).map_err(Error::from);
    }
    configured(global, &arguments.account)
}

fn of_url(arguments: &Probe, base: &Base) -> Result<Account, Fault> {
    let mut settings = fetch::server(&arguments.account, &arguments.server, base)?;
    // An account has a store; that of this one is never opened.
    settings.set_store(fetch::set("URL", Store::Maildir(PathBuf::new())))?;
    settings.finish_layer()?;
    Ok(settings.resolve(Key::Store, &Origin::Flag("URL"))?)
}

/// A flag that says something about the account.
fn flag(flags: &ServerFlags) -> Option<&'static str> {
    [
        ("--user", flags.user.is_some()),
        ("--auth", flags.auth.is_some()),
        ("--password-command", flags.password_command.is_some()),
        ("--oauth-token-command", flags.oauth_token_command.is_some()),
        ("--password-file", flags.password_file.is_some()),
        ("--password-netrc", flags.password_netrc.is_some()),
        ("--profile", flags.profile.is_some()),
        ("--timeout", flags.timeout.is_some()),
    ]
    .into_iter()
    .chain(flags.tls.given())
    .chain(flags.route.given())
    .find_map(|(flag, given)| given.then_some(flag))
}

fn needless(output: &Output, flag: &str, account: &str) -> Exit {
    output.problem(None, &format!("{flag}: `{account}` is no URL"));
    output.hint(Some(
        "an account has its settings in the configuration file; a URL begins with `pop3s://` or \
         `pop3://`",
    ));
    Exit::Usage
}

fn visit(account: &Account, deep: bool, output: &Arc<Output>) -> Exit {
    runtime::within(output, 1, async |stop| {
        let prompt = Terminal::new(Arc::clone(output), stop.clone());
        // Before the dialling: Exchange closes a session that does not log in within a minute.
        match source::password(account, &prompt).await {
            Ok(password) => {
                let report = probe::run(account, &password, deep, stop.wait()).await;
                output.report(account, &report, system_clock())
            }
            Err(error) => output.no_password(&account.name, &error),
        }
    })
}
