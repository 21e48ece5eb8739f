//! Installs a schedule: files for systemd, or a line in the user's crontab.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::auth::source::ENVIRONMENT;
use crate::config;
use crate::exit::Exit;
use crate::failure::Failure;

use super::units::MARK;
use super::{Plan, Units, crontab};

/// An installed schedule.
pub(in crate::cli) enum Installed {
    /// The files of the units, and whether systemd runs the timer now.
    Units {
        /// The name of both units.
        name: String,
        /// The service.
        service: PathBuf,
        /// The timer.
        timer: PathBuf,
        /// True if there was a systemctl to start it.
        started: bool,
    },
    /// The comment, and the line below it in the crontab.
    Line(String, String),
}

/// The reason why there is no schedule.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum InstallError {
    /// No crontab command.
    #[error("there is neither systemd nor a `crontab` here")]
    NoCron,
    /// The user's home folder is not known.
    #[error("no home folder is known to install units in")]
    NoHome,
    /// A unit that popsync did not write.
    #[error("{} was not written by `popsync schedule`", .0.display())]
    NotOurs(PathBuf),
    /// The path cannot be part of a unit or of a crontab.
    #[error("{} is not UTF-8, or holds control characters", .0.display())]
    Path(PathBuf),
    /// popsync does not know its own path.
    #[error("cannot tell where popsync itself is installed")]
    Program(#[source] io::Error),
    /// A program ended with an error, with its text.
    #[error("`{command}` failed: {said}")]
    Refused {
        /// The command.
        command: String,
        /// Its standard error, or its status.
        said: String,
    },
    /// A program could not be started.
    #[error("cannot run `{command}`")]
    Run {
        /// The command.
        command: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The accounts' names are too long for a unit's.
    #[error("the name of a unit cannot hold so many account names")]
    TooMany,
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl Failure for InstallError {
    fn exit(&self) -> Exit {
        match self {
            Self::Path(_) | Self::TooMany => Exit::Usage,
            Self::NoCron | Self::Refused { .. } | Self::Run { .. } => Exit::TemporaryFailure,
            Self::NoHome => Exit::Config,
            Self::NotOurs(_) | Self::Write { .. } => Exit::CannotCreate,
            Self::Program(_) => Exit::IoError,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::NoCron => "install cron, or run `popsync sync` by another scheduler",
            Self::NoHome => "set HOME",
            Self::NotOurs(_) => "remove it or give it another name, then install again",
            Self::Path(_) => "use a path of printable characters",
            Self::Refused { command, .. } if command.starts_with("systemctl") => {
                "the units are written; log in at the machine itself, or run `loginctl \
                 enable-linger`, then install again"
            }
            Self::TooMany => "name no account to sync all, or make several schedules",
            Self::Program(_) | Self::Refused { .. } | Self::Run { .. } | Self::Write { .. } => {
                return None;
            }
        };
        Some(hint.into())
    }
}

/// Writes the units, and lets systemd start the timer if there is a `systemctl`.
pub(super) fn units(units: &Units, folder: &Path) -> Result<Installed, InstallError> {
    let service = folder.join(format!("{}.service", units.name));
    let timer = folder.join(format!("{}.timer", units.name));
    for path in [&service, &timer] {
        if is_foreign(path) {
            return Err(InstallError::NotOurs(path.clone()));
        }
    }
    for (path, text) in [(&service, &units.service), (&timer, &units.timer)] {
        config::replace(path, text).map_err(|source| InstallError::Write {
            path: path.clone(),
            source,
        })?;
    }
    let timer_name = format!("{}.timer", units.name);
    let started = match systemctl(&["daemon-reload"]) {
        // The files are for a later systemd, or for another machine.
        Err(InstallError::Run { source, .. }) if source.kind() == io::ErrorKind::NotFound => false,
        reloaded => {
            reloaded?;
            systemctl(&["enable", "--now", &timer_name])?;
            true
        }
    };
    Ok(Installed::Units {
        name: units.name.clone(),
        service,
        timer,
        started,
    })
}

/// True if a file exists that popsync did not write.
fn is_foreign(path: &Path) -> bool {
    match fs::read(path) {
        Ok(text) => !text.starts_with(MARK.as_bytes()),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn systemctl(arguments: &[&str]) -> Result<(), InstallError> {
    let mut command = Command::new("systemctl");
    command.arg("--user").args(arguments);
    run(command, "").map(drop)
}

/// Adds the line to the user's crontab, or replaces an older one.
pub(super) fn line(plan: &Plan, line: &str) -> Result<(), InstallError> {
    let mut list = Command::new("crontab");
    list.arg("-l");
    let old = match run(list, "") {
        Ok(old) => old,
        // If a user has no crontab, the command fails with such a text; the second is busybox's.
        Err(InstallError::Refused { said, .. })
            if ["no crontab", "No such file"]
                .iter()
                .any(|none| said.contains(none)) =>
        {
            String::new()
        }
        Err(InstallError::Run { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(InstallError::NoCron);
        }
        Err(error) => return Err(error),
    };
    let mut install = Command::new("crontab");
    install.arg("-");
    run(install, &crontab::with(&old, plan, line)).map(drop)
}

/// Runs a program to its end. Returns its output.
fn run(mut command: Command, input: &str) -> Result<String, InstallError> {
    let words: Vec<_> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words = words.join(" ");
    let failed = |source| InstallError::Run {
        command: words.clone(),
        source,
    };
    let ended = finish(&mut command, input).map_err(failed)?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = match said.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => line.to_owned(),
        None => ended.status.to_string(),
    };
    Err(InstallError::Refused {
        command: words,
        said,
    })
}

fn finish(command: &mut Command, input: &str) -> io::Result<Output> {
    let mut child = command
        // English messages, so that `no crontab` can be found.
        .env("LC_ALL", "C")
        .env_remove(ENVIRONMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()) {
            // The program has read enough; its status shows if it failed.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written?,
        }
    }
    child.wait_with_output()
}
