//! Local faults: files, folders, passwords, other programs. (Catalogue 81–89; attacks L1–L5.)

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use exchange_sim::Knobs;

use support::bench::{Bench, Ended, Into, Setup, USER, letter, letters, rename};

/// Nothing left the server, nothing was stored, and there was no connection.
#[track_caller]
fn refuses(bench: &Bench, ended: &Ended, statuses: &[i32], words: &str) {
    let status = ended.status.unwrap_or(-1);
    assert!(statuses.contains(&status), "{}", ended.text());
    ended.says(words);
    assert_eq!(bench.mailbox().len(), 3);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
}

#[test]
fn a_maildir_that_is_something_else_is_refused() {
    let elsewhere = |bench: &Bench| {
        let elsewhere = bench.path("elsewhere");
        DirBuilder::new().create(&elsewhere).unwrap();
        elsewhere
    };
    for folder in ["tmp", "new", "cur"] {
        let bench = Bench::with(letters(3));
        DirBuilder::new().create(bench.path("Mail")).unwrap();
        symlink(elsewhere(&bench), bench.path("Mail").join(folder)).unwrap();
        let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
        refuses(&bench, &ended, &[73], "hint: a Maildir is a folder");
        assert_eq!(fs::read_dir(bench.path("elsewhere")).unwrap().count(), 0);

        let bench = Bench::with(letters(3));
        DirBuilder::new().create(bench.path("Mail")).unwrap();
        File::create(bench.path("Mail").join(folder)).unwrap();
        let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
        refuses(&bench, &ended, &[73], "hint: a Maildir is a folder");

        let bench = Bench::with(letters(3));
        DirBuilder::new().create(bench.path("Mail")).unwrap();
        fifo(&bench.path("Mail").join(folder));
        let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
        refuses(&bench, &ended, &[73], "hint: a Maildir is a folder");
    }
    let bench = Bench::with(letters(3));
    File::create(bench.path("Mail")).unwrap();
    let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
    refuses(&bench, &ended, &[73], "cannot use the folder");
    let bench = Bench::with(letters(3));
    symlink(bench.path("nowhere"), bench.path("Mail")).unwrap();
    let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
    refuses(&bench, &ended, &[73], "cannot use the folder");
}

fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn a_maildir_behind_a_link_is_used() {
    let bench = Bench::with(letters(3));
    DirBuilder::new().create(bench.path("elsewhere")).unwrap();
    symlink(bench.path("elsewhere"), bench.path("Mail")).unwrap();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
}

/// The cache's file.
fn cache(bench: &Bench) -> std::path::PathBuf {
    let files = fs::read_dir(bench.path("state")).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    paths
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension != "lock" && path.is_file())
        })
        .unwrap()
}

/// The damage to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    CutInHalf,
    Folder,
    Garbage,
    ZeroesInTheHeader,
    ZeroesInTheMiddle,
}

fn damage(path: &Path, kind: Damage) {
    let mut octets = fs::read(path).unwrap();
    let quarter = octets.len() / 4;
    match kind {
        Damage::CutInHalf => octets.truncate(2 * quarter),
        Damage::Folder => {
            fs::remove_file(path).unwrap();
            return DirBuilder::new().create(path).unwrap();
        }
        Damage::Garbage => octets.fill(b'x'),
        Damage::ZeroesInTheHeader => octets[..100].fill(0),
        Damage::ZeroesInTheMiddle => octets[quarter..].fill(0),
    }
    write(path, &octets);
}

#[test]
fn a_damaged_state_stops_the_run_before_anything_is_done() {
    for kind in [
        Damage::CutInHalf,
        Damage::Folder,
        Damage::Garbage,
        Damage::ZeroesInTheHeader,
        Damage::ZeroesInTheMiddle,
    ] {
        let bench = Bench::with(letters(3));
        bench.fetch(&["--max-messages", "1"]).gives(0);
        bench.sim.clear_log();
        let path = cache(&bench);
        let kept = bench.path("kept");
        fs::copy(&path, &kept).unwrap();
        damage(&path, kind);
        let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
        assert!(
            matches!(ended.status, Some(73 | 74)),
            "{kind:?}: {}",
            ended.text()
        );
        ended.says("hint: ");
        assert_eq!(bench.mailbox().len(), 3, "{kind:?}");
        // When its state is back, it continues.
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        rename(&kept, &path);
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        bench.assert_exactly_once();
    }
}

