//! `headers-only-above`, `header-stubs`, `popsync mark` and `unmark`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::path::PathBuf;

use exchange_sim::{IdForm, Knobs, Missing, Sizes};
use serde_json::Value;

use support::bench::{Bench, Ended, Setup, letter, letters, stored_form};

const ABOVE: &str = "headers-only-above = \"10 KB\"";
const DELETES: &str = "headers-only-above = \"10 KB\"\nleave-on-server = false";
const STUBS: &str = "headers-only-above = \"10 KB\"\nheader-stubs = true";

/// A message of some 20 kB.
fn large(number: usize) -> Vec<u8> {
    let mut message = format!(
        "From: sender{number}@example.com\r\nSubject: large {number}\r\n\
         Message-ID: <large{number}@example.com>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    );
    for line in 0..400 {
        message.push_str(&format!(
            "Line {line} of large message {number}, and some more.\r\n"
        ));
    }
    message.into_bytes()
}

/// Two letters and a large message between them.
fn mails() -> Vec<Vec<u8>> {
    vec![letter(1), large(1), letter(2)]
}

fn counts(bench: &Bench) -> (usize, usize, usize) {
    let count = |verb| bench.sim.commands_of(verb).len();
    let counts = (count("TOP"), count("RETR"), count("DELE"));
    bench.sim.clear_log();
    counts
}

fn objects(ended: &Ended) -> Vec<Value> {
    let lines = ended.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The summary of a sync.
fn sync(bench: &Bench, keys: &str) -> Value {
    let ended = bench.sync(keys, &["--json"]).gives(0);
    assert_eq!(ended.err, "");
    objects(&ended).pop().unwrap()
}

fn list(bench: &Bench, keys: &str) -> Vec<Value> {
    objects(&bench.configured("list", keys, &["work", "--json"]).gives(0))
}

/// The unique-ids of large messages in the output of `list`.
fn unique_ids(bench: &Bench) -> Vec<String> {
    let messages = list(bench, ABOVE).into_iter();
    let large = messages.filter(|message| message["state"] == "headers-only");
    large
        .map(|message| message["unique_id"].as_str().unwrap().to_owned())
        .collect()
}

fn mark(bench: &Bench, ids: &[String]) {
    let arguments: Vec<&str> = ["work"]
        .into_iter()
        .chain(ids.iter().map(String::as_str))
        .collect();
    bench.configured("mark", ABOVE, &arguments).gives(0);
}

/// The stubs, wherever they are.
fn stubs(bench: &Bench) -> Vec<PathBuf> {
    let files = bench.store.files().into_keys();
    let mut stubs: Vec<_> = files
        .filter(|path| fs::read(path).unwrap().starts_with(b"X-Popsync-Stub:"))
        .collect();
    stubs.sort();
    stubs
}

#[test]
fn large_messages_come_as_headers_until_they_are_marked() {
    for pipelining in [false, true] {
        let knobs = Knobs {
            pipelining,
            ..Knobs::default()
        };
        let bench = Setup::with(mails()).knobs(knobs).start();
        let summary = sync(&bench, ABOVE);
        assert_eq!(
            (&summary["retrieved"], &summary["headers"]),
            (&2.into(), &1.into())
        );
        assert_eq!(counts(&bench), (1, 2, 0));
        bench.assert_stored(&[letter(1), letter(2)].map(|letter| stored_form(&letter)));
        // Without new messages there is nothing to do.
        let summary = sync(&bench, ABOVE);
        assert_eq!(
            (&summary["retrieved"], &summary["headers"]),
            (&0.into(), &0.into())
        );
        assert_eq!(counts(&bench), (0, 0, 0));

        let shown = list(&bench, ABOVE);
        let states: Vec<_> = shown
            .iter()
            .map(|message| message["state"].as_str().unwrap())
            .collect();
        assert_eq!(states, ["stored", "headers-only", "stored"]);
        assert_eq!(
            (&shown[1]["subject"], &shown[1]["marked"]),
            (&"large 1".into(), &false.into())
        );
        // The header is here.
        assert_eq!(counts(&bench), (0, 0, 0));
        let status = bench
            .configured("status", ABOVE, &["work", "--json"])
            .gives(0);
        assert_eq!(objects(&status)[0]["headers_only"], 1);

        mark(&bench, &unique_ids(&bench));
        assert_eq!(list(&bench, ABOVE)[1]["marked"], true);
        bench.sim.clear_log();
        assert_eq!(sync(&bench, ABOVE)["retrieved"], 1);
        assert_eq!(counts(&bench), (0, 1, 0));
        bench.assert_exactly_once();
        assert_eq!(list(&bench, ABOVE)[1]["state"], "stored");
        sync(&bench, ABOVE);
        assert_eq!(counts(&bench), (0, 0, 0));
        bench.assert_exactly_once();
        bench.assert_no_violations();
    }
}

#[test]
fn a_message_that_is_on_the_server_but_for_its_header_is_never_deleted() {
    let bench = Bench::with(mails());
    for _ in 0..2 {
        sync(&bench, DELETES);
        assert_eq!(bench.mailbox().len(), 1);
    }
    assert_eq!(counts(&bench), (1, 2, 2));
    mark(&bench, &unique_ids(&bench));
    sync(&bench, DELETES);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
}

/// From then on the policy applies to the whole message, counted from that time and not from its
/// header's.
#[test]
fn days_are_counted_from_when_it_is_whole() {
    let keys = "headers-only-above = \"10 KB\"\nremove-after-days = 1";
    let bench = Bench::with(mails());
    sync(&bench, keys);
    let database = rusqlite::Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
    let day = 24 * 60 * 60 + 1;
    database
        .execute("UPDATE messages SET stored_at = stored_at - ?1", [day])
        .unwrap();
    database
        .execute("UPDATE headers_only SET seen_at = seen_at - ?1", [day])
        .unwrap();
    drop(database);
    mark(&bench, &unique_ids(&bench));
    sync(&bench, keys);
    assert_eq!(bench.mailbox().len(), 1);
    sync(&bench, keys);
    assert_eq!(bench.mailbox().len(), 1);
    bench.assert_exactly_once();
}

#[test]
fn marks_can_be_taken_back_and_unknown_ones_are_an_error() {
    let bench = Bench::with(mails());
    let ended = bench.configured("mark", ABOVE, &["work", "x"]).gives(64);
    ended.says("no message with the unique-id or number `x` can be marked");
    assert!(!bench.path("state").exists());
    sync(&bench, ABOVE);
    let ids = unique_ids(&bench);
    bench
        .configured("mark", ABOVE, &["work", &ids[0], "x"])
        .gives(64)
        .says("hint: nothing was changed");
    bench
        .configured("mark", ABOVE, &["home", &ids[0]])
        .gives(64)
        .says("`home`");
    assert_eq!(list(&bench, ABOVE)[1]["marked"], false);
    mark(&bench, &ids);
    bench
        .configured("unmark", ABOVE, &["work", &ids[0]])
        .gives(0);
    bench.sim.clear_log();
    sync(&bench, ABOVE);
    assert_eq!(counts(&bench), (0, 0, 0));
    // A stored message needs no mark, and that is no error.
    let stored = list(&bench, ABOVE)[0]["unique_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = bench
        .configured("mark", ABOVE, &["work", &stored, "--json"])
        .gives(0);
    let object = &objects(&ended)[0];
    assert_eq!(
        (&object["event"], &object["stored"]),
        (&"marked".into(), &true.into())
    );
}

#[test]
fn unique_ids_are_taken_as_they_are_shown() {
    for octets in [&b"\\x41"[..], b"\xff\x00\x1b", b"'\"$(`", b"\\"] {
        let bench = Setup::with(mails())
            .knobs(Knobs {
                uid_bytes: Some(octets.to_vec()),
                ..Knobs::default()
            })
            .start();
        sync(&bench, ABOVE);
        mark(&bench, &unique_ids(&bench));
        sync(&bench, ABOVE);
        bench.assert_exactly_once();
    }
}

#[test]
fn a_changed_setting_brings_the_whole_message() {
    for keys in ["", "headers-only-above = \"1 MB\""] {
        let bench = Bench::with(mails());
        sync(&bench, ABOVE);
        counts(&bench);
        assert_eq!(sync(&bench, keys)["retrieved"], 1);
        assert_eq!(counts(&bench), (0, 1, 0));
        bench.assert_exactly_once();
    }
}

#[test]
fn max_size_does_not_hold_back_what_a_person_asked_for() {
    let keys = "headers-only-above = \"5 KB\"\nmax-size = \"8 KB\"";
    let bench = Bench::with(mails());
    sync(&bench, keys);
    assert_eq!(counts(&bench), (1, 2, 0));
    mark(&bench, &unique_ids(&bench));
    sync(&bench, keys);
    bench.assert_exactly_once();
}

#[test]
fn without_top_it_is_said_once_and_a_mark_works_all_the_same() {
    for missing in [Missing::Absent, Missing::Refused] {
        let bench = Bench::with(mails());
        bench.knobs(Knobs {
            no_top: Some(missing),
            ..Knobs::default()
        });
        let ended = bench.sync(DELETES, &[]).gives(0);
        ended.says("the server gives no header (TOP) of 1 large messages");
        assert_eq!(counts(&bench), (1, 2, 2));
        assert_eq!(bench.sync(DELETES, &[]).gives(0).err, "");
        assert_eq!(counts(&bench), (0, 0, 0));
        assert_eq!(bench.mailbox().len(), 1);
        mark(&bench, &unique_ids(&bench));
        sync(&bench, DELETES);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
}

#[test]
fn sizes_that_lie_lose_nothing() {
    for (lie, retrieved) in [("0", 3), ("99999999999", 0)] {
        let bench = Bench::with(mails());
        bench.knobs(Knobs {
            size_lie: Some(lie.to_owned()),
            ..Knobs::default()
        });
        assert_eq!(sync(&bench, DELETES)["retrieved"], retrieved, "{lie}");
        assert_eq!(bench.mailbox().len(), 3 - retrieved, "{lie}");
        bench.knobs(Knobs::default());
        sync(&bench, "leave-on-server = false");
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
    let refused = Knobs {
        no_list: Some(Missing::Refused),
        ..Knobs::default()
    };
    let nonsense = Knobs {
        size_lie: Some("xx".to_owned()),
        ..Knobs::default()
    };
    for knobs in [refused, nonsense] {
        let bench = Bench::with(mails());
        bench.knobs(knobs);
        let ended = bench.sync(ABOVE, &[]).gives(0);
        ended.says("gives no sizes of 3 messages");
        bench.assert_exactly_once();
    }
    // Exchange 2003 changes the size of a message once it was retrieved.
    let bench = Bench::with(mails());
    bench.knobs(Knobs {
        sizes: Some(Sizes::StorageFirstRetr),
        ..Knobs::default()
    });
    for _ in 0..2 {
        sync(&bench, DELETES);
    }
    mark(&bench, &unique_ids(&bench));
    sync(&bench, DELETES);
    bench.assert_exactly_once();
}

#[test]
fn a_dry_run_says_so_and_keeps_nothing() {
    let bench = Bench::with(mails());
    let ended = bench.sync(ABOVE, &["--dry-run", "-v"]).gives(0);
    assert!(
        ended.out.contains("(larger than headers-only-above)"),
        "{}",
        ended.text()
    );
    assert_eq!(counts(&bench), (0, 0, 0));
    let status = objects(&bench.configured("status", ABOVE, &["--json"]).gives(0));
    assert_eq!(status.len(), 1);
    for (field, expected) in [("last_run", Value::Null), ("headers_only", 0.into())] {
        assert_eq!(status[0][field], expected, "{field}");
    }
    // Nor does anything remain that belongs to no account.
    let all = bench.configured("status", ABOVE, &["--all", "--json"]);
    assert_eq!(objects(&all.gives(0)), status);
}

#[test]
fn a_stub_stands_for_the_message_until_that_is_here() {
    for keys in [STUBS, &format!("{STUBS}\nline-endings = \"crlf\"")] {
        let bench = Bench::with(mails());
        sync(&bench, keys);
        for _ in 0..2 {
            let stubs = stubs(&bench);
            assert_eq!((stubs.len(), bench.store.len()), (1, 3));
            let text = fs::read_to_string(&stubs[0]).unwrap();
            assert!(text.contains("Subject: large 1"), "{text}");
            assert!(text.contains("popsync mark 'work' '"), "{text}");
            assert_eq!(text.contains('\r'), keys.contains("crlf"));
            sync(&bench, keys);
        }
        mark(&bench, &unique_ids(&bench));
        sync(&bench, keys);
        assert_eq!((stubs(&bench).len(), bench.store.len()), (0, 3));
        assert_eq!(bench.store.tmp(), [""; 0]);
        if keys == STUBS {
            bench.assert_exactly_once();
        }
    }
}

#[test]
fn a_stub_is_replaced_wherever_a_mail_program_put_it() {
    for place in 0..4 {
        let bench = Bench::with(mails());
        sync(&bench, STUBS);
        let stub = stubs(&bench).pop().unwrap();
        let name = stub.file_name().unwrap().to_str().unwrap();
        match place {
            0 => bench.store.read(name),
            1 => bench.store.archive(name),
            // A stub that a person deletes is not made again, and that is no error.
            2 => fs::remove_file(&stub).unwrap(),
            _ => {}
        }
        let left = usize::from(place != 2);
        sync(&bench, STUBS);
        assert_eq!(stubs(&bench).len(), left);
        mark(&bench, &unique_ids(&bench));
        sync(&bench, STUBS);
        assert_eq!(stubs(&bench).len(), 0);
        bench.assert_exactly_once();
        sync(&bench, STUBS);
        bench.assert_exactly_once();
    }
}

#[test]
fn stubs_come_later_for_headers_that_are_here_already() {
    let bench = Bench::with(mails());
    sync(&bench, ABOVE);
    counts(&bench);
    sync(&bench, STUBS);
    assert_eq!(stubs(&bench).len(), 1);
    assert_eq!(counts(&bench), (0, 0, 0));
    // Removing both keys retrieves the message, and removes the stub.
    sync(&bench, "");
    bench.assert_exactly_once();
}

/// A crash at every step of making the stub, and of replacing it.
#[test]
fn after_a_crash_there_is_one_stub_or_the_message_and_never_both() {
    for stop_at in ["1", "2", "3", "4", "5"] {
        let bench = Bench::with([large(1), large(2)]);
        let run = bench.sync(STUBS, &[]).env("POPSYNC_STOP_AT", stop_at);
        assert!(run.end().was_killed(), "{stop_at}");
        sync(&bench, STUBS);
        assert_eq!(
            (stubs(&bench).len(), bench.store.len()),
            (2, 2),
            "{stop_at}"
        );
        assert_eq!(bench.store.tmp(), [""; 0], "{stop_at}");
    }
    for stop_at in ["1", "2", "3", "4", "5", "7"] {
        let bench = Bench::with([large(1), large(2)]);
        sync(&bench, STUBS);
        mark(&bench, &unique_ids(&bench)[..1]);
        let run = bench.sync(STUBS, &[]).env("POPSYNC_STOP_AT", stop_at);
        assert!(run.end().was_killed(), "{stop_at}");
        // The whole message comes before the stub is removed: one of them is always there.
        assert!(bench.store.len() >= 2, "{stop_at}");
        sync(&bench, STUBS);
        assert_eq!(
            (stubs(&bench).len(), bench.store.len()),
            (1, 2),
            "{stop_at}"
        );
        assert!(bench.store.holds(&stored_form(&large(1))), "{stop_at}");
        assert_eq!(bench.store.tmp(), [""; 0], "{stop_at}");
        mark(&bench, &unique_ids(&bench));
        sync(&bench, STUBS);
        bench.assert_exactly_once();
    }
}

#[test]
fn a_server_that_renames_its_messages_brings_no_second_stub() {
    let bench = Bench::with([letters(5), vec![large(1), large(2)]].concat());
    sync(&bench, STUBS);
    mark(&bench, &unique_ids(&bench)[..1]);
    bench.mailbox().renumber_all_ids(IdForm::Legacy);
    bench.sim.clear_log();
    bench.sync(STUBS, &[]).gives(0);
    assert_eq!(counts(&bench).1, 0);
    assert_eq!((stubs(&bench).len(), bench.store.len()), (2, 7));
    // The mark has moved with the message.
    assert_eq!(sync(&bench, STUBS)["retrieved"], 1);
    assert_eq!((stubs(&bench).len(), bench.store.len()), (1, 7));
    mark(&bench, &unique_ids(&bench));
    sync(&bench, STUBS);
    bench.assert_exactly_once();
}

#[test]
fn fetch_has_the_same_as_flags() {
    let bench = Bench::with(mails());
    let flags = ["--headers-only-above", "10 KB", "--header-stubs", "true"];
    bench.fetch(&flags).gives(0);
    assert_eq!((stubs(&bench).len(), bench.store.len()), (1, 3));
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
}

/// Numbers are those on the screen, also after the server has given them to other messages.
#[test]
fn messages_are_marked_by_the_numbers_that_were_listed() {
    let bench = Bench::with([mails(), vec![large(2)]].concat());
    sync(&bench, ABOVE);
    let numbers = |arguments: &[&str], status: i32| {
        let arguments = [&["work"], arguments].concat();
        bench.configured("mark", ABOVE, &arguments).gives(status)
    };
    numbers(&["4"], 64).says("or number `4` can be marked");
    let ids = unique_ids(&bench);
    // Stored messages and numbers that nobody has cannot be marked.
    for number in ["1", "5", "04x", "99999999999"] {
        numbers(&["4", number], 64);
    }
    assert_eq!(list(&bench, ABOVE)[3]["marked"], false);
    let first = bench.mailbox().unique_ids().swap_remove(0);
    assert!(bench.mailbox().remove(first));
    let told = objects(&numbers(&["4", "--json"], 0));
    assert_eq!(told[0]["unique_id"], *ids[1]);
    let shown = list(&bench, ABOVE);
    let marked = shown.iter().filter(|message| message["marked"] == true);
    let marked: Vec<_> = marked.map(|message| &message["number"]).collect();
    assert_eq!(marked, [3]);
    // A list with other numbers counts from then on.
    numbers(&["4"], 64);
    bench.configured("unmark", ABOVE, &["work", "3"]).gives(0);
    assert_eq!(list(&bench, ABOVE)[2]["marked"], false);
}

/// Some servers count their unique-ids.
#[test]
fn a_unique_id_of_digits_goes_before_a_number() {
    let bench = Bench::with([mails(), vec![large(2)]].concat());
    sync(&bench, ABOVE);
    let ids = unique_ids(&bench);
    let database = rusqlite::Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
    let rename = "UPDATE headers_only SET unique_id = ?1, shown_number = ?2 WHERE unique_id = ?3";
    for (unique_id, number, was) in [("4", 2, &ids[0]), ("x", 4, &ids[1])] {
        database
            .execute(rename, (unique_id.as_bytes(), number, was.as_bytes()))
            .unwrap();
    }
    for named in ["4", "2"] {
        let arguments = ["work", named, "--json"];
        let told = objects(&bench.configured("mark", ABOVE, &arguments).gives(0));
        assert_eq!(told[0]["unique_id"], "4", "{named}");
    }
}

/// At the prompt, `mark` offers the messages that it can mark, and `unmark` those that are marked.
#[test]
fn unique_ids_are_completed() {
    let bench = Bench::with([mails(), vec![large(2)]].concat());
    sync(&bench, ABOVE);
    let ids = unique_ids(&bench);
    let offered = |command: &str| {
        // Whatever stands before the words counts for nothing.
        let mut run = bench.configured("sync", ABOVE, &["--", "popsync", "--state-dir"]);
        run.command
            .arg(bench.path("state"))
            .args([command, "work", ""]);
        let run = run.env("_POPSYNC_COMPLETE", "bash");
        let ended = run.env("_CLAP_COMPLETE_INDEX", "5").gives(0);
        assert_eq!(ended.err, "");
        let lines = ended.out.lines().map(str::to_owned);
        lines
            .filter(|line| !line.starts_with('-'))
            .collect::<Vec<_>>()
    };
    assert_eq!(offered("mark"), ids);
    assert!(offered("unmark").is_empty());
    mark(&bench, &ids[..1]);
    assert_eq!(offered("mark"), ids[1..]);
    assert_eq!(offered("unmark"), ids[..1]);
}
