//! A probe of a simulated Exchange, and its output.

use std::time::Duration;

use exchange_sim::{Knobs, Profile, Server, sample};
use serde_json::Value;

use support::cli::{Ended, Popsync};

pub(crate) const USER: &str = "anna@example.com";

/// A server of this profile, with knobs turned.
pub(crate) fn server(profile: Profile, knobs: Knobs) -> Server {
    Server::builder(profile)
        .user(USER, "secret")
        .messages(USER, sample::messages(6, 1))
        .knobs(knobs)
        .start()
        .unwrap()
}

/// A server of 2016, with knobs turned.
pub(crate) fn odd(knobs: Knobs) -> Server {
    server(Profile::Ex2016, knobs)
}

/// A run that is not started, over TLS if the profile has it; with more flags.
pub(crate) fn popsync(sim: &Server, profile: Profile, flags: &[&str]) -> Popsync {
    let (scheme, port) = match profile {
        Profile::Ex2003 => ("pop3", sim.pop3_port()),
        _ => ("pop3s", sim.pop3s_port()),
    };
    let url = format!("{scheme}://{USER}@localhost:{port}");
    let trust: &[&str] = match profile {
        Profile::Ex2003 => &["--tls", "off"],
        _ => &["--ca-file", "ca.pem"],
    };
    let arguments = [&["probe", &url][..], trust, flags].concat();
    Popsync::new(&arguments)
        .file("ca.pem", sim.ca_pem())
        .env("POPSYNC_PASSWORD", "secret")
}

/// The JSON output of a probe.
pub(crate) struct Told {
    pub(crate) status: i32,
    pub(crate) err: String,
    pub(crate) header: Value,
    pub(crate) checks: Vec<Value>,
}

impl Told {
    pub(crate) fn of(ended: Ended) -> Self {
        let mut lines = ended
            .out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let header = lines.next().unwrap();
        assert_eq!(header["event"], "probe");
        Self {
            status: ended.status,
            err: ended.err,
            header,
            checks: lines
                .filter(|line| line["event"] == "probe-check")
                .collect(),
        }
    }

    /// Verdict and words on a statement.
    pub(crate) fn on(&self, id: &str) -> (&str, &str) {
        let check = self.checks.iter().find(|check| check["id"] == id);
        let check = check.unwrap_or(&Value::Null);
        let text = |key: &str| check[key].as_str().unwrap_or("nothing");
        (text("verdict"), text("seen"))
    }

    /// The statements of this verdict.
    pub(crate) fn with(&self, verdict: &str) -> Vec<&str> {
        let checks = self.checks.iter();
        checks
            .filter(|check| check["verdict"] == verdict)
            .filter_map(|check| check["id"].as_str())
            .collect()
    }
}

pub(crate) fn probe_with(sim: &Server, profile: Profile, flags: &[&str]) -> Told {
    let flags = [flags, &["--json"]].concat();
    let told = Told::of(popsync(sim, profile, &flags).run());
    assert!(sim.wait_until_idle(Duration::from_secs(10)));
    let verbs: Vec<String> = sim.commands();
    assert!(!verbs.iter().any(|line| line.starts_with("DELE")));
    let deep = flags.contains(&"--deep");
    assert!(deep || !verbs.iter().any(|line| line.starts_with("RETR")));
    let logins = verbs.iter().filter(|line| line.starts_with("PASS"));
    assert!(logins.count() <= 1);
    told
}

pub(crate) fn probe(sim: &Server, flags: &[&str]) -> Told {
    probe_with(sim, Profile::Ex2016, flags)
}

/// The report on a server that is odd in one way.
pub(crate) fn told_of(knobs: Knobs) -> Told {
    probe(&odd(knobs), &[])
}
