//! The manual pages in `man/` are what the program's definition and the hand-written parts in
//! `man/parts/` give. With `POPSYNC_UPDATE=1` they are written anew.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::CommandFactory;
use clap_mangen::Man;
use popsync::Exit;
use popsync::internals::cli::args::Cli;
use popsync::internals::config::manual;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

/// The text of a part, with facts from the program filled in.
fn part(name: &str) -> String {
    let text = fs::read_to_string(folder().join("parts").join(format!("{name}.roff"))).unwrap();
    let statuses: Vec<_> = Exit::TABLE
        .iter()
        .map(|(exit, meaning)| format!(".TP\n\\fB{}\\fR\n{meaning}", exit.code()))
        .collect();
    text.replace("@EXIT_STATUS@", &statuses.join("\n"))
        .replace("@ACCOUNT_KEYS@", &manual::account_keys())
        .replace("@TOP_KEYS@", &manual::top_keys())
        .replace("@TLS_KEYS@", &manual::tls_keys())
        .replace("@OAUTH_KEYS@", &manual::oauth_keys())
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
}

/// The page of a command.
fn page(name: &str, command: &clap::Command, part: &str) -> String {
    let man = Man::new(command.clone());
    // A title of our own: that of clap_mangen leaves an empty date out, which moves all else.
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(".TH {name} 1 \"\" \"popsync {version}\" \"popsync manual\"\n");
    let mut roff = title.into_bytes();
    man.render_name_section(&mut roff).unwrap();
    man.render_synopsis_section(&mut roff).unwrap();
    man.render_description_section(&mut roff).unwrap();
    man.render_options_section(&mut roff).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut roff).unwrap();
    }
    String::from_utf8(roff).unwrap() + part
}

/// All pages: file name and content.
fn pages() -> Vec<(String, String)> {
    let mut command = Cli::command()
        .disable_help_subcommand(true)
        .after_help(None::<&str>)
        .after_long_help(None::<&str>);
    command.build();
    let mut pages = vec![
        (
            "popsync.1".to_owned(),
            page("popsync", &command, &part("popsync")),
        ),
        ("popsync.5".to_owned(), part("popsync.5")),
    ];
    add_pages("popsync", &command, &mut pages);
    pages
}

/// Adds the pages of a command's commands, and of theirs.
fn add_pages(of: &str, command: &clap::Command, pages: &mut Vec<(String, String)>) {
    for subcommand in command.get_subcommands() {
        let name = format!("{of}-{}", subcommand.get_name());
        add_pages(&name, subcommand, pages);
        let subcommand = subcommand.clone().display_name(&name);
        pages.push((format!("{name}.1"), page(&name, &subcommand, &part(&name))));
    }
}

#[test]
fn pages_are_those_of_the_program() {
    let update = env::var_os("POPSYNC_UPDATE").is_some_and(|value| value == "1");
    for (name, content) in pages() {
        let path = folder().join(&name);
        if update {
            let mut file = File::create(&path).unwrap();
            file.write_all(content.as_bytes()).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            content,
            "{name} is out of date: run the tests with POPSYNC_UPDATE=1"
        );
    }
}

#[test]
fn every_page_in_the_folder_is_made_here() {
    let made: Vec<_> = pages().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "parts" || made.contains(&name), "man/{name}");
    }
}

/// Where there is groff, it has nothing to complain about.
#[test]
fn groff_reads_every_page_without_a_warning() {
    for (name, content) in pages() {
        let groff = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-z"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut groff) = groff else {
            return;
        };
        let mut stdin = groff.stdin.take().unwrap();
        stdin.write_all(content.as_bytes()).unwrap();
        drop(stdin);
        let output = groff.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    }
}
