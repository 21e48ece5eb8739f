use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const MESSAGE: &[u8] = b"Subject: x\nMessage-ID: <1@x>\n\nbody\n";

struct Mail(tempfile::TempDir);

impl Mail {
    fn new() -> Self {
        // A name without a dot: that would have siblings.
        let mail = Self(tempfile::Builder::new().prefix("mail").tempdir().unwrap());
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir(mail.root().join(folder)).unwrap();
        }
        mail
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, path: &str, content: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().write_all(content).unwrap();
    }

    fn show(&self) -> (Vec<(String, Vec<u8>)>, Option<Gap>) {
        let mut seen = Seen::default();
        let known = |name: &str| name == "1.AxR1Q1.popsync";
        let gap = messages(self.root(), Reach::All, &known, &mut seen).unwrap();
        seen.messages.sort();
        (seen.messages, gap)
    }
}

#[derive(Default)]
struct Seen {
    content: Vec<u8>,
    messages: Vec<(String, Vec<u8>)>,
    /// No more of a message than this is wanted.
    enough: Option<usize>,
}

impl Viewer for Seen {
    fn content(&mut self, octets: &[u8]) -> bool {
        self.content.extend_from_slice(octets);
        self.enough.is_none_or(|enough| self.content.len() < enough)
    }

    fn end(&mut self, name: &str) {
        let content = std::mem::take(&mut self.content);
        self.messages.push((name.to_owned(), content));
    }

    fn abandon(&mut self) {
        self.content.clear();
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn messages_under_strange_names_are_shown_whole_and_as_they_were_before_compression() {
    let mail = Mail::new();
    let large = [MESSAGE, &b"line\n".repeat(100_000)].concat();
    mail.put("new/1.AxR1Q1.popsync", MESSAGE);
    mail.put("dovecot-uidlist", b"no message");
    mail.put("tmp/written.now", b"no message yet");
    mail.put("cur/delivered.by.others", b"");
    mail.put(
        ".Archive/cur/moved.by.dovecot,S=36,W=40:2,SZ",
        &gzip(MESSAGE),
    );
    mail.put("cur/large:2,S", &gzip(&large));
    // Two parts, as `cat a.gz b.gz` makes them.
    let (a, b) = MESSAGE.split_at(9);
    mail.put("cur/parts", &[gzip(a), gzip(b)].concat());
    mail.put("cur/of.a.field", b"BZh: 1\n\n");
    let expected = [
        ("delivered.by.others", &b""[..]),
        ("large", &large),
        ("moved.by.dovecot,S=36,W=40", MESSAGE),
        ("of.a.field", b"BZh: 1\n\n"),
        ("parts", MESSAGE),
    ];
    let expected = expected.map(|(name, content)| (name.to_owned(), content.to_vec()));
    assert_eq!(mail.show(), (expected.to_vec(), None));
}

#[test]
fn what_cannot_be_read_is_counted_and_never_shown_by_halves() {
    let whole = gzip(&b"line\n".repeat(100_000));
    for (content, why) in [
        (&b"BZh91AY&SY\x01\x02"[..], "bzip2"),
        (b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0", "bzip2"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "zstd"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"\x04\x22\x4d\x18\x64", "lz4"),
        (b"Dovecot-LZ4\x0d\x2a\x9b\xc5\0\0", "lz4"),
        (b"CRYPTED\x03\x07\x01", "mail-crypt"),
        (b"\x01\x02\x03", "unknown form"),
        (&whole[..whole.len() / 2], ""),
        (b"\x1f\x8b", ""),
        (b"\x1f\x8b\x08nonsense and more of it", ""),
    ] {
        let mail = Mail::new();
        mail.put("cur/a:2,S", content);
        mail.put("cur/b:2,S", MESSAGE);
        let (shown, gap) = mail.show();
        assert_eq!(shown, [("b".to_owned(), MESSAGE.to_vec())], "{content:?}");
        let Some(Gap::Unsearchable { files: 1, first }) = gap else {
            panic!("{gap:?} of {content:?}");
        };
        assert!(
            first.contains("cur/a:2,S") && first.contains(why),
            "{first}"
        );
    }
}

#[test]
fn files_that_nobody_may_read_and_what_is_no_file() {
    let mail = Mail::new();
    mail.put("cur/a", MESSAGE);
    let forbidden = fs::Permissions::from_mode(0o0);
    fs::set_permissions(mail.root().join("cur/a"), forbidden).unwrap();
    let fifo = mail.root().join("elsewhere");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    symlink(&fifo, mail.root().join("cur/b")).unwrap();
    let (shown, gap) = mail.show();
    // Root may read everything.
    if rustix::process::geteuid().is_root() {
        assert_eq!((shown.len(), gap), (1, None));
    } else {
        assert_eq!(shown, []);
        assert!(matches!(gap, Some(Gap::Unsearchable { files: 1, .. })));
    }
}

#[test]
fn no_more_is_read_than_is_wanted() {
    let mail = Mail::new();
    mail.put("cur/a", &b"line\n".repeat(100_000));
    let mut seen = Seen {
        enough: Some(1),
        ..Seen::default()
    };
    messages(mail.root(), Reach::All, &|_| false, &mut seen).unwrap();
    assert!(seen.messages[0].1.len() <= READ_AT_ONCE);
}

/// A message that is flagged all the time is shown once, or the look says that it could not tell.
#[test]
fn a_message_that_is_renamed_meanwhile_is_shown_once_or_in_doubt() {
    let mail = Mail::new();
    for number in 0..100 {
        mail.put(&format!("cur/filler.{number}"), b"");
    }
    mail.put("cur/mine:2,", MESSAGE);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let names = ["cur/mine:2,", "cur/mine:2,S"].map(|name| mail.root().join(name));
            while !stop.load(Ordering::Relaxed) {
                for (from, to) in [(0, 1), (1, 0)] {
                    #[expect(clippy::disallowed_methods, reason = "plays the reader of mail")]
                    fs::rename(&names[from], &names[to]).unwrap();
                }
            }
        });
        for _ in 0..3 {
            let (shown, gap) = mail.show();
            let times = shown.iter().filter(|(name, _)| name == "mine").count();
            assert!(
                times == 1 || (times == 0 && gap.is_some()),
                "{times} {gap:?}"
            );
        }
        stop.store(true, Ordering::Relaxed);
    });
}
