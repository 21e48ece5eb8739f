//! The table of `popsync status`: a row for each account.

use indicatif::HumanCount;

use super::{AccountStatus, State};
use crate::cli::output::table::{self, Align};
use crate::cli::output::time::{local, zoned};
use crate::cli::output::{sanitize, terminal};

const HEAD: [(&str, Align); 5] = [
    ("account", Align::Left),
    ("last run", Align::Left),
    ("result", Align::Left),
    ("stored", Align::Right),
    ("details", Align::Left),
];

/// The lines of the table, safe to show.
pub(in crate::cli::output) fn table(
    accounts: &[&AccountStatus],
    width: Option<usize>,
) -> Vec<String> {
    let rows: Vec<_> = accounts.iter().map(|account| cells(account)).collect();
    table::lines(HEAD, &rows, width)
}

fn cells(account: &AccountStatus) -> [String; 5] {
    let overview = &account.overview;
    let last_run = overview.last_run.as_ref();
    [
        sanitize::text(&overview.name).into_owned(),
        last_run.map_or_else(|| "never".to_owned(), |run| zoned(run.finished_at)),
        result(account),
        HumanCount(overview.messages).to_string(),
        sanitize::text(&details(account)).into_owned(),
    ]
}

fn result(account: &AccountStatus) -> String {
    match account.state() {
        State::Running => "running".to_owned(),
        State::Never => "-".to_owned(),
        State::Done => "ok".to_owned(),
        State::Held => "held".to_owned(),
        State::Partial { failed } => format!("{} failed", HumanCount(failed)),
        State::Failed { exit, .. } => format!("failed ({exit})"),
    }
}

/// Why it failed and when it last went well, what is where, and what will happen to it.
fn details(account: &AccountStatus) -> String {
    let overview = &account.overview;
    let mut parts = Vec::new();
    if !account.is_configured {
        parts.push("not in the configuration".to_owned());
    }
    if let State::Failed { error, .. } = account.state() {
        parts.extend(error.map(str::to_owned));
        let success = overview.last_success_at;
        let success = success.map_or_else(|| "never".to_owned(), zoned);
        parts.push(format!("last good run: {success}"));
    }
    parts.extend(account.places());
    match (account.due, account.next_due) {
        (Some(due), _) if due > 0 && account.state() == State::Held => {
            parts.push(format!("{} deletions held", HumanCount(due)));
        }
        (Some(due), _) if due > 0 => parts.push(format!("{} due for removal", HumanCount(due))),
        (Some(_), Some(next)) => parts.push(format!("the next is due on {}", local(next))),
        _ => {}
    }
    if overview.headers_only > 0 {
        parts.push(format!(
            "{} {}",
            HumanCount(overview.headers_only),
            terminal::headers_only(overview.headers_only)
        ));
    }
    if overview.doubtful > 0 {
        let doubtful = HumanCount(overview.doubtful);
        parts.push(format!("{doubtful} perhaps not whole"));
    }
    if overview.missing > 0 {
        parts.push(format!("{} missing", HumanCount(overview.missing)));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::cache::LastRun;
    use crate::cli::output::status::tests::{account, ended};

    fn all() -> Vec<AccountStatus> {
        let mut good = account();
        good.listed = Some(150);
        good.overview.stored_on_server = 59;
        good.overview.last_run = Some(ended(0, 0, None));
        let mut failed = account();
        failed.overview.name = "home".to_owned();
        failed.overview.last_run = Some(ended(69, 0, Some("cannot connect to the server")));
        failed.overview.last_success_at = None;
        let mut held = account();
        held.overview.last_run = Some(ended(1, 0, None));
        held.due = Some(12);
        let mut partial = account();
        partial.overview.missing = 1_000;
        partial.overview.last_run = Some(LastRun {
            failed: 2,
            ..ended(1, 2, None)
        });
        vec![good, failed, held, partial, account()]
    }

    /// The table, with the times of a machine that has UTC.
    fn shown(width: usize) -> String {
        let all = all();
        let mut rows: Vec<_> = all.iter().map(cells).collect();
        let runs = all.iter().map(|account| &account.overview);
        let times = runs.flat_map(|overview| {
            let last = overview.last_run.as_ref().map(|run| run.finished_at);
            [last, overview.last_success_at].into_iter().flatten()
        });
        for time in times {
            for cell in rows.iter_mut().flatten() {
                *cell = cell.replace(&zoned(time), "2023-11-14 22:13 UTC");
            }
        }
        table::lines(HEAD, &rows, Some(width)).join("\n")
    }

    #[test]
    fn the_table_is_readable_at_80_columns_and_at_120() {
        insta::assert_snapshot!(shown(80), @r"
        account  last run              result       stored  details
        work     2023-11-14 22:13 UTC  ok           12,345  150 on the server, 59 here
        home     2023-11-14 22:13 UTC  failed (69)  12,345  cannot connect to the
                                                            server; last good run:
                                                            never; 1,100 on the server,
                                                            1,040 here
        work     2023-11-14 22:13 UTC  held         12,345  1,100 on the server, 1,040
                                                            here; 12 deletions held
        work     2023-11-14 22:13 UTC  2 failed     12,345  1,100 on the server, 1,040
                                                            here; 1,000 missing
        work     never                 -            12,345  1,100 on the server, 1,040
                                                            here
        ");
        insta::assert_snapshot!(shown(120), @r"
        account  last run              result       stored  details
        work     2023-11-14 22:13 UTC  ok           12,345  150 on the server, 59 here
        home     2023-11-14 22:13 UTC  failed (69)  12,345  cannot connect to the server; last good run: never; 1,100 on the
                                                            server, 1,040 here
        work     2023-11-14 22:13 UTC  held         12,345  1,100 on the server, 1,040 here; 12 deletions held
        work     2023-11-14 22:13 UTC  2 failed     12,345  1,100 on the server, 1,040 here; 1,000 missing
        work     never                 -            12,345  1,100 on the server, 1,040 here
        ");
    }

    #[test]
    fn each_account_has_its_row_and_says_what_is_wrong() {
        let all = all();
        let accounts: Vec<_> = all.iter().collect();
        let rows = table(&accounts, None);
        let text = rows.join("\n");
        assert_eq!(rows.len(), 6, "{text}");
        assert!(rows[0].starts_with("account  last run"), "{text}");
        assert!(rows[1].contains("ok "), "{text}");
        assert!(
            rows[1].ends_with("12,345  150 on the server, 59 here"),
            "{text}"
        );
        assert!(
            rows[2].contains("failed (69)")
                && rows[2].contains("cannot connect to the server; last good run: never"),
            "{text}"
        );
        // Nothing failed there.
        assert!(
            rows[3].contains("held") && rows[3].contains("12 deletions held"),
            "{text}"
        );
        assert!(!rows[3].contains("failed"), "{text}");
        assert!(rows[4].contains("2 failed"), "{text}");
        assert!(rows[4].ends_with("; 1,000 missing"), "{text}");
        assert!(
            rows[5].contains("never") && rows[5].contains(" -  "),
            "{text}"
        );
        for width in [80, 120] {
            let rows = table(&accounts, Some(width));
            assert!(rows.iter().all(|row| row.width() <= width), "{rows:?}");
        }
    }
}
