//! The promises, worked out from the contents of the server and the store, and from the actions of
//! people and other clients. It knows nothing of the program's state or reasons.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Policy;
use crate::judgement::{Judged, Kind, violation};
use crate::knowledge::Knowledge;
use crate::mail::{Contents, Mail};
use crate::server::{Item, Manner, Quirk, Session};

/// With more messages than this, not all of them may come in one run from a server that breaks at
/// many.
const MANY_FOR_ONE_RUN: usize = 20;

/// The server and the store at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    pub(crate) server: Vec<Item>,
    /// The number of copies of each content in the store.
    pub(crate) store: BTreeMap<usize, usize>,
}

impl Sight {
    pub(crate) fn stored(&self, mail: usize) -> usize {
        self.store.get(&mail).copied().unwrap_or(0)
    }

    fn has(&self, mail: usize) -> bool {
        self.stored(mail) > 0 || self.server.iter().any(|item| item.mail == mail)
    }
}

/// One run of the program, seen from outside.
pub(crate) struct Run<'a> {
    pub(crate) policy: Policy,
    pub(crate) quirk: &'a Quirk,
    /// None if it was killed.
    pub(crate) exit: Option<u8>,
    pub(crate) before: &'a Sight,
    pub(crate) after: &'a Sight,
    pub(crate) sessions: &'a [Session],
}

/// The facts about one content.
#[derive(Debug, Clone, Default)]
struct Fact {
    /// It was in the store, whole.
    ever_stored: bool,
    /// The largest number of copies that the server had at once, under as many unique-ids.
    most_on_server: usize,
    /// The largest number of copies that the store had.
    most_stored: usize,
    /// Further copies that the documentation allows.
    allowed: usize,
    /// True if a person deleted a copy here.
    copy_deleted: bool,
    /// True if a program wrote a copy anew.
    rewritten: bool,
    /// True if a person deleted the last copy here, and nothing restored it.
    deleted_here: bool,
    /// True if the server accepted its deletion, and did not carry it out.
    deletion_accepted: bool,
    /// The number of runs in which the server spoilt it in the same way.
    spoilt: usize,
}

#[derive(Debug)]
pub(crate) struct Oracle {
    manner: Manner,
    facts: Vec<Fact>,
    knowledge: Knowledge,
}

