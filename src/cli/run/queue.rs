//! The order in which accounts have their turn: that of the configuration, as far as their servers allow.
//!
//! A server has only so many connections at the same time, and fewer once it says that they are too many.
//! One that does not answer is not asked for each of its accounts: they wait until all others are done,
//! and then one of them tries again. If nobody answers that one either, the rest is left.
//!
//! An account whose sync failed for a reason that may pass has a second turn when all others have had
//! their first, and not before its server allows. The waits for that have a limit.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use tokio::time::Instant;

use crate::account::{Account, Server};
use crate::sync::Outcome;

/// A server that found its connections too many gets one more after this many accounts in a row that
/// it did not refuse for that. A limit for one mailbox then does not slow down all others for long.
const CALM: usize = 16;

/// Accounts that wait for their turn.
pub(super) struct Queue {
    per_host: usize,
    hosts: Vec<Host>,
    numbers: HashMap<String, usize>,
    /// The hosts with a waiting account that may begin, by the place of that account.
    ready: BTreeSet<(usize, usize)>,
    /// Second turns, by the time before which they must not begin, and the place of the account.
    second: BTreeMap<(Instant, usize), Turn>,
    /// The time that is left for waits in which nothing runs.
    patience: Duration,
    running: usize,
}

/// A turn of an account.
pub(super) struct Turn {
    pub(super) account: Account,
    /// How the first turn ended, if this is the second.
    pub(super) first: Option<Outcome>,
    pub(super) seat: Seat,
}

/// The place of an account among the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    /// In the configuration.
    place: usize,
    host: usize,
    /// The connections that its turn may have.
    connections: usize,
    /// How often its host had refused connections as too many when its turn began.
    refusals: usize,
}

/// How a turn ended.
pub(super) struct Ending {
    /// False if nobody answered at the account's server.
    pub(super) answered: bool,
    /// True if the server has too many connections or logins.
    pub(super) is_throttled: bool,
    /// The account, how its turn ended, and the pause before a second one, if it is to have that.
    pub(super) again: Option<(Account, Outcome, Duration)>,
}

/// The accounts of one server.
struct Host {
    /// With their places in the configuration.
    waiting: VecDeque<(usize, Account)>,
    /// The connections of the accounts whose turn it is.
    running: usize,
    answers: Answers,
    /// The connections that it gets at the same time.
    most: usize,
    /// How often it has refused connections as too many. Those that were under way count as one.
    refusals: usize,
    /// The accounts since then that it did not refuse for that.
    calm: usize,
}

/// What is known of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Answers {
    /// It answered, or nobody has asked yet.
    #[default]
    Yes,
    /// It did not answer the last one.
    No,
    /// One account tries it again.
    TriedAgain,
    /// It did not answer that one either.
    Never,
}

impl Queue {
    /// `patience` is the time in which nothing runs that may be spent on waits for second turns.
    pub(super) fn new(accounts: Vec<Account>, per_host: NonZeroUsize, patience: Duration) -> Self {
        let mut queue = Self {
            per_host: per_host.get(),
            hosts: Vec::new(),
            numbers: HashMap::new(),
            ready: BTreeSet::new(),
            second: BTreeMap::new(),
            patience,
            running: 0,
        };
        for (place, account) in accounts.into_iter().enumerate() {
            let number = queue.number(&account.server);
            queue.hosts[number].waiting.push_back((place, account));
            queue.arrange(number);
        }
        queue
    }

    /// The next account that may begin now. None if there is none, or some must end first, or it is too
    /// early.
    pub(super) fn next(&mut self, now: Instant) -> Option<Turn> {
        if self.ready.is_empty() && self.running == 0 {
            self.try_again();
        }
        let mut turn = self.first_turn().or_else(|| self.second_turn(now))?;
        let host = &mut self.hosts[turn.seat.host];
        let share = host.share_of(&turn.account);
        let connections = u8::try_from(share).ok().and_then(NonZeroU8::new);
        let limit = &mut turn.account.limits.connections;
        *limit = limit.map(|limit| connections.map_or(limit, |share| limit.min(share)));
        host.running += share;
        turn.seat.connections = share;
        turn.seat.refusals = host.refusals;
        self.running += 1;
        self.arrange(turn.seat.host);
        Some(turn)
    }

    /// The next time at which an account may begin. None if nothing is to be waited for but the end of
    /// others. If nothing runs, the caller does wait until then, or ends the run.
    pub(super) fn wake(&mut self, now: Instant) -> Option<Instant> {
        if self.second.is_empty() || self.has_first_turns() {
            return None;
        }
        let mut later = self.second.iter().filter(|((due, _), _)| *due > now);
        let next = later.find(|(_, turn)| self.has_room_for(turn));
        let ((due, _), _) = next?;
        let due = *due;
        if self.running == 0 {
            self.patience = self.patience.checked_sub(due - now)?;
        }
        Some(due)
    }

