//! One line of the table: a fault of the server, and the expected result.

use std::time::Duration;

use exchange_sim::{Knobs, Profile};

use support::bench::{Bench, By, Setup, letters, stored_form};

/// The time limit for a run if the server hangs and the time-out is a second.
const HANGING: Duration = Duration::from_secs(20);

/// The messages that are stored afterwards.
#[derive(Clone, Debug)]
enum Stored {
    /// All messages.
    All,
    /// The first of them, up to this number.
    First(usize),
    /// These octets.
    These(Vec<Vec<u8>>),
    /// Whole messages, some of them.
    Some,
}

/// A fault. By default the client deletes what it stored, the mailbox has four messages, and no
/// rule of MS-STANOPOP3 is broken.
#[must_use]
pub(crate) struct Fault {
    name: String,
    knobs: Knobs,
    by: By,
    profile: Profile,
    messages: Vec<Vec<u8>>,
    arguments: Vec<String>,
    on_disk: bool,
    hangs: bool,
    statuses: Vec<i32>,
    says: Vec<String>,
    stored: Stored,
    left: usize,
    never: Vec<&'static str>,
    retrieves: Option<&'static [u32]>,
    sessions: Option<usize>,
    heals: bool,
    violates: bool,
    pipelining: &'static [bool],
}

/// A fault with this name and these knobs.
pub(crate) fn fault(name: impl Into<String>, knobs: Knobs) -> Fault {
    Fault {
        name: name.into(),
        knobs,
        by: By::Tls,
        profile: Profile::Ex2016,
        messages: letters(4),
        arguments: Vec::new(),
        on_disk: false,
        hangs: false,
        statuses: vec![0],
        says: Vec::new(),
        stored: Stored::All,
        left: 0,
        never: Vec::new(),
        retrieves: None,
        sessions: None,
        heals: true,
        violates: false,
        pipelining: &[false, true],
    }
}

impl Fault {
    pub(crate) fn by(mut self, by: By) -> Self {
        self.by = by;
        self
    }

    pub(crate) fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    pub(crate) fn messages(mut self, messages: Vec<Vec<u8>>) -> Self {
        self.messages = messages;
        self
    }

