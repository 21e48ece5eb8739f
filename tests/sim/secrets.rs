//! Secrets stay secret: everything that the program prints, logs, writes, or passes to its children
//! is searched for them, in every possible form.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

mod capabilities;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use exchange_sim::{Act, At, CloseAfterErr, Knobs};
use rustix::process::Signal;

use support::bench::{Bench, By, PASSWORD, Setup, USER, letters};
use support::front::{ANY, Ca, Front, config, params, write};
use support::proxies::{Proxy, http, socks};

/// The password of the proxy.
const PROXY_PASSWORD: &str = "s3cret of the+proxy";

/// Passwords that must not be in any output, in any of their forms.
const SECRETS: [&str; 2] = [PASSWORD, PROXY_PASSWORD];

/// The forms in which a secret could be written down.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    // As one of SASL's, and at each place that it can have within base64's groups of three.
    for before in [
        String::new(),
        "x".to_owned(),
        "xx".to_owned(),
        format!("\0{USER}\0"),
        format!("{USER}:"),
    ] {
        let octets = format!("{before}{secret}").into_bytes();
        // The octets before and behind blur the letters at the ends.
        let skip = (before.len() * 4).div_ceil(3);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&octets);
            forms.push(text.as_bytes()[skip..text.len() - 1].to_vec());
        }
        forms.push(STANDARD.encode(&octets).into_bytes());
    }
    let mut hex = String::new();
    let mut url = String::new();
    for octet in secret.bytes() {
        let _ = write!(hex, "{octet:02x}");
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(octet)),
            _ => {
                let _ = write!(url, "%{octet:02X}");
            }
        }
    }
    forms.extend([hex.to_uppercase(), hex, url.replace("%20", "+"), url].map(String::into_bytes));
    forms
}

#[track_caller]
fn assert_silent(about: &str, octets: &[u8]) {
    for secret in SECRETS {
        for form in forms(secret) {
            let found = memchr::memmem::find(octets, &form);
            assert!(
                found.is_none(),
                "{about} holds {:?}:\n{}",
                String::from_utf8_lossy(&form),
                String::from_utf8_lossy(octets)
            );
        }
    }
}

/// Everything below a folder except the test's own files.
fn files(folder: &Path) -> Vec<PathBuf> {
    let own = [
        "password",
        "proxy-password",
        "netrc",
        "anna.key",
        "config.toml",
    ];
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !own.iter().any(|name| path.ends_with(name)) {
                files.push(path);
            }
        }
    }
    files
}

#[track_caller]
fn assert_no_file_tells(bench: &Bench) {
    let files = files(&bench.path(""));
    let is_state = |path: &PathBuf| path.starts_with(bench.path("state"));
    assert!(files.iter().any(is_state), "no state was kept: {files:?}");
    for path in files {
        let octets = fs::read(&path).unwrap_or_default();
        assert_silent(&path.display().to_string(), &octets);
    }
}

/// Runs `fetch`, and searches its output.
#[track_caller]
fn run(bench: &Bench, arguments: &[&str]) -> Option<i32> {
    let ended = bench.fetch(arguments).end();
    assert_silent(&format!("{arguments:?}"), ended.text().as_bytes());
    ended.status
}

#[test]
fn the_search_finds_what_it_looks_for() {
    for text in [
        PASSWORD.to_owned(),
        STANDARD.encode(PASSWORD),
        STANDARD.encode(format!("\0{USER}\0{PASSWORD}")),
        format!(
            "AUTH PLAIN {}",
            STANDARD.encode(format!("a\0{USER}\0{PASSWORD}"))
        ),
        format!(
            "Basic {}",
            STANDARD.encode(format!("anna:{PROXY_PASSWORD}"))
        ),
        PASSWORD
            .bytes()
            .map(|octet| format!("{octet:02X}"))
            .collect(),
        PASSWORD
            .replace(' ', "%20")
            .replace('=', "%3D")
            .replace('+', "%2B"),
    ] {
        let found = std::panic::catch_unwind(|| assert_silent("this", text.as_bytes()));
        assert!(found.is_err(), "not found in {text:?}");
    }
}

