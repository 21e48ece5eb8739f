//! `-v` and `-vv`: log lines on stderr.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::{Level, Span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::sync::Event;

use super::{Output, sanitize};

/// The target of what events tell.
pub(in crate::cli) const STEPS: &str = "popsync::sync";

/// Lets log lines through: each step for one `-v`, the wire too for two.
pub(in crate::cli) fn start(verbose: u8, output: &Arc<Output>) {
    let level = match verbose {
        0 => return,
        1 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(ToOutput(Arc::clone(output)));
    let only_ours = Targets::new().with_target("popsync", level);
    // Fails only where a subscriber is set already, which is then the one that is wanted.
    let _ = tracing_subscriber::registry()
        .with(only_ours)
        .with(lines)
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
            "to do: retrieve {retrieve} ({octets} octets) and {headers} headers, delete {delete}, \
             skip {skip}"
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
        Event::Decided { .. }
        | Event::Received { .. }
        | Event::Retrieved
        | Event::Warning { .. } => {}
    }
}

/// Writes log lines where all lines for people go.
struct ToOutput(Arc<Output>);

impl<'a> MakeWriter<'a> for ToOutput {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &ToOutput {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.line(text.trim_end_matches('\n'));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
