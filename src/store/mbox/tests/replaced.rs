//! A program without locks that puts a file of its own in place of the mbox while messages are
//! appended: nothing may be deleted on the server, and each message is in the new file once.

use super::*;
use crate::failure::Failure;

const OTHER: &[u8] = b"From other Thu Jan  1 00:00:00 1970\nSubject: other\n\nother\n\n";

fn other() -> Vec<u8> {
    b"Subject: other\n\nother\n".to_vec()
}

/// Publishes two messages, while something happens to the file after it was locked.
fn disturbed(world: &World, disturb: impl FnOnce(&World)) -> (Result<(), Error>, Vec<Record>) {
    let mbox = world.open();
    deliver(&mbox, &[b"Subject: before\n\nbefore\n"]);
    let names = [write(&mbox, ONE), write(&mbox, TWO)];
    let records = settle(&mbox, &names);
    disturb(world);
    let published = mbox.publish(&names);
    assert!(!world.path("inbox.lock").exists());
    (published, records)
}

#[expect(clippy::disallowed_methods, reason = "plays the other program")]
fn replace(world: &World, content: &[u8]) {
    world.put("beside", content);
    fs::rename(world.path("beside"), world.path("inbox")).unwrap();
}

fn take_up(world: &World, records: &[Record]) {
    let mbox = world.open();
    let recovered = mbox.recover(records, None).unwrap();
    assert_eq!(recovered.lost, []);
    let again: Vec<_> = recovered
        .again
        .into_iter()
        .map(|record| record.name)
        .collect();
    mbox.publish(&again).unwrap();
}

#[test]
fn a_file_that_was_renamed_over_is_noticed_and_gets_the_messages_once() {
    for content in [OTHER, b""] {
        let world = World::new();
        let (published, records) = disturbed(&world, |world| replace(world, content));
        let error = published.unwrap_err();
        assert!(matches!(error, Error::Replaced { .. }), "{error}");
        assert_eq!(error.exit(), Exit::TemporaryFailure);
        assert!(error.hint().unwrap().contains("next run appends"));
        assert_eq!(world.content(), content);
        assert!(world.spooled() > 0);
        let mut expected = vec![ONE.to_vec(), TWO.to_vec()];
        if !content.is_empty() {
            expected.insert(0, other());
        }
        for _ in 0..2 {
            take_up(&world, &records);
            assert_eq!(world.messages(), expected);
        }
        assert_eq!(world.spooled(), 0);
    }
}

/// The other program had read what was appended before it wrote its file.
#[test]
fn a_new_file_that_has_the_messages_already_does_not_get_them_again() {
    let world = World::new();
    let (published, records) = disturbed(&world, |world| replace(world, OTHER));
    assert!(published.is_err());
    let form = |message: &[u8]| [b"From a Thu Jan  1 00:00:00 1970\n", message, b"\n"].concat();
    let two = form(TWO);
    replace(&world, &[OTHER, &two].concat());
    take_up(&world, &records);
    assert_eq!(world.messages(), [other(), TWO.to_vec(), ONE.to_vec()]);
}

#[test]
fn a_file_that_was_removed_is_made_anew() {
    let world = World::new();
    let remove = |world: &World| fs::remove_file(world.path("inbox")).unwrap();
    let (published, records) = disturbed(&world, remove);
    assert!(matches!(published, Err(Error::Replaced { .. })));
    take_up(&world, &records);
    assert_eq!(world.messages(), [ONE, TWO]);
}

/// A program that cuts the file and writes it anew in place.
#[test]
fn a_file_that_is_shorter_than_what_was_appended_is_noticed() {
    let world = World::new();
    let mbox = world.open();
    deliver(&mbox, &[b"Subject: before\n\nbefore\n"]);
    let names = [write(&mbox, ONE)];
    settle(&mbox, &names);
    let mut held = mbox.inner.held().take().unwrap();
    mbox.inner.append(&mut held).unwrap();
    mbox.inner.check_place(&held).unwrap();
    let size = world.content().len() as u64;
    held.locked.mail.file.set_len(size - 1).unwrap();
    let error = mbox.inner.check_place(&held).unwrap_err();
    assert!(matches!(error, Error::Replaced { .. }));
    // More behind it is another program's.
    held.locked.mail.file.set_len(size + 1).unwrap();
    mbox.inner.check_place(&held).unwrap();
}
