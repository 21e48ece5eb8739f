//! Completion at the prompt: a shell asks the program what may come next.
//!
//! The scripts of `popsync completions` set [`VARIABLE`] and give the words typed so far. The answer
//! comes from the definition of the arguments; names of accounts and unique-ids come from here. No
//! server and no password is asked for. Where the configuration or the state cannot be read, nothing
//! is offered and nothing is said: a message would land in the line that is being typed.

use std::env;
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use crate::cache::Cache;

use super::args::{Cli, Global};
use super::output::sanitize;
use super::{accounts_if_any, state_dir};

/// Names the shell that asks. The usual `COMPLETE` could be set for another program.
const VARIABLE: &str = "_POPSYNC_COMPLETE";

/// The names that a user would type to start the program.
const NAME: &str = "popsync";

/// zsh reads a script from its folder of functions when the first completion is asked for. That one
/// has to be answered, too.
const FIRST_IN_ZSH: &str = "\
if [[ $funcstack[1] == _popsync ]]; then
    _clap_dynamic_completer_popsync \"$@\"
fi";

/// Answers a shell that asks for completions. Returns none in a usual run.
pub(super) fn answered() -> Option<ExitCode> {
    let completing = CompleteEnv::with_factory(|| with_names(Cli::command()))
        .var(VARIABLE)
        .try_complete(env::args_os(), env::current_dir().ok().as_deref());
    match completing {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// The script that makes a shell ask.
pub(super) fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&shell.to_string()) {
        // Writing to memory cannot fail.
        let _ = shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script);
    }
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Zsh => format!("{}\n\n{FIRST_IN_ZSH}", script.trim()),
        _ => script.trim().to_owned(),
    }
}

/// Adds the names to the definition of a command and to those of its commands.
fn with_names(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let command = command.mut_args(|argument| {
        let names: fn(&Typed) -> Vec<String> = match (&*name, argument.get_id().as_str()) {
            ("log" | "mark" | "rename" | "status" | "unmark", "account" | "accounts" | "old") => {
                Typed::known
            }
            ("forget", "name") => Typed::left_behind,
            (_, "account" | "accounts") => Typed::configured,
            (_, "unique_ids") => |typed| typed.unique_ids().unwrap_or_default(),
            _ => return argument,
        };
        argument.add(ArgValueCandidates::new(move || {
            candidates(names(&Typed::read()))
        }))
    });
    command.mut_subcommands(with_names)
}

fn candidates(names: Vec<String>) -> Vec<CompletionCandidate> {
    // A name that would have to be quoted is left out: each shell quotes in another way.
    let is_plain = |name: &String| {
        let plain = |c: char| c.is_alphanumeric() || "@.-_+/=:".contains(c);
        !name.starts_with('-') && name.chars().all(plain)
    };
    let names = names.into_iter().filter(is_plain);
    names.map(CompletionCandidate::new).collect()
}

/// The words that were typed, as far as they can be understood.
struct Typed(Option<ArgMatches>);

impl Typed {
    fn read() -> Self {
        let words = env::args_os().skip_while(|word| word != "--").skip(1);
        let command = Cli::command().ignore_errors(true);
        Self(command.try_get_matches_from(words).ok())
    }

    /// The global options: they may name another configuration or state.
    fn global(&self) -> Option<Global> {
        Global::from_arg_matches(self.0.as_ref()?).ok()
    }

    /// The accounts of the configuration.
    fn configured(&self) -> Vec<String> {
        let accounts = self.global().map(|global| accounts_if_any(&global));
        let accounts = accounts.and_then(Result::ok).unwrap_or_default();
        accounts.into_iter().map(|account| account.name).collect()
    }

    /// The accounts of the configuration, and all others that something is recorded of.
    fn known(&self) -> Vec<String> {
        let mut names = self.configured();
        for name in self.recorded() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The accounts that something is recorded of and that are not in the configuration.
    fn left_behind(&self) -> Vec<String> {
        let configured = self.configured();
        let mut names = self.recorded();
        names.retain(|name| !configured.contains(name));
        names
    }

    fn cache(&self) -> Option<Cache> {
        let state_dir = state_dir(&self.global()?).ok()?;
        Cache::open_read_only(&state_dir).ok()?
    }

    fn recorded(&self) -> Vec<String> {
        let names = self.cache().and_then(|cache| cache.account_names().ok());
        let names = names.unwrap_or_default().into_iter();
        names.map(|(_, name)| name).collect()
    }

    /// The unique-ids of the account that was typed, in the order of the server's list.
    fn unique_ids(&self) -> Option<Vec<String>> {
        let (command, arguments) = self.0.as_ref()?.subcommand()?;
        let typed: &String = arguments.try_get_one("account").ok()??;
        let cache = self.cache()?;
        let names = cache.account_names().ok()?;
        let (account, _) = names.into_iter().find(|(_, name)| name == typed)?;
        let mut rows = cache.header_rows(account).ok()?;
        rows.retain(|row| row.marked == (command == "unmark"));
        let ids = rows.iter().map(|row| sanitize::unique_id(&row.unique_id));
        Some(ids.collect())
    }
}
