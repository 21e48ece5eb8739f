//! Disks that are full or must not be written. What cannot be stored stays on the server.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::{Home, assert_holds, run, stored};
use support::dovecot::Dovecot;
use support::mail::{Mail, of_size, ordinary};
use support::mounted::Mounted;

/// Deletes from the server what is stored: the dangerous one.
const DELETE: [&str; 2] = ["--profile", "outlook-2016"];

#[test]
fn a_maildir_below_a_file_is_refused() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(3, 1));
    let home = Home::new();
    home.write("Mail", "not a folder\n", 0o600);
    let ended = home.fetch(&server, &DELETE);
    ended.fails(
        73,
        &["cannot use the folder", "hint: a Maildir is a folder"],
    );
    let below = ["--maildir", "Mail/below"];
    let mut command = home.popsync(&[&["fetch", &server.pop3s("anna")], &below[..]].concat());
    run(&mut command).fails(73, &["cannot use the folder"]);
    assert_eq!(server.messages("anna"), 3);
    assert_eq!(server.count("RETR"), 0);
}

#[test]
fn a_maildir_that_is_not_ours_to_write_is_refused() {
    let server = Dovecot::start();
    server.deliver_all("anna", &ordinary(3, 2));
    let home = Home::unprivileged();
    home.fetch(&server, &["--leave-on-server", "true"])
        .silently();
    server.deliver_all("anna", &ordinary(2, 3));
    server.forget();
    let protect = |mode| {
        for folder in ["tmp", "new", "cur"] {
            let folder = home.maildir().join(folder);
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    protect(0o500);
    let ended = home.fetch(&server, &DELETE);
    ended.fails(74, &["hint: is this the right user?"]);
    // Only messages stored before may be deleted.
    assert!(server.messages("anna") >= 2);
    protect(0o700);
    assert_eq!(stored(&home.maildir()).len(), 3);
    home.fetch(&server, &DELETE).silently();
    assert_eq!(stored(&home.maildir()).len(), 5);
    assert_eq!(server.messages("anna"), 0);
}

/// A small disk.
struct SmallDisk(Mounted);

impl SmallDisk {
    /// Mounts it at this folder.
    fn mount(path: &Path) -> Self {
        let script = "mount -t tmpfs -o size=24m,mode=700 tmpfs \"$1\"";
        Self(Mounted::with(path.to_owned(), script, &[]))
    }

    /// Makes it read-only, or writable again.
    fn protect(&self, protect: bool) {
        let mut mount = Command::new("mount");
        let mode = if protect { "ro" } else { "rw" };
        mount
            .arg("-o")
            .arg(format!("remount,bind,{mode}"))
            .arg(self.0.path());
        run(&mut self.0.inside(&mount)).silently();
    }

    /// Leaves two megabytes free.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        io::copy(&mut io::repeat(1).take(22 << 20), &mut ballast).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path(&self.0.path().join("ballast"))
    }

    /// The path of a file on the disk, as seen from outside.
    fn path(&self, path: &Path) -> PathBuf {
        self.0.outside(path.strip_prefix(self.0.path()).unwrap())
    }
}

/// Six megabytes of mail.
fn too_much() -> Vec<Mail> {
    of_size(60, 100_000, 4)
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_full_disk_stops_the_run_and_with_room_the_rest_arrives() {
    let server = Dovecot::start();
    let mails = too_much();
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let disk = SmallDisk::mount(&home.maildir());
    disk.fill();
    let fetch = || {
        let command = home.fetch_command(&server, &server.pop3s("anna"), &DELETE);
        run(&mut disk.0.inside(&command))
    };
    for _ in 0..2 {
        let ended = fetch();
        ended.fails(74, &["hint: make room and run it again"]);
        // Readers see only whole messages, and only stored messages have left the server.
        let visible = stored(&disk.path(&home.maildir())).len();
        assert!(visible < mails.len());
        assert!(server.messages("anna") + visible >= mails.len());
    }
    disk.make_room();
    fetch().silently();
    assert_holds(&disk.path(&home.maildir()), &mails);
    assert_eq!(server.messages("anna"), 0);
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_full_disk_that_holds_the_state_too_loses_nothing() {
    let server = Dovecot::start();
    let mails = too_much();
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let place = home.path("disk");
    let disk = SmallDisk::mount(&place);
    disk.fill();
    let (maildir, state) = (place.join("Mail"), place.join("state"));
    let fetch = || {
        let ca_file = server.ca_file();
        let command = home.popsync(&[
            "--state-dir".as_ref(),
            state.as_os_str(),
            "fetch".as_ref(),
            server.pop3s("anna").as_ref(),
            "--maildir".as_ref(),
            maildir.as_os_str(),
            "--password-file".as_ref(),
            home.path("password").as_os_str(),
            "--ca-file".as_ref(),
            ca_file.as_os_str(),
            "--profile".as_ref(),
            "outlook-2016".as_ref(),
        ]);
        run(&mut disk.0.inside(&command))
    };
    for _ in 0..2 {
        fetch().fails(74, &["hint: make room"]);
        assert!(server.messages("anna") > 0);
    }
    disk.make_room();
    fetch().silently();
    assert_holds(&disk.path(&maildir), &mails);
    assert_eq!(server.messages("anna"), 0);
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_disk_that_became_read_only_costs_nothing_on_the_server() {
    let server = Dovecot::start();
    let mails = ordinary(5, 5);
    server.deliver_all("anna", &mails);
    let home = Home::new();
    let disk = SmallDisk::mount(&home.maildir());
    let fetch = |more: &[&str]| {
        let command = home.fetch_command(&server, &server.pop3s("anna"), more);
        run(&mut disk.0.inside(&command))
    };
    fetch(&["--max-messages", "2"]).silently();
    disk.protect(true);
    let ended = fetch(&["--max-messages", "3"]);
    ended.fails(74, &["hint: the file system is mounted read-only"]);
    assert_eq!(server.messages("anna"), 5);
    disk.protect(false);
    fetch(&DELETE).silently();
    assert_holds(&disk.path(&home.maildir()), &mails);
    assert_eq!(server.messages("anna"), 0);
}
