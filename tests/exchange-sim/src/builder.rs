//! The description of a server.

use std::io;
use std::sync::{Arc, Mutex};

use crate::clock::{Clock, RealClock};
use crate::directory::{Directory, User};
use crate::knobs::Knobs;
use crate::mailbox::{Content, IdForm, Mailbox};
use crate::profile::Profile;
use crate::server::Server;
use crate::site::{OnCommand, OnProgress, Progress, Seen, Site};

/// Describes a server, and starts it.
#[must_use]
pub struct Builder {
    profile: Profile,
    users: Vec<NewUser>,
    messages: Vec<(String, Vec<Content>)>,
    delegates: Vec<(String, String)>,
    knobs: Knobs,
    clock: Option<Arc<dyn Clock>>,
    on_command: Option<OnCommand>,
    on_progress: Option<OnProgress>,
    legacy: Option<usize>,
    ports: Ports,
}

struct NewUser {
    name: String,
    password: Vec<u8>,
    token: Option<String>,
    pop: bool,
}

/// Which listeners a server has.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) plain: bool,
    pub(crate) tls: bool,
    pub(crate) ipv6: bool,
}

impl Builder {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            users: Vec::new(),
            messages: Vec::new(),
            delegates: Vec::new(),
            knobs: Knobs::default(),
            clock: None,
            on_command: None,
            on_progress: None,
            legacy: None,
            ports: Ports {
                plain: profile.has_plain_port(),
                tls: profile.has_tls(),
                ipv6: false,
            },
        }
    }

    /// Adds a user with an empty mailbox. The alias is the part before the `@`.
    pub fn user(mut self, name: &str, password: impl AsRef<[u8]>) -> Self {
        self.users.push(NewUser {
            name: name.to_owned(),
            password: password.as_ref().to_vec(),
            token: None,
            pop: true,
        });
        self
    }

    /// The token that XOAUTH2 takes from a user.
    pub fn token(mut self, user: &str, token: &str) -> Self {
        for known in &mut self.users {
            if known.name == user {
                known.token = Some(token.to_owned());
            }
        }
        self
    }

    /// Turns POP3 off for a user's mailbox: logins fail like with a bad password.
    pub fn pop_disabled(mut self, user: &str) -> Self {
        for known in &mut self.users {
            if known.name == user {
                known.pop = false;
            }
        }
        self
    }

    /// Lets one user open the mailbox of another (MS-OXPOP3 §2.2.2).
    pub fn delegate(mut self, delegate: &str, principal: &str) -> Self {
        self.delegates
            .push((delegate.to_owned(), principal.to_owned()));
        self
    }

    /// Delivers messages to a user's mailbox, in this order.
    pub fn messages<I>(mut self, user: &str, messages: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Content>,
    {
        let messages = messages.into_iter().map(Into::into).collect();
        self.messages.push((user.to_owned(), messages));
        self
    }

    /// The number of each user's first messages that keep ids of Exchange 2003. The default is
    /// none, and half of them (rounded up) with [`Profile::Ex2003Migrated`].
    pub fn legacy_messages(mut self, count: usize) -> Self {
        self.legacy = Some(count);
        self
    }

    /// Sets the knobs.
    pub fn knobs(mut self, knobs: Knobs) -> Self {
        self.knobs = knobs;
        self
    }

    /// Sets the clock; the default is a [`RealClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// A hook that sees every command before it is carried out and answered. It runs in the
    /// connection's thread; if it panics, the connection breaks.
    pub fn on_command(mut self, hook: impl Fn(&Seen) + Send + Sync + 'static) -> Self {
        self.on_command = Some(Box::new(hook));
        self
    }

    /// A hook that is called after every write, in the connection's thread. With
    /// [`Knobs::chunk`] it is called as often as a test wants.
    pub fn on_progress(mut self, hook: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Box::new(hook));
        self
    }

    /// True if there is a port without implicit TLS; by default, if the profile has one.
    pub fn plain_port(mut self, wanted: bool) -> Self {
        self.ports.plain = wanted;
        self
    }

    /// True if there is a port with implicit TLS; by default, if the profile has one.
    pub fn tls_port(mut self, wanted: bool) -> Self {
        self.ports.tls = wanted;
        self
    }

    /// Listens on `[::1]` too, under the same port numbers.
    pub fn ipv6(mut self, wanted: bool) -> Self {
        self.ports.ipv6 = wanted;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// If a knob has a value that Exchange would refuse, if messages are for nobody, and if no port
    /// is free.
    pub fn start(self) -> io::Result<Server> {
        let ports = self.ports;
        Server::start(self.site()?, &ports)
    }

    /// Creates only the engine's side, without ports.
    ///
    /// # Errors
    ///
    /// If a knob has a value that Exchange would refuse, and if messages are for nobody.
    pub fn site(self) -> io::Result<Arc<Site>> {
        let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidInput, problem);
        self.knobs.check().map_err(invalid)?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(RealClock::default()));
        let form = match self.profile {
            Profile::Ex2003 => IdForm::Legacy,
            _ => IdForm::Decimal,
        };
        let users = self.users.into_iter().map(|user| User {
            mailbox: Mailbox::new(&user.name, Arc::clone(&clock), form),
            name: user.name,
            password: Mutex::new(user.password),
            token: Mutex::new(user.token),
            pop: user.pop,
        });
        let directory = Directory::new(users.collect(), self.delegates);
        for (name, messages) in self.messages {
            let Some(user) = directory.user(&name) else {
                return Err(invalid(format!("messages for {name}, who is no user")));
            };
            let legacy = match (self.legacy, self.profile) {
                (Some(count), _) => count,
                (None, Profile::Ex2003Migrated) => messages.len().div_ceil(2),
                (None, _) => 0,
            };
            for (i, message) in messages.into_iter().enumerate() {
                let first = i < legacy;
                user.mailbox
                    .set_id_form(if first { IdForm::Legacy } else { form });
                user.mailbox.deliver(message);
            }
            user.mailbox.set_id_form(form);
        }
        Ok(Arc::new(Site::new(
            self.profile,
            directory,
            clock,
            self.knobs,
            self.on_command,
            self.on_progress,
        )))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
