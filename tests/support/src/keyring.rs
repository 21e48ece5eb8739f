//! A session bus for one test, with a gnome-keyring on it or without. Dropping it ends both and
//! removes their folder.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The time limit for a service to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// The bus starts no services by itself: only ours answers.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=@BUS@</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"#;

/// A session bus.
pub struct Bus {
    running: Vec<Child>,
    folder: TempDir,
}

impl Bus {
    /// A bus that nobody is on.
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        DirBuilder::new()
            .mode(0o700)
            .create(folder.path().join("run"))
            .unwrap();
        let mut bus = Self {
            running: Vec::new(),
            folder,
        };
        let config = bus.folder.path().join("bus.conf");
        let text = BUS.replace("@BUS@", bus.socket().to_str().unwrap());
        File::create(&config)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let mut daemon = bus
            .command("dbus-daemon")
            .arg("--nofork")
            .arg("--print-address=1")
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("`.ci/install-test-servers` installs D-Bus");
        let mut address = String::new();
        let out = BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address);
        bus.running.push(daemon);
        assert!(out.unwrap() > 0, "dbus-daemon does not start");
        bus
    }

    /// With a keyring that is unlocked.
    pub fn with_keyring() -> Self {
        let mut bus = Self::start();
        bus.keyring(true);
        bus
    }

    /// Restarts the keyring, locked and without anybody to ask.
    pub fn lock(&mut self) {
        let mut keyring = self.running.pop().unwrap();
        keyring.kill().unwrap();
        keyring.wait().unwrap();
        self.keyring(false);
    }

    fn keyring(&mut self, unlocked: bool) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        if unlocked {
            command.arg("--unlock");
        }
        let mut keyring = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("`.ci/install-test-servers` installs gnome-keyring");
        let mut password = keyring.stdin.take().unwrap();
        password.write_all(b"of the keyring").unwrap();
        drop(password);
        self.running.push(keyring);
        let wanted = if unlocked {
            "boolean false"
        } else {
            "boolean true"
        };
        let until = Instant::now() + PATIENCE;
        while !self.is_locked().contains(wanted) {
            assert!(Instant::now() < until, "gnome-keyring does not start");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_locked(&self) -> String {
        let asked = self
            .command("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
            ])
            .arg("/org/freedesktop/secrets/collection/login")
            .arg("org.freedesktop.DBus.Properties.Get")
            .args(["string:org.freedesktop.Secret.Collection", "string:Locked"])
            .output();
        String::from_utf8_lossy(&asked.unwrap().stdout).into_owned()
    }

    fn command(&self, program: &str) -> Command {
        // Killed with the thread that starts it, even if a test is killed.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", program])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.runtime_folder())
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// The value of `XDG_RUNTIME_DIR` in this session.
    pub fn runtime_folder(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn socket(&self) -> PathBuf {
        self.runtime_folder().join("bus")
    }

    /// The value of `DBUS_SESSION_BUS_ADDRESS` in this session.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    /// All data that the keyring has on disk.
    pub fn kept(&self) -> Vec<u8> {
        let folder = self.folder.path().join(".local/share/keyrings");
        fs::read(folder.join("login.keyring")).unwrap()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        while let Some(mut child) = self.running.pop() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
