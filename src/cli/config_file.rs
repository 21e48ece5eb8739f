//! `popsync config`: checks the configuration file, and prints an example of one and its schema.

use crate::config::{self, Config};
use crate::exit::Exit;

use super::args::{ConfigCommand, Global};
use super::output::Output;
use super::{config_path, options, print};

/// Runs one of the commands of `popsync config`.
pub(super) fn config(global: &Global, command: &ConfigCommand) -> Exit {
    match command {
        ConfigCommand::Check => check(global),
        ConfigCommand::Example => print(global, &config::commented()),
        ConfigCommand::Schema => print(global, &format!("{:#}", config::schema())),
    }
}

fn check(global: &Global) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match config_path(global) {
        Ok(path) => match Config::check(&path) {
            Ok(config) => {
                output.sound_config(&path, config.accounts.len());
                Exit::Success
            }
            Err(errors) => output.config_mistakes(&path, &errors),
        },
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}
