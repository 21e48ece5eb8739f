//! The arguments of `config`.

use clap::{Args, Subcommand};

use crate::cli::help;

/// Check the configuration file, or print an example or its schema
#[derive(Debug, Args)]
pub(in crate::cli) struct ConfigArguments {
    #[command(subcommand)]
    pub(in crate::cli) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigCommand {
    /// Report every mistake in the configuration file
    ///
    /// Each with its line and column, and what to write instead. Reads the file and nothing else:
    /// no server is asked, and no password.
    #[command(after_long_help = help::config_check())]
    Check,
    /// Print a configuration file with every key, explained
    ///
    /// For example `popsync config example > ~/.config/popsync/config.toml`.
    Example,
    /// Print the JSON Schema of the configuration file
    ///
    /// Editors complete and check the file with it. Contradictions between keys are found by
    /// `popsync config check` alone.
    #[command(after_long_help = help::config_schema())]
    Schema,
}
