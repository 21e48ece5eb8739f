//! `popsync report`: a page about what is recorded and stored, which changes nothing and asks no
//! server.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::bench::{Bench, Into, Setup, letter};

/// A message of a sender who tries to run a script in the reader's browser.
fn hostile(number: usize) -> Vec<u8> {
    let from = "From: \"<script>x</script>\" <a\"&<b>'c\u{202e}@example.org>\r\n";
    let subject = "Subject: <script>alert(1)</script>\r\n";
    format!("{from}{subject}\r\nbody {number}\r\n").into_bytes()
}

fn bench(into: Into) -> Bench {
    let mail = (0..3).map(letter).chain((3..8).map(hostile));
    let bench = Setup::with(mail).into(into).start();
    bench.sync("", &[]).gives(0);
    bench
}

fn page(bench: &Bench, keys: &str) -> String {
    bench
        .configured("report", keys, &["--html", "-"])
        .gives(0)
        .out
}

#[test]
fn a_page_counts_what_is_stored_and_names_who_wrote_it() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = bench(into);
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        bench.on_command(move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let page = page(&bench, "remove-after-days = 14");
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        for words in [
            "<dd>8 messages, ",
            "headers of 8 messages",
            "8 of 8",
            "14 days after it was stored here",
            "&#39;c",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
        for forbidden in ["<script", "\u{202e}", "http:", "https:", "url(", "@import"] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
    }
}

#[test]
fn a_new_page_is_for_its_owner_alone_and_an_old_one_keeps_its_permissions() {
    let bench = bench(Into::Maildir);
    let file = bench.path("report.html");
    let report = || {
        let path = file.to_str().unwrap();
        let ended = bench.configured("report", "", &["--html", path]).gives(0);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"));
        fs::metadata(&file).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(report(), 0o600);
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(report(), 0o644);
    let folder = bench.path("");
    let folder = folder.to_str().unwrap();
    let ended = bench
        .configured("report", "", &["--html", folder])
        .gives(74);
    ended.says("it is no file");
}

#[test]
fn accounts_are_those_of_the_configuration_or_those_named() {
    let bench = bench(Into::Maildir);
    let named = |name: &str| bench.configured("report", "", &["--html", "-", name]);
    assert!(named("work").gives(0).out.contains("1 account,"));
    named("nobody")
        .gives(64)
        .says("no account `nobody` is known");
    let only = page(&bench, "");
    assert!(only.contains("1 account,"), "{only}");
    bench.configured("report", "", &[]).gives(64);
}

/// The state as an administrator may see it: without the right to write.
#[test]
fn the_state_stays_as_it_is() {
    let bench = bench(Into::Maildir);
    let state = |name: &str| fs::read(bench.path("state").join(name)).unwrap();
    let before = state("popsync.sqlite3");
    page(&bench, "");
    assert_eq!(state("popsync.sqlite3"), before);
}
