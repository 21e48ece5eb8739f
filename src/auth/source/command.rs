//! `password-command` and its like: what a command prints.

use std::io::{self, IsTerminal};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::zeroize::Zeroizing;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time;

use super::{ENVIRONMENT, LIMIT};
use crate::auth::error::{Error, Origin};

/// Runs the command that `key` names, and gives what it printed on stdout.
///
/// On a terminal it stays in popsync's process group and keeps stdin, so that it can ask for a
/// passphrase; in a group of its own the kernel would stop it at the first read. Without a
/// terminal it gets a group of its own, and all of that is killed when time is up.
pub(super) async fn output(
    line: &str,
    key: &'static str,
    limit: Duration,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |source| Error::CommandIo { key, source };
    let interactive = io::stdin().is_terminal();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(line)
        .env_remove(ENVIRONMENT)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    if !interactive {
        command.stdin(Stdio::null()).process_group(0);
    }
    let child = command.spawn().map_err(failed)?;
    let id = child.id().filter(|_| !interactive);
    let group = Group(id.and_then(|id| Pid::from_raw(id.cast_signed())));
    time::timeout(limit, finish(child, group, key))
        .await
        .unwrap_or(Err(Error::TimedOut {
            origin: Origin::Command(key),
            limit,
        }))
}

async fn finish(
    mut child: Child,
    mut group: Group,
    key: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |source| Error::CommandIo { key, source };
    // Never grown: growing would leave a copy behind.
    let mut buffer = Zeroizing::new(vec![0; LIMIT + 1]);
    let mut filled = 0;
    if let Some(mut stdout) = child.stdout.take() {
        loop {
            match stdout.read(&mut buffer[filled..]).await.map_err(failed)? {
                0 => break,
                count => filled += count,
            }
            if filled > LIMIT {
                return Err(Error::TooLong {
                    origin: Origin::Command(key),
                    limit: LIMIT,
                });
            }
        }
    }
    buffer.truncate(filled);
    let status = child.wait().await.map_err(failed)?;
    // From here on the number may belong to somebody else.
    group.0 = None;
    if !status.success() {
        return Err(Error::CommandFailed { key, status });
    }
    Ok(buffer)
}

/// Kills its process group when dropped: on time-out, on errors, and when the caller gives up.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // Nobody left to kill is what was wanted.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}
