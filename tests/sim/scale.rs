//! Memory does not grow with messages, and hardly with mailboxes.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

use exchange_sim::{Act, At, Content, Knobs};

use support::bench::{Bench, By, Process, Setup, letter, lock};

/// The most memory that the process ever had, in KiB, without what it maps from files: how much of the
/// program itself is in memory depends on how the system happens to keep the file, by megabytes.
fn peak(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse::<u64>().ok())
    };
    match (field("VmHWM:"), field("RssFile:")) {
        (Some(all), Some(files)) => all.saturating_sub(files),
        _ => u64::MAX,
    }
}

/// Records the peak at QUIT, when all work is done and the process still lives.
fn watch_memory(bench: &Bench) -> Arc<Mutex<Option<u64>>> {
    let noted = Arc::new(Mutex::new(None));
    let to = Arc::clone(&noted);
    bench.on_command(move |seen, process| {
        if seen.verb == "QUIT" {
            let peak = peak(process);
            *lock(&to) = (peak < u64::MAX).then_some(peak);
        }
    });
    noted
}

#[track_caller]
fn assert_below(noted: &Mutex<Option<u64>>, mebibytes: u64) {
    let peak = lock(noted).take();
    let peak = peak.expect("the server saw a QUIT");
    assert!(
        peak < mebibytes << 10,
        "the peak is {} MiB, which is not below {mebibytes}",
        peak >> 10
    );
}

/// One octet for each message in STAT would be gigabytes. (Attack S3.)
#[test]
fn a_huge_count_of_messages_costs_no_memory() {
    for count in [u64::from(i32::MAX.unsigned_abs()), u64::from(u32::MAX)] {
        let line = format!("+OK {count} {}\r\n", u64::MAX).into_bytes();
        let bench = Setup::with([1, 2, 3].map(letter))
            .knobs(Knobs::default().rule(At::verb("STAT"), Act::Instead(line)))
            .start();
        let noted = watch_memory(&bench);
        bench.fetch(&["--profile", "outlook-2016"]).gives(1);
        assert_below(&noted, 24);
        // A list that contradicts it does not prove a deletion.
        assert_eq!(bench.mailbox().len(), 3);
        assert_eq!(bench.store.names("new").len(), 3);
    }
}

#[test]
fn a_message_of_a_quarter_of_a_gigabyte_needs_no_memory_of_that_size() {
    const OCTETS: u64 = 256 << 20;
    for pipelining in [false, true] {
        let bench = Setup::with([letter(1)])
            .on_disk()
            .by(By::Plain)
            .knobs(Knobs {
                pipelining,
                ..Knobs::default()
            })
            .start();
        bench.mailbox().deliver(Content::large(OCTETS));
        bench.mailbox().deliver(letter(2));
        let noted = watch_memory(&bench);
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        assert_below(&noted, 16);
        assert!(bench.mailbox().is_empty());
        assert_eq!(bench.store.names("new").len(), 3);
        assert_eq!(bench.store.tmp(), [""; 0]);
        assert_is_large(&bench, OCTETS);
    }
}

/// Asserts that the largest file is [`Content::large`] with LF: its size, and some of its lines.
#[track_caller]
fn assert_is_large(bench: &Bench, octets: u64) {
    const HEADER: u64 = b"Subject: a large message\nFrom: sender@exchange.example\n\n".len() as u64;
    const LINE: u64 = 63;
    let new = bench.store.root.join("new");
    let names = bench.store.names("new");
    let files = names.iter().map(|name| File::open(new.join(name)).unwrap());
    let file = files
        .max_by_key(|file| file.metadata().unwrap().len())
        .unwrap();
    let lines = octets / 64;
    assert_eq!(file.metadata().unwrap().len(), HEADER + lines * LINE);
    for number in (0..lines).step_by(1009).chain([lines - 1]) {
        let mut line = [0; LINE as usize];
        file.read_exact_at(&mut line, HEADER + number * LINE)
            .unwrap();
        assert!(
            line.starts_with(format!("{number:016}x").as_bytes()),
            "line {number}"
        );
        assert!(line.ends_with(b"x\n"), "line {number}");
    }
}

#[test]
fn a_mailbox_of_a_hundred_thousand_messages_is_listed_in_little_memory() {
    const MESSAGES: usize = 100_000;
    for pipelining in [false, true] {
        let bench = Setup::with([])
            .by(By::Plain)
            .knobs(Knobs {
                pipelining,
                ..Knobs::default()
            })
            .start();
        for number in 0..MESSAGES {
            bench.mailbox().deliver(letter(number));
        }
        // All new, and a few are to be retrieved; then a few more; then none.
        let noted = watch_memory(&bench);
        bench.fetch(&["--max-messages", "100"]).gives(0);
        assert_below(&noted, 24);
        bench.fetch(&["--max-messages", "100"]).gives(0);
        assert_below(&noted, 24);
        assert_eq!(bench.store.len(), 200);
        let mut counts: HashMap<String, usize> = HashMap::new();
        for command in bench.sim.commands() {
            let verb = command.split(' ').next().unwrap_or_default();
            *counts.entry(verb.to_owned()).or_default() += 1;
        }
        assert_eq!(counts["UIDL"], 2);
        assert_eq!(counts["RETR"], 200);
        assert!(counts.get("LIST").is_none_or(|&count| count <= 2));
    }
}

#[test]
fn a_large_mailbox_is_emptied_in_little_memory() {
    const MESSAGES: usize = 20_000;
    let bench = Setup::with([])
        .by(By::Plain)
        .knobs(Knobs {
            pipelining: true,
            ..Knobs::default()
        })
        .start();
    for number in 0..MESSAGES {
        bench.mailbox().deliver(letter(number));
    }
    let noted = watch_memory(&bench);
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    assert_below(&noted, 24);
    assert!(bench.mailbox().is_empty());
    assert_eq!(bench.store.len(), MESSAGES);
    assert_eq!(bench.sim.commands_of("RETR").len(), MESSAGES);
    assert_eq!(bench.sim.commands_of("DELE").len(), MESSAGES);
    // Also with all of them known. The answer to that QUIT is not waited for, so the process may be
    // gone when the server sees it.
    for _ in 0..20 {
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        if lock(&noted).is_some() {
            break;
        }
    }
    assert_below(&noted, 24);
}
