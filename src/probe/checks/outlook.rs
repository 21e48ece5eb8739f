//! The statements of \[MS-STANOPOP3\] about the server.

use crate::pop3::listing::MAX_UNIQUE_ID;
use crate::pop3::{Form, Keyword};
use crate::probe::{Observations, Rows, Sample, Stage, Step, Transfer};

use super::framing::{self, never_sent};
use super::{
    Check, Judgement, count, deviates, example, not_reached, not_seen, ok, quote, tolerated,
};

/// In the order of the document.
#[rustfmt::skip]
pub(super) const CHECKS: [Check; 25] = [
    Check { id: "OPOP3:C0002", rule: "the server greets", judge: framing::greets },
    Check { id: "OPOP3:C0004", rule: "one blank between fields", judge: framing::single_blanks },
    Check { id: "OPOP3:C0005", rule: "lines end with CRLF", judge: framing::lines_end },
    Check { id: "OPOP3:V0001", rule: "status is +OK or -ERR", judge: framing::status_indicators },
    Check { id: "OPOP3:C0006", rule: "multi-line replies end", judge: framing::listings_end },
    Check { id: "OPOP3:V0002", rule: "a lone dot ends a reply", judge: framing::dots },
    Check { id: "OPOP3:C0009", rule: "a login Outlook has", judge: mechanisms },
    Check { id: "OPOP3:C0011", rule: "numbers are 1 to n", judge: numbers },
    Check { id: "OPOP3:C0014", rule: "commands are answered", judge: framing::answers },
    Check { id: "OPOP3:C0017", rule: "STAT: count and size", judge: drop_listing },
    Check { id: "OPOP3:C0019", rule: "LIST n: one line", judge: never_sent },
    Check { id: "OPOP3:C0020", rule: "LIST: a line per message", judge: scan_listing },
    Check { id: "OPOP3:C0021", rule: "LIST: number, exact size", judge: sizes },
    Check { id: "OPOP3:C0022", rule: "RETR: multi-line", judge: retr },
    Check { id: "OPOP3:C0023", rule: "RETR: the message named", judge: same_message },
    Check { id: "OPOP3:C0026", rule: "deleted means gone", judge: deleted },
    Check { id: "OPOP3:C0029", rule: "NOOP succeeds", judge: framing::noop },
    Check { id: "OPOP3:C0031", rule: "the commands exist", judge: framing::commands },
    Check { id: "OPOP3:C0034", rule: "TOP: header and n lines", judge: top },
    Check { id: "OPOP3:C0036", rule: "UIDL n: one line", judge: never_sent },
    Check { id: "OPOP3:C0037", rule: "UIDL: a line per message", judge: unique_id_listing },
    Check { id: "OPOP3:C0038", rule: "UIDL: number, unique-id", judge: unique_id_rows },
    Check { id: "OPOP3:C0039", rule: "ids: 1-70 of 0x2E-0x7E", judge: unique_id_octets },
    Check { id: "OPOP3:C0040", rule: "ids are not reused", judge: reused },
    Check { id: "OPOP3:C0041", rule: "an id for each message", judge: repeated },
];

fn mechanisms(seen: &Observations) -> Judgement {
    let Some(capabilities) = seen.capabilities(Stage::BeforeLogin) else {
        return match seen.logged_in {
            true => ok("no CAPA; USER and PASS work"),
            false => not_reached(),
        };
    };
    let user = capabilities.has("USER").then_some("USER");
    let sasl = capabilities.arguments("SASL").into_iter().flatten();
    let all: Vec<&str> = user.into_iter().chain(sasl).collect();
    let offered = match all.as_slice() {
        [] => "nothing".to_owned(),
        [first, second, third, _, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len() + 1)
        }
        few => few.join(", "),
    };
    if capabilities.has("USER") {
        ok(offered)
    } else if seen.logged_in {
        tolerated(format!("announces {offered}; USER works all the same"))
    } else {
        let login = |step| step == Step::Login;
        match &seen.error {
            Some(failure) if login(failure.step) => deviates(format!("announces {offered}")),
            _ => not_seen(format!("announces {offered}")),
        }
    }
}

/// LIST's and UIDL's rows, if there are any.
fn listings(seen: &Observations) -> impl Iterator<Item = (Keyword, &Rows)> {
    let scan = seen.scan.as_ref().map(|scan| (Keyword::List, &scan.rows));
    let ids = seen.unique_ids.as_ref();
    let ids = ids.map(|ids| (Keyword::Uidl, &ids.rows));
    scan.into_iter().chain(ids)
}

