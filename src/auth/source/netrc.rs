//! `password-netrc`: the file `.netrc` of ftp(1), which curl and other programs also read.
//!
//! It is read only if the user asks for it. An entry counts if its `machine` is the server's host,
//! its `login`, if it has one, is the user, and its `port`, if it has one, is the server's;
//! `default` is every machine. The first entry that counts and has a password is used.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::time;

use super::{Error, Origin};
use crate::account::{Account, Server};
use crate::auth::private_file;
use crate::blocking;
use crate::patient::without_mark;

/// The maximum that is read: files of this kind are kilobytes.
const FILE_LIMIT: usize = 1 << 20;

/// The password in the file for the account.
pub(super) async fn content(
    path: PathBuf,
    account: &Account,
    limit: Duration,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let origin = Origin::Netrc(path.clone());
    let (server, user) = (account.server.clone(), account.user.clone());
    let reading = blocking::begin(move || read(&path, &server, &user));
    match time::timeout(limit, reading).await {
        Ok(Ok(result)) => result,
        Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
        Err(_) => Err(Error::TimedOut { origin, limit }),
    }
}

pub(super) fn read(path: &Path, server: &Server, user: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let path_of = || path.to_owned();
    let text = private_file::read(path, FILE_LIMIT).map_err(|error| Error::File {
        key: "password-netrc",
        path: path_of(),
        error,
    })?;
    match password(without_mark(&text), server, user) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(Error::NotInNetrc {
            path: path_of(),
            host: server.host.clone(),
            user: user.to_owned(),
        }),
        Err(line) => Err(Error::NetrcSyntax {
            path: path_of(),
            line,
        }),
    }
}

type Token = Zeroizing<Vec<u8>>;

/// The parts of an entry that matter.
struct Entry {
    is_for_host: bool,
    is_for_port: bool,
    login: Option<Token>,
    password: Option<Token>,
}

impl Entry {
    /// Its password, if the entry counts for this user.
    fn password(self, user: &str) -> Option<Token> {
        let is_for_user = self
            .login
            .is_none_or(|login| login.as_slice() == user.as_bytes());
        let counts = self.is_for_host && self.is_for_port && is_for_user;
        self.password.filter(|_| counts)
    }
}

/// True if the value of `port` is this server's: its number, or the name of the protocol.
fn is_port(value: &[u8], server: &Server) -> bool {
    let names: [&[u8]; 2] = [b"pop3", b"pop3s"];
    names.iter().any(|name| value.eq_ignore_ascii_case(name))
        || value == server.port.to_string().as_bytes()
}

/// The password for this user at this server, or the number of a line that makes no sense.
fn password(text: &[u8], server: &Server, user: &str) -> Result<Option<Token>, usize> {
    let mut words = Words {
        rest: text,
        line: 1,
    };
    let mut entry: Option<Entry> = None;
    loop {
        let Some(word) = words.keyword()? else {
            return Ok(entry.and_then(|entry| entry.password(user)));
        };
        match word.as_slice() {
            b"machine" | b"default" => {
                let is_for_host = word.as_slice() == b"default"
                    || words.value()?.eq_ignore_ascii_case(server.host.as_bytes());
                let begun = Entry {
                    is_for_host,
                    is_for_port: true,
                    login: None,
                    password: None,
                };
                if let Some(found) = entry.replace(begun).and_then(|ended| ended.password(user)) {
                    return Ok(Some(found));
                }
            }
            b"macdef" => {
                words.value()?;
                words.skip_macro();
            }
            b"login" | b"user" | b"password" | b"passwd" | b"port" | b"account" => {
                let value = words.value()?;
                let Some(entry) = &mut entry else {
                    return Err(words.line);
                };
                match word.as_slice() {
                    b"login" | b"user" => entry.login = Some(value),
                    b"password" | b"passwd" => entry.password = Some(value),
                    b"port" => entry.is_for_port = is_port(&value, server),
                    // A second password, which POP3 does not use.
                    _ => {}
                }
            }
            _ => return Err(words.line),
        }
    }
}

/// The rest of a file, word by word.
struct Words<'a> {
    rest: &'a [u8],
    line: usize,
}

