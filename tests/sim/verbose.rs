//! `-v` and `-vv`: plain sentences, and the dialogue as it was.

use support::bench::{Bench, USER, letters};

/// Standard error of a first sync of two messages.
fn said(flag: &str) -> Vec<String> {
    let bench = Bench::with(letters(2));
    let ended = bench.sync("profile = \"outlook-2016\"", &[flag]).gives(0);
    ended.err.lines().map(str::to_owned).collect()
}

#[test]
fn each_step_is_a_plain_sentence_about_an_account() {
    let lines = said("-v");
    for line in &lines {
        assert!(line.starts_with("work: "), "{line}");
        for machine in ["DEBUG", "popsync::", "=", "["] {
            assert!(!line.contains(machine), "{line}");
        }
    }
    for words in [
        "the password is from password-file",
        "connected to 127.0.0.1:",
        "logged in",
        "2 messages on the server",
        "to do: retrieve 2 (",
        "2 messages made durable",
        "2 messages deleted on the server",
        "2 new messages (",
    ] {
        let found = lines.iter().filter(|line| line.contains(words));
        assert_eq!(found.count(), 1, "{words}: {lines:#?}");
    }
}

/// The commands, and the first lines of the answers, as on the wire; for long ones, only the
/// length.
#[test]
fn the_dialogue_is_shown_as_it_was_without_secrets_and_with_the_time() {
    let lines = said("-vv");
    let dialogue: Vec<_> = lines
        .iter()
        .filter_map(|line| {
            let (time, line) = line.split_once("] work: ").unwrap();
            let seconds = time.trim_start_matches(['[', ' ']).parse::<f64>();
            assert!(seconds.is_ok(), "{time}");
            (line.starts_with("C: ") || line.starts_with("S: ")).then_some(line)
        })
        .collect();
    let user = format!("C: USER {USER}");
    let mut rest = dialogue.iter();
    for expected in [
        "S: +OK The Microsoft Exchange POP3 service is ready.",
        "C: CAPA",
        "S: +OK",
        "S: TOP",
        "S: UIDL",
        "S: .",
        &user,
        "S: +OK",
        "C: PASS ***",
        "S: +OK User successfully logged on.",
        "C: STAT",
        "S: +OK 2 ",
        "C: UIDL",
        "S: +OK",
        "S: (UIDL: 2 lines, ",
        "C: RETR 1",
        "S: +OK",
        "S: (RETR: ",
        "C: DELE 1",
        "C: QUIT",
        "S: +OK",
    ] {
        let found = rest.any(|line| line.starts_with(expected));
        assert!(found, "{expected:?} is missing in {dialogue:#?}");
    }
}
