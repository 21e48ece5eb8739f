//! A session under watch: how the connection came about, and what the server sent as it sent it.

use super::Address;
use crate::pop3::Tap;

/// Sees what goes on in a session, from the dialling on.
pub(crate) trait Watch: Tap {
    /// Everything is read that the TLS settings name, and the server is looked for.
    fn dialling(&self);

    /// It answered. Told again where the session begins anew, because the server hung
    /// up on CAPA.
    fn connected(&self, address: &Address);

    /// The server showed this certificate (DER), which may yet be found wanting.
    fn certificate(&self, der: &[u8]);

    /// The TLS handshake is done; protocol version and cipher suite.
    fn protected(&self, protection: &str);
}
