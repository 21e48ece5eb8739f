//! One progress bar per account in work, on a terminal.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{
    HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle,
};

use crate::sync::Event;

use super::{screen, terminal};

/// The interval of the spinner.
const TICK: Duration = Duration::from_millis(120);

/// Before the plan is known, only the step is shown.
const STEP: &str = "{prefix} {spinner} {msg}{stalled}";

/// Account, bar, messages, octets and rate, time left. Two columns at the end stay free for the
/// `^C` that a terminal echoes; see `screen`.
const TRANSFER: &str = "{prefix} [{wide_bar}] {msg}{octets}  {left}  ";

/// The minimum width of a screen, beside the account's name, to show octets and rate as well.
const WIDE: usize = 64;

/// After this many seconds without data the bar says so, in place of the time left.
const STALLED: u64 = 3;

/// A longer remaining time is not shown.
const LONGEST: Duration = Duration::from_secs(100 * 3600);

/// The bar of one account.
pub(super) struct Bar {
    bar: ProgressBar,
    /// The width of the account's name.
    name: usize,
    messages: AtomicU64,
    of_messages: AtomicU64,
    /// The word in front of the numbers of messages, if there is one.
    doing: OnceLock<&'static str>,
    heard: Arc<Heard>,
}

/// The time of the last data from the server.
#[derive(Debug)]
struct Heard {
    began: Instant,
    /// Milliseconds after that.
    last: AtomicU64,
}

impl Heard {
    fn now(&self) {
        let passed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(passed, Ordering::Relaxed);
    }

    /// The seconds since the last data.
    fn silence(&self) -> u64 {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last).as_secs()
    }
}

