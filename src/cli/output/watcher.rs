//! Watches commands other than `sync` and `fetch`: prints warnings, logs the steps, and shows the
//! progress of work on stored messages.

use std::sync::{Arc, Mutex, PoisonError};

use console::Style;
use tracing::Span;

use crate::sync::{Event, Reporter};

use super::json::Line;
use super::progress::Bar;
use super::warning::words;
use super::{Output, log, sanitize};

/// Watches the work on one account.
pub(in crate::cli) struct Watcher {
    output: Arc<Output>,
    account: String,
    span: Span,
    /// There while work goes on.
    bar: Mutex<Option<Bar>>,
}

impl Watcher {
    pub(in crate::cli) fn new(output: Arc<Output>, account: &str) -> Self {
        Self {
            output,
            account: account.to_owned(),
            span: log::span(account),
            bar: Mutex::default(),
        }
    }

    fn progress(&self, event: &Event<'_>) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::WorkBegun {
                doing,
                messages: 1..,
                ..
            } => {
                let streams = &self.output.streams;
                let name = sanitize::text(&self.account);
                let name = || streams.paint(&name, &Style::new().bold());
                *bar = streams.bars().map(|bars| Bar::new(bars, name(), doing));
            }
            Event::WorkEnded => *bar = None,
            _ => {}
        }
        if let Some(bar) = &*bar {
            bar.show(event);
        }
    }
}

impl Reporter for Watcher {
    fn report(&self, event: Event<'_>) {
        if let Event::Warning(warning) = &event {
            self.output.warning(&self.account, &words(warning));
            if let Some(line) = Line::of(&self.account, &event) {
                self.output.json(|| line);
            }
        } else {
            log::step(&self.span, &event);
            self.progress(&event);
        }
    }
}