fn write(path: &Path, octets: &[u8]) {
    let mut file = File::options()
        .write(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.write_all(octets).unwrap();
}

#[test]
fn an_empty_state_is_a_new_state() {
    let bench = Bench::with(letters(3));
    DirBuilder::new().create(bench.path("state")).unwrap();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn a_state_folder_that_is_something_else_is_refused() {
    let bench = Bench::with(letters(3));
    File::create(bench.path("state")).unwrap();
    let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
    refuses(&bench, &ended, &[73], "hint: name another folder");
}

#[test]
fn whatever_the_umask_nobody_else_can_read_mail_or_state() {
    for umask in ["000", "022", "077"] {
        let bench = Bench::with(letters(3));
        let mut run = bench.fetch(&["--profile", "outlook-2016"]);
        run.command = under_umask(umask, &run.command);
        run.gives(0);
        bench.assert_exactly_once();
        let mut folders = vec![bench.path("Mail"), bench.path("state")];
        while let Some(folder) = folders.pop() {
            let mode = fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode & 0o077, 0, "{umask}: {} is {mode:o}", folder.display());
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                    assert_eq!(mode & 0o077, 0, "{umask}: {} is {mode:o}", path.display());
                }
            }
        }
    }
}

fn under_umask(umask: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("umask {umask}; exec \"$@\""))
        .arg("sh")
        .arg(command.get_program())
        .args(command.get_args());
    like(shell, command)
}

/// A command in the environment of another one.
fn like(mut command: Command, other: &Command) -> Command {
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in other.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
}

#[test]
fn passwords_that_cannot_be_sent_are_refused_before_anybody_is_dialled() {
    for (content, statuses, words) in [
        (&b"pass\rDELE 1\n"[..], &[78][..], "hint: "),
        (b"pass\0word\n", &[78], "hint: "),
        (b"p\xc3\xa4ss\n", &[78], ""),
        (b"p\xe4ss\n", &[78], ""),
        (b"\n", &[77], ""),
        (b"", &[77], ""),
    ] {
        let bench = Bench::with(letters(3));
        write(&bench.path("password"), content);
        let ended = bench.fetch(&["-vv"]).end();
        refuses(&bench, &ended, statuses, words);
        assert!(bench.sim.transcripts().is_empty(), "{}", ended.text());
        assert!(!ended.err.contains("pass\\"), "{}", ended.text());
    }
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    for mode in [0o644, 0o640, 0o604] {
        let bench = Bench::with(letters(3));
        let path = bench.path("password");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let ended = bench.fetch(&["-vv"]).end();
        refuses(&bench, &ended, &[78], "hint: run `chmod 600");
        assert!(bench.sim.transcripts().is_empty());
    }
}

#[test]
fn only_the_first_line_of_a_password_file_counts() {
    let bench = Bench::with(letters(3));
    for content in ["  a password of blanks  \n", "x\r\nanother line\n", "x"] {
        let password = content.lines().next().unwrap();
        bench.sim.set_password(USER, password);
        write(&bench.path("password"), content.as_bytes());
        bench.fetch(&[]).gives(0);
    }
    bench.assert_exactly_once();
}

#[test]
fn names_that_cannot_be_sent_are_refused_before_anybody_is_dialled() {
    for name in ["anna\r\nDELE 1", "anna\nQUIT", "\u{e4}nna", "", "an\tna"] {
        let bench = Bench::with(letters(3));
        let mut run = bench.fetch(&[]);
        let mut changed = Command::new("sh");
        changed.arg("-c").arg("exec \"$@\"").arg("sh");
        changed.arg(run.command.get_program());
        let named = |argument: &OsStr| {
            if argument == USER {
                name.into()
            } else {
                argument.to_owned()
            }
        };
        changed.args(run.command.get_args().map(named));
        run.command = like(changed, &run.command);
        let ended = run.end();
        assert!(
            matches!(ended.status, Some(64 | 78)),
            "{name:?}: {}",
            ended.text()
        );
        assert!(bench.sim.transcripts().is_empty(), "{}", ended.text());
    }
}

