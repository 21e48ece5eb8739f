//! A part of a message that a crash has left is completed or cut off, and the text that other
//! programs wrote meanwhile is never touched.

use super::*;
use crate::failure::Failure;
use crate::store::Notice;

/// Everything that a crash can leave of the second of two batches.
fn crashed(world: &World) -> (Vec<Record>, Vec<u8>) {
    let mbox = world.open();
    deliver(&mbox, &[b"Subject: before\n\nbefore\n"]);
    crashed_in(world, mbox, &[ONE, TWO, NO_BODY])
}

/// The same of a batch of these messages.
fn crashed_in(world: &World, mbox: Mbox, messages: &[&[u8]]) -> (Vec<Record>, Vec<u8>) {
    let names: Vec<Name> = messages
        .iter()
        .map(|message| write(&mbox, message))
        .collect();
    let records = settle(&mbox, &names);
    copy_spool(world);
    fs::copy(world.path("inbox.lock"), world.path("kept/lock")).unwrap();
    mbox.publish(&names).unwrap();
    drop(mbox);
    restore_spool(world);
    fs::copy(world.path("kept/lock"), world.path("inbox.lock")).unwrap();
    let whole = world.content();
    (records, whole)
}

/// Keeps the spool as it is.
fn copy_spool(world: &World) {
    let kept = world.path("kept");
    DirBuilder::new().mode(0o700).create(&kept).unwrap();
    for entry in fs::read_dir(world.path("spool")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), kept.join(entry.file_name())).unwrap();
    }
}

/// The spool as it was then.
fn restore_spool(world: &World) {
    for entry in fs::read_dir(world.path("kept")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lock" {
            fs::copy(entry.path(), world.path("spool").join(entry.file_name())).unwrap();
        }
    }
}

fn recover(world: &World, records: &[Record]) -> Recovered {
    recover_behind(world, records, None)
}

fn recover_behind(world: &World, records: &[Record], last: Option<&Extent>) -> Recovered {
    let mbox = world.open();
    let recovered = mbox.recover(records, last).unwrap();
    let again: Vec<_> = recovered
        .again
        .iter()
        .map(|record| record.name.clone())
        .collect();
    mbox.publish(&again).unwrap();
    assert!(!world.path("inbox.lock").exists());
    recovered
}

#[test]
fn an_append_that_was_cut_short_anywhere_is_completed() {
    let world = World::new();
    let (records, whole) = crashed(&world);
    let begin = records[0].extent.unwrap().start as usize;
    let before = world.messages();
    for size in (begin..=whole.len()).step_by(5) {
        for unwritten in [0, 5, whole.len() - size] {
            let mut left = whole[..size].to_vec();
            left.extend(vec![0; unwritten.min(whole.len() - size)]);
            world.put("inbox", &left);
            restore_spool(&world);
            let recovered = recover(&world, &records);
            assert_eq!((recovered.lost, recovered.notices), (vec![], vec![]));
            assert_eq!(world.content(), whole, "cut at {size} of {}", whole.len());
            assert_eq!(world.spooled(), 0);
        }
    }
    assert_eq!(world.messages(), before);
}

/// A message is cut off or left out for no other that is like it: for one that begins as it does,
/// and for one with its Message-ID and its body.
#[test]
fn a_whole_message_does_not_stand_for_a_missing_one_that_is_like_it() {
    let header = b"Subject: twins\nMessage-ID: <1@x>\n".as_slice();
    let body = b"\nbody\nof some\nlines\n".as_slice();
    let long = [header, body].concat();
    let way = [b"Received: by another way\n".as_slice(), header, body].concat();
    for (first, second) in [(header, long.as_slice()), (&long, &way), (&way, &long)] {
        for is_of_another_batch in [false, true] {
            let world = World::new();
            let mbox = world.open();
            let before = match is_of_another_batch {
                true => deliver(&mbox, &[first]),
                false => Vec::new(),
            };
            let last = before.first().and_then(|record| record.extent);
            let batch = match is_of_another_batch {
                true => vec![second],
                false => vec![first, second],
            };
            let (records, whole) = crashed_in(&world, mbox, &batch);
            let begin = records.last().unwrap().extent.unwrap().start as usize;
            for size in begin..=whole.len() {
                world.put("inbox", &whole[..size]);
                restore_spool(&world);
                let recovered = recover_behind(&world, &records, last.as_ref());
                assert_eq!(recovered.lost, [], "cut at {size}");
                assert_eq!(world.content(), whole, "cut at {size} of {}", whole.len());
            }
        }
    }
}

