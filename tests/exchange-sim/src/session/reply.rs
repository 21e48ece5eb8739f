//! Status lines, and the effects of an `-ERR`.

use super::{Phase, Session};
use crate::knobs::{CloseAfterErr, CloseHow, StatusCase};
use crate::profile::{MODERN_GREETING, Profile};
use crate::text::Text;

impl Session {
    /// The text as knobs and profile have it.
    pub(super) fn text(&self, text: Text) -> Vec<u8> {
        if let Some(own) = self.knobs.texts.get(&text) {
            return own.clone();
        }
        if text == Text::Greeting
            && self.knobs.modern_2007_banner
            && self.site.profile == Profile::Ex2007
        {
            return MODERN_GREETING.as_bytes().to_vec();
        }
        self.site.profile.text(text).into_bytes()
    }

    /// A status line with its line end.
    pub(super) fn status(&self, positive: bool, text: &[u8]) -> Vec<u8> {
        let indicator = match (positive, self.knobs.status_case) {
            (true, StatusCase::Upper) => "+OK",
            (true, StatusCase::Lower) => "+ok",
            (true, StatusCase::Mixed) => "+Ok",
            (false, StatusCase::Upper) => "-ERR",
            (false, StatusCase::Lower) => "-err",
            (false, StatusCase::Mixed) => "-Err",
        };
        let mut line = indicator.as_bytes().to_vec();
        if !text.is_empty() {
            line.extend_from_slice(self.knobs.sep.between().as_bytes());
            line.extend_from_slice(text);
        }
        if positive && self.knobs.eight_bit_text {
            line.extend_from_slice(" gr\u{fc}\u{df}e \u{202e}\u{1f4e7}".as_bytes());
        }
        line.extend_from_slice(self.knobs.sep.trailing().as_bytes());
        line.extend_from_slice(if self.knobs.bare_lf.status {
            b"\n"
        } else {
            b"\r\n"
        });
        line
    }

    pub(super) fn ok(&mut self, text: Text) {
        let text = self.text(text);
        self.ok_text(&text);
    }

    pub(super) fn ok_text(&mut self, text: &[u8]) {
        let line = self.status(true, text);
        self.push_octets(line);
    }

    /// A positive answer of fields, with the extra text of the knob behind them.
    pub(super) fn ok_fields(&mut self, fields: &[&[u8]]) {
        let mut text = fields.join(self.knobs.sep.between().as_bytes());
        self.add_extra(&mut text);
        self.ok_text(&text);
    }

    /// OPOP3:C0017, C0021, C0038: text may follow the fields of STAT, LIST and UIDL.
    pub(super) fn add_extra(&self, line: &mut Vec<u8>) {
        if let Some(extra) = &self.knobs.extra {
            line.extend_from_slice(self.knobs.sep.between().as_bytes());
            line.extend_from_slice(extra.as_bytes());
        }
    }

    pub(super) fn err(&mut self, text: Text) {
        let text = self.text(text);
        self.err_text(&text);
    }

    pub(super) fn err_text(&mut self, text: &[u8]) {
        let line = self.status(false, text);
        self.push_octets(line);
        self.errors += 1;
        let closes = match self.knobs.close_after_err {
            CloseAfterErr::Always => true,
            CloseAfterErr::After(n) => self.errors >= n,
            CloseAfterErr::Never | CloseAfterErr::OnLogin(_) => false,
        };
        if closes {
            self.close(CloseHow::Fin);
        }
    }

    /// Refuses a login: the next one begins anew with USER or AUTH.
    pub(super) fn refuse_login(&mut self, text: &[u8]) {
        self.phase = Phase::Start(None);
        if !self.knobs.refusal_delay.is_zero() {
            let by = self.knobs.refusal_delay;
            self.out.push_back(super::output::Piece::Delay(by));
        }
        self.refused_logins += 1;
        let closes = match self.knobs.close_after_err {
            CloseAfterErr::OnLogin(n) => self.refused_logins >= n,
            _ => false,
        };
        self.err_text(text);
        if closes {
            self.close(CloseHow::Fin);
        }
    }

    /// A refusal for bad credentials: with resp_codes it says so (RFC 3206 §4).
    pub(super) fn refuse_credentials(&mut self, text: Text) {
        let mut line = Vec::new();
        if self.knobs.resp_codes {
            line.extend_from_slice(b"[AUTH] ");
        }
        line.extend_from_slice(&self.text(text));
        self.refuse_login(&line);
    }

    pub(super) fn max_command(&self) -> usize {
        let own = self.knobs.max_command;
        own.unwrap_or_else(|| self.site.profile.max_command())
    }
}
