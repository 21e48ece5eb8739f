//! How long a server is waited for.
//!
//! Only time in which popsync itself is awake counts, and only time spent waiting: a stopped
//! process, a laptop that slept, a slow disk or agent of ours are not the server's fault.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::pop3::Event;

/// The slowest server that is still waited for, in octets per second.
const FLOOR: u64 = 256;

/// The same for the octets of a message that is far longer than it was to be.
const FLOOR_BEYOND: u64 = 16 << 10;

/// How many times its listed size a message may have before it counts as far longer.
const ESTIMATE_FACTOR: u64 = 4;

/// Messages of so many octets are never far longer than listed.
const SMALL: u64 = 1 << 20;

/// The same for messages whose size was not listed.
const UNLISTED: u64 = 64 << 20;

/// How many time-outs a session may take in which nothing is gained.
const GAINLESS: u32 = 30;

/// How often a wait looks at the clock, at least.
const TICK: Duration = Duration::from_secs(1);

/// By how much a clock may be late without anything having stood still.
const SLACK: Duration = Duration::from_millis(200);

/// Into how many parts a short wait is cut.
const PARTS: u32 = 8;

/// The time that is left for a server, in two accounts.
///
/// The first is for one reply. It holds the account's time-out at first, waiting takes from it,
/// and every [`FLOOR`] octets add a second, but never beyond the time-out. So one silence never
/// lasts longer than the time-out, whatever came before it, one that drips is given up hardly
/// later, and one that sends a gigabyte at a bearable pace never.
///
/// The second is for the session. Answers alone do not fill it, since a server can refuse a
/// hundred thousand messages, a minute each: only what is gained does, and the octets of a
/// message that may yet be gained.
#[derive(Debug)]
pub(super) struct Pace {
    timeout: Duration,
    reply: Duration,
    gain: Duration,
    /// Octets of the current message so far.
    content: u64,
    /// How many octets it may have at a slow pace.
    expected: u64,
}

impl Pace {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            reply: timeout,
            gain: timeout * GAINLESS,
            content: 0,
            expected: UNLISTED,
        }
    }

    /// A new reply is due.
    pub(super) fn restart(&mut self) {
        self.reply = self.timeout;
        self.content = 0;
    }

    /// The next message, or the one that is arriving, is listed with so many octets.
    pub(super) fn expect(&mut self, listed: Option<u64>) {
        self.expected = listed.map_or(UNLISTED, |octets| {
            octets.saturating_mul(ESTIMATE_FACTOR).max(SMALL)
        });
    }

    /// A command succeeded, and its answer is whole.
    fn gained(&mut self) {
        self.gain = self.ceiling();
    }

    /// How long a wait that begins now may last.
    pub(super) fn patience(&self) -> Duration {
        self.reply.min(self.gain)
    }

    /// After a wait that took all patience: whether it is the session's that ended.
    pub(super) fn is_gainless(&self) -> bool {
        self.gain < self.reply
    }

    /// Something came after such a wait.
    pub(super) fn received(&mut self, octets: usize, waited: Duration) {
        let reply = self.reply.saturating_sub(waited);
        self.reply = (reply + worth(octets as u64, FLOOR)).min(self.timeout);
        self.gain = self.gain.saturating_sub(waited);
    }

    /// Takes note of what an event means for the time that is left.
    pub(super) fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Reply(keyword, response) => {
                if response.is_positive() && !keyword.is_multi_line() {
                    self.gained();
                }
                self.restart();
            }
            Event::Greeting(_) | Event::Challenge(_) => self.restart(),
            Event::Content(octets) => self.content(octets.len()),
            Event::End(keyword) => {
                // An empty message brings nothing.
                if !keyword.is_message() || self.content > 0 {
                    self.gained();
                }
                self.restart();
            }
            Event::Blank
            | Event::Capability(_)
            | Event::LoneDot
            | Event::ScanListing(_)
            | Event::UniqueIdListing(_) => {}
        }
    }

    /// Octets of a message are among what came.
    fn content(&mut self, octets: usize) {
        let octets = octets as u64;
        self.content = self.content.saturating_add(octets);
        let floor = match self.content > self.expected {
            true => FLOOR_BEYOND,
            false => FLOOR,
        };
        self.gain = (self.gain + worth(octets, floor)).min(self.ceiling());
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long a session may take in which nothing is gained.
    pub(super) fn ceiling(&self) -> Duration {
        self.timeout * GAINLESS
    }
}

/// The time that so many octets are worth at this floor.
fn worth(octets: u64, floor: u64) -> Duration {
    Duration::from_micros(octets.saturating_mul(1_000_000) / floor)
}

