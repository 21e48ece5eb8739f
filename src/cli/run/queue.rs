//! The order in which accounts have their turn: that of the configuration, as far as their servers allow.
//!
//! A server has only so many connections at the same time. One that does not answer is not asked for each
//! of its accounts: they wait until all others are done, and then one of them tries again. If nobody
//! answers that one either, the rest is left.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::num::NonZeroUsize;

use crate::account::{Account, Server};

/// Accounts that wait for their turn.
pub(super) struct Queue {
    per_host: usize,
    hosts: Vec<Host>,
    numbers: HashMap<String, usize>,
    /// The hosts with a waiting account that may begin, by the place of that account.
    ready: BTreeSet<(usize, usize)>,
    running: usize,
}

/// The accounts of one server.
#[derive(Default)]
struct Host {
    /// With their places in the configuration.
    waiting: VecDeque<(usize, Account)>,
    running: usize,
    answers: Answers,
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
    pub(super) fn new(accounts: Vec<Account>, per_host: NonZeroUsize) -> Self {
        let mut queue = Self {
            per_host: per_host.get(),
            hosts: Vec::new(),
            numbers: HashMap::new(),
            ready: BTreeSet::new(),
            running: 0,
        };
        for (place, account) in accounts.into_iter().enumerate() {
            let number = queue.number(&account.server);
            queue.hosts[number].waiting.push_back((place, account));
            queue.arrange(number);
        }
        queue
    }

    /// The next account that may begin now. None if there is none, or some must end first.
    pub(super) fn next(&mut self) -> Option<Account> {
        if self.ready.is_empty() && self.running == 0 {
            self.try_again();
        }
        let (_, number) = self.ready.pop_first()?;
        let (_, account) = self.hosts[number].waiting.pop_front()?;
        self.hosts[number].running += 1;
        self.running += 1;
        self.arrange(number);
        Some(account)
    }

    /// An account of this server has ended. `answered` is false if nobody answered there.
    pub(super) fn ended(&mut self, server: &Server, answered: bool) {
        let number = self.number(server);
        let host = &mut self.hosts[number];
        host.running -= 1;
        self.running -= 1;
        host.answers = match (answered, host.answers) {
            (true, _) => Answers::Yes,
            (false, Answers::TriedAgain | Answers::Never) => Answers::Never,
            (false, Answers::Yes | Answers::No) => Answers::No,
        };
        self.arrange(number);
    }

    /// The accounts that are left when nothing may begin any more.
    pub(super) fn left(self) -> Vec<Account> {
        let waiting = self.hosts.into_iter().flat_map(|host| host.waiting);
        let mut left: Vec<(usize, Account)> = waiting.collect();
        left.sort_by_key(|(place, _)| *place);
        left.into_iter().map(|(_, account)| account).collect()
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
            self.hosts.push(Host::default());
            self.hosts.len() - 1
        })
    }

    /// Puts the host where it belongs: among those that are ready, or not.
    fn arrange(&mut self, number: usize) {
        let host = &self.hosts[number];
        let Some(&(place, _)) = host.waiting.front() else {
            return;
        };
        let most = match host.answers {
            Answers::Yes => self.per_host,
            Answers::TriedAgain => 1,
            Answers::No | Answers::Never => 0,
        };
        if host.running < most {
            self.ready.insert((place, number));
        } else {
            self.ready.remove(&(place, number));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::config::{self, Base, GivenFlag};

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
        Queue::new(accounts, NonZeroUsize::new(per_host).unwrap())
    }

    /// Takes all that may begin now.
    fn begin(queue: &mut Queue) -> Vec<Account> {
        std::iter::from_fn(|| queue.next()).collect()
    }

    fn names(accounts: &[Account]) -> Vec<&str> {
        accounts
            .iter()
            .map(|account| account.name.as_str())
            .collect()
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
        queue.ended(&first[2].server, true);
        assert!(queue.next().is_none());
        queue.ended(&first[0].server, true);
        assert_eq!(names(&begin(&mut queue)), ["c"]);
        assert!(queue.left().is_empty());
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
        queue.ended(&first[0].server, false);
        // Not as long as others are at work.
        assert!(queue.next().is_none());
        queue.ended(&first[1].server, true);
        let again = begin(&mut queue);
        assert_eq!(names(&again), ["b"]);
        queue.ended(&again[0].server, false);
        assert!(queue.next().is_none());
        assert_eq!(names(&queue.left()), ["c"]);
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
        queue.ended(&first[0].server, false);
        let again = begin(&mut queue);
        assert_eq!(names(&again), ["b"]);
        queue.ended(&again[0].server, true);
        assert_eq!(names(&begin(&mut queue)), ["c"]);
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
        queue.ended(&first[0].server, false);
        queue.ended(&first[1].server, false);
        assert_eq!(names(&begin(&mut queue)), ["c"]);
    }
}
