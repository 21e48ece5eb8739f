//! The proof of the stored messages, and the records of verifications.

use indicatif::HumanCount;

use super::html::{Column, Html};
use super::{AccountReport, time};
use crate::cli::figures::Moment;
use crate::cli::output::verifications;

/// Puts a table, and what no record tells.
pub(super) fn put(html: &mut Html, account: &AccountReport, moment: &Moment) {
    let figures = &account.figures;
    let overview = &account.status.overview;
    let of_all = |count: u64| {
        format!(
            "{} of {}",
            HumanCount(count),
            HumanCount(figures.all.messages)
        )
    };
    let missing = match account.loss {
        None => "not counted so far".to_owned(),
        Some(loss) if loss.counted_at > 0 => format!(
            "{}, counted by the run of {}",
            HumanCount(loss.missing),
            time(moment, loss.counted_at)
        ),
        // A verification leaves no time.
        Some(loss) => format!("{}, counted by a verification", HumanCount(loss.missing)),
    };
    let rows = [
        ("Messages that a digest proves", of_all(figures.provable)),
        (
            "Perhaps not whole",
            HumanCount(overview.doubtful).to_string(),
        ),
        ("Missing in the store", missing),
        (
            "Missing, and accepted as deleted here",
            HumanCount(figures.absences_accepted).to_string(),
        ),
        (
            "Verifications of a part of the messages",
            HumanCount(account.parts).to_string(),
        ),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    html.wide_table(
        "Digests and verifications",
        &[Column::Text("Record"), Column::Text("Value")],
        &rows,
    );
    history(html, account, moment);
}

/// The last verifications.
fn history(html: &mut Html, account: &AccountReport, moment: &Moment) {
    if account.verifications.is_empty() {
        html.prose(
            "p",
            "No verification is recorded. `popsync verify` reads every message and compares it with \
             its digest.",
        );
        return;
    }
    let rows: Vec<_> = account
        .verifications
        .iter()
        .map(|one| {
            vec![
                time(moment, one.finished_at),
                one.exit.to_string(),
                verifications::result(one),
            ]
        })
        .collect();
    html.wide_table(
        "The last verifications",
        &[
            Column::Time("Ended"),
            Column::Number("Exit"),
            Column::Text("Result"),
        ],
        &rows,
    );
}