#[test]
fn what_is_younger_than_remove_after_days_stays_on_the_server() {
    let bench = Bench::with(letters(3));
    for days in ["14", "1", "14"] {
        bench.fetch(&["--remove-after-days", days]).gives(0);
    }
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert_eq!(bench.mailbox().len(), 3);
    bench.assert_exactly_once();
}

/// The file size limit in these tests: 512 octets in each block.
const LIMITED: &str = "ulimit -f 600; exec \"$@\"";

/// A message of about this many octets.
fn long(number: usize, octets: usize) -> Vec<u8> {
    let mut message = letter(number);
    let line = b"A line of which there are many more in this message.\r\n";
    message.extend(line.iter().cycle().take(octets / line.len() * line.len()));
    message
}

/// SIGXFSZ once ended the run, and again each time.
#[test]
fn a_message_that_is_larger_than_files_may_be_does_not_stop_the_others() {
    let messages = [letter(1), letter(2), long(3, 600_000), letter(4), letter(5)];
    for (into, pipelining) in [
        (Into::Maildir, false),
        (Into::Maildir, true),
        (Into::Mbox, false),
        (Into::Mbox, true),
    ] {
        let bench = Setup::with(messages.clone())
            .knobs(Knobs {
                pipelining,
                ..Knobs::default()
            })
            .into(into)
            .start();
        for _ in 0..2 {
            let run = bench.fetch(&["--profile", "outlook-2016"]);
            let ended = run.through(LIMITED).gives(74);
            ended.says("larger than a file may be here");
            ended.says("`ulimit -f`");
            assert_eq!(
                (bench.store.len(), bench.mailbox().len()),
                (4, 1),
                "{into:?}"
            );
            assert_eq!(bench.store.tmp(), [""; 0]);
        }
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
}

#[test]
fn a_message_that_is_larger_than_files_may_be_reaches_no_agent() {
    let bench = Bench::with([letter(1), long(2, 600_000), letter(3)]);
    let agent = "sh -c 'cat >> taken'";
    let run = bench.fetch_to_agent(agent, &["--profile", "outlook-2016"]);
    let ended = run.through(LIMITED).gives(74);
    ended.says("larger than a file may be here");
    let taken = fs::read_to_string(bench.path("taken")).unwrap();
    assert!(taken.contains("The end of 1.") && taken.contains("The end of 3."));
    assert!(!taken.contains("letter 2"));
    assert_eq!(bench.mailbox().len(), 1);
}

/// The state has the same limit.
#[test]
fn a_state_that_may_not_grow_ends_the_run_and_loses_nothing() {
    for into in [Into::Maildir, Into::Mbox] {
        for blocks in [0, 1, 16, 64, 100, 150] {
            let bench = Setup::with(letters(3)).into(into).start();
            let run = bench.fetch(&["--profile", "outlook-2016"]);
            let ended = run
                .through(&format!("ulimit -f {blocks}; exec \"$@\""))
                .end();
            let about = format!("{into:?}, {blocks}: {}", ended.text());
            assert_eq!(ended.status, Some(74), "{about}");
            assert!(ended.err.contains("`ulimit -f`"), "{about}");
            assert_eq!(bench.mailbox().len(), 3, "{about}");
            bench.fetch(&["--profile", "outlook-2016"]).gives(0);
            bench.assert_exactly_once();
            assert!(bench.mailbox().is_empty(), "{about}");
        }
    }
}

/// An mbox grows with each message until it reaches the limit.
#[test]
fn an_mbox_that_may_not_grow_takes_what_still_fits() {
    let messages = (1..=10)
        .map(|number| long(number, 60_000))
        .chain([letter(11)]);
    let bench = Setup::with(messages).into(Into::Mbox).start();
    for stored in [6, 6] {
        let run = bench.fetch(&["--profile", "outlook-2016"]);
        run.through(LIMITED).gives(74).says("`ulimit -f`");
        assert_eq!(bench.store.len(), stored);
        assert_eq!(bench.mailbox().len(), 11 - stored);
    }
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
}