impl Bar {
    /// `account` is the name as shown, with colour or without; `step` is the first one.
    pub(super) fn new(bars: &MultiProgress, account: String, step: &'static str) -> Self {
        let bar = bars.add(ProgressBar::no_length());
        let name = console::measure_text_width(&account);
        let heard = Arc::new(Heard {
            began: Instant::now(),
            last: AtomicU64::new(0),
        });
        bar.set_style(style(STEP, name, &heard));
        bar.set_prefix(account);
        bar.set_message(step);
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            name,
            messages: AtomicU64::new(0),
            of_messages: AtomicU64::new(0),
            doing: OnceLock::new(),
            heard,
        }
    }

    pub(super) fn show(&self, event: &Event<'_>) {
        self.heard.now();
        match *event {
            Event::Connected { .. } => self.bar.set_message("logging in"),
            Event::LoggedIn => self.bar.set_message("listing"),
            Event::Listed { messages } => {
                let count = HumanCount(messages);
                self.bar.set_message(format!("{count} listed, comparing"));
            }
            Event::Planned {
                retrieve, octets, ..
            } => self.begin(retrieve, octets),
            Event::Received { octets } => self.advance(octets),
            Event::Retrieved => {
                self.messages.fetch_add(1, Ordering::Relaxed);
                self.count();
            }
            Event::WorkBegun {
                doing,
                messages,
                octets,
            } => {
                // A bar is for one work.
                let _ = self.doing.set(doing);
                self.begin(messages, octets);
            }
            Event::WorkDone { octets } => {
                self.advance(octets);
                self.messages.fetch_add(1, Ordering::Relaxed);
                self.count();
            }
            _ => {}
        }
    }

    fn begin(&self, messages: u64, octets: u64) {
        if messages == 0 {
            self.bar.set_message("finishing");
            return;
        }
        self.of_messages.store(messages, Ordering::Relaxed);
        self.bar.set_style(style(TRANSFER, self.name, &self.heard));
        self.bar.set_length(octets.max(1));
        // Rate and time left must not include the login.
        self.bar.reset();
        self.count();
    }

    /// Sizes of the scan listing may be estimates, or wrong. If they turn out too small, the total
    /// is estimated from the messages so far, so that the bar never passes its end.
    fn advance(&self, octets: u64) {
        let position = self.bar.position().saturating_add(octets);
        if self.bar.length().is_some_and(|length| length < position) {
            let begun = self.messages.load(Ordering::Relaxed) + 1;
            let of = self.of_messages.load(Ordering::Relaxed);
            let whole = (position / begun).saturating_mul(of);
            self.bar.set_length(whole.max(position));
        }
        self.bar.set_position(position);
    }

    fn count(&self) {
        let done = HumanCount(self.messages.load(Ordering::Relaxed));
        let of = HumanCount(self.of_messages.load(Ordering::Relaxed));
        let doing = self.doing.get();
        let doing = doing.map_or_else(String::new, |doing| format!("{doing} "));
        self.bar.set_message(format!("{doing}{done}/{of}"));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The templates are constants, and a test parses them all.
fn style(template: &str, name: usize, heard: &Arc<Heard>) -> ProgressStyle {
    let (for_step, for_transfer) = (Arc::clone(heard), Arc::clone(heard));
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key(
            "octets",
            move |state: &ProgressState, text: &mut dyn Write| {
                if screen::width().is_none_or(|width| width >= WIDE + name) {
                    // Writing to a string cannot fail.
                    let _ = text.write_str(&octets(state));
                }
            },
        )
        .with_key("stalled", move |_: &ProgressState, text: &mut dyn Write| {
            if let silence @ STALLED.. = for_step.silence() {
                let _ = write!(text, ", for {silence} s");
            }
        })
        .with_key(
            "left",
            move |state: &ProgressState, text: &mut dyn Write| {
                let _ = text.write_str(&left(for_transfer.silence(), state.eta()));
            },
        )
}

/// The time left, or the time without data: then no rate means anything.
fn left(silence: u64, eta: Duration) -> String {
    if silence >= STALLED {
        return format!("stalled {silence} s");
    }
    match eta {
        Duration::ZERO => String::new(),
        eta if eta > LONGEST => "days left".to_owned(),
        eta => format!("{:#}", HumanDuration(eta)),
    }
}

fn octets(state: &ProgressState) -> String {
    let whole = state.len().unwrap_or_else(|| state.pos());
    // A rate is only an estimate, and never negative.
    let rate = state.per_sec() as u64;
    let [have, whole, rate] = [state.pos(), whole, rate].map(terminal::octets);
    format!("  {have}/{whole}  {rate}/s")
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::*;

    #[test]
    fn the_templates_can_be_read() {
        for template in [STEP, TRANSFER] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn a_stalled_transfer_says_so_and_no_time_left_is_absurd() {
        let second = Duration::from_secs(1);
        assert_eq!(left(0, 90 * second), "2m");
        assert_eq!(left(2, 5 * second), "5s");
        assert_eq!(left(8, 5 * second), "stalled 8 s");
        assert_eq!(left(8, Duration::MAX), "stalled 8 s");
        // A rate of nearly nothing gives 1645 years.
        for far in [Duration::from_secs(51_900_000_000), Duration::MAX] {
            assert_eq!(left(0, far), "days left");
        }
        assert_eq!(left(0, Duration::ZERO), "");
    }

    #[test]
    fn a_bar_never_passes_its_end() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let bar = Bar::new(&bars, "work".to_owned(), "connecting");
        bar.show(&Event::Planned {
            retrieve: 2,
            octets: 100,
            headers: 0,
            delete: 0,
            skip: 0,
        });
        for _ in 0..3 {
            bar.show(&Event::Received { octets: 60 });
        }
        bar.show(&Event::Retrieved);
        assert_eq!((bar.bar.position(), bar.bar.length()), (180, Some(240)));
        assert_eq!(bar.bar.message(), "1/2");
    }

    #[test]
    fn a_bar_of_a_work_counts_its_messages_and_says_what_is_done_with_them() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let bar = Bar::new(&bars, "work".to_owned(), "connecting");
        bar.show(&Event::WorkBegun {
            doing: "comparing",
            messages: 1_040,
            octets: 5_000,
        });
        for octets in [1_000, 500] {
            bar.show(&Event::WorkDone { octets });
        }
        assert_eq!(bar.bar.message(), "comparing 2/1,040");
        assert_eq!((bar.bar.position(), bar.bar.length()), (1_500, Some(5_000)));
    }
}
