//! How long one reply may take.

use std::time::Duration;

use tokio::time::Instant;

/// The slowest server that is still waited for, in octets per second.
const FLOOR: u64 = 256;

/// The time allowed for one reply: the account's time-out, and one second more for every
/// [`FLOOR`] octets of it that came.
///
/// Octets that came earlier buy no patience: one silence never lasts longer than the time-out.
///
/// So a silent server is given up after the time-out, one that drips an octet per second hardly
/// later, and one that sends a gigabyte at a bearable pace never. Only time spent waiting for
/// the server counts: a slow disk of ours is not the server's fault.
#[derive(Debug)]
pub(super) struct Pace {
    timeout: Duration,
    waited: Duration,
    octets: u64,
}

impl Pace {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            waited: Duration::ZERO,
            octets: 0,
        }
    }

    /// A new reply is due.
    pub(super) fn restart(&mut self) {
        self.waited = Duration::ZERO;
        self.octets = 0;
    }

    /// The instant at which a wait that begins now is too long.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let allowed = self.timeout + Duration::from_secs(self.octets / FLOOR);
        now + allowed.saturating_sub(self.waited).min(self.timeout)
    }

    /// Something came after such a wait.
    pub(super) fn received(&mut self, octets: usize, waited: Duration) {
        self.waited += waited;
        self.octets = self.octets.saturating_add(octets as u64);
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How long a server that sends `octets` every `every` is waited for, at most an hour.
    fn patience(timeout: Duration, octets: usize, every: Duration) -> Duration {
        let start = Instant::now();
        let mut pace = Pace::new(timeout);
        let mut now = start;
        while now - start < 3600 * SECOND {
            if pace.deadline(now) < now + every {
                return pace.deadline(now) - start;
            }
            pace.received(octets, every);
            now += every;
        }
        now - start
    }

    #[test]
    fn a_silent_server_has_the_time_out_and_no_more() {
        assert_eq!(patience(60 * SECOND, 0, 3601 * SECOND), 60 * SECOND);
    }

    #[test]
    fn octets_that_came_buy_no_patience() {
        let mut pace = Pace::new(3 * SECOND);
        pace.received(900_000, SECOND);
        let now = Instant::now();
        assert_eq!(pace.deadline(now) - now, 3 * SECOND);
    }

    #[test]
    fn a_dripping_server_does_not_hold_the_run() {
        assert!(patience(60 * SECOND, 1, SECOND) <= 61 * SECOND);
        assert!(patience(60 * SECOND, 1, 59 * SECOND) <= 61 * SECOND);
        assert!(patience(60 * SECOND, 128, SECOND) <= 121 * SECOND);
    }

    #[test]
    fn a_slow_but_steady_server_is_waited_for() {
        assert!(patience(60 * SECOND, 1024, SECOND) >= 3600 * SECOND);
        assert!(patience(60 * SECOND, 15_000, 30 * SECOND) >= 3600 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn time_not_spent_waiting_does_not_count() {
        let mut pace = Pace::new(60 * SECOND);
        pace.received(1, SECOND);
        tokio::time::advance(600 * SECOND).await;
        let now = Instant::now();
        assert_eq!(pace.deadline(now) - now, 59 * SECOND);
    }
}
