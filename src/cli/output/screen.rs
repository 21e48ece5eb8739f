//! The target of progress bars: standard error, with the cursor kept off the margin.
//!
//! A terminal echoes `^C` at the cursor. After the last bar, which is as wide as the screen, the
//! echo would begin a new line, and a bar would be left behind. So the cursor rests in front of the
//! columns that bars leave free. It is moved there once all bars are drawn, and not after each: the
//! next bar begins where the one before it ended.

use std::io;

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// The width of `^C`.
const ECHO: usize = 2;

/// The maximum number of redraws in a second.
const RATE: u8 = 20;

/// Standard error.
pub(super) fn target() -> ProgressDrawTarget {
    let screen = Box::new(Screen(Term::buffered_stderr()));
    ProgressDrawTarget::term_like_with_hz(screen, RATE)
}

/// Its width, if that is known.
pub(super) fn width() -> Option<usize> {
    let (_, columns) = Term::stderr().size_checked()?;
    Some(columns.into())
}

#[derive(Debug)]
struct Screen<T>(T);

impl<T: TermLike> TermLike for Screen<T> {
    fn width(&self) -> u16 {
        self.0.width()
    }

    fn height(&self) -> u16 {
        self.0.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.0.write_line(s)
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.0.write_str(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    /// Bars are complete when they are flushed.
    fn flush(&self) -> io::Result<()> {
        self.0.move_cursor_left(ECHO)?;
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::{MultiProgress, ProgressBar};

    use super::*;

    /// A screen of the width `WIDTH` that only has a cursor: text is written at the cursor, and
    /// continues on the next line when a line is full.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<Content>>);

    #[derive(Debug, Default)]
    struct Content {
        lines: Vec<Vec<char>>,
        row: usize,
        column: usize,
    }

    const WIDTH: usize = 20;

    impl Paper {
        fn lines(&self) -> Vec<String> {
            let paper = self.0.lock().unwrap();
            let lines = paper
                .lines
                .iter()
                .map(|line| line.iter().collect::<String>());
            lines.map(|line| line.trim_end().to_owned()).collect()
        }

        fn cursor(&self) -> (usize, usize) {
            let paper = self.0.lock().unwrap();
            (paper.row, paper.column)
        }

        fn change(&self, change: impl FnOnce(&mut usize, &mut usize)) -> io::Result<()> {
            let Content { row, column, .. } = &mut *self.0.lock().unwrap();
            change(row, column);
            Ok(())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            WIDTH as u16
        }

        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            self.change(|row, _| *row = row.saturating_sub(n))
        }

        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.change(|row, _| *row += n)
        }

        fn move_cursor_right(&self, n: usize) -> io::Result<()> {
            self.change(|_, column| *column = (*column + n).min(WIDTH - 1))
        }

        fn move_cursor_left(&self, n: usize) -> io::Result<()> {
            // After the last column the cursor is still on it.
            self.change(|_, column| *column = (*column).min(WIDTH - 1).saturating_sub(n))
        }

        fn write_line(&self, s: &str) -> io::Result<()> {
            self.write_str(s)?;
            self.change(|row, column| (*row, *column) = (*row + 1, 0))
        }

        fn write_str(&self, s: &str) -> io::Result<()> {
            let Content { lines, row, column } = &mut *self.0.lock().unwrap();
            for c in s.chars() {
                if c == '\r' {
                    *column = 0;
                    continue;
                }
                if *column == WIDTH {
                    (*row, *column) = (*row + 1, 0);
                }
                lines.resize(lines.len().max(*row + 1), vec![' '; WIDTH]);
                lines[*row][*column] = c;
                *column += 1;
            }
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            let Content { lines, row, column } = &mut *self.0.lock().unwrap();
            if let Some(line) = lines.get_mut(*row) {
                line.fill(' ');
            }
            *column = 0;
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_bar_has_a_line_of_its_own_and_an_echo_of_ctrl_c_fits_behind_the_last() {
        let paper = Paper::default();
        let screen = Box::new(Screen(paper.clone()));
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(screen));
        let style = indicatif::ProgressStyle::with_template("{prefix} [{wide_bar}]  ").unwrap();
        let added: Vec<_> = ["one", "two", "three"]
            .map(|name| {
                let bar = ProgressBar::new(10).with_style(style.clone());
                bars.add(bar.with_prefix(name))
            })
            .into();
        for round in 0..3 {
            for bar in &added {
                bar.inc(1);
                bar.tick();
            }
            let lines = paper.lines();
            let names: Vec<_> = lines
                .iter()
                .filter_map(|line| line.split_once(' '))
                .collect();
            let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, ["one", "two", "three"], "{round}: {lines:#?}");
            assert_eq!(paper.cursor(), (2, WIDTH - 1 - ECHO));
        }
        // Echoed as by the terminal.
        paper.write_str("^C").unwrap();
        assert_eq!(paper.cursor().0, 2);
        assert!(paper.lines()[2].ends_with("^C"));
    }
}
