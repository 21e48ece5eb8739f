//! The output of `popsync probe`: a header, a table, and a count; or JSON lines.
//!
//! On a terminal the table fits the width, and verdicts have colours. Elsewhere every row is one
//! line.

use std::io::{self, IsTerminal};

use console::{Style, Term, measure_text_width, pad_str};

use crate::account::Account;
use crate::exit::Exit;
use crate::probe::{Finding, Report, Verdict};

use super::{Output, sanitize};

mod facts;
mod lines;

/// The narrowest screen that the layout supports.
const NARROWEST: usize = 60;

/// The widest column if the output is not a terminal.
const WIDEST: usize = 64;

/// The gap between two columns.
const GAP: usize = 2;

impl Output {
    /// Prints the result of a visit.
    pub(in crate::cli) fn report(&self, account: &Account, report: &Report, now: i64) -> Exit {
        if self.options.json {
            for line in lines::json(account, report, now) {
                self.data(line);
            }
        } else {
            for line in self.page().text(account, report, now) {
                self.data(line);
            }
        }
        let Some(error) = report.error() else {
            return report.exit();
        };
        // The table first, then the error.
        let exit = self.finish();
        self.failure(Some(&account.name), error);
        exit.merge(report.exit())
    }

    /// The width and the colours of standard output.
    fn page(&self) -> Page {
        let terminal = io::stdout().is_terminal();
        let size = Term::stdout().size_checked();
        let colour = self.options.colour;
        Page {
            width: size.map(|(_, columns)| usize::from(columns)),
            colour: colour.unwrap_or_else(|| terminal && console::colors_enabled()),
        }
    }
}

/// The width and the colours of the output.
#[derive(Debug, Clone, Copy)]
struct Page {
    /// Columns of the terminal, if it is one.
    width: Option<usize>,
    colour: bool,
}

impl Page {
    fn text(self, account: &Account, report: &Report, now: i64) -> Vec<String> {
        let mut lines = vec![sanitize::text(&account.name).into_owned(), String::new()];
        let facts = facts::facts(account, report, now);
        let labels = facts.iter().map(|(label, _)| label.len()).max();
        let indent = 2 + labels.unwrap_or(0) + GAP;
        let room = self.width.map_or(usize::MAX, |width| {
            width.max(NARROWEST).saturating_sub(indent)
        });
        for (label, texts) in facts {
            let mut label = label;
            for text in texts {
                for line in wrap(&sanitize::text(&text), room) {
                    lines.push(format!("  {label:0$}{line}", indent - 2));
                    label = "";
                }
            }
        }
        lines.push(String::new());
        lines.extend(self.table(&report.findings));
        lines.push(String::new());
        lines.push(self.count(&report.findings));
        lines
    }

    fn table(self, findings: &[Finding]) -> Vec<String> {
        let head = ["statement", "rule", "seen"];
        let rows: Vec<[String; 3]> = findings
            .iter()
            .map(|finding| [finding.id, finding.rule, &finding.seen].map(escaped))
            .collect();
        let widest = |column: usize| {
            let cells = rows.iter().map(|row| measure_text_width(&row[column]));
            cells.max().unwrap_or(0).max(head[column].len())
        };
        let (id, mut rule, mut seen) = (widest(0), widest(1), widest(2));
        // The longest verdict has the width of the column's head.
        let verdict = Verdict::ALL.map(|verdict| verdict.as_str().len());
        let verdict = verdict.into_iter().max().unwrap_or(0);
        match self.width {
            Some(width) => {
                let fixed = id + verdict + 3 * GAP;
                let room = width.max(NARROWEST).saturating_sub(fixed);
                if rule + seen > room {
                    rule = rule.min(room * 9 / 20);
                    seen = room - rule;
                }
            }
            None => seen = seen.min(WIDEST),
        }
        let widths = [id, rule, seen];
        let mut lines = Vec::new();
        let mut put = |cells: &[String; 3], last: &str, styled: String| {
            let limit = |column: usize| match self.width {
                Some(_) => widths[column],
                None => usize::MAX,
            };
            let columns: [Vec<String>; 3] = [0, 1, 2].map(|at| wrap(&cells[at], limit(at)));
            let height = columns.iter().map(Vec::len).max().unwrap_or(1);
            for line in 0..height {
                let mut text = String::new();
                for (column, width) in columns.iter().zip(widths) {
                    let cell = column.get(line).map_or("", String::as_str);
                    text.push_str(&pad_str(cell, width, console::Alignment::Left, None));
                    text.push_str(&" ".repeat(GAP));
                }
                if line == 0 && !last.is_empty() {
                    text.push_str(&styled);
                }
                lines.push(text.trim_end().to_owned());
            }
        };
        put(&head.map(str::to_owned), "verdict", "verdict".to_owned());
        for (row, finding) in rows.iter().zip(findings) {
            let word = finding.verdict.as_str();
            put(row, word, self.paint(finding.verdict, word));
        }
        lines
    }

    /// `20 ok, 2 tolerated, 0 deviates, 3 not seen`.
    fn count(self, findings: &[Finding]) -> String {
        let counts = Verdict::ALL.map(|verdict| {
            let found = findings.iter().filter(|finding| finding.verdict == verdict);
            let count = found.count();
            let text = format!("{count} {verdict}");
            if count == 0 {
                text
            } else {
                self.paint(verdict, &text)
            }
        });
        counts.join(", ")
    }

    fn paint(self, verdict: Verdict, text: &str) -> String {
        let style = match verdict {
            Verdict::Ok => Style::new().green(),
            Verdict::Tolerated => Style::new().yellow(),
            Verdict::Deviates => Style::new().red().bold(),
            Verdict::NotSeen => Style::new().dim(),
        };
        style.force_styling(self.colour).apply_to(text).to_string()
    }
}

fn escaped(text: &str) -> String {
    sanitize::text(text).into_owned()
}

/// Breaks a text into lines of at most this many columns: between words, and inside words that are
/// wider than a line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let with = measure_text_width(&line) + 1 + measure_text_width(word);
        if !line.is_empty() && with <= width {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for character in word.chars() {
            let mut longer = line.clone();
            longer.push(character);
            if measure_text_width(&longer) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests;
