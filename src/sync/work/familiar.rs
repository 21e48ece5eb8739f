//! A mailbox of which nothing is known, and a store that holds mail: perhaps the state was lost, or
//! another program fetched the mail there. A Maildir tells by the names of its files; of an mbox
//! the headers have to.

use super::Work;
use crate::account::{Account, StoreSettings};
use crate::cache::Cache;
use crate::maildrop::Maildrop;
use crate::session::Session;
use crate::store::names_by_tag;
use crate::sync::guarding::Guarding;
use crate::sync::shelf::Shelf;
use crate::sync::{Allow, Error, deletion, migration};

/// Refuses to begin anew in a Maildir whose messages are those of this mailbox: the state was
/// lost, or knows the account by another name, and every message would come twice.
pub(in crate::sync) fn doubt_maildir(
    cache: Option<&Cache>,
    account: &Account,
) -> Result<(), Error> {
    let Some(path) = account.store.maildir() else {
        return Ok(());
    };
    let others = match cache {
        Some(cache) if !cache.is_blank(&account.identity)? => return Ok(()),
        Some(cache) => cache.tags_of_other_mailboxes(&account.identity)?,
        None => Default::default(),
    };
    let ours = names_by_tag(path).into_iter();
    let messages = ours
        .filter(|(tag, _)| !others.contains(tag))
        .map(|(_, names)| names.len())
        .sum();
    if messages == 0 {
        return Ok(());
    }
    let path = path.to_owned();
    Err(Error::StateLost { messages, path })
}

/// What is in an mbox to which nothing was ever appended for this account; nothing where a person
/// says that it will do.
pub(super) fn shelf(
    cache: &Cache,
    account: &Account,
    allow: Allow,
) -> Result<Option<Shelf>, Error> {
    let is_mbox = matches!(account.store, StoreSettings::Mbox { .. });
    if !is_mbox || allow.store_as_is || !cache.is_blank(&account.identity)? {
        return Ok(None);
    }
    let shelf = Shelf::read(&account.store)?;
    Ok((!shelf.is_empty()).then_some(shelf))
}

impl Work<'_> {
    /// Still step 3: refuses to store what is there, by its header. The account stays one of which
    /// nothing is known until then.
    pub(super) async fn doubt_mbox(
        &mut self,
        mut session: Session,
        maildrop: &Maildrop,
    ) -> Result<Session, Error> {
        let Some(mut shelf) = self.shelf.take() else {
            return Ok(session);
        };
        let places: Vec<usize> = (0..maildrop.len()).collect();
        let looking = migration::headers(&mut session, maildrop, &places);
        let headers = self.stop.clone().unless_stopped(looking).await??;
        let found = headers
            .iter()
            .flatten()
            .filter(|header| shelf.take(&header.sha256).is_some());
        let messages = found.count();
        if let (1.., StoreSettings::Mbox { path, .. }) = (messages, &self.request.account.store) {
            deletion::leave(session).await;
            let path = path.clone();
            return Err(Error::Familiar { messages, path });
        }
        let (account, mut guarding) = (self.row.id, self.guarding.clone());
        self.guarding = self
            .with_cache(move |cache| {
                guarding.remember_state(cache, account)?;
                Ok::<Guarding, _>(guarding)
            })
            .await?;
        Ok(session)
    }
}
