use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use std::fs::File;

use super::*;
use crate::store::Name;
use crate::store::maildir::presence::{identity, is_there};

struct Mail(tempfile::TempDir);

impl Mail {
    fn new() -> Self {
        // A name without a dot: that would have siblings.
        let mail = Self(tempfile::Builder::new().prefix("mail").tempdir().unwrap());
        for folder in ["new", "cur", "tmp"] {
            mail.folder(folder);
        }
        mail
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn folder(&self, path: &str) {
        fs::create_dir_all(self.root().join(path)).unwrap();
    }

    fn file(&self, path: &str) {
        File::create(self.root().join(path)).unwrap();
    }

    /// The looks below are not about how fresh the folders are.
    fn rest(&self) {
        let began = Instant::now();
        while began.elapsed() < TICK {
            thread::yield_now();
        }
    }

    fn holds(&self, name: &str) -> bool {
        inventory(self.root()).unwrap().holds(&name_of(name))
    }
}

fn name_of(text: &str) -> Name {
    Name(text.to_owned())
}

#[test]
fn messages_are_found_wherever_readers_put_them_and_however_they_rename_them() {
    let mail = Mail::new();
    for folder in [".Archive/cur", ".a.b.c/new", "Lists/rust/cur", ".Trash/tmp"] {
        mail.folder(folder);
    }
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("cur")).unwrap();
    symlink(elsewhere.path(), mail.root().join(".Linked")).unwrap();
    // A link that leads back is no end.
    symlink(mail.root(), mail.root().join(".Loop")).unwrap();
    for path in [
        "new/1.AxR1Q1.popsync",
        "cur/2.AxR1Q2.popsync:2,S",
        "cur/3.AxR1Q3.popsync,S=1234,W=1250:2,RS",
        "cur/4.AxR1Q4.popsync;2,FS",
        ".Archive/cur/5.AxR1Q5.popsync:2,",
        ".a.b.c/new/6.AxR1Q6.popsync",
        "Lists/rust/cur/7.AxR1Q7.popsync!2,S",
        ".Trash/tmp/8.AxR1Q8.popsync",
        ".Linked/cur/9.AxR1Q9.popsync:2,T",
        "cur/adopted.by.mutt:2,S",
    ] {
        mail.file(path);
    }
    mail.rest();
    let found = inventory(mail.root()).unwrap();
    assert_eq!(found.gap(), None);
    for number in 1..=9 {
        let name = format!("{number}.AxR1Q{number}.popsync");
        assert!(found.holds(&name_of(&name)), "{name}");
    }
    assert!(found.holds(&name_of("adopted.by.mutt")));
    assert!(!found.holds(&name_of("10.AxR1Q10.popsync")));
}

#[test]
fn what_cannot_be_read_puts_the_absence_of_all_in_doubt() {
    let mail = Mail::new();
    mail.file("new/1.AxR1Q1.popsync");
    symlink("/nowhere/at/all", mail.root().join(".Unmounted")).unwrap();
    mail.rest();
    let found = inventory(mail.root()).unwrap();
    assert!(matches!(
        found.gap(),
        Some(Gap::Unreadable { what }) if what.contains(".Unmounted")
    ));
    assert!(found.holds(&name_of("1.AxR1Q1.popsync")));
    assert!(inventory(&mail.root().join("nowhere")).is_err());
}

#[test]
fn a_maildir_is_told_from_an_empty_mount_point_and_from_another_one() {
    let mail = Mail::new();
    assert!(is_there(mail.root()).unwrap());
    let identity_before = identity(mail.root()).unwrap();
    let empty = tempfile::tempdir().unwrap();
    assert!(!is_there(empty.path()).unwrap());
    assert!(!is_there(&empty.path().join("deeper")).unwrap());
    mail.file("new/1.AxR1Q1.popsync");
    assert_eq!(identity(mail.root()).unwrap(), identity_before);
    assert_ne!(identity(Mail::new().root()).unwrap(), identity_before);
}

