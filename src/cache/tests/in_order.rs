use super::*;
use crate::cache::group_commit::syncs;

#[test]
fn changes_in_one_are_made_together_or_not_at_all() {
    let (_folder, mut cache, id) = with_account();
    let failed = cache.in_one(|cache| {
        cache.remember_capabilities(id, &"UIDL".lines().collect(), NOW)?;
        cache.in_one(|cache| cache.account(&account("inner"), NOW))?;
        Err::<(), _>(Error::Damaged {
            findings: String::new(),
        })
    });
    failed.unwrap_err();
    assert_eq!(cache.capabilities(id).unwrap(), None);
    let inner = &account("inner").identity;
    assert_eq!(cache.find_account(inner).unwrap(), None);
    let before = syncs();
    cache
        .in_one(|cache| {
            cache.remember_capabilities(id, &"UIDL".lines().collect(), NOW)?;
            cache.account(&account("inner"), NOW)
        })
        .unwrap();
    assert_eq!(syncs(), before + 1);
    assert!(cache.capabilities(id).unwrap().is_some());
    assert!(cache.find_account(inner).unwrap().is_some());
}

#[test]
fn records_in_order_are_durable_with_the_next_that_waits_or_when_they_are_waited_for() {
    let (_folder, mut cache, id) = with_account();
    let before = syncs();
    let note = |cache: &mut Cache, line: &str| {
        cache.remember_capabilities(id, &line.lines().collect(), NOW)
    };
    cache.in_order(|cache| note(cache, "UIDL")).unwrap();
    assert_eq!(syncs(), before);
    cache.wait_for_disk().unwrap();
    cache.wait_for_disk().unwrap();
    assert_eq!(syncs(), before + 1);
    cache.in_order(|cache| note(cache, "TOP")).unwrap();
    cache.stage(id, &[staged(b"a", 1)], NOW).unwrap();
    cache.wait_for_disk().unwrap();
    assert_eq!(syncs(), before + 2);
}

/// Only where another run of this process follows.
#[test]
fn the_end_of_a_run_waits_for_the_disk_unless_caches_stay_open() {
    let (folder, mut cache, id) = with_account();
    let note = |cache: &mut Cache, line: &str| {
        cache
            .at_the_end(|cache| cache.remember_capabilities(id, &line.lines().collect(), NOW))
            .unwrap();
    };
    let before = syncs();
    note(&mut cache, "UIDL");
    assert_eq!(syncs(), before + 1);
    let kept = KeepOpen::new();
    note(&mut cache, "TOP");
    assert_eq!(syncs(), before + 1);
    cache.give_back();
    // The next run waits before it acts upon anything.
    let mut cache = Cache::open_or_kept(folder.path()).unwrap();
    assert_eq!(syncs(), before + 1);
    cache.wait_for_disk().unwrap();
    assert_eq!(syncs(), before + 2);
    note(&mut cache, "PIPELINING");
    cache.give_back();
    // Another connection tells how often: with the last one the number is gone.
    let other = Cache::open(folder.path()).unwrap();
    drop(kept);
    assert_eq!(syncs(), before + 3);
    drop(other);
}
