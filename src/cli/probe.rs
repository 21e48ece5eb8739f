//! `popsync probe`: one server held against the rules.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use crate::account::Account;
use crate::auth::source;
use crate::config::{Base, Config, Error, Fault, Key, Origin, Store};
use crate::exit::Exit;
use crate::probe;
use crate::sync::system_clock;

use super::args::{Global, Probe, ServerFlags};
use super::output::{self, Output};
use super::prompt::Terminal;
use super::{config_path, fetch, options, run, signals};

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
    let names = [arguments.account.clone()];
    let mut accounts = Config::load(&config_path(global)?)?.select(&names)?;
    // `select` gives an account for every name.
    Ok(accounts.swap_remove(0))
}

fn of_url(arguments: &Probe, base: &Base) -> Result<Account, Fault> {
    let mut settings = fetch::server(&arguments.account, &arguments.server, base)?;
    // An account has a store; that of this one is never opened.
    settings.set_store(fetch::set("URL", Store::Maildir(PathBuf::new())))?;
    settings.finish_layer()?;
    settings.resolve(Key::Store, &Origin::Flag("URL"))
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
    let exit = runtime.block_on(async {
        // Before the dialling: Exchange closes a session that does not log in within a minute.
        match source::password(account, &prompt).await {
            Ok(password) => {
                let report = probe::run(account, &password, deep, stopped(stop)).await;
                output.report(account, &report, system_clock())
            }
            Err(error) => output.no_password(&account.name, &error),
        }
    });
    runtime.shutdown_timeout(run::PATIENCE);
    exit
}

/// Is over when the user wants the end; never where nobody can say so any more.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}
