//! The proof that client and server are in step: STAT, sent alone, has the same answer as before.
//!
//! Replies come in order. So if a server does not stuff dots, the rest of a message comes before
//! STAT's answer; and a sender who forges replies in a message does not know the mailbox.

use crate::maildrop::{self, Maildrop};
use crate::session::{self, Listing, Session};

/// Asks whether client and server are in step.
///
/// A sender who has sent most of the messages can guess their number, but hardly their octets. If
/// the octets changed because the server estimates them (`XPOP3:N5`), UIDL decides, since no sender
/// knows a unique-id.
///
/// # Errors
/// Those of the connection.
pub(super) async fn are_in_step(
    session: &mut Session,
    maildrop: &Maildrop,
) -> Result<bool, session::Error> {
    let mut now = None;
    session
        .stat(|listing| {
            if let Listing::Drop(listing) = listing {
                now = Some(listing);
            }
        })
        .await?;
    let (Some(now), Some(before)) = (now, maildrop.stat()) else {
        return Ok(false);
    };
    if now.messages != before.messages {
        return Ok(false);
    }
    let is_same = now.octets.is_some() && now.octets == before.octets;
    Ok(is_same || lists_the_same(session, maildrop).await?)
}

/// Asks UIDL once more. Returns true if the listing is the same as before.
async fn lists_the_same(
    session: &mut Session,
    maildrop: &Maildrop,
) -> Result<bool, session::Error> {
    let mut builder = maildrop::Builder::default();
    session
        .uidl(|listing| {
            if let Listing::UniqueId(line) = listing {
                builder.unique_id_listing(line);
            }
        })
        .await?;
    let now = builder.finish();
    let names = now
        .iter()
        .map(|message| (message.number, message.unique_id));
    let before = maildrop.iter();
    let is_same = names.eq(before.map(|message| (message.number, message.unique_id)));
    Ok(is_same && now.contradictions().is_empty())
}