    /// The turn of the account with this seat has ended, at `now`.
    pub(super) fn ended(&mut self, seat: Seat, ending: Ending, now: Instant) {
        let host = &mut self.hosts[seat.host];
        host.note(seat, ending.is_throttled, self.per_host);
        host.running -= seat.connections;
        self.running -= 1;
        host.answers = match (ending.answered, host.answers) {
            (true, _) => Answers::Yes,
            (false, Answers::TriedAgain | Answers::Never) => Answers::Never,
            (false, Answers::Yes | Answers::No) => Answers::No,
        };
        self.arrange(seat.host);
        if let Some((account, outcome, after)) = ending.again {
            // A server may announce any number.
            let due = now.checked_add(after).unwrap_or(now + FAR);
            let turn = Turn {
                account,
                first: Some(outcome),
                seat,
            };
            self.second.insert((due, seat.place), turn);
        }
    }

    /// The accounts that are left when nothing may begin any more, and whether their second turn would
    /// have come later than `now`.
    pub(super) fn left(self, now: Instant) -> Vec<(Turn, bool)> {
        let mut left = Vec::new();
        for (number, host) in self.hosts.into_iter().enumerate() {
            left.extend(host.waiting.into_iter().map(|(place, account)| {
                let seat = Seat::new(place, number);
                let first = None;
                let turn = Turn {
                    account,
                    first,
                    seat,
                };
                (turn, false)
            }));
        }
        let second = self.second.into_iter();
        left.extend(second.map(|((due, _), turn)| (turn, due > now)));
        left.sort_by_key(|(turn, _)| turn.seat.place);
        left
    }

    fn first_turn(&mut self) -> Option<Turn> {
        let (_, number) = self.ready.pop_first()?;
        let (place, account) = self.hosts[number].waiting.pop_front()?;
        Some(Turn {
            account,
            first: None,
            seat: Seat::new(place, number),
        })
    }

    fn second_turn(&mut self, now: Instant) -> Option<Turn> {
        if self.second.is_empty() || self.has_first_turns() {
            return None;
        }
        let mut due = self.second.iter().take_while(|((due, _), _)| *due <= now);
        let (key, _) = due.find(|(_, turn)| self.has_room_for(turn))?;
        let key = *key;
        self.second.remove(&key)
    }

    fn has_room_for(&self, turn: &Turn) -> bool {
        self.hosts[turn.seat.host].has_room_for(&turn.account)
    }

    /// True if accounts wait for their first turn at servers that answer.
    fn has_first_turns(&self) -> bool {
        self.hosts
            .iter()
            .any(|host| !host.waiting.is_empty() && host.allowed() > 0)
    }

    /// Lets one account of each server that did not answer try again.
    fn try_again(&mut self) {
        for number in 0..self.hosts.len() {
            if self.hosts[number].answers == Answers::No {
                self.hosts[number].answers = Answers::TriedAgain;
                self.arrange(number);
            }
        }
    }

    fn number(&mut self, server: &Server) -> usize {
        let name = server.to_string().to_ascii_lowercase();
        *self.numbers.entry(name).or_insert_with(|| {
            self.hosts.push(Host::new(self.per_host));
            self.hosts.len() - 1
        })
    }

    /// Puts the host where it belongs: among those that are ready, or not.
    fn arrange(&mut self, number: usize) {
        let host = &self.hosts[number];
        let Some((place, account)) = host.waiting.front() else {
            return;
        };
        let place = *place;
        if host.has_room_for(account) {
            self.ready.insert((place, number));
        } else {
            self.ready.remove(&(place, number));
        }
    }
}

/// Longer than any run.
const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl Seat {
    fn new(place: usize, host: usize) -> Self {
        Self {
            place,
            host,
            connections: 0,
            refusals: 0,
        }
    }
}

impl Host {
    fn new(most: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            running: 0,
            answers: Answers::default(),
            most,
            refusals: 0,
            calm: 0,
        }
    }

    /// The connections that it may have at the same time now.
    fn allowed(&self) -> usize {
        match self.answers {
            Answers::Yes => self.most,
            Answers::TriedAgain => 1,
            Answers::No | Answers::Never => 0,
        }
    }

    /// The connections that this account may have: as many as it wants, unless the server is to get
    /// fewer.
    fn share_of(&self, account: &Account) -> usize {
        let wanted = account.limits.connections.map_or(1, NonZeroU8::get);
        usize::from(wanted).min(self.allowed()).max(1)
    }

    fn has_room_for(&self, account: &Account) -> bool {
        self.running + self.share_of(account) <= self.allowed()
    }

    /// Notes the end of a turn, that one still among those that run. If there were too many, half as
    /// many may run from now on.
    fn note(&mut self, seat: Seat, is_throttled: bool, per_host: usize) {
        if !is_throttled {
            self.calm += 1;
            if self.calm >= CALM {
                self.calm = 0;
                self.most = per_host.min(self.most.saturating_add(1));
            }
            return;
        }
        self.calm = 0;
        // The others that ran beside the first one refused learn nothing new.
        if seat.refusals == self.refusals {
            self.refusals += 1;
            self.most = (self.most.min(self.running) / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests;
