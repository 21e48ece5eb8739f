//! The files of packages besides the program: completions and units, as the program itself gives
//! them, and every manual page. With `POPSYNC_UPDATE=1` they are written anew.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::cli::Popsync;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Asserts that a file of the repository is the program's output.
fn assert_file(path: &str, content: &str) {
    let path = root().join(path);
    if env::var_os("POPSYNC_UPDATE").is_some_and(|value| value == "1") {
        let mut file = File::create(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == content,
        "{} is out of date: run the tests with POPSYNC_UPDATE=1",
        path.display()
    );
}

#[test]
fn completions_are_those_of_the_program() {
    for (shell, name) in [
        ("bash", "popsync.bash"),
        ("fish", "popsync.fish"),
        ("zsh", "_popsync"),
    ] {
        let script = Popsync::new(&["completions", shell]).run().out;
        assert_file(&format!("packaging/completions/{name}"), &script);
    }
}

/// A package knows no account: its units allow what most have, a password command.
#[test]
fn units_are_those_of_the_program() {
    let config = "[accounts.work]\nserver = \"pop3s://anna@h\"\nmaildir = \"m\"\n\
                  password-command = \"pass show mail/work\"\n";
    let schedule = ["schedule", "--systemd", "--json"];
    let line = Popsync::new(&schedule).config(config).run().out;
    let line: Value = serde_json::from_str(&line).unwrap();
    for (place, name) in ["popsync.service", "popsync.timer"].iter().enumerate() {
        let text = line["files"][place]["text"].as_str().unwrap();
        let text = text.replace(env!("CARGO_BIN_EXE_popsync"), "/usr/bin/popsync");
        assert_file(&format!("packaging/{name}"), &text);
    }
}

/// Every source that the manifest names is there, and nothing is in one kind of package alone.
#[test]
fn both_kinds_of_packages_hold_the_same_files() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let metadata = &manifest["package"]["metadata"];
    let deb: Vec<&str> = assets(&metadata["deb"])
        .map(|asset| asset[0].as_str().unwrap())
        .collect();
    let rpm: Vec<&str> = assets(&metadata["generate-rpm"])
        .map(|asset| asset["source"].as_str().unwrap())
        .collect();
    assert_eq!(deb, rpm);
    for source in deb.iter().filter(|source| !source.starts_with("target/")) {
        let path = root().join(source.split('*').next().unwrap());
        assert!(path.exists(), "{source}");
    }
    // The sections of the pages in `man`.
    for entry in fs::read_dir(root().join("man")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let section = name
            .rsplit_once('.')
            .map(|(_, section)| format!("man/*.{section}"));
        assert!(
            name == "parts" || section.is_some_and(|section| deb.contains(&section.as_str())),
            "{name}"
        );
    }
}

fn assets(package: &toml::Value) -> impl Iterator<Item = &toml::Value> {
    package["assets"].as_array().unwrap().iter()
}
