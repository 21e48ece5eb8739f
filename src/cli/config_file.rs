//! `popsync config`: checks the configuration file, and prints an example of one.

use crate::config::Config;
use crate::exit::Exit;

use super::args::{ConfigCommand, Global};
use super::output::Output;
use super::{config_path, options, print};

/// An example with every key.
const EXAMPLE: &str = include_str!("../config/commented.toml");

/// Runs one of the commands of `popsync config`.
pub(super) fn config(global: &Global, command: &ConfigCommand) -> Exit {
    match command {
        ConfigCommand::Check => check(global),
        ConfigCommand::Example => print(global, EXAMPLE.trim_end()),
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
        Err(error) => output.config_error(&error),
    };
    exit.merge(output.finish())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{ACCOUNT_KEYS, Base, Contradiction, Error, OAUTH_KEYS, Problem, TLS_KEYS};

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse(Path::new("config.toml"), text.as_bytes(), &Base::current())
    }

    /// True if a line is a setting after its `#` is removed.
    fn is_setting(line: &str) -> bool {
        line.strip_prefix('#')
            .is_some_and(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
    }

    #[test]
    fn the_example_is_sound_and_names_every_key() {
        assert_eq!(parse(EXAMPLE).unwrap().accounts.len(), 1);
        for key in ACCOUNT_KEYS.iter().chain(&TLS_KEYS).chain(&OAUTH_KEYS) {
            let assigned = format!("{key} = ");
            assert!(EXAMPLE.contains(&assigned), "{key}");
        }
    }

    /// Every line can be enabled, except those that need or replace another one.
    #[test]
    fn every_setting_of_the_example_can_be_read() {
        let lines: Vec<&str> = EXAMPLE.lines().collect();
        let settings: Vec<usize> = (0..lines.len())
            .filter(|at| is_setting(lines[*at]))
            .collect();
        assert!(settings.len() > 25, "{settings:?}");
        for at in settings {
            let mut lines = lines.clone();
            lines[at] = &lines[at][1..];
            match parse(&lines.join("\n")) {
                Ok(_) => {}
                Err(Error::Invalid { problem, .. }) => assert!(
                    matches!(
                        *problem,
                        Problem::Contradiction(
                            Contradiction::TwoSources
                                | Contradiction::TwoStores
                                | Contradiction::TokenWithoutOAuth { .. }
                                | Contradiction::ProxyPasswordWithoutUser
                        )
                    ),
                    "{}: {problem}",
                    lines[at]
                ),
                Err(error) => panic!("{}: {error}", lines[at]),
            }
        }
    }
}
