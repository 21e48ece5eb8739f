//! A key that does not exist. Its row is all that tests add to find it wherever keys are.

use crate::config::given::MOST_MESSAGES;
use crate::config::key::{Flag, Key, Section};
use crate::config::row::{Row, Rows, Set};
use crate::config::rows::ACCOUNT;
use crate::config::settings::Settings;

static ROWS: &[Row<Settings>] = &[Row {
    key: &Key {
        name: "most-stamps",
        value: "N",
        example: "12",
        section: Section::Limits,
        without: "for all stamps",
        default: "no limit",
        text: "
            Take at most this many stamps in one run.
            The postman brings `the rest`.",
        flag: Some(Flag {
            help: "Take at most this many stamps in this run",
            more: "The postman brings the rest.",
            ..Flag::ACCOUNT
        }),
        ..Key::ACCOUNT
    },
    set: Set::Count(MOST_MESSAGES, |settings, most| {
        settings.limits.max_messages = Some(most.value)
    }),
}];

/// The rows of an account with one more.
pub(in crate::config) fn rows() -> &'static Rows<Settings> {
    let groups: Vec<_> = ACCOUNT.0.iter().copied().chain([ROWS]).collect();
    Box::leak(Box::new(Rows(groups.leak())))
}
