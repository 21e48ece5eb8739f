//! The program that runs the simulator by hand.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::process::Command;

fn run(arguments: &[&str]) -> (String, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_exchange-sim"))
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.success())
}

#[test]
fn it_prints_what_a_client_needs() {
    let folder = std::env::temp_dir().join(format!("exchange-sim-by-hand-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("mail/cur")).unwrap();
    std::fs::copy("Cargo.toml", folder.join("mail/cur/1")).unwrap();
    let (mail, ca) = (folder.join("mail"), folder.join("ca.pem"));
    for profile in ["ex2003", "ex2007", "exo"] {
        let (text, good) = run(&[
            "--profile",
            profile,
            "--maildir",
            mail.to_str().unwrap(),
            "--ca",
            ca.to_str().unwrap(),
            "--knob",
            "pipelining=true",
            "--seconds",
            "0",
        ]);
        assert!(good, "{text}");
        for word in [profile, "pop3 ", "user ", "password ", "ca "] {
            assert!(text.contains(word), "{text}");
        }
    }
    let pem = std::fs::read_to_string(&ca).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn it_says_what_it_does_not_understand() {
    for (arguments, word) in [
        (&["--profile", "ex1999"][..], "no profile ex1999"),
        (&["--knob", "nonsense=1"], "no knob nonsense"),
        (&["--knob", "chunk=x"], "chunk cannot be x"),
        (
            &["--knob", "max_command=39", "--seconds", "0"],
            "40 to 1024",
        ),
        (&["--seconds"], "wants a value"),
    ] {
        let (text, good) = run(arguments);
        assert!(!good && text.contains(word), "{text}");
    }
    assert!(run(&["--help"]).0.contains("--maildir"));
    assert!(run(&["--knobs"]).0.contains("pipelining_unsupported"));
}
