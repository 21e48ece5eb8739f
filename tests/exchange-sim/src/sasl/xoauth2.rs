//! XOAUTH2, as Exchange Online has it, and Gmail's challenge before a refusal.

use super::{Context, Mechanism, Outcome};
use crate::clock::lock;
use crate::directory::Opened;

/// The state: whether the challenge of a refusal was sent.
#[derive(Default)]
pub(super) struct XOauth2 {
    refused: bool,
}

impl Mechanism for XOauth2 {
    fn step(&mut self, context: &Context<'_>, message: Option<&[u8]>) -> Outcome {
        let Some(message) = message else {
            return Outcome::Challenge(Vec::new());
        };
        if self.refused {
            return Outcome::Refuse;
        }
        if let Some(opened) = check(context, message) {
            return Outcome::Accept(opened);
        }
        match &context.knobs.xoauth2_challenge {
            Some(json) => {
                self.refused = true;
                Outcome::Challenge(json.clone().into_bytes())
            }
            None => Outcome::Refuse,
        }
    }
}

/// Checks `user=<name>^Aauth=Bearer <token>^A^A`. The user may be another one than the token's
/// owner, whose mailbox is then opened as a shared one.
fn check(context: &Context<'_>, message: &[u8]) -> Option<Opened> {
    let message = std::str::from_utf8(message).ok()?;
    let (name, rest) = message.strip_prefix("user=")?.split_once('\x01')?;
    let token = rest
        .strip_prefix("auth=Bearer ")?
        .strip_suffix("\x01\x01")?;
    let mut users = context.directory.users.iter();
    let owner = users.find(|user| lock(&user.token).as_deref() == Some(token))?;
    context.directory.open(owner, Some(name))
}
