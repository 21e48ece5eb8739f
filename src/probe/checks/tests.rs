//! Every check by table: the lines that a server sends, and the verdict.

use std::io;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::*;
use crate::pop3::{self, Keyword, MessageNumber, Place, Tap};
use crate::probe::recorder::Recorder;
use crate::probe::{Sample, Transfer};
use crate::session::{Awaited, Error};
use Verdict::{Deviates, NotSeen, Ok, Tolerated};

mod content;

/// A server to be observed. It follows all rules to begin with.
struct Server {
    greeting: &'static str,
    capabilities: &'static [&'static str],
    pass: &'static str,
    stat: &'static str,
    list: &'static [&'static str],
    uidl: &'static [&'static str],
    noop: &'static str,
    /// The line that ends listings.
    end: &'static str,
    /// Message 1 by TOP, and by RETR on a deep visit; as sent.
    top: &'static str,
    retr: Option<&'static str>,
    /// The error that ends the visit, in front of that command.
    failure: Option<(Keyword, Error)>,
    unfinished: Option<&'static str>,
}

/// A clock that stands still, so that the times do not depend on the load of the machine.
fn stopped() -> Instant {
    static TIME: OnceLock<Instant> = OnceLock::new();
    *TIME.get_or_init(Instant::now)
}

const HEADER: &str = "Subject: a\r\n\r\n.\r\n";

impl Default for Server {
    fn default() -> Self {
        Self {
            greeting: "+OK ready",
            capabilities: &["TOP", "UIDL", "USER", "PIPELINING"],
            pass: "+OK",
            stat: "+OK 2 320",
            list: &["+OK", "1 120", "2 200"],
            uidl: &["+OK", "1 abc", "2 abd"],
            noop: "+OK",
            end: ".",
            top: HEADER,
            retr: None,
            failure: None,
            unfinished: None,
        }
    }
}

impl Server {
    /// The observations of a visit to it.
    fn observed(self) -> Observations {
        let recorder = Recorder::new(self.retr.is_some(), stopped);
        self.visit(&recorder);
        if let Some(line) = self.unfinished {
            recorder.unfinished(line.as_bytes());
        }
        if let Some((_, error)) = self.failure {
            recorder.failed(error);
        }
        recorder.take()
    }

    fn visit(&self, recorder: &Recorder) {
        let ends_at = self.failure.as_ref().map(|(keyword, _)| *keyword);
        let status = |keyword, line: &str| {
            recorder.line(keyword, Place::Status, line.as_bytes());
            keyword.is_some() && keyword == ends_at
        };
        let listing = |keyword, lines: &[&str]| {
            let mut lines = lines.iter();
            let first = lines.next().map_or("", |line| line);
            if status(Some(keyword), first) {
                return true;
            }
            if first.starts_with('+') {
                for line in lines {
                    recorder.line(Some(keyword), Place::Row, line.as_bytes());
                }
                recorder.line(Some(keyword), Place::End, self.end.as_bytes());
            }
            false
        };
        let mut capa = vec!["+OK"];
        capa.extend(self.capabilities);
        if self.greeting.is_empty() || status(None, self.greeting) {
            return;
        }
        if listing(Keyword::Capa, &capa) || status(Some(Keyword::User), "+OK") {
            return;
        }
        if status(Some(Keyword::Pass), self.pass) || !self.pass.starts_with('+') {
            return;
        }
        recorder.logged_in();
        if status(Some(Keyword::Stat), self.stat)
            || listing(Keyword::Uidl, self.uidl)
            || listing(Keyword::List, self.list)
            || status(Some(Keyword::Noop), self.noop)
        {
            return;
        }
        let octets = |keyword, octets: &str| {
            if status(Some(keyword), "+OK") || octets.is_empty() {
                return None;
            }
            recorder.message(keyword, octets.as_bytes());
            Some(recorder.transfer())
        };
        let top: Option<Transfer> = octets(Keyword::Top, self.top);
        let retr = self.retr.and_then(|retr| octets(Keyword::Retr, retr));
        if let Some(number) = MessageNumber::new(1) {
            recorder.sample(Sample {
                number,
                listed: Some(120),
                top,
                retr,
            });
        }
        status(Some(Keyword::Quit), "+OK");
    }
}

