//! Limits of the machine: open files, threads, a terminal that cannot be drawn on.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;

use exchange_sim::Knobs;
use support::bench::{Bench, Run, Setup, USER, letters};
use support::pty::Pty;

/// A sync of this many accounts, all for the same mailbox.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn sync_of<'b>(bench: &'b Bench, accounts: usize, arguments: &[&str]) -> Run<'b> {
    let mut more = String::new();
    for number in 1..accounts {
        write!(
            more,
            "[accounts.more{number}]\nserver = {:?}\nuser = {USER:?}\nmaildir = \"more{number}\"\n\
             password-file = \"password\"\ntls = {{ ca-file = \"ca.pem\" }}\n",
            bench.url()
        )
        .unwrap();
    }
    bench.sync(&more, arguments)
}

#[test]
fn too_few_descriptors_for_many_accounts_are_said_before_anything_begins() {
    let bench = Bench::with(letters(3));
    let run = sync_of(&bench, 8, &["--jobs", "8"]);
    let ended = run.through("ulimit -n 24; exec \"$@\"").gives(74);
    ended.says("24 open files are too few for 8 accounts at once");
    ended.says("hint: lower `--jobs`, or allow more open files with `ulimit -n`");
    assert!(bench.sim.transcripts().is_empty());
    let run = sync_of(&bench, 8, &["--jobs", "1"]);
    run.through("ulimit -n 32; exec \"$@\"").gives(0);
    bench.assert_exactly_once();
}

/// A file that cannot be opened does not count as a wrong password.
#[test]
fn descriptors_that_run_out_are_said_wherever_they_do() {
    for limit in 6..24 {
        let bench = Bench::with(letters(3));
        let run = bench.fetch(&["--profile", "outlook-2016"]);
        let ended = run
            .through(&format!("ulimit -n {limit}; exec \"$@\""))
            .end();
        // The program loader needs some itself.
        let statuses = [Some(0), Some(73), Some(74), Some(127)];
        assert!(
            statuses.contains(&ended.status),
            "{limit}: {}",
            ended.text()
        );
        if ended.err.contains("Too many open files") {
            ended.says("`ulimit -n`");
        }
        if ended.status != Some(0) {
            bench.no_hooks();
            bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        }
        bench.assert_exactly_once();
    }
}

/// This run of a copy of popsync, as a user who may have only so many processes: threads count as such.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn with_processes<'b>(bench: &'b Bench, mut run: Run<'b>, limit: u32) -> Run<'b> {
    let program = bench.path("popsync");
    if !program.exists() {
        fs::copy(support::program(), &program).unwrap();
    }
    let mut copy = Command::new(&program);
    copy.args(run.command.get_args());
    copy.current_dir(bench.path("")).env_clear();
    for (name, value) in run.command.get_envs() {
        copy.env(name, value.unwrap_or_default());
    }
    run.command = copy;
    let user = 60_000 + std::process::id() % 5000;
    run.through(&format!(
        "chown -R {user} . && \
         exec prlimit --nproc={limit} setpriv --reuid {user} --clear-groups \"$@\""
    ))
}

/// True if the limit on processes can be tested: it does not bind root, and others have more processes
/// than a test knows.
fn limits_processes() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn threads_that_run_out_are_said_before_anything_begins() {
    if !limits_processes() {
        return;
    }
    let bench = Bench::with(letters(3));
    let mut failed = 0;
    for limit in 1..8 {
        let ended = with_processes(&bench, bench.fetch(&["--json"]), limit).end();
        if ended.status != Some(0) {
            assert_eq!(ended.status, Some(74), "{limit}: {}", ended.text());
            ended.says("cannot start: ");
            ended.says("hint: allow more processes with `ulimit -u`");
            assert!(bench.sim.transcripts().is_empty(), "{limit}");
            failed += 1;
        }
    }
    assert!((2..6).contains(&failed), "{failed} limits were too low");
    bench.assert_exactly_once();
}

/// Fewer threads than accounts do the work one after another.
#[test]
fn accounts_for_which_there_is_no_thread_wait_for_one() {
    if !limits_processes() {
        return;
    }
    let bench = Bench::with(letters(3));
    for limit in 4..16 {
        let run = sync_of(&bench, 5, &["--jobs", "5"]);
        let ended = with_processes(&bench, run, limit).end();
        if ended.status != Some(0) {
            assert_eq!(ended.status, Some(74), "{limit}: {}", ended.text());
            ended.says("cannot start: ");
            assert!(limit < 8, "{limit}: {}", ended.text());
        }
    }
    bench.assert_exactly_once();
}

