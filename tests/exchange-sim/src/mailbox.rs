//! A mailbox: its stored messages, and changes by others while sessions are open.
//!
//! There is no lock for a session (XPOP3, normative variation of RFC 1939 §4): several sessions
//! have snapshots of one mailbox at once, and a listed message may be gone (XPOP3:C0004).

mod content;
mod uid;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use content::{Content, Fill, wire_form};
pub use uid::IdForm;

use crate::clock::{Clock, lock};
use uid::Ids;

/// How RETR and TOP of a message fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fails {
    /// They do not.
    #[default]
    Never,
    /// `-ERR`, every time.
    Retr,
    /// `+OK` and an empty body (seen by getmail).
    Empty,
    /// `-ERR`, every time, because the message cannot be converted to MIME.
    Convert,
}

/// A handle to a mailbox, usable while the server runs. Clones are the same mailbox.
#[derive(Clone)]
pub struct Mailbox {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    messages: Vec<Arc<Stored>>,
    ids: Ids,
    reuse: bool,
    freed: Vec<Arc<[u8]>>,
    /// Removals that an UPDATE left for later.
    due: Vec<(Duration, Vec<Arc<Stored>>)>,
    /// Messages hidden from new sessions until a time.
    hidden: Vec<(Duration, Vec<Arc<Stored>>)>,
    last_login: Option<Duration>,
    last_quit: Option<Duration>,
    logins: u64,
}

/// A message. Sessions share it, so that all see when it goes away.
pub(crate) struct Stored {
    uid: Mutex<Arc<[u8]>>,
    pub(crate) content: Content,
    present: AtomicBool,
    /// RETR was answered in full at least once.
    retrieved: AtomicBool,
    fails: Mutex<Fails>,
    listed_size: Mutex<Option<String>>,
}

impl Stored {
    pub(crate) fn uid(&self) -> Arc<[u8]> {
        Arc::clone(&lock(&self.uid))
    }

    pub(crate) fn is_present(&self) -> bool {
        self.present.load(Ordering::SeqCst)
    }

    pub(crate) fn is_retrieved(&self) -> bool {
        self.retrieved.load(Ordering::SeqCst)
    }

    pub(crate) fn set_retrieved(&self) {
        self.retrieved.store(true, Ordering::SeqCst);
    }

    pub(crate) fn fails(&self) -> Fails {
        *lock(&self.fails)
    }

    /// The size that a test set for STAT and LIST.
    pub(crate) fn listed_size(&self) -> Option<String> {
        lock(&self.listed_size).clone()
    }
}

