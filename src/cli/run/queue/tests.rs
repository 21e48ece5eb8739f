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