impl Oracle {
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            manner,
            facts: Vec::new(),
            knowledge: Knowledge::default(),
        }
    }

    fn fact(&mut self, mail: usize) -> &mut Fact {
        if self.facts.len() <= mail {
            self.facts.resize_with(mail + 1, Fact::default);
        }
        &mut self.facts[mail]
    }

    /// Records the current state.
    pub(crate) fn look(&mut self, sight: &Sight) {
        let mut on_server: BTreeMap<usize, usize> = BTreeMap::new();
        for item in &sight.server {
            *on_server.entry(item.mail).or_default() += 1;
        }
        for (mail, count) in on_server {
            let fact = self.fact(mail);
            fact.most_on_server = fact.most_on_server.max(count);
        }
        for (&mail, &count) in &sight.store {
            let fact = self.fact(mail);
            fact.ever_stored = true;
            fact.deleted_here = false;
            fact.most_stored = fact.most_stored.max(count);
        }
    }

    /// A person deleted a copy; this many are left.
    pub(crate) fn deleted(&mut self, mail: usize, left: usize) {
        let fact = self.fact(mail);
        fact.copy_deleted = true;
        fact.deleted_here = left == 0;
    }

    /// True if a person deleted a copy of it here.
    pub(crate) fn is_copy_deleted(&self, mail: usize) -> bool {
        self.facts.get(mail).is_some_and(|fact| fact.copy_deleted)
    }

    /// A person filed a copy with a program that wrote it anew.
    pub(crate) fn rewritten(&mut self, mail: usize) {
        self.fact(mail).rewritten = true;
    }

    /// "For an mbox: the tail that is missing at a message border together with everything after it
    /// is lost, unless a program rewrote the file" (issue 11). If one did, restoring an older mbox
    /// looks as if a person had deleted the messages that it lacks.
    pub(crate) fn rewritten_mbox_restored(&mut self, before: &Sight, after: &Sight) {
        for &mail in before.store.keys() {
            if after.stored(mail) < before.stored(mail) {
                self.deleted(mail, after.stored(mail));
            }
        }
    }

    /// The knowledge in a backup of the state.
    pub(crate) fn knowledge(&self) -> Knowledge {
        let mut knowledge = self.knowledge.clone();
        knowledge.stored = self.facts.iter().map(|fact| fact.most_stored).collect();
        knowledge
    }

    /// An older state was restored. "Back up the state folder first and the Maildir second. If a
    /// run comes in between, restoring both may download its messages twice, but leaves none out"
    /// (README): messages stored after that backup may come once more.
    pub(crate) fn state_restored(&mut self, knowledge: Knowledge) {
        for (mail, fact) in self.facts.iter_mut().enumerate() {
            let then = knowledge.stored.get(mail).copied().unwrap_or(0);
            fact.allowed += fact.most_stored - then;
        }
        self.knowledge = knowledge;
    }

    /// The state is gone. "The messages of an mbox are recognised by their headers" (README): one
    /// without any header may come once more, and so may one that is not on the server, because
    /// there is nothing to compare it with.
    pub(crate) fn state_lost(&mut self, sight: &Sight, contents: &Contents) {
        self.knowledge = Knowledge::default();
        for (mail, fact) in self.facts.iter_mut().enumerate() {
            if contents.get(mail).header().is_empty() || !sight.has(mail) {
                fact.allowed += fact.most_stored;
            }
        }
    }

    /// `import --from-store` "recognises the stored messages by their headers" (README): if several
    /// have one header, or the sent form cannot be restored from a file, one may come once more. In
    /// an mbox only headers are compared, and only unique-ids are recorded: a message that the
    /// server renames later comes once more.
    pub(crate) fn rebuilt(&mut self, contents: &Contents, is_mbox: bool) {
        self.knowledge.by_header = true;
        self.knowledge.is_mbox = is_mbox;
        let headers: Vec<&[u8]> = contents.all().iter().map(Mail::header).collect();
        for (mail, fact) in self.facts.iter_mut().enumerate() {
            let own = contents.get(mail);
            let same = headers.iter().filter(|header| **header == own.header());
            if same.count() > 1 || own.has_bare_line_ends() || is_mbox || fact.rewritten {
                fact.allowed += fact.most_stored;
            }
            fact.ever_stored |= (is_mbox || own.has_bare_line_ends()) && fact.spoilt > 0;
        }
    }

    /// Another folder replaced the store, and the messages that it lacks are lost. A message
    /// without a header that a program wrote anew equals no other there, and may come once more.
    pub(crate) fn store_replaced(&mut self, contents: &Contents) {
        for (mail, fact) in self.facts.iter_mut().enumerate() {
            if contents.get(mail).header().is_empty() {
                fact.allowed += fact.most_stored;
            }
        }
    }

    /// "To get all of them again, name another file, or give `--accept-store` once" (the hint
    /// where a state was lost beside an mbox): a person said so.
    pub(crate) fn all_again(&mut self) {
        for fact in &mut self.facts {
            fact.allowed += fact.most_stored;
        }
    }

    /// "Equal headers say 'probably': enough not to download again where the sizes agree" (issue
    /// 11).
    fn is_probably_stored(&self, item: &Item, contents: &Contents) -> bool {
        let size = |raw: &[u8]| self.manner.listed(raw);
        let mail = contents.get(item.mail);
        let mut others = contents.all().iter().enumerate();
        others.any(|(number, other)| {
            number != item.mail
                && self.facts.get(number).is_some_and(|fact| fact.ever_stored)
                && other.header() == mail.header()
                && (size(&other.raw) == size(&mail.raw)
                    // An estimated size cannot be compared with that of a file.
                    || self.knowledge.by_header
                        && (self.knowledge.is_mbox
                            || !self.manner.exact
                            || other.has_bare_line_ends()))
        })
    }

    /// Judges a run, and learns from it.
    pub(crate) fn judge(&mut self, run: &Run<'_>, contents: &Contents) -> Judged {
        self.look(run.before);
        let mut unnoticed = BTreeSet::new();
        // The contents of these unique-ids: nobody can know that they lost their names, so one more
        // of it is a second message.
        let mut nameless = BTreeSet::new();
        for session in run.sessions {
            let listed = session.listed.iter().flatten();
            let swapped = listed.filter(|item| {
                let known = &self.knowledge;
                let other = known.taken_for(item, session, self.manner, contents);
                // A killed run may have left the other to this one.
                let is_unnoticed = other.is_some_and(|other| {
                    self.facts[other].ever_stored || run.after.stored(other) > 0
                });
                nameless.extend(other.filter(|_| is_unnoticed));
                is_unnoticed
            });
            unnoticed.extend(swapped.map(|item| item.uid.clone()));
        }
        self.note_spoilt(run, contents);
        self.nothing_is_lost(run, contents, &unnoticed)?;
        self.nothing_is_twice(run, contents, &nameless)?;
        self.policy_is_kept(run, contents)?;
        self.look(run.after);
        self.all_is_stored(run, contents, &unnoticed)?;
        for session in run.sessions {
            if run.exit.is_some_and(|exit| exit <= 1) {
                let is_unsized = *run.quirk == Quirk::Contradicts;
                self.knowledge
                    .learn(session, &unnoticed, self.manner, contents, is_unsized);
            } else {
                self.knowledge.learn_retrieved(session);
            }
        }
        for item in &run.after.server {
            let mut sessions = run.sessions.iter();
            if *run.quirk == Quirk::KeepsAll && sessions.any(|it| it.deleted.contains(&item.uid)) {
                self.fact(item.mail).deletion_accepted = true;
            }
        }
        Ok(())
    }

    /// "The same octets twice settle it" (issue 11): a message that a server spoils in the same way
    /// in two runs counts as whole; also in two sessions, if its sizes prove nothing.
    fn note_spoilt(&mut self, run: &Run<'_>, contents: &Contents) {
        let retrieved = run.sessions.iter().flat_map(|session| &session.retrieved);
        let retrieved: BTreeSet<&String> = retrieved.collect();
        for item in run
            .before
            .server
            .iter()
            .filter(|item| retrieved.contains(&item.uid))
        {
            let is_spoilt = match run.quirk {
                Quirk::Cuts(uid) => *uid == item.uid,
                Quirk::Unstuffed => contents.get(item.mail).has_dots(),
                _ => false,
            };
            let sessions = run.sessions.iter();
            let times = match self.manner.exact {
                true => 1,
                false => sessions
                    .filter(|it| it.retrieved.contains(&item.uid))
                    .count(),
            };
            let fact = self.fact(item.mail);
            fact.spoilt += if is_spoilt { times } else { 0 };
            fact.ever_stored |= fact.spoilt > 1;
        }
    }

    fn nothing_is_lost(
        &self,
        run: &Run<'_>,
        contents: &Contents,
        unnoticed: &BTreeSet<String>,
    ) -> Judged {
        for (&mail, &count) in &run.before.store {
            // In an mbox, a part of a message left by a killed run looks like a shorter message
            // with the same header. The next run completes it.
            let header = contents.get(mail).header();
            let has_grown = run.after.store.iter().any(|(&other, &now)| {
                other != mail
                    && now > run.before.stored(other)
                    && contents.get(other).header() == header
                    && contents.get(other).raw.starts_with(&contents.get(mail).raw)
            });
            if run.after.stored(mail) + usize::from(has_grown) < count {
                return violation(
                    Kind::TakenFromStore,
                    format!("{} was in the store", name(contents, mail)),
                );
            }
        }
        for item in &run.before.server {
            let fact = &self.facts[item.mail];
            // Deletions "are 'done' when the next UIDL no longer shows them; until then they are
            // asked again" (design).
            let follows = run.policy == Policy::WhenDeletedHere || fact.deletion_accepted;
            let is_meant = follows && fact.deleted_here || fact.spoilt > 1;
            if !run.after.has(item.mail) && !is_meant && !unnoticed.contains(&item.uid) {
                let (kind, how) = match (fact.ever_stored, fact.deleted_here) {
                    (false, _) => (Kind::Lost, "it was never stored"),
                    (true, true) => (Kind::LostAfterDeletion, "a person deleted the copy here"),
                    (true, false) => (Kind::Lost, "its copy was lost with a restored store"),
                };
                let what = name(contents, item.mail);
                let words = format!("{what} ({}) was deleted on the server; {how}", item.uid);
                return violation(kind, words);
            }
        }
        Ok(())
    }

    fn nothing_is_twice(
        &self,
        run: &Run<'_>,
        contents: &Contents,
        nameless: &BTreeSet<usize>,
    ) -> Judged {
        for (&mail, &count) in &run.after.store {
            let fact = &self.facts[mail];
            let allowed = fact.allowed + usize::from(nameless.contains(&mail));
            if count > run.before.stored(mail) && count > fact.most_on_server.max(1) + allowed {
                return violation(
                    Kind::StoredTwice,
                    format!("{} is in the store {count} times", name(contents, mail)),
                );
            }
        }
        Ok(())
    }

    fn policy_is_kept(&self, run: &Run<'_>, contents: &Contents) -> Judged {
        for uid in run.sessions.iter().flat_map(|session| &session.deleted) {
            let Some(item) = run.before.server.iter().find(|item| item.uid == *uid) else {
                continue;
            };
            let is_wrong = match run.policy {
                Policy::Keep => true,
                Policy::AtOnce | Policy::AfterDays(_) => false,
                Policy::WhenDeletedHere => !self.facts[item.mail].copy_deleted,
            };
            if is_wrong {
                return violation(
                    Kind::AgainstPolicy,
                    format!("DELE of {} ({uid})", name(contents, item.mail)),
                );
            }
        }
        Ok(())
    }

    fn all_is_stored(
        &self,
        run: &Run<'_>,
        contents: &Contents,
        unnoticed: &BTreeSet<String>,
    ) -> Judged {
        let ended = run.exit.is_some_and(|exit| exit <= 1);
        let asked = |uid| run.sessions.iter().any(|it| it.retrieved.contains(uid));
        let breaks = matches!(run.quirk, Quirk::Breaks(uid, _) if asked(uid));
        // True if it could reach the server at all.
        let listed = run.sessions.iter().any(|session| session.listed.is_some());
        if *run.quirk == Quirk::Contradicts || !listed || !(ended || breaks) {
            return Ok(());
        }
        // The rest of a message with unstuffed dots comes in the answer to the next one. So the
        // next one may be to blame as well; it gets its turn in a later run.
        // It breaks at each message with dots, and a run has a limited number of sessions.
        let listed = run.sessions.iter().filter_map(|it| it.listed.as_ref());
        let listed_many = listed.map(Vec::len).max() > Some(MANY_FOR_ONE_RUN);
        let behind_dots: BTreeSet<&String> = run
            .sessions
            .iter()
            .filter_map(|session| session.listed.as_deref())
            .flat_map(|listed| listed.windows(2))
            .filter(|pair| contents.get(pair[0].mail).has_dots())
            .map(|pair| &pair[1].uid)
            .collect();
        for item in run
            .sessions
            .iter()
            .flat_map(|session| session.listed.iter().flatten())
        {
            let mail = contents.get(item.mail);
            let in_trouble = match run.quirk {
                Quirk::Cuts(uid) | Quirk::Breaks(uid, _) => *uid == item.uid,
                Quirk::Unstuffed => {
                    let is_behind = behind_dots.contains(&item.uid) || listed_many;
                    mail.has_dots() || run.exit == Some(1) && is_behind
                }
                _ => false,
            };
            // The run reports that it is no longer listed, and ends with 1.
            let has_gone = run.exit == Some(1)
                && run
                    .sessions
                    .iter()
                    .rev()
                    .find_map(|it| it.listed.as_ref())
                    .is_some_and(|listed| !listed.iter().any(|last| last.uid == item.uid));
            // "The server sent an empty message; it stays there and is asked for again": the run
            // reports it, and ends with 1. It has nothing to lose.
            if !in_trouble
                && !has_gone
                && !mail.raw.is_empty()
                && !self.facts[item.mail].ever_stored
                && !unnoticed.contains(&item.uid)
                && !self.is_probably_stored(item, contents)
            {
                let words = format!("{} ({})", name(contents, item.mail), item.uid);
                return if breaks {
                    violation(Kind::OneStopsOthers, words)
                } else {
                    violation(Kind::NeverStored, words)
                };
            }
        }
        Ok(())
    }
}

