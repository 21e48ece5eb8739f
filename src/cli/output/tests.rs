use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use indicatif::ProgressDrawTarget;

use super::streams::Manner;
use super::*;
use crate::account::{LineEndings, StoreSettings};
use crate::auth::source;
use crate::policy::{Action, Reason};
use crate::store::Notice;
use crate::sync::{self, Event, Reporter, Warning};

mod import;

/// The text written to a stream.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut content = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        content.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const TEXT: Options = Options {
    json: false,
    quiet: false,
    dry_run: false,
    lists_messages: false,
    colour: Some(false),
};

const JSON: Options = Options { json: true, ..TEXT };

/// An output whose streams are captured.
fn output(options: Options, terminal: bool) -> (Arc<Output>, Screen, Screen) {
    let (out, err) = (Screen::default(), Screen::default());
    let manner = Manner {
        terminal,
        colour: options.colour == Some(true),
        bars: terminal && !options.json && !options.quiet && !options.dry_run,
        out_is_terminal: terminal,
    };
    // Bars would go to the stderr of the tests.
    let target = ProgressDrawTarget::hidden();
    let streams = Streams::new(manner, target, out.clone(), err.clone());
    (Arc::new(Output::new(options, streams)), out, err)
}

/// The text on both streams after a run with these events.
fn shown(options: Options, terminal: bool, events: &[Event<'_>], outcome: &Outcome) -> String {
    let (output, out, err) = output(options, terminal);
    let reporter = output.reporter("work");
    for event in events {
        reporter.report(*event);
    }
    drop(reporter);
    output.outcome("work", outcome, Complaint::AtOnce);
    assert_eq!(output.finish(), Exit::Success);
    format!("out:\n{}err:\n{}", out.text(), err.text())
}

fn done() -> Outcome {
    Outcome {
        summary: Summary {
            retrieved: 1,
            octets: 1_500,
            on_server: 3,
            ..Summary::default()
        },
        result: Ok(()),
        outage: None,
        started_at: 0,
        login_delay: None,
    }
}

fn failed() -> Outcome {
    Outcome {
        summary: Summary::default(),
        result: Err(sync::Error::Auth(
            source::Error::NoSource { keyring: None }.into(),
        )),
        outage: None,
        started_at: 0,
        login_delay: None,
    }
}

const EVENTS: [Event<'static>; 4] = [
    Event::Listed { messages: 3 },
    Event::Received { octets: 1_500 },
    Event::Retrieved,
    Event::Stored { messages: 1 },
];

/// A path that could drive a terminal.
static STORE: LazyLock<StoreSettings> = LazyLock::new(|| StoreSettings::Mbox {
    path: PathBuf::from("/mail/\x1b[31mred"),
    line_endings: LineEndings::Lf,
});

fn unusual() -> [Event<'static>; 2] {
    [
        Event::Warning(Warning::StoreMended {
            notice: &Notice::MadeAnew,
            store: &STORE,
        }),
        Event::MessageFailed {
            number: 7,
            unique_id: b"AA\x1b",
            reason: "the server said \u{202e}no",
        },
    ]
}

#[test]
fn without_a_terminal_success_is_silent() {
    assert_eq!(shown(TEXT, false, &EVENTS, &done()), "out:\nerr:\n");
}

#[test]
fn on_a_terminal_success_is_one_line() {
    insta::assert_snapshot!(shown(TEXT, true, &EVENTS, &done()), @r"
    out:
    err:
    work: 1 new message (1.5 kB), 3 on the server, in 0.0 s
    ");
}

#[test]
fn what_a_person_should_know_is_said_everywhere_and_escaped() {
    let mut outcome = done();
    outcome.summary.failed = 1;
    insta::assert_snapshot!(shown(TEXT, false, &unusual(), &outcome), @r"
    out:
    err:
    popsync: work: warning: `/mail/\x1b[31mred` was not there any more, and is begun anew; what it held is not retrieved again
    popsync: work: message 7 (AA\x1b): the server said \u{202e}no
    work: 1 new message (1.5 kB), 1 failed, 3 on the server, in 0.0 s
    ");
}

/// Cron mails the output: a handful of names shows the reason, two thousand show no more.
#[test]
fn of_many_messages_that_fail_a_handful_is_named() {
    let refused = |number| Event::MessageFailed {
        number,
        unique_id: b"AA",
        reason: "no",
    };
    for (failed, named, rest) in [
        (10, 10, None),
        (
            11,
            10,
            Some("popsync: work: 1 more message could not be had; `-v` names all\n"),
        ),
        (
            2_000,
            10,
            Some("popsync: work: 1,990 more messages could not be had; `-v` names all\n"),
        ),
    ] {
        let events: Vec<_> = (1..=failed).map(refused).collect();
        let text = shown(TEXT, false, &events, &done());
        assert_eq!(text.matches("(AA): no").count(), named);
        match rest {
            Some(rest) => assert!(text.contains(rest), "{text}"),
            None => assert!(!text.contains("more"), "{text}"),
        }
        // Programs get each of them.
        let json = Options { json: true, ..TEXT };
        let text = shown(json, false, &events, &done());
        let told = text.matches("{\"event\":\"failed\"").count();
        assert_eq!(told, failed as usize);
    }
}

#[test]
fn quiet_leaves_only_errors() {
    let quiet = Options {
        quiet: true,
        ..TEXT
    };
    insta::assert_snapshot!(shown(quiet, true, &unusual(), &done()), @r"
    out:
    err:
    popsync: work: message 7 (AA\x1b): the server said \u{202e}no
    ");
}

#[test]
fn an_error_has_its_hint() {
    insta::assert_snapshot!(shown(TEXT, false, &[], &failed()), @r"
    out:
    err:
    popsync: work: no password, and no terminal to ask for one
    hint: run `popsync login` for this account, set `password-command` or `password-file`, or POPSYNC_PASSWORD for this run
    ");
    insta::assert_snapshot!(shown(TEXT, true, &[], &failed()), @r"
    out:
    err:
    popsync: work: no password, and no terminal to ask for one
    hint: run `popsync login` for this account, set `password-command` or `password-file`, or POPSYNC_PASSWORD for this run
    ");
}

#[test]
fn colour_marks_errors_only() {
    let colour = Options {
        colour: Some(true),
        ..TEXT
    };
    let text = shown(colour, true, &[], &failed());
    insta::assert_snapshot!(text.replace('\x1b', "ESC"), @r"
    out:
    err:
    ESC[31mESC[1mpopsync:ESC[0m work: no password, and no terminal to ask for one
    ESC[36mhint:ESC[0m run `popsync login` for this account, set `password-command` or `password-file`, or POPSYNC_PASSWORD for this run
    ");
}

#[test]
fn json_goes_to_stdout_and_errors_to_both() {
    insta::assert_snapshot!(shown(JSON, true, &EVENTS, &done()), @r#"
    out:
    {"event":"listed","account":"work","messages":3}
    {"event":"retrieved","account":"work","messages":0,"bytes":1500}
    {"event":"retrieved","account":"work","messages":1,"bytes":1500}
    {"event":"stored","account":"work","messages":1}
    {"event":"summary","account":"work","retrieved":1,"bytes":1500,"headers":0,"deleted":0,"skipped":0,"failed":0,"held":0,"on_server":3,"seconds":0.0,"exit":0}
    err:
    "#);
    insta::assert_snapshot!(shown(JSON, false, &unusual(), &failed()), @r#"
    out:
    {"event":"warning","account":"work","kind":"store-mended","message":"`/mail/\\x1b[31mred` was not there any more, and is begun anew; what it held is not retrieved again"}
    {"event":"failed","account":"work","number":7,"unique_id":"AA\\x1b","reason":"the server said \\u{202e}no"}
    {"event":"error","account":"work","exit":77,"message":"no password, and no terminal to ask for one","hint":"run `popsync login` for this account, set `password-command` or `password-file`, or POPSYNC_PASSWORD for this run"}
    {"event":"summary","account":"work","retrieved":0,"bytes":0,"headers":0,"deleted":0,"skipped":0,"failed":0,"held":0,"on_server":0,"seconds":0.0,"exit":77}
    err:
    popsync: work: warning: `/mail/\x1b[31mred` was not there any more, and is begun anew; what it held is not retrieved again
    popsync: work: message 7 (AA\x1b): the server said \u{202e}no
    popsync: work: no password, and no terminal to ask for one
    hint: run `popsync login` for this account, set `password-command` or `password-file`, or POPSYNC_PASSWORD for this run
    "#);
}

/// Many events give few lines, and the totals are right before any other line.
#[test]
fn json_tells_progress_now_and_then() {
    let mut events = vec![Event::Received { octets: 10 }; 10_000];
    events.push(Event::Retrieved);
    events.push(Event::Stored { messages: 1 });
    let text = shown(JSON, false, &events, &done());
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains(r#""event":"retrieved""#))
        .collect();
    assert!(lines.len() < 1_000, "{} lines", lines.len());
    assert_eq!(
        lines.last().copied(),
        Some(r#"{"event":"retrieved","account":"work","messages":1,"bytes":100000}"#)
    );
}

/// A person at the terminal sees a failure at once. Cron reports it after it has lasted, with its
/// start.
#[test]
fn a_failure_that_may_pass_is_put_off_without_a_terminal_and_not_in_json() {
    let told = |options, terminal, complaint| {
        let (output, out, err) = output(options, terminal);
        assert_eq!(
            output.outcome("work", &failed(), complaint),
            Exit::NoPermission
        );
        output.finish();
        (out.text(), err.text())
    };
    let (out, err) = told(TEXT, false, Complaint::PutOff);
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
    assert!(
        told(TEXT, true, Complaint::PutOff)
            .1
            .starts_with("popsync: work: ")
    );
    let (out, err) = told(JSON, false, Complaint::PutOff);
    assert!(
        out.starts_with("{\"event\":\"error\",\"account\":\"work\""),
        "{out}"
    );
    assert_eq!(err, "");
    let since = 1_700_000_000;
    let (_, err) = told(TEXT, false, Complaint::Late { since });
    let words = format!("; failing since {}\n", time::zoned(since));
    assert!(err.contains(&words) && err.contains("hint: "), "{err}");
}

#[test]
fn a_dry_run_is_a_line_for_each_account_and_with_v_a_table() {
    let events = [
        Event::Listed { messages: 9 },
        Event::Decided {
            number: 4,
            unique_id: b"AAAD",
            octets: Some(1_500),
            action: Action::Retrieve,
            reason: Reason::New,
            leaves_at: None,
        },
        Event::Planned {
            retrieve: 1,
            octets: 1_500,
            headers: 0,
            delete: 0,
            skip: 0,
        },
    ];
    let dry = Options {
        dry_run: true,
        ..TEXT
    };
    insta::assert_snapshot!(shown(dry, true, &events, &done()), @r"
    out:
    work: 1 to retrieve (1.5 kB), 0 to delete, 0 skipped, 9 on the server; nothing was done
    err:
    ");
    let all = Options {
        lists_messages: true,
        ..dry
    };
    insta::assert_snapshot!(shown(all, true, &events, &done()), @r"
    out:
    work: 1 to retrieve (1.5 kB), 0 to delete, 0 skipped, 9 on the server; nothing was done
          4     1.5 kB  retrieve               AAAD  (new)
    err:
    ");
    let json = Options {
        dry_run: true,
        ..JSON
    };
    insta::assert_snapshot!(shown(json, true, &events, &done()), @r#"
    out:
    {"event":"listed","account":"work","messages":9}
    {"event":"decided","account":"work","number":4,"unique_id":"AAAD","bytes":1500,"action":"retrieve","reason":"new","leaves_at":null}
    {"event":"planned","account":"work","retrieve":1,"bytes":1500,"headers":0,"delete":0,"skip":0}
    {"event":"summary","account":"work","retrieved":1,"bytes":1500,"headers":0,"deleted":0,"skipped":0,"failed":0,"held":0,"on_server":3,"seconds":0.0,"exit":0}
    err:
    "#);
}

#[test]
fn accounts_that_never_ran_have_their_last_line_too() {
    let (output, out, err) = output(JSON, false);
    assert_eq!(
        output.not_started("home", Signal::Terminate),
        Exit::Terminated
    );
    assert_eq!(output.panicked("work"), Exit::IoError);
    assert_eq!(output.finish(), Exit::Success);
    insta::assert_snapshot!(format!("{}{}", out.text(), err.text()), @r#"
    {"event":"summary","account":"home","retrieved":0,"bytes":0,"headers":0,"deleted":0,"skipped":0,"failed":0,"held":0,"on_server":0,"seconds":0.0,"exit":143}
    {"event":"error","account":"work","exit":74,"message":"stopped by an internal error","hint":"this is a bug in popsync; please report it with the line above"}
    {"event":"summary","account":"work","retrieved":0,"bytes":0,"headers":0,"deleted":0,"skipped":0,"failed":0,"held":0,"on_server":0,"seconds":0.0,"exit":74}
    popsync: work: stopped by an internal error
    hint: this is a bug in popsync; please report it with the line above
    "#);
}

/// Another account may fail while a person types a password.
#[test]
fn no_line_disturbs_a_question_and_all_come_after_it() {
    let (output, _, err) = output(JSON, true);
    let answer = output.question(|| {
        output.problem(Some("home"), "the server is away");
        output.line("home: no new messages");
        assert_eq!(err.text(), "");
        "secret"
    });
    assert_eq!(answer, "secret");
    let lines = "popsync: home: the server is away\nhome: no new messages\n";
    assert_eq!(err.text(), lines);
    output.line("more");
    assert_eq!(err.text(), format!("{lines}more\n"));
}

#[test]
fn a_question_that_nobody_answers_holds_no_more_than_it_may() {
    let (output, _, err) = output(JSON, true);
    let line = "x".repeat(1_000);
    output.question(|| {
        for _ in 0..2_000 {
            output.line(&line);
        }
        assert!(err.text().len() > 1_000_000);
    });
    assert_eq!(err.text().len(), 2_000 * 1_001);
}
