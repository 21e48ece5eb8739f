//! The JSON lines of `popsync probe`; their schema is in popsync-probe(1).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::account::Account;
use crate::pop3::Printable;
use crate::probe::{Error, Flight, IdForm, Observations, Report, Stage, UniqueIdRows};
use crate::session::Address;
use crate::session::certificate::{Certificate, Text};

use super::super::sanitize;

#[derive(Serialize)]
struct ProbeLine<'a> {
    event: &'static str,
    account: &'a str,
    server: String,
    address: Option<String>,
    greeting: Option<String>,
    tls: Option<&'a str>,
    certificate: Option<CertificateLine>,
    capabilities: CapabilityLines,
    latency: Option<f64>,
    pipelining: PipeliningLine,
    messages: Option<u64>,
    bytes: Option<u64>,
    listed_bytes: Option<u64>,
    compared: usize,
    exact: usize,
    unique_ids: Option<UniqueIdLine>,
    exchange: bool,
    seconds: BTreeMap<&'static str, f64>,
    stopped: Option<StoppedLine>,
    exit: u8,
}

#[derive(Serialize)]
struct CertificateLine {
    fingerprint: String,
    public_key: Option<String>,
    subject: Option<String>,
    issuer: Option<String>,
    names: Vec<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    days_left: Option<i64>,
}

#[derive(Serialize)]
struct CapabilityLines {
    before_tls: Option<Vec<String>>,
    before_login: Option<Vec<String>>,
    after_login: Option<Vec<String>>,
}

#[derive(Serialize)]
struct PipeliningLine {
    announced: bool,
    tried: Option<&'static str>,
}

#[derive(Serialize)]
struct UniqueIdLine {
    count: u64,
    forms: BTreeMap<&'static str, u64>,
    shortest: Option<usize>,
    longest: Option<usize>,
    missing: u64,
    repeated: u64,
    too_long: u64,
    outside_outlook: u64,
    outside_rfc1939: u64,
}

#[derive(Serialize)]
struct StoppedLine {
    step: Option<&'static str>,
    statement: Option<&'static str>,
}

#[derive(Serialize)]
struct CheckLine<'a> {
    event: &'static str,
    account: &'a str,
    id: &'static str,
    rule: &'static str,
    seen: &'a str,
    verdict: &'static str,
}

/// The header, then a line for each finding.
pub(super) fn json(account: &Account, report: &Report, now: i64) -> Vec<String> {
    let header = probe_line(account, report, now);
    let findings = report.findings.iter().map(|finding| {
        text(&CheckLine {
            event: "probe-check",
            account: &account.name,
            id: finding.id,
            rule: finding.rule,
            seen: &sanitize::text(&finding.seen),
            verdict: finding.verdict.as_str(),
        })
    });
    std::iter::once(text(&header)).chain(findings).collect()
}

fn text(line: &impl Serialize) -> String {
    // Only numbers, strings, and maps with names as keys: this cannot fail.
    serde_json::to_string(line).unwrap_or_default()
}

fn probe_line<'a>(account: &'a Account, report: &'a Report, now: i64) -> ProbeLine<'a> {
    let seen = &report.observations;
    let stat = seen.drop_listing();
    let samples = seen.samples.iter();
    let compared =
        samples.filter_map(|sample| Some((sample.listed?, sample.retr.as_ref()?.octets())));
    let safe = |line: &String| sanitize::text(line).into_owned();
    let lines = |stage| {
        let known = seen.capabilities(stage);
        known.map(|known| known.lines().iter().map(safe).collect())
    };
    let seconds = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e6;
    ProbeLine {
        event: "probe",
        account: &account.name,
        server: account.server.to_string(),
        address: seen.address.as_ref().map(Address::to_string),
        greeting: greeting(seen),
        tls: seen.tls.as_deref(),
        certificate: seen.certificate.as_ref().map(|der| certificate(der, now)),
        capabilities: CapabilityLines {
            before_tls: lines(Stage::BeforeTls),
            before_login: lines(Stage::BeforeLogin),
            after_login: lines(Stage::AfterLogin),
        },
        latency: seen.latency().map(seconds),
        pipelining: PipeliningLine {
            announced: seen.announces_pipelining(),
            tried: match seen.flight {
                Flight::InOrder => Some("in-order"),
                Flight::Lost => Some("lost"),
                Flight::OutOfOrder => Some("out-of-order"),
                Flight::Untried => None,
            },
        },
        messages: stat.map(|listing| listing.messages),
        bytes: stat.and_then(|listing| listing.octets),
        listed_bytes: seen.scan.as_ref().map(|scan| scan.octets),
        exact: compared
            .clone()
            .filter(|(listed, sent)| listed == sent)
            .count(),
        compared: compared.count(),
        unique_ids: seen.unique_ids.as_ref().map(unique_ids),
        exchange: seen.is_exchange(),
        seconds: seen
            .times
            .iter()
            .map(|(step, time)| (step.name(), seconds(*time)))
            .collect(),
        stopped: stopped(report),
        exit: report.exit().code(),
    }
}

fn greeting(seen: &Observations) -> Option<String> {
    let line = Printable(&seen.greeting()?.line).to_string();
    Some(sanitize::text(&line).into_owned())
}

fn certificate(der: &[u8], now: i64) -> CertificateLine {
    let certificate = Certificate::read(der);
    let text = certificate.text.as_ref();
    let safe = |text: &String| sanitize::text(text).into_owned();
    CertificateLine {
        fingerprint: certificate.fingerprint.to_string(),
        public_key: certificate.public_key.map(|key| key.to_string()),
        subject: text.map(|text| safe(&text.subject)),
        issuer: text.map(|text| safe(&text.issuer)),
        names: text.map_or_else(Vec::new, |text| text.names.iter().map(safe).collect()),
        not_before: text.and_then(|text| utc(text.not_before)),
        not_after: text.and_then(|text| utc(text.not_after)),
        days_left: text.map(|text: &Text| text.days_left(now)),
    }
}

fn utc(seconds: u64) -> Option<String> {
    let time = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.to_string())
}

fn unique_ids(ids: &UniqueIdRows) -> UniqueIdLine {
    UniqueIdLine {
        count: ids.rows.count,
        forms: ids
            .forms()
            .map(|(form, count): (IdForm, u64)| (form.name(), count))
            .collect(),
        shortest: ids.lengths.map(|(shortest, _)| shortest),
        longest: ids.lengths.map(|(_, longest)| longest),
        missing: ids.missing.count,
        repeated: ids.repeated.count,
        too_long: ids.too_long.count,
        outside_outlook: ids.outside_outlook.count,
        outside_rfc1939: ids.outside_rfc.count,
    }
}

/// The line for a visit that ended early. It has no step if the user stopped it.
fn stopped(report: &Report) -> Option<StoppedLine> {
    let failure = report.observations.error.as_ref();
    if failure.is_none() && report.interrupted.is_none() {
        return None;
    }
    Some(StoppedLine {
        step: failure.map(|failure: &Error| failure.step.name()),
        statement: failure.and_then(|failure| failure.statement),
    })
}
