//! Commands as octets to send.

use std::fmt;
use std::num::NonZeroU32;

use secrecy::{ExposeSecret, SecretString};

use super::Error;

/// The number of a message within one session (RFC 1939 §4). It means nothing in the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(NonZeroU32);

impl MessageNumber {
    /// The number. None for zero, which no message has.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number of the message that has this many before it, where no number is left out. No number is
    /// larger than 2³² - 1.
    pub(crate) fn behind(messages: usize) -> Self {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        Self(NonZeroU32::MIN.saturating_add(messages))
    }

    /// The number as a plain integer.
    pub fn as_u32(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The longest command line, with its CRLF, that any Exchange takes: the largest value an
/// administrator can set (`XPOP3:E0006`). RFC 2449 §4 promises 255 octets, Exchange 2007 takes 47
/// by default and later ones 512. A client cannot know the server's value.
pub(crate) const MAX_COMMAND: usize = 1024;

/// A command of the client.
///
/// There is no RSET (`OPOP3:V0006`): a close without QUIT undoes a deletion. There is no argument
/// to LIST and UIDL either (`OPOP3:V0003`, `V0007`).
#[derive(Debug, Clone, Copy)]
pub enum Command<'a> {
    /// RFC 1939 §7: user name and digest. Not in any version of Outlook (`OPOP3:V0008`).
    Apop(&'a str, &'a SecretString),
    /// RFC 5034 §4: a SASL mechanism, and the initial response in base64 if it fits.
    Auth(&'a str, Option<&'a SecretString>),
    /// RFC 2449 §5.
    Capa,
    /// RFC 1939 §5.
    Dele(MessageNumber),
    /// RFC 1939 §5.
    List,
    /// RFC 1939 §5; only to keep a session alive.
    Noop,
    /// RFC 1939 §7. All octets after the space are the password (`OPOP3:C0046`).
    Pass(&'a SecretString),
    /// RFC 1939 §4 and §6.
    Quit,
    /// RFC 1939 §5.
    Retr(MessageNumber),
    /// RFC 1939 §5.
    Stat,
    /// RFC 2595 §4.
    Stls,
    /// RFC 1939 §7: the header, and this many lines of the body.
    Top(MessageNumber, u32),
    /// RFC 1939 §7.
    Uidl,
    /// RFC 1939 §7.
    User(&'a str),
}

/// The keyword of a command. It is kept until the reply has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the command of that name")]
pub enum Keyword {
    Apop,
    Auth,
    Capa,
    Dele,
    List,
    Noop,
    Pass,
    Quit,
    Retr,
    Stat,
    Stls,
    Top,
    Uidl,
    User,
}

impl Keyword {
    /// The keyword as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apop => "APOP",
            Self::Auth => "AUTH",
            Self::Capa => "CAPA",
            Self::Dele => "DELE",
            Self::List => "LIST",
            Self::Noop => "NOOP",
            Self::Pass => "PASS",
            Self::Quit => "QUIT",
            Self::Retr => "RETR",
            Self::Stat => "STAT",
            Self::Stls => "STLS",
            Self::Top => "TOP",
            Self::Uidl => "UIDL",
            Self::User => "USER",
        }
    }

    /// True if it asks for a message, or a part of one.
    pub const fn is_message(self) -> bool {
        matches!(self, Self::Retr | Self::Top)
    }

    /// True if a positive answer has several lines, for the commands as popsync sends them.
    pub const fn is_multi_line(self) -> bool {
        self.is_message() || matches!(self, Self::Capa | Self::List | Self::Uidl)
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Command<'_> {
    /// The keyword of this command.
    pub const fn keyword(&self) -> Keyword {
        match self {
            Self::Apop(..) => Keyword::Apop,
            Self::Auth(..) => Keyword::Auth,
            Self::Capa => Keyword::Capa,
            Self::Dele(_) => Keyword::Dele,
            Self::List => Keyword::List,
            Self::Noop => Keyword::Noop,
            Self::Pass(_) => Keyword::Pass,
            Self::Quit => Keyword::Quit,
            Self::Retr(_) => Keyword::Retr,
            Self::Stat => Keyword::Stat,
            Self::Stls => Keyword::Stls,
            Self::Top(..) => Keyword::Top,
            Self::Uidl => Keyword::Uidl,
            Self::User(_) => Keyword::User,
        }
    }

    /// The length of the command line, CRLF included.
    pub fn octets(&self) -> usize {
        let digits = |number: u32| number.checked_ilog10().unwrap_or(0) as usize + 1;
        let arguments = match self {
            Self::Apop(name, digest) => 1 + name.len() + 1 + digest.expose_secret().len(),
            Self::Auth(mechanism, initial) => {
                let initial = initial.map_or(0, |initial| 1 + initial.expose_secret().len());
                1 + mechanism.len() + initial
            }
            Self::Dele(number) | Self::Retr(number) => 1 + digits(number.as_u32()),
            Self::Pass(password) => 1 + password.expose_secret().len(),
            Self::Top(number, lines) => 1 + digits(number.as_u32()) + 1 + digits(*lines),
            Self::User(name) => 1 + name.len(),
            Self::Capa
            | Self::List
            | Self::Noop
            | Self::Quit
            | Self::Stat
            | Self::Stls
            | Self::Uidl => 0,
        };
        self.keyword().as_str().len() + arguments + "\r\n".len()
    }

    /// Appends the command line to `out`: one space between the parts, CRLF at the end
    /// (`OPOP3:C0003`, `C0004`).
    ///
    /// # Errors
    /// [`Error::Argument`] if a user name or password has anything but printable ASCII: a line end
    /// in it would be a second command. [`Error::CommandTooLong`] if the line would be longer than
    /// [`MAX_COMMAND`]. `out` is unchanged then.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let (keyword, octets) = (self.keyword(), self.octets());
        if octets > MAX_COMMAND {
            return Err(Error::CommandTooLong { keyword, octets });
        }
        match self {
            // Two arguments: an empty name would be none, and one of two words would be two.
            Self::Apop(name, _) if name.is_empty() || name.contains(' ') => {
                Err(Error::Argument { keyword })
            }
            Self::Apop(name, digest) => {
                let both = SecretString::from(format!("{name} {}", digest.expose_secret()));
                encode_text(self.keyword(), both.expose_secret(), out)
            }
            Self::Auth(mechanism, _) if !is_mechanism(mechanism) => {
                Err(Error::Argument { keyword })
            }
            Self::Auth(mechanism, None) => encode_text(keyword, mechanism, out),
            Self::Auth(_, Some(initial)) if !is_base64(initial.expose_secret()) => {
                Err(Error::Argument { keyword })
            }
            Self::Auth(mechanism, Some(initial)) => {
                // Reserves the final length at once: a buffer that grows leaves copies of the
                // secret behind.
                out.reserve_exact(octets);
                for part in [keyword.as_str(), " ", mechanism, " "] {
                    out.extend_from_slice(part.as_bytes());
                }
                out.extend_from_slice(initial.expose_secret().as_bytes());
                out.extend_from_slice(b"\r\n");
                Ok(())
            }
            Self::User(name) => encode_text(self.keyword(), name, out),
            Self::Pass(password) => encode_text(self.keyword(), password.expose_secret(), out),
            Self::Dele(number) | Self::Retr(number) => {
                encode_numbers(self.keyword(), &[number.as_u32()], out);
                Ok(())
            }
            Self::Top(number, lines) => {
                encode_numbers(self.keyword(), &[number.as_u32(), *lines], out);
                Ok(())
            }
            Self::Capa
            | Self::List
            | Self::Noop
            | Self::Quit
            | Self::Stat
            | Self::Stls
            | Self::Uidl => {
                encode_numbers(self.keyword(), &[], out);
                Ok(())
            }
        }
    }
}

/// The name of a SASL mechanism (RFC 4422 §3.1).
fn is_mechanism(name: &str) -> bool {
    let allowed = |octet: u8| {
        octet.is_ascii_uppercase() || octet.is_ascii_digit() || octet == b'-' || octet == b'_'
    };
    (1..=20).contains(&name.len()) && name.bytes().all(allowed)
}

/// True for the characters of a line in a SASL exchange (RFC 5034 §4). A single `=` means that
/// there is an initial response, and that it is empty.
pub(super) fn is_base64(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet);
    text.bytes().all(allowed)
}

