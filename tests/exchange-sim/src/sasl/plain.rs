//! PLAIN (RFC 4616).

use super::{Context, Mechanism, Outcome};
use crate::clock::lock;

pub(super) struct Plain;

impl Mechanism for Plain {
    fn step(&mut self, context: &Context<'_>, message: Option<&[u8]>) -> Outcome {
        let Some(message) = message else {
            return Outcome::Challenge(Vec::new());
        };
        let parts: Vec<&[u8]> = message.split(|octet| *octet == 0).collect();
        let [authzid, authcid, password] = parts.as_slice() else {
            return Outcome::Refuse;
        };
        let (authzid, authcid) = (
            String::from_utf8_lossy(authzid),
            String::from_utf8_lossy(authcid),
        );
        // The login may name the mailbox as in USER, or by the authorization identity.
        let opened = if authzid.is_empty() {
            context.directory.log_in(&authcid, password)
        } else {
            let user = context.directory.user(&authcid);
            user.filter(|user| *lock(&user.password) == *password)
                .and_then(|user| context.directory.open(user, Some(&authzid)))
        };
        opened.map_or(Outcome::Refuse, Outcome::Accept)
    }
}
