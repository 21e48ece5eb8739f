//! Checks the form of replies on the wire, whatever they mean.

use crate::pop3::{self, Form, Keyword};
use crate::probe::{Observations, Reply, Step};
use crate::session::{Awaited, Error};

use super::{
    Judgement, count, deviates, example, not_reached, not_seen, ok, quote, quote_end, tolerated,
};

/// The command that a reply answers.
fn subject(reply: &Reply) -> &'static str {
    reply.of.map_or("the greeting", Keyword::as_str)
}

pub(super) fn status_indicators(seen: &Observations) -> Judgement {
    let indicator = |reply: &&Reply| Form::status_indicator(&reply.line).to_vec();
    let (mut positive, mut negative, mut odd) = (0, 0, Vec::new());
    for reply in &seen.replies {
        match &*indicator(&reply) {
            b"+OK" => positive += 1,
            b"-ERR" => negative += 1,
            _ => odd.push(reply),
        }
    }
    let is_signed = |reply: &&&Reply| matches!(reply.line.first(), Some(b'+' | b'-'));
    if let Some(reply) = odd.iter().find(|reply| !is_signed(reply)) {
        let (line, subject) = (quote(&reply.line), subject(reply));
        return deviates(format!("{line} for {subject} counts as -ERR"));
    }
    match odd.first() {
        Some(reply) => {
            let (word, subject) = (quote(&indicator(reply)), subject(reply));
            let odd = count(odd.len() as u64, "time");
            tolerated(format!("{word} for {subject}; odd {odd}"))
        }
        None if seen.replies.is_empty() => not_reached(),
        None => ok(format!("+OK {positive}, -ERR {negative}")),
    }
}

pub(super) fn greets(seen: &Observations) -> Judgement {
    let time = seen.times.iter().find(|(step, _)| *step == Step::Greeting);
    match (seen.greeting(), &seen.error) {
        (Some(greeting), _) if greeting.response().is_positive() => {
            let milliseconds = time.map_or(0, |(_, time)| time.as_millis());
            ok(format!("greets within {} ms", milliseconds + 1))
        }
        (Some(greeting), _) => deviates(format!("turns away: {}", quote(&greeting.line))),
        (None, Some(failure)) if failure.step == Step::Greeting => {
            deviates(failure.error.to_string())
        }
        _ => not_reached(),
    }
}

pub(super) fn single_blanks(seen: &Observations) -> Judgement {
    let scan = seen.scan.as_ref().map(|scan| &scan.rows);
    let ids = seen.unique_ids.as_ref().map(|ids| &ids.rows);
    let listings = [scan, ids].into_iter().flatten();
    let Some(stat) = seen.reply(Keyword::Stat) else {
        return not_reached();
    };
    let mut lines = 1;
    let mut odd = Vec::new();
    if stat.response().is_positive() && !Form::of(&stat.line, 3).single_spaces {
        odd.push(quote(&stat.line));
    }
    for rows in listings {
        lines += rows.count;
        if !rows.odd_blanks.is_empty() {
            odd.push(example(&rows.odd_blanks));
        }
    }
    if odd.is_empty() {
        ok(format!("one space each, in {}", count(lines, "line")))
    } else {
        tolerated(odd.join(", "))
    }
}

pub(super) fn lines_end(seen: &Observations) -> Judgement {
    let fault = match &seen.error {
        Some(failure) => match &failure.error {
            Error::Protocol { fault, .. } => Some(fault),
            _ => None,
        },
        None => None,
    };
    if let Some(line) = &seen.unfinished {
        return deviates(format!("{} and no CRLF", quote_end(line)));
    }
    if let Some(fault @ pop3::Error::LineTooLong { .. }) = fault {
        return deviates(fault.to_string());
    }
    if !seen.bare_line_ends.is_empty() {
        let lines = example(&seen.bare_line_ends);
        return tolerated(format!("CR or LF inside {lines}"));
    }
    match seen.lines {
        0 => not_reached(),
        lines => ok(format!("{}, all with CRLF", count(lines, "line"))),
    }
}