impl Words<'_> {
    /// The next word, after comments.
    fn keyword(&mut self) -> Result<Option<Token>, usize> {
        loop {
            self.skip_blanks();
            if self.rest.first() != Some(&b'#') {
                return self.word();
            }
            self.skip_line();
        }
    }

    /// The value of a keyword. Here `#` is an ordinary character.
    fn value(&mut self) -> Result<Token, usize> {
        self.skip_blanks();
        self.word()?.ok_or(self.line)
    }

    fn word(&mut self) -> Result<Option<Token>, usize> {
        // Allocated once, with the maximum length: a buffer that grows leaves a copy behind.
        let mut word = Zeroizing::new(Vec::new());
        let Some(&first) = self.rest.first() else {
            return Ok(None);
        };
        if first != b'"' {
            let end = self.rest.iter().position(u8::is_ascii_whitespace);
            let (read, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            word.reserve_exact(read.len());
            word.extend_from_slice(read);
            self.rest = rest;
            return Ok(Some(word));
        }
        self.rest = &self.rest[1..];
        let longest = self.rest.iter().position(|octet| *octet == b'\n');
        word.reserve_exact(longest.unwrap_or(self.rest.len()));
        loop {
            let (&octet, rest) = self.rest.split_first().ok_or(self.line)?;
            self.rest = rest;
            match octet {
                b'"' => return Ok(Some(word)),
                b'\n' => return Err(self.line),
                b'\\' => {
                    let (&escaped, rest) = self.rest.split_first().ok_or(self.line)?;
                    self.rest = rest;
                    word.push(match escaped {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'\n' => return Err(self.line),
                        other => other,
                    });
                }
                octet => word.push(octet),
            }
        }
    }

    fn skip_blanks(&mut self) {
        while let Some((octet, rest)) = self.rest.split_first() {
            if !octet.is_ascii_whitespace() {
                return;
            }
            self.line += usize::from(*octet == b'\n');
            self.rest = rest;
        }
    }

    /// Skips a line. Returns true if it had any text.
    fn skip_line(&mut self) -> bool {
        let end = self.rest.iter().position(|octet| *octet == b'\n');
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        self.line += 1;
        !line.trim_ascii().is_empty()
    }

    /// Skips a macro, which ends with an empty line.
    fn skip_macro(&mut self) {
        self.skip_line();
        while !self.rest.is_empty() && self.skip_line() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Security;

    fn server() -> Server {
        Server {
            host: "mail.example.com".to_owned(),
            port: 995,
            security: Security::ImplicitTls,
        }
    }

    fn of(text: &str) -> Result<Option<String>, usize> {
        let found = password(text.as_bytes(), &server(), "anna")?;
        Ok(found.map(|found| String::from_utf8(found.to_vec()).unwrap()))
    }

    #[test]
    fn the_first_entry_for_host_and_user_gives_the_password() {
        for (text, expected) in [
            ("", None),
            ("machine mail.example.com login anna password p", Some("p")),
            (
                "machine MAIL.example.COM\n\tlogin anna\n\tpassword p\n",
                Some("p"),
            ),
            ("machine mail.example.com password p login anna", Some("p")),
            ("machine mail.example.com password p", Some("p")),
            ("machine mail.example.com login eva password e", None),
            ("machine mail.example.com login Anna password e", None),
            ("machine mail.example.com login anna", None),
            ("machine other login anna password o", None),
            ("machine example.com login anna password o", None),
            ("default login anna password d", Some("d")),
            ("default password d", Some("d")),
            (
                "machine mail.example.com login eva password e\n\
                 machine mail.example.com login anna password p\n\
                 default login anna password d",
                Some("p"),
            ),
            (
                "machine mail.example.com login anna account x password p\r\nmachine o\r\n",
                Some("p"),
            ),
            (
                "# machine x\nmachine mail.example.com # here\n login anna password #p",
                Some("#p"),
            ),
            (
                r#"machine mail.example.com login "anna" password "a \"b\\ c""#,
                Some("a \"b\\ c"),
            ),
            (
                "macdef init\nmachine mail.example.com login anna password m\n\n\
                 machine mail.example.com login anna password p",
                Some("p"),
            ),
            (
                "machine mail.example.com login anna password p\nmacdef x\nquit",
                Some("p"),
            ),
            (
                "machine mail.example.com port 995 login anna password p",
                Some("p"),
            ),
            (
                "machine mail.example.com login anna password p port POP3S",
                Some("p"),
            ),
            (
                "machine mail.example.com port pop3 login anna password p",
                Some("p"),
            ),
            (
                "machine mail.example.com port 993 login anna password i\n\
                 machine mail.example.com port imap login anna password i\n\
                 machine mail.example.com port 0995 login anna password i\n\
                 machine mail.example.com port 995 login anna password p",
                Some("p"),
            ),
            ("default port 110 login anna password d", None),
            (
                "machine machine login anna password o machine mail.example.com password password",
                Some("password"),
            ),
        ] {
            assert_eq!(of(text), Ok(expected.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named_by_its_line() {
        for (text, line) in [
            ("password p", 1),
            ("machine", 1),
            ("machine m\nlogin", 2),
            ("machine m port", 1),
            ("port 995", 1),
            ("machine m\n\n login a\n passwort p", 4),
            ("machine m login \"a\n\" password p", 1),
            ("machine m password \"a", 1),
            ("# x\nmachine m password \"a\\", 2),
        ] {
            assert_eq!(of(text), Err(line), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_odd(text: Vec<u8>) {
            let _ = password(&text, &server(), "anna");
        }
    }
}
