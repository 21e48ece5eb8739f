//! The versions of Exchange that can be simulated, and their differences.
//!
//! The doc of each item distinguishes statements of MS-STANXPOP3, published transcripts, and values
//! chosen here because nobody published them. Tests must not depend on the latter.

use crate::knobs::{LoginType, Sizes};
use crate::text::Text;

/// The host name that the simulated service says it has.
pub(crate) const HOST: &str = "sim01.exchange.example";

/// A version of Exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Exchange 2003: outside MS-STANXPOP3; here for its NTLM quirk and its unique-ids.
    Ex2003,
    /// Exchange 2010 after a move from 2003: the first messages keep 2003 ids and the later
    /// ones carry decimals, in one listing (XPOP3:C0009). See
    /// [`legacy_messages`](crate::Builder::legacy_messages).
    Ex2003Migrated,
    /// Exchange 2007: 47 octets for a command (XPOP3:E0006), errors for users of another site
    /// (XPOP3:C0010).
    Ex2007,
    /// Exchange 2010.
    Ex2010,
    /// Exchange 2013.
    Ex2013,
    /// "Exchange 15 Technical Preview", which only edition 5.0 of MS-STANXPOP3 names: the rules
    /// of 2013.
    Ex15Tp,
    /// Exchange 2016.
    Ex2016,
    /// Exchange Online.
    Exo,
}

impl Profile {
    /// Every profile, for tests that go through all of them.
    pub const ALL: [Self; 8] = [
        Self::Ex2003,
        Self::Ex2003Migrated,
        Self::Ex2007,
        Self::Ex2010,
        Self::Ex2013,
        Self::Ex15Tp,
        Self::Ex2016,
        Self::Exo,
    ];

    /// The name on the command line, for instance `ex2016`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ex2003 => "ex2003",
            Self::Ex2003Migrated => "ex2003-migrated",
            Self::Ex2007 => "ex2007",
            Self::Ex2010 => "ex2010",
            Self::Ex2013 => "ex2013",
            Self::Ex15Tp => "ex15tp",
            Self::Ex2016 => "ex2016",
            Self::Exo => "exo",
        }
    }

    /// The profile with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name().eq_ignore_ascii_case(name))
    }

    /// The longest command with its CRLF: 47 on 2007, 512 on 2010 and later (XPOP3:E0006).
    /// 255 on 2003 is chosen here (RFC 2449 §4 asks for it).
    pub fn max_command(self) -> usize {
        match self {
            Self::Ex2003 => 255,
            Self::Ex2007 => 47,
            _ => 512,
        }
    }

    /// True if the profile has a port without implicit TLS. Exchange Online documents only 995.
    pub(crate) fn has_plain_port(self) -> bool {
        self != Self::Exo
    }

    /// True if the profile has TLS at all. The published transcripts of 2003 show neither STLS nor
    /// 995.
    pub(crate) fn has_tls(self) -> bool {
        self != Self::Ex2003
    }

    pub(crate) fn login_type(self) -> LoginType {
        match self {
            Self::Ex2003 => LoginType::PlainText,
            _ => LoginType::Secure,
        }
    }

    pub(crate) fn sizes(self) -> Sizes {
        match self {
            Self::Ex2003 => Sizes::StorageFirstRetr,
            _ => Sizes::Storage,
        }
    }

    /// The SASL mechanisms that CAPA shows. On 2007 and later NTLM and GSSAPI appear where TLS
    /// is off only (`EnableGSSAPIAndNTLMAuth`).
    pub(crate) fn mechanisms(self, tls: bool) -> &'static [&'static str] {
        match (self, tls) {
            (Self::Ex2003, _) => &["NTLM"],
            (Self::Exo, _) => &["PLAIN", "XOAUTH2"],
            (_, false) => &["NTLM", "GSSAPI", "PLAIN"],
            (_, true) => &["PLAIN"],
        }
    }

    /// The text after the status indicator, without it.
    pub(crate) fn text(self, text: Text) -> String {
        let version = match self {
            Self::Ex2003 => "2003",
            Self::Ex2007 => "2007",
            Self::Ex2010 | Self::Ex2003Migrated => "2010",
            Self::Ex2013 | Self::Ex15Tp => "2013",
            Self::Ex2016 | Self::Exo => "2016",
        };
        match (text, self) {
            (Text::Greeting, Self::Ex2003) => format!(
                "Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 ({HOST}) ready."
            ),
            (Text::Greeting, Self::Ex2007) => {
                "Microsoft Exchange Server 2007 POP3 service ready".to_owned()
            }
            (Text::Greeting, Self::Exo) => format!("{MODERN_GREETING} [{}]", encoded_host()),
            (Text::Greeting, _) => MODERN_GREETING.to_owned(),
            (Text::Capabilities, Self::Ex2003) => "Capability list follows".to_owned(),
            (Text::Quit, Self::Ex2003) => {
                "Microsoft Exchange Server 2003 POP3 server version 6.5.7638.1 signing off."
                    .to_owned()
            }
            (Text::Quit, _) => {
                format!("Microsoft Exchange Server {version} POP3 server signing off.")
            }
            (Text::UnknownCommand, Self::Ex2003) => "Protocol error.".to_owned(),
            _ => text.common().to_owned(),
        }
    }
}

/// The default `Banner` of 2010 and later, and of later builds of 2007.
pub(crate) const MODERN_GREETING: &str = "The Microsoft Exchange POP3 service is ready.";

/// Exchange Online ends its greeting with its host name in UTF-16LE and base64.
fn encoded_host() -> String {
    use base64::Engine as _;
    let wide: Vec<u8> = HOST.encode_utf16().flat_map(u16::to_le_bytes).collect();
    base64::engine::general_purpose::STANDARD.encode(wide)
}
