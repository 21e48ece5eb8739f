//! A run of the program.
//!
//! Every run has a time limit; when it is over, the program is killed and the test fails. Its
//! output must meet the rules for any output: UTF-8, no control characters, no password, no panic.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{Bench, PASSWORD, lock};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use crate::calls::{self, Call, Fault};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use crate::power::Journal;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use nix::sys::wait::WaitStatus;

/// The time limit of a run without another limit.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that can be sent signals while it lives, and never another one with the same number.
#[derive(Clone)]
pub struct Process {
    pid: Pid,
    reaped: Arc<Mutex<bool>>,
}

impl Process {
    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Ends it without a warning, if it still runs.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends it a signal, if it still runs.
    pub fn signal(&self, signal: Signal) {
        let reaped = lock(&self.reaped);
        if !*reaped {
            kill_process(self.pid, signal).unwrap();
        }
    }
}

/// A run of the program that is not started yet.
pub struct Run<'b> {
    bench: &'b Bench,
    /// The command line.
    pub command: Command,
    patience: Duration,
}

impl<'b> Run<'b> {
    pub(super) fn new(bench: &'b Bench, command: Command) -> Self {
        Self {
            bench,
            command,
            patience: PATIENCE,
        }
    }

    /// With a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it as the `"$@"` of this shell script.
    pub fn through(mut self, script: &str) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", script, "sh"])
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                shell.env(name, value);
            }
        }
        if let Some(folder) = self.command.get_current_dir() {
            shell.current_dir(folder);
        }
        self.command = shell;
        self
    }

    /// Sets the time limit.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        // Locked so that no hook runs before it knows the process.
        let mut current = lock(&self.bench.hooks.process);
        let mut child = self.command.spawn().unwrap();
        let process = Process {
            pid: Pid::from_raw(child.id().cast_signed()).unwrap(),
            reaped: Arc::default(),
        };
        *current = Some(process.clone());
        drop(current);
        // A stream that a test redirected is not read.
        let out = child.stdout.take().map(Pipe::read);
        let err = child.stderr.take().map(Pipe::read);
        let (sender, status) = mpsc::channel();
        let waited = process.clone();
        thread::spawn(move || sender.send(reap(&waited, child)));
        Running {
            process,
            out,
            err,
            status,
            patience: self.patience,
        }
    }

    /// Runs it to its end, with a fault at this call of those that change something below `folder`.
    /// Also returns those calls.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    pub fn followed(self, folder: &Path, fault: Option<(usize, Fault)>) -> (Ended, Vec<Call>) {
        self.traced(|pid| calls::follow(pid, folder, fault))
    }

    /// Runs it to its end, and records its changes of the disk.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    pub fn recorded(self, journal: &mut Journal) -> Ended {
        self.traced(|pid| ((), calls::watch(pid, journal))).0
    }

    /// Runs it under the eyes of the tracer that starts with its number.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn traced<T: Send>(self, trace: impl FnOnce(i32) -> (T, WaitStatus) + Send) -> (Ended, T) {
        let (bench, patience) = (self.bench, self.patience);
        let mut command = self.through(calls::STOPPED).command;
        // On a thread of its own, since it waits for all its children.
        let following = || {
            #[expect(clippy::zombie_processes, reason = "who follows it waits for it")]
            let mut child = command.spawn().unwrap();
            let pid = child.id().cast_signed();
            let process = Process {
                pid: Pid::from_raw(pid).unwrap(),
                reaped: Arc::default(),
            };
            *lock(&bench.hooks.process) = Some(process.clone());
            let (out, err) = (child.stdout.take(), child.stderr.take());
            let (out, err) = (out.map(Pipe::read), err.map(Pipe::read));
            let (ended, waits) = mpsc::channel::<()>();
            let watched = process.clone();
            let watching = thread::spawn(move || {
                let is_stuck = waits.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
                if is_stuck {
                    watched.kill();
                }
                is_stuck
            });
            let (seen, status) = trace(pid);
            *lock(&process.reaped) = true;
            drop(ended);
            assert!(
                !watching.join().unwrap(),
                "it did not end within {patience:?}"
            );
            let (status, signal) = match status {
                WaitStatus::Exited(_, status) => (Some(status), None),
                WaitStatus::Signaled(_, signal, _) => (None, Some(signal as i32)),
                status => panic!("{status:?}"),
            };
            let (out, err) = (Pipe::text(out), Pipe::text(err));
            let ended = Ended {
                status,
                signal,
                out,
                err,
            };
            (ended, seen)
        };
        let (ended, seen) = thread::scope(|scope| scope.spawn(following).join().unwrap());
        ended.assert_clean();
        bench.settle();
        (ended, seen)
    }

    /// Runs it until it ends and the server has noticed that.
    #[track_caller]
    pub fn end(self) -> Ended {
        let bench = self.bench;
        let ended = self.start().end();
        bench.settle();
        ended
    }

    /// Runs it, and asserts its status.
    #[track_caller]
    pub fn gives(self, status: i32) -> Ended {
        let ended = self.end();
        assert_eq!(ended.status, Some(status), "{}", ended.text());
        ended
    }
}