    /// Keeps the home on a disk: the messages stored before the end are too large for memory.
    pub(crate) fn on_disk(mut self) -> Self {
        self.on_disk = true;
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// The server hangs; the client has a time-out of a second.
    pub(crate) fn hangs(mut self) -> Self {
        self.hangs = true;
        self
    }

    /// The run fails: nothing is stored or deleted, unless stated otherwise.
    pub(crate) fn fails(mut self, status: i32, words: &str) -> Self {
        self.statuses = vec![status];
        self.stored = Stored::First(0);
        self.left = self.messages.len();
        self.never.push("DELE");
        self.says(words)
    }

    /// The run fails before a password is sent, or even a name.
    pub(crate) fn fails_before_login(self, status: i32, words: &str) -> Self {
        self.fails(status, words).never("USER").never("PASS")
    }

    /// The same, if it depends on timing how the run notices.
    pub(crate) fn fails_before_login_either(mut self, statuses: &[i32]) -> Self {
        self = self.fails_before_login(0, "");
        self.statuses = statuses.to_vec();
        self
    }

    /// The run fails in one of these ways.
    pub(crate) fn fails_either(mut self, statuses: &[i32]) -> Self {
        self = self.fails(0, "");
        self.statuses = statuses.to_vec();
        self
    }

    /// The run ends with this status, having stored everything and deleted nothing.
    pub(crate) fn keeps_everything(mut self, status: i32, words: &str) -> Self {
        self = self.fails(status, words);
        self.stored = Stored::All;
        self
    }

    pub(crate) fn says(mut self, words: &str) -> Self {
        self.says.push(words.to_owned());
        self
    }

    /// The first messages are stored, up to this number.
    pub(crate) fn stores_first(mut self, count: usize) -> Self {
        self.stored = Stored::First(count);
        self
    }

    /// These octets are stored, as files.
    pub(crate) fn stores(mut self, stored: Vec<Vec<u8>>) -> Self {
        self.stored = Stored::These(stored);
        self
    }

    /// Whole messages are stored; which ones depends on timing.
    pub(crate) fn stores_some(mut self) -> Self {
        self.stored = Stored::Some;
        self
    }

    /// This many messages are left on the server.
    pub(crate) fn leaves(mut self, left: usize) -> Self {
        self.left = left;
        self
    }

    /// This command is never sent.
    pub(crate) fn never(mut self, verb: &'static str) -> Self {
        self.never.push(verb);
        self
    }

    /// DELE is still sent.
    pub(crate) fn deletes(mut self) -> Self {
        self.never.retain(|verb| *verb != "DELE");
        self
    }

    /// RETR is sent with these numbers, in this order.
    pub(crate) fn retrieves(mut self, numbers: &'static [u32]) -> Self {
        self.retrieves = Some(numbers);
        self
    }

    pub(crate) fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// The damage stays when the server behaves again.
    pub(crate) fn does_not_heal(mut self) -> Self {
        self.heals = false;
        self
    }

    /// The server reports violations that are none.
    pub(crate) fn violates(mut self) -> Self {
        self.violates = true;
        self
    }

    /// Only if the server does not pipeline.
    pub(crate) fn unpipelined(mut self) -> Self {
        self.pipelining = &[false];
        self
    }

    /// Only if the server pipelines.
    pub(crate) fn pipelined(mut self) -> Self {
        self.pipelining = &[true];
        self
    }

    /// Runs the program with the fault. Afterwards the server behaves, and the next run must leave
    /// every message stored exactly once.
    #[track_caller]
    pub(crate) fn holds(self) {
        for &pipelining in self.pipelining {
            let setup = Setup::with(self.messages.clone())
                .by(self.by)
                .profile(self.profile)
                .knobs(Knobs {
                    pipelining,
                    ..self.knobs.clone()
                });
            let bench = if self.on_disk { setup.on_disk() } else { setup }.start();
            self.check(&bench, &format!("{}, pipelining {pipelining}", self.name));
            if self.heals {
                bench.knobs(Knobs {
                    pipelining,
                    ..Knobs::default()
                });
                bench.sim.clear_log();
                let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
                let name = &self.name;
                assert_eq!(ended.status, Some(0), "then, {name}: {}", ended.text());
                bench.assert_exactly_once();
                assert!(
                    bench.mailbox().is_empty(),
                    "then, {name}: messages are left"
                );
            }
        }
    }

    #[track_caller]
    fn check(&self, bench: &Bench, name: &str) {
        let mut run = bench.fetch(&["--profile", "outlook-2016", "-vv"]);
        run.command.args(&self.arguments);
        if self.hangs {
            run.command.args(["--timeout", "1s"]);
            run = run.within(HANGING);
        }
        let ended = run.start().end();
        if self.hangs {
            bench.sim.disconnect_all();
        }
        bench.settle();
        let dialogue = bench.sim.commands();
        let about = format!("{name}: {}\nsent: {dialogue:?}", ended.text());
        let status = ended.status.unwrap_or(-1);
        assert!(
            self.statuses.contains(&status),
            "{:?} was expected: {about}",
            self.statuses
        );
        for words in &self.says {
            assert!(ended.err.contains(words), "{words:?} is missing: {about}");
        }
        assert_eq!(
            bench.mailbox().len(),
            self.left,
            "left on the server: {about}"
        );
        for verb in &self.never {
            let sent = bench.sim.commands_of(verb);
            assert!(sent.is_empty(), "{verb} was sent: {about}");
        }
        if let Some(numbers) = self.retrieves {
            let expected: Vec<_> = numbers.iter().map(|n| format!("RETR {n}")).collect();
            assert_eq!(bench.sim.commands_of("RETR"), expected, "{about}");
        }
        let held = bench.held();
        match &self.stored {
            Stored::All => bench.assert_stored(&held),
            Stored::First(count) => bench.assert_stored(&held[..*count]),
            Stored::These(stored) => bench.assert_stored(stored),
            Stored::Some => {
                let whole: Vec<_> = held
                    .into_iter()
                    .filter(|message| bench.store.holds(message))
                    .collect();
                bench.assert_stored(&whole);
            }
        }
        if let Some(sessions) = self.sessions {
            assert_eq!(bench.sim.transcripts().len(), sessions, "{about}");
        }
        if !self.violates {
            assert_eq!(bench.sim.violations(), [""; 0], "{about}");
        }
    }
}

/// The stored form of messages in front of which the server puts a line.
pub(crate) fn with_first_line(line: &str, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let with = |sent: &Vec<u8>| [line.as_bytes(), b"\r\n", sent].concat();
    messages
        .iter()
        .map(with)
        .map(|sent| stored_form(&sent))
        .collect()
}
