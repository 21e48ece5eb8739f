use super::*;

fn had(unique_id: &[u8], without_slashes: bool) -> Had {
    Had {
        unique_id: unique_id.to_vec(),
        copies: 1,
        without_slashes,
    }
}

fn listing(unique_ids: &[&str]) -> crate::maildrop::Maildrop {
    let mut builder = Builder::default();
    for (index, unique_id) in unique_ids.iter().enumerate() {
        let line = format!("{} {unique_id}", index + 1);
        builder.unique_id_listing(UniqueIdListing::parse(line.as_bytes()));
    }
    builder.finish()
}

#[test]
fn what_was_taken_over_is_known_and_what_is_stored_counts_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let row = cache.account(&account("work"), NOW).unwrap();
    let other = cache.account(&account("other"), NOW).unwrap();
    cache.stage(row.id, &[staged(b"stored", 1)], NOW).unwrap();
    let list = [
        had(b"stored", false),
        had(b"had", false),
        had(b"a-b", true),
        had(b"had", false),
    ];
    let taken = cache
        .take_over(row.id, list.into_iter().map(Ok::<_, Error>), NOW)
        .unwrap();
    assert_eq!(
        taken,
        Taken {
            new: 2,
            known: 2,
            stay: 2
        }
    );
    let snapshot = cache.snapshot(row.id).unwrap();
    let held = |unique_id: &[u8]| Some(snapshot.recall(unique_id)?.held);
    assert_eq!(held(b"stored"), Some(true));
    assert_eq!(held(b"had"), Some(false));
    // getmail writes no slash.
    assert_eq!((held(b"a/b"), held(b"a-b")), (Some(false), Some(false)));
    assert_eq!((held(b"had/"), held(b"new")), (None, None));
    assert!(cache.snapshot(other.id).unwrap().is_empty());
    // Later it comes all the same, as one of several with its unique-id: then it is stored.
    cache.stage(row.id, &[staged(b"had", 2)], NOW).unwrap();
    let snapshot = cache.snapshot(row.id).unwrap();
    assert!(snapshot.recall(b"had").unwrap().held);
}

#[test]
fn of_a_list_with_an_error_nothing_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let row = cache.account(&account("work"), NOW).unwrap();
    let list = [Ok(had(b"a", false)), Err(Error::Locked { holder: None })];
    cache.take_over(row.id, list.into_iter(), NOW).unwrap_err();
    assert!(cache.snapshot(row.id).unwrap().is_empty());
}

/// An imported message has no facts by which it could be recognised, or missed.
#[test]
fn what_was_taken_over_never_looks_renamed_or_vanished() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let row = cache.account(&account("work"), NOW).unwrap();
    let list = ["a", "b", "c"].map(|id| Ok::<_, Error>(had(id.as_bytes(), false)));
    cache.take_over(row.id, list.into_iter(), NOW).unwrap();
    let snapshot = cache.snapshot(row.id).unwrap();
    let moved = listing(&["x", "y", "z"]);
    assert!(!snapshot.looks_renamed(&snapshot.shown_by(&moved)));
    assert_eq!(snapshot.imported_in_vain(&moved), Some(3));
    assert_eq!(snapshot.imported_in_vain(&listing(&["x", "a"])), None);
    assert_eq!(snapshot.imported_in_vain(&listing(&[])), None);
    let (vanished, back) = snapshot.changes(&snapshot.shown_by(&moved));
    assert!(vanished.is_empty() && back.is_empty());
    cache.stage(row.id, &[staged(b"s", 1)], NOW).unwrap();
    let snapshot = cache.snapshot(row.id).unwrap();
    assert!(snapshot.looks_renamed(&snapshot.shown_by(&moved)));
    let shown = snapshot.shown_by(&listing(&["s", "y", "z"]));
    assert!(!snapshot.looks_renamed(&shown));
}

/// A message is in one place, under whatever unique-id it is asked for.
#[test]
fn a_renamed_message_is_where_the_recorded_one_is() {
    use crate::policy::{Memory, Whereabouts};
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let row = cache.account(&account("work"), NOW).unwrap();
    cache
        .stage(row.id, &[staged(b"a", 1), staged(b"b", 2)], NOW)
        .unwrap();
    let mut snapshot = cache.snapshot(row.id).unwrap();
    snapshot.rename(b"a", b"x", Some(7));
    snapshot.rename(b"x", b"y", Some(7));
    assert_eq!(snapshot.recorded_id(b"x"), b"a");
    assert_eq!(snapshot.recorded_id(b"y"), b"a");
    assert_eq!(snapshot.recorded_id(b"b"), b"b");
    assert_eq!(snapshot.recorded_id(b"new"), b"new");
    let places = |snapshot: &Snapshot| {
        [&b"a"[..], b"x", b"y", b"b"].map(|id| snapshot.recall(id).unwrap().whereabouts)
    };
    snapshot.set_otherwise(Whereabouts::InStore);
    assert_eq!(places(&snapshot), [Whereabouts::InStore; 4]);
    for (id, whereabouts) in [
        (&b"a"[..], Whereabouts::Deleted),
        (b"y", Whereabouts::InStore),
        (b"x", Whereabouts::Lost),
    ] {
        snapshot.set_whereabouts(id, whereabouts);
        let expected = [whereabouts, whereabouts, whereabouts, Whereabouts::InStore];
        assert_eq!(places(&snapshot), expected);
    }
}
