//! The sessions of a run. There are several if the server ends them early, and one for each message
//! at which they break.

use secrecy::SecretString;

use super::{MAX_GAINLESS, MAX_SESSIONS, MAX_TRIALS, Run};
use crate::maildrop::Maildrop;
use crate::policy::Trouble;
use crate::sync::broke::{self, Broke};
use crate::sync::{Error, Event, Summary};

/// The reason for a message that was listed when a session broke at it, and now is not.
const NOT_LISTED: &str = "the session broke at it, and it is not listed any more";

impl Run<'_> {
    /// Steps 2 to 6. They take several sessions if the server ends one early: it hangs up after it
    /// refused a message, which is allowed (`XPOP3:C0005`), or it breaks at one.
    pub(super) async fn rounds(
        &mut self,
        password: &SecretString,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let limits = self.request.account.limits;
        let mut gainless = 0;
        let mut first: Option<Error> = None;
        let mut trials = self.trouble.breaks.len().min(MAX_TRIALS);
        for _ in 0..MAX_SESSIONS {
            let (retrieved, listings) = (summary.retrieved, self.tally.listings);
            let shared = !self.is_best_alone;
            let ended = self.session(password, None, summary).await;
            let Err(broke) = ended else {
                self.last_break = first.take();
                break;
            };
            let has_listed = self.tally.listings > listings;
            // Several connections may have been the obstacle.
            let is_alone_now = shared && self.is_best_alone;
            let is_news = self.note(&broke) || is_alone_now;
            // If no further session begins, the reason is the one that ended the last.
            if !has_listed || !is_news {
                let error = match first {
                    Some(first) if !has_listed => first,
                    _ => broke.error,
                };
                self.name_breakers(summary);
                return Err(error);
            }
            tracing::debug!(error = %broke.error, "the session broke, trying the others");
            trials = MAX_TRIALS;
            gainless = match summary.retrieved > retrieved {
                true => 0,
                false => gainless + 1,
            };
            if gainless == MAX_GAINLESS {
                self.name_breakers(summary);
                return Err(broke.error);
            }
            first = Some(broke.error);
            if limits.left(summary.retrieved, summary.octets).is_none() {
                return Ok(());
            }
        }
        if let Some(error) = first {
            self.name_breakers(summary);
            return Err(error);
        }
        self.last_ones(password, trials, summary).await
    }

    /// Retrieves the messages at which sessions broke, each in a session of its own.
    pub(super) async fn last_ones(
        &mut self,
        password: &SecretString,
        mut trials: usize,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let mut candidates: Vec<Vec<u8>> = self.trouble.breaks.iter().cloned().collect();
        // Each gets its turn, in this run or a later one.
        candidates
            .sort_unstable_by_key(|id| (self.tried_at.get(id).copied().unwrap_or(0), id.clone()));
        let mut ended: Option<Error> = None;
        for unique_id in candidates {
            if trials == 0 {
                break;
            }
            if !self.tally.listed_breakers.contains(&unique_id) {
                self.trouble.breaks.remove(&unique_id);
                // A message that this run has seen and that vanished was not retrieved.
                if self.tally.numbers.contains_key(&unique_id) {
                    self.fail(&unique_id, NOT_LISTED, summary);
                }
                continue;
            }
            let (retrieved, listings) = (summary.retrieved, self.tally.listings);
            self.tally.tried.insert(unique_id.clone());
            match self.session(password, Some(&unique_id), summary).await {
                Ok(()) => {
                    self.trouble.breaks.remove(&unique_id);
                    if !self.tally.listed_breakers.contains(&unique_id) {
                        self.fail(&unique_id, NOT_LISTED, summary);
                    }
                }
                Err(broke) if matches!(broke.error, Error::Interrupted(_)) => {
                    return Err(broke.error);
                }
                // It came, and the session broke at another message.
                Err(broke)
                    if summary.retrieved > retrieved && broke.during != broke::During::Retr =>
                {
                    self.trouble.breaks.remove(&unique_id);
                    match self.note(&broke) {
                        true => self.last_break = Some(broke.error),
                        false => ended = Some(broke.error),
                    }
                }
                Err(broke) => {
                    self.note(&broke);
                    self.fail(&unique_id, &broke.error.to_string(), summary);
                    self.last_break = Some(broke.error);
                    trials -= 1;
                    if self.tally.listings == listings {
                        break;
                    }
                }
            }
        }
        self.name_breakers(summary);
        if let Some(error) = ended {
            return Err(error);
        }
        // If the server breaks at every message, the reason is not a single message.
        let is_all = self.given_up.len() as u64 >= self.tally.most_listed;
        match self.last_break.take() {
            Some(error) if is_all => Err(error),
            _ => Ok(()),
        }
    }

    /// Records the messages at which a session broke. Returns true if that is new.
    pub(super) fn note(&mut self, broke: &Broke) -> bool {
        if let Some(maildrop) = self.listed.take() {
            self.number(&maildrop, |id| broke.unique_ids.iter().any(|at| at == id));
        }
        let ids = broke.unique_ids.iter().cloned();
        match broke.during {
            broke::During::Dele => {
                let before = self.trouble.undeletable.len();
                self.trouble.undeletable.extend(ids);
                self.trouble.undeletable.len() > before
            }
            broke::During::Refusal => {
                let before = self.trouble.refused.len();
                self.trouble.refused.extend(ids);
                self.trouble.refused.len() > before
            }
            broke::During::Retr => {
                let before = self.trouble.breaks.len();
                self.tally.listed_breakers.extend(ids.clone());
                self.trouble.breaks.extend(ids);
                self.trouble.breaks.len() > before
            }
            broke::During::Top => self.untoppable.note(ids),
            broke::During::Other => false,
        }
    }

    /// Reports the messages at which sessions broke, and that could not be retrieved.
    pub(super) fn name_breakers(&mut self, summary: &mut Summary) {
        let listed = &self.tally.listed_breakers;
        let wanted = self.trouble.breaks.iter().filter(|id| listed.contains(*id));
        let mut left: Vec<Vec<u8>> = wanted
            .filter(|id| !self.given_up.contains(*id))
            .cloned()
            .collect();
        left.sort_unstable();
        for unique_id in left {
            self.fail(&unique_id, "the session broke at it", summary);
        }
        let mut undeletable: Vec<Vec<u8>> = self
            .trouble
            .undeletable
            .difference(&self.given_up)
            .cloned()
            .collect();
        undeletable.sort_unstable();
        for unique_id in undeletable {
            self.fail(&unique_id, "the session broke at its deletion", summary);
        }
    }

    pub(super) fn fail(&mut self, unique_id: &[u8], reason: &str, summary: &mut Summary) {
        if !self.given_up.insert(unique_id.to_vec()) {
            return;
        }
        summary.failed += 1;
        let number = self.tally.numbers.get(unique_id).copied().unwrap_or(0);
        self.request.reporter.report(Event::MessageFailed {
            number,
            unique_id,
            reason,
        });
    }

    /// Records which of the messages at which sessions break are listed.
    pub(super) fn note_breakers(&mut self, maildrop: &Maildrop) {
        let Trouble {
            breaks,
            undeletable,
            ..
        } = self.trouble.clone();
        self.number(maildrop, |id| {
            breaks.contains(id) || undeletable.contains(id)
        });
        let listed = maildrop.iter().map(|message| message.unique_id);
        let listed = listed.filter(|id| breaks.contains(*id));
        self.tally.listed_breakers = listed.map(<[u8]>::to_vec).collect();
    }

    /// Records the numbers of messages that may have to be named.
    pub(super) fn number(&mut self, maildrop: &Maildrop, is_meant: impl Fn(&[u8]) -> bool) {
        for message in maildrop
            .iter()
            .filter(|message| is_meant(message.unique_id))
        {
            let id = message.unique_id.to_vec();
            self.tally.numbers.insert(id, message.number.as_u32());
        }
    }
}
