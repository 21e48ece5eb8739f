//! A fake mechanism in GSSAPI's clothes: the dialogue of RFC 4752 §3.1 without Kerberos.
//!
//! The client's token is `FAKE-CTX:<name>` for a user `<name>` (or `name@REALM`), the server's is
//! `OK`; the layers are exchanged unwrapped. It is not public if Exchange itself performs the layer
//! step: the knob `gss_skip_layer` leaves it out.

use super::{Context, Mechanism, Outcome};

/// Where the exchange is.
#[derive(Default)]
pub(super) enum Gssapi {
    /// No token yet.
    #[default]
    Start,
    /// The context is complete; the client's empty line is due.
    Complete(String),
    /// The layers were offered.
    Layers(String),
    Over,
}

impl Mechanism for Gssapi {
    fn step(&mut self, context: &Context<'_>, message: Option<&[u8]>) -> Outcome {
        let message = message.unwrap_or_default();
        match std::mem::replace(self, Self::Over) {
            Self::Start if message.is_empty() => {
                *self = Self::Start;
                Outcome::Challenge(Vec::new())
            }
            Self::Start => {
                let name = std::str::from_utf8(message).unwrap_or_default();
                let Some(name) = name.strip_prefix("FAKE-CTX:") else {
                    return Outcome::Refuse;
                };
                if context.knobs.gss_skip_layer {
                    return open(context, name, "");
                }
                *self = Self::Complete(name.to_owned());
                Outcome::Challenge(b"OK".to_vec())
            }
            Self::Complete(name) if message.is_empty() => {
                *self = Self::Layers(name);
                Outcome::Challenge(context.knobs.gss_layers.to_vec())
            }
            Self::Layers(name) => match message {
                // One layer, of those that were offered. Without a layer the size is 0
                // (RFC 4752 §3.1).
                [layer, size @ ..] if size.len() >= 3 => {
                    let offered = context.knobs.gss_layers[0];
                    let one = layer.count_ones() == 1 && layer & offered != 0;
                    let no_layer_no_size = *layer != 1 || size[..3] == [0; 3];
                    if !one || !no_layer_no_size {
                        return Outcome::Refuse;
                    }
                    let authzid = String::from_utf8_lossy(&size[3..]).into_owned();
                    open(context, &name, &authzid)
                }
                _ => Outcome::Refuse,
            },
            Self::Complete(_) | Self::Over => Outcome::Refuse,
        }
    }
}

fn open(context: &Context<'_>, name: &str, authzid: &str) -> Outcome {
    // `anna@EXAMPLE.COM` is a principal or an address; `anna@REALM` is found by its first part.
    let user = context.directory.user(name).or_else(|| {
        let first = name.split('@').next().unwrap_or_default();
        context.directory.user(first)
    });
    let mailbox = Some(authzid).filter(|authzid| !authzid.is_empty());
    user.and_then(|user| context.directory.open(user, mailbox))
        .map_or(Outcome::Refuse, Outcome::Accept)
}
