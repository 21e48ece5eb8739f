//! One bar per account in work, on a terminal.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::sync::Event;

use super::{screen, terminal};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Before the plan is known there is only the step to show.
const STEP: &str = "{prefix} {spinner} {msg}";

/// Account, bar, messages, octets and rate, time left. Two columns at the end stay free for the
/// `^C` that a terminal echoes; see `screen`.
const TRANSFER: &str = "{prefix} [{wide_bar}] {msg}{octets}  {eta}  ";

/// How wide a screen has to be, beside the account's name, to show octets and rate as well.
const WIDE: usize = 64;

/// The bar of one account.
pub(super) struct Bar {
    bar: ProgressBar,
    /// How wide the account's name is.
    name: usize,
    messages: AtomicU64,
    of_messages: AtomicU64,
}

impl Bar {
    /// `account`: its name as it is to be shown, with colour or without.
    pub(super) fn new(bars: &MultiProgress, account: String) -> Self {
        let bar = bars.add(ProgressBar::no_length());
        let name = console::measure_text_width(&account);
        bar.set_style(style(STEP, name));
        bar.set_prefix(account);
        bar.set_message("connecting");
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            name,
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
        self.bar.set_style(style(TRANSFER, self.name));
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
fn style(template: &str, name: usize) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key(
            "octets",
            move |state: &ProgressState, text: &mut dyn Write| {
                if screen::width().is_none_or(|width| width >= WIDE + name) {
                    // A text in memory takes whatever is written.
                    let _ = text.write_str(&octets(state));
                }
            },
        )
}

fn octets(state: &ProgressState) -> String {
    let whole = state.len().unwrap_or_else(|| state.pos());
    // A rate is no more than a guess, and never negative.
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
    fn a_bar_never_passes_its_end() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let bar = Bar::new(&bars, "work".to_owned());
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
}
