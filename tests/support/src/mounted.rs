//! File systems mounted where only their keeper, and processes that join it, can see them.

use std::fs::DirBuilder;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::geteuid;

use crate::bench::Run;

/// A mounted file system. It goes with its keeper.
pub struct Mounted {
    keeper: Child,
    _until_closed: ChildStdin,
    path: PathBuf,
}

impl Mounted {
    /// Mounts at `path`, which is created, with this shell script. Its `$1` is the path, and the
    /// others follow.
    pub fn with(path: PathBuf, script: &str, arguments: &[&str]) -> Self {
        if !path.is_dir() {
            DirBuilder::new().create(&path).unwrap();
        }
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let mut keeper = command
            .args(["--", "sh", "-c"])
            .arg(format!("{script} && echo ready && exec cat"))
            .arg("sh")
            .arg(&path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answer = String::new();
        let mut output = BufReader::new(keeper.stdout.take().unwrap());
        output.read_line(&mut answer).unwrap();
        assert_eq!(answer, "ready\n", "this test needs to mount a file system");
        Self {
            _until_closed: keeper.stdin.take().unwrap(),
            keeper,
            path,
        }
    }

    /// The process that keeps it.
    pub fn keeper(&self) -> u32 {
        self.keeper.id()
    }

    /// The run, in the namespace of the file system.
    pub fn run<'b>(&self, mut run: Run<'b>) -> Run<'b> {
        run.command = self.inside(&run.command);
        run
    }

    /// A command, in the namespace of the file system.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside
            .arg(format!("--target={}", self.keeper.id()))
            .arg("--mount");
        if !geteuid().is_root() {
            inside.args(["--user", "--preserve-credentials"]);
        }
        if let Some(folder) = command.get_current_dir() {
            inside.arg(format!("--wdns={}", folder.display()));
        }
        inside.arg("--").arg(command.get_program());
        inside.args(command.get_args()).env_clear();
        inside.env("PATH", std::env::var_os("PATH").unwrap());
        for (name, value) in command.get_envs() {
            inside.env(name, value.unwrap_or_default());
        }
        inside
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        inside
    }

    /// The path where it is mounted, as those inside see it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one of its files, as seen from outside.
    pub fn outside(&self, path: impl AsRef<Path>) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        let mounted = self.path.strip_prefix("/").unwrap();
        root.join(mounted).join(path)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // The mount ends with the last process that sees it.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
