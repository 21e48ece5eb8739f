//! A delivery agent: a program that takes each message on its standard input and stores it, or
//! says with its exit status that it did not.
//!
//! A message is in the spool while the agent has it, so that a slow agent delays only its own
//! messages. popsync cannot see what the agent does: after a crash between the agent's success and
//! the record of it, the agent gets the message once more. Delivery is at least once.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open};
#[cfg(not(target_os = "linux"))]
use rustix::process::{WaitId, WaitIdOptions, waitid};

use crate::children::{self, ENVIRONMENT, Reach};

use super::spool::Spool;
use super::{Delivery, Draft, Error, Extent, Inventory, Name, Readers, Record, Recovered, Store};

/// After this many messages in a row that the agent could not take for now, the run calls it no
/// more.
const MAX_PUT_OFF: u32 = 3;

/// `EX_TEMPFAIL` of sysexits.
const TEMPORARY: i32 = 75;

/// Reports at most this many octets of the agent's output.
const MAX_WORDS: usize = 500;

/// The time to wait for the agent's output after it has ended: its children may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A delivery agent.
#[derive(Debug, Clone)]
pub(crate) struct Exec {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    program: String,
    arguments: Vec<String>,
    limit: Duration,
    spool: Spool,
    /// The number of messages in a row that it could not take for now.
    put_off: AtomicU32,
}

/// How an agent ended.
enum End {
    Exited(ExitStatus),
    TimedOut,
}

