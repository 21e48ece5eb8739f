//! `password-command` and similar keys: the output of a command.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fs::File;
use std::future;
use std::io::{self, IsTerminal, Read as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use memchr::memmem;
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Pid;
use secrecy::zeroize::Zeroizing;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time;

use super::{ENVIRONMENT, Error, LIMIT, Origin};
use crate::auth::secrets::Secrets;
use crate::auth::wiped::{self, PIECE};
use crate::children::{self, Listed, Reach};

/// The maximum that is kept of its stderr: the end.
const COMPLAINT: usize = 4096;

/// Runs the command that `key` names. Returns its output on stdout.
///
/// On a terminal it stays in popsync's process group and keeps stdin, so that it can ask for a
/// passphrase; in a group of its own the kernel would stop it at the first read. Without a terminal
/// it gets a group of its own, and the whole group is killed when time is up. Its output on stderr
/// is then part of the error if it fails, and otherwise dropped.
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
        .kill_on_drop(true);
    if !interactive {
        command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
    }
    let reach = |child: &Child| {
        let pid = Pid::from_raw(child.id()?.cast_signed())?;
        Some(match interactive {
            true => Reach::Process(pid),
            false => Reach::Group(pid),
        })
    };
    let (child, listed) = children::start(|| command.spawn(), reach).map_err(failed)?;
    time::timeout(limit, finish(child, Killed(listed), key))
        .await
        .unwrap_or(Err(Error::TimedOut {
            origin: Origin::Command(key),
            limit,
        }))
}

async fn finish(
    mut child: Child,
    mut killed: Killed,
    key: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |source| Error::CommandIo { key, source };
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let mut complaint = Complaint::default();
    // A daemon that the command leaves behind may hold stdout and stderr open for ever, so their
    // ends are not waited for. But they must be read, or the command may block.
    let mut printed = Printed::default();
    let status = tokio::select! {
        status = child.wait() => status.map_err(failed)?,
        error = printed.listen(&mut stdout, key) => return Err(error),
        never = complaint.listen(&mut stderr) => match never {},
    };
    printed.rest(stdout, key)?;
    let buffer = printed.buffer;
    // From here on another process may have the number.
    killed.0 = None;
    if !status.success() {
        complaint.rest(stderr);
        let said = complaint.last_line(&buffer);
        return Err(Error::CommandFailed { key, status, said });
    }
    Ok(buffer)
}

/// The output of a command.
#[derive(Default)]
struct Printed {
    buffer: Zeroizing<Vec<u8>>,
}

impl Printed {
    /// Reads until the caller stops it. Returns only on an error.
    async fn listen(&mut self, stdout: &mut Option<ChildStdout>, key: &'static str) -> Error {
        if let Some(stdout) = stdout {
            let mut octets = Zeroizing::new(vec![0; PIECE]);
            loop {
                match stdout.read(&mut octets).await {
                    Ok(0) => break,
                    Ok(read) => {
                        if let Err(error) = self.take(&octets[..read], key) {
                            return error;
                        }
                    }
                    Err(source) => return Error::CommandIo { key, source },
                }
            }
        }
        future::pending().await
    }

    /// Reads the rest of the output of a command that has ended, and does not wait for more.
    fn rest(&mut self, stdout: Option<ChildStdout>, key: &'static str) -> Result<(), Error> {
        let pipe = stdout.and_then(|stdout| stdout.into_owned_fd().ok());
        if let Some(mut pipe) = pipe.and_then(unblocked) {
            let mut octets = Zeroizing::new(vec![0; PIECE]);
            while let Ok(read @ 1..) = pipe.read(&mut octets) {
                self.take(&octets[..read], key)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, octets: &[u8], key: &'static str) -> Result<(), Error> {
        if self.buffer.len() + octets.len() > LIMIT {
            return Err(Error::TooLong {
                origin: Origin::Command(key),
                limit: LIMIT,
            });
        }
        wiped::extend(&mut self.buffer, octets);
        Ok(())
    }
}

/// A non-blocking pipe. The runtime returns it as a blocking one.
fn unblocked(pipe: OwnedFd) -> Option<File> {
    fcntl_setfl(&pipe, OFlags::NONBLOCK).ok()?;
    Some(File::from(pipe))
}

/// The last output of a command on stderr. It may contain the password.
#[derive(Default)]
struct Complaint(Zeroizing<Vec<u8>>);

impl Complaint {
    /// Reads until the caller stops it.
    async fn listen(&mut self, stderr: &mut Option<ChildStderr>) -> Infallible {
        if let Some(stderr) = stderr {
            let mut octets = Zeroizing::new(vec![0; COMPLAINT]);
            while let Ok(read @ 1..) = stderr.read(&mut octets).await {
                self.take(&octets[..read]);
            }
        }
        future::pending().await
    }

    /// Reads the rest of the output of a command that has ended, and does not wait for more.
    fn rest(&mut self, stderr: Option<ChildStderr>) {
        let pipe = stderr.and_then(|stderr| stderr.into_owned_fd().ok());
        if let Some(mut pipe) = pipe.and_then(unblocked) {
            let mut octets = Zeroizing::new(vec![0; COMPLAINT]);
            while let Ok(read @ 1..) = pipe.read(&mut octets) {
                self.take(&octets[..read]);
            }
        }
    }

    fn take(&mut self, octets: &[u8]) {
        self.0.reserve_exact(2 * COMPLAINT);
        self.0.extend_from_slice(octets);
        let excess = self.0.len().saturating_sub(COMPLAINT);
        self.0.drain(..excess);
    }

    /// The last line with text, unless it contains any of the output on stdout, or may be a part of
    /// it: the beginning of a long line may be lost.
    fn last_line(&self, printed: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(&self.0);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        let mut lines = printed.split(|octet| *octet == b'\n');
        let secrets = Secrets::of(lines.clone().map(<[u8]>::trim_ascii));
        // A line that is too short to be searched for is not shown either.
        let holds = |secret: &[u8]| {
            let secret = secret.trim_ascii();
            !secret.is_empty() && memmem::find(line.as_bytes(), secret).is_some()
        };
        let tells = lines.any(holds) || matches!(secrets.without(line.as_bytes()), Cow::Owned(_));
        (!tells).then(|| line.to_owned())
    }
}

/// Kills the command when dropped: on time-out, on errors, and when the caller gives up.
struct Killed(Option<Listed>);

impl Drop for Killed {
    fn drop(&mut self) {
        if let Some(listed) = &self.0 {
            listed.kill();
        }
    }
}
