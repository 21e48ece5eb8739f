//! The runs of a life: the person's orders, the story's lines, and the questions to the oracle.

use std::collections::BTreeSet;
use std::thread;

use popsync::sync::Allow;

use super::{Life, Remedy};
use crate::event::{Policy, Trouble};
use crate::judgement::{Judged, Kind, Violation, violation};
use crate::oracle::{Run, Sight};
use crate::program::{Announced, Ended, Orders};
use crate::server::{Poison, Quirk, Session};

impl Life<'_> {
    /// The trouble of the server, with the messages that it has now.
    fn quirk(&self, trouble: Trouble) -> Quirk {
        let items = self.server.maildrop().items.clone();
        let pick = |which: usize| Some(items[which.checked_rem(items.len())?].clone());
        match trouble {
            Trouble::None => Quirk::None,
            Trouble::Empty => Quirk::Empty,
            Trouble::Half => Quirk::Half,
            Trouble::Contradicts => Quirk::Contradicts,
            // The rest of a shorter one might be another message.
            Trouble::Cuts(which) => match pick(which) {
                Some(item) if item.raw.len() > 100 => Quirk::Cuts(item.uid),
                _ => Quirk::None,
            },
            Trouble::Unstuffed => Quirk::Unstuffed,
            Trouble::Breaks(which, poison) => {
                pick(which).map_or(Quirk::None, |item| Quirk::Breaks(item.uid, poison))
            }
            Trouble::KeepsAll => Quirk::KeepsAll,
        }
    }

    pub(super) fn syncs(&mut self, trouble: Trouble, mass_delete: bool) -> Result<u8, Violation> {
        let store_as_is = self.remedies()?;
        let quirk = self.quirk(trouble);
        let orders = self.orders(false, mass_delete, store_as_is, &quirk);
        let (ended, _) = self.run(&orders, &quirk)?;
        Ok(ended.exit.unwrap_or_default())
    }

    fn orders(&self, dry_run: bool, mass_delete: bool, store_as_is: bool, quirk: &Quirk) -> Orders {
        Orders {
            policy: self.policy,
            dry_run,
            allow: Allow {
                mass_delete,
                store_as_is,
            },
            impatient: matches!(quirk, Quirk::Breaks(_, Poison::Stalls)),
        }
    }

    /// A person's reaction to the last run's output. Returns true if `--accept-store` comes next.
    fn remedies(&mut self) -> Result<bool, Violation> {
        match std::mem::replace(&mut self.remedy, Remedy::None) {
            Remedy::None => Ok(false),
            Remedy::AcceptStore => Ok(true),
            Remedy::Rebuild => {
                let orders = self.orders(false, false, false, &Quirk::None);
                let (before, _) = self.watched(&Quirk::None);
                let failed = self.program.rebuild(self.runtime, &orders)?;
                self.tell(format!("import --from-store: {failed:?}"));
                let is_mbox = matches!(self.birth.store, crate::store::Kind::Mbox);
                self.oracle.rebuilt(&self.contents, is_mbox);
                let (after, sessions) = self.watched(&Quirk::None);
                self.judge(
                    Policy::Keep,
                    &Quirk::None,
                    None,
                    (&before, &after),
                    &sessions,
                )?;
                if failed.is_some() {
                    // The hint for an mbox advises this, too.
                    self.oracle.all_again();
                }
                Ok(failed.is_some())
            }
        }
    }

    /// The current state, and the sessions since the last call. The next sessions have this quirk.
    fn watched(&self, quirk: &Quirk) -> (Sight, Vec<Session>) {
        let sight = self.sight();
        let mut maildrop = self.server.maildrop();
        maildrop.quirk = quirk.clone();
        (sight, std::mem::take(&mut maildrop.sessions))
    }

    fn judge(
        &mut self,
        policy: Policy,
        quirk: &Quirk,
        exit: Option<u8>,
        (before, after): (&Sight, &Sight),
        sessions: &[Session],
    ) -> Judged {
        let run = Run {
            policy,
            quirk,
            exit,
            before,
            after,
            sessions,
        };
        self.oracle.judge(&run, &self.contents)
    }

    /// A run within this process. A process that another life starts at this moment shares the
    /// last run's lock until it is another program; then it is tried again.
    fn attempt(&self, orders: &Orders) -> Result<Ended, Violation> {
        let mut ended = self.program.sync(self.runtime, orders)?;
        // On a busy machine this takes a while.
        for _ in 0..5000 {
            if ended.exit != Some(75) || !ended.words.contains("another run is active") {
                break;
            }
            thread::yield_now();
            ended = self.program.sync(self.runtime, orders)?;
        }
        Ok(ended)
    }

    /// A sync within this process, told and judged.
    fn run(&mut self, orders: &Orders, quirk: &Quirk) -> Result<(Ended, Vec<Session>), Violation> {
        let (before, _) = self.watched(quirk);
        let ended = self.attempt(orders)?;
        let (after, sessions) = self.watched(&Quirk::None);
        self.tell_run("sync", orders, quirk, &ended, &sessions);
        self.remedy = match ended.exit {
            Some(74) => Remedy::Rebuild,
            Some(75) if sessions.is_empty() => Remedy::AcceptStore,
            _ => Remedy::None,
        };
        self.interrupted &= ended.exit.is_none_or(|exit| exit > 1);
        self.judge(self.policy, quirk, ended.exit, (&before, &after), &sessions)?;
        Ok((ended, sessions))
    }

    pub(super) fn killed(&mut self, step: u32, time: u32) -> Judged {
        let quirk = Quirk::None;
        let orders = self.orders(false, false, false, &quirk);
        let (before, _) = self.watched(&quirk);
        let ended = self.program.killed(&orders, step, time);
        let (after, sessions) = self.watched(&quirk);
        let what = format!("sync in a process, killed at step {step}:{time}");
        self.tell_run(&what, &orders, &quirk, &ended, &sessions);
        self.interrupted |= ended.exit.is_none();
        self.judge(
            self.policy,
            &quirk,
            ended.exit,
            (&before, &after),
            &sessions,
        )
    }

    fn tell_run(
        &mut self,
        what: &str,
        orders: &Orders,
        quirk: &Quirk,
        ended: &Ended,
        sessions: &[Session],
    ) {
        let of = |uids: fn(&Session) -> &Vec<String>| {
            let uids: Vec<&str> = sessions.iter().flat_map(uids).map(String::as_str).collect();
            uids.join(" ")
        };
        let allow = match (orders.allow.mass_delete, orders.allow.store_as_is) {
            (false, false) => "",
            (true, false) => ", --allow-mass-delete",
            (false, true) => ", --accept-store",
            (true, true) => ", --allow-mass-delete --accept-store",
        };
        let (retrieved, deleted) = (
            of(|session| &session.retrieved),
            of(|session| &session.deleted),
        );
        self.tell(format!(
            "{what} ({:?}{allow}, server: {quirk:?}): exit {:?}; RETR {retrieved}; DELE {deleted}; {}",
            orders.policy, ended.exit, ended.words
        ));
    }

    /// A dry run, and the sync that it announces.
    pub(super) fn rehearses(&mut self, trouble: Trouble, mass_delete: bool) -> Judged {
        let store_as_is = self.remedies()?;
        let quirk = self.quirk(trouble);
        // A dry run changes nothing, so it cannot see what a sync first repairs in an mbox.
        let is_mbox = matches!(self.birth.store, crate::store::Kind::Mbox);
        let is_put_right = self.interrupted && is_mbox;
        let orders = self.orders(true, mass_delete, store_as_is, &quirk);
        let (before, _) = self.watched(&quirk);
        let dry = self.attempt(&orders)?;
        let (after, sessions) = self.watched(&Quirk::None);
        self.tell_run("dry run", &orders, &quirk, &dry, &sessions);
        let uids = |sight: &Sight| sight.server.iter().map(|item| item.uid.clone()).collect();
        let (then, now): (Vec<String>, Vec<String>) = (uids(&before), uids(&after));
        if then != now || before.store != after.store {
            return violation(Kind::DryRunActs, "server or store changed");
        }
        let orders = Orders {
            dry_run: false,
            ..orders
        };
        let (ended, sessions) = self.run(&orders, &quirk)?;
        let stopped = |ended: &Ended| ended.exit.filter(|exit| *exit > 1);
        if stopped(&dry).is_some() || stopped(&ended).is_some() {
            if stopped(&dry) != stopped(&ended) {
                let exits = format!("exit {:?}, then {:?}", dry.exit, ended.exit);
                return violation(Kind::DryRunDiffers, exits);
            }
            return Ok(());
        }
        // Nothing can announce that the server shows another part of the mailbox in each session.
        let parts = sessions
            .iter()
            .filter_map(|session| session.listed.as_ref());
        let is_moving = quirk == Quirk::Half && parts.count() > 1;
        if is_moving || is_put_right {
            return Ok(());
        }
        // Nothing can announce that an answer will be empty, and be ignored; nor that a message
        // under a new unique-id will prove to be one that a person has deleted here.
        let is_unseen = |item: &&crate::server::Item| {
            let is_retrieved = |session: &Session| session.retrieved.contains(&item.uid);
            sessions.iter().any(is_retrieved) && self.oracle.is_copy_deleted(item.mail)
        };
        let servers = before.server.iter();
        let empty = servers.filter(|item| item.raw.is_empty() || is_unseen(item));
        let empty: BTreeSet<&String> = empty.map(|item| &item.uid).collect();
        agree(&dry.announced, &sessions, &empty)
    }

    /// At the end the server behaves, and a person gives all permissions.
    pub(crate) fn closes(&mut self) -> Judged {
        self.tell("in the end:");
        self.policy = Policy::Keep;
        let mut exit = 0;
        for round in 0..5 {
            exit = self.syncs(Trouble::None, true)?;
            // Each run reports an empty message.
            if exit == 0 && round > 0 || exit == 1 && round > 1 {
                break;
            }
        }
        if exit > 1 {
            return violation(Kind::StaysBroken, format!("exit {exit}"));
        }
        Ok(())
    }
}

/// Checks that a dry run announced what was done.
fn agree(announced: &Announced, sessions: &[Session], empty: &BTreeSet<&String>) -> Judged {
    let set = |uids: fn(&Session) -> &Vec<String>| -> BTreeSet<String> {
        sessions.iter().flat_map(uids).cloned().collect()
    };
    let (retrieved, deleted) = (
        set(|session| &session.retrieved),
        set(|session| &session.deleted),
    );
    let surely = deleted.difference(&announced.maybe_delete).cloned();
    if announced.retrieve != retrieved {
        let words = format!(
            "announces RETR {:?}, does {retrieved:?}",
            announced.retrieve
        );
        return violation(Kind::DryRunDiffers, words);
    }
    let believed = |uid: &String| !empty.contains(uid);
    let announced_deletes = announced.delete.iter().filter(|uid| believed(uid)).cloned();
    if surely.filter(believed).collect::<BTreeSet<_>>() != announced_deletes.collect() {
        let words = format!("announces DELE {:?}, does {deleted:?}", announced.delete);
        return violation(Kind::DryRunDiffers, words);
    }
    Ok(())
}
