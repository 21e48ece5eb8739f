use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use super::*;
use crate::account::{
    Identity, Limits, LineEndings, PasswordSource, Retention, Route, Security, Server,
    StoreSettings, TlsSettings,
};
use crate::exit::Exit;
use crate::maildrop::Builder;
use crate::policy::Memory;
use crate::pop3::Capabilities;
use crate::pop3::listing::UniqueIdListing;
use crate::profile::Profile;
use crate::store::mbox::Marks;
use crate::store::{Extent, Name, Record, Recovered};

const NOW: i64 = 1_700_000_000;

fn account(key: &str) -> crate::account::Account {
    crate::account::Account {
        name: key.to_owned(),
        identity: Identity {
            key: key.to_owned(),
            host: "mail.example.com".to_owned(),
            user: "anna".to_owned(),
        },
        server: Server {
            host: "mail.example.com".to_owned(),
            port: 995,
            security: Security::ImplicitTls,
        },
        user: "anna".to_owned(),
        auth: crate::account::AuthMethod::User,
        password: PasswordSource::Ask,
        profile: Profile::default(),
        store: StoreSettings::Maildir {
            path: "/mail".into(),
            line_endings: LineEndings::Lf,
        },
        retention: Retention::new(true, None),
        limits: Limits::default(),
        route: Route::default(),
        tls: TlsSettings::default(),
        timeout: crate::account::DEFAULT_TIMEOUT,
        alerts: crate::account::Alerts::default(),
    }
}

fn staged(unique_id: &[u8], content: u8) -> Staged {
    Staged {
        unique_id: unique_id.to_vec(),
        name: Name(format!(
            "name-{}-{content}",
            String::from_utf8_lossy(unique_id)
        )),
        octets: 100,
        sha256: [content; 32],
        stored_sha256: None,
        header_sha256: [content; 32],
        listed_octets: Some(90),
        line_ends: LineEnds {
            stored: LineEndings::Lf,
            bare: false,
        },
        extent: None,
        doubt: None,
        takes: Takes::New,
    }
}

fn extent(start: u64) -> Extent {
    Extent {
        start,
        length: 120,
        sha256: [7; 32],
        marks: Marks {
            body: Some([8; 32]),
            message_id: None,
        },
    }
}

#[test]
fn places_in_a_file_are_remembered_and_change_only_with_a_recovery() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let work = cache.account(&account("work"), NOW).unwrap().id;
    let home = cache.account(&account("home"), NOW).unwrap().id;
    assert_eq!(cache.last_extent(work).unwrap(), None);
    let batch = [(b"a", 1, 0), (b"b", 2, 120), (b"c", 3, 240)].map(|(id, content, start)| Staged {
        extent: Some(extent(start)),
        ..staged(id, content)
    });
    cache.stage(work, &batch, NOW).unwrap();
    cache.stage(home, &[staged(b"a", 1)], NOW).unwrap();
    let records = cache.staged(work).unwrap();
    let places: Vec<_> = records.iter().map(|record| record.extent).collect();
    assert_eq!(places, [0, 120, 240].map(|start| Some(extent(start))));
    assert_eq!(cache.staged(home).unwrap()[0].extent, None);
    assert_eq!(cache.last_extent(work).unwrap(), Some(extent(240)));
    assert_eq!(cache.last_extent(home).unwrap(), None);

    let moved = Record {
        name: records[1].name.clone(),
        extent: Some(extent(5000)),
    };
    let recovered = Recovered {
        lost: vec![records[2].name.clone()],
        again: vec![moved.clone()],
        notices: Vec::new(),
    };
    cache.recovered(work, &recovered).unwrap();
    assert_eq!(cache.staged(work).unwrap(), [moved]);
    assert_eq!(cache.last_extent(work).unwrap(), Some(extent(5000)));
    assert_eq!(cache.snapshot(work).unwrap().len(), 2);
    cache.clear_staged(work).unwrap();
    assert!(cache.staged(work).unwrap().is_empty());
}

#[test]
fn the_state_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    Cache::open(&state).unwrap();
    for (path, mode) in [(state.clone(), 0o700), (state.join(FILE_NAME), 0o600)] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            mode
        );
    }
}

