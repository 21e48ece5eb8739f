//! The arguments of the commands that show what is known without a server: `status` and `log`.

use std::num::NonZeroUsize;

use clap::Args;

use crate::cli::help;

use super::flags::number;

/// Show what is known of accounts, without asking a server
///
/// The last run, what is stored, what the server listed last, what is due for removal there and
/// when, and how the archive grows. Accounts of `popsync fetch` are shown too.
#[derive(Debug, Args)]
#[command(after_long_help = help::status())]
pub(in crate::cli) struct Status {
    /// Accounts to show [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,
}

/// Show the runs that are recorded, the newest first
///
/// When each began, its exit status, how many messages it brought, what it deleted on the server,
/// and why it failed, if it did. The last 10,000 runs of each account are kept.
#[derive(Debug, Args)]
#[command(after_long_help = help::log())]
pub(in crate::cli) struct Log {
    /// Accounts whose runs to show [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,

    /// Most runs to show
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        default_value = "20",
        value_parser = number::<NonZeroUsize>
    )]
    pub(in crate::cli) number: NonZeroUsize,
}
