//! stdout and stderr of the process, and the bars on its terminal.
//!
//! What people read is escaped here, once, whatever it came from; bars are taken away while a line
//! is written.

use std::env;
use std::io::{self, IsTerminal, Write};

use console::Style;
use indicatif::{MultiProgress, ProgressDrawTarget};

use super::stderr::Stderr;
use super::stdout::Stdout;
use super::{sanitize, screen, wrap};

/// The word in front of errors and warnings.
const NAME: &str = "popsync:";

/// The word in front of a hint.
const HINT: &str = "hint:";

/// The properties of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// A person is watching stderr.
    pub(super) terminal: bool,
    /// Colour on stderr.
    pub(super) colour: bool,
    /// Accounts have bars.
    pub(super) bars: bool,
    /// A person is watching stdout.
    pub(super) out_is_terminal: bool,
}

/// Where it all goes.
pub(super) struct Streams {
    manner: Manner,
    bars: MultiProgress,
    out: Stdout,
    err: Stderr,
}

impl Streams {
    /// The process's own. `colour` of none asks the terminal; bars are there where `bars` allows
    /// them and the terminal can show them.
    pub(super) fn standard(colour: Option<bool>, bars: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let draws = terminal && understands_escapes();
        let manner = Manner {
            terminal,
            // `console` knows NO_COLOR, CLICOLOR and TERM=dumb.
            colour: colour.unwrap_or_else(|| draws && console::colors_enabled_stderr()),
            bars: bars && draws,
            out_is_terminal: io::stdout().is_terminal(),
        };
        let target = match manner.bars {
            true => screen::target(),
            false => ProgressDrawTarget::hidden(),
        };
        Self::new(manner, target, io::stdout(), io::stderr())
    }

    pub(super) fn new(
        manner: Manner,
        target: ProgressDrawTarget,
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
    ) -> Self {
        Self {
            manner,
            bars: MultiProgress::with_draw_target(target),
            out: Stdout::new(out),
            err: Stderr::new(err),
        }
    }

    /// True if a person is watching stderr.
    pub(super) fn is_watched(&self) -> bool {
        self.manner.terminal
    }

    /// Where bars are drawn, if they are.
    pub(super) fn bars(&self) -> Option<&MultiProgress> {
        self.manner.bars.then_some(&self.bars)
    }

    /// A line on stdout. If that is the terminal with the bars, they are away meanwhile.
    pub(super) fn data(&self, line: String) {
        if self.manner.bars && self.manner.out_is_terminal {
            self.bars.suspend(|| self.out.write_now(line));
        } else {
            self.out.write(line);
        }
    }

    /// Waits until stdout has taken everything.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.out.finish()
    }

    /// Runs `action`, which asks something on the screen: without bars there, and without lines,
    /// which come once it is answered. The accounts whose they are go on meanwhile.
    pub(super) fn question<T>(&self, action: impl FnOnce() -> T) -> T {
        let ask = || {
            let _held = self.err.hold();
            action()
        };
        if !self.manner.bars {
            return ask();
        }
        self.clear();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
        let result = ask();
        self.bars.set_draw_target(screen::target());
        result
    }

    /// Takes all bars away.
    pub(super) fn clear(&self) {
        // A screen that cannot be cleared is nothing to stop for.
        let _ = self.bars.clear();
    }

    /// `popsync: TEXT`, of an error.
    pub(super) fn problem(&self, text: &str) {
        self.behind(NAME, &Style::new().red().bold(), text);
    }

    /// `popsync: TEXT`, of a warning.
    pub(super) fn warning(&self, text: &str) {
        self.behind(NAME, &Style::new().yellow().bold(), text);
    }

    /// `hint: TEXT`; further lines of it are indented.
    pub(super) fn hint(&self, text: &str) {
        for (number, line) in text.lines().enumerate() {
            match number {
                0 => self.behind(HINT, &Style::new().cyan(), line),
                _ => self.line(&format!("  {line}")),
            }
        }
    }

    /// A line on stderr.
    pub(super) fn line(&self, line: &str) {
        self.raw(&sanitize::text(line));
    }

    /// A text behind a word in this style, as it fits the terminal.
    fn behind(&self, word: &str, style: &Style, text: &str) {
        let text = sanitize::text(text);
        let text = match screen::width().filter(|_| self.manner.terminal) {
            Some(width) => wrap::wrap(&text, word.len() + 1, 2, width),
            None => text.into_owned(),
        };
        self.raw(&format!("{} {text}", self.paint(word, style)));
    }

    /// A line on stderr that is safe already.
    fn raw(&self, line: &str) {
        self.bars.suspend(|| {
            self.err.write(line);
        });
    }

    /// A text in this style, where stderr has colours.
    pub(super) fn paint(&self, text: &str, style: &Style) -> String {
        let style = style.clone().force_styling(self.manner.colour);
        style.apply_to(text).to_string()
    }
}

/// True if the terminal understands escape sequences, as far as its name tells.
fn understands_escapes() -> bool {
    env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}
