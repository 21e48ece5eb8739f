//! The help of every command, as it was looked at last: `help.txt`. With `POPSYNC_UPDATE=1` it is
//! written anew.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use support::cli::Popsync;

/// The help of all commands on a terminal of this width, short and long.
fn all(columns: &str) -> String {
    let pages = Popsync::new(&["man", "--list"]).run().out;
    let pages = pages.lines().filter(|page| !page.contains('.'));
    let mut text = String::new();
    for page in pages {
        for flag in ["-h", "--help"] {
            let words: Vec<&str> = page.split('-').skip(1).chain([flag]).collect();
            let ended = Popsync::new(&words).env("COLUMNS", columns).run();
            assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{words:?}");
            text.push_str(&format!("$ popsync {}\n{}\n", words.join(" "), ended.out));
        }
    }
    text
}

#[test]
fn help_is_as_it_was_looked_at_last() {
    let help = all("80");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help.txt");
    if env::var_os("POPSYNC_UPDATE").is_some_and(|value| value == "1") {
        let mut file = File::create(&path).unwrap();
        file.write_all(help.as_bytes()).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    for (number, (is, was)) in help.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, was, "line {} of {}", number + 1, path.display());
    }
    assert_eq!(help, golden);
    // Long lines are hard to read, so that a wide terminal gets no wider ones.
    assert_eq!(help, all("120"));
}