#[test]
fn a_terminal_without_escape_sequences_gets_none() {
    for term in [Some("dumb"), Some(""), None, Some("xterm")] {
        let bench = Bench::with(letters(50));
        let mut run = bench.fetch(&[]);
        let (out, err) = (Pty::open(), Pty::open());
        run.command.stdout(out.end()).stderr(err.end());
        if let Some(term) = term {
            run.command.env("TERM", term);
        }
        // Read while it runs, since a terminal holds little.
        let (out, err) = std::thread::scope(|scope| {
            let running = run.start();
            let err = scope.spawn(move || err.read_to_end());
            let out = scope.spawn(move || out.read_to_end());
            assert_eq!(running.end().status, Some(0));
            (out.join().unwrap(), err.join().unwrap())
        });
        assert_eq!(out, b"", "{term:?}");
        let draws = err.contains(&b'\x1b');
        assert_eq!(
            draws,
            term == Some("xterm"),
            "{term:?}: {}",
            err.escape_ascii()
        );
        let err = String::from_utf8(err).unwrap();
        assert!(err.contains("50 new messages"), "{term:?}: {err}");
    }
    // Nor does the help.
    let bench = Bench::with(letters(1));
    let mut run = bench.fetch(&["--help"]);
    let out = Pty::open();
    run.command.stdout(out.end()).env("TERM", "dumb");
    let running = run.start();
    let help = out.read_to_end();
    assert_eq!(running.end().status, Some(0));
    assert!(help.starts_with(b"Fetch") && !help.contains(&b'\x1b'));
}

/// The bar says how long nothing has come, until the time-out ends it.
#[test]
fn a_terminal_shows_that_a_transfer_stalls() {
    let bench = Setup::with(letters(500)).start();
    bench.knobs(Knobs {
        stall: Some(30_000),
        ..Knobs::default()
    });
    let mut run = bench.fetch(&["--timeout", "6s"]);
    let mut screen = Pty::wide(100);
    run.command.stderr(screen.end()).env("TERM", "xterm");
    let running = run.start();
    screen.wait_for("stalled 3 s");
    screen.wait_for("stalled 4 s");
    bench.knobs(Knobs::default());
    let ended = std::thread::scope(|scope| {
        scope.spawn(move || screen.read_to_end());
        running.end()
    });
    assert_eq!(ended.status, Some(0));
    bench.assert_exactly_once();
}

#[test]
fn a_verification_and_an_export_show_bars_only_where_a_terminal_can_draw_them() {
    let bench = Bench::with(letters(50));
    bench.sync("", &[]).gives(0);
    fs::remove_file(bench.store.files().into_keys().next().unwrap()).unwrap();
    let archive = bench.path("archive.mbox");
    let export = ["work", "--mbox", archive.to_str().unwrap()];
    let commands = [
        ("verify", &["work"][..], "comparing "),
        // A screen is not drawn often enough to see the second bar of so few messages.
        ("export", &export[..], "reading "),
    ];
    for (command, arguments, word) in commands {
        for term in [Some("xterm"), Some("dumb"), None] {
            let _ = fs::remove_file(&archive);
            let _ = fs::remove_file(bench.path("archive.mbox.SHA256SUMS"));
            let mut run = bench.configured(command, "", arguments);
            // One terminal for both, as usual.
            let screen = Pty::open();
            run.command.stdout(screen.end()).stderr(screen.end());
            if let Some(term) = term {
                run.command.env("TERM", term);
            }
            let shown = std::thread::scope(|scope| {
                let running = run.start();
                let screen = scope.spawn(move || screen.read_to_end());
                assert_eq!(running.end().status, Some(1));
                screen.join().unwrap()
            });
            let text = String::from_utf8(shown).unwrap();
            assert_eq!(text.contains('\x1b'), term == Some("xterm"), "{text:?}");
            assert_eq!(text.contains(word), term == Some("xterm"), "{text:?}");
            // The bar is away when the finding is written.
            let (before, _) = text.split_once("work: missing: ").unwrap();
            let before = before.rsplit(['\n', '\r']).next().unwrap();
            let before = before.rsplit("\x1b[2K").next().unwrap();
            assert_eq!(before.replace("\x1b[2D", ""), "", "{text:?}");
        }
    }
    // As from cron.
    let quiet = bench
        .configured("verify", "", &["work"])
        .env("TERM", "xterm");
    assert_eq!(quiet.gives(1).err.matches('\x1b').count(), 0);
}

/// The remains of a file that NFS removes while it is open are not a copy of it.
#[test]
fn names_with_a_leading_dot_in_a_maildir_are_no_mail() {
    let bench = Bench::with(letters(3));
    for folder in ["tmp", "new", "cur"] {
        fs::create_dir_all(bench.place.join(folder)).unwrap();
    }
    for (number, message) in bench.held().iter().enumerate() {
        let path = bench.place.join(format!("new/.nfs00000000000{number}"));
        File::create(path).unwrap().write_all(message).unwrap();
    }
    // Otherwise the run would end, since the store already has the listed messages.
    bench.fetch(&[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 3);
}
