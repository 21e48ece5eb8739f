//! Stores on other file systems: FAT, NTFS, those behind SFTP and NFS, and a quota.
//!
//! NTFS and sshfs are the real ones. The others are played in the test, by rules and faults.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use support::bench::{Bench, Into, Setup, Store, letter, letters};
use support::mounted::Mounted;
use support::volume::{Answer, Errno, Manners, Request, Volume};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

/// A bench whose store is on a volume. It is looked at in the folder behind the volume.
fn on(manners: Manners, setup: Setup, into: Into) -> (Bench, Volume) {
    let mut bench = setup.into(into).start();
    let folder = bench.path("volume");
    DirBuilder::new().create(&folder).unwrap();
    let volume = Volume::mount(bench.path("mounted"), &folder, manners);
    let spool = bench.store.spool.take();
    bench.place = bench.path("mounted/mail");
    bench.store = Store::at(folder.join("mail"));
    bench.store.spool = spool;
    (bench, volume)
}

fn mount_again(bench: &Bench, volume: Volume, manners: Manners) -> Volume {
    drop(volume);
    Volume::mount(bench.path("mounted"), &bench.path("volume"), manners)
}

/// The next run has nothing to repair, and retrieves nothing.
#[track_caller]
fn all_is_done(bench: &Bench, mounted: &Mounted) {
    mounted.run(bench.fetch(&DELETES)).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
    bench.sim.clear_log();
    mounted.run(bench.fetch(&DELETES)).gives(0);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    bench.assert_exactly_once();
    assert_eq!(bench.store.tmp(), [""; 0]);
}

/// New mail, the check of what is stored, and more of it after the volume was mounted again.
fn holds_mail(manners: Manners, into: Into) {
    let (bench, volume) = on(manners, Setup::with(letters(20)), into);
    all_is_done(&bench, &volume.mounted);
    let volume = mount_again(&bench, volume, manners);
    bench.deliver(&letter(21));
    let ended = volume.mounted.run(bench.fetch(&DELETES)).gives(0);
    assert!(!ended.err.contains("warning"), "{}", ended.text());
    all_is_done(&bench, &volume.mounted);
}

/// `verify` finds the messages, and gets a damaged one again from the server.
fn verifies(manners: Manners) {
    let (bench, volume) = on(manners, Setup::with(letters(3)), Into::Maildir);
    volume.mounted.run(bench.sync(KEYS, &[])).gives(0);
    let verify = |arguments: &[&str]| {
        let run = bench.configured("verify", KEYS, arguments);
        volume.mounted.run(run).end()
    };
    let ended = verify(&[]);
    assert_eq!(ended.status, Some(0), "{}", ended.text());
    let damaged = bench.store.files().into_keys().next().unwrap();
    let mut file = File::options().write(true).open(&damaged).unwrap();
    file.write_all(b"X").unwrap();
    let ended = verify(&["--repair"]);
    assert_eq!(ended.status, Some(0), "{}", ended.text());
    bench.store.look_anew();
    bench.assert_exactly_once();
    let ended = verify(&[]);
    assert_eq!(ended.status, Some(0), "{}", ended.text());
}

const KEYS: &str = "profile = \"outlook-2019\"";

/// A run is killed at this step, and the volume is mounted again.
fn survives(manners: Manners, into: Into, step: &str) {
    let (bench, volume) = on(manners, Setup::with(letters(4)), into);
    let run = bench.fetch(&DELETES).env("POPSYNC_STOP_AT", step);
    let ended = volume.mounted.run(run).end();
    assert!(ended.was_killed(), "{step}: {}", ended.text());
    let volume = mount_again(&bench, volume, manners);
    all_is_done(&bench, &volume.mounted);
}

/// The steps of the store's order.
const STEPS: [&str; 5] = ["1", "2", "3", "4", "5"];