#[test]
fn many_runs_may_open_a_new_state_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let opened: Vec<_> = (0..8)
        .map(|n| {
            let state = folder.path().to_owned();
            thread::spawn(move || {
                let mut cache = Cache::open(&state).unwrap();
                cache
                    .account(&account(&format!("account {n}")), NOW)
                    .unwrap()
                    .tag
            })
        })
        .collect();
    let mut tags: Vec<_> = opened
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 8);
}

#[test]
fn a_file_of_a_newer_popsync_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let error = Cache::open(folder.path()).unwrap_err();
    assert_eq!(error.exit(), Exit::Config);
    assert!(matches!(error, Error::TooNew { version: 99, .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let garbage = b"this is not a database, however long it may be".repeat(100);
    io::Write::write_all(&mut File::create(&path).unwrap(), &garbage).unwrap();
    let error = Cache::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(error.exit(), Exit::IoError);
    assert_eq!(fs::read(&path).unwrap(), garbage);
}

#[test]
fn looking_only_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    assert!(Cache::open_read_only(&state).unwrap().is_none());
    assert!(!state.exists());
}

#[test]
fn an_account_keeps_its_row_and_tag() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let first = cache.account(&account("work"), NOW).unwrap();
    assert_eq!(cache.account(&account("work"), NOW + 1).unwrap(), first);
    assert_eq!(
        cache.find_account(&account("work").identity).unwrap(),
        Some(first.clone())
    );
    let other = cache.account(&account("home"), NOW).unwrap();
    assert_ne!((other.id, other.tag), (first.id, first.tag));
    assert_eq!(cache.find_account(&account("none").identity).unwrap(), None);
}

#[test]
fn staged_messages_are_found_after_a_crash_and_those_that_are_lost_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let work = cache.account(&account("work"), NOW).unwrap().id;
    let home = cache.account(&account("home"), NOW).unwrap().id;
    cache.stage(work, &[staged(b"a", 1)], NOW).unwrap();
    cache.stage(home, &[staged(b"z", 9)], NOW).unwrap();
    // Step 6 for `a`, step 3 for the others.
    cache
        .stage(work, &[staged(b"b", 2), staged(b"c", 3)], NOW)
        .unwrap();
    drop(cache);

    let mut cache = Cache::open(folder.path()).unwrap();
    let names = cache.staged(work).unwrap();
    let found: Vec<_> = names.iter().map(|record| record.name.as_str()).collect();
    assert_eq!(found, ["name-b-2", "name-c-3"]);
    cache
        .recovered(
            work,
            &Recovered {
                lost: vec![names[1].name.clone()],
                ..Recovered::default()
            },
        )
        .unwrap();
    assert!(cache.staged(work).unwrap().is_empty());
    assert_eq!(cache.staged(home).unwrap().len(), 1);
    let snapshot = cache.snapshot(work).unwrap();
    assert!(snapshot.recall(b"a").is_some() && snapshot.recall(b"b").is_some());
    assert!(snapshot.recall(b"c").is_none() && snapshot.recall(b"z").is_none());
}

#[test]
fn the_snapshot_tells_what_the_plan_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let work = cache.account(&account("work"), NOW).unwrap().id;
    let odd: &[u8] = b"\x00\xff '; DROP TABLE messages; --";
    cache
        .stage(
            work,
            &[staged(b"a", 1), staged(odd, 2), staged(b"A", 3)],
            NOW,
        )
        .unwrap();
    cache.stage(work, &[staged(b"a", 4)], NOW + 50).unwrap();
    cache.copies_accounted_for(work, b"a", 2, &[]).unwrap();
    cache
        .deletion_asked(work, [odd].into_iter(), NOW + 60)
        .unwrap();
    let snapshot = cache.snapshot(work).unwrap();
    assert_eq!(snapshot.len(), 3);
    let remembered = snapshot.recall(b"a").unwrap();
    assert_eq!((remembered.stored_at, remembered.copies), (NOW + 50, 2));
    assert!(!remembered.deletion_asked);
    assert!(snapshot.recall(odd).unwrap().deletion_asked);
    assert_eq!(snapshot.recall(b"A").unwrap().copies, 1);
    let found = |unique_id: &[u8]| {
        let content = Content {
            unique_id,
            sha256: &[4; 32],
        };
        let found = cache.with_content(work, content).unwrap();
        let found = found.iter();
        found
            .map(|known| (known.is_same_id, known.is_listed))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(b"a"), [(true, true)]);
    assert_eq!(found(b"A"), [(false, true)]);
}

