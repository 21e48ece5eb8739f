//! The facts observed about a server, without a verdict.

use std::time::Duration;

use crate::auth::secrets::Secrets;
use crate::pop3::listing::DropListing;
use crate::pop3::{Capabilities, Keyword, Response};
use crate::session::Address;

use super::{Error, Sample, ScanRows, UniqueIdRows};

/// A part of the visit that takes time, or at which it can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Name resolution and TCP.
    Connect,
    Tls,
    Greeting,
    Capa,
    Stls,
    Login,
    Stat,
    Uidl,
    List,
    Noop,
    Top,
    Retr,
    /// Several commands at once.
    Pipelining,
    Quit,
}

impl Step {
    /// The name of the step.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Capa => "capa",
            Self::Stls => "stls",
            Self::Login => "login",
            Self::Stat => "stat",
            Self::Uidl => "uidl",
            Self::List => "list",
            Self::Noop => "noop",
            Self::Top => "top",
            Self::Retr => "retr",
            Self::Pipelining => "pipelining",
            Self::Quit => "quit",
        }
    }
}

impl From<Keyword> for Step {
    fn from(keyword: Keyword) -> Self {
        match keyword {
            Keyword::Capa => Self::Capa,
            Keyword::List => Self::List,
            Keyword::Noop => Self::Noop,
            Keyword::Quit => Self::Quit,
            Keyword::Retr => Self::Retr,
            Keyword::Stat => Self::Stat,
            Keyword::Stls => Self::Stls,
            Keyword::Top => Self::Top,
            Keyword::Uidl => Self::Uidl,
            // DELE is never sent, and all other commands are part of the login.
            _ => Self::Login,
        }
    }
}

/// The point at which capabilities were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// In the clear, before STLS.
    BeforeTls,
    /// On the connection that carries the password.
    BeforeLogin,
    /// In the TRANSACTION state.
    AfterLogin,
}

/// The first line of a reply, as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The command; none for the greeting.
    pub of: Option<Keyword>,
    /// The line without its CRLF.
    pub line: Vec<u8>,
}

impl Reply {
    /// The reply as the reader understands it.
    pub(crate) fn response(&self) -> Response<'_> {
        Response::parse(&self.line)
    }
}

/// The result of sending several commands in one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Flight {
    /// Not tried.
    #[default]
    Untried,
    /// As many replies as commands, in their order.
    InOrder,
    /// As many replies as commands, in another order.
    OutOfOrder,
    /// Fewer replies than commands, or the connection ended.
    Lost,
}

/// All observations.
#[derive(Debug, Default)]
pub(crate) struct Observations {
    /// True if messages were to be retrieved too.
    pub deep: bool,
    /// The server's address.
    pub address: Option<Address>,
    /// The number of connections: more than one if the server hung up at CAPA.
    pub connections: u32,
    /// Protocol version and cipher suite.
    pub tls: Option<String>,
    /// The server's certificate (DER).
    pub certificate: Option<Vec<u8>>,
    /// The server's capabilities at each point.
    pub capabilities: Vec<(Stage, Capabilities)>,
    /// True if the login was accepted.
    pub logged_in: bool,
    /// Every first line of a reply, in order.
    pub replies: Vec<Reply>,
    /// Every line that ended a listing.
    pub ends: Vec<(Keyword, Vec<u8>)>,
    /// The number of lines in all replies, without messages.
    pub lines: u64,
    /// Lines with a CR or LF inside.
    pub bare_line_ends: super::Sightings,
    /// A line that never ended.
    pub unfinished: Option<Vec<u8>>,
    /// LIST's rows. None if the reply was not positive.
    pub scan: Option<ScanRows>,
    /// UIDL's rows. None if the reply was not positive.
    pub unique_ids: Option<UniqueIdRows>,
    /// Round trips of NOOP.
    pub round_trips: Vec<Duration>,
    /// Several commands at once.
    pub flight: Flight,
    /// Messages of which at least the header was asked for.
    pub samples: Vec<Sample>,
    /// The time that each step took, in the order of the first of its kind.
    pub times: Vec<(Step, Duration)>,
    /// The failure that ended the visit, or that would have ended a sync.
    pub error: Option<Error>,
}