const ALL: [Manners; 3] = [Manners::FAT, Manners::SFTP, Manners::NFS];

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_maildir_on_fat_sftp_or_nfs_holds_mail() {
    for manners in ALL {
        holds_mail(manners, Into::Maildir);
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_maildir_on_fat_sftp_or_nfs_is_verified_and_repaired() {
    for manners in ALL {
        verifies(manners);
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn an_mbox_on_fat_sftp_or_nfs_holds_mail() {
    for manners in ALL {
        holds_mail(manners, Into::Mbox);
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_run_that_is_killed_on_fat_sftp_or_nfs_is_completed_by_the_next() {
    for manners in ALL {
        for into in [Into::Maildir, Into::Mbox] {
            for step in STEPS {
                survives(manners, into, step);
            }
        }
    }
}

/// The state is in SQLite, which shares memory between processes where it can.
#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_state_on_fat_sftp_or_nfs_is_kept() {
    for manners in ALL {
        let bench = Bench::with(letters(5));
        let folder = bench.path("volume");
        DirBuilder::new().create(&folder).unwrap();
        let mut volume = Volume::mount(bench.path("state"), &folder, manners);
        for (number, step) in ["2", "3", "4"].into_iter().enumerate() {
            bench.deliver(&letter(6 + number));
            let run = bench.fetch(&DELETES).env("POPSYNC_STOP_AT", step);
            let ended = volume.mounted.run(run).end();
            assert!(ended.was_killed(), "{step}: {manners:?} {}", ended.text());
            drop(volume);
            volume = Volume::mount(bench.path("state"), &folder, manners);
        }
        all_is_done(&bench, &volume.mounted);
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_state_where_no_memory_can_be_shared_is_refused_with_what_to_do() {
    let bench = Bench::with(letters(5));
    let folder = bench.path("volume");
    DirBuilder::new().create(&folder).unwrap();
    let volume = Volume::mount(bench.path("state"), &folder, Manners::DIRECT);
    let ended = volume.mounted.run(bench.fetch(&DELETES)).gives(74);
    ended.says("hint: the file system of the state folder lets no programs share memory");
    assert_eq!(bench.store.len(), 0);
    assert_eq!(bench.mailbox().len(), 5);
}

/// The names of requests whose answers NFS may lose. Asked again, the server finds the work done.
fn lost(request: &Request) -> Option<Errno> {
    match request {
        Request::Rename(..) | Request::Unlink(_) => Some(Errno::NOENT),
        Request::Link(_) | Request::Mkdir(_) => Some(Errno::EXIST),
        Request::Create(_) | Request::Write(_) | Request::Close | Request::Sync => None,
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn answers_that_nfs_loses_cost_nothing() {
    for into in [Into::Maildir, Into::Mbox] {
        let (bench, volume) = on(Manners::NFS, Setup::with(letters(6)), into);
        // Each answer is lost.
        volume.on_request(|request| lost(request).map_or(Answer::Done, Answer::Lost));
        let ended = volume.mounted.run(bench.fetch(&DELETES)).end();
        assert_eq!(ended.status, Some(0), "{into:?}: {}", ended.text());
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
        volume.no_hook();
        all_is_done(&bench, &volume.mounted);
    }
}

/// The number of requests of a whole run.
fn requests(into: Into) -> usize {
    let (bench, volume) = on(Manners::NFS, Setup::with(letters(3)), into);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    volume.on_request(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Answer::Done
    });
    volume.mounted.run(bench.fetch(&DELETES)).gives(0);
    count.load(Ordering::SeqCst)
}

/// Each request in turn fails: the run may end, and the next one completes it.
#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
#[expect(clippy::print_stderr, reason = "how many points there are is a result")]
fn a_request_that_a_soft_mount_gives_up_is_completed_by_the_next_run() {
    for into in [Into::Maildir, Into::Mbox] {
        let requests = requests(into);
        for is_done in [false, true] {
            let points: Vec<_> = support::sample(0..requests, 12).collect();
            eprintln!(
                "{into:?}: {requests} requests, {} points tried",
                points.len()
            );
            for at in points {
                let (bench, volume) = on(Manners::NFS, Setup::with(letters(3)), into);
                let mut count = 0;
                volume.on_request(move |request| {
                    count += 1;
                    // Nobody can know whose an empty lock file is: it is waited for.
                    let is_lock =
                        matches!(request, Request::Create(name) if name.ends_with(".lock"));
                    match (count == at + 1 && !is_lock, is_done) {
                        (false, _) => Answer::Done,
                        (true, true) => Answer::Lost(Errno::IO),
                        (true, false) => Answer::Fails(Errno::TIMEDOUT),
                    }
                });
                let ended = volume.mounted.run(bench.fetch(&DELETES)).end();
                let when = format!("{into:?}, {at}, {is_done}: {}", ended.text());
                assert!(matches!(ended.status, Some(0 | 73 | 74)), "{when}");
                volume.no_hook();
                all_is_done(&bench, &volume.mounted);
            }
        }
    }
}

/// The server gives up before the answer to a rename comes.
#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_rename_that_answers_late_loses_and_repeats_nothing() {
    let (bench, volume) = on(Manners::NFS, Setup::with(letters(4)), Into::Maildir);
    let (late, gone) = mpsc::channel();
    let (go_on, waits) = mpsc::channel();
    volume.on_request(move |request| {
        if matches!(request, Request::Rename(..)) {
            let _ = late.send(());
            // Nobody sends anything: this ends when the server has gone.
            let _ = waits.recv();
        }
        Answer::Done
    });
    let ended = std::thread::scope(|scope| {
        let bench = &bench;
        scope.spawn(move || {
            gone.recv().unwrap();
            bench.sim.disconnect_all();
            drop::<mpsc::Sender<()>>(go_on);
        });
        volume.mounted.run(bench.fetch(&DELETES)).end()
    });
    assert!(matches!(ended.status, Some(0 | 75)), "{}", ended.text());
    volume.no_hook();
    all_is_done(&bench, &volume.mounted);
}

/// A quota that is used up: NFS and others say so only when a file is closed or made durable.
#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn a_quota_stops_the_run_and_the_rest_comes_once_there_is_room() {
    let refused: [fn(&Request) -> bool; 4] = [
        |request| matches!(request, Request::Create(_)),
        |request| matches!(request, Request::Write(_)),
        |request| matches!(request, Request::Close),
        |request| matches!(request, Request::Sync),
    ];
    for into in [Into::Maildir, Into::Mbox] {
        for (kind, refuses) in refused.into_iter().enumerate() {
            for after in support::sample([0, 1, 3], 2) {
                let (bench, volume) = on(Manners::USUAL, Setup::with(letters(5)), into);
                let mut count = 0;
                volume.on_request(move |request| {
                    count += usize::from(refuses(request));
                    if refuses(request) && count > after {
                        Answer::Fails(Errno::DQUOT)
                    } else {
                        Answer::Done
                    }
                });
                let ended = volume.mounted.run(bench.fetch(&DELETES)).end();
                let when = format!("{into:?}, {kind}, {after}: {}", ended.text());
                if ended.status != Some(0) {
                    assert!(matches!(ended.status, Some(73 | 74)), "{when}");
                    ended.says("quota");
                }
                volume.no_hook();
                all_is_done(&bench, &volume.mounted);
            }
        }
    }
}

/// A bench whose store is on a file system that this script mounts.
fn on_real(script: &str, into: Into) -> (Bench, Mounted) {
    let mut bench = Setup::with(letters(4)).into(into).start();
    let mounted = real(&bench, script);
    let spool = bench.store.spool.take();
    bench.place = bench.path("mounted/mail");
    bench.store = Store::at(mounted.outside("mail"));
    bench.store.spool = spool;
    (bench, mounted)
}

/// The script, in the home of the bench. A program that stays is `$server`, and ends with the mount.
fn real(bench: &Bench, script: &str) -> Mounted {
    let home = bench.path("");
    let script = format!(
        "cd {home:?} && server='setpriv --pdeathsig KILL' && {script} && \
         until mountpoint -q \"$1\"; do kill -0 $! || exit 1; done"
    );
    Mounted::with(bench.path("mounted"), &script, &[])
}

/// New mail and a second run, and runs that are killed at each step, with the volume mounted again.
fn holds_up(script: &str) {
    for into in [Into::Maildir, Into::Mbox] {
        let (mut bench, mut mounted) = on_real(script, into);
        all_is_done(&bench, &mounted);
        for (number, step) in STEPS.into_iter().enumerate() {
            for new in 0..3 {
                bench.deliver(&letter(10 * number + new + 5));
            }
            let run = bench.fetch(&DELETES).env("POPSYNC_STOP_AT", step);
            let ended = mounted.run(run).end();
            assert!(ended.was_killed(), "{into:?}, {step}: {}", ended.text());
            drop(mounted);
            mounted = real(&bench, script);
            let spool = bench.store.spool.take();
            bench.store = Store::at(mounted.outside("mail"));
            bench.store.spool = spool;
            all_is_done(&bench, &mounted);
        }
    }
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn ntfs_holds_up() {
    holds_up(
        "{ [ -e disk ] || { truncate -s 32M disk && mkntfs -qF disk >&2; }; } 2>mkntfs.log && \
         { $server ntfs-3g -o no_detach,windows_names,umask=077 disk \"$1\" 2>ntfs.log & }",
    );
}

#[test]
#[ignore = "mounts a file system; `.ci/test` runs it where that is possible"]
fn sshfs_holds_up() {
    holds_up(
        "mkdir -p far && printf '#!/bin/sh\\nexec /usr/lib/openssh/sftp-server\\n' >ssh && \
         chmod 700 ssh && { $server sshfs -f -o ssh_command=\"$PWD/ssh\" x:\"$PWD/far\" \"$1\" & }",
    );
}
