//! The flags that say how one run is meant, and values that flags of several commands have.

use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::account::AuthMethod;
use crate::profile::Profile;
use crate::sync::Allow;

/// How one run is meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct RunFlags {
    /// Say what would be retrieved and deleted, and do neither
    ///
    /// One line for each account; with -v one for each message, too.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,

    /// Delete on the server even what a brake holds back
    ///
    /// popsync deletes nothing when the store was emptied, the clock jumped, its state was rebuilt,
    /// or far more would go than ever before. Use it once, after a look at --dry-run. A message
    /// without a copy here stays on the server even so, unless --remove-when-deleted-locally is set.
    #[arg(long)]
    pub(in crate::cli) allow_mass_delete: bool,

    /// Take the store as it is for the one that messages were stored in
    ///
    /// popsync stops when the store is gone or is another one, since its volume may not be mounted.
    /// With this it goes on; messages that the store lacks stay on the server.
    #[arg(long)]
    pub(in crate::cli) accept_store: bool,

    /// Take over what is remembered of the mailbox under another name
    ///
    /// For an account that was renamed, and for a host or user that is spelt otherwise now: nothing
    /// comes twice. NAME is what `popsync status --all` shows, or USER@HOST. Once that is done, the
    /// flag does nothing more.
    #[arg(long, value_name = "NAME", conflicts_with = "dry_run")]
    pub(in crate::cli) same_as: Option<String>,
}

impl RunFlags {
    /// What is allowed beyond the usual.
    pub(in crate::cli) fn allow(&self) -> Allow {
        Allow {
            mass_delete: self.allow_mass_delete,
            store_as_is: self.accept_store,
        }
    }
}

/// Reads a way to log in.
pub(super) fn auth() -> impl TypedValueParser<Value = AuthMethod> {
    PossibleValuesParser::new(AuthMethod::ALL.map(AuthMethod::name))
        .map(|name| AuthMethod::from_name(&name).unwrap_or_default())
}

/// Reads a profile.
pub(super) fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::name))
        .try_map(|name| name.parse::<Profile>())
}

/// Reads a number, and says what it has to be in words that are not Rust's.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "not a whole number from 1 on")
}
