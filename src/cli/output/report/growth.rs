//! How an archive grows: by month and by day, and how large its messages are.

use indicatif::HumanCount;
use jiff::ToSpan;
use jiff::civil::Date;

use super::chart::Chart;
use super::html::{Column, Html};
use super::plot::Unit;
use super::{amount, size};
use crate::cli::figures::{Amount, Figures, Moment, SIZES};

/// The number of months that are drawn.
const MONTHS: usize = 24;

/// Puts the charts of these figures.
pub(super) fn put(html: &mut Html, id: &str, figures: &Figures, moment: &Moment) {
    by_month(html, id, figures, moment);
    by_day(html, id, figures, moment);
    by_size(html, id, figures);
}

/// A month, what came in it, and the sum of all up to its end.
struct Month {
    first: Date,
    new: Amount,
    all: Amount,
}

/// The months from the first message to now, also those without mail.
fn months(figures: &Figures, moment: &Moment) -> Vec<Month> {
    let first = figures.months.keys().next().copied();
    let last = moment.days().last().copied().unwrap_or_default();
    let mut months = Vec::new();
    let mut all = Amount::default();
    let mut next = first;
    while let Some(month) = next.filter(|month| *month <= last) {
        let new = figures.months.get(&month).copied().unwrap_or_default();
        all.messages += new.messages;
        all.octets += new.octets;
        months.push(Month {
            first: month,
            new,
            all,
        });
        next = month.checked_add(1.month()).ok();
    }
    months.split_off(months.len().saturating_sub(MONTHS))
}

fn by_month(html: &mut Html, id: &str, figures: &Figures, moment: &Moment) {
    let months = months(figures, moment);
    let points = months.iter().map(|month| {
        let label = month.first.strftime("%b %y").to_string();
        (label, month.all.octets)
    });
    let rows = months.iter().rev().map(|month| {
        vec![
            month.first.strftime("%Y-%m").to_string(),
            HumanCount(month.new.messages).to_string(),
            size(month.new.octets),
            size(month.all.octets),
        ]
    });
    let description = format!(
        "The size of all messages ever stored, at the end of each month. It is {} now.",
        size(figures.all.octets)
    );
    Chart {
        id: format!("{id}-months"),
        title: "Archive size by month",
        unit: Unit::Octets,
        points: points.collect(),
        description,
        nothing: "No message is stored.",
        columns: &[
            Column::Time("Month"),
            Column::Number("New"),
            Column::Number("Size"),
            Column::Number("All so far"),
        ],
        rows: rows.collect(),
    }
    .put(html);
}

fn by_day(html: &mut Html, id: &str, figures: &Figures, moment: &Moment) {
    let days: Vec<(Date, Amount)> = moment
        .days()
        .into_iter()
        .map(|day| (day, figures.days.get(&day).copied().unwrap_or_default()))
        .collect();
    let sum = days.iter().fold(Amount::default(), |sum, (_, new)| Amount {
        messages: sum.messages + new.messages,
        octets: sum.octets + new.octets,
    });
    let sum = amount(sum.messages, sum.octets);
    for (name, title, unit) in [
        ("messages", "Messages per day", Unit::Messages),
        ("bytes", "Bytes per day", Unit::Octets),
    ] {
        let is_size = unit == Unit::Octets;
        let value = |new: &Amount| if is_size { new.octets } else { new.messages };
        let points = days.iter().map(|(day, new)| (short(*day), value(new)));
        let rows = days.iter().rev().map(|(day, new)| {
            let value = match is_size {
                true => size(new.octets),
                false => HumanCount(new.messages).to_string(),
            };
            vec![day.to_string(), value]
        });
        let heading = if is_size { "Size" } else { "Messages" };
        let busiest = days.iter().max_by_key(|(_, new)| value(new));
        let busiest = busiest.map_or_else(String::new, |(day, new)| {
            format!(" Most came on {day}: {}.", amount(new.messages, new.octets))
        });
        Chart {
            id: format!("{id}-{name}"),
            title,
            unit,
            points: points.collect(),
            description: format!("What was stored on each of the last 30 days: {sum}.{busiest}"),
            nothing: "Nothing was stored in the last 30 days.",
            columns: &[Column::Time("Day"), Column::Number(heading)],
            rows: rows.collect(),
        }
        .put(html);
    }
}

fn by_size(html: &mut Html, id: &str, figures: &Figures) {
    let names: Vec<String> = (0..=SIZES.len()).map(class).collect();
    let rows = names.iter().zip(figures.sizes).map(|(name, class)| {
        vec![
            name.clone(),
            HumanCount(class.messages).to_string(),
            size(class.octets),
        ]
    });
    let average = figures.all.octets.checked_div(figures.all.messages);
    Chart {
        id: format!("{id}-sizes"),
        title: "Messages by size",
        unit: Unit::Messages,
        points: (0..=SIZES.len())
            .map(|place| (end(place), figures.sizes[place].messages))
            .collect(),
        description: format!(
            "How many messages are stored, by the size that they do not reach. The average is {}.",
            size(average.unwrap_or_default())
        ),
        nothing: "No message is stored.",
        columns: &[
            Column::Text("Size"),
            Column::Number("Messages"),
            Column::Number("Together"),
        ],
        rows: rows.collect(),
    }
    .put(html);
}

/// The name of a class of sizes.
fn class(place: usize) -> String {
    match place.checked_sub(1) {
        None => format!("below {}", end(place)),
        Some(before) if place < SIZES.len() => format!("{} to {}", end(before), end(place)),
        Some(before) => format!("{} or more", end(before)),
    }
}

/// The size at which a class ends, as a short label.
fn end(place: usize) -> String {
    let end = SIZES.get(place);
    end.map_or_else(|| "more".to_owned(), |end| size(*end).replacen(".0", "", 1))
}

/// A day as a label: `12 Nov`.
pub(super) fn short(day: Date) -> String {
    day.strftime("%-d %b").to_string()
}
