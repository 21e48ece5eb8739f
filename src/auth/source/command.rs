//! `password-command` and its like: what a command prints.

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

use super::{ENVIRONMENT, LIMIT};
use crate::auth::error::{Error, Origin};
use crate::auth::secrets::Secrets;
use crate::auth::wiped::{self, PIECE};
use crate::children::{self, Listed, Reach};

/// The most of its complaints that is kept: the end.
const COMPLAINT: usize = 4096;

/// Runs the command that `key` names, and gives what it printed on stdout.
///
/// On a terminal it stays in popsync's process group and keeps stdin, so that it can ask for a
/// passphrase; in a group of its own the kernel would stop it at the first read. Without a
/// terminal it gets a group of its own, and all of that is killed when time is up; what it says
/// on stderr is then part of the error where it fails, and else of no interest.
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
    // A daemon that the command leaves behind may hold stdout and stderr open for ever, so nobody
    // waits for their ends; and the command may wait for somebody to read them.
    let mut printed = Printed::default();
    let status = tokio::select! {
        status = child.wait() => status.map_err(failed)?,
        fault = printed.listen(&mut stdout, key) => return Err(fault),
        never = complaint.listen(&mut stderr) => match never {},
    };
    printed.rest(stdout, key)?;
    let buffer = printed.buffer;
    // From here on the number may belong to somebody else.
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
    /// Reads as long as anybody lets it; gives what is wrong.
    async fn listen(&mut self, stdout: &mut Option<ChildStdout>, key: &'static str) -> Error {
        if let Some(stdout) = stdout {
            let mut octets = Zeroizing::new(vec![0; PIECE]);
            loop {
                match stdout.read(&mut octets).await {
                    Ok(0) => break,
                    Ok(read) => {
                        if let Err(fault) = self.take(&octets[..read], key) {
                            return fault;
                        }
                    }
                    Err(source) => return Error::CommandIo { key, source },
                }
            }
        }
        future::pending().await
    }

    /// Reads what a command that has ended left behind, and does not wait for more.
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

/// A pipe that does not block: the runtime gives it back as one that does.
fn unblocked(pipe: OwnedFd) -> Option<File> {
    fcntl_setfl(&pipe, OFlags::NONBLOCK).ok()?;
    Some(File::from(pipe))
}

/// What a command said on stderr last. It may have said the password, too.
#[derive(Default)]
struct Complaint(Zeroizing<Vec<u8>>);

impl Complaint {
    /// Reads as long as anybody lets it.
    async fn listen(&mut self, stderr: &mut Option<ChildStderr>) -> Infallible {
        if let Some(stderr) = stderr {
            let mut octets = Zeroizing::new(vec![0; COMPLAINT]);
            while let Ok(read @ 1..) = stderr.read(&mut octets).await {
                self.take(&octets[..read]);
            }
        }
        future::pending().await
    }

    /// Reads what a command that has ended left behind, and does not wait for more.
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

    /// The last line that says anything, unless it holds any of what was printed on stdout, or a
    /// part of that: the beginning of a long line may be lost.
    fn last_line(&self, printed: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(&self.0);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        let mut lines = printed.split(|octet| *octet == b'\n');
        let secrets = Secrets::of(lines.clone().map(<[u8]>::trim_ascii));
        // One that is too short to be looked for elsewhere is not shown here either.
        let holds = |secret: &[u8]| {
            let secret = secret.trim_ascii();
            !secret.is_empty() && memmem::find(line.as_bytes(), secret).is_some()
        };
        let tells = lines.any(holds) || matches!(secrets.without(line.as_bytes()), Cow::Owned(_));
        (!tells).then(|| line.to_owned())
    }
}

/// Killed when dropped: on time-out, on errors, and when the caller gives up.
struct Killed(Option<Listed>);

impl Drop for Killed {
    fn drop(&mut self) {
        if let Some(listed) = &self.0 {
            listed.kill();
        }
    }
}
