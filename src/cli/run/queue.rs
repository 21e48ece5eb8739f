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
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::config::{self, Base, GivenFlag};
    use crate::sync::Summary;

    /// Accounts of these names at these hosts.
    fn queue(accounts: &[(&str, &str)], per_host: usize) -> Queue {
        let account = |(name, host): &(&str, &str)| {
            let flag = |name: &str, value: &str| {
                let flags = config::all_flags().into_iter();
                let mut keys = flags.map(|(key, ..)| key);
                let key = keys.find(|key| key.name == name).unwrap();
                let value = OsString::from(value);
                GivenFlag { key, value }
            };
            let url = format!("pop3s://anna@{host}");
            let flags = [flag("maildir", "/mail"), flag("password-file", "/pw")];
            let mut account = config::account(&url, &flags, &Base::current()).unwrap();
            (*name).clone_into(&mut account.name);
            account
        };
        let accounts = accounts.iter().map(account).collect();
        Queue::new(accounts, NonZeroUsize::new(per_host).unwrap(), PATIENCE)
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Takes all that may begin at this time.
    fn begin_at(queue: &mut Queue, now: Instant) -> Vec<Turn> {
        std::iter::from_fn(|| queue.next(now)).collect()
    }

    /// The same where the time does not matter.
    fn begin(queue: &mut Queue) -> Vec<Turn> {
        begin_at(queue, Instant::now())
    }

    fn names(turns: &[Turn]) -> Vec<&str> {
        let names = turns.iter().map(|turn| turn.account.name.as_str());
        names.collect()
    }

    fn names_left(queue: Queue) -> Vec<String> {
        let left = queue.left(Instant::now()).into_iter();
        left.map(|(turn, _)| turn.account.name).collect()
    }

    const DONE: Ending = Ending {
        answered: true,
        is_throttled: false,
        again: None,
    };

    const NOBODY: Ending = Ending {
        answered: false,
        ..DONE
    };

    /// The turn failed, and there is another one after this pause.
    fn again(turn: &Turn, after: u64, is_throttled: bool) -> Ending {
        let outcome = Outcome {
            summary: Summary::default(),
            result: Ok(()),
            outage: None,
            started_at: 0,
            login_delay: None,
        };
        Ending {
            is_throttled,
            again: Some((turn.account.clone(), outcome, seconds(after))),
            ..DONE
        }
    }

    #[test]
    fn accounts_have_their_turn_in_order_and_servers_no_more_connections_than_allowed() {
        let accounts = [
            ("a", "one.example"),
            ("b", "ONE.example"),
            ("c", "one.example"),
            ("d", "two.example"),
        ];
        let mut queue = queue(&accounts, 2);
        let first = begin(&mut queue);
        assert_eq!(names(&first), ["a", "b", "d"]);
        queue.ended(first[2].seat, DONE, Instant::now());
        assert!(begin(&mut queue).is_empty());
        queue.ended(first[0].seat, DONE, Instant::now());
        assert_eq!(names(&begin(&mut queue)), ["c"]);
        assert!(names_left(queue).is_empty());
    }

    #[test]
    fn a_server_that_does_not_answer_is_asked_twice_and_not_for_each_account() {
        let accounts = [
            ("a", "dead.example"),
            ("b", "dead.example"),
            ("c", "dead.example"),
            ("d", "two.example"),
        ];
        let mut queue = queue(&accounts, 1);
        let first = begin(&mut queue);
        assert_eq!(names(&first), ["a", "d"]);
        queue.ended(first[0].seat, NOBODY, Instant::now());
        // Not as long as others are at work.
        assert!(begin(&mut queue).is_empty());
        queue.ended(first[1].seat, DONE, Instant::now());
        let again = begin(&mut queue);
        assert_eq!(names(&again), ["b"]);
        queue.ended(again[0].seat, NOBODY, Instant::now());
        assert!(begin(&mut queue).is_empty());
        assert_eq!(names_left(queue), ["c"]);
    }

    #[test]
    fn a_server_that_answers_later_serves_all_its_accounts() {
        let accounts = [
            ("a", "one.example"),
            ("b", "one.example"),
            ("c", "one.example"),
        ];
        let mut queue = queue(&accounts, 1);
        let first = begin(&mut queue);
        queue.ended(first[0].seat, NOBODY, Instant::now());
        let again = begin(&mut queue);
        assert_eq!(names(&again), ["b"]);
        queue.ended(again[0].seat, DONE, Instant::now());
        assert_eq!(names(&begin(&mut queue)), ["c"]);
    }

    #[test]
    fn each_connection_of_an_account_counts() {
        let accounts = [
            ("a", "one.example"),
            ("b", "one.example"),
            ("c", "one.example"),
        ];
        for (per_host, connections) in [(8, [4, 4].as_slice()), (7, &[4]), (3, &[3])] {
            let mut queue = queue(&accounts, per_host);
            for host in &mut queue.hosts {
                for (_, account) in &mut host.waiting {
                    account.limits.connections = NonZeroU8::new(4);
                }
            }
            let turns = begin(&mut queue);
            let given = turns.iter().map(|turn| turn.account.limits.connections);
            let given: Vec<u8> = given.map(|given| given.unwrap().get()).collect();
            assert_eq!(given, connections, "{per_host}");
            queue.ended(turns[0].seat, DONE, Instant::now());
            assert_eq!(begin(&mut queue).len(), 1);
        }
    }

    /// Several were under way when the first of them found nobody: that is one silence, and no second.
    #[test]
    fn those_under_way_do_not_count_as_a_second_try() {
        let accounts = [
            ("a", "one.example"),
            ("b", "one.example"),
            ("c", "one.example"),
            ("d", "one.example"),
        ];
        let mut queue = queue(&accounts, 2);
        let first = begin(&mut queue);
        assert_eq!(names(&first), ["a", "b"]);
        queue.ended(first[0].seat, NOBODY, Instant::now());
        queue.ended(first[1].seat, NOBODY, Instant::now());
        assert_eq!(names(&begin(&mut queue)), ["c"]);
    }

    #[test]
    fn a_failed_account_comes_again_behind_all_others_and_once() {
        let accounts = [
            ("a", "one.example"),
            ("b", "one.example"),
            ("c", "two.example"),
        ];
        let mut queue = queue(&accounts, 1);
        let now = Instant::now();
        let first = begin_at(&mut queue, now);
        assert_eq!(names(&first), ["a", "c"]);
        queue.ended(first[1].seat, again(&first[1], 2, false), now);
        // Its time has come, and others have not had their first turn yet.
        let later = now + seconds(2);
        assert!(begin_at(&mut queue, later).is_empty());
        assert_eq!(queue.wake(now), None);
        queue.ended(first[0].seat, DONE, now);
        let rest = begin_at(&mut queue, now);
        assert_eq!(names(&rest), ["b"]);
        // Now it may, also while the last of them is at work.
        assert_eq!(queue.wake(now), Some(later));
        let second = begin_at(&mut queue, later);
        assert_eq!(names(&second), ["c"]);
        assert!(second[0].first.is_some() && rest[0].first.is_none());
        queue.ended(second[0].seat, DONE, later);
        queue.ended(rest[0].seat, DONE, later);
        assert_eq!(queue.wake(later), None);
        assert!(begin_at(&mut queue, later).is_empty());
        assert!(names_left(queue).is_empty());
    }

    #[test]
    fn waits_have_a_limit_in_all_and_what_needs_longer_is_left() {
        let accounts = [
            ("a", "one.example"),
            ("b", "two.example"),
            ("c", "three.example"),
            ("d", "four.example"),
        ];
        let mut queue = queue(&accounts, 1);
        let now = Instant::now();
        let first = begin_at(&mut queue, now);
        // A server may announce any number.
        for (turn, after) in first.iter().zip([40, 65, 3_600, u64::MAX]) {
            queue.ended(turn.seat, again(turn, after, false), now);
        }
        let at = queue.wake(now).unwrap();
        assert_eq!(at, now + seconds(40));
        let second = begin_at(&mut queue, at);
        assert_eq!(names(&second), ["a"]);
        // As long as it is at work, the time passes anyway.
        assert_eq!(queue.wake(at), Some(now + seconds(65)));
        let at = now + seconds(50);
        queue.ended(second[0].seat, DONE, at);
        // Of the 60 seconds, 20 are left.
        let at = queue.wake(at).unwrap();
        assert_eq!(at, now + seconds(65));
        let second = begin_at(&mut queue, at);
        assert_eq!(names(&second), ["b"]);
        queue.ended(second[0].seat, DONE, at);
        assert_eq!(queue.wake(at), None);
        let left = queue.left(at).into_iter();
        let left: Vec<_> = left
            .map(|(turn, later)| (turn.account.name, later))
            .collect();
        assert_eq!(left, [("c".to_owned(), true), ("d".to_owned(), true)]);
    }

    /// A server with room for two, which refuses the others.
    #[test]
    fn a_server_that_finds_them_too_many_gets_half_as_many() {
        let names_of: Vec<String> = (1..=5).map(|number| format!("a{number}")).collect();
        let accounts: Vec<_> = names_of
            .iter()
            .map(|name| (name.as_str(), "one.example"))
            .collect();
        let mut queue = queue(&accounts, 8);
        let now = Instant::now();
        let first = begin_at(&mut queue, now);
        assert_eq!(first.len(), 5);
        for turn in &first[2..] {
            queue.ended(turn.seat, again(turn, 5, true), now);
        }
        for turn in &first[..2] {
            queue.ended(turn.seat, DONE, now);
        }
        let at = queue.wake(now).unwrap();
        assert_eq!(at, now + seconds(5));
        // Two of five: those that ran beside the first one refused count as one.
        let second = begin_at(&mut queue, at);
        assert_eq!(names(&second), ["a3", "a4"]);
        queue.ended(second[0].seat, again(&second[0], 5, true), at);
        assert!(begin_at(&mut queue, at).is_empty());
        queue.ended(second[1].seat, DONE, at);
        let third = begin_at(&mut queue, at);
        assert_eq!(names(&third), ["a5"]);
    }

    #[test]
    fn a_server_that_is_calm_again_gets_more_and_never_more_than_allowed() {
        let names_of: Vec<String> = (0..100).map(|number| format!("a{number}")).collect();
        let accounts: Vec<_> = names_of
            .iter()
            .map(|name| (name.as_str(), "one.example"))
            .collect();
        let mut queue = queue(&accounts, 2);
        let now = Instant::now();
        let mut running = VecDeque::from(begin_at(&mut queue, now));
        let refused = running.pop_front().unwrap();
        queue.ended(refused.seat, again(&refused, 5, true), now);
        let mut most = Vec::new();
        for _ in 0..3 * CALM {
            let turn = running.pop_front().unwrap();
            queue.ended(turn.seat, DONE, now);
            running.extend(begin_at(&mut queue, now));
            most.push(running.len());
        }
        assert_eq!(most[..CALM - 1], [1; CALM - 1]);
        assert_eq!(most[CALM - 1..], [2; 2 * CALM + 1]);
    }

    /// It had answered before, and is asked like the others of its server: not at all if nobody answers
    /// twice.
    #[test]
    fn a_second_turn_does_not_bring_a_dead_server_back() {
        let accounts = [
            ("a", "one.example"),
            ("b", "one.example"),
            ("c", "one.example"),
        ];
        let mut queue = queue(&accounts, 1);
        let now = Instant::now();
        let first = begin_at(&mut queue, now);
        queue.ended(first[0].seat, again(&first[0], 0, false), now);
        for expected in ["b", "c"] {
            let turn = begin_at(&mut queue, now);
            assert_eq!(names(&turn), [expected]);
            queue.ended(turn[0].seat, NOBODY, now);
        }
        assert!(begin_at(&mut queue, now).is_empty());
        assert_eq!(queue.wake(now), None);
        assert_eq!(names_left(queue), ["a"]);
    }
}
