use unicode_width::UnicodeWidthStr;

use super::super::time;
use super::table::fit;
use super::*;
use crate::envelope::Envelope;
use crate::policy::{Action, Decision, Reason};
use crate::pop3::MessageNumber;

fn entry(number: u32, subject: &str) -> Entry {
    Entry {
        number: MessageNumber::new(number),
        unique_id: b"AAAB".to_vec(),
        octets: Some(12_345),
        state: State::New,
        decision: Some(Decision::new(Action::Retrieve, Reason::New, None)),
        marked: false,
        is_doubtful: false,
        stored_at: None,
        leaves_at: None,
        envelope: Envelope {
            date: Some(1_700_000_000),
            from: Some("Anna <anna@example.com>".to_owned()),
            subject: Some(subject.to_owned()),
        },
    }
}

fn entries() -> Vec<Entry> {
    let mut stored = entry(2, "zwei");
    stored.state = State::Stored;
    stored.stored_at = Some(1_700_000_000);
    stored.leaves_at = Some(1_701_000_000);
    let mut bare = entry(10_000, "");
    bare.unique_id = b"a \xff\\".to_vec();
    bare.octets = None;
    bare.state = State::ToBeRemoved;
    bare.envelope = Envelope::default();
    vec![
        entry(1, "one\u{202e}\x1b[2J\r\nSubject: two\u{200b}"),
        stored,
        bare,
        entry(4, "漢字".repeat(60).as_str()),
    ]
}

#[test]
fn no_line_is_wider_than_the_screen_and_none_acts_on_it() {
    for width in 1..200 {
        for line in table(&entries(), Some(width)) {
            assert!(line.width() <= width, "{width}: {line}");
            assert_eq!(sanitize::text(&line), line);
        }
    }
}

#[test]
fn without_a_screen_nothing_is_cut() {
    let lines = table(&entries(), None);
    assert_eq!(lines.len(), 5);
    assert!(
        lines[0].starts_with("number     size  date"),
        "{}",
        lines[0]
    );
    assert!(lines[1].ends_with(r"one\u{202e}\x1b[2J\r\nSubject: two\u{200b}"));
    assert!(
        lines[2].contains("stored, leaves 2023-11-2"),
        "{}",
        lines[2]
    );
    assert!(lines[3].starts_with(" 10000        -  -"), "{}", lines[3]);
    assert!(
        lines[3].ends_with(r"to be removed              a\x20\xff\x5c"),
        "{}",
        lines[3]
    );
    assert!(lines[4].ends_with(&"漢字".repeat(60)));
    assert!(table(&[], None).is_empty());
}

#[test]
fn columns_give_way_on_a_narrow_screen() {
    for (width, head) in [
        (
            200,
            "number     size  date              state                      unique-id      from",
        ),
        (
            120,
            "number     size  date              state                      from",
        ),
        (80, "number     size  date        state   from"),
        (64, "number  date        state   from"),
        (50, "number  state   from"),
        (40, "number  state   subject"),
        (30, "number  subject"),
    ] {
        let lines = table(&entries(), Some(width));
        assert!(lines[0].starts_with(head), "{width}: {lines:#?}");
    }
}

/// The table, with the times of a machine that has UTC.
fn shown(entries: &[Entry], width: usize) -> String {
    let mut text = table(entries, Some(width)).join("\n");
    for (seconds, minute) in [
        (1_700_000_000, "2023-11-14 22:13"),
        (1_701_000_000, "2023-11-26 12:00"),
    ] {
        text = text.replace(&time::local(seconds), minute);
        text = text.replace(&time::day(seconds), &minute[..10]);
    }
    text
}

#[test]
fn the_table_is_readable_at_80_columns_and_at_120_and_has_the_subject_at_40() {
    let mut entries = entries();
    entries[0].envelope.subject =
        Some("Minutes of the meeting on Tuesday, with figures".to_owned());
    entries[3].state = State::HeadersOnly;
    insta::assert_snapshot!(shown(&entries, 40), @r"
    number  subject
         1  Minutes of the meeting on Tuesd…
         2  zwei
     10000
         4  漢字漢字漢字漢字漢字漢字漢字漢…
    ");
    insta::assert_snapshot!(shown(&entries, 80), @r"
    number     size  date        state    from              subject
         1  12.3 kB  2023-11-14  new      Anna <anna@exam…  Minutes of the meeting …
         2  12.3 kB  2023-11-14  stored   Anna <anna@exam…  zwei
     10000        -  -           leaves
         4  12.3 kB  2023-11-14  headers  Anna <anna@exam…  漢字漢字漢字漢字漢字漢…
    ");
    insta::assert_snapshot!(shown(&entries, 120), @r"
    number     size  date              state                      from                     subject
         1  12.3 kB  2023-11-14 22:13  new                        Anna <anna@example.com>  Minutes of the meeting on Tuesda…
         2  12.3 kB  2023-11-14 22:13  stored, leaves 2023-11-26  Anna <anna@example.com>  zwei
     10000        -  -                 to be removed
         4  12.3 kB  2023-11-14 22:13  headers only               Anna <anna@example.com>  漢字漢字漢字漢字漢字漢字漢字漢字…
    ");
}

/// They have no numbers to be marked by.
#[test]
fn unique_ids_stay_where_no_server_was_asked() {
    let mut large = entries();
    large[0].state = State::HeadersOnly;
    assert!(!table(&large, Some(80))[0].contains("unique-id"));
    for entry in &mut large {
        entry.number = None;
    }
    for width in [40, 80, 120] {
        let lines = table(&large, Some(width));
        assert!(lines[0].contains("unique-id"), "{width}");
        assert!(!lines[0].contains("number") || width > 80, "{width}");
    }
    assert!(table(&large, Some(80))[1].contains("headers"));
    large[0].marked = true;
    assert!(table(&large, Some(80))[1].contains("marked"));
    assert!(table(&large, Some(200))[1].contains("headers only, marked"));
}

#[test]
fn texts_are_cut_by_columns() {
    for (text, width, expected) in [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("漢字", 4, "漢字"),
        ("漢字漢", 4, "漢…"),
        ("漢字漢", 5, "漢字…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ] {
        assert_eq!(fit(text, width), expected, "{text} {width}");
    }
}

#[test]
fn json_has_every_documented_field_and_escapes_what_others_said() {
    let manual = include_str!("../../../../man/parts/popsync-list.roff").replace('\\', "");
    let mut entry = entry(1, "a\u{202e}b");
    entry.unique_id = b"a \xff".to_vec();
    let json: serde_json::Value = serde_json::from_str(&line("work", &entry)).unwrap();
    for field in json.as_object().unwrap().keys() {
        assert!(manual.contains(&format!("fB{field}fR")), "{field}");
    }
    assert_eq!(json["subject"], r"a\u{202e}b");
    assert_eq!(json["unique_id"], r"a\x20\xff");
    assert_eq!(json["date"], "2023-11-14T22:13:20Z");
    assert_eq!(json["leaves"], serde_json::Value::Null);
    assert_eq!(
        (&json["action"], &json["reason"]),
        (&"retrieve".into(), &"new".into())
    );
}
