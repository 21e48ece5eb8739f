//! The output of `popsync log`: the recorded runs as a table, or as JSON lines.

use std::borrow::Cow;

use indicatif::HumanCount;
use serde::Serialize;

use crate::cache::PastRun;

use super::table::{self, Align};
use super::{Output, sanitize, terminal, time};

/// The time of runs that took less, in seconds, is not shown.
const NOT_LONG: i64 = 10;

const HEAD: [(&str, Align); 5] = [
    ("started", Align::Left),
    ("account", Align::Left),
    ("exit", Align::Right),
    ("new", Align::Right),
    ("result", Align::Left),
];

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    account: &'a str,
    started: Option<String>,
    finished: Option<String>,
    exit: u8,
    retrieved: u64,
    bytes: u64,
    deleted: u64,
    skipped: u64,
    failed: u64,
    on_server: Option<u64>,
    error: Option<Cow<'a, str>>,
}

impl Output {
    /// Prints the runs, in this order.
    pub(in crate::cli) fn history(&self, runs: &[PastRun]) {
        if runs.is_empty() {
            self.nothing("no run is recorded yet");
        } else if self.options.json {
            for run in runs {
                self.line_of(&line(run));
            }
        } else {
            let rows: Vec<_> = runs.iter().map(cells).collect();
            for line in table::lines(HEAD, &rows, table::width()) {
                self.data(line);
            }
        }
    }
}

fn line(run: &PastRun) -> Line<'_> {
    Line {
        event: "run",
        account: &run.account,
        started: time::utc(run.started_at),
        finished: time::utc(run.finished_at),
        exit: run.exit,
        retrieved: run.retrieved,
        bytes: run.octets,
        deleted: run.deleted,
        skipped: run.skipped,
        failed: run.failed,
        on_server: run.on_server,
        error: run.error.as_deref().map(sanitize::text),
    }
}

fn cells(run: &PastRun) -> [String; 5] {
    [
        time::zoned(run.started_at),
        sanitize::text(&run.account).into_owned(),
        run.exit.to_string(),
        HumanCount(run.retrieved).to_string(),
        result(run),
    ]
}

/// The error, and the other results.
fn result(run: &PastRun) -> String {
    let mut parts = Vec::new();
    if let Some(error) = &run.error {
        parts.push(sanitize::text(error).into_owned());
    }
    if run.retrieved > 0 {
        parts.push(terminal::octets(run.octets));
    }
    let counts = [
        (run.failed, "failed"),
        (run.skipped, "skipped"),
        (run.deleted, "deleted"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    parts.extend(counts.map(|(count, what)| format!("{} {what}", HumanCount(*count))));
    if let Some(count) = run.on_server {
        parts.push(format!("{} on the server", HumanCount(count)));
    }
    let seconds = run.finished_at.saturating_sub(run.started_at);
    if seconds >= NOT_LONG {
        parts.push(format!("in {}", duration(seconds)));
    }
    parts.join(", ")
}

/// `42 s`, `12 min`, `3 h 5 min`.
pub(in crate::cli) fn duration(seconds: i64) -> String {
    match (seconds / 3_600, seconds / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours @ 1..48, minutes) if minutes % 60 > 0 => format!("{hours} h {} min", minutes % 60),
        (hours @ 1..48, _) => format!("{hours} h"),
        (hours, _) => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn runs() -> [PastRun; 4] {
        let usual = PastRun {
            account: "work".to_owned(),
            started_at: 1_700_000_000,
            finished_at: 1_700_000_001,
            exit: 0,
            retrieved: 0,
            octets: 0,
            deleted: 0,
            skipped: 0,
            failed: 0,
            on_server: Some(1_040),
            error: None,
        };
        [
            PastRun {
                retrieved: 1_212,
                octets: 34_123_456,
                deleted: 3,
                finished_at: 1_700_000_750,
                ..usual.clone()
            },
            usual.clone(),
            PastRun {
                exit: 69,
                on_server: None,
                error: Some(
                    "cannot connect to mail.example.com:995: Connection refused\u{1b}".to_owned(),
                ),
                ..usual.clone()
            },
            PastRun {
                exit: 1,
                failed: 2,
                ..usual
            },
        ]
    }

    /// Without times: the time zone is the machine's.
    fn shown(width: Option<usize>) -> String {
        let rows: Vec<_> = runs()
            .iter()
            .map(|run| {
                let mut cells = cells(run);
                "2023-11-14 22:13 UTC".clone_into(&mut cells[0]);
                cells
            })
            .collect();
        table::lines(HEAD, &rows, width).join("\n")
    }

    #[test]
    fn the_table_is_readable_at_80_columns_and_at_120() {
        insta::assert_snapshot!(shown(Some(80)), @r"
        started               account  exit    new  result
        2023-11-14 22:13 UTC  work        0  1,212  34.1 MB, 3 deleted, 1,040 on the
                                                    server, in 12 min
        2023-11-14 22:13 UTC  work        0      0  1,040 on the server
        2023-11-14 22:13 UTC  work       69      0  cannot connect to
                                                    mail.example.com:995: Connection
                                                    refused\x1b
        2023-11-14 22:13 UTC  work        1      0  2 failed, 1,040 on the server
        ");
        insta::assert_snapshot!(shown(Some(120)), @r"
        started               account  exit    new  result
        2023-11-14 22:13 UTC  work        0  1,212  34.1 MB, 3 deleted, 1,040 on the server, in 12 min
        2023-11-14 22:13 UTC  work        0      0  1,040 on the server
        2023-11-14 22:13 UTC  work       69      0  cannot connect to mail.example.com:995: Connection refused\x1b
        2023-11-14 22:13 UTC  work        1      0  2 failed, 1,040 on the server
        ");
        assert!(shown(Some(80)).lines().all(|line| line.width() <= 80));
        assert_eq!(shown(None).lines().count(), 5);
    }

    #[test]
    fn times_have_their_zone() {
        let time = time::zoned(1_700_000_000);
        let zone = time.rsplit(' ').next().unwrap();
        assert!(zone.len() >= 3 && !zone.contains(':'), "{time}");
    }

    #[test]
    fn json_has_every_documented_field() {
        let manual = include_str!("../../../man/parts/popsync-log.roff").replace('\\', "");
        for run in &runs() {
            let json = serde_json::to_value(line(run)).unwrap();
            for field in json.as_object().unwrap().keys() {
                assert!(manual.contains(&format!("\"{field}\":")), "{field}");
            }
            assert_eq!(json["started"], "2023-11-14T22:13:20Z");
        }
        let json = serde_json::to_value(line(&runs()[2])).unwrap();
        let error = json["error"].as_str().unwrap();
        assert!(error.ends_with(r"refused\x1b"), "{error}");
    }

    #[test]
    fn durations_are_said_as_people_do() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (750, "12 min"),
            (3_600, "1 h"),
            (11_100, "3 h 5 min"),
            (172_800, "2 days"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
