//! Times as people and programs read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// For other programs.
pub(super) fn utc(time: i64) -> Option<String> {
    Some(Timestamp::from_second(time).ok()?.to_string())
}

/// In the user's time zone.
pub(super) fn local(time: i64) -> String {
    formatted(time, "%F %H:%M")
}

/// The same with the name of the zone.
pub(super) fn zoned(time: i64) -> String {
    formatted(time, "%F %H:%M %Z")
}

/// The day in the user's time zone.
pub(super) fn day(time: i64) -> String {
    formatted(time, "%F")
}

fn formatted(time: i64, format: &str) -> String {
    Timestamp::from_second(time).map_or_else(
        |_| "an unknown time".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime(format)
                .to_string()
        },
    )
}
