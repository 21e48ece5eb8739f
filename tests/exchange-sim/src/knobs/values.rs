//! The types of the knobs' values.

use std::time::Duration;

/// `LoginType` of Set-PopSettings: the logins that are allowed without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginType {
    /// `PlainTextLogin`: everything.
    PlainText,
    /// `PlainTextAuthentication`: NTLM and GSSAPI, but neither USER nor PLAIN.
    PlainTextAuthentication,
    /// `SecureLogin`: nothing; TLS comes first.
    Secure,
}

/// `ExtendedProtectionPolicy`: channel binding with NTLM over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExtendedProtection {
    /// Channel bindings are not looked at.
    #[default]
    None,
    /// Channel bindings may be absent, and must be right when present.
    Allow,
    /// Channel bindings must be present and right.
    Require,
}

/// How sizes in STAT and LIST come about (XPOP3 normative variations of RFC 1939 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// `EnableExactRFC822Size`: the octets that RETR sends, before byte-stuffing.
    Exact,
    /// An estimate from the use of storage: `octets * 0.92 + 1437`, rounded. It is too high for
    /// small messages, right for those of 17,957 to 17,968 octets, and too low above.
    Storage,
    /// Exchange 2003: the estimate until the first RETR, exact afterwards.
    StorageFirstRetr,
}

/// `MessageRetrievalSortOrder`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The oldest message is number 1.
    #[default]
    Ascending,
    /// The newest message is number 1.
    Descending,
}

/// When the connection is closed behind an `-ERR` (XPOP3:C0005 allows it for any).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseAfterErr {
    /// Never.
    Never,
    /// After each one.
    Always,
    /// After the n-th of the session.
    After(u32),
    /// After the n-th refused login of the session.
    OnLogin(u32),
}

/// A point in the dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The greeting.
    Greeting,
    /// The n-th command of the session, counted from 1. SASL continuation lines do not count.
    Nth(u32),
    /// Every command with this keyword, in upper case. `SASL` stands for the continuation lines
    /// of SASL exchanges.
    Verb(String),
    /// The n-th command with this keyword in the session, counted from 1.
    VerbNth(String, u32),
    /// Every command that is this line, without CRLF: `RETR 3`.
    Line(String),
    /// Every command.
    Every,
}

impl At {
    /// Every command with this keyword.
    pub fn verb(verb: &str) -> Self {
        Self::Verb(verb.to_ascii_uppercase())
    }

    /// The n-th command with this keyword, counted from 1.
    pub fn verb_nth(verb: &str, nth: u32) -> Self {
        Self::VerbNth(verb.to_ascii_uppercase(), nth)
    }

    /// Every command that is this line.
    pub fn line(line: &str) -> Self {
        Self::Line(line.to_owned())
    }
}

/// How the server ends a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CloseHow {
    /// In order: close_notify under TLS, then FIN.
    #[default]
    Fin,
    /// RST.
    Reset,
    /// FIN without close_notify; without TLS the same as [`Fin`](Self::Fin).
    NoCloseNotify,
}

/// Ends the connection at some octet of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where.
    pub at: CutAt,
    /// How.
    pub how: CloseHow,
}

impl Cut {
    /// A cut with FIN.
    pub fn fin(at: CutAt) -> Self {
        Self {
            at,
            how: CloseHow::Fin,
        }
    }

    /// A cut with RST.
    pub fn reset(at: CutAt) -> Self {
        Self {
            at,
            how: CloseHow::Reset,
        }
    }

    /// A cut without close_notify.
    pub fn no_close_notify(at: CutAt) -> Self {
        Self {
            at,
            how: CloseHow::NoCloseNotify,
        }
    }
}