#[test]
fn a_hole_anywhere_in_an_unfinished_append_is_filled() {
    let world = World::new();
    let (records, whole) = crashed(&world);
    let begin = records[0].extent.unwrap().start as usize;
    let step = 7;
    for from in (begin..whole.len()).step_by(step) {
        for to in (from + 1..=whole.len()).step_by(3 * step) {
            for size in [whole.len(), whole.len().min(to + 9)] {
                let mut left = whole[..size].to_vec();
                left[from..to].fill(0);
                // Two of them.
                left[size - 1] = 0;
                world.put("inbox", &left);
                restore_spool(&world);
                let recovered = recover(&world, &records);
                assert_eq!((recovered.lost, recovered.notices), (vec![], vec![]));
                assert_eq!(world.content(), whole, "{from}..{to} of {size}");
                assert_eq!(world.spooled(), 0);
            }
        }
    }
}

#[test]
fn what_another_program_wrote_behind_a_hole_is_never_touched() {
    let world = World::new();
    let (records, whole) = crashed(&world);
    let [first, second, _] = &records[..] else {
        unreachable!("there are three")
    };
    let begin = first.extent.unwrap().start as usize;
    let hole = begin + 3..begin + 20;
    for foreign in [FOREIGN, b"x", b"\0x\0"] {
        let mut left = whole.clone();
        left[hole.clone()].fill(0);
        left.extend_from_slice(foreign);
        world.put("inbox", &left);
        restore_spool(&world);
        let recovered = recover(&world, &records);
        assert!(world.content().starts_with(&left));
        assert_eq!(recovered.lost, []);
        // Those that are whole are not appended anew.
        assert_eq!(recovered.again.len(), 1);
    }
    // Nor is a whole message cut off that is in no spool any more.
    let mut left = whole.clone();
    left[hole].fill(0);
    world.put("inbox", &left);
    fs::remove_dir_all(world.path("spool")).unwrap();
    let recovered = recover(&world, &records);
    assert_eq!(recovered.lost, std::slice::from_ref(&first.name));
    let second = second.extent.unwrap().start as usize;
    assert!(world.content().ends_with(&whole[second..]));
}

/// Its Message-ID and its body are there, but not the rest of its header.
#[test]
fn a_message_with_a_hole_in_its_header_is_appended_anew() {
    const HIT: &[u8] = b"Subject: hit\nMessage-ID: <hit@x>\n\nbody\n";
    const OWN: &[u8] = b"Subject: \0\0\0\nMessage-ID: <own@x>\n\nbody\n";
    // The last hole takes the end of the line in front of the header.
    for (message, hole) in [(HIT, Some(9..12)), (HIT, Some(0..9)), (OWN, None)] {
        let world = World::new();
        let (records, whole) = crashed_in(&world, world.open(), &[message]);
        let mut left = whole.clone();
        let header = whole
            .windows(10)
            .position(|window| window == b"\nSubject: ");
        let header = header.unwrap();
        let is_appended = hole.is_some();
        if let Some(hole) = hole {
            left[header + hole.start..header + hole.end].fill(0);
        } else {
            // These NULs are its own, and another program has flagged it.
            left.splice(header..header, *b"\nX-Label: flagged");
        }
        left.extend_from_slice(FOREIGN);
        world.put("inbox", &left);
        restore_spool(&world);
        let recovered = recover(&world, &records);
        assert_eq!(recovered.lost, []);
        assert_eq!(recovered.again.len(), usize::from(is_appended));
        assert!(world.content().starts_with(&left));
        assert_eq!(world.content().len() > left.len(), is_appended);
    }
}

#[test]
fn a_first_append_that_was_never_written_is_completed() {
    let world = World::new();
    let mbox = world.open();
    let names = [write(&mbox, ONE), write(&mbox, TWO)];
    let records = settle(&mbox, &names);
    copy_spool(&world);
    mbox.publish(&names).unwrap();
    drop(mbox);
    let whole = world.content();
    for unwritten in [1, 4, 5, 80, whole.len()] {
        for size in [unwritten, whole.len()] {
            let mut left = whole[..size].to_vec();
            left[..unwritten].fill(0);
            world.put("inbox", &left);
            restore_spool(&world);
            let recovered = recover(&world, &records);
            assert_eq!((recovered.lost, recovered.notices), (vec![], vec![]));
            assert_eq!(world.content(), whole, "{unwritten} of {size}");
        }
    }
    // Another file is no mbox, whatever a power cut may have done to it.
    for left in [&[0; 100][..], b"\0\0\0\0\0Dear Eva,\n"] {
        world.put("inbox", left);
        let error = world.open().recover(&[], None).unwrap_err();
        assert_eq!(error.exit(), Exit::CannotCreate);
        assert_eq!(world.content(), left);
    }
}

#[test]
fn a_file_that_takes_the_place_of_another_must_begin_with_a_message() {
    let world = World::new();
    let mbox = world.open();
    deliver(&mbox, &[ONE]);
    fs::remove_file(world.path("inbox")).unwrap();
    world.put("inbox", &[0; 100]);
    let names = [write(&mbox, TWO)];
    assert_eq!(mbox.settle(&names).unwrap_err().exit(), Exit::CannotCreate);
    assert_eq!(world.content(), [0; 100]);
}

