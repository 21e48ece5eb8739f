//! Sizes and times as people write them: `25 MB`, `500 KiB`, `2m`.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::account::Patience;

/// The units of a size with their octets. The decimal ones are those of the SI, the binary ones
/// those of IEC 80000-13; case does not matter.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// The units of a time with their seconds.
const TIME_UNITS: [(&str, u64); 4] = [("", 1), ("s", 1), ("m", 60), ("h", 3_600)];

/// The units of a span with their seconds.
const SPAN_UNITS: [(&str, u64); 5] = [
    ("", 1),
    ("s", 1),
    ("m", 60),
    ("h", 3_600),
    ("d", 24 * 3_600),
];

/// The units of a number of runs.
const RUN_UNITS: [(&str, u64); 2] = [("run", 1), ("runs", 1)];

/// The largest number of runs: more are not recorded.
const MOST_RUNS: u64 = 10_000;

/// The longest time that makes sense for one wait.
pub(super) const LONGEST: u64 = 24 * 3_600;

/// The longest span: a year.
pub(super) const LONGEST_SPAN: u64 = 365 * LONGEST;

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SizeError {
    /// No number, or a unit that is none.
    #[error("not a size: write whole octets, or a number with B, KB, MB, GB, KiB, MiB or GiB")]
    Unknown,
    /// `K`, `M` or `G`, which mean one thing to disks and another to memory.
    #[error(
        "not a size: write `{0}B` (powers of 1000) or `{0}iB` (powers of 1024) instead of `{0}`"
    )]
    Bare(char),
}

/// Why a text is not a time-out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time from 1 s to 24 h: write seconds, or a number with s, m or h")]
pub struct TimeError;

/// Why a text is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time from 1 s to 365 d: write seconds, or a number with s, m, h or d")]
pub struct SpanError;

/// Why a text is neither a span of time nor a number of runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a time from 1 s to 365 d or a number of runs: write seconds, or a number with s, m, h, d or \
     runs"
)]
pub struct PatienceError;

/// Reads a size of at least one octet.
///
/// # Errors
/// When the text is not a number with a known unit, or is nothing, or too large.
pub(crate) fn size(text: &str) -> Result<NonZeroU64, SizeError> {
    let octets = quantity(text, &SIZE_UNITS).and_then(NonZeroU64::new);
    octets.ok_or_else(|| {
        let mut letters = text.trim_end().chars();
        let unit = letters.next_back().map(|unit| unit.to_ascii_uppercase());
        let is_number = letters.as_str().trim().parse::<u64>().is_ok();
        match unit {
            Some(unit @ ('K' | 'M' | 'G')) if is_number => SizeError::Bare(unit),
            _ => SizeError::Unknown,
        }
    })
}

/// Reads a time-out of at least one second.
///
/// # Errors
/// When the text is not a number with a known unit, or is nothing, or over a day.
pub(crate) fn time(text: &str) -> Result<Duration, TimeError> {
    quantity(text, &TIME_UNITS)
        .filter(|seconds| (1..=LONGEST).contains(seconds))
        .map(Duration::from_secs)
        .ok_or(TimeError)
}

/// Reads a span of at least one second, over many runs.
///
/// # Errors
/// When the text is not a number with a known unit, or is nothing, or over a year.
pub(crate) fn span(text: &str) -> Result<Duration, SpanError> {
    quantity(text, &SPAN_UNITS)
        .filter(|seconds| (1..=LONGEST_SPAN).contains(seconds))
        .map(Duration::from_secs)
        .ok_or(SpanError)
}

/// Reads a span as [`span`] does, or a number of runs.
///
/// # Errors
/// When the text is neither, or is nothing, or too large.
pub(crate) fn patience(text: &str) -> Result<Patience, PatienceError> {
    let runs = quantity(text, &RUN_UNITS).filter(|runs| *runs <= MOST_RUNS);
    match (runs.map(NonZeroU64::new), span(text)) {
        (Some(Some(runs)), _) => Ok(Patience::Runs(runs)),
        (_, Ok(time)) => Ok(Patience::Time(time)),
        _ => Err(PatienceError),
    }
}

fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests;