fn numbers(seen: &Observations) -> Judgement {
    for (keyword, rows) in listings(seen) {
        if !rows.unusable.is_empty() {
            let row = example(&rows.unusable);
            return deviates(format!("{keyword}: {row} names no message"));
        }
        if let Some(number) = rows.repeated() {
            return deviates(format!("{keyword}: number {number} twice"));
        }
    }
    let odd = |(_, rows): &(Keyword, &Rows)| !rows.out_of_order.is_empty();
    if let Some((keyword, rows)) = listings(seen).find(odd) {
        let row = quote(&rows.out_of_order.first);
        return tolerated(format!("{keyword}: {row} is out of order"));
    }
    match listings(seen).map(|(_, rows)| rows.count).max() {
        None => not_reached(),
        Some(0) => not_seen("the mailbox is empty"),
        Some(1) => ok("1"),
        Some(last) => ok(format!("1 to {last}")),
    }
}

fn drop_listing(seen: &Observations) -> Judgement {
    let Some(reply) = seen.reply(Keyword::Stat) else {
        return not_reached();
    };
    let line = quote(&reply.line);
    if !reply.response().is_positive() {
        return deviates(format!("refused: {line}"));
    }
    match seen.drop_listing() {
        None => deviates(format!("{line}: two numbers are due")),
        Some(listing) if listing.octets.is_none() => {
            tolerated(format!("{line}: the size is no number"))
        }
        Some(_) => match Form::of(&reply.line, 3).extra {
            [] => ok(line),
            extra => ok(format!("{line}; {} is allowed", quote(extra))),
        },
    }
}

/// The number of rows, the number there should be, and both in words.
fn rows_of(seen: &Observations, keyword: Keyword) -> Option<(u64, u64, String)> {
    let rows = listings(seen).find(|(of, _)| *of == keyword)?.1.count;
    let messages = seen.drop_listing()?.messages;
    let words = format!("{} for {}", count(rows, "line"), count(messages, "message"));
    Some((rows, messages, words))
}

fn scan_listing(seen: &Observations) -> Judgement {
    match (seen.reply(Keyword::List), rows_of(seen, Keyword::List)) {
        (Some(reply), _) if !reply.response().is_positive() => {
            tolerated(format!("refused: {}; no sizes then", quote(&reply.line)))
        }
        (_, Some((rows, messages, words))) if rows == messages => ok(words),
        (_, Some((_, _, words))) => tolerated(words),
        _ => not_reached(),
    }
}

/// The messages retrieved whole, with their size in the scan listing.
fn retrieved(seen: &Observations) -> impl Iterator<Item = (&Sample, u64, &Transfer)> {
    let sizes = |sample: &'_ Sample| Some((sample.listed?, sample.retr.as_ref()?.octets()));
    seen.samples.iter().filter_map(move |sample| {
        sizes(sample)?;
        Some((sample, sample.listed?, sample.retr.as_ref()?))
    })
}

fn sizes(seen: &Observations) -> Judgement {
    let Some(scan) = &seen.scan else {
        return not_reached();
    };
    if !scan.no_size.is_empty() {
        return tolerated(format!("no size: {}", example(&scan.no_size)));
    }
    let compared = retrieved(seen).count() as u64;
    let differs = |(_, listed, transfer): &(&Sample, u64, &Transfer)| *listed != transfer.octets();
    if let Some((sample, listed, transfer)) = retrieved(seen).find(differs) {
        let (number, sent) = (sample.number, transfer.octets());
        return tolerated(format!("message {number}: listed {listed}, sent {sent}"));
    }
    match (scan.rows.count, &scan.rows.extra) {
        (0, _) => not_seen("the mailbox is empty"),
        _ if compared > 0 => ok(format!("exact for {}", count(compared, "message"))),
        (_, extra) if !extra.is_empty() => ok(format!("{}; more is allowed", example(extra))),
        (rows, _) if seen.deep => ok(format!("{}; none compared", count(rows, "size"))),
        (rows, _) => ok(format!("{}; --deep compares", count(rows, "size"))),
    }
}

fn retr(seen: &Observations) -> Judgement {
    let mut replies = seen.replies.iter();
    let refused =
        replies.find(|reply| reply.of == Some(Keyword::Retr) && !reply.response().is_positive());
    if let Some(reply) = refused {
        return tolerated(format!("one refused: {}", quote(&reply.line)));
    }
    let transfers = seen
        .samples
        .iter()
        .filter_map(|sample| sample.retr.as_ref());
    let octets: u64 = transfers.clone().map(Transfer::octets).sum();
    let bare: u64 = transfers
        .clone()
        .map(|transfer| transfer.bare_line_ends)
        .sum();
    match transfers.count() as u64 {
        0 if seen.deep => not_reached(),
        0 => not_seen("--deep retrieves a few"),
        messages => {
            let mut words = format!("{}, {octets} octets", count(messages, "message"));
            if bare > 0 {
                words.push_str(&format!(", CR or LF alone {}", count(bare, "time")));
            }
            ok(words)
        }
    }
}