/// Waits for `work`, at most so long, and tells how long that took. What it gives is none where
/// time ran out.
pub(super) async fn wait<F: Future>(limit: Duration, work: F) -> (Option<F::Output>, Duration) {
    tokio::pin!(work);
    let part = TICK.min(limit / PARTS);
    let mut waited = Duration::ZERO;
    loop {
        let tick = part.min(limit.saturating_sub(waited));
        let began = Instant::now();
        let done = timeout(tick, &mut work).await;
        // Where far more than a tick went by, it was popsync that stood still: whatever came
        // meanwhile is still to be read.
        waited += match began.elapsed() {
            passed if passed > 2 * tick + SLACK => tick,
            passed => passed,
        };
        match done {
            Ok(done) => return (Some(done), waited),
            Err(_) if waited >= limit => return (None, waited),
            Err(_) => {}
        }
    }
}

/// The same for whom it is enough to know whether time ran out.
pub(super) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    wait(limit, work).await.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3600);

    /// How long a server that sends `octets` of a message every `every` is waited for, at most
    /// `most`.
    fn patience_of(pace: &mut Pace, octets: usize, every: Duration, most: Duration) -> Duration {
        let mut passed = Duration::ZERO;
        while passed < most {
            if pace.patience() < every {
                return passed + pace.patience();
            }
            pace.received(octets, every);
            pace.content(octets);
            passed += every;
        }
        passed
    }

    fn patience(timeout: Duration, octets: usize, every: Duration) -> Duration {
        patience_of(&mut Pace::new(timeout), octets, every, HOUR)
    }

    #[test]
    fn a_silent_server_has_the_time_out_and_no_more() {
        assert_eq!(patience(60 * SECOND, 0, 3601 * SECOND), 60 * SECOND);
    }

    #[test]
    fn octets_that_came_buy_no_patience() {
        for octets in [900_000, 3_100_000, usize::MAX >> 32] {
            let mut pace = Pace::new(3 * SECOND);
            pace.received(octets, SECOND);
            pace.content(octets);
            assert_eq!(pace.patience(), 3 * SECOND);
            // Nor for a drip behind them.
            assert!(patience_of(&mut pace, 1, SECOND, HOUR) <= 4 * SECOND);
        }
    }

    #[test]
    fn a_dripping_server_does_not_hold_the_run() {
        assert!(patience(60 * SECOND, 1, SECOND) <= 61 * SECOND);
        assert!(patience(60 * SECOND, 1, 59 * SECOND) <= 61 * SECOND);
        assert!(patience(60 * SECOND, 128, SECOND) <= 121 * SECOND);
    }

    #[test]
    fn a_slow_but_steady_server_is_waited_for() {
        assert!(patience(60 * SECOND, 1024, SECOND) >= HOUR);
        assert!(patience(60 * SECOND, 15_000, 30 * SECOND) >= HOUR);
        // A large message over a slow line takes hours, and may.
        let mut pace = Pace::new(60 * SECOND);
        pace.expect(Some(25 << 20));
        assert!(patience_of(&mut pace, 1024, SECOND, 7 * HOUR) >= 7 * HOUR);
        pace.restart();
        pace.expect(None);
        assert!(patience_of(&mut pace, 100_000, SECOND, 7 * HOUR) >= 7 * HOUR);
    }

    #[test]
    fn a_small_message_that_drips_on_for_ever_is_given_up() {
        let mut pace = Pace::new(60 * SECOND);
        pace.expect(Some(1000));
        let passed = patience_of(&mut pace, 300, SECOND, 100 * HOUR);
        assert!(passed < 3 * HOUR, "{passed:?}");
        assert!(pace.is_gainless());
    }

    #[test]
    fn a_session_in_which_nothing_is_gained_has_an_end() {
        let mut pace = Pace::new(60 * SECOND);
        let mut refused = 0;
        while pace.patience() >= 50 * SECOND {
            pace.received(20, 50 * SECOND);
            pace.restart();
            refused += 1;
        }
        assert_eq!(refused, 36);
        assert!(pace.is_gainless());
        pace.gained();
        assert_eq!(pace.patience(), 60 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_the_limit_or_the_work() {
        for limit in [0, 1, 10, 2500, 60_000].map(Duration::from_millis) {
            let began = Instant::now();
            let (done, waited) = wait(limit, std::future::pending::<()>()).await;
            assert_eq!(done, None);
            // The clock of the runtime goes by milliseconds.
            let most = limit + Duration::from_millis(5);
            assert!((limit..=most).contains(&waited), "{waited:?}");
            assert!(began.elapsed() <= most);
        }
        let work = async {
            tokio::time::sleep(7 * SECOND).await;
            1
        };
        let (done, waited) = wait(60 * SECOND, work).await;
        assert_eq!(done, Some(1));
        assert!((7 * SECOND..8 * SECOND).contains(&waited), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_popsync_sleeps_through_does_not_count() {
        // All at once an hour is over, as after SIGCONT or where a lid is opened.
        let work = async {
            tokio::time::sleep(SECOND / 2).await;
            tokio::time::advance(HOUR).await;
            tokio::time::sleep(SECOND).await;
            1
        };
        let (done, waited) = wait(60 * SECOND, work).await;
        assert_eq!(done, Some(1));
        assert!(waited <= 4 * SECOND, "{waited:?}");
    }
}
