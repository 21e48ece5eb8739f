//! `popsync status --check`: one line and a status, as monitoring plugins give them.
//!
//! The Monitoring Plugins Development Guidelines have the form: one line of text, a `|`, and figures
//! as `'label'=value[unit];[warn];[crit];[min];[max]`; the statuses 0 to 3 are OK, WARNING,
//! CRITICAL and UNKNOWN.

use super::{AccountStatus, State};
use crate::cli::output::{Output, duration, sanitize};
use crate::exit::Exit;

/// The result of a monitoring plugin. The worst of several is the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(in crate::cli) enum Level {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Level {
    /// The exit status.
    pub(in crate::cli) fn code(self) -> u8 {
        self as u8
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Output {
    /// The line about these accounts. `now` and `max_age` are in seconds.
    pub(in crate::cli) fn check(
        &self,
        accounts: &[&AccountStatus],
        now: i64,
        max_age: i64,
    ) -> Level {
        let (level, line) = judge(accounts, now, max_age);
        self.data(line);
        level
    }

    /// The line where nothing can be said about any account.
    pub(in crate::cli) fn unknown(&self, why: &str) -> Level {
        let why = one_line(why);
        self.data(format!("POPSYNC {} - {why}", Level::Unknown.name()));
        Level::Unknown
    }
}

fn judge(accounts: &[&AccountStatus], now: i64, max_age: i64) -> (Level, String) {
    let judged: Vec<_> = accounts
        .iter()
        .map(|account| (*account, verdict(account, now, max_age)))
        .collect();
    let worst = judged.iter().map(|(_, (level, _))| *level).max();
    let level = worst.unwrap_or(Level::Unknown);
    let text = match level {
        Level::Ok => match accounts {
            [one] => format!("{}: {}", one.overview.name, judged[0].1.1),
            _ => {
                let ages = accounts.iter().filter_map(|account| account.age(now));
                let oldest = duration(ages.max().unwrap_or(0));
                let count = accounts.len();
                format!("{count} accounts, the oldest good run {oldest} ago")
            }
        },
        _ => {
            let mut worth_telling: Vec<_> = judged
                .iter()
                .filter(|(_, (level, _))| *level > Level::Ok)
                .collect();
            worth_telling.sort_by_key(|(_, (level, _))| std::cmp::Reverse(*level));
            let told = worth_telling
                .iter()
                .map(|(account, (_, why))| format!("{}: {why}", account.overview.name));
            told.collect::<Vec<_>>().join("; ")
        }
    };
    let figures: Vec<_> = accounts
        .iter()
        .filter_map(|account| {
            let name = one_line(&account.overview.name).replace(['\'', '='], "_");
            let age = account.age(now)?;
            Some(format!("'{name} age'={age}s;;{max_age};0"))
        })
        .collect();
    let text = one_line(&text);
    let name = level.name();
    let line = match figures.as_slice() {
        [] => format!("POPSYNC {name} - {text}"),
        figures => format!("POPSYNC {name} - {text} | {}", figures.join(" ")),
    };
    (level, line)
}

/// The level of one account, and why.
///
/// A server that cannot be reached for a while is what `--max-age` is for. What does not get better
/// by itself is worth a warning at once.
fn verdict(account: &AccountStatus, now: i64, max_age: i64) -> (Level, String) {
    let Some(age) = account.age(now) else {
        let why = match &account.overview.last_run {
            None => "was never synced".to_owned(),
            Some(run) => failure("no run went well so far", run.exit, run.error.as_deref()),
        };
        return (Level::Critical, why);
    };
    let ago = duration(age);
    let state = account.last_state();
    if age > max_age {
        let why = format!("no good run for {ago}");
        let why = match state {
            State::Failed { exit, error } => failure(&why, exit, error),
            _ => why,
        };
        return (Level::Critical, why);
    }
    match state {
        State::Failed { exit, .. } if passes(exit) => {
            (Level::Ok, format!("last good run {ago} ago, failing since"))
        }
        State::Failed { exit, error } => {
            (Level::Warning, failure("the last run failed", exit, error))
        }
        State::Held => (Level::Warning, "deletions are held".to_owned()),
        State::Partial { failed } => (Level::Warning, format!("{failed} messages failed")),
        State::Done | State::Never | State::Running => {
            (Level::Ok, format!("last good run {ago} ago"))
        }
    }
}

fn failure(what: &str, exit: u8, error: Option<&str>) -> String {
    match error {
        Some(error) => format!("{what} ({exit}: {error})"),
        None => format!("{what} ({exit})"),
    }
}

/// True for a failure that may be gone in the next run, without anybody doing anything.
fn passes(exit: u8) -> bool {
    const PASSING: [Exit; 6] = [
        Exit::Unavailable,
        Exit::TemporaryFailure,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Quit,
        Exit::Terminated,
    ];
    PASSING.iter().any(|passing| passing.code() == exit)
}

/// Safe to show, and without what ends the text and begins the figures.
fn one_line(text: &str) -> String {
    sanitize::text(text).replace('|', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::status::tests::{account, ended};

    const NOW: i64 = 1_700_000_000;
    const DAY: i64 = 86_400;

    /// An account whose last good run was so long ago, and whose last run ended so.
    fn after(age: i64, exit: u8, failed: u64, error: Option<&str>) -> AccountStatus {
        let mut account = account();
        account.overview.last_complete_at = Some(NOW - age);
        account.overview.last_run = Some(ended(exit, failed, error));
        account
    }

    #[test]
    fn the_line_and_its_level_by_table() {
        let mut never = account();
        never.overview.last_run = None;
        let mut vain = account();
        vain.overview.last_run = Some(ended(77, 0, Some("no | never\n")));
        let table = [
            (
                after(720, 0, 0, None),
                "OK - work: last good run 12 min ago | 'work age'=720s;;86400;0",
            ),
            (
                after(720, 69, 0, Some("no route")),
                "OK - work: last good run 12 min ago, failing since | 'work age'=720s;;86400;0",
            ),
            (
                after(720, 77, 0, Some("refused")),
                "WARNING - work: the last run failed (77: refused) | 'work age'=720s;;86400;0",
            ),
            (
                after(720, 1, 0, None),
                "WARNING - work: deletions are held | 'work age'=720s;;86400;0",
            ),
            (
                after(720, 1, 2, None),
                "WARNING - work: 2 messages failed | 'work age'=720s;;86400;0",
            ),
            (
                after(3 * DAY, 69, 0, Some("no route")),
                "CRITICAL - work: no good run for 3 days (69: no route) | \
                 'work age'=259200s;;86400;0",
            ),
            (never, "CRITICAL - work: was never synced"),
            (
                vain,
                r"CRITICAL - work: no run went well so far (77: no / never\n)",
            ),
        ];
        for (account, expected) in table {
            let (level, line) = judge(&[&account], NOW, DAY);
            assert_eq!(line, format!("POPSYNC {expected}"));
            assert!(expected.starts_with(level.name()), "{line}");
        }
    }

    #[test]
    fn the_worst_account_comes_first_and_decides() {
        let good = after(720, 0, 0, None);
        let held = after(60, 1, 0, None);
        let mut old = after(3 * DAY, 0, 0, None);
        old.overview.name = "home".to_owned();
        let (level, line) = judge(&[&good, &held, &old], NOW, DAY);
        assert_eq!(level, Level::Critical);
        let start = "POPSYNC CRITICAL - home: no good run for 3 days; work: deletions are held | ";
        assert!(line.starts_with(start), "{line}");
        let (level, line) = judge(&[&good, &good], NOW, DAY);
        assert_eq!(level, Level::Ok);
        let start = "POPSYNC OK - 2 accounts, the oldest good run 12 min ago | ";
        assert!(line.starts_with(start), "{line}");
        assert_eq!(judge(&[], NOW, DAY).0, Level::Unknown);
    }
}