fn timed_out(keyword: Keyword) -> Option<(Keyword, Error)> {
    let awaited = Awaited::Reply(keyword);
    let after = Duration::from_secs(60);
    Some((keyword, Error::TimedOut { awaited, after }))
}

/// Asserts the verdict and the words of a check on a server.
#[track_caller]
fn says(id: &str, server: Server, verdict: Verdict, words: &str) {
    let findings = judge(&server.observed());
    let finding = findings.iter().find(|finding| finding.id == id);
    let found = finding.map(|finding| (finding.verdict, finding.seen.as_str()));
    assert_eq!(found, Some((verdict, words)), "{id}");
}

#[test]
fn a_decent_server_deviates_in_nothing() {
    for finding in judge(&Server::default().observed()) {
        assert!(
            [Ok, NotSeen].contains(&finding.verdict),
            "{}: {}",
            finding.id,
            finding.seen
        );
    }
}

#[test]
fn every_id_stands_once_and_rules_fit_their_column() {
    let server = Server {
        greeting: "+OK The Microsoft Exchange POP3 service is ready.",
        ..Server::default()
    };
    let findings = judge(&server.observed());
    assert_eq!(
        findings.len(),
        outlook::CHECKS.len() + exchange::CHECKS.len()
    );
    for (index, finding) in findings.iter().enumerate() {
        assert!(finding.rule.len() <= 24, "{}", finding.rule);
        let earlier = findings[..index].iter();
        assert_eq!(earlier.filter(|other| other.id == finding.id).count(), 0);
    }
    let outlook = judge(&Server::default().observed());
    assert!(
        outlook
            .iter()
            .all(|finding| finding.id.starts_with("OPOP3"))
    );
}

#[test]
fn greetings() {
    let greeting = |greeting| Server {
        greeting,
        ..Server::default()
    };
    says("OPOP3:C0002", greeting("+OK"), Ok, "greets within 1 ms");
    says(
        "OPOP3:C0002",
        greeting("-ERR too many"),
        Deviates,
        "turns away: `-ERR too many`",
    );
    let silent = |unfinished| Server {
        unfinished,
        failure: Some((
            Keyword::Capa,
            Error::TimedOut {
                awaited: Awaited::Greeting,
                after: Duration::from_secs(60),
            },
        )),
        ..greeting("")
    };
    let words = "timed out after 60 s waiting for the greeting";
    says("OPOP3:C0002", silent(None), Deviates, words);
    says(
        "OPOP3:C0005",
        silent(Some("+OK\n")),
        Deviates,
        r"`+OK\n` and no CRLF",
    );
    says("OPOP3:C0005", silent(None), NotSeen, "not reached");
    let unreachable = Server {
        failure: Some((
            Keyword::Capa,
            Error::Resolve {
                host: "nowhere".to_owned(),
                source: io::ErrorKind::NotFound.into(),
            },
        )),
        ..greeting("")
    };
    says("OPOP3:C0002", unreachable, NotSeen, "not reached");
}

#[test]
fn status_indicators() {
    let noop = |noop| Server {
        noop,
        ..Server::default()
    };
    says("OPOP3:V0001", noop("-ERR no"), Ok, "+OK 9, -ERR 1");
    says(
        "OPOP3:V0001",
        noop("+ok"),
        Tolerated,
        "`+ok` for NOOP; odd 1 time",
    );
    says(
        "OPOP3:V0001",
        noop("OK"),
        Deviates,
        "`OK` for NOOP counts as -ERR",
    );
    says("OPOP3:C0029", noop("+OK"), Ok, "+OK 1 time");
    says(
        "OPOP3:C0029",
        noop("-ERR no"),
        Tolerated,
        "refused: `-ERR no`",
    );
    says("OPOP3:C0031", noop("-ERR no"), Deviates, "NOOP: `-ERR no`");
}

#[test]
fn blanks_and_line_ends() {
    let list = |list| Server {
        list,
        ..Server::default()
    };
    says(
        "OPOP3:C0004",
        Server::default(),
        Ok,
        "one space each, in 5 lines",
    );
    says(
        "OPOP3:C0004",
        list(&["+OK", "1\t120", "2  200"]),
        Tolerated,
        r"`1\t120` and 1 more",
    );
    let stat = Server {
        stat: "+OK  2 320",
        ..Server::default()
    };
    says("OPOP3:C0004", stat, Tolerated, "`+OK  2 320`");
    says(
        "OPOP3:C0005",
        list(&["+OK", "1 120\n2 200"]),
        Tolerated,
        r"CR or LF inside `1 120\n2 200`",
    );
}

