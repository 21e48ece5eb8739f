//! The command line: arguments in, an exit status out.
//!
//! Nothing here decides about mail. Arguments and configuration become accounts, the accounts
//! go to [`crate::sync`], and what that tells goes to `output`.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::account::Account;
use crate::config::{self, Base, Chosen, Config};
use crate::exit::Exit;
use crate::failure::Failure;

mod account;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod arenas;
pub mod args;
mod complete;
mod config_file;
mod descriptors;
mod every;
#[cfg(test)]
mod every_error;
mod export;
mod failed;
mod figures;
mod forget;
mod help;
mod history;
mod hooks;
mod import;
mod list;
mod login;
mod man;
mod mark;
mod output;
mod page_file;
mod probe;
mod prompt;
mod remember;
mod report;
mod run;
mod runtime;
mod schedule;
mod server;
mod shard;
mod signals;
mod states;
mod status;
mod target;
mod verify;

use args::{Cli, Color, Command, Global};
use output::{Options, Output};
use run::{AtOnce, Orders};

/// Runs the program.
pub fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    arenas::share();
    no_core_dump();
    // If it cannot be handled, the signal ends popsync as it ends most programs, and nothing is
    // lost.
    let _ = signals::survive_large_files();
    if let Some(exit) = complete::answered() {
        return exit;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    match cli.command {
        Command::Account(arguments) => account::account(&cli.global, &arguments.command),
        Command::Config(arguments) => config_file::config(&cli.global, &arguments.command),
        Command::Completions(arguments) => print(&cli.global, &complete::script(arguments.shell)),
        Command::Man(arguments) => man::man(&cli.global, &arguments),
        Command::Fetch(arguments) => {
            let account =
                || config::account(&arguments.url, arguments.keys.given(), &Base::current());
            let accounts = || Ok(Chosen::from(vec![account()?]));
            sync(
                &cli.global,
                &arguments.run,
                AtOnce::ONE,
                arguments.remember,
                accounts,
            )
        }
        Command::Verify(arguments) => verify::verify(&cli.global, &arguments),
        Command::Export(arguments) => export::export(&cli.global, &arguments),
        Command::Import(arguments) => import::import(&cli.global, &arguments),
        Command::Login(arguments) => login::login(&cli.global, &arguments),
        Command::Logout(arguments) => login::logout(&cli.global, &arguments),
        Command::Log(arguments) => history::log(&cli.global, &arguments),
        Command::List(arguments) => list::list(&cli.global, &arguments),
        Command::Mark(arguments) => mark::mark(&cli.global, &arguments.messages, true),
        Command::Unmark(arguments) => mark::mark(&cli.global, &arguments.messages, false),
        Command::Probe(arguments) => probe::probe(&cli.global, &arguments),
        Command::Schedule(arguments) => schedule::schedule(&cli.global, &arguments),
        Command::Report(arguments) => report::report(&cli.global, &arguments),
        Command::Status(arguments) => return status::status(&cli.global, &arguments),
        Command::Forget(arguments) => forget::forget(&cli.global, &arguments.name),
        Command::Sync(arguments) => {
            let accounts = || {
                let chosen = Chosen::load(&config_path(&cli.global)?, &arguments.accounts)?;
                let chosen = match arguments.shard {
                    Some(shard) => chosen.filtered(|account| shard.has(account)),
                    None => chosen,
                };
                Ok(match arguments.failed {
                    true => failed::failed(chosen, &state_dir(&cli.global)?),
                    false => chosen,
                })
            };
            let at_once = AtOnce {
                jobs: arguments.jobs.get(),
                per_host: arguments.per_host,
            };
            match arguments.every {
                Some(every) => every::every(&cli.global, every, at_once, accounts),
                None => sync(&cli.global, &arguments.run, at_once, false, accounts),
            }
        }
    }
    .into()
}