impl Observations {
    /// Removes the secrets from the server's text, where the text is for people only.
    pub(super) fn hide(&mut self, secrets: &Secrets) {
        let hide = |octets: &mut Vec<u8>| *octets = secrets.without(octets).into_owned();
        for (_, capabilities) in &mut self.capabilities {
            *capabilities = capabilities.shown(|line| secrets.without_in(line));
        }
        for reply in &mut self.replies {
            let response = reply.response();
            if response.is_positive() && reply.of.is_some() {
                continue;
            }
            let mut text = response.text().to_vec();
            let rest = reply.line.len() - text.len();
            hide(&mut text);
            reply.line.truncate(rest);
            reply.line.extend(text);
        }
        hide(&mut self.bare_line_ends.first);
        if let Some(line) = &mut self.unfinished {
            hide(line);
        }
    }

    /// The greeting.
    pub(crate) fn greeting(&self) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.of.is_none())
    }

    /// The first reply to a command.
    pub(crate) fn reply(&self, keyword: Keyword) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.of == Some(keyword))
    }

    /// STAT's answer, if it could be read.
    pub(crate) fn drop_listing(&self) -> Option<DropListing> {
        let response = self.reply(Keyword::Stat)?.response();
        DropListing::parse(response.text()).filter(|_| response.is_positive())
    }

    /// The capabilities at one point.
    pub(crate) fn capabilities(&self, stage: Stage) -> Option<&Capabilities> {
        let mut all = self.capabilities.iter().rev();
        all.find(|(at, _)| *at == stage).map(|(_, what)| what)
    }

    /// True if the server announced that commands may be sent ahead.
    pub(crate) fn announces_pipelining(&self) -> bool {
        self.capabilities(Stage::AfterLogin)
            .or_else(|| self.capabilities(Stage::BeforeLogin))
            .is_some_and(Capabilities::pipelining)
    }

    /// The median round trip.
    pub(crate) fn latency(&self) -> Option<Duration> {
        let mut times = self.round_trips.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }

    /// True if the server seems to be Microsoft Exchange: by its greeting, or, under another
    /// banner, by its unique-ids and capabilities. This is a guess, and only decides what to show.
    pub(crate) fn is_exchange(&self) -> bool {
        let names_itself = self.greeting().is_some_and(|greeting| {
            let line = greeting.line.to_ascii_lowercase();
            line.windows(18).any(|words| words == b"microsoft exchange")
        });
        let tags = ["TOP", "UIDL", "SASL", "USER", "STLS"];
        let modest = self
            .capabilities(Stage::BeforeLogin)
            .is_some_and(|capabilities| {
                let tag = |line: &str| line.split_whitespace().next().map(str::to_ascii_uppercase);
                let mut lines = capabilities.lines().iter();
                !capabilities.lines().is_empty()
                    && lines.all(|line| tag(line).is_some_and(|tag| tags.contains(&&*tag)))
            });
        let ids = self.unique_ids.as_ref();
        names_itself || modest && ids.is_some_and(|ids| ids.rows.count > 0 && ids.like_exchange())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latency_is_the_median() {
        let milliseconds = Duration::from_millis;
        let mut seen = Observations::default();
        assert_eq!(seen.latency(), None);
        seen.round_trips = [9, 1, 500, 2, 3].map(milliseconds).to_vec();
        assert_eq!(seen.latency(), Some(milliseconds(3)));
    }

    #[test]
    fn exchange_is_known_by_its_greeting_or_by_its_manners() {
        let greeted = |line: &str| Observations {
            replies: vec![Reply {
                of: None,
                line: line.as_bytes().to_vec(),
            }],
            ..Observations::default()
        };
        assert!(greeted("+OK The Microsoft Exchange POP3 service is ready.").is_exchange());
        assert!(!greeted("+OK Dovecot ready.").is_exchange());
        let mut banner = greeted("+OK Authorized users only");
        let modest = ["TOP", "UIDL", "SASL PLAIN", "USER"];
        banner.capabilities = vec![(Stage::BeforeLogin, modest.into_iter().collect())];
        assert!(!banner.is_exchange());
        let mut ids = UniqueIdRows::default();
        ids.row(b"1 6499");
        banner.unique_ids = Some(ids.clone());
        assert!(banner.is_exchange());
        ids.row(b"2 0000000a5f3c1234");
        banner.unique_ids = Some(ids);
        assert!(!banner.is_exchange());
    }
}
