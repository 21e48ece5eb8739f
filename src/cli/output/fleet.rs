//! The progress of a run over very many accounts: two lines, however many there are.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{
    HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle,
};

use super::total::Total;
use super::{Output, sanitize};

/// With more accounts than this, no account has a bar or a line of its own, unless something is wrong with
/// it.
const MANY: usize = 20;

/// The interval of the second line.
const TICK: Duration = Duration::from_millis(250);

/// Two columns at the end stay free for the `^C` that a terminal echoes; see `screen`.
const ALL: &str = "[{wide_bar}] {human_pos}/{human_len} accounts, {msg}{left}  ";

/// An account that takes less than this long is not named.
const LONG: Duration = Duration::from_secs(2);

/// The accounts at work, with the times when they began.
type Running = Arc<Mutex<HashMap<String, Instant>>>;

/// The two lines.
pub(super) struct FleetBar {
    all: ProgressBar,
    longest: ProgressBar,
    running: Running,
}

impl FleetBar {
    fn new(bars: &MultiProgress, accounts: usize) -> Self {
        let running = Running::default();
        let all = bars.add(ProgressBar::new(accounts as u64));
        let left = |state: &ProgressState, text: &mut dyn Write| {
            if state.pos() > 0 && !state.eta().is_zero() {
                // Writing to a string cannot fail.
                let _ = write!(text, ", {:#} left", HumanDuration(state.eta()));
            }
        };
        all.set_style(style(ALL).with_key("left", left));
        all.set_message(Total::default().sums());
        let longest = bars.add(ProgressBar::no_length());
        let at_work = Arc::clone(&running);
        let named = move |_: &ProgressState, text: &mut dyn Write| {
            let running = at_work.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = text.write_str(&slowest(&running, Instant::now()));
        };
        longest.set_style(style("{slowest}").with_key("slowest", named));
        longest.enable_steady_tick(TICK);
        Self {
            all,
            longest,
            running,
        }
    }

    pub(super) fn begin(&self, account: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(account.to_owned(), Instant::now());
    }

    /// The account comes again later.
    pub(super) fn put_off(&self, account: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(account);
    }

    /// `total` is that of all accounts that have ended, this one too.
    pub(super) fn end(&self, account: &str, total: &Total) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(account);
        drop(running);
        self.all.set_message(total.sums());
        self.all.inc(1);
    }
}

impl Drop for FleetBar {
    fn drop(&mut self) {
        self.longest.finish_and_clear();
        self.all.finish_and_clear();
    }
}

/// The templates are constants, and a test parses them all.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// Which account has been at work for longest, if that is long: `8 at work, work for 12 s`.
fn slowest(running: &HashMap<String, Instant>, now: Instant) -> String {
    let began = running.iter().min_by_key(|(_, began)| **began);
    let count = HumanCount(running.len() as u64);
    match began.map(|(name, began)| (name, now.saturating_duration_since(*began))) {
        Some((name, passed)) if passed >= LONG => {
            let name = sanitize::text(name);
            format!("{count} at work, {name} for {} s", passed.as_secs())
        }
        _ => format!("{count} at work"),
    }
}

impl Output {
    /// So many accounts are to be run. If they are very many, two lines show how far all are, and none has
    /// a line of its own.
    pub(in crate::cli) fn begin_accounts(&self, count: usize) {
        let bars = self.streams.bars().filter(|_| count > MANY);
        let bar = bars.map(|bars| FleetBar::new(bars, count));
        *self.fleet.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    /// Takes the two lines away.
    pub(super) fn end_accounts(&self) {
        *self.fleet.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Calls `tell` if there are very many accounts, and says if there are.
    pub(super) fn in_fleet(&self, tell: impl FnOnce(&FleetBar)) -> bool {
        let fleet = self.fleet.lock().unwrap_or_else(PoisonError::into_inner);
        fleet.as_ref().map(tell).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_can_be_read() {
        for template in [ALL, "{slowest}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn the_account_that_takes_longest_is_named_once_that_is_long() {
        let now = Instant::now() + Duration::from_secs(100);
        let ago = |seconds| now - Duration::from_secs(seconds);
        let mut running = HashMap::from([("quick\x1b".to_owned(), ago(1))]);
        assert_eq!(slowest(&running, now), "1 at work");
        running.insert("slow".to_owned(), ago(12));
        assert_eq!(slowest(&running, now), "2 at work, slow for 12 s");
        assert_eq!(slowest(&HashMap::new(), now), "0 at work");
    }
}
