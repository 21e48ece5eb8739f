//! Server URLs: `pop3s://[user@]host[:port]` and `pop3://…`.
//!
//! The scheme says how the connection is protected, nothing else does. A user name in the URL
//! may hold an `@` of its own, since most are mail addresses: the last `@` ends it.

use std::borrow::Cow;
use std::str::FromStr;

use crate::account::Security;
use crate::exit::Exit;
use crate::failure::Failure;

/// A server as a URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    /// Host name or address, without brackets.
    pub host: String,
    /// The port, where the URL names one.
    pub port: Option<u16>,
    /// True for `pop3s://`.
    pub implicit_tls: bool,
    /// The user name, percent-decoded, where the URL names one.
    pub user: Option<String>,
}

impl ServerUrl {
    /// How the connection is protected, given whether plain text is allowed.
    pub(crate) fn security(&self, plain_allowed: bool) -> Security {
        match (self.implicit_tls, plain_allowed) {
            (true, _) => Security::ImplicitTls,
            (false, false) => Security::Stls,
            (false, true) => Security::Plain,
        }
    }
}

/// Why a text is not the URL of a server. Never holds the text: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UrlError {
    /// A `%` is not followed by two hexadecimal digits, or what it stands for is not UTF-8.
    #[error("the user name in the server URL is not well percent-encoded")]
    Encoding,
    /// The host cannot be one.
    #[error("the server URL has no valid host name")]
    Host,
    /// `user:password@`.
    #[error("the server URL holds a password, which would show in process lists and in files")]
    Password,
    /// Something follows the host.
    #[error("the server URL has a path, which means nothing for POP3")]
    Path,
    /// Not a number from 1 to 65535.
    #[error("the port of the server URL is not a number from 1 to 65535")]
    Port,
    /// Neither `pop3s://` nor `pop3://`.
    #[error("the server is not a URL that begins with `pop3s://` or `pop3://`")]
    Scheme,
}

impl Failure for UrlError {
    /// That of a file; on a command line the error that holds this one knows better.
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Encoding => "in a URL, write `%` as `%25`, or give the name with `user`",
            Self::Host => {
                "write `pop3s://mail.example.com`; IPv6 in brackets: `pop3s://[2001:db8::1]`; \
                 names outside ASCII in their `xn--` form"
            }
            Self::Password => {
                "leave the password out, and use `password-command` or `password-file`; \
                 a `:` that belongs to the user name is written `%3A`"
            }
            Self::Path => "write it as `pop3s://mail.example.com`, with `:PORT` where needed",
            Self::Port => "leave it out for the usual one: 995 for `pop3s://`, 110 for `pop3://`",
            Self::Scheme => {
                "write `pop3s://mail.example.com` (TLS, port 995) \
                 or `pop3://mail.example.com` (STLS, port 110)"
            }
        };
        Some(hint.into())
    }
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::Scheme)?;
        let implicit_tls = match scheme.to_ascii_lowercase().as_str() {
            "pop3s" => true,
            "pop3" => false,
            _ => return Err(UrlError::Scheme),
        };
        let (user, server) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(UrlError::Password),
            Some((user, server)) => (Some(percent_decode(user)?), server),
            None => (None, rest),
        };
        let server = server.strip_suffix('/').unwrap_or(server);
        if server.contains(['/', '?', '#']) {
            return Err(UrlError::Path);
        }
        let (host, port) = host_and_port(server)?;
        Ok(Self {
            host,
            port,
            implicit_tls,
            user,
        })
    }
}

pub(super) fn host_and_port(server: &str) -> Result<(String, Option<u16>), UrlError> {
    let (host, port) = if let Some(rest) = server.strip_prefix('[') {
        let (literal, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
        let host = address(literal).ok_or(UrlError::Host)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(UrlError::Host),
        }
    } else {
        let (host, port) = server
            .split_once(':')
            .map_or((server, None), |(host, port)| (host, Some(port)));
        let valid = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if host.is_empty() || host.len() > 255 || !host.chars().all(valid) {
            return Err(UrlError::Host);
        }
        (host.to_owned(), port)
    };
    Ok((host, port.map(port_number).transpose()?))
}

/// An IPv6 address as it stands between brackets. A zone follows a `%` (RFC 4007 §11), which in a
/// URL may be encoded (RFC 6874 §2): `fe80::1%eth0`, `fe80::1%25eth0`.
fn address(literal: &str) -> Option<String> {
    let (address, zone) = match literal.split_once('%') {
        None => (literal, None),
        Some((address, zone)) => {
            let encoded = zone.strip_prefix("25").filter(|name| !name.is_empty());
            (address, Some(encoded.unwrap_or(zone)))
        }
    };
    address.parse::<std::net::Ipv6Addr>().ok()?;
    let Some(zone) = zone else {
        return Some(address.to_owned());
    };
    let valid = |c: char| c.is_ascii_alphanumeric() || "-._~:".contains(c);
    let is_zone = !zone.is_empty() && zone.chars().all(valid);
    is_zone.then(|| format!("{address}%{zone}"))
}

