//! The header: the facts about the server, line by line.

use std::time::Duration;

use indicatif::HumanCount;
use jiff::Timestamp;

use crate::account::{Account, Security, Via};
use crate::pop3::{Capabilities, Keyword, Printable};
use crate::probe::{Flight, IdForm, Observations, Report, Stage, UniqueIdRows};
use crate::session::Address;
use crate::session::certificate::{Certificate, Text};

use super::super::chain;
use super::super::terminal::{messages, octets};

/// A label and its lines.
type Fact = (&'static str, Vec<String>);

/// All facts that come before the table. Those that the visit did not reach are left out.
pub(super) fn facts(account: &Account, report: &Report, now: i64) -> Vec<Fact> {
    let seen = &report.observations;
    let mut facts: Vec<Fact> = vec![("server", vec![server(account, seen)])];
    let mut put = |label, lines: Vec<String>| {
        if !lines.is_empty() {
            facts.push((label, lines));
        }
    };
    put("greeting", greeting(seen));
    put("TLS", seen.tls.iter().map(|tls| plainly(tls)).collect());
    let shown = seen.certificate.as_ref().map(|der| Certificate::read(der));
    if let Some(shown) = shown {
        put("certificate", certificate(shown.text.as_ref(), now));
        // In the form for `fingerprint`, and short enough for narrow screens.
        put("SHA-256", vec![shown.fingerprint.digits()]);
    }
    put("capabilities", capabilities(seen));
    put("latency", latency(seen));
    put("pipelining", pipelining(seen));
    put("mailbox", mailbox(seen));
    put("sizes", sizes(seen));
    put("unique-ids", unique_ids(seen));
    put("time", time(seen));
    put("Exchange", exchange(seen));
    put("stopped", stopped(report));
    facts
}

fn server(account: &Account, seen: &Observations) -> String {
    let mut text = account.server.to_string();
    if let Via::Proxy(proxy) = &account.route.via {
        text.push_str(&format!(" through the proxy {proxy}"));
    }
    match &seen.address {
        Some(Address::Ip(_)) if matches!(account.route.via, Via::Proxy(_)) => {}
        Some(Address::Ip(address)) if address.ip().to_string() != account.server.host => {
            text.push_str(&format!(" ({})", address.ip()));
        }
        Some(Address::Socket(path)) => text.push_str(&format!(" ({})", path.display())),
        Some(Address::Ip(_)) | None => {}
    }
    text.push_str(match account.server.security {
        Security::ImplicitTls => ", TLS from the first octet",
        Security::Plain => ", without TLS",
        Security::Stls => ", STLS",
    });
    text
}

fn greeting(seen: &Observations) -> Vec<String> {
    let line = seen
        .greeting()
        .map(|greeting| Printable(&greeting.line).to_string());
    line.into_iter().collect()
}

/// Simplifies rustls's `TLSv1_3 TLS13_AES_256_GCM_SHA384`.
fn plainly(tls: &str) -> String {
    tls.replacen("TLSv1_", "TLS 1.", 1)
        .replacen(" TLS13_", " TLS_", 1)
}

fn certificate(text: Option<&Text>, now: i64) -> Vec<String> {
    let Some(text) = text else {
        return vec!["cannot be read".to_owned()];
    };
    let names = if text.names.is_empty() {
        "for no host".to_owned()
    } else {
        format!("for {}", text.names.join(", "))
    };
    let parties = if text.issuer == text.subject {
        format!("{}, issued by itself", text.subject)
    } else {
        format!("{}, issued by {}", text.subject, text.issuer)
    };
    vec![parties, names, validity(text, now)]
}

fn validity(text: &Text, now: i64) -> String {
    let from = day(text.not_before);
    let until = day(text.not_after);
    let left = text.days_left(now);
    let begins = i64::try_from(text.not_before).unwrap_or(i64::MAX);
    let left = if left < 0 {
        format!("ended {} days ago", -left)
    } else if begins > now {
        "not valid yet".to_owned()
    } else {
        format!("{left} days left")
    };
    format!("{from} to {until}, {left}")
}

/// A date in UTC, as in certificates.
fn day(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().map(Timestamp::from_second);
    time.and_then(Result::ok).map_or_else(
        || "the end of time".to_owned(),
        |time| time.strftime("%F").to_string(),
    )
}

fn capabilities(seen: &Observations) -> Vec<String> {
    let Some(base) = seen.capabilities(Stage::BeforeLogin) else {
        return match seen.connections {
            0 | 1 if seen.logged_in => vec!["no CAPA".to_owned()],
            0 | 1 => Vec::new(),
            _ => vec!["none: hangs up on CAPA".to_owned()],
        };
    };
    let all = if base.lines().is_empty() {
        "none".to_owned()
    } else {
        base.lines().join(", ")
    };
    let mut lines = vec![all];
    if let Some(plain) = seen.capabilities(Stage::BeforeTls) {
        lines.push(format!("before STLS: {}", difference(base, plain)));
    }
    if let Some(after) = seen.capabilities(Stage::AfterLogin) {
        lines.push(format!("after login: {}", difference(base, after)));
    }
    lines
}

fn difference(base: &Capabilities, other: &Capabilities) -> String {
    let missing = |of: &Capabilities, from: &Capabilities| {
        let lines = of
            .lines()
            .iter()
            .filter(|line| !from.lines().contains(line));
        lines.cloned().collect::<Vec<_>>().join(", ")
    };
    match (missing(other, base), missing(base, other)) {
        (more, less) if more.is_empty() && less.is_empty() => "the same".to_owned(),
        (more, less) if less.is_empty() => format!("also {more}"),
        (more, less) if more.is_empty() => format!("not {less}"),
        (more, less) => format!("also {more}; not {less}"),
    }
}

fn latency(seen: &Observations) -> Vec<String> {
    let median = seen.latency().map(|time| {
        let count = seen.round_trips.len();
        format!("{} ms, the median of {count} NOOPs", milliseconds(time))
    });
    median.into_iter().collect()
}

fn pipelining(seen: &Observations) -> Vec<String> {
    if !seen.logged_in {
        return Vec::new();
    }
    let announced = if seen.announces_pipelining() {
        "announced"
    } else {
        "not announced"
    };
    let tried = match seen.flight {
        Flight::InOrder => "; three commands in one write are answered in order",
        Flight::Lost => "; three commands in one write are not all answered",
        Flight::OutOfOrder => "; three commands in one write are answered out of order",
        Flight::Untried => "",
    };
    vec![format!("{announced}{tried}")]
}

fn mailbox(seen: &Observations) -> Vec<String> {
    let line = seen.drop_listing().map(|listing| {
        let count = HumanCount(listing.messages);
        let noun = messages(listing.messages);
        match listing.octets {
            Some(size) => format!(
                "{count} {noun}, {} octets ({})",
                HumanCount(size),
                octets(size)
            ),
            None => format!("{count} {noun}, of unknown size"),
        }
    });
    line.into_iter().collect()
}

fn sizes(seen: &Observations) -> Vec<String> {
    let (Some(stat), Some(scan)) = (seen.drop_listing(), &seen.scan) else {
        return Vec::new();
    };
    let sum = if stat.octets == Some(scan.octets) {
        "LIST adds up to STAT".to_owned()
    } else {
        format!("LIST adds up to {}, unlike STAT", HumanCount(scan.octets))
    };
    let samples = seen.samples.iter();
    let compared =
        samples.filter_map(|sample| Some((sample.listed?, sample.retr.as_ref()?.octets())));
    let exact = compared
        .clone()
        .filter(|(listed, sent)| listed == sent)
        .count();
    vec![match compared.count() {
        0 => sum,
        all if exact == all => format!("{sum}; exact, by {all} of {all} retrieved"),
        all if exact == 0 => format!("{sum}; estimates, by {all} of {all} retrieved"),
        all => format!("{sum}; exact for {exact} of {all} retrieved"),
    }]
}

fn unique_ids(seen: &Observations) -> Vec<String> {
    match (&seen.unique_ids, seen.reply(Keyword::Uidl), &seen.error) {
        (Some(ids), ..) => forms(ids),
        (None, None, _) => Vec::new(),
        (None, Some(_), Some(_)) => vec!["none".to_owned()],
        (None, Some(_), None) => {
            vec!["none: a sync tells messages apart by their headers, and deletes none".to_owned()]
        }
    }
}

fn forms(ids: &UniqueIdRows) -> Vec<String> {
    let form = |(form, count): (IdForm, u64)| {
        let kind = match form {
            IdForm::Decimal => "decimal, as Exchange 2007 and later",
            IdForm::Base64 => "32 characters of base64, as Exchange 2000 and 2003",
            IdForm::Hexadecimal => "hexadecimal",
            IdForm::Other => "of a form of their own",
        };
        (count, kind)
    };
    let forms: Vec<_> = ids.forms().map(form).collect();
    let mut lines = match &forms[..] {
        [] => vec!["none".to_owned()],
        [(_, kind)] => vec![(*kind).to_owned()],
        several => several
            .iter()
            .map(|(count, kind)| format!("{} {kind}", HumanCount(*count)))
            .collect(),
    };
    if let (Some((shortest, longest)), Some(last)) = (ids.lengths, lines.last_mut()) {
        if shortest == longest {
            last.push_str(&format!("; {longest} octets"));
        } else {
            last.push_str(&format!("; {shortest} to {longest} octets"));
        }
    }
    let oddities = [
        (ids.missing.count, "missing"),
        (ids.repeated.count, "repeated"),
        (ids.too_long.count, "longer than 70 octets"),
        (ids.outside_outlook.count, "outside 0x2E to 0x7E"),
        (ids.outside_rfc.count, "outside 0x21 to 0x7E"),
    ];
    let oddities: Vec<_> = oddities
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", HumanCount(*count)))
        .collect();
    if !oddities.is_empty() {
        lines.push(oddities.join(", "));
    }
    lines
}

fn time(seen: &Observations) -> Vec<String> {
    let total: Duration = seen.times.iter().map(|(_, time)| *time).sum();
    let steps = seen.times.iter();
    let steps = steps.map(|(step, time)| format!("{} {}", step.name(), milliseconds(*time)));
    let steps: Vec<_> = steps.collect();
    match steps.as_slice() {
        [] => Vec::new(),
        steps => vec![format!(
            "{}; {} ms in all",
            steps.join(", "),
            milliseconds(total)
        )],
    }
}

fn exchange(seen: &Observations) -> Vec<String> {
    match seen.is_exchange() {
        true => Vec::new(),
        false if seen.unique_ids.is_none() && seen.reply(Keyword::Uidl).is_none() => Vec::new(),
        false => vec!["it seems not, so the statements of MS-STANXPOP3 are left out".to_owned()],
    }
}

fn stopped(report: &Report) -> Vec<String> {
    if report.interrupted.is_some() {
        return vec!["by you".to_owned()];
    }
    let Some(failure) = &report.observations.error else {
        return Vec::new();
    };
    let statement = match failure.statement {
        Some(statement) => format!(" ({statement})"),
        None => String::new(),
    };
    let (step, words) = (failure.step.name(), chain(&failure.error));
    vec![format!("at {step}: {words}{statement}")]
}

/// Milliseconds, with a sensible number of digits.
fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1_000.0;
    match milliseconds {
        ..0.995 => format!("{milliseconds:.2}"),
        ..9.95 => format!("{milliseconds:.1}"),
        _ => format!("{milliseconds:.0}"),
    }
}
