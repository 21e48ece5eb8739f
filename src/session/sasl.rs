//! AUTH: the lines of a SASL exchange (RFC 5034). What stands in them is for the mechanism to
//! know.
//!
//! One exchange per session, and no second guess: a password tried twice is how accounts get
//! locked. Whatever goes wrong between the lines ends the exchange by `*`, so that the session
//! stays in step and leave can be taken.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::refusal::Verdict;
use super::{Awaited, Command, Error, Event, Refusal, Session, pace};
use crate::auth::SaslError;
use crate::auth::mechanism::{Mechanism, Message, decode};
use crate::blocking;

/// The longest AUTH line with a first message in it (RFC 5034 §4).
const MAX_AUTH: usize = 255;

/// How long the server may take to agree that an exchange is over.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// More answers than any mechanism gives: GSSAPI, the most talkative, gives four.
const MAX_STEPS: usize = 16;

/// What the server says to a line of an exchange.
enum Word {
    Challenge(Vec<u8>),
    Verdict(Result<(), Refusal>),
}

impl Session {
    /// Logs in by a SASL mechanism.
    pub(super) async fn auth(&mut self, mechanism: Box<dyn Mechanism>) -> Result<(), Error> {
        let name = mechanism.name();
        let faulty = |fault| Error::Mechanism {
            mechanism: name,
            fault: Box::new(fault),
        };
        let at_once = self.may_begin_at_once(mechanism.as_ref());
        let mechanism = Worker::new(mechanism, self.dialogue.timeout());
        let mut initial = mechanism
            .ask(|mechanism| mechanism.initial())
            .await?
            .map_err(faulty)?;
        let in_line = initial.take_if(|message| at_once && fits(name, message));
        let in_line = in_line.map(|message| message.encode_initial());
        let mut silent = in_line.is_none();
        self.dialogue
            .send(&[Command::Auth(name, in_line.as_ref())])
            .await?;
        for _ in 0..=MAX_STEPS {
            let challenge = match self.word().await? {
                Word::Challenge(challenge) => challenge,
                Word::Verdict(Ok(())) => {
                    let agrees = mechanism.ask(|mechanism| mechanism.finish(true)).await?;
                    return agrees.map_err(|fault| {
                        // Whoever this is, it hears nothing more from us.
                        self.dialogue.give_up();
                        faulty(fault)
                    });
                }
                Word::Verdict(Err(refusal)) if silent => {
                    return Err(self.turned_away(name, refusal));
                }
                Word::Verdict(Err(refusal)) => {
                    let said = mechanism.ask(|mechanism| mechanism.finish(false)).await?;
                    return Err(match said {
                        Err(fault) => Error::Denied {
                            fault: Box::new(fault.without(self.dialogue.secrets())),
                            refusal: Box::new(refusal),
                        },
                        Ok(()) => Error::Login(refusal),
                    });
                }
            };
            let answer = match (initial.take(), decode(&challenge)) {
                // A prompt: what it says is of no use to anybody (RFC 5034 §4).
                (Some(message), _) => Ok(message),
                (None, Ok(challenge)) => mechanism.ask(move |m| m.step(&challenge)).await?,
                (None, Err(fault)) => Err(fault),
            };
            match answer {
                Ok(message) => self.dialogue.respond(&message.encode()).await?,
                Err(fault) => return Err(self.call_off(faulty(fault)).await),
            }
            silent = false;
        }
        let endless = SaslError::TooManySteps { steps: MAX_STEPS };
        Err(self.call_off(faulty(endless)).await)
    }

    /// Whether the first message may go with AUTH.
    ///
    /// RFC 1734 did not know that form, and Exchange takes lines of 47 octets or refuses the form
    /// altogether (XPOP3:E0006). No Exchange was ever seen with AUTH-RESP-CODE, and whoever keeps
    /// to RFC 3206 is young enough. Nor is anything said to a mechanism that was not offered.
    fn may_begin_at_once(&self, mechanism: &dyn Mechanism) -> bool {
        mechanism.may_begin_at_once()
            && self.capabilities.has("AUTH-RESP-CODE")
            && self.offers(mechanism.name())
    }

    fn offers(&self, mechanism: &str) -> bool {
        let names = self.capabilities.arguments("SASL");
        let mut names = names.into_iter().flatten();
        names.any(|name| name.eq_ignore_ascii_case(mechanism))
    }

    /// The mechanisms that the server announced.
    pub(super) fn offered_mechanisms(&self) -> Vec<String> {
        let names = self.capabilities.arguments("SASL");
        names.into_iter().flatten().map(str::to_owned).collect()
    }

    /// A refusal before anything was said: no wrong password can be the reason.
    fn turned_away(&self, mechanism: &'static str, refusal: Refusal) -> Error {
        if self.offers(mechanism) || refusal.is_temporary() {
            return Error::Login(refusal);
        }
        Error::NotOffered {
            mechanism,
            offered: self.offered_mechanisms(),
            // Whoever knows name and password looks at them.
            fits_user: true,
            refusal: Some(Box::new(refusal)),
        }
    }

    async fn word(&mut self) -> Result<Word, Error> {
        let mut verdict = Verdict::default();
        let reading = self.dialogue.converse(|event| match event {
            Event::Challenge(text) => ControlFlow::Break(Word::Challenge(text.to_vec())),
            Event::Reply(keyword, response) => {
                verdict.note(keyword, response);
                ControlFlow::Break(Word::Verdict(Ok(())))
            }
            _ => ControlFlow::Continue(()),
        });
        let read = reading.await;
        let word = verdict.of(read)?;
        Ok(word.unwrap_or_else(|refusal| Word::Verdict(Err(refusal))))
    }

    /// Ends the exchange from our side. Where the server does not follow, no further word.
    async fn call_off(&mut self, why: Error) -> Error {
        let cancelled = pace::within(LAST_WORDS, self.dialogue.cancel());
        match cancelled.await {
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "the server did not let the exchange be cancelled");
            }
            None => self.dialogue.give_up(),
        }
        why
    }
}

/// Whether an AUTH line with this message is one that every server of RFC 5034 takes.
fn fits(mechanism: &str, message: &Message) -> bool {
    let initial = message.encode_initial();
    Command::Auth(mechanism, Some(&initial)).octets() <= MAX_AUTH
}

/// A mechanism at work where it may block, for a limited time.
struct Worker {
    mechanism: Arc<Mutex<Box<dyn Mechanism>>>,
    limit: Duration,
}

impl Worker {
    fn new(mechanism: Box<dyn Mechanism>, limit: Duration) -> Self {
        Self {
            mechanism: Arc::new(Mutex::new(mechanism)),
            limit,
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Mechanism) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let mechanism = Arc::clone(&self.mechanism);
        let work = blocking::begin(move || {
            let mut mechanism = mechanism.lock().unwrap_or_else(PoisonError::into_inner);
            question(mechanism.as_mut())
        });
        match pace::within(self.limit, work).await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(panic)) => resume_unwind(panic.into_panic()),
            None => Err(Error::TimedOut {
                awaited: Awaited::Mechanism,
                after: self.limit,
            }),
        }
    }
}
