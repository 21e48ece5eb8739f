//! Channel binding (RFC 5056): binds a login to its TLS connection, so that an attacker in the
//! middle of the connection cannot pass the login on.

/// The identity of a TLS connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelBinding {
    /// `tls-exporter` (RFC 9266): keying material of the connection itself.
    Exporter(Vec<u8>),
    /// `tls-server-end-point` (RFC 5929 §4): the digest of the server's certificate.
    ServerEndPoint(Vec<u8>),
}

impl ChannelBinding {
    /// The registered name of its type.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exporter(_) => "tls-exporter",
            Self::ServerEndPoint(_) => "tls-server-end-point",
        }
    }

    /// The data of the type.
    pub fn data(&self) -> &[u8] {
        match self {
            Self::Exporter(data) | Self::ServerEndPoint(data) => data,
        }
    }
}

/// The bindings that a connection offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelBindings {
    /// The binding to the connection itself.
    pub exporter: Option<Vec<u8>>,
    /// The binding to the server's certificate.
    pub server_end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// The best of them: `tls-exporter` is the one for TLS 1.3 (RFC 9266 §4).
    pub fn best(&self) -> Option<ChannelBinding> {
        let exporter = self.exporter.clone().map(ChannelBinding::Exporter);
        let end_point = || self.server_end_point.clone();
        exporter.or_else(|| end_point().map(ChannelBinding::ServerEndPoint))
    }
}
