//! The arguments of `schedule`.

use clap::Args;

use crate::cli::help;
use crate::cli::schedule::Interval;

/// Print what runs `popsync sync` by the clock, or install it
///
/// A service and a timer of the user's systemd, or a line for crontab where there is no systemd.
/// They are printed, so that they can be read first; with --install they are put in place.
#[derive(Debug, Args)]
#[command(after_long_help = help::schedule())]
pub(in crate::cli) struct Schedule {
    /// Accounts to sync [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,

    /// Time from one run to the next
    ///
    /// Between 1m and 24h, and such that an hour or a day is a whole number of them: 5m, 15m, 1h,
    /// 6h and the like.
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub(in crate::cli) every: Interval,

    /// Put it in place for this user, and start it
    #[arg(long)]
    pub(in crate::cli) install: bool,

    /// A crontab line, also where there is systemd
    #[arg(long, conflicts_with = "systemd")]
    pub(in crate::cli) cron: bool,

    /// Units of systemd, also where it does not run
    #[arg(long)]
    pub(in crate::cli) systemd: bool,
}
