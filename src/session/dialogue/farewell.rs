//! Reads on where a server may have ended the session, until that is sure.

use tokio::io::AsyncReadExt;

use super::{Dialogue, LAST_WORDS};
use crate::pop3::{self, Response};
use crate::session::refusal::shown;
use crate::session::{Error, pace};

impl Dialogue {
    /// The error as it is meant, once the octets behind it are read.
    pub(in crate::session) async fn settle(&mut self, error: Error) -> Error {
        match error {
            Error::Farewell { notice, .. } => self.behind_farewell(notice).await,
            Error::Protocol {
                fault: pop3::Error::Leftover { .. },
                ..
            } => self.unasked_farewell().await.unwrap_or(error),
            error => error,
        }
    }

    /// The word came in the place of an answer. The commands that were on their way behind it may
    /// have the same answer; where more comes than that, it was none.
    async fn behind_farewell(&mut self, notice: String) -> Error {
        let mut rest = self.input[self.start..self.end].to_vec();
        let (is_closed, more) = self.rest().await;
        rest.extend_from_slice(more);
        let lines = rest.split_inclusive(|&octet| octet == b'\n');
        let is_negative = |line: &[u8]| line.first() == Some(&b'-') && line.ends_with(b"\r\n");
        let count = lines.clone().count();
        if count > self.connection.outstanding() || !lines.clone().all(is_negative) {
            rest.truncate(pop3::LEFTOVER_SHOWN);
            return self.protocol(pop3::Error::Leftover { text: rest });
        }
        Error::Farewell { notice, is_closed }
    }

    /// The farewell, where the octets that nobody asked for are one: one negative line, and then the
    /// end.
    async fn unasked_farewell(&mut self) -> Option<Error> {
        let said = &self.input[self.start..self.end];
        let line = said.strip_suffix(b"\r\n")?;
        if line.first() != Some(&b'-') || line.contains(&b'\n') {
            return None;
        }
        let notice = shown(&self.secrets.without(Response::parse(line).text()));
        match self.rest().await {
            (true, b"") => Some(Error::Farewell {
                notice,
                is_closed: true,
            }),
            _ => None,
        }
    }

    /// Reads on for a moment. Gives whether the stream ended, and the octets before that.
    async fn rest(&mut self) -> (bool, &[u8]) {
        (self.start, self.end) = (0, 0);
        let (input, end) = (&mut self.input, &mut self.end);
        let reading = async {
            loop {
                match self.stream.read(&mut input[*end..]).await {
                    // The input may be full, too.
                    Ok(0) | Err(_) => return *end < input.len(),
                    Ok(octets) => *end += octets,
                }
            }
        };
        let ended = pace::within(LAST_WORDS.min(self.pace.timeout()), reading).await;
        (ended.unwrap_or(false), &self.input[..self.end])
    }
}
