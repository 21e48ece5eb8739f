//! A fault at each system call of an export that changes the disk. What has the final name is whole;
//! what is not whole is called `.partial`, and is in the way until a person has removed it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};

use super::calls::Trial;
use support::bench::{Bench, Into, Run, Setup, letters};

const FORMS: [&str; 4] = ["--mbox", "--maildir", "--eml", "--tar"];

fn synced(into: Into) -> Bench {
    let bench = Setup::with(letters(3)).into(into).start();
    bench.sync("", &[]).gives(0);
    let folders = DirBuilder::new();
    folders.create(bench.path("out")).unwrap();
    folders.create(bench.path("whole")).unwrap();
    bench
}

fn export<'b>(bench: &'b Bench, form: &str, folder: &str) -> Run<'b> {
    let to = format!("{folder}/archive");
    bench.configured("export", "", &["work", form, &to])
}

/// All files of a folder, by their paths in it, with their content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn is_partial(path: &Path) -> bool {
    let mut names = path.components();
    let first = names.next().unwrap().as_os_str().to_string_lossy();
    first.ends_with(".partial")
}

fn whole_or_partial<const FORM: usize>(bench: &Bench) {
    let form = FORMS[FORM];
    // The same messages give the same archive.
    export(bench, form, "whole").gives(0);
    let whole = files(&bench.path("whole"));
    assert!(!whole.is_empty() && !whole.keys().any(|path| is_partial(path)));
    let out = bench.path("out");
    let mut named = files(&out);
    let has_partial = fs::read_dir(&out)
        .unwrap()
        .any(|entry| is_partial(Path::new(&entry.unwrap().file_name())));
    named.retain(|path, _| !is_partial(path));
    for (path, content) in &named {
        assert!(whole.get(path) == Some(content), "{}", path.display());
    }
    if out.join("archive").exists() {
        // The manifest comes first.
        assert!(named == whole, "the archive is not whole");
        assert!(!has_partial);
    } else {
        // A manifest alone is no archive.
        assert!(named.len() <= 1, "{:?}", named.keys());
        if has_partial {
            let words = if named.is_empty() {
                "did not finish"
            } else {
                "exists"
            };
            export(bench, form, "out").gives(73).says(words);
        }
        fs::remove_dir_all(&out).unwrap();
        DirBuilder::new().create(&out).unwrap();
        export(bench, form, "out").gives(0);
        assert!(files(&out) == whole);
    }
    // Neither the store nor the state has noticed.
    bench.configured("verify", "", &["work"]).gives(0);
    bench.sync("", &[]).gives(0);
    bench.assert_exactly_once();
}

fn run<'b, const FORM: usize>(bench: &'b Bench) -> Run<'b> {
    export(bench, FORMS[FORM], "out")
}

#[test]
fn a_fault_at_a_call_of_an_export_to_an_mbox_leaves_no_half_archive() {
    let trial = Trial {
        start: || synced(Into::Maildir),
        run: run::<0>,
        check: whole_or_partial::<0>,
    };
    trial.each(12);
}

#[test]
fn a_fault_at_a_call_of_an_export_to_a_maildir_leaves_no_half_archive() {
    let trial = Trial {
        start: || synced(Into::Mbox),
        run: run::<1>,
        check: whole_or_partial::<1>,
    };
    trial.each(16);
}

#[test]
fn a_fault_at_a_call_of_an_export_to_files_leaves_no_half_archive() {
    let trial = Trial {
        start: || synced(Into::Maildir),
        run: run::<2>,
        check: whole_or_partial::<2>,
    };
    trial.each(16);
}

#[test]
fn a_fault_at_a_call_of_an_export_to_a_tar_file_leaves_no_half_archive() {
    let trial = Trial {
        start: || synced(Into::Mbox),
        run: run::<3>,
        check: whole_or_partial::<3>,
    };
    trial.each(12);
}
