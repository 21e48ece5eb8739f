//! The arguments of the commands about what is known without a server: `status`, `log`, `report` and `forget`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::cli::help;
use crate::config::quantity;

use super::flags::number;

/// The states of several machines.
#[derive(Debug, Args)]
pub(in crate::cli) struct Merge {
    /// Read the states in these folders together, in place of the one of --state-dir
    ///
    /// For accounts that several machines share with `sync --shard`. They are only read, also while
    /// runs are at work on them. An account that is in several, since it moved from one machine to
    /// another, is shown once, with its newest records. What cannot be read is named, and the rest is
    /// shown. All words behind it are folders, up to the next option.
    #[arg(
        long,
        value_name = "DIR",
        num_args = 1..,
        value_hint = ValueHint::DirPath
    )]
    pub(in crate::cli) merge: Vec<PathBuf>,
}

/// Show what is known of accounts, without asking a server
///
/// A table with a row for each account of the configuration: its last run, how many messages are
/// stored, how many are on the server, and what is due for removal there. With ACCOUNT, all that is
/// known of it.
#[derive(Debug, Args)]
#[command(after_long_help = help::status())]
pub(in crate::cli) struct Status {
    /// Accounts to show [default: all of the configuration]
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,

    /// Show what removed accounts and `popsync fetch` left behind, too
    ///
    /// Without a configuration file it is shown anyway.
    #[arg(long, conflicts_with_all = ["accounts", "check", "metrics"])]
    pub(in crate::cli) all: bool,

    /// Say in one line whether all is well, as a monitoring plugin
    ///
    /// The exit status is 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN).
    #[arg(long)]
    pub(in crate::cli) check: bool,

    /// Age of the last good run from which --check is CRITICAL
    ///
    /// In seconds, or with a unit: s, m, h or d.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "24h",
        value_parser = quantity::span,
        requires = "check"
    )]
    pub(in crate::cli) max_age: Duration,

    /// Write figures for Prometheus to FILE; - is standard output
    ///
    /// In the text format, as the textfile collector of its node exporter reads it. The file is
    /// replaced at once, so that nobody reads a part of it.
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with = "check"
    )]
    pub(in crate::cli) metrics: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) merge: Merge,
}

/// Show the runs that are recorded, the newest first
///
/// When each began, its exit status, how many messages it brought, what it deleted on the server,
/// and why it failed, if it did. The last 10,000 runs of each account are kept, and its last 1,000
/// verifications.
#[derive(Debug, Args)]
#[command(after_long_help = help::log())]
pub(in crate::cli) struct Log {
    /// Accounts to show [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,

    /// Show the runs of `popsync verify` instead, and what they found
    #[arg(long)]
    pub(in crate::cli) verifications: bool,

    /// Most runs to show
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        default_value = "20",
        value_parser = number::<NonZeroUsize>
    )]
    pub(in crate::cli) number: NonZeroUsize,

    #[command(flatten)]
    pub(in crate::cli) merge: Merge,
}

/// Write a page about accounts: their health, growth, senders and runs
///
/// From what is recorded and stored, without asking a server. The page is one file without scripts,
/// and loads nothing from elsewhere.
#[derive(Debug, Args)]
#[command(after_long_help = help::report())]
pub(in crate::cli) struct Report {
    /// Accounts to report on [default: all of the configuration]
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,

    /// Write the page to FILE; - is standard output
    ///
    /// The file is replaced at once. A new one is readable by you alone, since it names those who
    /// write to you; an existing one keeps its permissions.
    #[arg(long, value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(in crate::cli) html: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) merge: Merge,
}

/// Forget a mailbox that is no longer in the configuration
///
/// What is remembered of it goes from the state: which messages were stored, the runs, and what the
/// server could do. The mail stays where it is. Should the account come back, popsync knows nothing
/// of its mail.
#[derive(Debug, Args)]
#[command(after_long_help = help::forget())]
pub(in crate::cli) struct Forget {
    /// Name that `popsync status --all` shows, USER@HOST, or the path of the store
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
}
