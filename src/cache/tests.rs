use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::thread;

use rusqlite::StatementStatus;

use super::*;
use crate::account::{
    Identity, Limits, LineEndings, PasswordSource, Retention, Route, Security, Server,
    StoreSettings, TlsSettings,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::maildrop::Builder;
use crate::policy::Memory;
use crate::pop3::Capabilities;
use crate::pop3::listing::UniqueIdListing;
use crate::profile::Profile;
use crate::store::mbox::Marks;
use crate::store::{Extent, Name, Record, Recovered};

mod headers;
mod imported;
mod in_order;

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

/// Each message of a large first sync would change another page of it.
#[test]
fn the_index_by_content_is_made_when_it_is_first_needed() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let work = cache.account(&account("work"), NOW).unwrap().id;
    let is_indexed = |cache: &Cache| {
        let query = "SELECT count(*) FROM sqlite_schema WHERE name = 'messages_by_content'";
        let indices = cache.connection.query_one(query, [], |row| row.get(0));
        indices.unwrap_or(0) == 1
    };
    let keys = cache
        .stage(work, &[staged(b"a", 1), staged(b"b", 2)], NOW)
        .unwrap();
    assert!(!is_indexed(&cache));
    for _ in 0..2 {
        let content = Content {
            unique_id: b"c",
            sha256: &[2; 32],
        };
        let found = cache.with_content(work, content).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key, keys[1]);
        assert!(is_indexed(&cache));
    }
    let mut plan = cache
        .connection
        .prepare("EXPLAIN QUERY PLAN SELECT 1 FROM messages WHERE substr(sha256, 1, 8) = ?1")
        .unwrap();
    let step: String = plan.query_one([[2; 8]], |row| row.get(3)).unwrap();
    assert!(step.contains("messages_by_content"), "{step}");
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

/// A run that retrieved three messages, or failed.
fn run(exit: Exit, finished_at: i64) -> Run<'static> {
    Run {
        started_at: finished_at - 1,
        first_at: None,
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
    }
}

#[test]
fn the_last_run_and_the_last_good_one_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let work = cache.account(&account("work"), NOW).unwrap().id;
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
    assert_eq!(overview.last_complete_at, Some(NOW));
    let last = overview.last_run.as_ref().unwrap();
    assert_eq!((last.exit, last.error.as_deref()), (69, Some("no route")));
    cache
        .finish_run(work, run(Exit::Partial, NOW + 12))
        .unwrap();
    let overview = &cache.overview(NOW + 20).unwrap()[0];
    assert_eq!(overview.last_success_at, Some(NOW));
    assert_eq!(overview.last_complete_at, Some(NOW + 12));
    cache
        .finish_run(work, run(Exit::Success, NOW + 15))
        .unwrap();
    let overview = &cache.overview(NOW + 20).unwrap()[0];
    assert_eq!(overview.last_success_at, Some(NOW + 15));
    assert_eq!(overview.last_complete_at, Some(NOW + 15));
}

fn with_account() -> (tempfile::TempDir, Cache, AccountId) {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let id = cache.account(&account("work"), NOW).unwrap().id;
    (folder, cache, id)
}

/// A command that only reads does not migrate the file of an older popsync, but can read it.
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
    assert_eq!(cache.brakes(row.unwrap().id).unwrap(), None);
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

/// A process loses its locks on a file when it closes it, however it has opened it. Another process
/// would take the WAL away then.
#[cfg(target_os = "linux")]
#[test]
fn to_open_the_state_once_more_gives_up_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let locks = || {
        let file = fs::metadata(folder.path().join(FILE_NAME)).unwrap();
        let (owner, file) = (std::process::id().to_string(), format!(":{}", file.ino()));
        let all = fs::read_to_string("/proc/locks").unwrap();
        let is_it = |line: &&str| {
            let parts: Vec<_> = line.split_whitespace().collect();
            parts[1] == "POSIX" && parts[4] == owner && parts[5].ends_with(&file)
        };
        all.lines().filter(is_it).count()
    };
    let first = Cache::open(folder.path()).unwrap();
    let held = locks();
    assert!(held > 0);
    let _second = Cache::open(folder.path()).unwrap();
    assert_eq!(locks(), held);
    drop(first);
}

#[test]
fn the_file_may_be_a_link() {
    let [state, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let link = state.path().join(FILE_NAME);
    symlink(elsewhere.path().join("moved.sqlite3"), &link).unwrap();
    for _ in 0..2 {
        let mut cache = Cache::open(state.path()).unwrap();
        cache.account(&account("work"), NOW).unwrap();
    }
    assert!(link.is_symlink());
    let mode = fs::metadata(&link).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Otherwise one that reads before it writes fails while another account writes.
#[test]
fn a_transaction_waits_for_its_turn_when_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(folder.path()).unwrap();
    let other = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    other.busy_handler(Some(|_| false)).unwrap();
    let transaction = cache.connection.transaction().unwrap();
    let error = other.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    drop(transaction);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
}

/// Otherwise `status` may show the figures of one run beside the status of the next.
#[test]
fn all_queries_at_once_see_the_same_records() {
    let (folder, mut cache, work) = with_account();
    let reading = Cache::open_read_only(folder.path()).unwrap().unwrap();
    let last_success = |reading: &Cache| {
        let overviews = reading.overview(NOW)?;
        Ok::<_, Error>(overviews[0].last_success_at)
    };
    let (before, after) = reading
        .at_once(|reading| {
            let before = last_success(reading)?;
            cache.finish_run(work, run(Exit::Success, NOW))?;
            Ok((before, last_success(reading)?))
        })
        .unwrap();
    assert_eq!((before, after), (None, None));
    assert_eq!(last_success(&reading).unwrap(), Some(NOW));
}

/// To make a plan takes longer than to ask for the last verification of one account.
#[test]
fn a_query_keeps_its_plan_for_another_limit() {
    let (folder, cache, work) = with_account();
    let reading = Cache::open_read_only(folder.path()).unwrap().unwrap();
    for cache in [&cache, &reading] {
        let query = "SELECT id FROM runs WHERE account = ?1 ORDER BY id DESC LIMIT ?2";
        let mut query = cache.connection.prepare(query).unwrap();
        for most in 1..10 {
            assert!(!query.exists((work, most)).unwrap());
        }
        assert_eq!(query.get_status(StatementStatus::RePrepare), 0);
    }
}
