//! One life: events happen to a server, a store and a state. The program's actions are in `runs`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::Runtime;

mod runs;

use crate::event::{Birth, Event, Other, Policy};
use crate::judgement::Judged;
use crate::knowledge::Knowledge;
use crate::mail::{Contents, Random};
use crate::oracle::{Oracle, Sight, name};
use crate::program::Program;
use crate::server::{Item, Server};
use crate::store::{self, Backup, Store};

/// A person's reaction to a run that stopped before it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    None,
    /// `import --from-store`, after a state was lost.
    Rebuild,
    /// `--accept-store`, after the store was found replaced.
    AcceptStore,
}

/// A person's backup.
struct Kept {
    store: Backup,
    state: Backup,
    knowledge: Knowledge,
    /// The number of times that the mbox had been written anew.
    rewrites: u32,
}

pub(crate) struct Life<'a> {
    runtime: &'a Runtime,
    birth: Birth,
    program: Program,
    server: Server,
    store: Store,
    contents: Contents,
    oracle: Oracle,
    policy: Policy,
    remedy: Remedy,
    /// A run was killed, and none has come to its end since. "One whose file is nowhere is
    /// retrieved again while the server has it" (design): until then nobody can tell a message
    /// that a person deletes or renames from one that was not shown yet, so nobody touches any.
    interrupted: bool,
    kept: Vec<Kept>,
    rewrites: u32,
    /// The messages that another client moved out of the maildrop.
    out: Vec<Item>,
    uids: u32,
    /// The events, one line each.
    pub(crate) story: Vec<String>,
    // Dropped last.
    _home: TempDir,
}

impl<'a> Life<'a> {
    pub(crate) fn begin(birth: Birth, runtime: &'a Runtime, slot: usize) -> Self {
        // A killed process leaves the same behind in memory.
        let memory = Path::new("/dev/shm");
        let home = if memory.is_dir() {
            TempDir::new_in(memory)
        } else {
            TempDir::new()
        };
        let home = home.unwrap();
        let server = Server::start(birth.manner);
        let store = Store::new(birth.store, home.path());
        Self {
            runtime,
            birth,
            program: Program::new(home.path(), server.port, &store, birth.shares, slot),
            server,
            store,
            contents: Contents::default(),
            oracle: Oracle::new(birth.manner),
            policy: birth.policy,
            remedy: Remedy::None,
            interrupted: false,
            kept: Vec::new(),
            rewrites: 0,
            out: Vec::new(),
            uids: 0,
            story: vec![format!("{birth:?}")],
            _home: home,
        }
    }

    fn tell(&mut self, line: impl Into<String>) {
        self.story.push(line.into());
    }

    fn sight(&self) -> Sight {
        let mut sight = Sight {
            server: self.server.maildrop().items.clone(),
            ..Sight::default()
        };
        for message in self.store.messages() {
            if let Some(mail) = self.contents.identify(&message.octets) {
                *sight.store.entry(mail).or_default() += 1;
            }
        }
        sight
    }

    fn uid(&mut self) -> String {
        self.uids += 1;
        format!("u{}", self.uids)
    }

    fn put(&mut self, uid: String, mail: usize) {
        let raw = self.contents.get(mail).raw.clone();
        self.server.maildrop().items.push(Item { uid, mail, raw });
    }

    pub(crate) fn happens(&mut self, event: Event) -> Judged {
        match event {
            Event::Arrives { count, seed } => {
                let random = &mut Random::new(seed);
                for _ in 0..count {
                    let mail = self.contents.arrival(random);
                    let uid = self.uid();
                    self.tell(format!("arrives: {} as {uid}", name(&self.contents, mail)));
                    self.put(uid, mail);
                }
            }
            Event::Syncs {
                trouble,
                mass_delete,
            } => {
                self.syncs(trouble, mass_delete)?;
            }
            Event::Rehearses {
                trouble,
                mass_delete,
            } => self.rehearses(trouble, mass_delete)?,
            Event::Killed { step, time } => self.killed(step, time)?,
            Event::Policy(policy) => {
                self.tell(format!("policy: {policy:?}"));
                self.policy = policy;
            }
            Event::Days(days) => {
                self.tell(format!("{days} days pass"));
                self.program.pass(days);
            }
            // An mbox has no folders.
            Event::Files { .. } if self.store.kind == store::Kind::Mbox => {}
            Event::Deletes { .. } | Event::Files { .. } | Event::Flags { .. } => self.touch(event),
            Event::BacksUp | Event::RestoresStore { .. } if self.interrupted => {}
            Event::RestoresState { .. } | Event::LosesState if self.interrupted => {}
            Event::BacksUp => {
                self.tell(format!(
                    "state and store are backed up as {}",
                    self.kept.len()
                ));
                self.kept.push(Kept {
                    store: Backup::of(&self.store.root),
                    state: Backup::of(&self.program.state),
                    knowledge: self.oracle.knowledge(),
                    rewrites: self.rewrites,
                });
            }
            Event::RestoresStore { which, in_place } => self.restores_store(which, in_place),
            Event::RestoresState { which } => self.restores_state(which),
            Event::LosesState => {
                // Without TOP no stored message is ever recognised; the manual advises another
                // folder.
                if self.birth.manner.top && self.program.state.is_dir() {
                    self.tell("the state is lost");
                    fs::remove_dir_all(&self.program.state).unwrap();
                    let sight = self.sight();
                    self.oracle.state_lost(&sight, &self.contents);
                }
            }
            Event::Renames { every } => {
                let count = self.server.maildrop().items.len();
                for place in (0..count).step_by(every) {
                    let uid = self.uid();
                    let old = std::mem::replace(
                        &mut self.server.maildrop().items[place].uid,
                        uid.clone(),
                    );
                    self.tell(format!("renamed: {old} is {uid} now"));
                }
            }
            Event::Reuses {
                which,
                every,
                other,
                seed,
            } => self.reuses(which, every, other, seed),
            Event::MovesOut { which, count } => {
                for _ in 0..count {
                    let items = self.server.maildrop().items.len();
                    if let Some(place) = which.checked_rem(items) {
                        let item = self.server.maildrop().items.remove(place);
                        self.tell(format!("another client takes {} away", item.uid));
                        self.out.push(item);
                    }
                }
            }
            Event::MovesBack { new_ids } => {
                for mut item in std::mem::take(&mut self.out) {
                    let old = item.uid.clone();
                    let taken = |uid: &str| {
                        let maildrop = self.server.maildrop();
                        maildrop.items.iter().any(|item| item.uid == uid)
                    };
                    if new_ids || taken(&old) {
                        item.uid = self.uid();
                    }
                    self.tell(format!("another client puts {old} back as {}", item.uid));
                    self.server.maildrop().items.push(item);
                }
            }
        }
        Ok(())
    }