#[test]
fn nothing_printed_and_nothing_kept_tells_a_password() {
    for by in [By::Tls, By::Stls, By::Plain] {
        let bench = Setup::with(letters(3)).by(by).start();
        for auth in ["user", "plain"] {
            for more in [
                &["-vv"][..],
                &["-vv", "--json"],
                &["--dry-run", "-vv"],
                &["-q"],
            ] {
                let arguments = [&["--auth", auth, "--profile", "outlook-2016"], more].concat();
                assert_eq!(run(&bench, &arguments), Some(0), "{arguments:?}");
                bench.settle();
            }
        }
        assert_no_file_tells(&bench);
        bench.assert_exactly_once();
    }
}

#[test]
fn no_failure_tells_a_password() {
    for after in [CloseAfterErr::Never, CloseAfterErr::Always] {
        let bench = Setup::with(letters(2))
            .knobs(Knobs {
                close_after_err: after,
                ..Knobs::default()
            })
            .start();
        bench.sim.set_password(USER, "another one");
        for auth in ["user", "plain"] {
            for more in [&["-vv"][..], &["-vv", "--json"]] {
                let arguments = [&["--auth", auth], more].concat();
                assert_ne!(run(&bench, &arguments), Some(0), "{arguments:?}");
                bench.settle();
            }
        }
        assert_no_file_tells(&bench);
    }
    // Each step of the login fails in its own way.
    for verb in ["USER", "PASS", "CAPA", "STAT"] {
        for act in [
            Act::FirstLine(b"\x00\xff gibberish\r\n".to_vec()),
            Act::FirstLine(b"-ERR no\r\n+OK twice\r\n".to_vec()),
        ] {
            let bench = Setup::with(letters(1))
                .knobs(Knobs::default().rule(At::verb(verb), act))
                .start();
            run(&bench, &["-vv"]);
            assert_no_file_tells(&bench);
        }
    }
}

/// As servers answer unknown commands.
#[test]
fn a_server_that_says_a_password_back_is_not_quoted() {
    // A run waits three seconds where more comes than an answer.
    thread::scope(|scope| {
        for echo in [
            format!("PASS {PASSWORD}"),
            STANDARD.encode(format!("\0{USER}\0{PASSWORD}")),
            PASSWORD.repeat(3),
        ] {
            let line = format!("-ERR unknown command {echo} here\r\n").into_bytes();
            for (verb, auth) in [
                ("PASS", "user"),
                ("STAT", "plain"),
                ("UIDL", "user"),
                ("RETR", "plain"),
            ] {
                for act in [Act::Instead(line.clone()), Act::After(line.clone())] {
                    scope.spawn(move || {
                        let bench = Setup::with(letters(1))
                            .knobs(Knobs::default().rule(At::verb(verb), act))
                            .start();
                        for more in [&["-vv"][..], &["--json", "-vv"]] {
                            run(&bench, &[&["--auth", auth], more].concat());
                        }
                        assert_no_file_tells(&bench);
                    });
                }
            }
        }
    });
    let bench = Setup::with(letters(1))
        .knobs(Knobs::default().rule(
            At::verb("PASS"),
            Act::Instead(format!("-ERR PASS {PASSWORD}?\r\n").into_bytes()),
        ))
        .start();
    bench.fetch(&[]).gives(77).says("`PASS ***?`");
}

/// Servers write in capitals, cut and break lines, and log freely.
#[test]
fn a_password_is_not_quoted_in_any_form_in_which_it_can_be_read() {
    let mut echoes = forms(PASSWORD);
    let (first, last) = PASSWORD.split_at(PASSWORD.len() / 2);
    echoes.push(PASSWORD.to_ascii_uppercase().into_bytes());
    echoes.push(format!("{first}...{last}").into_bytes());
    for echo in echoes {
        let echo = String::from_utf8(echo).unwrap();
        let line = format!("-ERR bad command {echo}\r\n").into_bytes();
        let bench = Setup::with(letters(1))
            .knobs(Knobs::default().rule(At::verb("PASS"), Act::Instead(line)))
            .start();
        let ended = bench.fetch(&["-vv"]).gives(77);
        assert_silent(&echo, ended.text().as_bytes());
        let text = ended.text().to_lowercase();
        for part in [PASSWORD, first, last] {
            assert!(!text.contains(&part.to_lowercase()), "{echo}: {text}");
        }
    }
}

