//! SASL mechanisms, as the server plays them (RFC 5034).

mod gssapi;
mod login;
mod ntlm;
mod plain;
mod xoauth2;

use crate::directory::{Directory, Opened};
use crate::knobs::Knobs;
use crate::text::Text;

/// The longest continuation line. RFC 5034 §4 does not hold them to the limit of commands, and
/// Exchange Online takes tokens far above it.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// The facts that a mechanism may use.
pub(crate) struct Context<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) knobs: &'a Knobs,
    /// The certificate's hash, under TLS (RFC 5929 §4).
    pub(crate) binding: Option<&'a [u8]>,
}

/// The result of a message from the client.
pub(crate) enum Outcome {
    /// Octets for the client, before base64.
    Challenge(Vec<u8>),
    /// The credentials are good.
    Accept(Opened),
    /// They are not, or the message makes no sense.
    Refuse,
}

/// The server's side of a mechanism.
trait Mechanism: Send {
    /// Takes a message, or begins without one.
    fn step(&mut self, context: &Context<'_>, message: Option<&[u8]>) -> Outcome;
}

/// A SASL exchange.
pub(crate) struct Dialogue {
    name: &'static str,
    mechanism: Box<dyn Mechanism>,
    steps: u32,
}

impl Dialogue {
    /// Begins an exchange with the mechanism of this name, in upper case.
    pub(crate) fn begin(name: &str) -> Option<Self> {
        let (name, mechanism): (_, Box<dyn Mechanism>) = match name {
            "GSSAPI" => ("GSSAPI", Box::<gssapi::Gssapi>::default()),
            "LOGIN" => ("LOGIN", Box::<login::Login>::default()),
            "NTLM" => ("NTLM", Box::<ntlm::Ntlm>::default()),
            "PLAIN" => ("PLAIN", Box::new(plain::Plain)),
            "XOAUTH2" => ("XOAUTH2", Box::<xoauth2::XOauth2>::default()),
            _ => return None,
        };
        Some(Self {
            name,
            mechanism,
            steps: 0,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// How many steps were taken.
    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    pub(crate) fn step(&mut self, context: &Context<'_>, message: Option<&[u8]>) -> Outcome {
        self.steps += 1;
        self.mechanism.step(context, message)
    }

    /// True if a listener learns the password or a token.
    pub(crate) fn shows_password(&self) -> bool {
        matches!(self.name, "LOGIN" | "PLAIN" | "XOAUTH2")
    }

    pub(crate) fn acceptance(&self) -> Text {
        match self.name {
            "XOAUTH2" => Text::Authenticated,
            _ => Text::LoggedOn,
        }
    }

    pub(crate) fn refusal(&self) -> Text {
        match self.name {
            "XOAUTH2" => Text::AuthenticationFailure,
            _ => Text::LogonFailure,
        }
    }
}
