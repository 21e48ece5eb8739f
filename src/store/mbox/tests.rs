mod lost;
mod recovery;
mod replaced;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::process::Command;

use super::*;
use crate::exit::Exit;
use crate::failure::Failure;

const SHORT: Duration = Duration::from_millis(200);

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> Mbox {
        self.open_at("inbox").unwrap()
    }

    fn open_at(&self, name: &str) -> Result<Mbox, Error> {
        Mbox::with_patience(&self.path(name), &self.path("spool"), "abc123", SHORT)
    }

    fn content(&self) -> Vec<u8> {
        fs::read(self.path("inbox")).unwrap()
    }

    fn put(&self, name: &str, content: &[u8]) {
        let mut file = File::create(self.path(name)).unwrap();
        file.write_all(content).unwrap();
    }

    /// Another program appends.
    fn append(&self, content: &[u8]) {
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.path("inbox"))
            .unwrap();
        file.write_all(content).unwrap();
    }

    fn spooled(&self) -> usize {
        fs::read_dir(self.path("spool")).unwrap().count()
    }

    /// The messages, as a reader who knows nothing but the format sees them.
    fn messages(&self) -> Vec<Vec<u8>> {
        let content = self.content();
        let mut messages: Vec<Vec<u8>> = Vec::new();
        for line in content.split_inclusive(|&octet| octet == b'\n') {
            if line.starts_with(b"From ") {
                messages.push(Vec::new());
            } else {
                messages.last_mut().unwrap().extend_from_slice(line);
            }
        }
        for message in &mut messages {
            *message = unquote(message);
            assert_eq!(message.pop(), Some(b'\n'), "no blank line behind a message");
        }
        messages
    }
}

fn write(mbox: &Mbox, message: &[u8]) -> Name {
    let mut draft = mbox.draft().unwrap();
    for piece in message.chunks(7) {
        draft.write(piece).unwrap();
    }
    draft.finish().unwrap()
}

fn deliver(mbox: &Mbox, messages: &[&[u8]]) -> Vec<Record> {
    let names: Vec<_> = messages
        .iter()
        .map(|message| write(mbox, message))
        .collect();
    let records = settle(mbox, &names);
    mbox.publish(&names).unwrap();
    records
}

fn settle(mbox: &Mbox, names: &[Name]) -> Vec<Record> {
    let extents = mbox.settle(names).unwrap();
    let records = names.iter().zip(extents);
    records
        .map(|(name, extent)| Record {
            name: name.clone(),
            extent,
        })
        .collect()
}

const ONE: &[u8] = b"From: Eva <eva@example.com>\nMessage-ID: <1@x>\n\nFrom one\n>From two\n";
const TWO: &[u8] = b"Return-Path: <bounce@example.com>\nMessage-ID: <2@x>\n\ntwo\n\n\n";
const NO_BODY: &[u8] = b"Subject: headers only\nMessage-ID: <3@x>\n";

#[test]
fn messages_come_back_octet_for_octet_and_only_when_published() {
    let world = World::new();
    let mbox = world.open();
    let odd: &[&[u8]] = &[
        ONE,
        TWO,
        NO_BODY,
        b"",
        b"\n",
        b"From a b\nSubject: x\n\nFrom\n",
    ];
    let names: Vec<_> = odd.iter().map(|message| write(&mbox, message)).collect();
    let records = settle(&mbox, &names);
    assert_eq!(world.content(), b"");
    mbox.publish(&names).unwrap();
    assert_eq!(world.messages(), odd);
    let content = world.content();
    assert!(content.starts_with(b"From eva@example.com "));
    for record in records {
        let extent = record.extent.unwrap();
        let (start, end) = (
            extent.start as usize,
            (extent.start + extent.length) as usize,
        );
        assert!(content[start..end].starts_with(b"From "));
        assert!(content[start..end].ends_with(b"\n"));
    }
    assert_eq!(world.spooled(), 0);
    deliver(&mbox, &[ONE]);
    assert_eq!(world.messages().len(), 7);
}