/// The server knows it from the last time.
#[test]
fn a_password_is_not_quoted_before_it_is_sent_either() {
    let lines = [
        (
            "CAPA",
            format!("+OK\r\nUSER\r\nX-PASSWORD {PASSWORD}\r\n.\r\n"),
        ),
        ("USER", format!("-ERR send {PASSWORD}\r\n")),
    ];
    for (verb, line) in lines {
        let act = Act::Instead(line.into_bytes());
        let bench = Setup::with(letters(1))
            .knobs(Knobs::default().rule(At::verb(verb), act))
            .start();
        run(&bench, &["-vv"]);
    }
}

#[test]
fn neither_processes_nor_children_show_a_password() {
    let bench = Setup::with(letters(2)).start();
    let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
    let to = Arc::clone(&seen);
    bench.on_command(move |_, process| {
        for name in ["cmdline", "environ"] {
            let octets = fs::read(format!("/proc/{}/{name}", process.pid()));
            to.lock().unwrap().extend(octets.unwrap_or_default());
        }
    });
    // The child reads its own environment and its parent's.
    let command = "cat /proc/self/environ /proc/self/cmdline /proc/$$/environ \
                   /proc/$PPID/cmdline > child; cat password";
    let arguments = ["--password-command", command, "-vv"];
    let url = bench.url();
    let mut run = bench.fetch_command(&url, &arguments);
    // For another account, but in the environment of all of them.
    run = run.env("POPSYNC_PASSWORD", PROXY_PASSWORD);
    let ended = run.gives(0);
    assert_silent("the output", ended.text().as_bytes());
    let child = fs::read(bench.path("child")).unwrap();
    assert!(memchr::memmem::find(&child, b"PATH=").is_some());
    assert_silent("the child", &child);
    let process = seen.lock().unwrap().clone();
    let fetch = memchr::memmem::find(&process, b"fetch");
    assert!(fetch.is_some() || !Path::new("/proc/self").exists());
    // The user's own variables are in the environment.
    let process = String::from_utf8_lossy(&process).replace(PROXY_PASSWORD, "");
    assert_silent("the process", process.as_bytes());
    assert_no_file_tells(&bench);
}

#[test]
fn other_sources_of_secrets_tell_as_little() {
    let bench = Setup::with(letters(2)).by(By::Plain).start();
    let netrc = |content: &str| {
        write(&bench.path("netrc"), content, 0o600);
        let arguments = ["--tls", "off", "--password-netrc", "netrc", "-vv"];
        let ended = bench.fetch_command(&bench.url(), &arguments).end();
        assert_silent("netrc", ended.text().as_bytes());
        ended
    };
    let entry = format!("machine 127.0.0.1 login {USER} password \"{PASSWORD}\"\n");
    assert_eq!(netrc(&entry).status, Some(0));
    bench.assert_exactly_once();
    let other = netrc(&entry.replace("127.0.0.1", "localhost"));
    assert_eq!(other.status, Some(77), "{}", other.text());
    other.says("has no password for");
    let broken = netrc(&entry.replace("\"\n", "\n"));
    assert_eq!(broken.status, Some(78), "{}", broken.text());
    broken.says("line 1 cannot be understood");
    write(&bench.path("netrc"), &entry, 0o640);
    let arguments = ["--tls", "off", "--password-netrc", "netrc"];
    let ended = bench.fetch_command(&bench.url(), &arguments).gives(78);
    ended.says("can be read by others (mode 640)");
    assert_no_file_tells(&bench);
    assert_eq!(bench.sim.commands_of("PASS").len(), 1);
}

