//! A bit that flipped in any kind of message is noticed, wherever it is, and the message comes again.

use std::fs;

use support::bench::{Bench, Into, Setup};

use super::{count, put, verify};

/// Messages of every kind: bare line ends, bytes beyond ASCII, NUL, no end of the last line, no body,
/// no header, lines that mbox quotes, a long line, and two that are equal.
fn kinds() -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 12] = [
        b"plain\r\n",
        b"bare\nlf\r\n",
        b"bare\rcr\r\n",
        b"\x80\xff caf\xe9\r\n",
        b"nul \0 in it\r\n",
        b"no end of the line",
        b"",
        b"From here\r\n>From there\r\n>>From\r\n",
        b"..\r\n.\r\ndots\r\n",
        b"\r\n\r\n\r\n",
        b"equal\r\n",
        b"equal\r\n",
    ];
    let mut all: Vec<Vec<u8>> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| {
            let number = number.min(10);
            let header = format!("From: eva@example.org\r\nSubject: kind {number}\r\n\r\n");
            [header.as_bytes(), body].concat()
        })
        .collect();
    all.push(b"Subject: a header and nothing else\r\n".to_vec());
    all.push([&b"Subject: long\r\n\r\n"[..], &b"x".repeat(70_000), b"\r\n"].concat());
    all
}

/// Flips the lowest bit of the octet at so many sixteenths of the text.
fn flip(text: &mut [u8], sixteenths: usize) {
    let at = (text.len() - 1) * sixteenths / 16;
    text[at] ^= 1;
}

fn synced(into: Into, keys: &str) -> Bench {
    let bench = Setup::with(kinds()).into(into).start();
    bench.sync(keys, &[]).gives(0);
    bench
}

#[test]
fn a_bit_that_flips_in_a_message_of_any_kind_in_a_maildir_is_damage() {
    for keys in ["", "line-endings = \"crlf\""] {
        let bench = synced(Into::Maildir, keys);
        let number = kinds().len() as u64;
        let whole = bench.store.files();
        for sixteenths in 0..=16 {
            for path in whole.keys() {
                let mut text = fs::read(path).unwrap();
                flip(&mut text, sixteenths);
                put(path, &text);
            }
            let (found, sum) = verify(&bench, &[], 1);
            assert_eq!(found.len() as u64, number, "{keys} {sixteenths}: {found:?}");
            assert_eq!(count(&sum, "damaged"), number, "{keys} {sixteenths}");
            let (_, sum) = verify(&bench, &["--repair"], 0);
            assert_eq!(count(&sum, "repaired"), number, "{keys} {sixteenths}");
            bench.store.look_anew();
            for (path, digest) in &whole {
                let now = fs::read(path).unwrap();
                assert_eq!(support::bench::digest(&now), *digest, "{}", path.display());
            }
        }
        let kept = bench.store.names("popsync-damaged").len() as u64;
        assert_eq!(kept, 17 * number);
        bench.sim.clear_log();
        bench.sync(keys, &[]).gives(0);
        assert_eq!(bench.sim.commands_of("RETR").len(), 0);
    }
}

/// In an mbox a flipped bit may also merge two messages, or hide one: each of them is named.
#[test]
fn a_bit_that_flips_in_a_message_of_any_kind_in_an_mbox_is_damage() {
    let all = kinds().len() as u64;
    let bench = synced(Into::Mbox, "");
    let whole = fs::read(&bench.place).unwrap();
    drop(bench);
    // In the middle of each header.
    let subjects: Vec<usize> = whole
        .windows(9)
        .enumerate()
        .filter(|(_, part)| part.starts_with(b"Subject: "))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(subjects.len() as u64, all);
    for beyond in [0, 3, 9, 14] {
        let bench = synced(Into::Mbox, "");
        let mut text = fs::read(&bench.place).unwrap();
        for at in &subjects {
            text[at + beyond] ^= 1;
        }
        put(&bench.place, &text);
        let (_, sum) = verify(&bench, &[], 1);
        let bad = count(&sum, "damaged") + count(&sum, "missing");
        assert_eq!((bad, count(&sum, "intact")), (all, 0), "{beyond}");
        let (_, sum) = verify(&bench, &["--repair"], 0);
        assert_eq!(count(&sum, "repaired"), all, "{beyond}");
        assert!(
            fs::read(&bench.place)
                .unwrap()
                .starts_with(text.trim_ascii_end())
        );
        let (_, sum) = verify(&bench, &[], 0);
        assert_eq!(count(&sum, "intact"), all, "{beyond}");
        bench.sim.clear_log();
        bench.sync("", &[]).gives(0);
        assert_eq!(bench.sim.commands_of("RETR").len(), 0, "{beyond}");
    }
}
