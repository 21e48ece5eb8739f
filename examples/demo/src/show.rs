//! What the demo prints, for 80 columns, and the bar that a terminal shows meanwhile.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

use console::style;
use indicatif::{ProgressBar, ProgressStyle};
use popsync::sync::{Event, Reporter, Warning};

use crate::Failure;

/// Columns of a terminal, less one.
const WIDTH: usize = 79;

pub(crate) fn title(text: &str) {
    println!("\n{}", style(text).bold());
}

pub(crate) fn say(text: &str) {
    for line in wrapped(text) {
        println!("  {line}");
    }
}

/// Something to type.
pub(crate) fn command(text: &str) {
    println!("  {}", style(text).cyan());
}

/// Says what is true, or ends the demo.
pub(crate) fn check(is_true: bool, what: &str) -> Result<(), Failure> {
    if !is_true {
        return Err(format!("this should be true, and is not: {what}").into());
    }
    println!("  {} {what}", style("✓").green().bold());
    Ok(())
}

pub(crate) fn failed(why: &str) {
    eprintln!("demo: {why}");
}

/// Takes away the bar of a process that could not.
pub(crate) fn after_a_kill() {
    if console::user_attended_stderr() {
        eprint!("\r\x1b[K\x1b[?25h");
    }
}

/// Lines that fit, cut between words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| {
            line.is_empty() || line.chars().count() + word.chars().count() + 3 <= WIDTH
        });
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Shows on a terminal how far a sync is, and says what it warns of.
pub(crate) struct Progress(ProgressBar);

impl Default for Progress {
    fn default() -> Self {
        // Off a terminal it draws nothing.
        let bar = ProgressBar::new(0);
        let template = "  {bar:40} {pos}/{len} messages, {elapsed}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Progress {
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Reporter for Progress {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Planned { retrieve, .. } => self.0.set_length(retrieve),
            Event::Retrieved => self.0.inc(1),
            Event::Warning(warning) => self
                .0
                .suspend(|| say(&format!("warning: {}", words(warning)))),
            Event::MessageFailed { number, reason, .. } => {
                self.0
                    .suspend(|| say(&format!("message {number}: {reason}")));
            }
            _ => {}
        }
    }
}

/// The words of a warning. The demo meets one kind.
fn words(warning: Warning<'_>) -> String {
    match warning {
        Warning::DeletionsHeld { messages, brakes } => {
            let reasons: Vec<String> = brakes.iter().map(ToString::to_string).collect();
            let reasons = reasons.join("; ");
            format!("{messages} messages are due for deletion, and none is deleted: {reasons}")
        }
        other => other.kind().to_owned(),
    }
}

/// Shows nothing.
pub(crate) struct Silence;

impl Reporter for Silence {
    fn report(&self, _: Event<'_>) {}
}
