//! The part of the page about one account.

use indicatif::HumanCount;

use super::chart::Chart;
use super::growth::short;
use super::html::{Column, Html};
use super::plot::Unit;
use super::{AccountReport, growth, proof, removal, size, time};
use crate::cli::figures::{DayOfRuns, Moment, Runs};
use crate::cli::output::duration;
use crate::sync::Senders;

/// The number of senders that are named.
const SENDERS: usize = 10;

/// Puts the part; `number` is the place of the account on the page.
pub(super) fn put(html: &mut Html, number: usize, account: &AccountReport, moment: &Moment) {
    let id = format!("a{number}");
    let overview = &account.status.overview;
    html.raw(&format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n"
    ));
    html.element(&format!("h2 id=\"{id}-h\""), &overview.name);
    html.element(
        "p class=\"place\"",
        &format!(
            "{} at {}, stored in {}",
            overview.user, overview.host, overview.store
        ),
    );
    html.raw("<h3>Mail</h3>\n<div class=\"charts\">\n");
    growth::put(html, &id, &account.figures, moment);
    html.raw("</div>\n");
    html.element(
        "p class=\"about\"",
        "These charts count what popsync has stored, on the day when it did, and also what was deleted \
         here since.",
    );
    html.raw("<h3>Largest senders</h3>\n");
    senders(html, &account.senders);
    html.raw("<h3>Runs</h3>\n");
    runs(html, &id, &account.runs, moment);
    html.raw("<h3>What leaves the server</h3>\n");
    removal::put(html, &id, account, moment);
    html.raw("<h3>Proof</h3>\n");
    proof::put(html, account, moment);
    html.raw("</section>\n");
}

fn senders(html: &mut Html, senders: &Result<Senders, String>) {
    let senders = match senders {
        Ok(senders) => senders,
        Err(reason) => {
            html.element("p", &format!("Not known: {reason}."));
            return;
        }
    };
    let largest = senders.largest(SENDERS);
    if largest.is_empty() {
        html.element("p", "The store has no messages of this account.");
        return;
    }
    let rows: Vec<_> = largest
        .into_iter()
        .map(|sender| {
            let address = match sender.address.as_str() {
                "" => "(no sender)".to_owned(),
                _ => sender.address,
            };
            vec![
                address,
                HumanCount(sender.messages).to_string(),
                size(sender.octets),
            ]
        })
        .collect();
    html.wide_table(
        "Senders of the most bytes",
        &[
            Column::Text("Sender"),
            Column::Number("Messages"),
            Column::Number("Size"),
        ],
        &rows,
    );
    let mut about = format!(
        "Read from the headers of {} that are in the store now.",
        super::number_of_messages(senders.read)
    );
    if senders.unreadable > 0 {
        let unreadable = super::number_of_messages(senders.unreadable);
        about.push_str(&format!(" {unreadable} could not be read."));
    }
    if senders.is_incomplete {
        about.push_str(
            " There are so many senders that small ones were left out: each has at least what is said \
             here.",
        );
    }
    html.element("p class=\"about\"", &about);
}

fn runs(html: &mut Html, id: &str, runs: &Runs, moment: &Moment) {
    let Some(since) = runs.since else {
        html.element("p", "No run is recorded.");
        return;
    };
    let seconds = |percent| runs.percentile(percent).map(u64::cast_signed);
    let mut text = format!(
        "{} runs are recorded, since {}.",
        HumanCount(runs.runs),
        time(moment, since)
    );
    if let (Some(half), Some(most), Some(longest)) = (seconds(50), seconds(95), seconds(100)) {
        text.push_str(&format!(
            " In the last 30 days half of them took at most {}, 95 of 100 at most {}, the longest {}.",
            duration(half),
            duration(most),
            duration(longest)
        ));
    }
    html.element("p", &text);
    html.raw("<div class=\"charts\">\n");
    let days: Vec<_> = moment
        .days()
        .into_iter()
        .map(|day| (day, runs.days.get(&day).copied().unwrap_or_default()))
        .collect();
    let rows = days.iter().rev().map(|(day, of_day)| {
        let DayOfRuns {
            runs,
            failed,
            longest,
            deleted,
        } = *of_day;
        let counts = [runs, failed, deleted].map(|count| HumanCount(count).to_string());
        let [runs, failed, deleted] = counts;
        let longest = duration(longest.cast_signed());
        vec![day.to_string(), runs, failed, longest, deleted]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    Chart {
        id: format!("{id}-runs"),
        title: "Longest run of each day",
        unit: Unit::Seconds,
        points: days
            .iter()
            .map(|(day, of_day)| (short(*day), of_day.longest))
            .collect(),
        description: "How long the longest run of each of the last 30 days took.".to_owned(),
        nothing: "No run of the last 30 days took a second.",
        columns: &[
            Column::Time("Day"),
            Column::Number("Runs"),
            Column::Number("Not ok"),
            Column::Number("Longest"),
            Column::Number("Deleted on the server"),
        ],
        rows,
    }
    .put(html);
    Chart {
        id: format!("{id}-deleted"),
        title: "Deleted on the server per day",
        unit: Unit::Messages,
        points: days
            .iter()
            .map(|(day, of_day)| (short(*day), of_day.deleted))
            .collect(),
        description: "How many messages left the server on each of the last 30 days.".to_owned(),
        nothing: "No message left the server in the last 30 days.",
        columns: &[Column::Time("Day"), Column::Number("Messages")],
        rows: days
            .iter()
            .rev()
            .map(|(day, of_day)| vec![day.to_string(), HumanCount(of_day.deleted).to_string()])
            .collect(),
    }
    .put(html);
    html.raw("</div>\n");
    failures(html, runs, moment);
}

fn failures(html: &mut Html, runs: &Runs, moment: &Moment) {
    if runs.failures.is_empty() {
        html.element("p", "Each of them ended with status 0.");
        return;
    }
    let rows: Vec<_> = runs
        .failures
        .iter()
        .map(|run| {
            let mut error = run.error.clone().unwrap_or_default();
            if run.runs > 1 {
                let first = time(moment, run.first_at);
                error.push_str(&format!(" (in a row since {first})"));
            }
            vec![
                time(moment, run.last_at),
                HumanCount(run.runs).to_string(),
                run.exit.to_string(),
                error,
            ]
        })
        .collect();
    html.wide_table(
        "The last runs that did not end with status 0",
        &[
            Column::Time("Last"),
            Column::Number("Runs"),
            Column::Number("Exit"),
            Column::Text("Error"),
        ],
        &rows,
    );
}