/// The output of a pipe so far; it reports the end.
struct Pipe {
    octets: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

impl Pipe {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let octets: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (sender, ended) = mpsc::channel();
        let to = Arc::clone(&octets);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                lock(&to).extend_from_slice(&buffer[..read]);
            }
            sender.send(())
        });
        Self { octets, ended }
    }

    /// The whole output. A process that the program left behind may hold the pipe for ever; then
    /// the output within a time limit.
    fn text(pipe: Option<Self>) -> String {
        let Some(pipe) = pipe else {
            return String::new();
        };
        let _ = pipe.ended.recv_timeout(Duration::from_secs(5));
        let octets = lock(&pipe.octets).clone();
        String::from_utf8(octets).unwrap()
    }
}

/// Waits for the end without freeing the number, then frees it while nobody can send a signal.
fn reap(process: &Process, mut child: Child) -> ExitStatus {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(process.pid), options)
        .is_err_and(|error| error == rustix::io::Errno::INTR)
    {}
    let mut reaped = lock(&process.reaped);
    *reaped = true;
    child.wait().unwrap()
}

/// A run.
pub struct Running {
    /// The process, for signals.
    pub process: Process,
    out: Option<Pipe>,
    err: Option<Pipe>,
    status: Receiver<ExitStatus>,
    patience: Duration,
}

impl Running {
    /// Waits until standard error has this text.
    #[track_caller]
    pub fn wait_until_it_says(&self, words: &str) {
        let err = self.err.as_ref().unwrap();
        let began = Instant::now();
        while !String::from_utf8_lossy(&lock(&err.octets)).contains(words) {
            assert!(began.elapsed() < self.patience, "it never says {words:?}");
            thread::yield_now();
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(self) -> Ended {
        let waited = self.status.recv_timeout(self.patience);
        if waited.is_err() {
            self.process.kill();
        }
        let (out, err) = (Pipe::text(self.out), Pipe::text(self.err));
        let Ok(status) = waited else {
            panic!(
                "it did not end within {:?}\nout:\n{out}err:\n{err}",
                self.patience
            );
        };
        let ended = Ended {
            status: status.code(),
            signal: status.signal(),
            out,
            err,
        };
        ended.assert_clean();
        ended
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    /// The exit status. None after a signal.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    /// The whole output, for failures.
    pub fn text(&self) -> String {
        let Self {
            status,
            signal,
            out,
            err,
        } = self;
        format!("status {status:?}, signal {signal:?}\nout:\n{out}err:\n{err}")
    }

    /// True if SIGKILL ended it.
    pub fn was_killed(&self) -> bool {
        self.signal == Some(Signal::KILL.as_raw())
    }

    /// Asserts that standard error holds these words.
    #[track_caller]
    pub fn says(&self, words: &str) {
        assert!(
            self.err.contains(words),
            "{words:?} is missing: {}",
            self.text()
        );
    }

    /// The rules for any output, whatever the server did.
    #[track_caller]
    fn assert_clean(&self) {
        for (name, text) in [
            ("standard output", &self.out),
            ("standard error", &self.err),
        ] {
            let acts = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(acts, None, "{name} holds a control character: {text:?}");
            assert!(
                !text.contains(PASSWORD),
                "{name} holds the password: {text}"
            );
            for word in ["panicked", "internal error", "has a defect"] {
                assert!(!text.contains(word), "a panic: {}", self.text());
            }
        }
    }
}