pub(super) fn listings_end(seen: &Observations) -> Judgement {
    if let Some(failure) = &seen.error
        && failure.statement == Some("OPOP3:C0006")
    {
        return deviates(failure.error.to_string());
    }
    let messages = seen
        .samples
        .iter()
        .flat_map(|sample| [&sample.top, &sample.retr]);
    let messages = messages.flatten().count() as u64;
    match (seen.ends.len() as u64, messages) {
        (0, 0) => not_reached(),
        (listings, 0) => ok(format!("{}, all ended", count(listings, "listing"))),
        (listings, messages) => ok(format!(
            "{} and {}, all ended",
            count(listings, "listing"),
            count(messages, "message")
        )),
    }
}

pub(super) fn dots(seen: &Observations) -> Judgement {
    let odd = |(_, line): &&(Keyword, Vec<u8>)| line != b".";
    let transfers = seen
        .samples
        .iter()
        .flat_map(|sample| [&sample.top, &sample.retr]);
    let (mut stuffed, mut bare) = (0, None);
    for (sample, transfer) in seen.samples.iter().flat_map(|sample| {
        let both = [&sample.top, &sample.retr].into_iter().flatten();
        both.map(move |transfer| (sample, transfer))
    }) {
        stuffed += transfer.stuffed;
        if transfer.unstuffed > 0 {
            bare.get_or_insert((sample.number, transfer.unstuffed));
        }
    }
    if let Some((number, lines)) = bare {
        let lines = count(lines, "line");
        return deviates(format!("message {number}: a dot is lost in {lines}"));
    }
    if let Some((keyword, line)) = seen.ends.iter().find(odd) {
        return tolerated(format!("{keyword} ends with {}", quote(line)));
    }
    if seen.ends.is_empty() {
        return not_reached();
    }
    let ends = "every listing ends with a dot alone";
    if transfers.flatten().next().is_some() && stuffed > 0 {
        ok(format!("{ends}; {} doubled", count(stuffed, "dot")))
    } else {
        ok(ends)
    }
}

pub(super) fn answers(seen: &Observations) -> Judgement {
    let replies = seen.replies.iter().filter(|reply| reply.of.is_some());
    let replies = count(replies.count() as u64, "command");
    let failure = seen.error.as_ref().map(|failure| &failure.error);
    match failure {
        Some(
            error @ (Error::TimedOut {
                awaited: Awaited::Reply(_),
                ..
            }
            | Error::Lost { .. }
            | Error::Protocol {
                fault: pop3::Error::Closed { .. } | pop3::Error::Leftover { .. },
                ..
            }),
        ) if seen.greeting().is_some() => deviates(error.to_string()),
        _ if seen.connections > 1 => tolerated("hangs up on CAPA; went on without it"),
        _ if seen.replies.len() < 2 => not_reached(),
        _ => ok(format!("{replies}, each answered")),
    }
}

pub(super) fn noop(seen: &Observations) -> Judgement {
    let replies = seen
        .replies
        .iter()
        .filter(|reply| reply.of == Some(Keyword::Noop));
    let refused = |reply: &&Reply| !reply.response().is_positive();
    match (
        replies.clone().count() as u64,
        replies.clone().find(refused),
    ) {
        (_, Some(reply)) => tolerated(format!("refused: {}", quote(&reply.line))),
        (0, None) => not_reached(),
        (sent, None) => ok(format!("+OK {}", count(sent, "time"))),
    }
}

pub(super) fn commands(seen: &Observations) -> Judgement {
    let mut answered = Vec::new();
    for keyword in [
        Keyword::Stat,
        Keyword::List,
        Keyword::Noop,
        Keyword::Retr,
        Keyword::Quit,
    ] {
        let mut replies = seen
            .replies
            .iter()
            .filter(|reply| reply.of == Some(keyword));
        let Some(first) = replies.clone().next() else {
            continue;
        };
        if replies.any(|reply| reply.response().is_positive()) {
            answered.push(keyword.as_str());
        } else {
            return deviates(format!("{keyword}: {}", quote(&first.line)));
        }
    }
    if answered.is_empty() {
        return not_reached();
    }
    ok(format!("{}; DELE is never sent", answered.join(", ")))
}

pub(super) fn never_sent(_: &Observations) -> Judgement {
    not_seen("never sent, by Outlook neither")
}
