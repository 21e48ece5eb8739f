//! `popsync schedule`: lets the system run `popsync sync` regularly.
//!
//! A plan is made from the arguments and the configuration. `units` and `crontab` turn it into
//! text; `install` changes the system.

use std::borrow::Cow;
use std::env;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::account::{Account, StoreSettings};
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::failure::Failure;

use super::args::{Global, Schedule};
use super::output::Output;
use super::{config_path, options, state_dir};

mod crontab;
mod install;
mod interval;
mod units;

pub(super) use install::{InstallError, Installed};
pub(super) use interval::Interval;
pub(super) use units::Units;

/// The path that exists if systemd runs: sd_booted(3).
const SYSTEMD: &str = "/run/systemd/system";

/// The command to run, and its interval.
#[derive(Debug)]
struct Plan {
    program: String,
    /// The paths of configuration and state, if a fresh environment would have others.
    config: Option<String>,
    state_dir: Option<String>,
    accounts: Vec<String>,
    every: Interval,
    reach: Reach,
}

/// The programs that run beside popsync itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Itself,
    PasswordCommands,
    DeliveryAgents,
}

/// The text of a schedule.
pub(super) enum Text {
    /// For systemd, with the folder for the units.
    Units(Units, PathBuf),
    /// A line for crontab.
    Line(String),
}

/// Prints a schedule, or installs it.
pub(super) fn schedule(global: &Global, arguments: &Schedule) -> Exit {
    let output = Output::standard(options(global, false));
    let done = plan(global, arguments).and_then(|plan| Ok(run(&plan, arguments, &output)?));
    let exit = match done {
        Ok(()) => Exit::Success,
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn run(plan: &Plan, arguments: &Schedule, output: &Output) -> Result<(), InstallError> {
    let systemd = arguments.systemd || !arguments.cron && Path::new(SYSTEMD).is_dir();
    if systemd {
        let units = Units::new(plan).ok_or(InstallError::TooMany)?;
        let folder = folder()?;
        if arguments.install {
            let installed = install::units(&units, &folder)?;
            output.installed(plan.every, &installed);
        } else {
            output.schedule(plan.every, &Text::Units(units, folder));
        }
        return Ok(());
    }
    let line = crontab::line(plan, seed());
    if arguments.install {
        install::line(plan, &line)?;
        output.installed(plan.every, &Installed::Line(crontab::mark(plan), line));
    } else {
        output.schedule(plan.every, &Text::Line(line));
    }
    Ok(())
}

/// Why there is no schedule.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Install(#[from] InstallError),
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::Install(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Install(error) => error.hint(),
        }
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.snippet(),
            Self::Install(error) => error.snippet(),
        }
    }
}

fn plan(global: &Global, arguments: &Schedule) -> Result<Plan, Error> {
    let config = config_path(global)?;
    let accounts = Config::load(&config)?.select(&arguments.accounts)?;
    let program = env::current_exe().map_err(InstallError::Program)?;
    let state_dir = state_dir(global)?;
    Ok(Plan {
        program: text(&program)?,
        config: unusual(&config, ".config/popsync/config.toml")?,
        state_dir: unusual(&state_dir, ".local/state/popsync")?,
        accounts: arguments.accounts.clone(),
        every: arguments.every,
        reach: accounts.iter().map(reach).max().unwrap_or(Reach::Itself),
    })
}

fn reach(account: &Account) -> Reach {
    if matches!(account.store, StoreSettings::Exec { .. }) {
        Reach::DeliveryAgents
    } else if account.runs_commands() {
        Reach::PasswordCommands
    } else {
        Reach::Itself
    }
}

/// A path that popsync would not find by itself in another environment, without the variables of
/// popsync and of XDG.
fn unusual(path: &Path, usual: &str) -> Result<Option<String>, InstallError> {
    let home = BaseDirs::new().map(|dirs| dirs.home_dir().join(usual));
    if home.is_some_and(|home| home == path) {
        return Ok(None);
    }
    text(path).map(Some)
}

/// A path in the form for a unit or a crontab.
fn text(path: &Path) -> Result<String, InstallError> {
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(text.to_owned()),
        _ => Err(InstallError::Path(path.to_owned())),
    }
}

/// The folder of a user's units.
fn folder() -> Result<PathBuf, InstallError> {
    let dirs = BaseDirs::new().ok_or(InstallError::NoHome)?;
    Ok(dirs.config_dir().join("systemd/user"))
}

/// A number that differs between machines and users, and does not change.
fn seed() -> u64 {
    let system = rustix::system::uname();
    let name = system.nodename().to_bytes();
    let user = u64::from(rustix::process::getuid().as_raw());
    name.iter().fold(user, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(*byte))
    })
}

impl Plan {
    /// The command and its arguments.
    fn words(&self) -> Vec<String> {
        let mut words = vec![self.program.clone()];
        let folders = [("--config", &self.config), ("--state-dir", &self.state_dir)];
        for (flag, path) in folders {
            if let Some(path) = path {
                words.extend([flag.to_owned(), path.clone()]);
            }
        }
        words.push("sync".to_owned());
        if !self.accounts.is_empty() {
            // A name may begin with a hyphen.
            words.push("--".to_owned());
            words.extend(self.accounts.clone());
        }
        words
    }
}