#[test]
fn no_field_of_a_message_reaches_over_the_next_one() {
    let world = World::new();
    let mbox = world.open();
    // Longer than what is kept of a header to look at.
    let long = [
        &b"X: "[..],
        &[b'x'; 100_000],
        b"\nContent-Length: 4000\n\nbody\n",
    ]
    .concat();
    let messages: [&[u8]; 4] = [
        b"Subject: x\nContent-Length: 4000\n\nContent-Length: 4\n",
        b"X-IMAP: 1 1\n>Content-Length: 4000\nSubject: y\n\nbody\n",
        &long,
        ONE,
    ];
    deliver(&mbox, &messages);
    assert_eq!(world.messages(), messages);
    let content = String::from_utf8(world.content()).unwrap();
    let fields = content
        .lines()
        .filter(|line| line.contains("Content-Length") || line.contains("X-IMAP"));
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [
            ">Content-Length: 4000",
            // Of the body, where nobody looks for it.
            "Content-Length: 4",
            ">X-IMAP: 1 1",
            ">>Content-Length: 4000",
            ">Content-Length: 4000",
        ]
    );
    // The headers are shown as they were sent.
    let (mut shown, mut sizes) = (Vec::new(), Vec::new());
    Mbox::headers(&world.path("inbox"), &mut |header, octets| {
        shown.push(header.to_vec());
        sizes.push(octets);
    })
    .unwrap();
    assert_eq!(
        shown[1],
        b"X-IMAP: 1 1\n>Content-Length: 4000\nSubject: y\n\n"
    );
    // In the file, without the line in front of them.
    let text = fs::read_to_string(world.path("inbox")).unwrap();
    let lines = text.split_inclusive('\n');
    let in_file = lines.filter(|line| !line.starts_with("From "));
    assert_eq!(
        sizes.iter().sum::<u64>(),
        in_file.map(str::len).sum::<usize>() as u64
    );
}

#[test]
fn a_last_line_without_end_gets_one_once() {
    let world = World::new();
    let mbox = world.open();
    deliver(&mbox, &[b"Subject: x\n\nno end"]);
    assert_eq!(world.messages(), [b"Subject: x\n\nno end\n"]);
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let world = World::new();
    deliver(&world.open(), &[ONE]);
    let mode = |name: &str| fs::metadata(world.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("inbox") & 0o777, 0o600);
    assert_eq!(mode("spool") & 0o777, 0o700);
}

#[test]
fn what_another_program_left_unfinished_is_kept_and_followed_by_a_blank_line() {
    for (before, between) in [
        ("From a Thu Jan  1 00:00:00 1970\n\nbody\n\n", ""),
        ("From a Thu Jan  1 00:00:00 1970\n\nbody\n", "\n"),
        ("From a Thu Jan  1 00:00:00 1970\n\nbody", "\n\n"),
        ("From a Thu Jan  1 00:00:00 1970\r\n\r\nbody\r\n\r\n", ""),
    ] {
        let world = World::new();
        world.put("inbox", before.as_bytes());
        deliver(&world.open(), &[ONE]);
        let content = String::from_utf8(world.content()).unwrap();
        let rest = content.strip_prefix(before).unwrap();
        let rest = rest.strip_prefix(between).unwrap();
        assert!(rest.starts_with("From eva@example.com "), "{before:?}");
    }
}

