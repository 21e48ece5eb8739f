//! The objects of `--json` and the manual agree: every field of every object is documented, and
//! every documented field of it is there.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use exchange_sim::{Act, At, Knobs};
use serde_json::Value;

use support::bench::{Bench, Ended, letter, letters};

/// The fields of each kind of object.
type Schema = BTreeMap<String, BTreeSet<String>>;

/// Kinds whose commands have tests of their own with what they need: a keyring, a provider of
/// OAuth, a terminal, a delivery agent, a server that refuses one of several accounts.
const ELSEWHERE: [&str; 7] = [
    "account-added",
    "again",
    "failure",
    "login",
    "logout",
    "new-mail",
    "sign-in",
];

/// A manual page without the marks of roff.
fn plain(roff: &str) -> String {
    let text = roff.replace("\\-", "-").replace("\\e", "\\");
    let text = text.replace("\\(dq", "\"");
    ["\\fB", "\\fI", "\\fR", "\\fP"]
        .iter()
        .fold(text, |text, font| text.replace(font, ""))
}

/// Reads the fields of each object off the manual.
fn manual() -> Schema {
    let mut schema = Schema::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("man")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "1") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        samples(&plain(&text), &mut schema);
        let name = path.file_stem().unwrap().to_str().unwrap();
        match name {
            "popsync" => entries(&text, ".SH JSON", None, &mut schema),
            "popsync-list" => entries(&text, "is one object", Some("message"), &mut schema),
            _ => {}
        }
    }
    schema
}

/// The sample objects of a page.
fn samples(text: &str, schema: &mut Schema) {
    for (at, _) in text.match_indices("{\"event\":\"") {
        let mut depth = 0;
        let end = text[at..].char_indices().find_map(|(end, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            (depth == 0).then_some(end)
        });
        let sample = &text[at..at + end.unwrap()];
        let mut parts = sample.split('"').skip(1);
        let (mut fields, mut kind) = (BTreeSet::new(), String::new());
        while let (Some(word), Some(behind)) = (parts.next(), parts.next()) {
            if fields.contains("event") && kind.is_empty() {
                kind = word.to_owned();
            } else if behind.starts_with(':') {
                fields.insert(word.to_owned());
            }
        }
        schema.entry(kind).or_default().extend(fields);
    }
}

/// The entries of a list: the kinds are the headings, or the headings are the fields of `kind`.
fn entries(roff: &str, begin: &str, kind: Option<&str>, schema: &mut Schema) {
    let section = roff.split(begin).nth(1).unwrap();
    let section = section.split("\n.SH").next().unwrap();
    for entry in section.split(".TP\n").skip(1) {
        let (heading, rest) = entry.split_once('\n').unwrap();
        let bold = |text: &str| -> Vec<String> {
            let parts = text.split("\\fB").skip(1);
            parts
                .map(|part| plain(part.split("\\fR").next().unwrap()))
                .collect()
        };
        match kind {
            Some(kind) => schema
                .entry(kind.to_owned())
                .or_default()
                .extend(bold(heading)),
            // A reference to another page is no description.
            None if rest.starts_with("See ") => {}
            None => {
                let named = bold(rest);
                for kind in bold(heading) {
                    schema.entry(kind).or_default().extend(named.clone());
                }
            }
        }
    }
}

/// The fields of the objects that the program prints.
#[derive(Default)]
struct Printed(Schema);

impl Printed {
    fn take(&mut self, ended: &Ended) {
        for line in ended.out.lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            let kind = object["event"].as_str().unwrap().to_owned();
            let fields = object.as_object().unwrap().keys().cloned();
            self.0.entry(kind).or_default().extend(fields);
        }
    }
}

fn printed() -> Schema {
    let mut printed = Printed::default();
    let bench = Bench::with(letters(4));
    bench.deliver(&[&letter(5)[..], &b"More of it.\r\n".repeat(2_000)].concat());
    let keys = "headers-only-above = \"10 KiB\"";
    let mut run = |command: &str, keys: &str, arguments: &[&str]| {
        let ended = bench.configured(command, keys, &[arguments, &["--json"]].concat());
        printed.take(&ended.end());
    };
    run("import", keys, &["work", "--from-store"]);
    run("import", keys, &["work", "--seed"]);
    fs::remove_dir_all(bench.path("state")).unwrap();
    run("sync", keys, &["--dry-run"]);
    bench.knobs(Knobs::default().rule(At::line("RETR 3"), Act::Instead(b"-ERR no\r\n".to_vec())));
    run("sync", keys, &[]);
    bench.knobs(Knobs::default());
    run("list", keys, &["work"]);
    run("mark", keys, &["work", "5"]);
    run("status", keys, &[]);
    run("log", keys, &[]);
    run("export", keys, &["work", "--mbox", "out"]);
    run("probe", keys, &["work"]);
    run("account", keys, &["show", "work"]);
    run("account", keys, &["test", "work"]);
    run("config", keys, &["check"]);
    run("config", "oops = 1", &["check"]);
    run("schedule", keys, &["--cron"]);
    run("schedule", keys, &["--systemd"]);
    fs::remove_file(bench.path("Mail/new").join(&bench.store.names("new")[0])).unwrap();
    run("verify", keys, &[]);
    run("log", keys, &["--verifications"]);
    run("sync", "leave-on-server = false", &["--allow-mass-delete"]);
    run("account", keys, &["rename", "work", "office"]);
    run("account", keys, &["remove", "work"]);
    // The records of the renamed account are left behind.
    run("forget", keys, &["office"]);
    printed.0
}

#[test]
fn every_field_of_every_object_is_in_the_manual_and_every_object_there_is_printed() {
    let (manual, printed) = (manual(), printed());
    for (kind, fields) in &printed {
        let documented = manual.get(kind);
        let documented = documented.unwrap_or_else(|| panic!("`{kind}` is not in the manual"));
        for field in fields {
            let is_common = matches!(field.as_str(), "account" | "event");
            assert!(
                is_common || documented.contains(field),
                "`{field}` of `{kind}` is not in the manual, but {documented:?}"
            );
        }
    }
    for kind in manual.keys() {
        let is_printed = printed.contains_key(kind) || ELSEWHERE.contains(&kind.as_str());
        assert!(
            is_printed,
            "`{kind}` is in the manual, and is never printed"
        );
    }
}