#[test]
fn a_message_missing_from_one_listing_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let work = cache.account(&account("work"), NOW).unwrap().id;
    cache
        .stage(work, &[staged(b"a", 1), staged(b"b", 2)], NOW)
        .unwrap();
    let listing = |ids: &[&str]| {
        let mut builder = Builder::default();
        for (number, id) in ids.iter().enumerate() {
            let line = format!("{} {id}", number + 1);
            builder.unique_id_listing(UniqueIdListing::parse(line.as_bytes()));
        }
        builder.finish()
    };
    let note = |cache: &mut Cache, ids: &[&str]| {
        let snapshot = cache.snapshot(work).unwrap();
        let (vanished, back) = snapshot.changes(&snapshot.shown_by(&listing(ids)));
        let counts = (vanished.len(), back.len());
        cache.vanished(work, vanished.into_iter(), NOW).unwrap();
        cache.back(work, back.into_iter()).unwrap();
        counts
    };
    assert_eq!(note(&mut cache, &["a", "b"]), (0, 0));
    assert_eq!(note(&mut cache, &[]), (2, 0));
    assert_eq!(note(&mut cache, &[]), (0, 0));
    assert!(cache.snapshot(work).unwrap().recall(b"a").is_some());
    assert_eq!(note(&mut cache, &["a", "c"]), (0, 1));
    assert_eq!(note(&mut cache, &["b", "a"]), (0, 1));
}

#[test]
fn the_last_run_and_the_last_good_one_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let work = cache.account(&account("work"), NOW).unwrap().id;
    let run = |exit, finished_at| Run {
        started_at: finished_at - 1,
        finished_at,
        exit,
        retrieved: 3,
        octets: 300,
        deleted: 1,
        skipped: 0,
        failed: 0,
        on_server: Some(7),
        all_published: exit == Exit::Success,
        clock_doubted: false,
        error: (exit != Exit::Success).then_some("no route"),
    };
    cache.finish_run(work, run(Exit::Success, NOW)).unwrap();
    cache
        .finish_run(work, run(Exit::Unavailable, NOW + 9))
        .unwrap();
    cache.stage(work, &[staged(b"a", 1)], NOW).unwrap();
    cache.finish_run(work, run(Exit::IoError, NOW + 9)).unwrap();
    assert_eq!(
        cache.staged(work).unwrap().len(),
        1,
        "it may still be in `tmp`"
    );
    cache.finish_run(work, run(Exit::Success, NOW)).unwrap();
    assert!(cache.staged(work).unwrap().is_empty());
    cache
        .finish_run(work, run(Exit::Unavailable, NOW + 9))
        .unwrap();
    let overview = &cache.overview(NOW + 10).unwrap()[0];
    assert_eq!((overview.messages, overview.octets), (1, 100));
    assert_eq!(overview.last_success_at, Some(NOW));
    let last = overview.last_run.as_ref().unwrap();
    assert_eq!((last.exit, last.error.as_deref()), (69, Some("no route")));
}

fn large(unique_id: &[u8], header: u8) -> LargeMessage {
    LargeMessage {
        unique_id: unique_id.to_vec(),
        listed_octets: 1_000_000,
        header: Some((vec![header], [header; 32])),
    }
}

