//! `popsync schedule`: units for systemd and lines for crontab, printed and installed.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use support::cli::{Ended, Popsync};
use tempfile::TempDir;

const CONFIG: &str = "[accounts.work]\nserver = \"pop3s://anna@mail.example.com\"\n\
                      maildir = \"m\"\n[accounts.\"50% $HOME\"]\n\
                      server = \"pop3s://eva@mail.example.com\"\nmaildir = \"n\"\n";

/// A home with a configuration and a folder `bin` for programs that are played.
struct Home(Arc<TempDir>);

impl Home {
    fn new() -> Self {
        let home = Arc::new(TempDir::new().unwrap());
        fs::create_dir(home.path().join("bin")).unwrap();
        Self(home)
    }

    /// A program that notes its arguments in the file `ran`, and then does this.
    fn program(&self, name: &str, script: &str) {
        let path = format!("bin/{name}");
        self.write(
            &path,
            &format!("#!/bin/sh\necho \"{name} $*\" >> \"$HOME/ran\"\n{script}\n"),
        );
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.0.path().join(path), mode).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let all = [&["schedule"], arguments].concat();
        let bin = self.0.path().join("bin");
        Popsync::within(&self.0, &all)
            .config(CONFIG)
            .env("PATH", bin.to_str().unwrap())
            .run()
    }

    fn write(&self, path: &str, text: &str) {
        let mut file = File::create(self.0.path().join(path)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap_or_default()
    }
}

/// Where this program is differs from machine to machine.
fn placed(text: &str) -> String {
    text.replace(env!("CARGO_BIN_EXE_popsync"), "POPSYNC")
}

#[test]
fn units_are_printed_with_where_they_belong() {
    let ended = Home::new().run(&["--systemd", "--every", "6h"]);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    insta::assert_snapshot!(placed(&ended.out), @r#"
    # HOME/.config/systemd/user/popsync.service
    # Written by `popsync schedule`.
    [Unit]
    Description=Fetch mail with popsync
    Documentation=man:popsync-sync(1)

    [Service]
    Type=oneshot
    ExecStart=POPSYNC sync
    # "Try again later" is what the timer does anyway.
    SuccessExitStatus=75
    UMask=0077
    NoNewPrivileges=yes
    LockPersonality=yes
    MemoryDenyWriteExecute=yes
    RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
    RestrictNamespaces=yes
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    SystemCallArchitectures=native
    SystemCallErrorNumber=EPERM
    SystemCallFilter=@system-service
    # What needs a namespace, as ProtectSystem= and PrivateTmp=, is not here: many systems give users
    # none, and in one of their own the files of root belong to nobody.

    # HOME/.config/systemd/user/popsync.timer
    # Written by `popsync schedule`.
    # It runs while you are logged in; `loginctl enable-linger` lets it run without that.
    # To stop it: systemctl --user disable --now 'popsync.timer'
    [Unit]
    Description=Fetch mail with popsync every 6 h
    Documentation=man:popsync-schedule(1)

    [Timer]
    OnCalendar=*-*-* 0/6:00:00
    RandomizedDelaySec=300
    FixedRandomDelay=yes
    AccuracySec=60
    Persistent=yes

    [Install]
    WantedBy=timers.target
    "#);
}

/// systemd itself has nothing to say about the units, where it is installed.
#[test]
fn systemd_has_nothing_to_say_about_the_units() {
    for arguments in [
        &["--systemd"][..],
        &["--systemd", "50% $HOME", "--every", "1m"],
        &["--systemd", "work", "50% $HOME", "--every", "24h"],
    ] {
        let home = Home::new();
        let ended = home.run(&[arguments, &["--install"]].concat());
        assert_eq!(ended.status, 0, "{}", ended.text());
        let units = home.0.path().join(".config/systemd/user");
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["verify", "--user", "--man=no"]);
        let mut paths: Vec<_> = fs::read_dir(&units)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        assert_eq!(paths.len(), 2, "{paths:?}");
        let ended = analyze
            .args(&paths)
            .env("XDG_RUNTIME_DIR", home.0.path())
            .stdin(Stdio::null())
            .output();
        // Its text is checked above all the same.
        let Ok(ended) = ended else { return };
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() && said.is_empty(), "{said}");
    }
}