#[test]
fn a_part_in_a_file_that_another_program_rewrote_is_cut_off_too() {
    let world = World::new();
    let (records, whole) = crashed(&world);
    let begin = records[0].extent.unwrap().start as usize;
    let status = |octets: &[u8]| {
        let text = String::from_utf8(octets.to_vec()).unwrap();
        text.replacen("Subject:", "Status: RO\nSubject:", 1)
            .into_bytes()
    };
    for size in begin..=whole.len() {
        world.put("inbox", &status(&whole[..size]));
        restore_spool(&world);
        let recovered = recover(&world, &records);
        assert_eq!((recovered.lost, recovered.notices), (vec![], vec![]));
        assert_eq!(
            world.content(),
            status(&whole),
            "cut at {size} of {}",
            whole.len()
        );
    }
}

#[test]
fn without_the_spool_what_is_whole_stays_and_the_rest_is_lost() {
    let world = World::new();
    let (records, whole) = crashed(&world);
    fs::remove_dir_all(world.path("spool")).unwrap();
    let second = records[1].extent.unwrap();
    world.put("inbox", &whole[..(second.start + second.length) as usize]);
    let recovered = recover(&world, &records);
    assert_eq!(recovered.lost, [records[2].name.clone()]);
    assert!(recovered.again.is_empty());
    assert_eq!(world.messages()[1..], [ONE.to_vec(), TWO.to_vec()]);
}

const FOREIGN: &[u8] = b"From a@b Thu Jan  1 00:00:00 1970\nSubject: foreign\n\nbody\n\n";

#[test]
fn what_another_program_wrote_behind_a_part_is_never_touched() {
    let world = World::new();
    let (records, whole) = crashed(&world);
    let begin = records[0].extent.unwrap().start as usize;
    world.put("inbox", &whole[..whole.len() - 20]);
    world.append(FOREIGN);
    let recovered = recover(&world, &records);
    let content = world.content();
    let kept = [&whole[..whole.len() - 20], FOREIGN].concat();
    assert!(content.starts_with(&kept));
    assert_eq!(recovered.lost, []);
    // Two were whole; the third is appended anew.
    assert_eq!(recovered.again.len(), 1);
    assert_eq!(world.messages().last().unwrap(), NO_BODY);

    // Nothing was appended before the other program came.
    let world = World::new();
    let (records, whole) = crashed(&world);
    world.put("inbox", &whole[..begin]);
    world.append(FOREIGN);
    let recovered = recover(&world, &records);
    assert_eq!(recovered.notices, []);
    let messages = world.messages();
    assert_eq!(messages.len(), 5);
    assert_eq!(
        messages[2..],
        [ONE.to_vec(), TWO.to_vec(), NO_BODY.to_vec()]
    );
}

#[test]
fn a_long_part_that_stays_is_told() {
    let world = World::new();
    let mbox = world.open();
    let long = [ONE, &b"and one more line\n".repeat(100)].concat();
    let names = [write(&mbox, &long)];
    let records = settle(&mbox, &names);
    let spool = fs::read_dir(world.path("spool"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let kept = fs::read(spool.path()).unwrap();
    mbox.publish(&names).unwrap();
    drop(mbox);
    world.put(
        &format!("spool/{}", spool.file_name().to_str().unwrap()),
        &kept,
    );
    let whole = world.content();
    world.put("inbox", &whole[..1000]);
    world.append(FOREIGN);
    let recovered = recover(&world, &records);
    assert_eq!(recovered.notices, [Notice::PartStays { at: 0 }]);
    assert!(world.content().ends_with(&whole));
}

#[test]
fn messages_that_another_program_rewrote_are_not_stored_twice() {
    let world = World::new();
    let (records, whole) = crashed(&world);
    let text = String::from_utf8(whole).unwrap();
    let read = text.replace("Message-ID:", "Status: RO\nX-Status: A\nMessage-ID:");
    world.put("inbox", read.as_bytes());
    let recovered = recover(&world, &records);
    assert_eq!(recovered, Recovered::default());
    assert_eq!(world.content(), read.as_bytes());
}

#[test]
fn a_file_that_is_gone_is_begun_anew_and_that_is_told() {
    let world = World::new();
    let records = deliver(&world.open(), &[ONE]);
    fs::remove_file(world.path("inbox")).unwrap();
    let mbox = world.open();
    let recovered = mbox.recover(&[], records[0].extent.as_ref()).unwrap();
    assert_eq!(recovered.notices, [Notice::MadeAnew]);
    let recovered = mbox.recover(&[], None).unwrap();
    assert_eq!(recovered, Recovered::default());
}