fn with_account() -> (tempfile::TempDir, Cache, AccountId) {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let id = cache.account(&account("work"), NOW).unwrap().id;
    (folder, cache, id)
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
    assert_eq!(taken, Taken { new: 2, known: 2 });
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

/// Nothing is known of what another program had that could be recognised, or missed.
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

/// Who only looks does not bring the file of an older popsync up to date, and sees it all the same.
#[test]
fn a_file_of_an_older_popsync_can_be_looked_at_and_is_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(include_str!("../../migrations/0001_init.sql"))
        .unwrap();
    connection
        .execute_batch(
            "PRAGMA user_version = 1;
             INSERT INTO accounts VALUES (1, 'work', 'mail.example.com', 'anna', 'work', '/mail',
                 'tag', 0);",
        )
        .unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let cache = Cache::open_read_only(folder.path()).unwrap().unwrap();
    let row = cache.find_account(&account("work").identity).unwrap();
    assert_eq!(cache.guard(row.unwrap().id).unwrap(), None);
    drop(cache);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn the_newest_message_is_found_also_behind_many_of_another_account() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let home = cache.account(&account("home"), NOW).unwrap().id;
    let work = cache.account(&account("work"), NOW).unwrap().id;
    assert_eq!(cache.newest_message(home).unwrap(), MessageKey::NONE);
    cache
        .stage(home, &[staged(b"a", 1), staged(b"b", 2)], NOW)
        .unwrap();
    let newest = cache.newest_message(home).unwrap();
    assert!(newest > MessageKey::NONE);
    assert_eq!(cache.newest_message(work).unwrap(), MessageKey::NONE);
    let many: Vec<_> = (0..5000)
        .map(|n: u32| staged(&n.to_be_bytes(), 3))
        .collect();
    cache.stage(work, &many, NOW).unwrap();
    assert_eq!(cache.newest_message(home).unwrap(), newest);
    assert_eq!(
        cache.newest_message(work).unwrap(),
        MessageKey::new(newest.as_i64() + 5000)
    );
}

#[test]
fn a_server_that_breaks_at_list_in_one_run_after_the_other_is_spared_it_for_a_week() {
    const DAY: i64 = 24 * 60 * 60;
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let id = cache.account(&account("work"), NOW).unwrap().id;
    assert!(!cache.breaks_at_list(id, NOW).unwrap());
    let none = Capabilities::default();
    cache.remember_capabilities(id, &none, NOW).unwrap();
    // Once may be the network.
    for (broke, expected) in [
        (true, false),
        (false, false),
        (true, false),
        (true, true),
        (true, true),
    ] {
        cache.remember_list(id, broke, NOW).unwrap();
        assert_eq!(cache.breaks_at_list(id, NOW + DAY).unwrap(), expected);
    }
    let pipelining: Capabilities = ["PIPELINING"].into_iter().collect();
    cache.remember_capabilities(id, &pipelining, NOW).unwrap();
    assert!(cache.breaks_at_list(id, NOW + 7 * DAY - 1).unwrap());
    assert!(!cache.breaks_at_list(id, NOW + 7 * DAY).unwrap());
    // Wherever the clock was.
    assert!(!cache.breaks_at_list(id, NOW - 8 * DAY).unwrap());
    cache.remember_list(id, true, NOW + 7 * DAY).unwrap();
    assert!(cache.breaks_at_list(id, NOW + 8 * DAY).unwrap());
    cache.remember_list(id, false, NOW + 8 * DAY).unwrap();
    assert!(!cache.breaks_at_list(id, NOW + 8 * DAY).unwrap());
    let other = cache.account(&account("home"), NOW).unwrap().id;
    assert!(!cache.breaks_at_list(other, NOW).unwrap());
}

#[test]
fn a_breaker_that_was_not_asked_for_keeps_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let account = cache.account(&account("work"), 1).unwrap().id;
    let set = |ids: &[&str]| ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    cache
        .set_breakers(account, &set(&["a", "b"]), &set(&["a"]), 100)
        .unwrap();
    cache
        .set_breakers(account, &set(&["a", "b", "c"]), &set(&["b"]), 200)
        .unwrap();
    let times = |cache: &Cache| {
        let mut times: Vec<_> = cache.breakers(account).unwrap().into_iter().collect();
        times.sort();
        times
    };
    let expected = [("a", 100), ("b", 200), ("c", 0)];
    assert_eq!(
        times(&cache),
        expected.map(|(id, at)| (id.as_bytes().to_vec(), at))
    );
    // One that came is none any more.
    cache
        .set_breakers(account, &set(&["c"]), &set(&["a"]), 300)
        .unwrap();
    assert_eq!(times(&cache), [(b"c".to_vec(), 0)]);
}