/// A message that is moved to and fro all the time is never absent: either it is seen, or the
/// look says that it could not tell.
#[test]
fn a_message_in_transit_is_never_missed() {
    let mail = Mail::new();
    mail.folder(".Archive/cur");
    let name = "1.AxR1Q1.popsync";
    let places = [
        mail.root().join("new").join(name),
        mail.root().join("cur").join(format!("{name}:2,S")),
        mail.root()
            .join(".Archive/cur")
            .join(format!("{name}:2,RS")),
    ];
    for number in 0..200 {
        mail.file(&format!("cur/{number}.filler"));
    }
    File::create(&places[0]).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            while !stop.load(Ordering::Relaxed) {
                let to = (at + 1) % places.len();
                #[expect(clippy::disallowed_methods, reason = "plays the reader who moves mail")]
                fs::rename(&places[at], &places[to]).unwrap();
                at = to;
            }
        });
        for _ in 0..3 {
            let found = inventory(mail.root()).unwrap();
            let holds = found.holds(&name_of(name));
            assert!(holds || found.gap().is_some());
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(mail.holds(name));
}

/// Maildir++: the folders of `X/.work` are beside it, and `X` is one mail program's root.
#[test]
fn messages_are_found_beside_the_maildir_too() {
    let mail = Mail::new();
    for folder in [
        ".work/cur",
        ".work/new",
        ".work.Archive/cur",
        ".home/new",
        ".cache/cur",
    ] {
        mail.folder(folder);
    }
    for (number, path) in [
        ".work/cur/1.AxR1Q1.popsync:2,S",
        ".work.Archive/cur/2.AxR1Q2.popsync:2,S",
        ".home/new/3.AxR1Q3.popsync",
        "cur/4.AxR1Q4.popsync:2,FS",
    ]
    .into_iter()
    .enumerate()
    {
        mail.file(path);
        mail.rest();
        let found = inventory(&mail.root().join(".work")).unwrap();
        assert_eq!(found.gap(), None, "{path}");
        let name = format!("{0}.AxR1Q{0}.popsync", number + 1);
        assert!(found.holds(&name_of(&name)), "{path}");
    }
    // The root need not be a Maildir.
    fs::remove_dir(mail.root().join("tmp")).unwrap();
    let found = inventory(&mail.root().join(".work")).unwrap();
    assert!(found.holds(&name_of("2.AxR1Q2.popsync")));
    assert!(!found.holds(&name_of("4.AxR1Q4.popsync")));
    // One that bears the name and cannot be read may hold anything.
    symlink("/nowhere/at/all", mail.root().join(".other.Lost")).unwrap();
    mail.rest();
    let look = || inventory(&mail.root().join(".work")).unwrap();
    assert_eq!(look().gap(), None);
    symlink("/nowhere/at/all", mail.root().join(".work.Lost")).unwrap();
    mail.rest();
    assert!(matches!(
        look().gap(),
        Some(Gap::Unreadable { what }) if what.contains(".work.Lost")
    ));
}

/// Files that Dovecot and mutt do not see either.
#[test]
fn names_with_a_leading_dot_are_no_messages() {
    let mail = Mail::new();
    for place in [
        "cur/.nfs00000000012345670000001f",
        "cur/._1.a:2,S",
        "new/.1.a.swp",
        ".popsync-0123456789abcdef",
    ] {
        mail.file(place);
    }
    // The lock of an editor leads nowhere; a link to a file is that file.
    symlink("anna@host.123:456", mail.root().join("cur/.#1.a")).unwrap();
    symlink("._1.a:2,S", mail.root().join("cur/.2.a")).unwrap();
    mail.folder(".Archive/cur");
    mail.file(".Archive/cur/3.a");
    mail.rest();
    let mut noted = Vec::new();
    let mut walk = Walk::default();
    let mut note = |_: &Path, name: &str| noted.push(name.to_owned());
    walk.all(mail.root(), Reach::All, &mut note).unwrap();
    assert_eq!(noted, ["3.a"]);
    assert!(walk.gap.is_none(), "{:?}", walk.gap);
    // One where folders are is a folder that cannot be reached now.
    symlink("/nowhere/Archive", mail.root().join(".Elsewhere")).unwrap();
    let inventory = inventory(mail.root()).unwrap();
    assert!(inventory.gap().is_some());
}
