//! `on-new-mail` and `on-failure`: programs of the user that run after an account's run.
//!
//! They get the result of the run. They cannot change it, and none is waited for without a limit.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time;

use crate::account::Alerts;
use crate::children::{self, ENVIRONMENT, Listed, Reach};
use crate::exit::Exit;
use crate::stop::Stop;
use crate::sync::Outcome;

use super::output::log::STEPS;
use super::output::{Complaint, Output};

/// The time limit for such a program.
const LIMIT: Duration = Duration::from_secs(10);

/// Reports at most this many bytes of its output.
const MAX_WORDS: usize = 500;

/// The time to wait for its last output after it has ended: others may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Variables for a program that shows something on the user's desktop. None is secret.
const DESKTOP: [&str; 4] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
];

/// The reason why a hook failed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot run `{program}`: {source}")]
    NotRun { program: String, source: io::Error },
    #[error("`{program}` took longer than {} s and was ended", LIMIT.as_secs())]
    TooLong { program: String },
    #[error("`{program}` ended with {status}{}{words}", if words.is_empty() { "" } else { ": " })]
    Failed {
        program: String,
        status: ExitStatus,
        words: String,
    },
}

/// Runs the hooks for an outcome, each once, in parallel.
pub(super) async fn run(
    account: &str,
    alerts: &Alerts,
    outcome: &Outcome,
    complaint: Complaint,
    stop: &Stop,
    output: &Output,
) {
    let exit = outcome.exit();
    let is_failure = exit != Exit::Success && exit < Exit::HungUp;
    let is_told = is_failure && complaint != Complaint::PutOff;
    let new_mail = alerts.on_new_mail.as_deref();
    let new_mail = new_mail.filter(|_| outcome.summary.retrieved > 0);
    let failure = alerts.on_failure.as_deref().filter(|_| is_told);
    let hook = async |key: &str, command: Option<&[String]>| {
        let Some((program, arguments)) = command.and_then(<[String]>::split_first) else {
            return;
        };
        let event = key.trim_start_matches("on-");
        let line = output.hook(event, account, outcome);
        let running = stop.unless_overdue(bounded(program, arguments, &line));
        match running.await {
            Ok(Ok(())) => tracing::debug!(target: STEPS, "{key}: `{program}` ran"),
            Ok(Err(error)) => output.hook_failed(account, &format!("{key}: {error}")),
            // popsync ends, and the program with it.
            Err(_) => {}
        }
    };
    tokio::join!(hook("on-new-mail", new_mail), hook("on-failure", failure));
}

async fn bounded(program: &str, arguments: &[String], line: &str) -> Result<(), Error> {
    let named = || program.to_owned();
    let running = time::timeout(LIMIT, once(program, arguments, line));
    match running.await {
        Ok(Ok((status, _))) if status.success() => Ok(()),
        Ok(Ok((status, words))) => Err(Error::Failed {
            program: named(),
            status,
            words,
        }),
        Ok(Err(source)) => Err(Error::NotRun {
            program: named(),
            source,
        }),
        Err(_) => Err(Error::TooLong { program: named() }),
    }
}

/// Runs a program with this line on its standard input. Returns how it ended, and the beginning of
/// its standard error.
async fn once(program: &str, arguments: &[String], line: &str) -> io::Result<(ExitStatus, String)> {
    let kept = ENVIRONMENT.into_iter().chain(DESKTOP);
    let kept = kept.filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(kept)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0);
    let reach = |child: &Child| Pid::from_raw(child.id()?.cast_signed()).map(Reach::Group);
    let (mut child, listed) = children::start(|| command.spawn(), reach)?;
    let mut group = Group(listed);
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let telling = async {
        if let Some(mut stdin) = stdin {
            // A program need not read its input.
            let _ = stdin.write_all(line.as_bytes()).await;
        }
    };
    let mut words = Vec::new();
    let status = {
        let mut listening = pin!(listen(stderr, &mut words));
        let mut ending = pin!(async { tokio::join!(telling, child.wait()).1 });
        let mut has_heard = false;
        let status = loop {
            tokio::select! {
                status = &mut ending => break status?,
                () = &mut listening, if !has_heard => has_heard = true,
            }
        };
        // A child of the hook may hold standard error open.
        if !has_heard && !status.success() {
            let _ = time::timeout(LAST_WORDS, listening).await;
        }
        status
    };
    // From here on another process may have the number.
    group.0 = None;
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    Ok((status, words))
}

/// Reads to the end, and keeps the beginning.
async fn listen(stderr: Option<ChildStderr>, words: &mut Vec<u8>) {
    if let Some(mut stderr) = stderr {
        let mut buffer = [0; MAX_WORDS];
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            let room = MAX_WORDS - words.len();
            words.extend_from_slice(&buffer[..read.min(room)]);
        }
    }
}

/// Ends the program when dropped: when its time is up, and when popsync ends.
struct Group(Option<Listed>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(listed) = &self.0 {
            listed.kill();
        }
    }
}