    /// A person touches messages of the store.
    fn touch(&mut self, event: Event) {
        let (Event::Deletes { which, .. } | Event::Files { which, .. } | Event::Flags { which }) =
            event
        else {
            return;
        };
        let count = if let Event::Deletes { count, .. } = event {
            count
        } else {
            1
        };
        for _ in 0..count {
            let messages = self.store.messages();
            let Some(place) = which.checked_rem(messages.len()) else {
                return;
            };
            if self.interrupted {
                return;
            }
            let message = &messages[place];
            let mail = self.contents.identify(&message.octets);
            let what = mail.map_or_else(
                || format!("a stump of {} B", message.octets.len()),
                |mail| name(&self.contents, mail),
            );
            self.rewrites += 1;
            match event {
                Event::Files { how, .. } => {
                    self.store.file(message, how);
                    if let (Some(mail), store::Filed::Rewritten) = (mail, how) {
                        self.oracle.rewritten(mail);
                    }
                    self.tell(format!("a person files {what}: {how:?}"));
                }
                Event::Flags { .. } => {
                    self.store.flag(message);
                    self.tell(format!("a person reads {what}"));
                }
                _ => {
                    self.store.delete(message);
                    self.tell(format!("a person deletes {what} here"));
                    if let Some(mail) = mail {
                        let left = self.sight().stored(mail);
                        self.oracle.deleted(mail, left);
                    }
                }
            }
        }
    }

    fn restores_store(&mut self, which: usize, in_place: bool) {
        let Some(number) = which.checked_rem(self.kept.len()) else {
            return;
        };
        let before = self.sight();
        let kept = &self.kept[number];
        if in_place {
            kept.store.restore_in_place(&self.store.root);
        } else {
            kept.store.restore_anew(&self.store.root);
            self.oracle.store_replaced(&self.contents);
        }
        let is_rewritten = kept.rewrites < self.rewrites;
        let after = self.sight();
        if self.store.kind == store::Kind::Mbox && is_rewritten {
            self.oracle.rewritten_mbox_restored(&before, &after);
        }
        self.oracle.look(&after);
        let how = if in_place {
            "in place"
        } else {
            "as a new folder"
        };
        self.tell(format!("the store is restored from {number}, {how}"));
    }

    fn restores_state(&mut self, which: usize) {
        let Some(number) = which.checked_rem(self.kept.len()) else {
            return;
        };
        let kept = &self.kept[number];
        if kept.knowledge.is_blank() && !self.birth.manner.top {
            return;
        }
        kept.state.restore_in_place(&self.program.state);
        let knowledge = kept.knowledge.clone();
        self.oracle.state_restored(knowledge);
        self.tell(format!("the state is restored from {number}"));
    }

    fn reuses(&mut self, which: usize, every: usize, other: Other, seed: u64) {
        let random = &mut Random::new(seed);
        let count = self.server.maildrop().items.len();
        let Some(first) = which.checked_rem(count) else {
            return;
        };
        for place in (first..count).step_by(every) {
            let item = self.server.maildrop().items[place].clone();
            let mail = match other {
                Other::Any => self.contents.other(random),
                Other::SameSize => self.contents.same_size(item.mail),
                Other::SameHeader => self.contents.twin(item.mail, random),
            };
            self.tell(format!(
                "{} was {}, and is {} now",
                item.uid,
                name(&self.contents, item.mail),
                name(&self.contents, mail)
            ));
            let raw = self.contents.get(mail).raw.clone();
            let uid = item.uid;
            self.server.maildrop().items[place] = Item { uid, mail, raw };
        }
    }
}
