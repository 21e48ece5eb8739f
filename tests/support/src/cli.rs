//! Runs the program with a home of its own and an empty environment.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use crate::pty::Pty;

/// No bus has this address: a test never reaches the keyring of the person who runs it.
pub const NO_BUS: &str = "unix:path=/nonexistent/bus";

/// A run of the program that is not started yet.
pub struct Popsync {
    home: Arc<TempDir>,
    command: Command,
    input: Option<String>,
}

/// The result of a run. Paths of the temporary home are shown as `HOME`.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit status; -1 after a signal.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Popsync {
    /// With these arguments, and without a terminal.
    pub fn new(arguments: &[&str]) -> Self {
        Self::within(&Arc::new(TempDir::new().unwrap()), arguments)
    }

    /// The same in the home of an earlier run.
    pub fn within(home: &Arc<TempDir>, arguments: &[&str]) -> Self {
        let home = Arc::clone(home);
        let mut command = Command::new(crate::program());
        command
            .args(arguments)
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DBUS_SESSION_BUS_ADDRESS", NO_BUS)
            .stdin(Stdio::null());
        let input = None;
        Self {
            home,
            command,
            input,
        }
    }

    /// With a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without a variable that is there otherwise.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// With this on standard input.
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// With a file below the home folder; only its owner can read it.
    pub fn file(self, path: &str, content: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .unwrap();
        self
    }

    /// With this configuration at its usual place.
    pub fn config(self, content: &str) -> Self {
        self.file(".config/popsync/config.toml", content)
    }

    /// A path below the home folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    /// Starts it, with its output in pipes; its home goes with the first of the two.
    pub fn start(mut self) -> (Arc<TempDir>, Child) {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        (self.home, self.command.spawn().unwrap())
    }

    /// Runs it.
    pub fn run(self) -> Ended {
        self.run_in().1
    }

    /// Runs it, and gives its home as well.
    pub fn run_in(mut self) -> (Arc<TempDir>, Ended) {
        let output = match self.input {
            None => self.command.output(),
            Some(input) => {
                let command = &mut self.command;
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
                // It fits the pipe; a program need not read it.
                let mut pipe = child.stdin.take().unwrap();
                let _ = pipe.write_all(input.as_bytes());
                drop(pipe);
                child.wait_with_output()
            }
        };
        let ended = ended(&output.unwrap(), self.home.path());
        (self.home, ended)
    }

    /// Runs it at a terminal of its own, where a person waits for a text and then types a line, for
    /// each step. All output of the terminal counts as standard output.
    #[track_caller]
    pub fn at_a_terminal(self, steps: &[(&str, &str)]) -> (Arc<TempDir>, Ended) {
        let mut pty = Pty::open();
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "--wait"])
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .current_dir(self.home.path())
            .env_clear()
            .stdin(pty.end())
            .stdout(pty.end())
            .stderr(pty.end());
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let mut child = command.spawn().unwrap();
        // Its copies of the ends would keep the terminal open.
        drop(command);
        for (text, line) in steps {
            pty.wait_for(text);
            pty.enter(line);
        }
        let out = pty.read_to_end();
        let status = child.wait().unwrap().code().unwrap_or(-1);
        let out = String::from_utf8(out).unwrap();
        let ended = Ended {
            status,
            out: out.replace(self.home.path().to_str().unwrap(), "HOME"),
            err: String::new(),
        };
        (self.home, ended)
    }

    /// Runs it, and asserts status, standard output and standard error together.
    #[track_caller]
    pub fn gives(self, status: i32, out: &str, err: &str) {
        let expected = Ended {
            status,
            out: out.to_owned(),
            err: err.to_owned(),
        };
        let ended = self.run();
        assert!(
            ended == expected,
            "\n{}\ninstead of\n{}",
            ended.text(),
            expected.text()
        );
    }
}

impl Ended {
    /// The whole output, for snapshots and failures.
    pub fn text(&self) -> String {
        format!(
            "status: {}\nout:\n{}err:\n{}",
            self.status, self.out, self.err
        )
    }
}

fn ended(output: &Output, home: &Path) -> Ended {
    let text = |octets: &[u8]| {
        String::from_utf8(octets.to_vec())
            .unwrap()
            .replace(home.to_str().unwrap(), "HOME")
    };
    Ended {
        status: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}
