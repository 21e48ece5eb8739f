//! The statements of \[MS-STANXPOP3\] that can be checked from outside.

use crate::pop3::{Form, Keyword};
use crate::probe::{IdForm, Observations, Reply, Stage};

use super::{
    Check, Judgement, count, deviates, example, not_reached, not_seen, ok, quote, tolerated,
};

/// In the order of the document.
#[rustfmt::skip]
pub(super) const CHECKS: [Check; 13] = [
    Check { id: "XPOP3:N4", rule: "STAT: an estimate", judge: stat_size },
    Check { id: "XPOP3:N5", rule: "LIST: estimates", judge: list_sizes },
    Check { id: "XPOP3:C0001", rule: "replies up to 512 octets", judge: reply_length },
    Check { id: "XPOP3:E0002", rule: "NTLM GSSAPI PLAIN USER", judge: mechanisms },
    Check { id: "XPOP3:V0004", rule: "STAT: nothing behind", judge: bare_stat },
    Check { id: "XPOP3:V0005", rule: "LIST: nothing behind", judge: bare_list },
    Check { id: "XPOP3:C0006", rule: "minimal commands exist", judge: super::framing::commands },
    Check { id: "XPOP3:V0007", rule: "TOP exists", judge: has_top },
    Check { id: "XPOP3:C0007", rule: "ids: decimal, increasing", judge: unique_ids },
    Check { id: "XPOP3:C0009", rule: "ids: no duplicates", judge: duplicates },
    Check { id: "XPOP3:V0008", rule: "USER is never refused", judge: user },
    Check { id: "XPOP3:V0012", rule: "no APOP", judge: apop },
    Check { id: "XPOP3:C0011", rule: "messages are RFC 822", judge: headers },
];

fn stat_size(seen: &Observations) -> Judgement {
    let stat = seen.drop_listing().and_then(|listing| listing.octets);
    match (stat, &seen.scan) {
        (Some(stat), Some(scan)) if stat == scan.octets => ok(format!("{stat}, as LIST in sum")),
        (Some(stat), Some(scan)) => ok(format!("{stat}; LIST in sum {}", scan.octets)),
        _ => not_reached(),
    }
}

fn list_sizes(seen: &Observations) -> Judgement {
    let compared = seen
        .samples
        .iter()
        .filter_map(|sample| Some((sample.listed?, sample.retr.as_ref()?.octets())));
    let exact = compared
        .clone()
        .filter(|(listed, sent)| listed == sent)
        .count();
    match compared.count() {
        0 => not_seen("--deep compares"),
        all if exact == all => ok(format!(
            "exact {exact} of {all} times: EnableExactRFC822Size"
        )),
        all => ok(format!("exact {exact} of {all} times")),
    }
}

fn reply_length(seen: &Observations) -> Judgement {
    let longest = seen.replies.iter().map(|reply| reply.line.len() + 2).max();
    match longest {
        None => not_reached(),
        Some(length) if length > 512 => tolerated(format!("{length} octets")),
        Some(length) => ok(format!("{length} octets the longest")),
    }
}

fn mechanisms(seen: &Observations) -> Judgement {
    let Some(capabilities) = seen.capabilities(Stage::BeforeLogin) else {
        return not_reached();
    };
    let mechanisms: Vec<_> = capabilities
        .arguments("SASL")
        .into_iter()
        .flatten()
        .map(str::to_ascii_uppercase)
        .collect();
    let known = ["NTLM", "GSSAPI", "PLAIN"];
    let other = |name: &&String| !known.contains(&name.as_str());
    let all = mechanisms.join(", ");
    if mechanisms.iter().any(|name| other(&name)) {
        tolerated(format!("{all}: more than stated"))
    } else if mechanisms.is_empty() {
        ok("USER alone")
    } else {
        ok(all)
    }
}

fn bare_stat(seen: &Observations) -> Judgement {
    match seen.reply(Keyword::Stat) {
        Some(reply) if reply.response().is_positive() => match Form::of(&reply.line, 3).extra {
            [] => ok("nothing"),
            extra => tolerated(quote(extra)),
        },
        _ => not_reached(),
    }
}

