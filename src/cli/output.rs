//! Everything that leaves the program: data on stdout, the rest on stderr.
//!
//! This is the only place that prints. `streams` is how, and has what protects a person's terminal;
//! the other modules are what, one for each command.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::HumanCount;

use crate::account::Server;
pub(super) use crate::causes::chain;
use crate::config::{Mistaken, Unsound};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop::Signal;
use crate::sync::{Outcome, Summary};

pub(super) use account::Trial;
pub(super) use failure::{Panicked, StartError, StdoutError};
use fleet::FleetBar;
pub(super) use history::duration;
use json::Line;
pub(super) use report::{AccountReport, report};
pub(super) use reporter::AccountReporter;
pub(super) use status::{AccountStatus, Level, metrics};
use streams::Streams;
use total::Total;
pub(super) use watcher::Watcher;

mod account;
mod again;
mod config_file;
mod export;
mod failure;
mod fleet;
mod history;
mod hook;
mod import;
mod json;
mod list;
pub(super) mod log;
mod login;
mod probe;
mod progress;
mod report;
mod reporter;
pub(super) mod sanitize;
mod schedule;
mod screen;
mod status;
mod stderr;
mod stdout;
mod streams;
mod table;
mod terminal;
mod time;
mod total;
mod verifications;
mod verify;
mod warning;
mod watcher;
mod wrap;

/// The options of the command line for output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    /// JSON lines on stdout instead of text.
    pub(super) json: bool,
    /// Only errors on stderr.
    pub(super) quiet: bool,
    /// Plans are printed, and nothing is done that bars could show.
    pub(super) dry_run: bool,
    /// Plans say what would become of each message, too.
    pub(super) lists_messages: bool,
    /// Colour on stderr; `None` asks the terminal.
    pub(super) colour: Option<bool>,
}

/// When a person hears of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Complaint {
    /// At once.
    AtOnce,
    /// Not yet: it may pass, and has not lasted long.
    PutOff,
    /// Now, since it has lasted long.
    Late {
        /// Since when, in seconds since 1970.
        since: i64,
    },
}

/// The pages that commands show.
pub(super) struct Output {
    options: Options,
    streams: Streams,
    /// Of the accounts that have ended.
    total: Mutex<Total>,
    /// The progress of very many accounts.
    fleet: Mutex<Option<FleetBar>>,
}

/// The result of marking a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark<'a> {
    pub(super) unique_id: &'a [u8],
    /// If the message was named by that.
    pub(super) number: Option<u32>,
    pub(super) marked: bool,
    pub(super) stored: bool,
}

impl Output {
    /// The process's own stdout and stderr.
    pub(super) fn standard(options: Options) -> Self {
        let bars = !options.json && !options.quiet && !options.dry_run;
        Self::new(options, Streams::standard(options.colour, bars))
    }

    fn new(options: Options, streams: Streams) -> Self {
        Self {
            options,
            streams,
            total: Mutex::default(),
            fleet: Mutex::default(),
        }
    }

    /// Watches one account.
    pub(super) fn reporter(self: &Arc<Self>, account: &str) -> AccountReporter {
        AccountReporter::new(Arc::clone(self), account)
    }

    /// A line of results.
    pub(super) fn data(&self, line: String) {
        self.streams.data(line);
    }

    /// Waits until stdout has taken everything. An error is said and becomes a status.
    pub(super) fn finish(&self) -> Exit {
        match self.streams.finish() {
            Ok(()) => Exit::Success,
            // There is no place for a line of JSON.
            Err(error) => {
                let error = StdoutError(error);
                self.complain(None, &chain(&error), &error);
                error.exit()
            }
        }
    }

    /// Runs `action`, which asks something on the screen: without bars there, and without lines,
    /// which come once it is answered. The accounts whose they are go on meanwhile.
    pub(super) fn question<T>(&self, action: impl FnOnce() -> T) -> T {
        self.streams.question(action)
    }

    /// Takes all bars away.
    pub(super) fn clear(&self) {
        self.streams.clear();
    }

    /// That there is nothing to show, for people.
    pub(super) fn nothing(&self, message: &str) {
        if self.streams.is_watched() && !self.options.json {
            self.line(message);
        }
    }

    /// Shows the result of `popsync mark` or `unmark` for a message.
    pub(super) fn marked(&self, account: &str, mark: Mark<'_>) {
        let id = sanitize::unique_id(mark.unique_id);
        let (marked, stored) = (mark.marked, mark.stored);
        let name = match mark.number {
            Some(number) => format!("message {number}, unique-id {id},"),
            None => id.clone(),
        };
        self.nothing(&match (marked, stored) {
            (_, true) => format!("{account}: {name} is stored already"),
            (true, _) => format!("{account}: {name} is retrieved whole by the next sync"),
            (false, _) => format!("{account}: {name} stays on the server, but for its header"),
        });
        self.json(|| Line::Marked {
            account,
            unique_id: id,
            marked,
            stored,
        });
    }

