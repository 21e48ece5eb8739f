//! The page of `popsync report`: one file of HTML without scripts, fonts or pictures from elsewhere.
//!
//! A policy in its head (Content-Security-Policy) forbids the reader's browser to load or run anything
//! but the page's own style sheet.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use indicatif::HumanCount;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::account::Retention;
use crate::cache::{Loss, PastVerification};
use crate::cli::figures::{Figures, Moment, Runs};
use crate::sync::Senders;

use super::AccountStatus;
use super::terminal::{messages, octets};

mod account;
mod chart;
mod growth;
mod health;
mod html;
mod plot;
mod proof;
mod removal;
#[cfg(test)]
mod tests;

use html::Html;

const STYLE: &str = include_str!("report/style.css");

/// The facts known about an account.
pub(in crate::cli) struct AccountReport {
    pub(in crate::cli) status: AccountStatus,
    /// The rules by which messages leave the server. None if it is not in the configuration.
    pub(in crate::cli) retention: Option<Retention>,
    pub(in crate::cli) figures: Figures,
    pub(in crate::cli) runs: Runs,
    /// The authors of its messages, or the reason why they are not known.
    pub(in crate::cli) senders: Result<Senders, String>,
    /// The last count of its files.
    pub(in crate::cli) loss: Option<Loss>,
    /// The number of verifications that read a part of the messages.
    pub(in crate::cli) parts: u64,
    /// The last verifications, the newest first.
    pub(in crate::cli) verifications: Vec<PastVerification>,
}

/// The whole page. `left_out` says which accounts are missing on it, and why.
pub(in crate::cli) fn report(
    accounts: &[AccountReport],
    left_out: &[String],
    moment: &Moment,
) -> String {
    let mut html = Html::default();
    head(&mut html);
    html.raw("<body>\n<a class=\"skip\" href=\"#main\">To the report</a>\n<header>\n");
    html.element("h1", "Mail archive");
    let made = time(moment, moment.now);
    let zone = zone(moment);
    let count = accounts.len();
    let noun = if count == 1 { "account" } else { "accounts" };
    let version = env!("CARGO_PKG_VERSION");
    html.element(
        "p",
        &format!(
            "{count} {noun}, {made} {zone}, by popsync {version}. All times are in this zone."
        ),
    );
    for words in left_out {
        html.prose("p class=\"note\"", words);
    }
    html.raw("</header>\n");
    if count > 1 {
        contents(&mut html, accounts);
    }
    html.raw("<main id=\"main\">\n");
    health::put(&mut html, accounts, moment);
    if count > 1 {
        together(&mut html, accounts, moment);
    }
    for (number, account) in accounts.iter().enumerate() {
        account::put(&mut html, number, account, moment);
    }
    html.raw("</main>\n</body>\n</html>\n");
    html.finish()
}

fn head(html: &mut Html) {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw(&format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n"
    ));
    html.raw(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>Mail archive: popsync report</title>\n<style>",
    );
    html.raw(STYLE);
    html.raw("</style>\n</head>\n");
}

/// Links to the accounts.
fn contents(html: &mut Html, accounts: &[AccountReport]) {
    html.raw("<nav aria-label=\"Accounts\"><ul>\n<li><a href=\"#all\">All accounts</a></li>\n");
    for (number, account) in accounts.iter().enumerate() {
        html.raw(&format!("<li><a href=\"#a{number}\">"));
        html.text(&account.status.overview.name);
        html.raw("</a></li>\n");
    }
    html.raw("</ul></nav>\n");
}

/// The sums over all accounts.
fn together(html: &mut Html, accounts: &[AccountReport], moment: &Moment) {
    let mut all = Figures::new(moment, None);
    for account in accounts {
        all.merge(&account.figures);
    }
    html.raw("<section id=\"all\" aria-labelledby=\"all-h\">\n");
    html.element("h2 id=\"all-h\"", "All accounts");
    html.raw("<div class=\"charts\">\n");
    growth::put(html, "all", &all, moment);
    html.raw("</div>\n</section>\n");
}

/// A time in the zone of the report, to the minute.
fn time(moment: &Moment, time: i64) -> String {
    Timestamp::from_second(time).map_or_else(
        |_| "an unknown time".to_owned(),
        |time| {
            let zoned = time.to_zoned(moment.zone.clone());
            zoned.strftime("%F %H:%M").to_string()
        },
    )
}

/// The name of that zone.
fn zone(moment: &Moment) -> String {
    let now = Timestamp::from_second(moment.now).unwrap_or_default();
    now.to_zoned(moment.zone.clone()).strftime("%Z").to_string()
}

/// `12 messages`.
fn number_of_messages(count: u64) -> String {
    format!("{} {}", HumanCount(count), messages(count))
}

/// A size that stays on one line.
fn size(count: u64) -> String {
    octets(count).replace(' ', "\u{a0}")
}

/// `12 messages, 3.4 MB`.
fn amount(count: u64, sum: u64) -> String {
    match count {
        0 => "nothing".to_owned(),
        _ => format!("{}, {}", number_of_messages(count), size(sum)),
    }
}
