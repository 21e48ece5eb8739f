//! The arguments of `popsync export`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use jiff::civil::Date;

use crate::cli::help;
use crate::store::archive::Form;

/// Write the stored messages out for other programs
///
/// Every message is read back and held against its digest on the way. The target must not exist; it
/// has `.partial` behind its name until it is whole. The same messages give the same archive, octet for
/// octet. Syncs may go on meanwhile.
#[derive(Debug, Args)]
#[command(after_long_help = help::export())]
pub(in crate::cli) struct Export {
    /// Accounts of the configuration [default: all]
    ///
    /// Of one account, the path is that of the mbox, the Maildir or the folder of files; of several,
    /// it is a folder with one for each. A tar.zst is one file in either case.
    #[arg(value_name = "ACCOUNT")]
    pub(in crate::cli) accounts: Vec<String>,

    #[command(flatten)]
    pub(in crate::cli) target: Target,

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

/// Where the messages go, and in which form. The digests of all files are in a manifest beside them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Target {
    /// One mbox, quoted as mboxrd has it
    ///
    /// Its digest is in FILE.SHA256SUMS, which `sha256sum -c` checks.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    mbox: Option<PathBuf>,

    /// A Maildir, with flags
    ///
    /// The digests of its files are in DIR/SHA256SUMS.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    maildir: Option<PathBuf>,

    /// One file for each message, with CRLF, in folders by year
    ///
    /// Their digests are in DIR/SHA256SUMS.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    eml: Option<PathBuf>,

    /// The same in one compressed file (tar.zst), with a folder for each account
    ///
    /// The manifest SHA256SUMS is in it.
    #[cfg(feature = "archive")]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tar: Option<PathBuf>,
}

impl Target {
    /// The flag that was given, its path, and the form that it stands for.
    pub(in crate::cli) fn given(&self) -> Option<(&'static str, &Path, Form)> {
        let given = [
            ("--mbox", &self.mbox, Form::Mboxrd),
            ("--maildir", &self.maildir, Form::Maildir),
            ("--eml", &self.eml, Form::Eml),
            #[cfg(feature = "archive")]
            ("--tar", &self.tar, Form::TarZst),
        ];
        let mut given = given.into_iter();
        given.find_map(|(flag, path, form)| Some((flag, path.as_deref()?, form)))
    }
}
