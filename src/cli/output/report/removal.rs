//! The messages that leave the server, and the times.

use indicatif::HumanCount;

use super::chart::Chart;
use super::growth::short;
use super::html::{Column, Html};
use super::plot::Unit;
use super::{AccountReport, number_of_messages, time};
use crate::cli::figures::Moment;

/// Puts the rule, what is due, and a chart of the next days.
pub(super) fn put(html: &mut Html, id: &str, account: &AccountReport, moment: &Moment) {
    html.element("p", &rule(account));
    let status = &account.status;
    if status.due.is_none() {
        return;
    }
    let due = status.due.unwrap_or_default();
    let mut text = match due {
        0 => "Nothing is due now.".to_owned(),
        _ if status.holds_deletions() => format!("{} due, but held back.", are(due)),
        _ => format!("{} due at the next run.", are(due)),
    };
    if let Some(next) = status.next_due.filter(|_| due == 0) {
        text.push_str(&format!(" The next is due on {}.", time(moment, next)));
    }
    let later = account.figures.leaving_later;
    if later > 0 {
        let later = are(later);
        text.push_str(&format!(" {later} due after the next 30 days."));
    }
    html.element("p", &text);
    let leaving = &account.figures.leaving;
    let days: Vec<_> = moment
        .days_ahead()
        .into_iter()
        .map(|day| (day, leaving.get(&day).copied().unwrap_or_default()))
        .collect();
    if leaving.is_empty() {
        return;
    }
    html.raw("<div class=\"charts\">\n");
    Chart {
        id: format!("{id}-leaving"),
        title: "Due to leave the server",
        unit: Unit::Messages,
        points: days
            .iter()
            .map(|(day, count)| (short(*day), *count))
            .collect(),
        description: "How many messages are due on each of the next 30 days. What is due already \
                      counts today."
            .to_owned(),
        nothing: "Nothing is due in the next 30 days.",
        columns: &[Column::Time("Day"), Column::Number("Messages")],
        rows: days
            .iter()
            .map(|(day, count)| vec![day.to_string(), HumanCount(*count).to_string()])
            .collect(),
    }
    .put(html);
    html.raw("</div>\n");
}

/// `12 messages are`.
fn are(count: u64) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} {verb}", number_of_messages(count))
}

fn rule(account: &AccountReport) -> String {
    let Some(retention) = &account.retention else {
        return "The account is not in the configuration: nothing leaves the server.".to_owned();
    };
    let mut rule = match (retention.leave_on_server, retention.remove_after_days) {
        (false, _) => return "A message leaves the server once it is stored here.".to_owned(),
        (true, Some(1)) => "A message leaves the server a day after it was stored here".to_owned(),
        (true, Some(days)) => {
            format!("A message leaves the server {days} days after it was stored here")
        }
        (true, None) if retention.remove_when_deleted_locally => {
            return "A message leaves the server when it is deleted here.".to_owned();
        }
        (true, None) => return "Messages stay on the server.".to_owned(),
    };
    if retention.remove_when_deleted_locally {
        rule.push_str(", or when it is deleted here");
    }
    rule.push('.');
    rule
}
