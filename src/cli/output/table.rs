//! Tables for people: aligned columns, of which the last one takes the rest of the terminal.

use std::io::{self, IsTerminal};

use console::Term;
use unicode_width::UnicodeWidthStr;

use super::wrap;

/// The gap between two columns.
const GAP: usize = 2;

/// The minimum width of the last column, however narrow the terminal is.
const LEAST: usize = 20;

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// The columns of standard output, if it is a terminal.
pub(super) fn width() -> Option<usize> {
    let size = Term::stdout().size_checked();
    let size = size.filter(|_| io::stdout().is_terminal());
    size.map(|(_, columns)| usize::from(columns))
}

/// The lines of a table, its head first. On a terminal of this width the last column is broken
/// between words; elsewhere each row is one line. The cells must be safe to show.
pub(super) fn lines<const N: usize>(
    head: [(&str, Align); N],
    rows: &[[String; N]],
    width: Option<usize>,
) -> Vec<String> {
    let names = head.map(|(name, _)| name.to_owned());
    let mut widths = names.clone().map(|name| name.width());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let before: usize = widths.iter().take(N - 1).map(|width| width + GAP).sum();
    let row = |cells: &[String; N]| {
        let mut line = String::new();
        for (column, (cell, (_, align))) in cells.iter().zip(head).enumerate() {
            if column == N - 1 {
                line.push_str(&match width {
                    Some(width) => wrap::wrap(cell, before, before, width.max(before + LEAST)),
                    None => cell.clone(),
                });
                break;
            }
            let padding = " ".repeat(widths[column].saturating_sub(cell.width()));
            match align {
                Align::Left => line.extend([cell, padding.as_str()]),
                Align::Right => line.extend([padding.as_str(), cell]),
            }
            line.push_str("  ");
        }
        line.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    let rows = rows.iter().flat_map(|cells| -> Vec<String> { row(cells) });
    row(&names).into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_last_one_is_broken_on_a_terminal() {
        let head = [
            ("what", Align::Left),
            ("n", Align::Right),
            ("why", Align::Left),
        ];
        let rows = [
            ["größe", "7", "because of the weather and of the season"].map(str::to_owned),
            ["b", "12", ""].map(str::to_owned),
        ];
        assert_eq!(
            lines(head, &rows, None),
            [
                "what    n  why",
                "größe   7  because of the weather and of the season",
                "b      12",
            ]
        );
        assert_eq!(
            lines(head, &rows, Some(34)),
            [
                "what    n  why",
                "größe   7  because of the weather",
                "           and of the season",
                "b      12",
            ]
        );
        for line in lines(head, &rows, Some(3)) {
            assert!(line.width() <= 11 + LEAST, "{line}");
        }
    }
}
