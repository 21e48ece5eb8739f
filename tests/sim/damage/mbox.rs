//! The table of an mbox, and its repair.

use std::fs::{self, File};
use std::path::Path;

use support::bench::Into;

use super::{KEYS, change, count, cut, put, synced, verify};

/// The damage to the mbox, and the expected findings; then the number of intact messages, and of
/// those that are retrieved again.
type Row = (&'static str, fn(&Path), &'static [&'static str], u64, usize);

const MBOX: [Row; 12] = [
    ("nothing", |_| (), &[], 3, 0),
    (
        "a bit flipped in a body",
        |mbox| change(mbox, "is letter 2", "is letter 3"),
        &["damaged"],
        2,
        1,
    ),
    (
        "a bit flipped in a header",
        |mbox| change(mbox, "letter 2", "letter 3"),
        &["damaged"],
        2,
        1,
    ),
    (
        "one read",
        |mbox| {
            change(
                mbox,
                "\n\nThis is letter 2",
                "\nStatus: RO\nX-Status: A\n\nThis is letter 2",
            )
        },
        &[],
        3,
        0,
    ),
    (
        "all read and numbered",
        |mbox| {
            let text = fs::read_to_string(mbox).unwrap();
            let text = text.replace(
                "\n\nThis",
                "\nStatus: RO\nContent-Length: 99\nX-UID: 7\nX-Keywords:    \n\nThis",
            );
            put(
                mbox,
                text.replacen("\nFrom: sender1", "\nX-IMAPbase: 1 2\nFrom: sender1", 1)
                    .as_bytes(),
            );
        },
        &[],
        3,
        0,
    ),
    (
        "another line in front",
        |mbox| {
            let text = fs::read_to_string(mbox).unwrap();
            let end = text.find('\n').unwrap();
            put(
                mbox,
                format!("From somebody Thu Jan  1 00:00:00 1970{}", &text[end..]).as_bytes(),
            );
        },
        &[],
        3,
        0,
    ),
    ("one deleted", |mbox| cut(mbox, 1, 2), &["missing"], 2, 1),
    (
        "the last cut short",
        |mbox| {
            let length = fs::metadata(mbox).unwrap().len();
            File::options()
                .write(true)
                .open(mbox)
                .unwrap()
                .set_len(length - 9)
                .unwrap();
        },
        &["damaged"],
        2,
        1,
    ),
    (
        "the order changed",
        |mbox| {
            let text = fs::read_to_string(mbox).unwrap();
            let second = text[1..].find("From sender").unwrap() + 1;
            put(
                mbox,
                format!("{}{}", &text[second..], &text[..second]).as_bytes(),
            );
        },
        &[],
        3,
        0,
    ),
    (
        "one more of another program",
        |mbox| {
            let text = fs::read_to_string(mbox).unwrap();
            put(
                mbox,
                format!("{text}From x Thu Jan  1 00:00:00 1970\nSubject: other\n\nmail\n\n")
                    .as_bytes(),
            );
        },
        &["foreign"],
        3,
        0,
    ),
    (
        "one twice",
        |mbox| {
            let text = fs::read_to_string(mbox).unwrap();
            let second = text[1..].find("From sender").unwrap() + 1;
            put(mbox, format!("{text}{}", &text[..second]).as_bytes());
        },
        &["duplicate"],
        3,
        0,
    ),
    (
        "one read and changed",
        |mbox| {
            change(
                mbox,
                "\n\nThis is letter 2",
                "\nStatus: RO\n\nThat is letter 2",
            );
        },
        &["damaged"],
        2,
        1,
    ),
];

#[test]
fn whatever_happens_to_a_message_of_an_mbox_is_called_by_its_name() {
    for (name, deed, states, intact, again) in MBOX {
        let bench = synced(3, Into::Mbox);
        deed(&bench.place);
        let before = fs::read(&bench.place).unwrap();
        let status = i32::from(again > 0);
        let (found, sum) = verify(&bench, &[], status);
        assert_eq!(
            (found, count(&sum, "intact")),
            (states.iter().map(|s| (*s).to_owned()).collect(), intact),
            "{name}"
        );
        assert_eq!(fs::read(&bench.place).unwrap(), before, "{name}");
        verify(&bench, &["--repair"], 0);
        assert_eq!(bench.sim.commands_of("RETR").len(), again, "{name}");
        let after = fs::read(&bench.place).unwrap();
        assert!(
            after.starts_with(before.trim_ascii_end()),
            "{name}: something was rewritten"
        );
        assert_eq!(after == before, again == 0, "{name}");
        let (_, sum) = verify(&bench, &[], 0);
        assert_eq!(count(&sum, "intact"), 3, "{name}");
        bench.sync(KEYS, &[]).gives(0);
        assert_eq!(
            bench.sim.commands_of("RETR").len(),
            again,
            "{name}: comes twice"
        );
    }
}

/// Killed at each step of the store's order, an mbox's repair stores the message once.
#[test]
fn a_repair_of_an_mbox_that_is_killed_goes_on() {
    for step in ["1", "2", "3", "4", "5"] {
        let bench = synced(3, Into::Mbox);
        cut(&bench.place, 1, 2);
        let run = bench.configured("verify", KEYS, &["work", "--repair"]);
        assert!(
            run.env("POPSYNC_STOP_AT", step).end().was_killed(),
            "{step}"
        );
        bench.sync(KEYS, &[]).gives(0);
        verify(&bench, &["--repair"], 0);
        verify(&bench, &[], 0);
        bench.assert_exactly_once();
    }
}

/// Nothing tells which messages a compressed file has, so all of it is refused, and nothing is written
/// behind it.
#[test]
fn an_mbox_that_was_compressed_is_refused_and_stays_as_it_is() {
    let zstd = |text: &[u8]| [b"\x28\xb5\x2f\xfd".as_slice(), text].concat();
    for pack in [super::gzip, zstd] {
        let bench = synced(3, Into::Mbox);
        let plain = fs::read(&bench.place).unwrap();
        let packed = pack(&plain);
        put(&bench.place, &packed);
        for (command, arguments) in [
            ("verify", &["work"][..]),
            ("verify", &["work", "--repair"]),
            ("sync", &["work"]),
        ] {
            let ended = bench.configured(command, KEYS, arguments).gives(73);
            assert!(ended.err.contains("was packed with "), "{}", ended.err);
            assert_eq!(fs::read(&bench.place).unwrap(), packed, "{command}");
        }
        assert_eq!(bench.sim.commands_of("DELE").len(), 0);
        put(&bench.place, &plain);
        verify(&bench, &[], 0);
    }
}
