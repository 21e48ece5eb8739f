//! The tests that the sources define, by the names that cargo gives them.
//!
//! Modules are followed from the root of each crate, as the compiler does, so a file without a
//! `mod` does not count. The parser relies on rustfmt's indentation.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::path::Path;

/// A test. If a macro makes modules, a segment of its path is a `$name` of the macro's.
struct Test {
    path: Vec<String>,
    /// The text of the file, which also has the macro's calls.
    file: String,
    is_ignored: bool,
}

/// All tests of the package.
pub(crate) struct Tests(Vec<Test>);

impl Tests {
    /// Reads `src/lib.rs` and every root of `tests`.
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut tests = Self(Vec::new());
        tests.file(&root.join("src/lib.rs"), true, vec!["popsync".to_owned()]);
        for entry in fs::read_dir(root.join("tests")).unwrap() {
            let path = entry.unwrap().path();
            let main = path.join("main.rs");
            if main.is_file() {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                tests.file(&main, true, vec![name]);
            }
        }
        tests
    }

    /// True if there is a test of this name that always runs.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).any(|test| !test.is_ignored)
    }

    /// True if there is a test of this name, even if it runs only on some systems.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.find(name).next().is_some()
    }

    fn find(&self, name: &str) -> impl Iterator<Item = &Test> {
        let segments: Vec<_> = name.split("::").map(str::to_owned).collect();
        self.0.iter().filter(move |test| {
            test.path.len() == segments.len()
                && test.path.iter().zip(&segments).all(|(own, segment)| {
                    let made = || test.file.contains(&format!(" {segment}: "));
                    own == segment || (own.starts_with('$') && made())
                })
        })
    }

    /// Reads a file. The modules of a crate's root are in the same folder.
    fn file(&mut self, file: &Path, root: bool, path: Vec<String>) {
        let text = fs::read_to_string(file).unwrap();
        let folder = if root {
            file.parent().unwrap().to_owned()
        } else {
            file.with_extension("")
        };
        // The modules that are open in this file, and the indentation of each.
        let mut open: Vec<(usize, String)> = Vec::new();
        let mut attributes = Vec::new();
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            let line = line.trim();
            if line == "}" && open.last().is_some_and(|(own, _)| *own == indent) {
                open.pop();
            }
            if line.starts_with("#[") {
                attributes.push(line.to_owned());
                continue;
            }
            let item = line.trim_start_matches("pub(super) ");
            let item = item
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ");
            let inner = || -> Vec<String> {
                let modules = open.iter().map(|(_, name)| name.clone());
                path.iter().cloned().chain(modules).collect()
            };
            if let Some(name) = item.strip_prefix("mod ") {
                if let Some(name) = name.strip_suffix(';') {
                    let placed = attributes.iter().find_map(|own| {
                        let path = own.strip_prefix("#[path = \"")?;
                        path.strip_suffix("\"]")
                    });
                    let (file, root) = match placed {
                        Some(path) => (file.with_file_name(path), true),
                        None => (folder.join(format!("{name}.rs")), false),
                    };
                    let mut path = inner();
                    path.push(name.to_owned());
                    self.file(&file, root, path);
                } else if let Some(name) = name.strip_suffix(" {") {
                    open.push((indent, name.to_owned()));
                }
            } else if let Some((_, rest)) = format!(" {item}").split_once(" fn ") {
                let has = |wanted: &str| attributes.iter().any(|own| own.starts_with(wanted));
                if has("#[test]") || has("#[tokio::test") {
                    let is_ignored = has("#[ignore");
                    let mut path = inner();
                    path.push(rest.split('(').next().unwrap_or_default().to_owned());
                    let file = text.clone();
                    self.0.push(Test {
                        path,
                        file,
                        is_ignored,
                    });
                }
            }
            if !line.starts_with("//") && !line.is_empty() {
                attributes.clear();
            }
        }
    }
}

#[test]
fn tests_are_found_by_the_names_that_cargo_gives_them() {
    let tests = Tests::read();
    for name in [
        "sim::statements::sources::tests_are_found_by_the_names_that_cargo_gives_them",
        "sim::systems::outlook_2007::at_home_with_exchange_2007",
        "popsync::session::tests::login::apop_sends_the_digest_in_place_of_the_password",
        "popsync::session::tests::the_last_words_before_a_close_are_passed_on",
        "popsync::policy::tests::what_must_hold_for_any_maildrop",
        "dovecot::transfer::an_empty_mailbox_gives_an_empty_maildir",
    ] {
        assert!(tests.has(name), "{name}");
    }
    for name in [
        "sim::statements::tests_are_found_by_the_names_that_cargo_gives_them",
        "sim::statements::sources::located",
        "sim::systems::outlook_2003::at_home_with_exchange_2007",
        "sim::systems::outlook_2007::at_home_with_exchange_2003",
        "popsync::session::the_last_words_before_a_close_are_passed_on",
        "popsync::session::tests::logged_in",
        "",
    ] {
        assert!(!tests.has(name) && !tests.knows(name), "{name}");
    }
    let ignored = "sim::exactly_once::disks::a_full_state_folder_stops_the_run_and_loses_nothing";
    assert!(!tests.has(ignored) && tests.knows(ignored));
}
