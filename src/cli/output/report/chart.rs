//! A chart: the drawing, what it shows in words, and its figures as a table.

use super::html::{Column, Html};
use super::plot::{self, Unit};

/// Bars and their figures.
pub(super) struct Chart<'a> {
    /// Distinguishes it within the page.
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) unit: Unit,
    /// A short label for each bar, and its value.
    pub(super) points: Vec<(String, u64)>,
    /// A sentence that describes the drawing.
    pub(super) description: String,
    /// Said where there is nothing to draw.
    pub(super) nothing: &'static str,
    pub(super) columns: &'a [Column],
    pub(super) rows: Vec<Vec<String>>,
}

impl Chart<'_> {
    pub(super) fn put(&self, html: &mut Html) {
        let id = &self.id;
        html.raw("<figure>\n");
        html.element("figcaption", self.title);
        let Some(drawing) = plot::bars(self.unit, &self.points) else {
            html.element("p class=\"nothing\"", self.nothing);
            html.raw("</figure>\n");
            return;
        };
        let view_box = plot::view_box();
        html.raw(&format!(
            "<svg viewBox=\"{view_box}\" role=\"img\" aria-labelledby=\"{id}-t\" \
             aria-describedby=\"{id}-d\">\n"
        ));
        html.element(&format!("title id=\"{id}-t\""), self.title);
        html.element(&format!("desc id=\"{id}-d\""), &self.description);
        html.raw(drawing.trim_start());
        html.raw("<details>\n");
        html.raw("<summary>Figures<span class=\"unseen\">: ");
        html.text(self.title);
        html.raw("</span></summary>\n");
        html.table(self.title, self.columns, &self.rows);
        html.raw("</details>\n</figure>\n");
    }
}