#[test]
fn ends_of_listings() {
    let server = Server {
        end: ".done",
        ..Server::default()
    };
    says("OPOP3:V0002", server, Tolerated, "CAPA ends with `.done`");
    let server = Server {
        failure: timed_out(Keyword::List),
        ..Server::default()
    };
    let words = "timed out after 60 s waiting for the reply to LIST";
    says("OPOP3:C0006", server, Deviates, words);
    let server = Server {
        retr: Some("Subject: a\r\n\r\n.hidden\r\n..\r\n.\r\n"),
        ..Server::default()
    };
    says(
        "OPOP3:V0002",
        server,
        Deviates,
        "message 1: a dot is lost in 1 line",
    );
}

#[test]
fn answers() {
    says(
        "OPOP3:C0014",
        Server::default(),
        Ok,
        "9 commands, each answered",
    );
    let server = Server {
        failure: Some((
            Keyword::Noop,
            Error::Protocol {
                last_words: None,
                fault: pop3::Error::Leftover {
                    text: b"+OK".to_vec(),
                },
            },
        )),
        ..Server::default()
    };
    let words = "the server sent something it was not asked for: `+OK`";
    says("OPOP3:C0014", server, Deviates, words);
}

#[test]
fn mechanisms() {
    let capabilities = |capabilities| Server {
        capabilities,
        ..Server::default()
    };
    says("OPOP3:C0009", Server::default(), Ok, "USER");
    says(
        "OPOP3:C0009",
        capabilities(&["USER", "SASL A B C D E"]),
        Ok,
        "USER, A, B and 3 more",
    );
    says(
        "OPOP3:C0009",
        capabilities(&["SASL PLAIN"]),
        Tolerated,
        "announces PLAIN; USER works all the same",
    );
}

#[test]
fn exchange() {
    let exchange = Server {
        greeting: "+OK The Microsoft Exchange POP3 service is ready.",
        capabilities: &["TOP", "UIDL", "SASL NTLM XOAUTH2", "USER"],
        uidl: &["+OK", "1 6499", "2 6501"],
        ..Server::default()
    };
    let findings = judge(&exchange.observed());
    let found = |id: &str| {
        let finding = findings.iter().find(|finding| finding.id == id);
        finding.map(|finding| (finding.verdict, finding.seen.as_str()))
    };
    for (id, verdict, words) in [
        ("XPOP3:N4", Ok, "320, as LIST in sum"),
        ("XPOP3:N5", NotSeen, "--deep compares"),
        ("XPOP3:C0001", Ok, "51 octets the longest"),
        ("XPOP3:E0002", Tolerated, "NTLM, XOAUTH2: more than stated"),
        ("XPOP3:V0004", Ok, "nothing"),
        ("XPOP3:V0005", Ok, "nothing"),
        ("XPOP3:V0007", Ok, "works"),
        ("XPOP3:C0007", Ok, "2 decimal, increasing"),
        ("XPOP3:C0009", Ok, "none"),
        ("XPOP3:V0008", Ok, "`+OK`"),
        ("XPOP3:V0012", Ok, "no timestamp in the greeting"),
        ("XPOP3:C0011", Ok, "1 header of fields alone"),
    ] {
        assert_eq!(found(id), Some((verdict, words)), "{id}");
    }
}

#[test]
fn what_a_server_says_is_quoted_short_and_escaped() {
    assert_eq!(quote(b"\x1b[2J\xff"), r"`\u{1b}[2J\xff`");
    assert_eq!(quote(&[b'x'; 100]).chars().count(), 51);
    assert_eq!(quote_end(&[b'x'; 100]).chars().count(), 51);
    let both = ["a".repeat(60), "b".repeat(60)].concat();
    assert!(quote(both.as_bytes()).ends_with("a…`"));
    assert!(quote_end(both.as_bytes()).starts_with("`…b"));
}
