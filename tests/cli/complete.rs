//! Completion at the prompt: the scripts of the packages in real shells, where there are any, and
//! what the program answers them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::cli::Popsync;

const CONFIG: &str = "[accounts.work]\nserver = \"pop3s://anna@h\"\nmaildir = \"m\"\n\
                      [accounts.home]\nserver = \"pop3s://anna@i\"\nmaildir = \"n\"\n";

/// Completes the last word as bash does, and prints what it would offer.
const BASH: &str = "source \"$1\"; shift; COMP_WORDS=(popsync \"$@\"); COMP_CWORD=$#; \
                    _clap_complete_popsync popsync \"${@: -1}\" x; echo \"${COMPREPLY[@]}\"";

/// The same in zsh, as it does with the file that it finds under the name of the function. Outside
/// of its line editor nothing can be shown, so that its own function for that is replaced.
const ZSH: &str = "fpath=(\"${1:h}\"); shift; compdef() { }; \
                   _describe() { print -r -- ${(P)${@[3]}} }; words=(popsync \"$@\"); \
                   CURRENT=${#words}; autoload _popsync; _popsync";

/// The same in fish.
const FISH: &str = "source $argv[1]; set -e argv[1]; complete -C \"popsync $argv\" | cut -f 1";

/// The standard output of a shell that completes the last of these words.
fn completed(shell: &str, words: &[&str], config: &str) -> Option<String> {
    let (script, flag, file) = match shell {
        "bash" => (BASH, "--norc", "popsync.bash"),
        "fish" => (FISH, "--no-config", "popsync.fish"),
        _ => (ZSH, "-f", "_popsync"),
    };
    let completions = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/completions");
    let (home, _) = Popsync::new(&["--version"]).config(config).run_in();
    let folder = Path::new(env!("CARGO_BIN_EXE_popsync")).parent().unwrap();
    let mut path = OsString::from(folder);
    path.push(":");
    path.push(env::var_os("PATH").unwrap());
    let mut command = Command::new(shell);
    command.args([flag, "-c", script]);
    if shell != "fish" {
        command.arg(shell);
    }
    let shell = command
        .arg(completions.join(file))
        .args(words)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    assert_eq!(String::from_utf8_lossy(&shell.stderr), "");
    let out = String::from_utf8(shell.stdout).unwrap();
    Some(out.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn shells_complete_commands_flags_and_accounts() {
    for shell in ["bash", "fish", "zsh"] {
        for (words, expected) in [
            (&["sch"][..], "schedule"),
            (&["config", "ch"], "check"),
            (&["schedule", "--ins"], "--install"),
            (&["sync", "wo"], "work"),
            (&["sync", "work", "h"], "home"),
            (&["account", "show", "w"], "work"),
            (&["login", "ho"], "home"),
            (&["import", "home", "--from", "th"], "thunderbird"),
        ] {
            let Some(offered) = completed(shell, words, CONFIG) else {
                continue;
            };
            // zsh and fish have the help beside it.
            let first = offered.split([':', ' ']).next();
            assert_eq!(first, Some(expected), "{shell} {words:?}: {offered}");
        }
    }
}

#[test]
fn a_broken_configuration_gives_no_names_and_no_message() {
    for shell in ["bash", "fish", "zsh"] {
        for config in ["[accounts", "[accounts.work]\nserver = 1\n", ""] {
            let offered = completed(shell, &["sync", "w"], config);
            assert!(offered.is_none_or(|offered| offered.is_empty()), "{shell}");
        }
    }
}

/// The answer to bash, without a shell.
fn answer(words: &[&str]) -> Popsync {
    let words = [&["--", "popsync"], words].concat();
    Popsync::new(&words)
        .env("_POPSYNC_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", &(words.len() - 2).to_string())
}

#[test]
fn the_configuration_that_was_typed_is_read() {
    answer(&["sync", "--config", "other.toml", "w"])
        .file("other.toml", CONFIG)
        .gives(0, "work", "");
    answer(&["--config=other.toml", "verify", "h"])
        .file("other.toml", CONFIG)
        .gives(0, "home", "");
    answer(&["sync", "--config", "none.toml", "w"])
        .config(CONFIG)
        .gives(0, "", "");
}

/// A shell would take a name apart that has a space or a quote in it.
#[test]
fn a_name_that_needs_quotes_is_not_offered() {
    let config = CONFIG.replace("[accounts.work]", "[accounts.\"wo rk\"]");
    answer(&["sync", "w"]).config(&config).gives(0, "", "");
}

/// `password-command` would leave a file.
#[test]
fn no_password_is_asked_for() {
    let config = CONFIG.replace(
        "maildir = \"m\"",
        "maildir = \"m\"\npassword-command = \"touch asked\"",
    );
    let (home, ended) = answer(&["sync", "w"]).config(&config).run_in();
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("work", ""));
    let names = fs::read_dir(home.path()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [".config"]);
}