fn port_number(digits: &str) -> Result<u16, UrlError> {
    match digits.parse() {
        // `parse` takes a sign, too.
        Ok(number) if number != 0 && !digits.starts_with('+') => Ok(number),
        _ => Err(UrlError::Port),
    }
}

pub(super) fn percent_decode(text: &str) -> Result<String, UrlError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(UrlError::Encoding);
        };
        decoded.push(u8::try_from(high * 16 + low).map_err(|_| UrlError::Encoding)?);
    }
    String::from_utf8(decoded).map_err(|_| UrlError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scheme, user, host, port, as one line.
    fn read(url: &str) -> Result<String, UrlError> {
        let url: ServerUrl = url.parse()?;
        Ok(format!(
            "{} {} {} {}",
            if url.implicit_tls { "tls" } else { "stls" },
            url.user.as_deref().unwrap_or("-"),
            url.host,
            url.port
                .map_or_else(|| "-".to_owned(), |port| port.to_string()),
        ))
    }

    #[test]
    fn a_url_names_server_protection_and_user() {
        let table = [
            ("pop3s://mail.example.com", "tls - mail.example.com -"),
            ("pop3://mail.example.com", "stls - mail.example.com -"),
            ("POP3S://Mail.Example.com/", "tls - Mail.Example.com -"),
            (
                "pop3s://anna@mail.example.com",
                "tls anna mail.example.com -",
            ),
            (
                "pop3s://anna@example.com@mail.example.com:1995",
                "tls anna@example.com mail.example.com 1995",
            ),
            (
                "pop3s://anna%40example.com@mail.example.com",
                "tls anna@example.com mail.example.com -",
            ),
            ("pop3s://a%3Ab%2fc@h", "tls a:b/c h -"),
            ("pop3://[2001:db8::1]:1110", "stls - 2001:db8::1 1110"),
            ("pop3://[::1]", "stls - ::1 -"),
            ("pop3://[fe80::1%eth0]", "stls - fe80::1%eth0 -"),
            (
                "pop3s://anna@[fe80::1%25eth0.7]:1995",
                "tls anna fe80::1%eth0.7 1995",
            ),
            ("pop3s://[fe80::1%2]:9", "tls - fe80::1%2 9"),
            ("pop3s://[fe80::1%25]", "tls - fe80::1%25 -"),
            ("pop3s://127.0.0.1:9", "tls - 127.0.0.1 9"),
            ("pop3s://@h", "tls  h -"),
        ];
        for (url, expected) in table {
            assert_eq!(read(url).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_server_url_is_refused() {
        let table = [
            ("mail.example.com", UrlError::Scheme),
            ("imaps://mail.example.com", UrlError::Scheme),
            ("pop3s:mail.example.com", UrlError::Scheme),
            ("pop3s://anna:secret@mail.example.com", UrlError::Password),
            ("pop3s://anna:s@cret@mail.example.com", UrlError::Password),
            ("pop3s://", UrlError::Host),
            ("pop3s://:995", UrlError::Host),
            ("pop3s://ma il", UrlError::Host),
            ("pop3s://mäil.example.com", UrlError::Host),
            ("pop3s://[::1", UrlError::Host),
            ("pop3s://[mail]", UrlError::Host),
            ("pop3s://[::1]995", UrlError::Host),
            ("pop3s://[fe80::1%]", UrlError::Host),
            ("pop3s://[fe80::1%a b]", UrlError::Host),
            ("pop3s://[fe80::1%a%b]", UrlError::Host),
            ("pop3s://[%eth0]", UrlError::Host),
            ("pop3s://mail%eth0", UrlError::Host),
            ("pop3s://::1", UrlError::Host),
            ("pop3s://h:", UrlError::Port),
            ("pop3s://h:0", UrlError::Port),
            ("pop3s://h:65536", UrlError::Port),
            ("pop3s://h:+95", UrlError::Port),
            ("pop3s://h/INBOX", UrlError::Path),
            ("pop3s://h?x", UrlError::Path),
            ("pop3s://a%4@h", UrlError::Encoding),
            ("pop3s://a%ff@h", UrlError::Encoding),
            ("pop3s://a%+1@h", UrlError::Encoding),
        ];
        for (url, expected) in table {
            assert_eq!(read(url), Err(expected), "{url}");
        }
    }
}
