//! HTTP's CONNECT (RFC 9110 §9.3.6), with Basic authentication (RFC 7617) where there is a
//! user.
//!
//! The head of the answer ends with an empty line; whatever comes behind it is already the
//! server's, and stays for the next reader.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{ProxyError, broken};
use crate::account::Server;
use crate::auth::secrets::Secrets;
use crate::pop3::Printable;
use crate::session::Stream;

/// The most that the heads of the answer may have together.
const HEAD: usize = 16 * 1024;

/// The most of a reason phrase that is passed on.
const REASON: usize = 200;

/// Asks for a connection to the server, with user and password where there are any.
pub(super) async fn connect(
    mut stream: TcpStream,
    login: Option<(&str, &[u8])>,
    server: &Server,
) -> Result<Box<dyn Stream>, ProxyError> {
    let request = request(login, server);
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    drop(request);
    let secrets = Secrets::of(login.map(|(_, password)| password));
    let mut reader = BufReader::new(stream);
    let mut left = HEAD;
    loop {
        let (status, reason) = head(&mut reader, &mut left, &secrets).await?;
        match status {
            // RFC 9110 §15.2: more than one may come before the answer.
            100 | 102..=199 => {}
            200..=299 => break,
            407 if login.is_none() => return Err(ProxyError::LoginWanted),
            407 => return Err(ProxyError::Authentication(Some(reason))),
            _ => return Err(ProxyError::Refused(format!("`{reason}`"))),
        }
    }
    if reader.buffer().is_empty() {
        return Ok(Box::new(reader.into_inner()));
    }
    Ok(Box::new(reader))
}

fn request(login: Option<(&str, &[u8])>, server: &Server) -> Zeroizing<String> {
    // Long enough for the longest of everything, so that no copy is left behind by growing.
    let mut request = Zeroizing::new(String::with_capacity(4096));
    let server = server.to_string();
    for part in ["CONNECT ", &server, " HTTP/1.1\r\nHost: ", &server, "\r\n"] {
        request.push_str(part);
    }
    if let Some((user, password)) = login {
        let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.len()));
        pair.extend(user.as_bytes());
        pair.push(b':');
        pair.extend(password);
        request.push_str("Proxy-Authorization: Basic ");
        STANDARD.encode_string(&*pair, &mut request);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request
}

/// Reads one head; gives the status, and the status line made safe to show.
async fn head(
    reader: &mut BufReader<TcpStream>,
    left: &mut usize,
    secrets: &Secrets,
) -> Result<(u16, String), ProxyError> {
    let first = line(reader, left).await?;
    let status = status(&first).ok_or(ProxyError::Protocol("HTTP"))?;
    while !line(reader, left).await?.is_empty() {}
    let shown = secrets.without(first.get("HTTP/1.x ".len()..).unwrap_or_default());
    let shown = &shown[..shown.len().min(REASON)];
    Ok((status, Printable(shown).to_string()))
}

/// `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let [b'0'..=b'9', b' ', digits @ ..] = rest else {
        return None;
    };
    let (digits, behind) = digits.split_at_checked(3)?;
    let ends = behind.first().is_none_or(|octet| *octet == b' ');
    let text = str::from_utf8(digits).ok()?;
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    (ends && is_number).then(|| text.parse().ok())?
}

/// A line without its end, CRLF or LF (RFC 9112 §2.2).
async fn line(reader: &mut BufReader<TcpStream>, left: &mut usize) -> Result<Vec<u8>, ProxyError> {
    let mut line = Vec::new();
    let limit = u64::try_from(*left).unwrap_or(u64::MAX);
    let read = reader
        .take(limit)
        .read_until(b'\n', &mut line)
        .await
        .map_err(broken)?;
    *left -= read;
    match line.strip_suffix(b"\n") {
        Some(text) => Ok(text.strip_suffix(b"\r").unwrap_or(text).to_vec()),
        None if *left == 0 => Err(ProxyError::Endless(HEAD)),
        // RFC 9112 §8: a head that is cut short. What came may not be HTTP at all.
        None if line.is_empty()
            || b"HTTP/1.".starts_with(&line)
            || line.starts_with(b"HTTP/1.") =>
        {
            Err(ProxyError::Closed)
        }
        None => Err(ProxyError::Protocol("HTTP")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read_strictly() {
        for (line, expected) in [
            ("HTTP/1.1 200 Connection established", Some(200)),
            ("HTTP/1.0 200", Some(200)),
            ("HTTP/1.1 407 ", Some(407)),
            ("HTTP/2 200 OK", None),
            ("HTTP/1.1 2000 OK", None),
            ("HTTP/1.1 +20 OK", None),
            ("HTTP/1.1  20 OK", None),
            ("HTTP/1.1 20", None),
            ("HTTP/1.1\t200 OK", None),
            ("http/1.1 200 OK", None),
            ("+OK POP3 ready", None),
            ("", None),
        ] {
            assert_eq!(status(line.as_bytes()), expected, "{line:?}");
        }
    }
}