/// Where a [`Cut`] happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutAt {
    /// After so many octets of the whole output of the connection, TLS not counted.
    Octet(u64),
    /// After so many octets of the answer to the command at this point (of the greeting too).
    Answer(At, u64),
    /// After so many octets behind the status line of `RETR n`.
    MidRetr {
        /// The message-number.
        number: u64,
        /// Octets of the body as sent, byte-stuffing included.
        octets: u64,
    },
    /// After the terminator of `RETR n`.
    AfterRetr(u64),
    /// After so many octets of the answer to QUIT. The UPDATE has been done.
    InQuit(u64),
}

/// Sends a few octets at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drip {
    /// Octets at a time.
    pub octets: usize,
    /// The time between, by the server's clock.
    pub every: Duration,
}

/// One change to the dialogue: the general form behind many knobs, and the way to faults that
/// have no knob of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// At which command.
    pub at: At,
    /// The effect.
    pub act: Act,
}

impl Rule {
    /// Does `act` at `at`.
    pub fn new(at: At, act: Act) -> Self {
        Self { at, act }
    }
}

/// The effect of a [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The command is not carried out; these octets are the answer.
    Instead(Vec<u8>),
    /// The command is carried out; these octets replace its answer.
    Rewrite(Vec<u8>),
    /// The command is carried out; these octets (with their CRLF) replace the first line of its
    /// answer.
    FirstLine(Vec<u8>),
    /// The first line of the answer gets this many octets, CRLF included; `None` never ends it.
    FirstLineLong(Option<u64>),
    /// These octets come before the answer.
    Before(Vec<u8>),
    /// These octets come behind the answer.
    After(Vec<u8>),
    /// The answer waits, by the server's clock.
    Delay(Duration),
    /// The command is carried out, and not answered.
    Silent,
    /// The command is not carried out; the connection is closed.
    Close(CloseHow),
    /// The command is carried out and answered; then the connection is closed.
    CloseAfter(CloseHow),
}

/// The separator between the fields of an answer (OPOP3:C0004).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Separator {
    /// One space.
    #[default]
    Space,
    /// Three spaces.
    Spaces,
    /// One tab.
    Tab,
    /// Space, tab, tab, space.
    Mixed,
    /// One space, and two blanks at the end of the line.
    TrailingBlanks,
}

impl Separator {
    pub(crate) fn between(self) -> &'static str {
        match self {
            Self::Space | Self::TrailingBlanks => " ",
            Self::Spaces => "   ",
            Self::Tab => "\t",
            Self::Mixed => " \t\t ",
        }
    }

    pub(crate) fn trailing(self) -> &'static str {
        match self {
            Self::TrailingBlanks => " \t",
            _ => "",
        }
    }
}

/// The letters of the status indicators (OPOP3:V0001).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusCase {
    /// `+OK`, `-ERR`.
    #[default]
    Upper,
    /// `+ok`, `-err`.
    Lower,
    /// `+Ok`, `-Err`.
    Mixed,
}

/// Line ends without CR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BareLf {
    /// In single-line answers and the first lines of others.
    pub status: bool,
    /// In the lines of LIST, UIDL, CAPA and AUTH.
    pub listing: bool,
    /// In RETR and TOP, terminator included.
    pub body: bool,
}

/// A command whose availability differs from its announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Not advertised, and `-ERR`.
    Absent,
    /// Advertised, but `-ERR`.
    Refused,
    /// Not advertised, but works.
    Unannounced,
}

/// The fault of CAPA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCapa {
    /// `-ERR`.
    Err,
    /// The connection is closed (fetchmail FAQ R11).
    Close,
    /// No answer (fetchmail FAQ O11).
    Hang,
}

/// Oddities of the CAPA answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapaOdd {
    /// Tags in lower case.
    LowerCase,
    /// Two blanks between the words.
    DoubleBlanks,
    /// No lines at all.
    Empty,
    /// A line of so many octets with its CRLF (RFC 2449 §3 allows 512).
    LongLine(usize),
    /// Tags that nobody knows, and an empty line.
    UnknownTags,
    /// A capability that begins with a dot, byte-stuffed as a body line would be.
    LeadingDot,
    /// Never ends.
    Endless,
}