impl Mailbox {
    pub(crate) fn new(name: &str, clock: Arc<dyn Clock>, form: IdForm) -> Self {
        Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                clock,
                state: Mutex::new(State {
                    messages: Vec::new(),
                    ids: Ids::new(form, name),
                    reuse: false,
                    freed: Vec::new(),
                    due: Vec::new(),
                    hidden: Vec::new(),
                    last_login: None,
                    last_quit: None,
                    logins: 0,
                }),
            }),
        }
    }

    /// The name of the user whose mailbox this is.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Delivers a message and returns its unique-id.
    pub fn deliver(&self, content: impl Into<Content>) -> String {
        let content = content.into();
        let mut state = self.state();
        let old = if state.reuse { state.freed.pop() } else { None };
        let uid = old.unwrap_or_else(|| state.ids.next().into());
        let end = state.messages.len();
        state.add(end, Arc::clone(&uid), content);
        String::from_utf8_lossy(&uid).into_owned()
    }

    /// Delivers a message under this unique-id, whatever it is.
    pub fn deliver_with_uid(&self, uid: impl AsRef<[u8]>, content: impl Into<Content>) {
        let mut state = self.state();
        let end = state.messages.len();
        state.add(end, uid.as_ref().into(), content.into());
    }

    /// Delivers a message in front of the one at `index`, like servers that do not list in order of
    /// arrival (fetchmail). Returns its unique-id.
    pub fn deliver_at(&self, index: usize, content: impl Into<Content>) -> String {
        let mut state = self.state();
        let uid: Arc<[u8]> = state.ids.next().into();
        let index = index.min(state.messages.len());
        state.add(index, Arc::clone(&uid), content.into());
        String::from_utf8_lossy(&uid).into_owned()
    }

    /// Another party removes the message. Returns false if there was none.
    pub fn remove(&self, uid: impl AsRef<[u8]>) -> bool {
        let mut state = self.state();
        let Some(message) = state.find(uid.as_ref()) else {
            return false;
        };
        state.remove(&[message]);
        true
    }

    /// Another party removes everything.
    pub fn clear(&self) {
        let mut state = self.state();
        let all = state.messages.clone();
        state.remove(&all);
    }

    /// The unique-ids in order of arrival.
    pub fn unique_ids(&self) -> Vec<String> {
        self.state()
            .messages
            .iter()
            .map(|message| String::from_utf8_lossy(&message.uid()).into_owned())
            .collect()
    }

    /// The stored octets in order of arrival; see [`wire_form`] for what a client receives.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        self.state()
            .messages
            .iter()
            .map(|message| {
                let mut octets = vec![0; message.content.len() as usize];
                message.content.read(0, &mut octets);
                octets
            })
            .collect()
    }

    /// The octets that a client receives of the message, byte-stuffing undone.
    pub fn wire_form_of(&self, uid: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let message = self.state().find(uid.as_ref())?;
        Some(message.content.to_wire_form())
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.state().messages.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives every message a new id of this form, as a move to another server may; later mail gets
    /// ids of the same form. Returns the new ids. Open sessions keep the old ones.
    pub fn renumber_all_ids(&self, form: IdForm) -> Vec<String> {
        let mut state = self.state();
        state.ids.set_form(form);
        for i in 0..state.messages.len() {
            let uid: Arc<[u8]> = state.ids.next().into();
            *lock(&state.messages[i].uid) = uid;
        }
        drop(state);
        self.unique_ids()
    }

    /// The form of the ids of later mail. Messages that are there keep theirs, as after a move
    /// to 2007 SP2 (XPOP3:C0009, KB956884).
    pub fn set_id_form(&self, form: IdForm) {
        self.state().ids.set_form(form);
    }

    /// Gives a message another id. Returns false if there was none.
    pub fn change_uid(&self, uid: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> bool {
        self.with(uid.as_ref(), |message| {
            *lock(&message.uid) = to.as_ref().into();
        })
    }

    /// Makes RETR and TOP of a message fail. Returns false if there was none.
    pub fn set_fails(&self, uid: impl AsRef<[u8]>, fails: Fails) -> bool {
        self.with(uid.as_ref(), |message| *lock(&message.fails) = fails)
    }

    /// Sets the size of a message in STAT and LIST. STAT counts a text that is not a number as 0.
    /// Returns false if there was none.
    pub fn set_listed_size(&self, uid: impl AsRef<[u8]>, size: impl ToString) -> bool {
        self.with(uid.as_ref(), |message| {
            *lock(&message.listed_size) = Some(size.to_string());
        })
    }

    /// True if some session sent the message by RETR, in full.
    pub fn is_retrieved(&self, uid: impl AsRef<[u8]>) -> bool {
        self.state()
            .find(uid.as_ref())
            .is_some_and(|message| message.is_retrieved())
    }

    fn with(&self, uid: &[u8], change: impl FnOnce(&Stored)) -> bool {
        let message = self.state().find(uid);
        message.map(|message| change(&message)).is_some()
    }

    /// The state, after all due changes were carried out.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        let now = self.shared.clock.now();
        let mut state = lock(&self.shared.state);
        if !state.due.is_empty() {
            let due = std::mem::take(&mut state.due);
            for (at, messages) in due {
                if at <= now {
                    state.remove(&messages);
                } else {
                    state.due.push((at, messages));
                }
            }
        }
        state.hidden.retain(|(until, _)| *until > now);
        state
    }

    pub(crate) fn set_reuse(&self, reuse: bool) {
        self.state().reuse = reuse;
    }

    /// The messages that a new session sees, oldest first.
    pub(crate) fn visible(&self) -> Vec<Arc<Stored>> {
        let state = self.state();
        if state.hidden.is_empty() {
            return state.messages.clone();
        }
        let hidden = |message: &Arc<Stored>| {
            let mut groups = state.hidden.iter();
            groups.any(|(_, group)| group.iter().any(|other| Arc::ptr_eq(other, message)))
        };
        let mut visible = state.messages.clone();
        visible.retain(|message| !hidden(message));
        visible
    }

    /// Removes the messages that a session marked. Nothing else is removed (XPOP3:V0006); this is
    /// checked here after each UPDATE, and a violation is returned as an error.
    pub(crate) fn update(&self, marked: &[Arc<Stored>]) -> Result<(), String> {
        let mut state = self.state();
        let before = state.messages.len();
        let gone = marked.iter().filter(|message| message.is_present()).count();
        state.remove(marked);
        let after = state.messages.len();
        if before - after == gone {
            Ok(())
        } else {
            Err(format!(
                "UPDATE of {gone} messages removed {}",
                before - after
            ))
        }
    }

    pub(crate) fn update_later(&self, at: Duration, marked: Vec<Arc<Stored>>) {
        self.state().due.push((at, marked));
    }

    pub(crate) fn hide(&self, until: Duration, messages: Vec<Arc<Stored>>) {
        self.state().hidden.push((until, messages));
    }

    /// Notes a login and gives its number, counted from 1.
    pub(crate) fn note_login(&self) -> u64 {
        let mut state = self.state();
        state.last_login = Some(self.shared.clock.now());
        state.logins += 1;
        state.logins
    }

    pub(crate) fn note_quit(&self) {
        self.state().last_quit = Some(self.shared.clock.now());
    }

    pub(crate) fn since_login(&self) -> Option<Duration> {
        let at = self.state().last_login?;
        Some(self.shared.clock.now().saturating_sub(at))
    }

    pub(crate) fn since_quit(&self) -> Option<Duration> {
        let at = self.state().last_quit?;
        Some(self.shared.clock.now().saturating_sub(at))
    }
}

impl State {
    fn add(&mut self, index: usize, uid: Arc<[u8]>, content: Content) {
        let message = Arc::new(Stored {
            uid: Mutex::new(uid),
            content,
            present: AtomicBool::new(true),
            retrieved: AtomicBool::new(false),
            fails: Mutex::default(),
            listed_size: Mutex::default(),
        });
        self.messages.insert(index, message);
    }

    fn find(&self, uid: &[u8]) -> Option<Arc<Stored>> {
        self.messages
            .iter()
            .find(|message| *message.uid() == *uid)
            .cloned()
    }

    fn remove(&mut self, gone: &[Arc<Stored>]) {
        for message in gone {
            if message.present.swap(false, Ordering::SeqCst) {
                self.freed.push(message.uid());
            }
        }
        self.messages.retain(|message| message.is_present());
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("name", &self.shared.name)
            .field("messages", &self.len())
            .finish_non_exhaustive()
    }
}
