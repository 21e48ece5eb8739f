//! One bar per account in work, on a terminal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use crate::sync::Event;

use super::sanitize;

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Before the plan is known there is only the step to show.
const STEP: &str = "{prefix:.bold} {spinner} {msg}";

/// Account, bar, messages, octets, rate, time left. Two columns at the end stay free, and the
/// cursor stands in front of them: for the `^C` that a terminal echoes, which would otherwise
/// begin a line of its own and leave a bar behind.
const TRANSFER: &str = "{prefix:.bold} [{wide_bar}] {msg}  {decimal_bytes}/{decimal_total_bytes}  \
                        {decimal_bytes_per_sec}  {eta}  \u{1b}[2D";

/// The bar of one account.
pub(super) struct Bar {
    bar: ProgressBar,
    messages: AtomicU64,
    of_messages: AtomicU64,
}

impl Bar {
    pub(super) fn new(bars: &MultiProgress, account: &str) -> Self {
        let bar = bars.add(ProgressBar::no_length());
        bar.set_style(style(STEP));
        bar.set_prefix(sanitize::text(account).into_owned());
        bar.set_message("connecting");
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            messages: AtomicU64::new(0),
            of_messages: AtomicU64::new(0),
        }
    }

    pub(super) fn show(&self, event: &Event<'_>) {
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
            _ => {}
        }
    }

    fn begin(&self, messages: u64, octets: u64) {
        if messages == 0 {
            self.bar.set_message("finishing");
            return;
        }
        self.of_messages.store(messages, Ordering::Relaxed);
        self.bar.set_style(style(TRANSFER));
        self.bar.set_length(octets.max(1));
        // Neither rate nor time left should count the login.
        self.bar.reset();
        self.count();
    }

    /// Sizes of the scan listing may be estimates, or lies. Where they turn out too small, the
    /// whole is guessed anew from the messages that have come, so that the bar never passes its
    /// end.
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
        self.bar.set_message(format!("{done}/{of}"));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The templates are constants, and a test reads them all.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
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
    fn a_bar_never_passes_its_end() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let bar = Bar::new(&bars, "work");
        bar.show(&Event::Planned {
            retrieve: 2,
            octets: 100,
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
}
