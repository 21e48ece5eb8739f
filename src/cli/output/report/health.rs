//! How each account stands: the first table of the page.

use indicatif::HumanCount;

use super::html::Html;
use super::{AccountReport, amount, number_of_messages, time};
use crate::cli::figures::Moment;
use crate::cli::output::duration;
use crate::cli::output::status::State;
use crate::cli::output::verifications;

/// A last good run that is older than this is worth a warning, in seconds: `status --check` has the
/// same limit.
const OLD: i64 = 24 * 60 * 60;

/// How a state looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Good,
    Warning,
    Bad,
}

impl Level {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// The table of all accounts.
pub(super) fn put(html: &mut Html, accounts: &[AccountReport], moment: &Moment) {
    html.raw("<section aria-labelledby=\"health\">\n");
    html.element("h2 id=\"health\"", "Health");
    if accounts.is_empty() {
        html.element("p", "No account is configured, and none was ever fetched.");
        html.raw("</section>\n");
        return;
    }
    html.raw("<ul class=\"health\">\n");
    for (number, account) in accounts.iter().enumerate() {
        let (level, word) = state(account, moment);
        html.raw(&format!("<li class=\"{}\">\n<h3>", level.class()));
        html.raw(&format!("<a href=\"#a{number}\">"));
        html.text(&account.status.overview.name);
        html.raw("</a>");
        html.element(&format!("span class=\"state {}\"", level.class()), &word);
        html.raw("</h3>\n<dl>\n");
        for (name, value) in facts(account, moment) {
            html.raw("<div>");
            html.element("dt", name);
            html.element("dd", &value);
            html.raw("</div>\n");
        }
        html.raw("</dl>\n");
        for note in notes(account, moment) {
            html.prose("p class=\"note\"", &note);
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>\n</section>\n");
}

fn state(account: &AccountReport, moment: &Moment) -> (Level, String) {
    let status = &account.status;
    let age = status.age(moment.now);
    match status.state() {
        State::Running => (Level::Good, "running".to_owned()),
        State::Never => (Level::Warning, "never synced".to_owned()),
        State::Held => (Level::Warning, "deletions held".to_owned()),
        State::Partial { failed } => {
            let failed = number_of_messages(failed);
            (Level::Warning, format!("{failed} failed"))
        }
        State::Failed { exit, .. } => (Level::Bad, format!("failed ({exit})")),
        State::Done if status.overview.missing > 0 => {
            (Level::Warning, "messages missing".to_owned())
        }
        State::Done if status.is_configured && age.is_none_or(|age| age > OLD) => {
            (Level::Bad, "no recent run".to_owned())
        }
        State::Done => (Level::Good, "ok".to_owned()),
    }
}

fn facts(account: &AccountReport, moment: &Moment) -> Vec<(&'static str, String)> {
    let status = &account.status;
    let overview = &status.overview;
    let good = match (status.age(moment.now), overview.last_complete_at) {
        (Some(age), Some(at)) => {
            let ago = format!("({} ago)", duration(age)).replace(' ', "\u{a0}");
            format!("{} {ago}", time(moment, at))
        }
        _ => "never".to_owned(),
    };
    let server = status.listed.map_or_else(
        || "nothing listed so far".to_owned(),
        |listed| {
            format!(
                "{}, {} of them here",
                HumanCount(listed),
                HumanCount(overview.stored_on_server)
            )
        },
    );
    let verified = overview
        .last_verified_at
        .map_or_else(|| "never".to_owned(), |at| time(moment, at));
    vec![
        ("Last good run", good),
        ("Last good verification", verified),
        ("Stored", amount(overview.messages, overview.octets)),
        (
            "In 30 days",
            amount(overview.recent_messages, overview.recent_octets),
        ),
        ("On the server", server),
    ]
}

/// A finding that somebody should look at.
fn notes(account: &AccountReport, moment: &Moment) -> Vec<String> {
    let status = &account.status;
    let overview = &status.overview;
    let mut notes = Vec::new();
    if !status.is_configured {
        notes.push("It is not in the configuration, so no run fetches its mail.".to_owned());
    }
    if let State::Failed { error, .. } = status.state() {
        let ended = overview.last_run.as_ref().map(|run| run.finished_at);
        let ended = ended.map_or_else(String::new, |at| format!(" of {}", time(moment, at)));
        let error = error.unwrap_or("no error is recorded");
        notes.push(format!("The last run{ended} failed: {error}"));
    }
    if let Some(last) = overview
        .last_verification
        .as_ref()
        .filter(|last| last.exit != 0)
    {
        let ended = time(moment, last.finished_at);
        let result = verifications::result(last);
        notes.push(format!("The last verification, of {ended}: {result}."));
    }
    if status.holds_deletions() {
        notes.push(
            "Deletions on the server are held back until somebody releases them with `popsync sync \
             --allow-mass-delete`."
                .to_owned(),
        );
    }
    for (count, one, several) in [
        (
            overview.missing,
            "is not in the store: `popsync verify` names it",
            "are not in the store: `popsync verify` names them",
        ),
        (
            overview.doubtful,
            "perhaps did not come whole, and is fetched again",
            "perhaps did not come whole, and are fetched again",
        ),
        (
            overview.headers_only,
            "is here only with its header",
            "are here only with their headers",
        ),
        (
            overview.deletions_pending,
            "was deleted on the server, as its next list has to confirm",
            "were deleted on the server, as its next list has to confirm",
        ),
    ] {
        if count > 0 {
            let text = if count == 1 { one } else { several };
            notes.push(format!("{} {text}.", number_of_messages(count)));
        }
    }
    notes
}
