//! The output of the commands on a terminal of 80 and of 120 columns, as it was looked at last:
//! `terminal.txt`. With `POPSYNC_UPDATE=1` it is written anew.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use support::bench::{Bench, Run};
use support::pty::Pty;

const KEYS: &str = "remove-after-days = 14\nheaders-only-above = \"10 KiB\"";

/// A message with all that a list shows of it.
fn mail(number: usize, author: &str, subject: &str, octets: usize) -> Vec<u8> {
    let line = "All that is to be said fits into one line of this text, or into several.\r\n";
    let body = line.repeat(octets / line.len() + 1);
    format!(
        "Date: Mon, {number} Nov 2026 08:3{number}:00 +0000\r\nFrom: {author}\r\n\
         Subject: {subject}\r\nMessage-ID: <{number}@example.com>\r\n\r\n{body}"
    )
    .into_bytes()
}

fn bench() -> Bench {
    Bench::with([
        mail(
            2,
            "Anna Baumann <anna@example.com>",
            "Lunch on Thursday?",
            300,
        ),
        mail(
            3,
            "\"Office of the Registrar, Second Department\" <registrar@university.example.org>",
            "Re: Re: The minutes of the meeting of the second of November, with all annexes",
            2_000,
        ),
        mail(
            4,
            "=?UTF-8?Q?J=C3=BCrgen?= <j@example.net>",
            "=?UTF-8?B?8J+MsSBuZXdz?=",
            500,
        ),
        mail(5, "scans@example.com", "210 pages", 60_000),
    ])
}

/// What a command shows on a terminal this wide.
fn shown(mut run: Run<'_>, columns: u16) -> String {
    // Two terminals, so that the streams do not mix.
    let (out, err) = (Pty::wide(columns), Pty::wide(columns));
    run.command.stdout(out.end()).stderr(err.end());
    run.command.env("TERM", "xterm").env("NO_COLOR", "1");
    run = run.env("TZ", "UTC");
    let ended = run.end();
    assert!(matches!(ended.status, Some(0 | 1)), "{}", ended.text());
    let text = [out, err].map(|pty| String::from_utf8(pty.read_to_end()).unwrap());
    settled(&text.concat())
}

/// The text that stays on the screen, with the times of this run replaced by others.
fn settled(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.replace("\r\n", "\n").split('\n') {
        // Of a bar that was drawn over, the line behind it stays.
        let rest = line.rsplit('\r').next().unwrap();
        let rest = console_text(rest);
        lines.push(timeless(&rest).trim_end().to_owned());
    }
    lines.join("\n")
}

/// The text without the sequences that move the cursor and clear lines.
fn console_text(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        text.push_str(&part[end.map_or(part.len(), |end| end + 1)..]);
    }
    text
}

/// Puts a time of the same length in place of each: that of this run is another one every time.
fn timeless(line: &str) -> String {
    let this_year = |word: &str| {
        let parts: Vec<&str> = word.split('-').collect();
        parts.len() == 3
            && parts[0].len() == 4
            && parts.iter().all(|part| part.parse::<u32>().is_ok())
    };
    let mut text = String::new();
    for word in line.split_inclusive([' ', ',', ';', ')']) {
        let (bare, end) = match word.strip_suffix([' ', ',', ';', ')']) {
            Some(bare) => (bare, &word[bare.len()..]),
            None => (word, ""),
        };
        let is_time = bare.len() == 5
            && bare.as_bytes()[2] == b':'
            && bare
                .bytes()
                .all(|octet| octet.is_ascii_digit() || octet == b':');
        let bare = if text.ends_with("in ") && word.ends_with(' ') && bare.contains('.') {
            "0.0"
        } else if this_year(bare) {
            "YYYY-MM-DD"
        } else if is_time {
            "hh:mm"
        } else {
            bare
        };
        let _ = write!(text, "{bare}{end}");
    }
    text
}

fn all() -> String {
    let mut text = String::new();
    for columns in [80, 120] {
        let bench = bench();
        let mut show = |command: &str, arguments: &[&str]| {
            let run = bench.configured(command, KEYS, arguments);
            let words = [&[command], arguments].concat().join(" ");
            let _ = writeln!(
                text,
                "{columns} columns: popsync {words}\n{}",
                shown(run, columns)
            );
        };
        show("sync", &["--dry-run"]);
        show("sync", &["--dry-run", "-v"]);
        show("list", &["work"]);
        show("sync", &[]);
        show("sync", &["--dry-run"]);
        show("list", &["work"]);
        show("list", &["work", "--local"]);
        show("status", &[]);
        show("status", &["work"]);
        show("log", &[]);
        show("verify", &[]);
        show("account", &["list"]);
        text = text.replace(&bench.url().replace("pop3s://", ""), "127.0.0.1:995");
        text = text.replace(bench.path("").to_str().unwrap(), "HOME/");
    }
    text
}

#[test]
fn a_terminal_shows_it_as_it_was_looked_at_last() {
    let shown = all();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim/terminal.txt");
    if env::var_os("POPSYNC_UPDATE").is_some_and(|value| value == "1") {
        let mut file = File::create(&path).unwrap();
        file.write_all(shown.as_bytes()).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    for (number, (is, was)) in shown.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, was, "line {} of {}", number + 1, path.display());
    }
    assert_eq!(shown, golden);
}
