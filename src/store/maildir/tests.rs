use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::failure::Failure;

fn maildir() -> (tempfile::TempDir, Maildir) {
    let folder = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(&folder.path().join("deep/down/mail"), "abc123").unwrap();
    (folder, maildir)
}

fn write(maildir: &Maildir, text: &str) -> Name {
    let mut draft = maildir.draft().unwrap();
    draft.write(text.as_bytes()).unwrap();
    draft.finish().unwrap()
}

fn names(maildir: &Maildir, folder: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(maildir.inner.path.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn messages_become_visible_only_when_published() {
    let (_folder, maildir) = maildir();
    for count in [1, 40] {
        let batch: Vec<_> = (0..count)
            .map(|n| write(&maildir, &format!("message {n}")))
            .collect();
        maildir.settle(&batch).unwrap();
        let before = names(&maildir, "new").len();
        assert_eq!(names(&maildir, "tmp").len(), count);
        maildir.publish(&batch).unwrap();
        assert_eq!(names(&maildir, "tmp").len(), 0);
        assert_eq!(names(&maildir, "new").len(), before + count);
    }
}

#[test]
fn everything_is_for_its_owner_alone() {
    let (folder, maildir) = maildir();
    let written = write(&maildir, "secret");
    maildir.publish(&[written]).unwrap();
    for path in [
        "deep",
        "deep/down",
        "deep/down/mail",
        "deep/down/mail/new",
        "deep/down/mail/tmp",
    ] {
        let mode = fs::metadata(folder.path().join(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{path}");
    }
    let file = folder
        .path()
        .join("deep/down/mail/new")
        .join(&names(&maildir, "new")[0]);
    assert_eq!(
        fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_draft_that_is_dropped_leaves_nothing() {
    let (_folder, maildir) = maildir();
    let mut draft = maildir.draft().unwrap();
    draft.write(b"half a mess").unwrap();
    drop(draft);
    assert!(names(&maildir, "tmp").is_empty());
}

#[test]
fn links_in_place_of_the_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), folder.path().join("new")).unwrap();
    let error = Maildir::open(folder.path(), "abc").unwrap_err();
    assert_eq!(error.exit(), crate::exit::Exit::CannotCreate);
    assert!(error.hint().unwrap().contains("none of them a link"));
    // The Maildir itself may be one.
    let link = elsewhere.path().join("link");
    let real = elsewhere.path().join("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    Maildir::open(&link, "abc").unwrap();
    assert!(real.join("cur").is_dir());
}

#[test]
fn recovery_publishes_what_was_staged_and_removes_the_rest_of_ours() {
    let (_folder, maildir) = maildir();
    let path = &maildir.inner.path;
    let [staged, seen, filed, flagged, gone, unrecorded] =
        ["a", "b", "c", "d", "e", "f"].map(|text| write(&maildir, text));
    fs::create_dir_all(path.join(".Archive/cur")).unwrap();
    let from = |name: &Name| path.join("tmp").join(name.as_str());
    #[expect(clippy::disallowed_methods, reason = "plays the reader who moves mail")]
    let rename = |a: PathBuf, b: PathBuf| fs::rename(a, b).unwrap();
    rename(from(&seen), path.join("new").join(seen.as_str()));
    rename(
        from(&filed),
        path.join(".Archive/cur").join(format!("{filed}:2,S")),
    );
    rename(
        from(&flagged),
        path.join("cur").join(format!("{flagged}:2,")),
    );
    fs::remove_file(from(&gone)).unwrap();
    File::create(path.join("tmp/1700000000.M1P1.other")).unwrap();
    File::create(path.join("tmp/1700000000.Aabc124R1Q1.popsync")).unwrap();

    let records = [&staged, &seen, &filed, &flagged, &gone].map(|name| Record {
        name: name.clone(),
        extent: None,
    });
    let recovered = maildir.recover(&records, None).unwrap();

    assert_eq!(recovered.lost, [gone]);
    assert_eq!((recovered.again, recovered.notices), (vec![], vec![]));
    let mut new = vec![staged.to_string(), seen.to_string()];
    new.sort();
    assert_eq!(names(&maildir, "new"), new);
    // Other programs' and other accounts' files stay; ours without a record goes.
    assert_eq!(
        names(&maildir, "tmp"),
        ["1700000000.Aabc124R1Q1.popsync", "1700000000.M1P1.other"]
    );
    assert!(!from(&unrecorded).exists());
}

#[test]
fn publishing_what_is_not_there_is_an_error() {
    let (_folder, maildir) = maildir();
    assert!(maildir.publish(&[Name("nothing".into())]).is_err());
}

/// As on NFS, where the answer to a rename got lost and the rename is asked for again.
#[test]
fn a_rename_that_was_done_without_an_answer_is_done() {
    let (_folder, maildir) = maildir();
    let at = |folder: &str, name: &str| maildir.inner.path.join(folder).join(name);
    let batch: Vec<_> = (0..4)
        .map(|n| write(&maildir, &format!("message {n}")))
        .collect();
    maildir.settle(&batch).unwrap();
    let [first, second, third, _] = [0, 1, 2, 3].map(|n| batch[n].as_str());
    rename(&at("tmp", first), &at("new", first));
    // Readers were quick, and one of them has no `:` in its names.
    rename(&at("tmp", second), &at("cur", &format!("{second}:2,S")));
    rename(&at("tmp", third), &at("cur", &format!("{third};2,S")));
    maildir.publish(&batch).unwrap();
    assert_eq!(names(&maildir, "tmp"), [""; 0]);
    assert_eq!(names(&maildir, "new").len(), 2);
    assert_eq!(names(&maildir, "cur").len(), 2);
    // One that is nowhere is missed, and no other stays behind for it.
    let batch: Vec<_> = (4..7)
        .map(|n| write(&maildir, &format!("message {n}")))
        .collect();
    fs::remove_file(at("tmp", batch[0].as_str())).unwrap();
    rename(&at("tmp", batch[1].as_str()), &at("new", batch[1].as_str()));
    let error = maildir.publish(&batch).unwrap_err().to_string();
    assert!(error.contains(batch[0].as_str()), "{error}");
    assert_eq!(names(&maildir, "tmp"), [""; 0]);
    assert_eq!(names(&maildir, "new").len(), 4);
}

fn rename(from: &Path, to: &Path) {
    rustix::fs::rename(from, to).unwrap();
}

#[test]
fn names_never_repeat_and_hold_nothing_but_safe_characters() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [(); 2].map(|()| Maildir::open(folder.path(), "abc").unwrap());
    let all: HashSet<String> = (0..100)
        .flat_map(|_| runs.iter().map(|run| run.inner.names.next().0))
        .collect();
    assert_eq!(all.len(), 200);
    assert!(all.iter().all(|name| {
        name.len() < 100
            && name
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'.')
    }));
}