/// Keeps the memory, which will hold passwords, out of core files. A limit of their size does not
/// stop those that are piped to a program. Programs that popsync starts may still dump their own
/// memory.
fn no_core_dump() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // If even that is forbidden, nothing more can be done.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Syncs the accounts that `accounts` returns.
fn sync(
    global: &Global,
    run: &args::RunFlags,
    at_once: AtOnce,
    remember: bool,
    chosen: impl FnOnce() -> Result<Chosen, config::Error>,
) -> Exit {
    let output = Arc::new(Output::standard(options(global, run.dry_run)));
    output::log::start(global.verbose, &output);
    let exit = match chosen().and_then(|chosen| Ok((chosen, state_dir(global)?))) {
        Ok((chosen, _)) if run.same_as.is_some() && chosen.len() != 1 => {
            output.failure(None, &SameAsSeveral)
        }
        Ok((chosen, _)) if chosen.len() == 0 && chosen.unsound.is_empty() => {
            output.nothing("no account is to be synced");
            Exit::Success
        }
        Ok((chosen, state_dir)) => {
            let jobs = at_once.jobs.min(chosen.accounts.len()).max(1);
            let orders = Orders {
                at_once: AtOnce { jobs, ..at_once },
                longest_wait: run::LONGEST_WAIT,
                dry_run: run.dry_run,
                allow: run.allow(),
                same_as: run.same_as.clone(),
                remember,
                state_dir,
            };
            run::run(chosen, &orders, &output)
        }
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// `--same-as`, and not one account that it could be for.
#[derive(Debug, thiserror::Error)]
#[error("--same-as is for one account at a time")]
struct SameAsSeveral;

impl Failure for SameAsSeveral {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some("name the account that it is for".into())
    }
}

fn options(global: &Global, dry_run: bool) -> Options {
    Options {
        json: global.json,
        quiet: global.quiet,
        dry_run,
        lists_messages: global.verbose > 0,
        colour: match global.color {
            Color::Always => Some(true),
            Color::Auto => None,
            Color::Never => Some(false),
        },
    }
}

/// The path of the configuration.
fn config_path(global: &Global) -> Result<PathBuf, config::Error> {
    match &global.config {
        Some(path) => Base::current()
            .expand(path)
            .map_err(|error| config::Error::argument("--config", "config", error)),
        None => config::default_path(),
    }
}

/// The accounts of the configuration. `popsync fetch` needs none, so a missing file is fine, unless
/// the user named it.
fn accounts_if_any(global: &Global) -> Result<Vec<Account>, config::Error> {
    unless_missing(
        global,
        Config::load(&config_path(global)?).map(|config| config.accounts),
    )
}

/// The same accounts, and beside them those that have mistakes.
fn chosen_if_any(global: &Global) -> Result<Chosen, config::Error> {
    unless_missing(global, Chosen::load(&config_path(global)?, &[]))
}

/// Nothing in place of a file that is missing, and that the user did not name.
fn unless_missing<T: Default>(
    global: &Global,
    read: Result<T, config::Error>,
) -> Result<T, config::Error> {
    match read {
        Err(error)
            if global.config.is_none()
                && matches!(error.cause(), config::Cause::Missing { .. }) =>
        {
            Ok(T::default())
        }
        read => read,
    }
}

/// The account of this name in the configuration.
fn configured(global: &Global, name: &str) -> Result<Account, config::Error> {
    Chosen::load(&config_path(global)?, &[name.to_owned()])?.only()
}

/// The folder of the state.
fn state_dir(global: &Global) -> Result<PathBuf, config::Error> {
    if let Some(path) = &global.state_dir {
        return Base::current()
            .expand(path)
            .map_err(|error| config::Error::argument("--state-dir", "state-dir", error));
    }
    let dirs = directories::ProjectDirs::from("", "", "popsync")
        .ok_or(config::Cause::NoHome { what: "the state" })?;
    // Only Linux has a state folder.
    let dir = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    Ok(dir.to_owned())
}

/// Prints a result.
fn print(global: &Global, text: &str) -> Exit {
    let output = Output::standard(options(global, false));
    output.data(text.to_owned());
    output.finish()
}

/// Prints clap's result in place of arguments: an error, or the help or version that was asked for.
fn usage(error: &clap::Error) -> Exit {
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Success
    };
    match error.print().and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::IoError,
        _ => exit,
    }
}
