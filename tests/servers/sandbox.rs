//! A place in which a server is installed, with its users and at the absolute paths that it
//! requires, invisible to others: an overlay over the system, in a mount namespace.
//!
//! It needs root, and the folder that `.ci/unpack-test-servers` unpacked the server to. Dropping it
//! ends all its processes. So does killing the test: then its standard input closes, and the first
//! process of its process namespace ends the others.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

/// A server's place.
pub(crate) struct Sandbox {
    keeper: Child,
    until_closed: Option<ChildStdin>,
    folder: TempDir,
}

impl Sandbox {
    /// A folder for the files that [`Self::start`] needs, readable by everybody.
    pub(crate) fn folder_of(server: &str) -> TempDir {
        let folder = tempfile::Builder::new().prefix(server).tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    /// Lays the server over the system and runs the script `furnish` there, with the path of the
    /// folder as its argument. Returns the script's output if it fails.
    pub(crate) fn start(server: &str, folder: TempDir, furnish: &str) -> Result<Self, String> {
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            let mut file = File::create(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            path
        };
        write("furnish", furnish);
        let script = write("sandbox.sh", include_str!("sandbox.sh"));
        let mut keeper = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "--", "sh"])
            .args([&script, &layer(server)])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut answer = String::new();
        let mut output = BufReader::new(keeper.stdout.take().unwrap());
        output.read_line(&mut answer).unwrap();
        let sandbox = Self {
            until_closed: keeper.stdin.take(),
            keeper,
            folder,
        };
        if answer == "ready\n" {
            return Ok(sandbox);
        }
        let log = fs::read_to_string(sandbox.folder().join("log"));
        Err(log.unwrap_or_else(|_| {
            "this test needs to be run by root, and to mount an overlay over the system".to_owned()
        }))
    }

    /// The folder that is the same inside and outside.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// True if a program with this first argument runs inside.
    pub(crate) fn runs(&self, program: &str) -> bool {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        let inside = self.folder().join("area/root/proc");
        let processes = fs::read_dir(root.join(inside.strip_prefix("/").unwrap())).unwrap();
        // A process that has ended has no arguments any more.
        let arguments = |path: PathBuf| fs::read(path.join("cmdline")).unwrap_or_default();
        processes
            .map(|entry| arguments(entry.unwrap().path()))
            .any(|arguments| {
                arguments.split(|&octet| octet == 0).next() == Some(program.as_bytes())
            })
    }

    /// A command that runs a program inside.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let keeper = self.keeper.id();
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount=/proc/{keeper}/ns/mnt"))
            .arg(format!("--pid=/proc/{keeper}/ns/pid_for_children"))
            .args(["--", "chroot"])
            .arg(self.folder().join("area/root"))
            .arg(program);
        command
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.until_closed = None;
        // Returns when all its processes have ended.
        let _ = self.keeper.wait();
    }
}

/// The folder that a server was unpacked to.
fn layer(server: &str) -> PathBuf {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let unpacked = variable("POPSYNC_TEST_SERVERS").map_or_else(
        || {
            let cache = variable("XDG_CACHE_HOME").map_or_else(
                || PathBuf::from(variable("HOME").unwrap_or_default()).join(".cache"),
                PathBuf::from,
            );
            cache.join("popsync/test-servers")
        },
        PathBuf::from,
    );
    let layer = unpacked.join(server);
    assert!(
        layer.is_dir(),
        "{server} is not in {}, and this test needs it. `.ci/test` unpacks it",
        unpacked.display()
    );
    layer
}
