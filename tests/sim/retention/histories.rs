//! Random histories of a mailbox and its copy: nothing is lost, nothing is stored twice, and only
//! the policy deletes on the server.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use exchange_sim::{IdForm, Knobs};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use support::bench::{Bench, letter, rename, stored_form};

/// An event of a mailbox and its copy.
#[derive(Debug, Clone, Copy)]
enum Happens {
    /// This many letters arrive.
    Arrive(usize),
    /// A person deletes a message in the Maildir.
    Deletes(usize),
    /// A person files a message in a folder.
    Files(usize),
    /// A mail program files one under a new name.
    Refiles(usize),
    /// The server seems empty for one run.
    SeemsEmpty,
    /// The server claims to have more messages than it lists.
    Contradicts,
    /// The server gives all messages new unique-ids.
    Renames,
    /// A run is killed at this step.
    Killed(u32),
    /// A run is complete.
    Runs,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        2 => (1_usize..4).prop_map(Happens::Arrive),
        2 => (0_usize..100).prop_map(Happens::Deletes),
        1 => (0_usize..100).prop_map(Happens::Files),
        1 => (0_usize..100).prop_map(Happens::Refiles),
        1 => Just(Happens::SeemsEmpty),
        1 => Just(Happens::Contradicts),
        1 => Just(Happens::Renames),
        1 => (1_u32..6).prop_map(Happens::Killed),
        3 => Just(Happens::Runs),
    ]
}

/// The expected state.
struct Model {
    bench: Bench,
    settings: &'static [&'static str],
    /// Letters that arrived.
    arrived: usize,
    /// Those that a person deleted here.
    deleted: BTreeSet<usize>,
    renames: u32,
    /// True if a run was killed, and none has ended since. Until then a message that a person
    /// deletes or renames looks like one that was not yet shown: it is retrieved again.
    interrupted: bool,
}

impl Model {
    /// The places of the letters here, by number; a letter with two places is a failure.
    fn here(&self) -> BTreeMap<usize, PathBuf> {
        let mut here = BTreeMap::new();
        for path in self.bench.store.files().into_keys() {
            let octets = fs::read(&path).unwrap();
            let number = (1..=self.arrived).find(|&n| stored_form(&letter(n)) == octets);
            let twice = here.insert(number.unwrap(), path);
            assert_eq!(twice, None, "a letter is there twice");
        }
        here
    }

    fn there(&self) -> BTreeSet<usize> {
        let messages = self.bench.mailbox().messages();
        let number = |octets: &Vec<u8>| (1..=self.arrived).find(|&n| letter(n) == *octets);
        messages
            .iter()
            .map(|octets| number(octets).unwrap())
            .collect()
    }

    fn pick(&self, which: usize) -> Option<(usize, PathBuf)> {
        let here = self.here();
        let count = here.len();
        here.into_iter().nth(which.checked_rem(count)?)
    }

    fn run(&mut self, knobs: Knobs) {
        self.bench.knobs(knobs);
        let ended = self.bench.fetch(self.settings).end();
        self.bench.knobs(Knobs::default());
        assert!(matches!(ended.status, Some(0 | 1)), "{}", ended.text());
        self.interrupted = false;
    }

    fn step(&mut self, happens: Happens) {
        match happens {
            Happens::Deletes(_) | Happens::Refiles(_) if self.interrupted => {}
            Happens::Arrive(count) => {
                for _ in 0..count {
                    self.arrived += 1;
                    self.bench.deliver(&letter(self.arrived));
                }
            }
            Happens::Deletes(which) => {
                // The last one stays: an emptied store has its own brake.
                if let Some((number, path)) = self.pick(which)
                    && self.here().len() > 1
                {
                    fs::remove_file(path).unwrap();
                    self.deleted.insert(number);
                }
            }
            Happens::Files(which) | Happens::Refiles(which) => {
                let Some((number, path)) = self.pick(which) else {
                    return;
                };
                let folder = self.bench.store.root.join(".Archive/cur");
                fs::create_dir_all(&folder).unwrap();
                let name = path.file_name().unwrap().to_str().unwrap();
                let base = name.split(':').next().unwrap().to_owned();
                let name = match happens {
                    Happens::Refiles(_) => format!("{number}.M{}P1.host", self.arrived),
                    _ => base,
                };
                rename(&path, &folder.join(format!("{name}:2,S")));
            }
            Happens::SeemsEmpty => self.run(Knobs {
                pretend_empty: true,
                ..Knobs::default()
            }),
            Happens::Contradicts => self.run(Knobs {
                stat_line: Some(b"+OK 9999 1".to_vec()),
                ..Knobs::default()
            }),
            Happens::Renames => {
                self.renames += 1;
                let form = if self.renames.is_multiple_of(2) {
                    IdForm::Decimal
                } else {
                    IdForm::Legacy
                };
                self.bench.mailbox().renumber_all_ids(form);
            }
            Happens::Killed(step) => {
                let run = self.bench.fetch(self.settings);
                run.env("POPSYNC_STOP_AT", &step.to_string()).end();
                self.interrupted = true;
            }
            Happens::Runs => self.run(Knobs::default()),
        }
        self.check();
    }

    /// The rule at any time: each message that left the server was stored here, and the policy
    /// allowed it.
    fn check(&self) {
        let (here, there) = (self.here(), self.there());
        let follows = self.settings.contains(&"--remove-when-deleted-locally");
        let deletes = self.settings.contains(&"outlook-2016");
        for number in (1..=self.arrived).filter(|number| !there.contains(number)) {
            let was_deleted = self.deleted.contains(&number);
            assert!(
                here.contains_key(&number) || was_deleted,
                "letter {number} is nowhere"
            );
            assert!(
                deletes || (follows && was_deleted),
                "letter {number} was deleted on the server"
            );
        }
        for number in &self.deleted {
            assert!(!here.contains_key(number), "letter {number} came back");
        }
    }
}

#[test]
fn no_history_loses_doubles_or_deletes_against_the_policy() {
    const POLICIES: [&[&str]; 3] = [
        &["--remove-when-deleted-locally"],
        &["--profile", "outlook-2016"],
        &[],
    ];
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    });
    let histories = (0_usize..3, proptest::collection::vec(happens(), 4..14));
    let held = runner.run(&histories, |(policy, history)| {
        let mut model = Model {
            bench: Bench::with([letter(1), letter(2), letter(3)]),
            settings: POLICIES[policy],
            arrived: 3,
            deleted: BTreeSet::new(),
            renames: 0,
            interrupted: false,
        };
        for happens in history {
            model.step(happens);
        }
        // At the end all messages are here that nobody deleted.
        model.step(Happens::Runs);
        let here: BTreeSet<usize> = model.here().into_keys().collect();
        let expected = (1..=model.arrived).filter(|number| !model.deleted.contains(number));
        assert_eq!(here, expected.collect());
        Ok(())
    });
    held.unwrap();
}