#[test]
fn units_are_installed_and_started_where_there_is_systemctl() {
    let home = Home::new();
    home.program("systemctl", "");
    let ended = home.run(&["work", "--systemd", "--install"]);
    insta::assert_snapshot!(ended.text(), @r"
    status: 0
    out:
    written: HOME/.config/systemd/user/popsync-work.service
    written: HOME/.config/systemd/user/popsync-work.timer
    started popsync-work.timer: popsync runs every 15 min
    timers run while you are logged in; `loginctl enable-linger` lets them run without that
    to take it away: systemctl --user disable --now 'popsync-work.timer'; then remove both files
    err:
    ");
    assert_eq!(
        home.read("ran"),
        "systemctl --user daemon-reload\nsystemctl --user enable --now popsync-work.timer\n"
    );
    let service = home.read(".config/systemd/user/popsync-work.service");
    assert!(service.contains(" sync -- work\n"), "{service}");
    // Again, with another interval: what popsync wrote, it may replace.
    let again = home.run(&["work", "--systemd", "--install", "--every", "1h"]);
    assert_eq!(again.status, 0, "{}", again.text());
    let timer = home.read(".config/systemd/user/popsync-work.timer");
    assert!(timer.contains("\nOnCalendar=*-*-* *:00:00\n"), "{timer}");
}

#[test]
fn without_systemctl_it_is_said_how_the_timer_is_started() {
    let home = Home::new();
    let ended = home.run(&["--systemd", "--install"]);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert!(
        ended
            .out
            .contains("systemctl --user enable --now 'popsync.timer'")
    );
    assert!(
        ended.out.contains("loginctl enable-linger"),
        "{}",
        ended.out
    );
    let json = home.run(&["--systemd", "--install", "--json"]);
    assert_eq!(
        json.out,
        "{\"event\":\"schedule\",\"account\":null,\"every\":900,\"installed\":true,\
         \"started\":false,\"files\":[\
         {\"path\":\"HOME/.config/systemd/user/popsync.service\"},\
         {\"path\":\"HOME/.config/systemd/user/popsync.timer\"}],\"crontab\":null}\n"
    );
}

#[test]
fn a_systemctl_that_fails_is_no_success() {
    let home = Home::new();
    home.program("systemctl", "echo 'Failed to connect to bus' >&2; exit 1");
    insta::assert_snapshot!(home.run(&["--systemd", "--install"]).text(), @r"
    status: 75
    out:
    err:
    popsync: `systemctl --user daemon-reload` failed: Failed to connect to bus
    hint: the units are written; log in at the machine itself, or run `loginctl enable-linger`, then install again
    ");
}

#[test]
fn a_unit_of_somebody_else_is_not_replaced() {
    let home = Home::new();
    let folder = home.0.path().join(".config/systemd/user");
    fs::create_dir_all(&folder).unwrap();
    home.write(".config/systemd/user/popsync.timer", "[Timer]\n");
    let ended = home.run(&["--systemd", "--install"]);
    assert_eq!(ended.status, 73, "{}", ended.text());
    assert!(ended.err.contains("popsync.timer was not written by"));
    assert_eq!(home.read(".config/systemd/user/popsync.timer"), "[Timer]\n");
    assert_eq!(home.read(".config/systemd/user/popsync.service"), "");
}

#[test]
fn a_crontab_line_is_printed_in_the_form_of_cron() {
    let ended = Home::new().run(&["50% $HOME", "--cron", "--every", "24h"]);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let (times, command) = ended.out.split_once(" * * * ").unwrap();
    let times: Vec<u64> = times.split(' ').map(|time| time.parse().unwrap()).collect();
    assert!(times[0] < 60 && times[1] < 24, "{}", ended.out);
    assert_eq!(placed(command), "POPSYNC sync -- '50\\% $HOME'\n");
}

/// Played: the crontab is the file `crontab` at home.
const CRONTAB: &str = "
case $1 in
-l) [ -e \"$HOME/crontab\" ] || { echo 'no crontab for anna' >&2; exit 1; }
    while IFS= read -r line; do printf '%s\\n' \"$line\"; done < \"$HOME/crontab\" ;;
-) : > \"$HOME/crontab\"
   while IFS= read -r line; do printf '%s\\n' \"$line\" >> \"$HOME/crontab\"; done ;;
esac";

#[test]
fn a_line_is_added_to_the_crontab_once() {
    let home = Home::new();
    home.program("crontab", CRONTAB);
    for every in ["5m", "15m"] {
        let ended = home.run(&["--cron", "--install", "--every", every]);
        assert_eq!((ended.status, ended.err.as_str()), (0, ""));
        assert!(ended.out.contains("to take it away: `crontab -e`"));
        let crontab = home.read("crontab");
        let lines: Vec<_> = crontab.lines().collect();
        assert_eq!(lines.len(), 2, "{crontab}");
        assert_eq!(lines[0], "# popsync schedule");
        assert!(lines[1].contains(&format!("/{} ", &every[..every.len() - 1])));
    }
    let mine = format!("0 1 * * * mine\n{}", home.read("crontab"));
    home.write("crontab", &mine);
    assert_eq!(home.run(&["work", "--cron", "--install"]).status, 0);
    let crontab = home.read("crontab");
    assert!(crontab.starts_with(&mine), "{crontab}");
    assert!(crontab.ends_with(" sync -- work\n"), "{crontab}");
}

/// A crontab that cannot be read is not replaced by one line.
#[test]
fn a_crontab_that_cannot_be_read_stays() {
    let home = Home::new();
    home.program("crontab", "echo 'you are not allowed' >&2; exit 1");
    let ended = home.run(&["--cron", "--install"]);
    assert_eq!(ended.status, 75, "{}", ended.text());
    assert!(ended.err.contains("you are not allowed"), "{}", ended.err);
    assert_eq!(home.read("ran"), "crontab -l\n");
    let none = Home::new().run(&["--cron", "--install"]);
    assert_eq!(none.status, 75);
    assert!(none.err.contains("neither systemd nor a `crontab`"));
}

#[test]
fn what_cannot_be_scheduled_is_refused() {
    let home = Home::new();
    assert_eq!(home.run(&["--every", "7m"]).status, 64);
    assert_eq!(home.run(&["--cron", "--systemd"]).status, 64);
    assert_eq!(home.run(&["wrok"]).status, 64);
    let ended = Popsync::new(&["schedule"]).run();
    assert_eq!(ended.status, 78, "{}", ended.text());
}

/// A timer has none of the variables of the shell: what they say stands in the command.
#[test]
fn a_configuration_and_state_elsewhere_are_named() {
    let home = Home::new();
    let folder = home.0.path().join("my 100%");
    fs::create_dir(&folder).unwrap();
    home.write("my 100%/c.toml", CONFIG);
    let run = |kind| {
        let ended = Popsync::within(&home.0, &["schedule", kind])
            .env("POPSYNC_CONFIG", "my 100%/c.toml")
            .env("XDG_STATE_HOME", &folder.to_string_lossy())
            .run();
        assert_eq!(ended.status, 0, "{}", ended.text());
        placed(&ended.out)
    };
    let units = run("--systemd");
    let command = "ExecStart=POPSYNC --config \"HOME/my 100%%/c.toml\" --state-dir \
                   \"HOME/my 100%%/popsync\" sync\n";
    assert!(units.contains(command), "{units}");
    let line = run("--cron");
    let command = " POPSYNC --config 'HOME/my 100\\%/c.toml' --state-dir \
                   'HOME/my 100\\%/popsync' sync\n";
    assert!(line.ends_with(command), "{line}");
}

/// Without a choice it is what the machine runs.
#[test]
fn the_machine_decides_between_systemd_and_cron() {
    let ended = Home::new().run(&[]);
    let booted = Path::new("/run/systemd/system").is_dir();
    assert_eq!(ended.out.contains("\nExecStart="), booted, "{}", ended.out);
}