impl Exec {
    /// An agent that runs `command`, which is not empty, for at most `limit` each time. Messages
    /// stay in `spool` until the agent has taken them. `tag` consists of letters and digits, and no
    /// other account ever uses it.
    ///
    /// # Errors
    /// [`Error::Folder`] if the spool cannot be made.
    pub(crate) fn new(
        command: &[String],
        limit: Duration,
        spool: &std::path::Path,
        tag: &str,
    ) -> Result<Self, Error> {
        let (program, arguments) = command.split_first().ok_or_else(|| Error::Agent {
            program: String::new(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        let inner = Inner {
            program: program.clone(),
            arguments: arguments.to_vec(),
            limit,
            spool: Spool::open(spool, tag)?,
            put_off: AtomicU32::new(0),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }
}

impl Inner {
    /// Runs the agent with this file as its standard input. Returns how it ended, and its output on
    /// standard error.
    fn run(&self, message: File) -> io::Result<(End, String)> {
        let kept = ENVIRONMENT.into_iter().filter_map(|name| {
            let value = std::env::var_os(name)?;
            Some((name, value))
        });
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(kept)
            .stdin(message)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A process group of its own: the agent can be ended with all its children, and Ctrl-C
            // at a terminal reaches popsync only, which lets the agent finish.
            .process_group(0);
        let reach = |child: &Child| Some(Reach::Group(Pid::from_child(child)));
        let (mut child, listed) = children::start(|| command.spawn(), reach)?;
        let words = child.stderr.take().map(listen);
        let pid = Pid::from_child(&child);
        let ended = match wait(pid, self.limit) {
            Ok(true) => {
                drop(listed);
                End::Exited(child.wait()?)
            }
            waited => {
                // Nobody has waited for it yet, so the number is still its own.
                if let Some(listed) = listed {
                    listed.kill();
                }
                child.wait()?;
                waited?;
                End::TimedOut
            }
        };
        // The output of an agent that has taken the message is not needed, and a child in the
        // background may hold its end of the pipe open for long.
        let is_asked = !matches!(&ended, End::Exited(status) if status.success());
        let words = words.filter(|_| is_asked);
        let words = words.and_then(|words| words.recv_timeout(LAST_WORDS).ok());
        Ok((ended, words.unwrap_or_default()))
    }

    /// Decides what became of a message whose agent ended this way.
    fn judge(&self, end: &End, words: &str) -> Result<Delivery, Error> {
        let program = &self.program;
        let (said, temporary) = match end {
            End::Exited(status) => match (status.code(), status.signal()) {
                (Some(0), _) => {
                    self.put_off.store(0, Ordering::Relaxed);
                    return Ok(Delivery::Taken);
                }
                (Some(TEMPORARY), _) => (format!("`{program}` cannot take it for now (75)"), true),
                (Some(code), _) => (format!("`{program}` refused it with status {code}"), false),
                (None, signal) => (
                    format!("`{program}` was ended by signal {}", signal.unwrap_or(0)),
                    true,
                ),
            },
            End::TimedOut => (
                format!(
                    "`{program}` took longer than {} seconds and was ended",
                    self.limit.as_secs()
                ),
                true,
            ),
        };
        let reason = match words {
            "" => said,
            words => format!("{said}: {words}"),
        };
        if !temporary {
            self.put_off.store(0, Ordering::Relaxed);
        } else if self.put_off.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_PUT_OFF {
            return Err(Error::AgentBusy { reason });
        }
        Ok(Delivery::Refused(reason))
    }
}

/// Reads all output of an agent, and sends the beginning of it as one safe line.
fn listen(mut from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, words) = mpsc::channel();
    // Without another thread nobody reads it: the pipe is closed, and there are no words.
    let _ = thread::Builder::new().spawn(move || {
        let mut start = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let room = MAX_WORDS - start.len();
            start.extend_from_slice(&buffer[..read.min(room)]);
        }
        let text = String::from_utf8_lossy(&start);
        // The receiver is gone if it took too long.
        let _ = sender.send(text.trim().escape_debug().to_string());
    });
    words
}

/// Waits for the end of a child, and leaves its status to be collected. Returns false when time is
/// up. Only Linux can wait for a process and a time at once.
#[cfg(not(target_os = "linux"))]
fn wait(pid: Pid, limit: Duration) -> io::Result<bool> {
    const PAUSE: Duration = Duration::from_millis(10);
    let until = std::time::Instant::now() + limit;
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(pid), options) {
            Ok(Some(_)) => return Ok(true),
            Ok(None) if std::time::Instant::now() >= until => return Ok(false),
            Ok(None) => thread::sleep(PAUSE),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits for the end of a child, and leaves its status to be collected. Returns false when time is
/// up.
#[cfg(target_os = "linux")]
fn wait(pid: Pid, limit: Duration) -> io::Result<bool> {
    let child = pidfd_open(pid, PidfdFlags::empty())?;
    let until = std::time::Instant::now() + limit;
    loop {
        let left = until.saturating_duration_since(std::time::Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut polled = [PollFd::new(&child, PollFlags::IN)];
        match poll(&mut polled, Some(&left)) {
            Ok(count) => return Ok(count > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl Store for Exec {
    fn draft(&self) -> Result<Box<dyn Draft>, Error> {
        let (name, file) = self.inner.spool.create()?;
        Ok(Box::new(Incoming {
            inner: Arc::clone(&self.inner),
            open: Some((name, file)),
        }))
    }

    fn hands_over(&self) -> bool {
        true
    }

    fn deliver(&self, name: &Name) -> Result<Delivery, Error> {
        let inner = &self.inner;
        let Some(message) = inner.spool.read(name.as_str())? else {
            let path = inner.spool.path_of(name.as_str());
            return Err(Error::io("opening", &path, io::ErrorKind::NotFound));
        };
        let (end, words) = inner.run(message).map_err(|source| Error::Agent {
            program: inner.program.clone(),
            source,
        })?;
        inner.judge(&end, &words)
    }

    fn settle(&self, names: &[Name]) -> Result<Vec<Option<Extent>>, Error> {
        Ok(vec![None; names.len()])
    }

    fn publish(&self, names: &[Name]) -> Result<(), Error> {
        self.discard(names);
        Ok(())
    }

    fn discard(&self, names: &[Name]) {
        for name in names {
            self.inner.spool.remove(name.as_str());
        }
    }

    /// The agent has taken whatever is recorded.
    fn recover(&self, _: &[Record], _: Option<&Extent>) -> Result<Recovered, Error> {
        self.inner.spool.sweep(|_| false)?;
        Ok(Recovered::default())
    }
}

impl Readers for Exec {
    fn inventory(&self) -> Result<Option<Inventory>, Error> {
        Ok(None)
    }
}

/// A message on its way into the spool.
struct Incoming {
    inner: Arc<Inner>,
    open: Option<(Name, File)>,
}

impl Draft for Incoming {
    fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        let Some((name, file)) = &mut self.open else {
            return Ok(());
        };
        file.write_all(octets)
            .map_err(|error| Error::io("writing", &self.inner.spool.path_of(name.as_str()), error))
    }

    fn finish(mut self: Box<Self>) -> Result<Name, Error> {
        match self.open.take() {
            Some((name, _)) => Ok(name),
            None => unreachable!("a draft is finished once, since finishing consumes it"),
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some((name, _)) = self.open.take() {
            self.inner.spool.remove(name.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::exit::Exit;
    use crate::failure::Failure;

    fn agent(folder: &Path, script: &str, limit: Duration) -> Exec {
        let command = ["sh", "-c", script].map(str::to_owned);
        Exec::new(&command, limit, &folder.join("spool"), "abc").unwrap()
    }

    fn hand(exec: &Exec, message: &[u8]) -> Result<Delivery, Error> {
        let mut draft = exec.draft().unwrap();
        draft.write(message).unwrap();
        let name = draft.finish().unwrap();
        let delivery = exec.deliver(&name);
        exec.discard(&[name]);
        delivery
    }

    fn spooled(folder: &Path) -> usize {
        fs::read_dir(folder.join("spool")).unwrap().count()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_agent_gets_the_message_and_nothing_of_the_environment_but_what_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let got = folder.path().join("got");
        let script = format!("env | cut -d= -f1 > {0}.env; cat > {0}", got.display());
        let exec = agent(folder.path(), &script, LONG);
        assert_eq!(
            hand(&exec, b"Subject: x\n\nFrom me\n").unwrap(),
            Delivery::Taken
        );
        assert_eq!(fs::read(&got).unwrap(), b"Subject: x\n\nFrom me\n");
        let names = fs::read_to_string(got.with_extension("env")).unwrap();
        for name in names.lines() {
            // The shell sets some variables of its own.
            let known =
                ENVIRONMENT.contains(&name) || ["PWD", "SHLVL", "_", "OLDPWD"].contains(&name);
            assert!(known, "{name}");
        }
        assert_eq!(spooled(folder.path()), 0);
    }

    #[test]
    fn one_that_does_not_read_and_says_yes_has_taken_it() {
        let folder = tempfile::tempdir().unwrap();
        let exec = agent(folder.path(), "exit 0", LONG);
        assert_eq!(hand(&exec, &[b'x'; 1 << 20]).unwrap(), Delivery::Taken);
    }

    #[test]
    fn one_that_goes_on_in_the_background_holds_up_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let exec = agent(folder.path(), "sleep 20 & exit 0", LONG);
        let began = std::time::Instant::now();
        for _ in 0..40 {
            assert_eq!(hand(&exec, b"x").unwrap(), Delivery::Taken);
        }
        // Otherwise each agent's output would be waited for.
        assert!(began.elapsed() < LAST_WORDS * 40);
    }

    #[test]
    fn statuses_and_words_are_told_and_refusals_stop_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let script = "printf 'no such \\033[2J user\\n' >&2; exit 67";
        let exec = agent(folder.path(), script, LONG);
        for _ in 0..5 {
            let Delivery::Refused(reason) = hand(&exec, b"x").unwrap() else {
                panic!("taken");
            };
            assert_eq!(
                reason,
                "`sh` refused it with status 67: no such \\u{1b}[2J user"
            );
        }
    }

    #[test]
    fn one_that_cannot_for_now_is_left_alone_after_a_few() {
        let folder = tempfile::tempdir().unwrap();
        for script in ["exit 75", "kill -9 $$"] {
            let exec = agent(folder.path(), script, LONG);
            for _ in 1..MAX_PUT_OFF {
                assert!(
                    matches!(hand(&exec, b"x"), Ok(Delivery::Refused(_))),
                    "{script}"
                );
            }
            let error = hand(&exec, b"x").unwrap_err();
            assert_eq!(error.exit(), Exit::TemporaryFailure, "{script}");
        }
    }

    #[test]
    fn one_that_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let exec = agent(
            folder.path(),
            "sleep 600 & sleep 600",
            Duration::from_millis(100),
        );
        let Delivery::Refused(reason) = hand(&exec, b"x").unwrap() else {
            panic!("taken");
        };
        assert!(reason.contains("took longer"), "{reason}");
    }

    #[test]
    fn one_that_is_not_there_stops_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let command = ["/nowhere/agent".to_owned()];
        let exec = Exec::new(&command, LONG, &folder.path().join("spool"), "abc").unwrap();
        let error = hand(&exec, b"x").unwrap_err();
        assert_eq!(error.exit(), Exit::CannotCreate);
        assert!(error.to_string().contains("/nowhere/agent"));
    }

    #[test]
    fn what_an_interrupted_run_left_in_the_spool_goes() {
        let folder = tempfile::tempdir().unwrap();
        let exec = agent(folder.path(), "exit 0", LONG);
        exec.draft().unwrap().finish().unwrap();
        drop(exec.draft().unwrap());
        assert_eq!(spooled(folder.path()), 1);
        exec.recover(&[], None).unwrap();
        assert_eq!(spooled(folder.path()), 0);
    }
}
