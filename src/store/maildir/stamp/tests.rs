use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::store::{Maildir, Store, locate, names_by_tag};

const TAG: &str = "0123456789abcdef";

fn put(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

#[test]
fn a_stamp_holds_the_newest_key_of_its_account_alone() {
    let root = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(root.path(), TAG).unwrap();
    let other = Maildir::open(root.path(), "fedcba9876543210").unwrap();
    assert_eq!(maildir.stamp().unwrap(), None);
    for key in [1, 7, 7, i64::MAX, 3] {
        maildir.set_stamp(key).unwrap();
        assert_eq!(maildir.stamp().unwrap(), Some(key));
        assert_eq!(Maildir::stamp_at(root.path(), TAG).unwrap(), Some(key));
    }
    assert_eq!(other.stamp().unwrap(), None);
    other.set_stamp(12).unwrap();
    assert_eq!(maildir.stamp().unwrap(), Some(3));
    // Nothing is left behind in `tmp`.
    assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 0);
    let nowhere = root.path().join("nowhere");
    assert_eq!(Maildir::stamp_at(&nowhere, TAG).unwrap(), None);
}

#[test]
fn what_makes_no_sense_is_no_stamp_and_is_written_over() {
    let root = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(root.path(), TAG).unwrap();
    let path = root.path().join(name(TAG));
    for content in [
        &b""[..],
        b"\n",
        b"12",
        b"12\n\n",
        b"-12\n",
        b"+12\n",
        b" 12\n",
        b"12\r\n",
        b"\0\0\0\n",
        b"99999999999999999999\n",
        b"000000000000000000000000000000000000000000000012\n",
        b"From a\n",
    ] {
        put(&path, content);
        assert_eq!(maildir.stamp().unwrap(), None, "{content:?}");
    }
    // A link is neither read nor written through.
    let elsewhere = root.path().join("elsewhere");
    put(&elsewhere, b"5\n");
    fs::remove_file(&path).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(maildir.stamp().unwrap(), None);
    maildir.set_stamp(6).unwrap();
    assert_eq!(fs::read(&elsewhere).unwrap(), b"5\n");
    assert_eq!(maildir.stamp().unwrap(), Some(6));
    // A folder cannot be overwritten.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(maildir.stamp().unwrap(), None);
    assert!(maildir.set_stamp(7).is_err());
    assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn nobody_takes_a_stamp_for_a_message_or_for_another_store() {
    let root = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(root.path(), TAG).unwrap();
    let before = Maildir::identity(root.path()).unwrap();
    maildir.set_stamp(1).unwrap();
    assert_eq!(Maildir::identity(root.path()).unwrap(), before);
    assert!(names_by_tag(root.path()).is_empty());
    // The part of its name that would stay the same in a message's.
    let names = [Name(".popsync".to_owned()), Name(name(TAG))];
    assert!(locate(root.path(), &names).is_empty());
    let seen = Maildir::look(root.path()).unwrap();
    assert!(names.iter().all(|name| !seen.holds(name)));
    // Recovery leaves it where it is.
    maildir.recover(&[], None).unwrap();
    assert_eq!(maildir.stamp().unwrap(), Some(1));
}
