//! Bars as SVG, drawn by `plotters`. The style sheet of the page gives them their colours, so that
//! they follow light and dark, and labels that cannot act on anybody come from figures alone.

use plotters::prelude::*;

use crate::cli::output::terminal::octets;

/// The size of the drawing. The page scales it.
const WIDTH: u32 = 900;
const HEIGHT: u32 = 390;

/// The size of the text. `plotters` makes it smaller by this factor, since it knows no fonts.
const TEXT: f64 = 26.0 * 1.24;

/// A drawing has room for as many bars at least: a single one would fill it.
const FEWEST: usize = 6;

/// Colours that stand for classes of the style sheet.
const CLASSES: [(RGBColor, &str, &str); 4] = [
    (RGBColor(0, 0, 1), "fill=\"#000001\"", "class=\"bar\""),
    (RGBColor(0, 0, 2), "fill=\"#000002\"", "class=\"label\""),
    (RGBColor(0, 0, 3), "stroke=\"#000003\"", "class=\"grid\""),
    (RGBColor(0, 0, 4), "stroke=\"#000004\"", "class=\"axis\""),
];
const BAR: RGBColor = CLASSES[0].0;
const LABEL: RGBColor = CLASSES[1].0;
const GRID: RGBColor = CLASSES[2].0;
const AXIS: RGBColor = CLASSES[3].0;

/// The thing that bars measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Messages,
    Octets,
    Seconds,
}

impl Unit {
    /// The factor by which values are divided for the axis, and its name.
    fn scale(self, largest: u64) -> (f64, &'static str) {
        match (self, largest) {
            (Self::Messages, _) => (1.0, ""),
            (Self::Octets, _) => (1.0, " B"),
            (Self::Seconds, 0..180) => (1.0, " s"),
            (Self::Seconds, 180..10_800) => (60.0, " min"),
            (Self::Seconds, _) => (3_600.0, " h"),
        }
    }

    /// The label at a place of the axis.
    fn label(self, value: f64, name: &str) -> String {
        if value < 0.0 || (self != Self::Seconds && value.fract() != 0.0) {
            return String::new();
        }
        match self {
            Self::Octets => octets(value as u64).replacen(".0", "", 1),
            Self::Messages if value >= 1_000.0 => octets(value as u64)
                .replacen(".0", "", 1)
                .replace(" kB", "k")
                .replace(" MB", "M"),
            Self::Messages | Self::Seconds => format!("{value}{name}"),
        }
    }
}

/// Draws a bar for each point. Without the opening tag, which names the drawing. None if there is
/// nothing to draw.
pub(super) fn bars(unit: Unit, points: &[(String, u64)]) -> Option<String> {
    let largest = points
        .iter()
        .map(|(_, value)| *value)
        .max()
        .filter(|largest| *largest > 0)?;
    let mut svg = String::new();
    draw(&mut svg, unit, points, largest).ok()?;
    // The size is that of the page, and the name space that of HTML.
    let (_, inside) = svg.split_once('>')?;
    let mut inside = inside
        .replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" stroke-width=\"1\"", "");
    for (_, colour, class) in CLASSES {
        inside = inside.replace(colour, class);
    }
    Some(inside)
}

/// The size of the drawing, as SVG has it.
pub(super) fn view_box() -> String {
    format!("0 0 {WIDTH} {HEIGHT}")
}

fn draw(
    svg: &mut String,
    unit: Unit,
    points: &[(String, u64)],
    largest: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let (divisor, name) = unit.scale(largest);
    let top = (largest as f64 / divisor * 1.06).max(1.0);
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let end = points.len().max(FEWEST) as f64 - 0.5;
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .margin_top(20)
        .x_label_area_size(48)
        .y_label_area_size(118)
        .build_cartesian_2d(-0.5..end, 0.0..top)?;
    let style = ("sans-serif", TEXT).into_font().color(&LABEL);
    let at = |place: &f64| {
        let middle = place.round();
        // Places are sums of steps, and not exact.
        let is_middle = (place - middle).abs() < 1e-6 && middle >= 0.0;
        let label = points.get(middle.max(0.0) as usize);
        let label = label.filter(|_| is_middle).map(|(label, _)| label.clone());
        label.unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(AXIS)
        .label_style(style)
        .x_labels(8)
        .x_label_formatter(&at)
        .y_labels(4)
        .y_label_formatter(&|value| unit.label(*value, name))
        .draw()?;
    let bars = points
        .iter()
        .enumerate()
        .filter(|(_, (_, value))| *value > 0);
    chart.draw_series(bars.map(|(place, (_, value))| {
        let (middle, height) = (place as f64, *value as f64 / divisor);
        Rectangle::new([(middle - 0.4, 0.0), (middle + 0.4, height)], BAR.filled())
    }))?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[u64]) -> Vec<(String, u64)> {
        let labels = values.iter().enumerate();
        labels
            .map(|(place, value)| (format!("<{place}>"), *value))
            .collect()
    }

    #[test]
    fn bars_have_classes_in_place_of_colours_and_labels_are_escaped() {
        let svg = bars(Unit::Octets, &points(&[0, 1_000, 2_000_000])).unwrap();
        assert_eq!(svg.matches("class=\"bar\"").count(), 2, "{svg}");
        assert!(!svg.contains("#0000") && !svg.contains("http"), "{svg}");
        assert!(svg.contains("&lt;1&gt;") && svg.contains("1 MB"), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"), "{svg}");
    }

    #[test]
    fn a_single_bar_has_its_label_and_does_not_fill_the_drawing() {
        let svg = bars(Unit::Octets, &points(&[2_000_000_000])).unwrap();
        assert!(svg.contains("&lt;0&gt;"), "{svg}");
        let (_, bar) = svg.split_once("<rect").unwrap();
        let (_, width) = bar.split_once("width=\"").unwrap();
        let (width, _) = width.split_once('"').unwrap();
        let width: u32 = width.parse().unwrap();
        assert!(width < WIDTH / 5, "{svg}");
    }

    #[test]
    fn nothing_is_not_drawn() {
        assert_eq!(bars(Unit::Messages, &points(&[0, 0])), None);
        assert_eq!(bars(Unit::Messages, &[]), None);
    }

    #[test]
    fn an_axis_has_whole_numbers_and_times_that_people_read() {
        assert_eq!(Unit::Messages.label(0.5, ""), "");
        assert_eq!(Unit::Messages.label(20_000.0, ""), "20k");
        assert_eq!(Unit::Octets.label(20_000_000.0, " B"), "20 MB");
        assert_eq!(Unit::Seconds.scale(7_200).1, " min");
        assert_eq!(Unit::Seconds.label(1.5, " h"), "1.5 h");
    }
}