#[test]
fn what_is_no_mbox_is_refused_and_stays_as_it_is() {
    let world = World::new();
    world.put("text", b"Dear Eva,\n");
    world.put("short", b"Fr");
    world.put("public", b"");
    fs::set_permissions(world.path("public"), fs::Permissions::from_mode(0o666)).unwrap();
    DirBuilder::new()
        .mode(0o700)
        .create(world.path("folder"))
        .unwrap();
    for name in ["maildir/tmp", "maildir/new", "maildir/cur"] {
        DirBuilder::new()
            .recursive(true)
            .create(world.path(name))
            .unwrap();
    }
    symlink(world.path("nowhere"), world.path("dangling")).unwrap();
    symlink("/dev/null", world.path("device")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.path("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    for (name, words) in [
        ("text", "is not an mbox"),
        ("short", "is not an mbox"),
        ("public", "written to by every user"),
        ("folder", "is a folder"),
        ("maildir", "is a Maildir"),
        ("dangling", "leads nowhere"),
        ("device", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("missing/inbox", "its folder is not there"),
        ("text/inbox", "its folder is not there"),
    ] {
        let opened = world.open_at(name);
        let error = opened.and_then(|mbox| mbox.recover(&[], None)).unwrap_err();
        assert!(error.to_string().contains(words), "{name}: {error}");
        assert_eq!(error.exit(), Exit::CannotCreate, "{name}");
        let hint = error.hint().unwrap_or_default();
        assert!(!hint.is_empty(), "{name}");
        // `chmod` does nothing where there are no rights.
        assert_eq!(hint.contains("umask=077"), name == "public", "{hint}");
    }
    assert_eq!(fs::read(world.path("text")).unwrap(), b"Dear Eva,\n");
    assert_eq!(fs::read(world.path("short")).unwrap(), b"Fr");
    assert!(!world.path("nowhere").exists() && !world.path("missing").exists());
}

#[test]
fn a_link_to_an_mbox_is_followed_and_the_lock_is_beside_the_file() {
    let world = World::new();
    DirBuilder::new().create(world.path("real")).unwrap();
    world.put("real/inbox", b"");
    symlink(world.path("real/inbox"), world.path("link")).unwrap();
    let mbox = world.open_at("link").unwrap();
    let names = [write(&mbox, ONE)];
    mbox.settle(&names).unwrap();
    assert!(world.path("real/inbox.lock").exists());
    mbox.publish(&names).unwrap();
    assert!(!world.path("real/inbox.lock").exists());
    assert!(
        fs::read(world.path("real/inbox"))
            .unwrap()
            .starts_with(b"From ")
    );
}

#[test]
fn a_lock_that_another_program_holds_is_waited_for_and_then_given_up() {
    let world = World::new();
    let mbox = world.open();
    let names = [write(&mbox, ONE)];
    world.put("inbox.lock", b"0");
    let error = mbox.settle(&names).unwrap_err();
    assert_eq!(error.exit(), Exit::TemporaryFailure);
    assert!(error.hint().unwrap().contains("inbox.lock"));
    assert!(world.path("inbox.lock").exists());
    fs::remove_file(world.path("inbox.lock")).unwrap();
    mbox.settle(&names).unwrap();
    mbox.publish(&names).unwrap();
    assert_eq!(world.messages(), [ONE]);
}

#[test]
fn a_lock_file_that_belongs_to_nobody_is_no_lock() {
    // A child that has ended: its number is nobody's, as long as it is not given out again.
    let mut child = Command::new("true").spawn().unwrap();
    let gone = child.id();
    child.wait().unwrap();
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let world = World::new();
    let mbox = world.open();
    for note in [
        format!("{gone}\n{host}\n"),
        // In a container every process may have the same number.
        format!("{}\n{host}\n", std::process::id()),
    ] {
        world.put("inbox.lock", note.as_bytes());
        deliver(&mbox, &[ONE]);
        assert!(!world.path("inbox.lock").exists());
    }
    world.put("inbox.lock", b"1\nelsewhere\n");
    assert!(mbox.settle(&[write(&mbox, ONE)]).is_err());
    let lock = File::options()
        .write(true)
        .open(world.path("inbox.lock"))
        .unwrap();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(400);
    lock.set_modified(long_ago).unwrap();
    deliver(&mbox, &[ONE]);
    assert_eq!(world.messages().len(), 3);
}

#[test]
fn a_lock_file_of_a_run_that_ended_is_no_lock_whoever_has_its_number_now() {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let world = World::new();
    let mbox = world.open();
    // A number that is somebody's: 1 is in use on every system.
    let note = format!("1\n{host}\npopsync\n");
    world.put("inbox.lock", note.as_bytes());
    deliver(&mbox, &[ONE]);
    assert!(!world.path("inbox.lock").exists());
    // And one that is nobody's here, as that of a run in another container, which lives.
    let note = format!("{}\n{host}\npopsync\n", i32::MAX);
    world.put("inbox.lock", note.as_bytes());
    let lock = File::open(world.path("inbox.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert!(mbox.settle(&[write(&mbox, TWO)]).is_err());
    drop(lock);
    deliver(&mbox, &[TWO]);
    assert_eq!(world.messages(), [ONE, TWO]);
}

#[test]
fn two_accounts_of_one_process_keep_out_of_each_others_way() {
    let world = World::new();
    let path = world.path("inbox");
    let open = |tag: &str| Mbox::open(&path, &world.path("spool"), tag).unwrap();
    let accounts = [open("one"), open("two")];
    std::thread::scope(|scope| {
        for (number, mbox) in accounts.iter().enumerate() {
            scope.spawn(move || {
                for message in 0..40 {
                    let text = format!("Subject: {number} {message}\n\nbody\n");
                    deliver(mbox, &[text.as_bytes()]);
                }
            });
        }
    });
    let messages = world.messages();
    let different: std::collections::HashSet<_> = messages.iter().collect();
    assert_eq!((messages.len(), different.len()), (80, 80));
}

#[test]
fn a_file_that_was_replaced_is_found_again() {
    let world = World::new();
    let mbox = world.open();
    deliver(&mbox, &[ONE]);
    fs::remove_file(world.path("inbox")).unwrap();
    deliver(&mbox, &[TWO]);
    assert_eq!(world.messages(), [TWO]);
}

#[test]
fn a_draft_that_is_dropped_leaves_nothing_between_the_others() {
    let world = World::new();
    let mbox = world.open();
    let first = write(&mbox, ONE);
    let mut draft = mbox.draft().unwrap();
    draft.write(&[b'x'; 300_000]).unwrap();
    drop(draft);
    let discarded = write(&mbox, NO_BODY);
    let second = write(&mbox, TWO);
    mbox.discard(&[discarded]);
    settle(&mbox, &[first.clone(), second.clone()]);
    mbox.publish(&[first, second]).unwrap();
    assert_eq!(world.messages(), [ONE, TWO]);
    assert_eq!(world.spooled(), 0);
}

#[test]
fn a_batch_that_is_discarded_lets_others_at_the_file() {
    let world = World::new();
    let mbox = world.open();
    let names = [write(&mbox, ONE)];
    mbox.settle(&names).unwrap();
    mbox.discard(&names);
    assert!(!world.path("inbox.lock").exists());
    assert!(mbox.publish(&names).is_err());
    deliver(&mbox, &[TWO]);
    assert_eq!(world.messages(), [TWO]);
}

#[test]
fn a_message_counts_as_deleted_only_when_nothing_of_it_is_there() {
    let world = World::new();
    let mbox = world.open();
    mbox.recover(&[], None).unwrap();
    let names: Vec<_> = [ONE, TWO, NO_BODY, b"Subject: nothing to know it by\n"]
        .iter()
        .map(|message| write(&mbox, message))
        .collect();
    mbox.settle(&names).unwrap();
    mbox.publish(&names).unwrap();
    let whole = String::from_utf8(world.content()).unwrap();
    drop(mbox);
    let held = |content: &str| {
        world.put("inbox", content.as_bytes());
        let inventory = world.open().inventory().unwrap().unwrap();
        assert_eq!(inventory.gap(), None, "{content}");
        names
            .iter()
            .map(|name| inventory.holds(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(held(&whole), [true; 4]);
    // Another program has read it, changed its body, or given it another name.
    assert_eq!(
        held(&whole.replace("Message-ID", "Status: RO\nMessage-ID")),
        [true; 4]
    );
    assert_eq!(held(&whole.replace("two\n", "changed\n")), [true; 4]);
    assert_eq!(held(&whole.replace("<2@x>", "<changed@x>")), [true; 4]);
    let gone = whole
        .replace("<2@x>", "<changed@x>")
        .replace("two\n", "changed\n");
    assert_eq!(held(&gone), [true, false, true, true]);
    let gone = whole.replace("<3@x>", "<changed@x>");
    assert_eq!(held(&gone), [true, true, false, true]);
    assert_eq!(held(""), [false, false, false, true]);

    world.put("inbox.lock", b"0");
    let inventory = world.open().inventory().unwrap().unwrap();
    assert_eq!(inventory.gap(), Some(&Gap::Changing));
    fs::remove_file(world.path("inbox.lock")).unwrap();
    fs::remove_file(world.path("inbox")).unwrap();
    let inventory = world.open().inventory().unwrap().unwrap();
    assert!(matches!(inventory.gap(), Some(Gap::Unreadable { .. })));
}