    /// How an account's run ended: the error, then what was done all the same. An error that it is
    /// too early to complain of is for a person at a terminal, and for programs.
    pub(super) fn outcome(&self, account: &str, outcome: &Outcome, complaint: Complaint) -> Exit {
        let exit = outcome.exit();
        if let Some(error) = outcome.error() {
            let message = chain(&error);
            let account = Some(account);
            match complaint {
                Complaint::PutOff if !self.streams.is_watched() => {
                    tracing::debug!(target: log::STEPS, "too early to complain: {message}");
                }
                Complaint::Late { since } => {
                    let since = time::zoned(since);
                    let message = format!("{message}; failing since {since}");
                    self.complain(account, &message, &error);
                }
                Complaint::AtOnce | Complaint::PutOff => self.complain(account, &message, &error),
            }
            self.error_line(account, &error);
        }
        self.summary(account, &outcome.summary, exit, outcome.result.is_ok());
        exit
    }

    /// An account's task ended by a panic, which the panic hook has told.
    pub(super) fn panicked(&self, account: &str) -> Exit {
        let exit = self.failure(Some(account), &Panicked);
        self.summary(account, &Summary::default(), exit, false);
        exit
    }

    /// Reports the mistakes in the configuration of these accounts.
    pub(super) fn mistakes(&self, unsound: &Unsound) -> Exit {
        for file in &unsound.files {
            self.failure(None, file);
        }
        for Mistaken { name, mistakes } in &unsound.accounts {
            for mistake in mistakes {
                // The message names the place, and with it the account.
                self.complain(None, &chain(mistake), mistake);
                self.error_line(Some(name), mistake);
            }
        }
        if unsound.is_empty() {
            Exit::Success
        } else {
            Exit::Config
        }
    }

    /// The same in place of the runs of these accounts.
    pub(super) fn not_run(&self, unsound: &Unsound) -> Exit {
        let exit = self.mistakes(unsound);
        for Mistaken { name, .. } in &unsound.accounts {
            self.summary(name, &Summary::default(), exit, false);
        }
        exit
    }

    /// An account whose turn never came, because the user stopped popsync.
    pub(super) fn not_started(&self, account: &str, signal: Signal) -> Exit {
        let exit = signal.exit();
        self.summary(account, &Summary::default(), exit, false);
        exit
    }

    /// An account that was not tried, since nobody answers at its server. People are told by
    /// [`Self::silent_servers`].
    pub(super) fn untried(&self, account: &str, outcome: &Outcome) -> Exit {
        let exit = outcome.exit();
        if let Some(error) = outcome.error() {
            self.error_line(Some(account), &error);
        }
        self.summary(account, &outcome.summary, exit, false);
        exit
    }

    /// The servers of accounts that were not tried, each as often as it has such accounts: a line for
    /// each server, and not for each account.
    pub(super) fn silent_servers(&self, servers: &[Server]) {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for server in servers {
            *counts.entry(server.to_string()).or_default() += 1;
        }
        for (server, count) in counts {
            let accounts = match count {
                1 => "one more account was".to_owned(),
                count => format!("{} more accounts were", HumanCount(count)),
            };
            let message = format!("{server}: nobody answers, so {accounts} not tried");
            self.problem(None, &message);
        }
    }

    fn summary(&self, account: &str, summary: &Summary, exit: Exit, complete: bool) {
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        total.add(account, summary, exit);
        let is_one_of_many = self.in_fleet(|fleet| fleet.end(account, &total));
        drop(total);
        self.json(|| Line::summary(account, summary, exit));
        let something = summary.retrieved + summary.deleted + summary.failed + summary.held > 0;
        let person = self.streams.is_watched() && !is_one_of_many && (complete || something);
        // Cron mails what is printed: only when a person should look.
        let cron = summary.failed + summary.held > 0;
        let wanted = !self.options.json && !self.options.quiet && !self.options.dry_run;
        if wanted && (person || cron) {
            self.line(&terminal::summary(account, summary, complete));
        } else if !self.options.dry_run {
            // The line has the account.
            tracing::debug!(target: log::STEPS, "{}", terminal::sums(summary, complete));
        }
    }

    /// Something a person should know although nothing failed.
    pub(super) fn warning(&self, account: &str, message: &str) {
        if !self.options.quiet {
            let text = format!("{account}: warning: {message}");
            self.streams.warning(&text);
        }
    }

    /// A message that could not be had.
    fn message_failed(&self, account: &str, number: u32, unique_id: &[u8], reason: &str) {
        let id = sanitize::unique_id(unique_id);
        self.problem(Some(account), &format!("message {number} ({id}): {reason}"));
    }

    /// `popsync: [ACCOUNT: ]MESSAGE`.
    pub(super) fn problem(&self, account: Option<&str>, message: &str) {
        let account = account.map_or_else(String::new, |name| format!("{name}: "));
        self.streams.problem(&format!("{account}{message}"));
    }

    /// `hint: TEXT`, where there is one.
    fn hint(&self, hint: Option<&str>) {
        if let Some(hint) = hint {
            self.streams.hint(hint);
        }
    }

    /// A line on stderr.
    pub(super) fn line(&self, line: &str) {
        self.streams.line(line);
    }

    fn json<'a>(&self, line: impl FnOnce() -> Line<'a>) {
        if self.options.json {
            self.streams.data(line().text());
        }
    }
}

#[cfg(test)]
mod tests;