/// Message-numbers that are not 1 to n in order (OPOP3:C0011).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// 1 to n.
    #[default]
    InOrder,
    /// 1, 2, 4, 5 …: 3 is left out, and the third message is number 4 in all commands.
    Gap,
    /// 3, 1, 2: the last comes first; the numbers themselves are right.
    Shuffled,
    /// A row for number 0 comes first, beyond the right ones.
    Zero,
    /// A row for number 2^64 comes last, beyond the right ones.
    Huge,
    /// 1, 1, 3 …: the second row says 1, but its message is number 2 in commands.
    Duplicate,
}

/// The answer to `UIDL n`. Outlook never sends it (OPOP3:V0007).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UidlOne {
    /// `+OK n id`.
    #[default]
    Normal,
    /// `+OK id` (twisted#9104).
    WithoutNumber,
    /// `+OK`, the row and a terminator (mailpit#552).
    MultiLine,
}

/// The DELEs that are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeleErr {
    /// Only those that must be.
    #[default]
    None,
    /// All.
    All,
    /// Those of these message-numbers.
    Numbers(Vec<u64>),
    /// Those behind the first k of a session.
    AfterFirst(u32),
}

/// The fault in the UPDATE state (XPOP3:V0006: it is not atomic).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateFail {
    /// Nothing: all marked messages are removed.
    #[default]
    None,
    /// No message is removed.
    All,
    /// Only the first k are removed.
    FirstRemoved(usize),
    /// Every other one is removed, beginning with the first.
    EveryOther,
    /// The first k are removed; then the connection is closed without an answer.
    CloseAfter(usize),
}

/// The fault of STLS (a stripping attack, or a broken server).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StlsStrip {
    /// Missing from CAPA, and `-ERR`.
    Absent,
    /// Missing from CAPA, but works (fetchmail 6.3.19).
    Unannounced,
    /// In CAPA, but `-ERR`.
    Refused,
    /// In CAPA and `+OK`, but the handshake fails.
    HandshakeFails,
}

/// The certificate that the server shows. All but the last two are signed by the CA of
/// [`ca_pem`](crate::Server::ca_pem).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Certificate {
    /// For localhost, 127.0.0.1 and ::1.
    #[default]
    Good,
    /// Ended in 2020.
    Expired,
    /// Begins in 2090.
    NotYetValid,
    /// For `other.example` only.
    WrongName,
    /// For `*` and `*.com` (RFC 7817: a wildcard is the whole left-most label, and no more).
    WildcardTooWide,
    /// Signed by itself.
    SelfSigned,
    /// Signed by another CA of the same name.
    OtherCa,
}

/// The behaviour of a SASL mechanism that is announced but does not work (Thunderbird's tests
/// `test_pop3ServerBrokenCRAMFail` and `…Disconnect`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenMechanism {
    /// The name, for instance `CRAM-MD5`; it is added to CAPA.
    pub name: String,
    /// True if the connection is closed instead of an `-ERR`.
    pub closes: bool,
}

/// Oddities of SASL challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslOdd {
    /// `+` without the space.
    PlusOnly,
    /// `+OK` where `+ ` is due, for every mechanism.
    OkPrompt,
    /// Text that is not base64 behind the `+ ` where an empty challenge is due.
    Text(String),
    /// Every challenge is `+ ***not base64***`.
    NotBase64,
    /// An empty challenge after each line, for ever.
    Endless,
    /// The first challenge is 64 KiB of base64.
    Huge,
}

/// Refuses good logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefuseLogins {
    /// The text behind `-ERR `, for instance `[IN-USE] Mailbox is open elsewhere`.
    pub text: String,
    /// How many logins are refused before one passes, over all sessions since these knobs were
    /// set; `None` is all.
    pub times: Option<u32>,
}

/// A line that no command asked for, after a time without commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsolicited {
    /// How long after the last answer, by the server's clock.
    pub after: Duration,
    /// The line, with its CRLF.
    pub line: Vec<u8>,
}
