//! The dialogue: all questions that change nothing on the server.

use std::sync::Arc;

use secrecy::SecretString;

use crate::account::Account;
use crate::pop3::listing::DropListing;
use crate::pop3::{Keyword, MessageNumber};
use crate::session::{Error, Session, Watch};

use super::recorder::Recorder;
use super::{Flight, Observations, Sample, Stage, Step};

/// The number of round trips for the median.
const ROUND_TRIPS: usize = 5;

/// The number of small messages that are retrieved.
const SMALLEST: usize = 3;

/// The largest message that is retrieved.
const LARGEST: u64 = 1 << 20;

/// Visits a server. The recorder then has the observations, and the failure that ended the visit.
pub(super) async fn visit(account: &Account, password: &SecretString, recorder: &Arc<Recorder>) {
    let watch = Arc::clone(recorder) as Arc<dyn Watch>;
    let result = match Session::begin_watched(account, password, &watch).await {
        Ok(session) => {
            recorder.logged_in();
            Visit { session, recorder }.transaction().await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        recorder.failed(error);
    }
}

/// A visit after the login.
struct Visit<'a> {
    session: Session,
    recorder: &'a Recorder,
}

impl Visit<'_> {
    async fn transaction(mut self) -> Result<(), Error> {
        let asked = |seen: &Observations| seen.capabilities(Stage::BeforeLogin).is_some();
        if self.recorder.see(asked) {
            self.recorder.begin(Step::Capa);
            self.session.capa_again().await?;
        }
        self.recorder.begin(Step::Stat);
        let stat = self.session.stat(|_| {}).await;
        self.unless_refused(stat)?;
        self.recorder.begin(Step::Uidl);
        let nameless = match self.session.uidl(|_| {}).await {
            // A sync continues with headers, if it can get them.
            Err(Error::Refused(refusal)) if !refusal.is_temporary() => Some(refusal),
            uidl => {
                self.unless_refused(uidl)?;
                None
            }
        };
        self.recorder.begin(Step::List);
        self.session.scan_listing(|_| {}).await?;
        for _ in 0..ROUND_TRIPS {
            self.recorder.begin(Step::Noop);
            // The answer is recorded.
            let _ = self.session.noop().await?;
        }
        self.samples(nameless.is_some()).await?;
        if let Some(refusal) = nameless
            && !self.recorder.see(tells_apart_by_headers)
        {
            self.recorder.failed(Error::Refused(refusal));
        }
        self.several_at_once().await?;
        self.recorder.begin(Step::Quit);
        self.session.quit().await?
    }

    /// Continues the session after a refusal, though a sync would not.
    fn unless_refused(&self, result: Result<(), Error>) -> Result<(), Error> {
        match result {
            Err(error @ Error::Refused(_)) => {
                self.recorder.failed(error);
                Ok(())
            }
            other => other,
        }
    }

    /// Retrieves the header of a small message; on a deep visit also a few whole messages.
    /// `nameless` means a server without unique-ids: a sync then asks for headers whatever it
    /// announces.
    async fn samples(&mut self, nameless: bool) -> Result<(), Error> {
        let (deep, tops, chosen) = self.recorder.see(|seen| {
            let count = if seen.deep { SMALLEST } else { 1 };
            let limit = if seen.deep { LARGEST } else { u64::MAX };
            let tops = nameless || offers_top(seen);
            (seen.deep, tops, choice(seen, count, limit))
        });
        for (number, listed) in chosen {
            let mut sample = Sample {
                number,
                listed,
                top: None,
                retr: None,
            };
            if tops {
                self.recorder.begin(Step::Top);
                let answer = self.session.top_one(number, 0, |_| {}).await?;
                self.recorder.end(Step::Top);
                sample.top = answer.is_ok().then(|| self.recorder.transfer());
            }
            if deep {
                self.recorder.begin(Step::Retr);
                let answer = self.session.retr_one(number, |_| {}).await?;
                self.recorder.end(Step::Retr);
                sample.retr = answer.is_ok().then(|| self.recorder.transfer());
            }
            self.recorder.sample(sample);
        }
        Ok(())
    }

    /// Sends several commands in one write, if the server announced that it takes them. A sync
    /// relies on it, and would fail if this fails.
    async fn several_at_once(&mut self) -> Result<(), Error> {
        if !self.recorder.see(Observations::announces_pipelining) {
            return Ok(());
        }
        let before = self.recorder.see(|seen| seen.replies.len());
        self.recorder.begin(Step::Pipelining);
        let answered = self.session.flight().await;
        self.recorder.end(Step::Pipelining);
        let in_order = self.recorder.see(|seen| is_in_order(seen, before));
        self.recorder.flight(match answered {
            Err(_) => Flight::Lost,
            Ok(()) if in_order => Flight::InOrder,
            Ok(()) => Flight::OutOfOrder,
        });
        answered
    }
}

/// True if TOP may be tried: it is announced, or no capabilities are known.
fn offers_top(seen: &Observations) -> bool {
    let before = seen.capabilities(Stage::BeforeLogin);
    let known = seen.capabilities(Stage::AfterLogin).or(before);
    known.is_none_or(|capabilities| capabilities.has("TOP"))
}

/// True if a sync can work without unique-ids: there are a listing and headers, or no messages.
fn tells_apart_by_headers(seen: &Observations) -> bool {
    let positive = |keyword| {
        let reply = seen.reply(keyword);
        reply.is_some_and(|reply| reply.response().is_positive())
    };
    let none = seen.drop_listing().is_some_and(|drop| drop.messages == 0);
    none || positive(Keyword::List) && positive(Keyword::Top)
}

/// The messages to examine.
fn choice(seen: &Observations, count: usize, limit: u64) -> Vec<(MessageNumber, Option<u64>)> {
    let sized = seen.scan.as_ref().map_or_else(Vec::new, |scan| {
        let mut sample = scan.sample(count, limit);
        sample.truncate(if seen.deep { count + 1 } else { count });
        sample
    });
    if !sized.is_empty() {
        let listed = |(number, octets)| (number, Some(octets));
        return sized.into_iter().map(listed).collect();
    }
    // Without sizes the first message is used, if there is one.
    let messages = seen.drop_listing().map_or(0, |listing| listing.messages);
    let unlisted = seen.scan.as_ref().is_none_or(|scan| scan.sizes.is_empty());
    let first = MessageNumber::new(1).filter(|_| messages > 0 && unlisted);
    first.map(|number| (number, None)).into_iter().collect()
}

/// True if the replies from this one on are STAT's, by its count, and others. Its size may have
/// changed: Exchange 2003 knows it better after RETR.
fn is_in_order(seen: &Observations, from: usize) -> bool {
    let count = |listing: DropListing| listing.messages;
    let first = seen.replies.get(from);
    let stat = first.and_then(|reply| DropListing::parse(reply.response().text()));
    stat.is_some() && stat.map(count) == seen.drop_listing().map(count)
}
