//! `-v` and `-vv`: the steps, in plain sentences on stderr, and the lines of the dialogue.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Level, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::sync::Event;

use super::{Output, sanitize, terminal};

/// The target of log lines from events.
pub(in crate::cli) const STEPS: &str = "popsync::sync";

/// Enables log lines: each step for one `-v`, also the dialogue with the server for two.
pub(in crate::cli) fn start(verbose: u8, output: &Arc<Output>) {
    let level = match verbose {
        0 => return,
        1 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let sentences = Sentences {
        output: Arc::clone(output),
        began: (verbose > 1).then(Instant::now),
    };
    let only_ours = Targets::new().with_target("popsync", level);
    // Fails only if a subscriber is set already, which is then the right one.
    let _ = tracing_subscriber::registry()
        .with(only_ours)
        .with(sentences)
        .try_init();
}

/// The span of one account's log lines.
pub(super) fn span(account: &str) -> Span {
    tracing::error_span!("account", name = %sanitize::text(account))
}

/// Logs a step of an account.
pub(super) fn step(span: &Span, event: &Event<'_>) {
    match *event {
        Event::Connected { address, tls } => {
            let tls = tls.unwrap_or("without TLS");
            tracing::debug!(target: STEPS, parent: span, "connected to {address}, {tls}");
        }
        Event::LoggedIn => tracing::debug!(target: STEPS, parent: span, "logged in"),
        Event::Listed { messages } => {
            tracing::debug!(target: STEPS, parent: span, "{messages} messages on the server");
        }
        Event::Planned {
            retrieve,
            octets,
            headers,
            delete,
            skip,
        } => tracing::debug!(
            target: STEPS,
            parent: span,
            "to do: retrieve {retrieve} ({}), headers alone {headers}, delete {delete}, skip {skip}",
            terminal::octets(octets)
        ),
        Event::Stored { messages } => {
            tracing::debug!(target: STEPS, parent: span, "{messages} messages made durable");
        }
        Event::Deleted { messages } => {
            tracing::debug!(target: STEPS, parent: span, "{messages} messages deleted on the server");
        }
        Event::MessageFailed {
            number,
            unique_id,
            reason,
        } => {
            let id = sanitize::unique_id(unique_id);
            tracing::debug!(target: STEPS, parent: span, "message {number} ({id}): {reason}");
        }
        Event::WorkBegun {
            doing,
            messages,
            octets,
        } => tracing::debug!(
            target: STEPS,
            parent: span,
            "{doing} {messages} messages ({})",
            terminal::octets(octets)
        ),
        Event::Decided { .. }
        | Event::Received { .. }
        | Event::Retrieved
        | Event::Warning(_)
        | Event::WorkDone { .. }
        | Event::WorkEnded => {}
    }
}

/// Writes each event as a line for people: the account, and the event.
struct Sentences {
    output: Arc<Output>,
    /// If set, the time since then starts each line: readers of the dialogue want to see how long
    /// the server takes.
    began: Option<Instant>,
}

/// The account that a span is about.
struct Account(String);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Sentences {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut words = Words::default();
        attributes.record(&mut words);
        if let (Some(name), Some(span)) = (words.name, context.span(id)) {
            span.extensions_mut().insert(Account(name));
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut line = String::new();
        if let Some(began) = self.began {
            // Writing to a string cannot fail.
            let _ = write!(line, "[{:>7.3}] ", began.elapsed().as_secs_f64());
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Account(name)) = span.extensions().get::<Account>() {
                line.push_str(name);
                line.push_str(": ");
                break;
            }
        }
        line.push_str(&words.sentence());
        self.output.line(&line);
    }
}

/// The text of an event or a span.
#[derive(Default)]
struct Words {
    message: String,
    /// The cause, after a colon.
    error: Option<String>,
    /// The account of a span.
    name: Option<String>,
    /// All other fields, in brackets.
    more: Vec<String>,
}

impl Words {
    fn sentence(self) -> String {
        let mut sentence = self.message;
        if !self.more.is_empty() {
            let _ = write!(sentence, " ({})", self.more.join(", "));
        }
        if let Some(error) = self.error {
            let _ = write!(sentence, ": {error}");
        }
        sentence
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" => self.error = Some(format!("{value:?}")),
            "name" => self.name = Some(format!("{value:?}")),
            other => self.more.push(format!("{other} {value:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;
    use tracing::subscriber::with_default;

    use super::super::Options;
    use super::super::streams::{Manner, Streams};
    use super::*;

    #[test]
    fn lines_are_sentences_with_the_account_in_front() {
        let said = Said::default();
        let options = Options {
            json: false,
            quiet: false,
            dry_run: false,
            lists_messages: false,
            colour: Some(false),
        };
        let manner = Manner {
            terminal: false,
            colour: false,
            bars: false,
            out_is_terminal: false,
        };
        let hidden = ProgressDrawTarget::hidden();
        let streams = Streams::new(manner, hidden, std::io::sink(), said.clone());
        let output = Output::new(options, streams);
        let sentences = Sentences {
            output: Arc::new(output),
            began: None,
        };
        with_default(tracing_subscriber::registry().with(sentences), || {
            let _inside = span("work").entered();
            tracing::debug!("logged in");
            tracing::debug!(error = %"no route", "the session broke, trying the others");
            tracing::debug!(removed = true, "tokens");
            tracing::debug!(path = "/a\u{1b}", "removing");
        });
        let text = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            text,
            "work: logged in\nwork: the session broke, trying the others: no route\n\
             work: tokens (removed true)\nwork: removing (path /a\\x1b)\n"
        );
    }

    #[derive(Clone, Default)]
    struct Said(Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Said {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
