use super::*;

#[test]
fn sizes_have_decimal_and_binary_units() {
    let table = [
        ("1", Some(1)),
        ("4096", Some(4096)),
        ("500 KiB", Some(512_000)),
        ("500kib", Some(512_000)),
        ("25MB", Some(25_000_000)),
        (" 25 mb ", Some(25_000_000)),
        ("1 GiB", Some(1_073_741_824)),
        ("2 GB", Some(2_000_000_000)),
        ("10 B", Some(10)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("18446744073709551615 KB", None),
        ("0", None),
        ("0 MB", None),
        ("", None),
        ("MB", None),
        ("-1", None),
        ("+1", None),
        ("1.5 MB", None),
        ("25 M", None),
        ("25 MB/s", None),
        ("2 5", None),
    ];
    for (text, expected) in table {
        assert_eq!(size(text).ok().map(NonZeroU64::get), expected, "{text:?}");
    }
}

#[test]
fn times_are_seconds_minutes_or_hours() {
    let table = [
        ("60", Some(60)),
        ("60s", Some(60)),
        ("2m", Some(120)),
        ("2 M", Some(120)),
        ("24h", Some(86_400)),
        ("25h", None),
        ("0", None),
        ("0s", None),
        ("1d", None),
        ("100ms", None),
        ("99999999999999999999", None),
        ("5124095576030431h", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(
            time(text).ok().map(|time| time.as_secs()),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn patience_is_a_time_or_a_number_of_runs() {
    let runs = |runs| Some(Patience::Runs(NonZeroU64::new(runs).unwrap()));
    let time = |seconds| Some(Patience::Time(Duration::from_secs(seconds)));
    for (text, expected) in [
        ("3 runs", runs(3)),
        ("1 run", runs(1)),
        (" 10000RUNS ", runs(10_000)),
        ("3h", time(10_800)),
        ("3", time(3)),
        ("0 runs", None),
        ("10001 runs", None),
        ("runs", None),
        ("3 r", None),
        ("-1 runs", None),
    ] {
        assert_eq!(patience(text).ok(), expected, "{text}");
    }
}

#[test]
fn spans_may_be_days() {
    let table = [
        ("90", Some(90)),
        ("3h", Some(10_800)),
        ("2 d", Some(172_800)),
        ("365d", Some(31_536_000)),
        ("366d", None),
        ("0h", None),
        ("1w", None),
    ];
    for (text, expected) in table {
        let seconds = span(text).ok().map(|span| span.as_secs());
        assert_eq!(seconds, expected, "{text:?}");
    }
}