fn same_message(seen: &Observations) -> Judgement {
    let mut compared = 0;
    for sample in &seen.samples {
        let (Some(top), Some(retr)) = (&sample.top, &sample.retr) else {
            continue;
        };
        compared += 1;
        if retr.octets() == 0 && top.octets() > 0 {
            return deviates(format!("message {} comes empty", sample.number));
        }
        if top.header != retr.header {
            return tolerated(format!("message {}: TOP has another header", sample.number));
        }
    }
    match compared {
        0 if seen.deep => not_reached(),
        0 => not_seen("--deep compares RETR with TOP"),
        compared => ok(format!("{} as by TOP", count(compared, "header"))),
    }
}

fn deleted(_: &Observations) -> Judgement {
    not_seen("nothing is deleted here")
}

fn top(seen: &Observations) -> Judgement {
    if let Some(reply) = seen.reply(Keyword::Top)
        && !reply.response().is_positive()
    {
        return tolerated(format!("refused: {}", quote(&reply.line)));
    }
    let tops = seen.samples.iter();
    let tops = tops.filter_map(|sample| Some((sample.number, sample.top.as_ref()?)));
    if let Some((number, top)) = tops.clone().find(|(_, top)| top.body() > 0) {
        let octets = count(top.body(), "octet");
        return tolerated(format!("message {number}: {octets} of body, not asked for"));
    }
    if let Some((number, _)) = tops.clone().find(|(_, top)| !top.blank_line) {
        return tolerated(format!("message {number}: no blank line"));
    }
    let messages = seen.drop_listing().map_or(0, |listing| listing.messages);
    match tops.count() as u64 {
        0 if seen.error.is_some() => not_reached(),
        0 if messages == 0 => not_seen("the mailbox is empty"),
        0 => not_seen("not announced, so not tried"),
        headers => ok(format!(
            "{} without a line of body",
            count(headers, "header")
        )),
    }
}

fn unique_id_listing(seen: &Observations) -> Judgement {
    match (seen.reply(Keyword::Uidl), rows_of(seen, Keyword::Uidl)) {
        (Some(reply), _) if !reply.response().is_positive() => {
            deviates(format!("refused: {}", quote(&reply.line)))
        }
        (_, Some((rows, messages, words))) if rows == messages => ok(words),
        (_, Some((_, _, words))) => deviates(words),
        _ => not_reached(),
    }
}

fn unique_id_rows(seen: &Observations) -> Judgement {
    match &seen.unique_ids {
        None => not_reached(),
        Some(ids) if !ids.missing.is_empty() => {
            deviates(format!("no unique-id: {}", example(&ids.missing)))
        }
        Some(ids) if !ids.rows.extra.is_empty() => {
            ok(format!("{}; more is allowed", example(&ids.rows.extra)))
        }
        Some(ids) if ids.rows.count == 0 => not_seen("the mailbox is empty"),
        Some(ids) => ok(count(ids.rows.count, "unique-id")),
    }
}

fn unique_id_octets(seen: &Observations) -> Judgement {
    let Some(ids) = &seen.unique_ids else {
        return not_reached();
    };
    let Some((shortest, longest)) = ids.lengths else {
        return not_seen("there is none");
    };
    if !ids.outside_rfc.is_empty() {
        tolerated(format!("not printable: {}", example(&ids.outside_rfc)))
    } else if !ids.too_long.is_empty() {
        tolerated(format!("{longest} octets, not {MAX_UNIQUE_ID} at most"))
    } else if !ids.outside_outlook.is_empty() {
        let ids = example(&ids.outside_outlook);
        tolerated(format!("{ids}: by RFC 1939 alone (0x21 to 0x7E)"))
    } else if shortest == longest {
        ok(format!("{} each", count(shortest as u64, "octet")))
    } else {
        ok(format!("{shortest} to {longest} octets"))
    }
}

fn reused(_: &Observations) -> Judgement {
    not_seen("one session cannot show it")
}

fn repeated(seen: &Observations) -> Judgement {
    match &seen.unique_ids {
        None => not_reached(),
        Some(ids) if !ids.repeated.is_empty() => {
            // Rows, and not ids: three rows with one id count as two here.
            let rows = count(ids.repeated.count, "id");
            let first = quote(&ids.repeated.first);
            tolerated(format!("{rows} given before, first {first}"))
        }
        Some(ids) if ids.lengths.is_none() => not_seen("there is none"),
        Some(_) => ok("no two alike"),
    }
}
