//! Everything that leaves the program: data on stdout, the rest on stderr.
//!
//! This is the only place that prints. `streams` is how, and has what protects a person's terminal;
//! the other modules are what, one for each command.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache;
pub(super) use crate::causes::chain;
use crate::config;
use crate::exit::Exit;
use crate::stop::Signal;
use crate::sync::{Outcome, Summary};

pub(super) use account::Trial;
pub(super) use history::duration;
use json::Line;
pub(super) use list::Watcher;
pub(super) use reporter::AccountReporter;
pub(super) use status::{AccountStatus, Level, metrics};
use streams::Streams;
use total::Total;

mod account;
mod config_file;
mod export;
mod history;
mod hook;
mod import;
mod json;
mod list;
pub(super) mod log;
mod login;
mod probe;
mod progress;
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
mod verify;
mod warning;
mod wrap;

/// What the command line says about output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    /// JSON lines on stdout instead of text.
    pub(super) json: bool,
    /// Only errors on stderr.
    pub(super) quiet: bool,
    /// Plans are printed, and nothing is done that bars could show.
    pub(super) dry_run: bool,
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
            Err(error) => {
                self.problem(None, &format!("cannot write to standard output: {error}"));
                Exit::IoError
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

    /// An error before any account began.
    pub(super) fn config_error(&self, error: &config::Error) -> Exit {
        let hint = error.advice();
        let exit = error.exit();
        self.json(|| Line::Error {
            account: None,
            exit: exit.code(),
            message: sanitize::text(&chain(error)).into_owned(),
            hint: hint.clone(),
        });
        self.problem(None, &chain(error));
        if let Some(snippet) = error.snippet() {
            for line in snippet.lines() {
                self.line(line);
            }
        }
        self.hint(hint.as_deref());
        exit
    }

    /// The state of all accounts cannot be read.
    pub(super) fn cache_error(&self, error: &cache::Error) -> Exit {
        let (exit, hint) = (error.exit(), error.advice());
        let message = chain(error);
        self.problem(None, &message);
        self.hint(hint.as_deref());
        self.json(|| Line::Error {
            account: None,
            exit: exit.code(),
            message: sanitize::text(&message).into_owned(),
            hint,
        });
        exit
    }

    /// That there is nothing to show, for people.
    pub(super) fn nothing(&self, message: &str) {
        if self.streams.is_watched() && !self.options.json {
            self.line(message);
        }
    }

    /// What `popsync mark` or `unmark` did to a message.
    pub(super) fn marked(&self, account: &str, unique_id: &[u8], marked: bool, stored: bool) {
        let id = sanitize::unique_id(unique_id);
        self.nothing(&match (marked, stored) {
            (_, true) => format!("{account}: {id} is stored already"),
            (true, _) => format!("{account}: {id} is retrieved whole by the next sync"),
            (false, _) => format!("{account}: {id} stays on the server, but for its header"),
        });
        self.json(|| Line::Marked {
            account,
            unique_id: id,
            marked,
            stored,
        });
    }

    /// A mistake that concerns an account, and has no error type of its own.
    pub(super) fn account_problem(&self, account: &str, message: &str, exit: Exit) {
        self.problem(Some(account), message);
        self.json(|| Line::Error {
            account: Some(account),
            exit: exit.code(),
            message: sanitize::text(message).into_owned(),
            hint: None,
        });
    }

    /// An error of one account.
    fn account_error(&self, account: &str, error: &dyn Error, exit: Exit, hint: Option<String>) {
        let message = chain(error);
        self.problem(Some(account), &message);
        self.hint(hint.as_deref());
        self.json_error(account, &message, exit, hint);
    }

    fn json_error(&self, account: &str, message: &str, exit: Exit, hint: Option<String>) {
        self.json(|| Line::Error {
            account: Some(account),
            exit: exit.code(),
            message: sanitize::text(message).into_owned(),
            hint,
        });
    }

    /// How an account's run ended: the error, then what was done all the same. An error that it is
    /// too early to complain of is for a person at a terminal, and for programs.
    pub(super) fn outcome(&self, account: &str, outcome: &Outcome, complaint: Complaint) -> Exit {
        let exit = outcome.exit();
        if let Err(error) = &outcome.result {
            let (message, hint) = (chain(error), outcome.advice());
            match complaint {
                Complaint::PutOff if !self.streams.is_watched() => {
                    tracing::debug!(target: log::STEPS, "too early to complain: {message}");
                }
                Complaint::Late { since } => {
                    let since = time::zoned(since);
                    self.problem(Some(account), &format!("{message}; failing since {since}"));
                    self.hint(hint.as_deref());
                }
                Complaint::AtOnce | Complaint::PutOff => {
                    self.problem(Some(account), &message);
                    self.hint(hint.as_deref());
                }
            }
            self.json_error(account, &message, exit, hint);
        }
        self.summary(account, &outcome.summary, exit, outcome.result.is_ok());
        exit
    }

    /// An account's task ended by a panic, which the panic hook has told.
    pub(super) fn panicked(&self, account: &str) -> Exit {
        let exit = Exit::IoError;
        let hint = "this is a bug in popsync; please report it with the line above".to_owned();
        self.account_error(account, &Panicked, exit, Some(hint));
        self.summary(account, &Summary::default(), exit, false);
        exit
    }

    /// An account whose turn never came, because the user stopped popsync.
    pub(super) fn not_started(&self, account: &str, signal: Signal) -> Exit {
        let exit = signal.exit();
        self.summary(account, &Summary::default(), exit, false);
        exit
    }

    fn summary(&self, account: &str, summary: &Summary, exit: Exit, complete: bool) {
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        total.add(account, summary, exit);
        drop(total);
        self.json(|| Line::summary(account, summary, exit));
        let something = summary.retrieved + summary.deleted + summary.failed + summary.held > 0;
        let person = self.streams.is_watched() && (complete || something);
        // Cron mails what is printed: only when a person should look.
        let cron = summary.failed + summary.held > 0;
        let wanted = !self.options.json && !self.options.quiet && !self.options.dry_run;
        if wanted && (person || cron) {
            self.line(&terminal::summary(account, summary, complete));
        } else {
            tracing::debug!(target: log::STEPS, "{}", terminal::summary(account, summary, complete));
        }
    }

    /// Something a person should know although nothing failed.
    fn warning(&self, account: &str, message: &str) {
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
    pub(super) fn hint(&self, hint: Option<&str>) {
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

/// A task ended by a panic.
#[derive(Debug, thiserror::Error)]
#[error("stopped by an internal error")]
struct Panicked;

#[cfg(test)]
mod tests;
