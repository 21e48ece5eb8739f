//! Messages that an older copy, or a file that was cut, lacks at its end are lost. Messages that a
//! program left out when it wrote the file anew are not.

use super::*;

const KEYS: std::ops::RangeInclusive<i64> = 1..=8;

fn message(number: i64) -> Vec<u8> {
    let body = "line\n".repeat(number as usize);
    format!("Subject: {number}\nMessage-ID: <{number}@x>\n\n{body}").into_bytes()
}

/// An mbox with eight messages of different sizes, and what is recorded of them.
fn filled(world: &World) -> Vec<(i64, Extent)> {
    let mbox = world.open();
    let messages: Vec<_> = KEYS.map(message).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let records = deliver(&mbox, &messages);
    let extents = records.iter().map(|record| record.extent.unwrap());
    KEYS.zip(extents).collect()
}

#[track_caller]
fn lost(world: &World, extents: &[(i64, Extent)]) -> Vec<i64> {
    Mbox::lost_at(&world.path("inbox"), extents).unwrap()
}

/// The file without these messages, as a program that writes it anew leaves it.
fn delete(world: &World, extents: &[(i64, Extent)], keys: &[i64]) {
    let content = world.content();
    let mut left = Vec::new();
    for (key, extent) in extents {
        if !keys.contains(key) {
            let start = extent.start as usize;
            left.extend_from_slice(&content[start..start + extent.length as usize]);
        }
    }
    world.put("inbox", &left);
}

#[test]
fn a_file_that_ends_at_a_border_has_lost_the_rest() {
    let world = World::new();
    let extents = filled(&world);
    let whole = world.content();
    assert_eq!(lost(&world, &extents), [0; 0]);
    let mut shuffled = extents.clone();
    shuffled.reverse();
    for (key, extent) in &extents[1..] {
        world.put("inbox", &whole[..extent.start as usize]);
        let expected: Vec<i64> = (*key..=8).collect();
        assert_eq!(lost(&world, &extents), expected);
        assert_eq!(lost(&world, &shuffled), expected);
    }
    // Empty, as it was before the first one came.
    world.put("inbox", b"");
    assert_eq!(lost(&world, &extents), (1..=8).collect::<Vec<i64>>());
    fs::remove_file(world.path("inbox")).unwrap();
    assert_eq!(
        Mbox::lost_at(&world.path("inbox"), &extents).unwrap(),
        [0; 0]
    );
}

#[test]
fn a_file_that_ends_within_a_message_has_lost_that_too() {
    let world = World::new();
    let extents = filled(&world);
    let whole = world.content();
    let (start, end) = (extents[5].1.start as usize, extents[6].1.start as usize);
    let name = whole[start..end]
        .windows(5)
        .position(|part| part == b"<6@x>")
        .unwrap();
    for size in start + name + 6..end {
        world.put("inbox", &whole[..size]);
        assert_eq!(lost(&world, &extents), [6, 7, 8], "{size}");
    }
}

#[test]
fn what_was_left_out_when_the_file_was_written_anew_is_not_lost() {
    for keys in [
        &[1][..],
        &[3],
        &[7],
        &[1, 8],
        &[4, 5, 6],
        &[2, 7, 8],
        &[1, 2, 3, 4, 5, 6, 7],
    ] {
        let world = World::new();
        let extents = filled(&world);
        delete(&world, &extents, keys);
        assert_eq!(lost(&world, &extents), [0; 0], "{keys:?}");
    }
    // Nobody can tell these from a file that was cut: they stay on the server.
    let world = World::new();
    let extents = filled(&world);
    delete(&world, &extents, &[7, 8]);
    assert_eq!(lost(&world, &extents), [7, 8]);
    // A field more in one of the last messages tells of a program at work.
    let text = String::from_utf8(world.content()).unwrap();
    world.put(
        "inbox",
        text.replacen("Subject: 5", "Status: RO\nSubject: 5", 1)
            .as_bytes(),
    );
    assert_eq!(lost(&world, &extents), [0; 0]);
}

#[test]
fn other_programs_messages_may_stand_between() {
    let world = World::new();
    let mut extents = filled(&world);
    let foreign = b"From other Thu Jan  1 00:00:00 1970\nSubject: other\n\nother\n\n";
    world.append(foreign);
    let records = deliver(&world.open(), &[&message(9), &message(10)]);
    let added = records.iter().map(|record| record.extent.unwrap());
    extents.extend((9..).zip(added));
    let whole = world.content();
    let (before, behind) = (extents[7].1, extents[8].1);
    assert!(behind.start >= before.start + before.length + foreign.len() as u64);
    for size in [before.start + before.length, behind.start] {
        world.put("inbox", &whole[..size as usize]);
        assert_eq!(lost(&world, &extents), [9, 10]);
    }
    // A message that came after the last one of ours was deleted.
    world.put("inbox", &whole[..before.start as usize]);
    world.append(b"From other Thu Jan  1 00:00:00 1970\nMessage-ID: <new@x>\n\nx\n\n");
    assert_eq!(lost(&world, &extents), [0; 0]);
}

/// After a loss, what was lost and what was stored since have the same places.
#[test]
fn places_of_what_was_lost_before_do_not_count() {
    let world = World::new();
    let mut extents = filled(&world);
    let whole = world.content();
    world.put("inbox", &whole[..extents[4].1.start as usize]);
    assert_eq!(lost(&world, &extents), [5, 6, 7, 8]);
    let again = [message(20), message(21), message(22)];
    let again: Vec<&[u8]> = again.iter().map(Vec::as_slice).collect();
    let records = deliver(&world.open(), &again);
    let added = records.iter().map(|record| record.extent.unwrap());
    extents.extend((9..).zip(added));
    assert_eq!(lost(&world, &extents), [0; 0]);
    let whole = world.content();
    world.put("inbox", &whole[..extents[9].1.start as usize]);
    assert_eq!(lost(&world, &extents), [10, 11]);
}