/// The name of a content.
pub(crate) fn name(contents: &Contents, mail: usize) -> String {
    let content = contents.get(mail);
    format!("#{mail} [{}, {} B]", content.what, content.raw.len())
}

/// A run over one message that a server of exact sizes holds as `u1` before it.
fn judged(policy: Policy, exit: u8, on_server_after: bool, stored: (usize, usize)) -> Option<Kind> {
    let mut contents = Contents::default();
    let mail = contents.other(&mut crate::mail::Random::new(1));
    let raw = contents.get(mail).raw.clone();
    let uid = "u1".to_owned();
    let items = vec![Item { uid, mail, raw }];
    let sight = |count: usize, server: &[Item]| Sight {
        server: server.to_vec(),
        store: (count > 0).then_some((mail, count)).into_iter().collect(),
    };
    let after: &[Item] = if on_server_after { &items } else { &[] };
    let session = Session {
        listed: Some(items.clone()),
        ..Session::default()
    };
    let mut oracle = Oracle::new(Manner {
        pipelining: false,
        top: true,
        exact: true,
    });
    let run = Run {
        policy,
        quirk: &Quirk::None,
        exit: Some(exit),
        before: &sight(stored.0, &items),
        after: &sight(stored.1, after),
        sessions: &[session],
    };
    let judged = oracle.judge(&run, &contents);
    judged.err().map(|violation| violation.kind)
}

#[test]
fn the_oracle_sees_what_is_lost_doubled_and_left_out() {
    let at_once = |exit, on_server, stored| judged(Policy::AtOnce, exit, on_server, stored);
    assert_eq!(at_once(0, false, (0, 1)), None);
    assert_eq!(at_once(0, false, (0, 0)), Some(Kind::Lost));
    assert_eq!(at_once(0, true, (1, 0)), Some(Kind::TakenFromStore));
    assert_eq!(at_once(0, true, (1, 2)), Some(Kind::StoredTwice));
    assert_eq!(at_once(0, true, (0, 0)), Some(Kind::NeverStored));
    assert_eq!(at_once(75, true, (0, 0)), None);
}
