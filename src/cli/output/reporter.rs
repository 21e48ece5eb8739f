//! Passes the events of one account to the outputs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use console::Style;
use indicatif::HumanCount;
use tracing::Span;

use crate::sync::{Event, Reporter};

use super::json::Line;
use super::progress::Bar;
use super::warning::words;
use super::{Output, log, sanitize, terminal};

/// The shortest time between two lines of progress in JSON.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// The maximum number of failed messages that are named, in one run of one account. If hundreds are
/// refused, they have the same reason.
const NAMED: u64 = 10;

/// Watches one account.
pub(in crate::cli) struct AccountReporter {
    output: Arc<Output>,
    account: String,
    span: Span,
    bar: Option<Bar>,
    counts: Mutex<Counts>,
}

/// The sums of events.
#[derive(Debug, Default)]
struct Counts {
    /// The lines about messages in a dry run. The heading comes first, and is known last.
    decisions: Vec<String>,
    listed: u64,
    messages: u64,
    octets: u64,
    /// Messages that could not be retrieved.
    failed: u64,
    /// When the last line of progress was written.
    told: Option<Instant>,
    /// True if something happened since then.
    untold: bool,
}

impl AccountReporter {
    pub(super) fn new(output: Arc<Output>, account: &str) -> Self {
        let is_one_of_many = output.in_fleet(|fleet| fleet.begin(account));
        let bars = output.streams.bars().filter(|_| !is_one_of_many);
        let bar = bars.map(|bars| {
            let name = sanitize::text(account);
            let name = output.streams.paint(&name, &Style::new().bold());
            Bar::new(bars, name, "connecting")
        });
        Self {
            output,
            account: account.to_owned(),
            span: log::span(account),
            bar,
            counts: Mutex::default(),
        }
    }

    /// The span of the account's log lines.
    pub(in crate::cli) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Counts a failed message. Returns true if it is one of the first, which are named.
    fn is_named(&self) -> bool {
        let mut counts = self.counts();
        counts.failed += 1;
        counts.failed <= NAMED
    }

    /// Adds up frequent events, and returns the totals when they are due.
    fn count(&self, event: &Event<'_>) -> Option<(u64, u64)> {
        let mut counts = self.counts();
        let due = match *event {
            Event::Received { octets } => {
                counts.octets += octets;
                counts.untold = true;
                counts.is_due()
            }
            Event::Retrieved => {
                counts.messages += 1;
                counts.untold = true;
                counts.is_due()
            }
            Event::Listed { messages } => {
                counts.listed = messages;
                false
            }
            // A later line must not come before its totals.
            _ => counts.untold,
        };
        if !due {
            return None;
        }
        counts.told = Some(Instant::now());
        counts.untold = false;
        Some((counts.messages, counts.octets))
    }

    fn json(&self, event: &Event<'_>) {
        let account = &self.account;
        if let Some((messages, bytes)) = self.count(event) {
            self.output.json(|| Line::Retrieved {
                account,
                messages,
                bytes,
            });
        }
        if let Some(line) = Line::of(account, event) {
            self.output.json(|| line);
        }
    }

    fn text(&self, event: &Event<'_>) {
        self.count(event);
        match *event {
            Event::Decided {
                number,
                unique_id,
                octets,
                action,
                reason,
                leaves_at,
            } if self.output.options.dry_run && self.output.options.lists_messages => {
                let line =
                    terminal::decision(number, octets, action, unique_id, (reason, leaves_at));
                self.counts().decisions.push(line);
            }
            Event::Planned {
                retrieve,
                octets,
                headers,
                delete,
                skip,
            } if self.output.options.dry_run => {
                let mut counts = self.counts();
                let listed = counts.listed;
                let plan = terminal::plan(retrieve, octets, headers, delete, skip, listed);
                let heading = format!("{}: {plan}", sanitize::text(&self.account));
                // All at once: the lines of other accounts must not come between.
                let mut lines = vec![heading];
                lines.append(&mut counts.decisions);
                self.output.data(lines.join("\n"));
            }
            _ => {}
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn is_due(&self) -> bool {
        self.told
            .is_none_or(|told| told.elapsed() >= PROGRESS_EVERY)
    }
}

impl Reporter for AccountReporter {
    fn report(&self, event: Event<'_>) {
        if let Some(bar) = &self.bar {
            bar.show(&event);
        }
        match event {
            Event::MessageFailed {
                number,
                unique_id,
                reason,
            } if self.is_named() => {
                self.output
                    .message_failed(&self.account, number, unique_id, reason);
            }
            Event::Warning(warning) => self.output.warning(&self.account, &words(&warning)),
            _ => log::step(&self.span, &event),
        }
        if self.output.options.json {
            self.json(&event);
        } else {
            self.text(&event);
        }
    }
}

impl Drop for AccountReporter {
    /// Reports how many messages were not named.
    fn drop(&mut self) {
        let counts = self
            .counts
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(more @ 1..) = counts.failed.checked_sub(NAMED) {
            let (count, messages) = (HumanCount(more), terminal::messages(more));
            let message = format!("{count} more {messages} could not be had; `-v` names all");
            self.output.problem(Some(&self.account), &message);
        }
    }
}
