use super::*;

fn large(unique_id: &[u8], header: u8) -> LargeMessage {
    LargeMessage {
        unique_id: unique_id.to_vec(),
        listed_octets: 1_000_000,
        header: Some((vec![header], [header; 32])),
    }
}

fn ids(rows: &[HeaderRow]) -> Vec<&[u8]> {
    rows.iter().map(|row| row.unique_id.as_slice()).collect()
}

#[test]
fn marks_are_set_for_all_or_for_none() {
    let (_folder, mut cache, id) = with_account();
    cache
        .record_headers(id, &[large(b"a", 1), large(b"b", 2)], NOW)
        .unwrap();
    cache.stage(id, &[staged(b"c", 3)], NOW).unwrap();
    let marks = |cache: &Cache| {
        let snapshot = cache.snapshot(id).unwrap();
        [&b"a"[..], b"b"].map(|id| snapshot.recall_header(id).unwrap().marked)
    };
    let ids = [&b"a"[..], b"x", b"c"].map(<[u8]>::to_vec);
    let found = cache.mark(id, &ids, Some(NOW)).unwrap();
    assert_eq!(found, [Marked::Done, Marked::Unknown, Marked::Stored]);
    assert_eq!(marks(&cache), [false, false]);
    let ids = [&b"a"[..], b"c"].map(<[u8]>::to_vec);
    assert_eq!(
        cache.mark(id, &ids, Some(NOW)).unwrap(),
        [Marked::Done, Marked::Stored]
    );
    assert_eq!(marks(&cache), [true, false]);
    assert_eq!(cache.count_headers(id).unwrap(), (2, 1));
    // A header that is asked for once more takes no mark away.
    cache.record_headers(id, &[large(b"a", 4)], NOW).unwrap();
    assert_eq!(marks(&cache), [true, false]);
    cache.mark(id, &ids, None).unwrap();
    assert_eq!(marks(&cache), [false, false]);
}

#[test]
fn a_header_goes_when_its_message_is_stored_and_published() {
    let (_folder, mut cache, id) = with_account();
    cache
        .record_headers(id, &[large(b"a", 1), large(b"b", 2)], NOW)
        .unwrap();
    cache.stage(id, &[staged(b"a", 1)], NOW).unwrap();
    // It may still turn out to be nowhere.
    assert_eq!(cache.whole_by_now(id).unwrap(), []);
    assert_eq!(ids(&cache.header_rows(id).unwrap()), [b"a", b"b"]);
    let recovered = Recovered {
        lost: vec![staged(b"a", 1).name],
        ..Recovered::default()
    };
    cache.recovered(id, &recovered).unwrap();
    assert_eq!(ids(&cache.header_rows(id).unwrap()), [b"a", b"b"]);
    cache.stage(id, &[staged(b"a", 1)], NOW).unwrap();
    cache.clear_staged(id).unwrap();
    assert_eq!(ids(&cache.header_rows(id).unwrap()), [b"b"]);
    let whole = cache.whole_by_now(id).unwrap();
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].message, Some(staged(b"a", 1).name));
    assert_eq!(whole[0].stub, None);
    cache.forget_headers(&[whole[0].id]).unwrap();
    assert_eq!(cache.whole_by_now(id).unwrap(), []);
    assert!(cache.snapshot(id).unwrap().recall_header(b"a").is_none());
}

#[test]
fn stubs_are_made_once_and_again_only_if_a_crash_lost_them() {
    let (_folder, mut cache, id) = with_account();
    let nothing = LargeMessage {
        header: None,
        ..large(b"c", 3)
    };
    cache
        .record_headers(id, &[large(b"a", 1), large(b"b", 2), nothing], NOW)
        .unwrap();
    let rows = cache.without_stub(id).unwrap();
    assert_eq!(ids(&rows), [b"a", b"b"]);
    let names = ["one", "two"].map(|name| Name(name.to_owned()));
    let stubs: Vec<_> = rows.iter().map(|row| row.id).zip(names.clone()).collect();
    cache.stage_stubs(&stubs).unwrap();
    assert_eq!(cache.staged_stubs(id).unwrap(), names);
    cache.settle_stubs(id, &names[..1]).unwrap();
    assert_eq!(cache.staged_stubs(id).unwrap(), []);
    assert_eq!(ids(&cache.without_stub(id).unwrap()), [b"a"]);
    // Lost later means that a person has deleted it.
    cache.settle_stubs(id, &names[1..]).unwrap();
    assert_eq!(ids(&cache.without_stub(id).unwrap()), [b"a"]);
}

#[test]
fn a_header_that_is_known_goes_by_its_new_name() {
    let (_folder, mut cache, id) = with_account();
    cache
        .record_headers(id, &[large(b"a", 1), large(b"b", 1)], NOW)
        .unwrap();
    cache.mark(id, &[b"a".to_vec()], Some(NOW)).unwrap();
    // Both are listed: these are two messages, and a third one.
    cache.record_headers(id, &[large(b"c", 1)], NOW).unwrap();
    assert_eq!(ids(&cache.header_rows(id).unwrap()), [b"a", b"b", b"c"]);
    cache.headers_listed(id, |id| id == b"c", NOW).unwrap();
    assert_eq!(ids(&cache.header_rows(id).unwrap()), [b"c"]);
    cache
        .record_headers(id, &[large(b"A", 1), large(b"B", 1), large(b"D", 1)], NOW)
        .unwrap();
    let rows = cache.header_rows(id).unwrap();
    assert_eq!(ids(&rows), [b"A", b"B", b"c", b"D"]);
    assert_eq!(rows.iter().filter(|row| row.marked).count(), 1);
    cache.headers_listed(id, |_| true, NOW).unwrap();
    assert_eq!(cache.header_rows(id).unwrap().len(), 4);
}
