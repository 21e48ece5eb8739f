//! Writes HTML. All text is made safe here: what acts on a reader is made visible, and what means
//! something in HTML is escaped.

use crate::cli::output::sanitize;

/// A page, or a part of it.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// With this heading.
    Text(&'static str),
    /// With this heading, aligned to the right.
    Number(&'static str),
    /// With this heading, never broken into lines.
    Time(&'static str),
}

impl Html {
    /// Markup as it is. It must not contain text from elsewhere.
    pub(super) fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Text from anywhere.
    pub(super) fn text(&mut self, text: &str) {
        for c in sanitize::text(text).chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    /// An element with only text in it. `tag` may have attributes.
    pub(super) fn element(&mut self, tag: &str, text: &str) {
        self.inline(tag, text);
        self.raw("\n");
    }

    /// The same within a line.
    fn inline(&mut self, tag: &str, text: &str) {
        self.raw(&format!("<{tag}>"));
        self.text(text);
        self.close(tag);
    }

    fn close(&mut self, tag: &str) {
        let name = tag.split(' ').next().unwrap_or_default();
        self.raw(&format!("</{name}>"));
    }

    /// An element whose text has commands between backquotes.
    pub(super) fn prose(&mut self, tag: &str, text: &str) {
        self.raw(&format!("<{tag}>"));
        let parts: Vec<_> = text.split('`').collect();
        // A server's text may have a single one.
        if parts.len() % 2 == 0 {
            self.text(text);
        } else {
            for (place, part) in parts.iter().enumerate() {
                match place % 2 {
                    0 => self.text(part),
                    _ => self.inline("code", part),
                }
            }
        }
        self.close(tag);
        self.raw("\n");
    }

    /// A table. The first cell of a row is its heading.
    pub(super) fn table(&mut self, caption: &str, columns: &[Column], rows: &[Vec<String>]) {
        self.raw("<table>\n");
        self.element("caption", caption);
        self.raw("<thead><tr>");
        for column in columns {
            let (tag, name) = match column {
                Column::Text(name) | Column::Time(name) => ("th scope=\"col\"", name),
                Column::Number(name) => ("th scope=\"col\" class=\"number\"", name),
            };
            self.element(tag, name);
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.raw("<tr>");
            for (place, (cell, column)) in row.iter().zip(columns).enumerate() {
                let tag = match (place, column) {
                    (0, Column::Time(_)) => "th scope=\"row\" class=\"time\"",
                    (0, _) => "th scope=\"row\"",
                    (_, Column::Time(_)) => "td class=\"time\"",
                    (_, Column::Text(_)) => "td",
                    (_, Column::Number(_)) => "td class=\"number\"",
                };
                self.element(tag, cell);
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table>\n");
    }

    /// A table that may be wider than a small screen. The keyboard scrolls it, too.
    pub(super) fn wide_table(&mut self, caption: &str, columns: &[Column], rows: &[Vec<String>]) {
        self.raw("<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"");
        self.text(caption);
        self.raw("\">\n");
        self.table(caption, columns, rows);
        self.raw("</div>\n");
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let mut html = Html::default();
        html.element(
            "td class=\"x\"",
            "<script>alert(\"1\" & '2')</script>\u{202e}\n",
        );
        assert_eq!(
            html.finish(),
            "<td class=\"x\">&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;\
             \\u{202e}\\n</td>\n"
        );
    }

    #[test]
    fn commands_are_marked_where_backquotes_are_in_pairs() {
        let mut html = Html::default();
        html.prose("p", "see `popsync <x>`");
        html.prose("p", "a ` b");
        assert_eq!(
            html.finish(),
            "<p>see <code>popsync &lt;x&gt;</code></p>\n<p>a ` b</p>\n"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_markup(text in ".*") {
            let mut html = Html::default();
            html.text(&text);
            let html = html.finish();
            proptest::prop_assert!(!html.contains(['<', '>', '"', '\'']), "{html}");
        }
    }
}