fn bare_list(seen: &Observations) -> Judgement {
    match &seen.scan {
        None => not_reached(),
        Some(scan) if scan.rows.count == 0 => not_seen("the mailbox is empty"),
        Some(scan) if scan.rows.extra.is_empty() => ok("nothing"),
        Some(scan) => tolerated(example(&scan.rows.extra)),
    }
}

fn has_top(seen: &Observations) -> Judgement {
    let stages = [Stage::AfterLogin, Stage::BeforeLogin];
    let announced = stages.iter().find_map(|stage| seen.capabilities(*stage));
    match (seen.reply(Keyword::Top), announced) {
        (Some(reply), _) if reply.response().is_positive() => ok("works"),
        (Some(reply), _) => deviates(quote(&reply.line)),
        (None, Some(capabilities)) if capabilities.has("TOP") => ok("announced"),
        // Some servers announce it only after the login.
        (None, Some(_)) if seen.logged_in => deviates("not announced"),
        (None, Some(_)) => not_seen("not announced so far"),
        (None, None) => not_reached(),
    }
}

fn unique_ids(seen: &Observations) -> Judgement {
    let Some(ids) = seen.unique_ids.as_ref() else {
        return not_reached();
    };
    let of_form = |form| ids.of_form(form);
    let decimal = of_form(IdForm::Decimal);
    let legacy = of_form(IdForm::Base64);
    if ids.rows.count == 0 {
        not_seen("the mailbox is empty")
    } else if !ids.like_exchange() {
        let other = ids.rows.count - decimal - legacy;
        tolerated(format!("{} of another form", count(other, "id")))
    } else if decimal == 0 {
        tolerated(format!("{} of Exchange 2003", count(legacy, "id")))
    } else if !ids.not_increasing.is_empty() {
        tolerated(format!(
            "not above the one before: {}",
            example(&ids.not_increasing)
        ))
    } else if legacy > 0 {
        // XPOP3:C0009: migrated messages keep their ids.
        ok(format!(
            "{decimal} decimal, {legacy} kept from Exchange 2003"
        ))
    } else {
        ok(format!("{decimal} decimal, increasing"))
    }
}

fn duplicates(seen: &Observations) -> Judgement {
    match &seen.unique_ids {
        None => not_reached(),
        Some(ids) if ids.lengths.is_none() => not_seen("there is none"),
        Some(ids) if ids.repeated.is_empty() => ok("none"),
        Some(ids) => deviates(example(&ids.repeated)),
    }
}

fn user(seen: &Observations) -> Judgement {
    let mut replies = seen.replies.iter();
    let refused = |reply: &&Reply| reply.of == Some(Keyword::User);
    match replies.find(refused) {
        None => not_seen("not sent"),
        Some(reply) if reply.response().is_positive() => ok(quote(&reply.line)),
        // XPOP3:V0010: if plain-text passwords are not permitted.
        Some(reply) => tolerated(format!("{}, by XPOP3:V0010", quote(&reply.line))),
    }
}

fn apop(seen: &Observations) -> Judgement {
    let Some(greeting) = seen.greeting() else {
        return not_reached();
    };
    let line = &greeting.line;
    let start = line.iter().position(|&octet| octet == b'<');
    let timestamp = start.map(|start| &line[start..]);
    match timestamp {
        Some(rest) if rest.contains(&b'@') && rest.contains(&b'>') => {
            tolerated("the greeting has a timestamp")
        }
        _ => ok("no timestamp in the greeting"),
    }
}

fn headers(seen: &Observations) -> Judgement {
    let mut looked_at = 0;
    for sample in &seen.samples {
        let Some(transfer) = sample.retr.as_ref().or(sample.top.as_ref()) else {
            continue;
        };
        looked_at += 1;
        if let Some(line) = transfer.odd_field() {
            return deviates(format!("message {}: {}", sample.number, quote(line)));
        }
    }
    match looked_at {
        0 => not_reached(),
        headers => ok(format!("{} of fields alone", count(headers, "header"))),
    }
}