#[test]
fn a_proxys_password_and_a_clients_key_are_not_told() {
    let bench = Setup::with(letters(2)).by(By::Plain).start();
    let ca = Ca::new();
    let (server, anna) = (
        ca.issue(&params(&["127.0.0.1"])),
        ca.issue(&params(&["anna"])),
    );
    let config = config(&server.certificate, &server.key, ANY, Some(ca.verifier()));
    let front = Front::start(config, bench.sim.pop3_port());
    let proxy = Proxy::start(front.port, socks(Some(("anna", PROXY_PASSWORD))));
    let key = anna.key.serialize_pem();
    write(&bench.path("proxy-password"), PROXY_PASSWORD, 0o600);
    write(&bench.path("front.pem"), &ca.pem(), 0o644);
    write(&bench.path("anna.pem"), &anna.certificate.pem(), 0o644);
    write(&bench.path("anna.key"), &key, 0o600);
    for user in ["anna", "eva"] {
        let url = format!("socks5://{user}@127.0.0.1:{}", proxy.port);
        let mut arguments = vec!["--ca-file", "front.pem", "-vv"];
        arguments.extend(["--client-cert", "anna.pem", "--client-key", "anna.key"]);
        arguments.extend(["--proxy", &url, "--proxy-password-file", "proxy-password"]);
        let ended = bench.fetch_bare(&front.url(), &arguments).end();
        let expected = if user == "anna" { 0 } else { 77 };
        assert_eq!(ended.status, Some(expected), "{}", ended.text());
        assert_silent(user, ended.text().as_bytes());
        for line in key.lines().filter(|line| !line.starts_with('-')) {
            assert!(!ended.text().contains(line), "{}", ended.text());
        }
    }
    bench.assert_exactly_once();
    assert_no_file_tells(&bench);
}

/// As proxies that show the request in their error.
#[test]
fn a_proxy_that_says_a_password_back_is_not_quoted() {
    let pair = STANDARD.encode(format!("anna:{PROXY_PASSWORD}"));
    let basic: &str = format!("Basic {pair}").leak();
    for said in [
        format!("407 Basic {pair} is wrong"),
        format!("403 not for {PROXY_PASSWORD}"),
    ] {
        let answer = format!("HTTP/1.1 {said}\r\n\r\n").leak().as_bytes();
        let bench = Setup::with(letters(1)).by(By::Tls).start();
        let proxy = Proxy::start(bench.sim.pop3_port(), http(Some(basic), answer));
        write(&bench.path("proxy-password"), PROXY_PASSWORD, 0o600);
        let url = format!("http://anna@127.0.0.1:{}", proxy.port);
        let arguments = ["-vv", "--proxy", &url];
        let login = ["--proxy-password-file", "proxy-password"];
        let ended = bench.fetch(&[&arguments[..], &login].concat()).end();
        assert!(ended.text().contains("***"), "{}", ended.text());
        assert_silent(&said, ended.text().as_bytes());
    }
}

/// It would contain the whole memory.
#[test]
fn a_crash_leaves_no_core_file() {
    let bench = Setup::with(letters(2)).start();
    bench.on_command(|seen, process| {
        if seen.verb == "STAT" {
            process.signal(Signal::ABORT);
        }
    });
    let mut run = bench.fetch(&[]);
    // Dumping is allowed as far as that is possible from outside.
    let program = run.command.get_program().to_owned();
    let arguments: Vec<_> = run.command.get_args().map(ToOwned::to_owned).collect();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""])
        .arg(program)
        .args(arguments)
        .current_dir(bench.path(""))
        .env_clear()
        .envs(
            run.command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    run.command = shell;
    let ended = run.end();
    assert_eq!(
        ended.signal,
        Some(Signal::ABORT.as_raw()),
        "{}",
        ended.text()
    );
    let cores: Vec<_> = files(&bench.path(""))
        .into_iter()
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("core"))
        })
        .collect();
    assert!(cores.is_empty(), "{cores:?}");
    assert_no_file_tells(&bench);
}
