//! The proof of the stored messages, and the records of verifications.

use indicatif::HumanCount;

use super::html::{Column, Html};
use super::{AccountReport, time};
use crate::cli::figures::Moment;

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
    html.prose(
        "p class=\"about\"",
        "popsync does not record when `popsync verify` ran, nor what it found damaged: its exit status \
         and output say that.",
    );
}
