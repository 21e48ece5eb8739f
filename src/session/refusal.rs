//! Negative answers, and what they mean for another try.

use std::fmt;
use std::time::Duration;

use super::Error;
use super::farewell::is_farewell;
use crate::pop3::{Keyword, Printable, Response, ResponseCode, shortened};

/// Words of servers without response codes for a trouble that passes. qpopper: "lock busy! Is
/// another session active?"; Courier: "Temporary problem, please try again later"; Exchange:
/// "Server Unavailable. 21" for a passing trouble behind PASS; Outlook.com: "Exceeded the login
/// limit for a 15 minute period. Reduce the frequency of requests". A lock alone may be on the
/// account.
const PASSING: [&str; 16] = [
    "again after",
    "again in ",
    "again later",
    "frequency",
    "frequently",
    "lock busy",
    "login limit",
    "login rate",
    "overloaded",
    "rate limit",
    "server unavailable",
    "slow down",
    "temporar",
    "throttl",
    "too busy",
    "too many",
];

/// Those of them by which a server says that it is asked too often, or by too many at once; and
/// Dovecot's "Maximum number of connections from user+IP exceeded", behind `[IN-USE]`.
const THROTTLING: [&str; 10] = [
    "frequen",
    "login limit",
    "login rate",
    "number of connections",
    "overloaded",
    "rate limit",
    "slow down",
    "throttl",
    "too busy",
    "too many",
];

/// Words that make "try again" mean other credentials, not another time.
const CREDENTIALS: [&str; 10] = [
    "authenticat",
    "bad ",
    "credential",
    "denied",
    "incorrect",
    "invalid",
    "login failed",
    "password",
    "unknown",
    "wrong",
];

/// A negative answer: an answer all the same, after which the session goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The command; none for a greeting that is no welcome.
    pub command: Option<Keyword>,
    /// The response code in front of the text.
    pub code: Option<ResponseCode>,
    /// The server's words, safe for a terminal.
    pub text: String,
    /// The time between two logins that the server announced, if it refused the login.
    pub login_delay: Option<Duration>,
    is_temporary: bool,
    is_throttling: bool,
}

impl Refusal {
    pub(super) fn new(command: Option<Keyword>, response: Response<'_>) -> Self {
        let code = response.code();
        // Of what the server said, not of what is shown: a secret may be a word like any other.
        let is_temporary =
            is_temporary(code.as_ref(), response.text()) || is_farewell(response.text());
        Self {
            command,
            is_temporary,
            is_throttling: is_temporary && names_throttling(response.text()),
            login_delay: None,
            code,
            text: shown(response.shown()),
        }
    }

    /// The refusal that this line is.
    #[cfg(test)]
    pub(crate) fn of_line(command: Option<Keyword>, line: &str) -> Self {
        Self::new(command, Response::parse(line.as_bytes()))
    }

    /// Whether the same command may well succeed later.
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    /// True if the server has too many connections or logins to answer: fewer may succeed.
    pub fn is_throttling(&self) -> bool {
        self.is_throttling
    }
}

/// The answer on which a login depends. No means no, whatever comes behind it: some servers say it
/// twice, or end the session with one more word.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    refusal: Option<Refusal>,
    /// A line of something else, without a status indicator, is no clear no.
    is_clear: bool,
}

impl Verdict {
    /// Takes note of the answer to this command.
    pub(super) fn note(&mut self, keyword: Keyword, response: Response<'_>) {
        if !response.is_positive() {
            self.is_clear = !response.is_foreign();
            self.refusal = Some(Refusal::new(Some(keyword), response));
        }
    }

    /// The refusal, or how the reading of the answer ended.
    pub(super) fn of<T>(self, read: Result<T, Error>) -> Result<Result<T, Refusal>, Error> {
        match (self.refusal, read) {
            (Some(refusal), Ok(_)) => Ok(Err(refusal)),
            (Some(refusal), Err(_)) if self.is_clear => Ok(Err(refusal)),
            (_, read) => read.map(Ok),
        }
    }
}

/// The server said so in a response code (RFC 2449 §8, RFC 3206), or in the words that older
/// servers use for a locked maildrop.
fn is_temporary(code: Option<&ResponseCode>, text: &[u8]) -> bool {
    match code {
        Some(ResponseCode::InUse | ResponseCode::LoginDelay | ResponseCode::SysTemp) => true,
        Some(ResponseCode::Auth | ResponseCode::SysPerm) => false,
        Some(ResponseCode::Other(_)) | None => {
            let text = String::from_utf8_lossy(text).to_ascii_lowercase();
            let maildrop = ["maildrop", "mailbox", "mail drop", "mail box", "spool"];
            let has = |word: &&str| text.contains(word);
            let busy = ["lock", "busy", "in use"].iter().any(&has);
            (busy && maildrop.iter().any(has))
                || PASSING.iter().any(has)
                || (text.contains("try again") && !CREDENTIALS.iter().any(has))
        }
    }
}

/// True if the server says that there are too many connections or logins.
pub(super) fn names_throttling(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    THROTTLING.iter().any(|word| text.contains(word))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.command {
            Some(command) => write!(f, "the server refused {command}")?,
            None => f.write_str("the server refused the connection")?,
        }
        if self.text.is_empty() {
            f.write_str(" and gave no reason")
        } else {
            write!(f, ": `{}`", self.text)
        }
    }
}

/// The server's words, safe for a terminal, and cut to a length that people read.
pub(super) fn shown(text: &[u8]) -> String {
    shortened(Printable(text).to_string())
}
