//! The texts after the status indicators.

/// One of the texts that the simulator puts after `+OK` or `-ERR`.
///
/// Each can be replaced through [`Knobs::texts`](crate::Knobs::texts). Those marked as "seen" are
/// from published transcripts; the others are chosen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Text {
    /// Positive: the greeting (seen).
    Greeting,
    /// Positive: CAPA; nothing on 2007 and later (seen).
    Capabilities,
    /// Positive: USER (seen: nothing).
    User,
    /// Positive: login by PASS, PLAIN and the others (seen).
    LoggedOn,
    /// Positive: login by XOAUTH2 (seen).
    Authenticated,
    /// Positive: STLS (seen).
    BeginTls,
    /// Positive: LIST and UIDL without number.
    Listing,
    /// Positive: RETR and TOP.
    Message,
    /// Positive: DELE.
    Deleted,
    /// Positive: NOOP and RSET.
    Done,
    /// Positive: QUIT (seen for 2003 and 2016).
    Quit,
    /// Negative: a refused PASS, PLAIN, NTLM or GSSAPI (seen).
    LogonFailure,
    /// Negative: a refused XOAUTH2 (seen).
    AuthenticationFailure,
    /// Negative: a known command in the wrong state (seen).
    WrongState,
    /// Negative: an unknown command (seen).
    UnknownCommand,
    /// Negative: wrong number or form of arguments.
    WrongArguments,
    /// Negative: a command over the limit; the connection ends (seen on Exchange Online).
    TooLong,
    /// Negative: a SASL exchange that the client cancelled.
    Cancelled,
    /// Negative: no such message-number, or it is marked as deleted.
    OutOfRange,
    /// Negative: RETR or TOP of a message that is gone or cannot be converted.
    NotRetrieved,
    /// Negative: QUIT when some messages could not be removed.
    NotRemoved,
    /// Negative: a refused DELE.
    NotDeleted,
    /// Negative: login while `LOGIN-DELAY` has not passed.
    LoginDelay,
    /// Negative: login while the maildrop is held (not an Exchange error: XPOP3 has no lock).
    InUse,
}

impl Text {
    /// The text that all versions share.
    pub(crate) fn common(self) -> &'static str {
        match self {
            Self::Greeting | Self::Quit => "",
            Self::Capabilities | Self::User | Self::Listing | Self::Message => "",
            Self::Deleted | Self::Done => "",
            Self::LoggedOn => "User successfully logged on.",
            Self::Authenticated => "User successfully authenticated.",
            Self::BeginTls => "Begin TLS negotiation.",
            Self::LogonFailure => "Logon failure: unknown user name or bad password.",
            Self::AuthenticationFailure => {
                "Authentication failure: unknown user name or bad password."
            }
            Self::WrongState => "Command is not valid in this state.",
            Self::UnknownCommand => "Protocol error. 19",
            Self::WrongArguments => "Protocol error. 14",
            Self::TooLong => "Protocol error. Connection is closed. 10",
            Self::Cancelled => "Authentication was cancelled.",
            Self::OutOfRange => "The specified message is out of range.",
            Self::NotRetrieved => "The message could not be retrieved.",
            Self::NotRemoved => "Some deleted messages were not removed.",
            Self::NotDeleted => "The message could not be deleted.",
            Self::LoginDelay => "[LOGIN-DELAY] Minimum time between logins has not passed.",
            Self::InUse => "[IN-USE] The mailbox is in use.",
        }
    }
}