fn encode_text(keyword: Keyword, argument: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    let printable = |octet: u8| (b' '..=b'~').contains(&octet);
    if argument.is_empty() || !argument.bytes().all(printable) {
        return Err(Error::Argument { keyword });
    }
    out.extend_from_slice(keyword.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(argument.as_bytes());
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn encode_numbers(keyword: Keyword, arguments: &[u32], out: &mut Vec<u8>) {
    out.extend_from_slice(keyword.as_str().as_bytes());
    for argument in arguments {
        out.push(b' ');
        out.extend_from_slice(argument.to_string().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(command: Command<'_>) -> String {
        let mut out = Vec::new();
        command.encode(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_command_is_one_strict_line() {
        let n = MessageNumber::new(17).unwrap();
        let password = SecretString::from("a b  c ");
        let digest = SecretString::from("c4c9334b");
        let response = SecretString::from("AGFubmEAYg==");
        for (command, line) in [
            (Command::Apop("anna", &digest), "APOP anna c4c9334b\r\n"),
            (
                Command::Auth("SCRAM-SHA-256", None),
                "AUTH SCRAM-SHA-256\r\n",
            ),
            (
                Command::Auth("PLAIN", Some(&response)),
                "AUTH PLAIN AGFubmEAYg==\r\n",
            ),
            (Command::Capa, "CAPA\r\n"),
            (Command::Dele(n), "DELE 17\r\n"),
            (Command::List, "LIST\r\n"),
            (Command::Noop, "NOOP\r\n"),
            (Command::Pass(&password), "PASS a b  c \r\n"),
            (Command::Quit, "QUIT\r\n"),
            (Command::Retr(n), "RETR 17\r\n"),
            (Command::Stat, "STAT\r\n"),
            (Command::Stls, "STLS\r\n"),
            (Command::Top(n, 0), "TOP 17 0\r\n"),
            (Command::Uidl, "UIDL\r\n"),
            (
                Command::User("anna@example.com"),
                "USER anna@example.com\r\n",
            ),
        ] {
            assert_eq!(encoded(command), line);
            assert_eq!(command.octets(), line.len());
        }
    }

    /// OPOP3:C0003. A line end in a password would be a second command.
    #[test]
    fn nothing_but_printable_ascii_is_ever_sent() {
        for text in [
            "",
            "a\r\nDELE 1",
            "a\nb",
            "a\0b",
            "pässword",
            "a\x7f",
            "tab\there",
        ] {
            let mut out = b"before".to_vec();
            let secret = SecretString::from(text);
            assert!(Command::User(text).encode(&mut out).is_err());
            assert!(Command::Pass(&secret).encode(&mut out).is_err());
            assert!(Command::Apop(text, &secret).encode(&mut out).is_err());
            assert!(Command::Auth(text, None).encode(&mut out).is_err());
            if !text.is_empty() {
                assert!(
                    Command::Auth("PLAIN", Some(&secret))
                        .encode(&mut out)
                        .is_err()
                );
            }
            assert_eq!(out, b"before");
        }
        let digest = SecretString::from("c4c9334b");
        let two_words = Command::Apop("anna b", &digest).encode(&mut Vec::new());
        assert!(two_words.is_err());
    }

    /// XPOP3:E0006: 1024 octets with CRLF are the largest value that any Exchange can be set to.
    #[test]
    fn a_command_longer_than_any_exchange_takes_is_never_sent() {
        let longest = "x".repeat(MAX_COMMAND - "USER \r\n".len());
        assert_eq!(encoded(Command::User(&longest)).len(), 1024);
        let mut out = Vec::new();
        let longer = SecretString::from(longest + "x");
        let keyword = Keyword::Pass;
        assert_eq!(
            Command::Pass(&longer).encode(&mut out),
            Err(Error::CommandTooLong {
                keyword,
                octets: 1025
            })
        );
        assert!(out.is_empty());
    }

    #[test]
    fn a_command_never_shows_the_password() {
        let secret = SecretString::from("hunter2");
        assert!(!format!("{:?}", Command::Pass(&secret)).contains("hunter2"));
        assert!(!format!("{:?}", Command::Apop("anna", &secret)).contains("hunter2"));
        assert!(!format!("{:?}", Command::Auth("PLAIN", Some(&secret))).contains("hunter2"));
    }
}
