//! What a crash left in the middle of appending is completed or cut off, and what other programs
//! wrote meanwhile is never touched.

use super::*;

/// Everything that a crash can leave of the second of two batches.
fn crashed(world: &World) -> (Vec<Record>, Vec<u8>) {
    let mbox = world.open();
    deliver(&mbox, &[b"Subject: before\n\nbefore\n"]);
    let names = [write(&mbox, ONE), write(&mbox, TWO), write(&mbox, NO_BODY)];
    let records = settle(&mbox, &names);
    // The spool as it was, and the lock file.
    let spool = world.path("spool");
    let kept = world.path("kept");
    DirBuilder::new().mode(0o700).create(&kept).unwrap();
    for entry in fs::read_dir(&spool).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), kept.join(entry.file_name())).unwrap();
    }
    fs::copy(world.path("inbox.lock"), kept.join("lock")).unwrap();
    mbox.publish(&names).unwrap();
    drop(mbox);
    for entry in fs::read_dir(&kept).unwrap() {
        let entry = entry.unwrap();
        let to = match entry.file_name().to_str() {
            Some("lock") => world.path("inbox.lock"),
            _ => spool.join(entry.file_name()),
        };
        fs::copy(entry.path(), to).unwrap();
    }
    let whole = world.content();
    (records, whole)
}

fn recover(world: &World, records: &[Record]) -> Recovered {
    let mbox = world.open();
    let recovered = mbox.recover(records, None).unwrap();
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
    let spool: Vec<_> = fs::read_dir(world.path("kept"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for size in (begin..=whole.len()).step_by(5) {
        for unwritten in [0, 5, whole.len() - size] {
            let mut left = whole[..size].to_vec();
            left.extend(vec![0; unwritten.min(whole.len() - size)]);
            world.put("inbox", &left);
            for entry in &spool {
                if entry.file_name() != "lock" {
                    fs::copy(entry.path(), world.path("spool").join(entry.file_name())).unwrap();
                }
            }
            let recovered = recover(&world, &records);
            assert_eq!((recovered.lost, recovered.warnings), (vec![], vec![]));
            assert_eq!(world.content(), whole, "cut at {size} of {}", whole.len());
            assert_eq!(world.spooled(), 0);
        }
    }
    assert_eq!(world.messages(), before);
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
        for entry in fs::read_dir(world.path("kept")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "lock" {
                fs::copy(entry.path(), world.path("spool").join(entry.file_name())).unwrap();
            }
        }
        let recovered = recover(&world, &records);
        assert_eq!((recovered.lost, recovered.warnings), (vec![], vec![]));
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
    assert_eq!(recovered.warnings, [""; 0]);
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
    assert_eq!(recovered.warnings.len(), 1);
    assert!(recovered.warnings[0].contains("at octet 0"));
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
    assert_eq!(recovered.warnings.len(), 1);
    let recovered = mbox.recover(&[], None).unwrap();
    assert_eq!(recovered, Recovered::default());
}
