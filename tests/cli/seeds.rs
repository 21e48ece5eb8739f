//! The fuzz targets, without the fuzzer: each holds for every input that is kept for it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../fuzz/targets/config.rs"]
mod config;
#[path = "../../fuzz/targets/dialogue.rs"]
mod dialogue;
#[path = "../../fuzz/targets/envelope.rs"]
mod envelope;
#[path = "../../fuzz/targets/find.rs"]
mod find;
#[path = "../../fuzz/targets/imports.rs"]
mod imports;
#[path = "../../fuzz/targets/maildrop.rs"]
mod maildrop;
#[path = "../../fuzz/targets/mbox.rs"]
mod mbox;
#[path = "../../fuzz/targets/ntlm.rs"]
mod ntlm;
#[path = "../../fuzz/targets/oauth.rs"]
mod oauth;
#[path = "../../fuzz/targets/sasl.rs"]
mod sasl;
#[path = "../../fuzz/targets/stuffing.rs"]
mod stuffing;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 11] = [
    ("config", config::holds),
    ("dialogue", dialogue::holds),
    ("envelope", envelope::holds),
    ("find", find::holds),
    ("imports", imports::holds),
    ("maildrop", maildrop::holds),
    ("mbox", mbox::holds),
    ("ntlm", ntlm::holds),
    ("oauth", oauth::holds),
    ("sasl", sasl::holds),
    ("stuffing", stuffing::holds),
];

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(folder)
}

/// The names in a folder, without what follows a dot.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect()
}

#[test]
fn every_fuzz_target_is_replayed() {
    let replayed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["fuzz_targets", "seeds", "targets"] {
        assert_eq!(names(folder), replayed, "{folder}");
    }
}

#[test]
fn fuzz_targets_hold_for_every_input_that_is_kept() {
    for (name, holds) in TARGETS {
        let mut inputs: Vec<PathBuf> = fs::read_dir(fuzz("seeds").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort_unstable();
        assert!(!inputs.is_empty(), "nothing is kept for {name}");
        for input in inputs {
            let octets = fs::read(&input).unwrap();
            // As it is, and cut short anywhere, as a fuzzer would try next.
            for quarters in 1..=4 {
                let part = &octets[..octets.len() * quarters / 4];
                let held = std::panic::catch_unwind(|| holds(part));
                assert!(held.is_ok(), "{quarters}/4 of {}", input.display());
            }
        }
    }
}
