//! The arguments of `popsync export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use jiff::civil::Date;

use crate::cli::help;
use crate::store::archive::Form;

/// Write the stored messages out for other programs
///
/// Every message is read back and held against its digest on the way. The target must not exist; it
/// is called PATH.partial until it is whole. The same messages give the same archive, octet for
/// octet. Syncs may go on meanwhile.
#[derive(Debug, Args)]
#[command(after_long_help = help::export())]
pub(in crate::cli) struct Export {
    /// Accounts of the configuration [default: all]
    ///
    /// Of one account, PATH is the mbox, the Maildir or the folder of files; of several, PATH is a
    /// folder with one for each. A tar.zst is one file in either case.
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,

    /// Where to
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) to: PathBuf,

    /// Form of the archive
    ///
    /// The digests of all files are in the manifest SHA256SUMS, beside an mbox in
    /// PATH.SHA256SUMS; `sha256sum -c` checks them.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(in crate::cli) format: Format,

    /// Only messages of this day or later, such as 2024-01-31
    ///
    /// The day is that of the message's Date in UTC, or that on which it was stored, where it has
    /// none.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) since: Option<Date>,

    /// Only messages of this day or earlier
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: Option<Date>,

    /// Only messages whose author contains this, in any case
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) from: Option<String>,

    /// Only messages whose subject contains this, in any case
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) subject: Option<String>,
}

/// The form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// One mbox, quoted as mboxrd has it
    Mboxrd,
    /// A Maildir, with flags
    Maildir,
    /// One file for each message, with CRLF, in folders by year
    Eml,
    /// The same in one compressed file, with a folder for each account
    #[cfg(feature = "archive")]
    #[value(name = "tar.zst")]
    TarZst,
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Mboxrd => Self::Mboxrd,
            Format::Maildir => Self::Maildir,
            Format::Eml => Self::Eml,
            #[cfg(feature = "archive")]
            Format::TarZst => Self::TarZst,
        }
    }
}
