//! The time that a person takes to type a password. It does not count as time of the run.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::account::Account;
use crate::auth::source::{Prompt, Unanswered};

/// A prompt that measures its own time.
pub(super) struct Waited<'a> {
    prompt: &'a dyn Prompt,
    time: Mutex<Duration>,
}

impl<'a> Waited<'a> {
    pub(super) fn new(prompt: &'a dyn Prompt) -> Self {
        Self {
            prompt,
            time: Mutex::default(),
        }
    }

    /// The time that was spent waiting for a person.
    pub(super) fn time(&self) -> Duration {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Prompt for Waited<'_> {
    fn is_there(&self) -> bool {
        self.prompt.is_there()
    }

    fn password(&self, account: &Account) -> Result<SecretString, Unanswered> {
        let began = Instant::now();
        let answer = self.prompt.password(account);
        *self.time.lock().unwrap_or_else(PoisonError::into_inner) += began.elapsed();
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Base, Config};

    fn account() -> Account {
        let toml =
            b"[accounts.work]\nserver = \"pop3s://anna@mail.example.com\"\nmaildir = \"m\"\n";
        let config = Config::parse(Path::new("config.toml"), toml, &Base::current());
        config.unwrap().accounts.swap_remove(0)
    }

    struct Slow;

    impl Prompt for Slow {
        fn is_there(&self) -> bool {
            true
        }

        fn password(&self, _: &Account) -> Result<SecretString, Unanswered> {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(20) {
                std::thread::yield_now();
            }
            Ok(SecretString::from("typed"))
        }
    }

    #[test]
    fn the_time_of_each_question_counts() {
        let waited = Waited::new(&Slow);
        assert_eq!(waited.time(), Duration::ZERO);
        for asked in 1..=2 {
            waited.password(&account()).unwrap();
            assert!(waited.time() >= asked * Duration::from_millis(20));
        }
    }
}
