//! The AUTHORIZATION state: USER, PASS, AUTH and STLS.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::maildrop::Maildrop;
use super::output::Piece;
use super::{Phase, Session};
use crate::clock::lock;
use crate::directory::Opened;
use crate::knobs::{CloseHow, LoginType, SaslOdd, StlsStrip};
use crate::profile::Profile;
use crate::sasl::{Context, Dialogue, Outcome};
use crate::text::Text;

impl Session {
    /// True if a login is allowed now that may show the password (XPOP3:V0010).
    fn may_log_in(&self, shows_password: bool) -> bool {
        let own = self.knobs.login_type;
        match own.unwrap_or_else(|| self.site.profile.login_type()) {
            LoginType::PlainText => true,
            LoginType::PlainTextAuthentication => self.tls || !shows_password,
            LoginType::Secure => self.tls,
        }
    }

    /// Positive for any name, known or not (XPOP3:V0008, V0009).
    pub(super) fn user(&mut self, name: &[u8]) {
        if self.knobs.refuse_user || !self.may_log_in(true) {
            self.phase = Phase::Start(None);
            return self.err(Text::WrongState);
        }
        self.phase = Phase::Start(Some(name.to_vec()));
        self.ok(Text::User);
    }

    pub(super) fn pass(&mut self, password: &[u8]) {
        let Phase::Start(Some(name)) = &self.phase else {
            return self.err(Text::WrongState);
        };
        let name = String::from_utf8_lossy(name).into_owned();
        match self.site.directory.log_in(&name, password) {
            Some(opened) => self.log_in(opened, Text::LoggedOn, Text::LogonFailure),
            None => self.refuse_credentials(Text::LogonFailure),
        }
    }

    /// The credentials are good; the login may still be refused.
    fn log_in(&mut self, opened: Opened, good: Text, bad: Text) {
        if self.knobs.wrong_site && self.site.profile == Profile::Ex2007 {
            return self.refuse_credentials(bad); // XPOP3:C0010
        }
        if let Some(refusal) = &self.knobs.refuse_logins {
            let refused = self.tuned.refused.fetch_add(1, Ordering::SeqCst);
            if refusal.times.is_none_or(|times| refused < times) {
                let text = refusal.text.clone().into_bytes();
                return self.refuse_login(&text);
            }
        }
        let mailbox = &opened.mailbox;
        let too_soon = |wait: Option<Duration>, since: Option<Duration>| match (wait, since) {
            (Some(wait), Some(since)) => since < wait,
            _ => false,
        };
        let wait = self
            .knobs
            .login_delay
            .map(|seconds| Duration::from_secs(seconds.into()));
        if too_soon(wait, mailbox.since_login()) {
            let text = self.text(Text::LoginDelay);
            return self.refuse_login(&text);
        }
        if too_soon(self.knobs.busy_after_quit, mailbox.since_quit()) {
            let text = self.text(Text::InUse);
            return self.refuse_login(&text);
        }
        let most = self.knobs.max_connections_per_user;
        if !self.site.directory.enter(&opened.user, most) {
            return self.refuse_credentials(bad);
        }
        self.entered = Some(opened.user.clone());
        lock(&self.transcript).user = Some(opened.user.clone());
        let login = mailbox.note_login();
        let maildrop = Maildrop::take(opened, login, &self.knobs);
        self.phase = Phase::Transaction(Box::new(maildrop));
        self.ok(good);
    }

    pub(super) fn auth(&mut self, args: &[Vec<u8>]) {
        if self.knobs.auth_after_user_breaks && matches!(self.phase, Phase::Start(Some(_))) {
            return self.close(CloseHow::Fin);
        }
        self.phase = Phase::Start(None);
        let Some(name) = args.first() else {
            return self.list_mechanisms();
        };
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        let broken = self.knobs.broken_mechanisms.iter();
        if let Some(broken) = broken.into_iter().find(|broken| broken.name == name) {
            if broken.closes {
                return self.close(CloseHow::Fin);
            }
            return self.err(Text::UnknownCommand);
        }
        let offered = self.mechanisms().contains(&name);
        let dialogue = match Dialogue::begin(&name) {
            Some(dialogue) if offered || self.knobs.unannounced_mechanisms.contains(&name) => {
                dialogue
            }
            _ => return self.err(Text::UnknownCommand),
        };
        if !self.may_log_in(dialogue.shows_password()) {
            return self.err(Text::WrongState);
        }
        let initial = args.get(1);
        if name == "XOAUTH2" && initial.is_some() && !self.knobs.xoauth2_inline {
            // Exchange Online takes the token on a line of its own only.
            self.err(Text::TooLong);
            return self.close(CloseHow::Fin);
        }
        self.phase = Phase::Sasl(dialogue);
        match initial {
            None => self.sasl_step(None),
            // RFC 5034 §4: `=` is an empty initial response.
            Some(initial) if initial == b"=" => self.sasl_step(Some(&[])),
            Some(initial) => self.sasl_line(initial),
        }
    }

    /// A line of a SASL exchange, without its line end.
    pub(super) fn sasl_line(&mut self, line: &[u8]) {
        if line == b"*" {
            self.phase = Phase::Start(None);
            return self.err(Text::Cancelled);
        }
        match STANDARD.decode(line) {
            Ok(message) => self.sasl_step(Some(&message)),
            Err(_) => {
                let text = match &self.phase {
                    Phase::Sasl(dialogue) => dialogue.refusal(),
                    _ => Text::LogonFailure,
                };
                self.refuse_credentials(text);
            }
        }
    }

    fn sasl_step(&mut self, message: Option<&[u8]>) {
        let Phase::Sasl(dialogue) = &mut self.phase else {
            return;
        };
        let context = Context {
            directory: &self.site.directory,
            knobs: &self.knobs,
            binding: self.binding.as_deref(),
        };
        let first = dialogue.steps() == 0;
        let outcome = dialogue.step(&context, message);
        let (good, bad) = (dialogue.acceptance(), dialogue.refusal());
        // Exchange 2003 answers AUTH NTLM with +OK where a prompt is due.
        let ok_prompt = self.site.profile == Profile::Ex2003 && dialogue.name() == "NTLM";
        match (outcome, &self.knobs.sasl_odd) {
            (_, Some(SaslOdd::Endless)) => self.push_octets(b"+ \r\n".to_vec()),
            (Outcome::Challenge(_), Some(SaslOdd::NotBase64)) => {
                self.push_octets(b"+ ***not base64***\r\n".to_vec());
            }
            (Outcome::Challenge(_), Some(SaslOdd::Huge)) if first => {
                let challenge = STANDARD.encode(vec![b'x'; 48 * 1024]);
                self.push_octets(format!("+ {challenge}\r\n").into_bytes());
            }
            (Outcome::Challenge(challenge), odd) if challenge.is_empty() => {
                let line = match odd {
                    Some(SaslOdd::PlusOnly) => "+\r\n".to_owned(),
                    Some(SaslOdd::Text(text)) => format!("+ {text}\r\n"),
                    Some(SaslOdd::OkPrompt) => "+OK\r\n".to_owned(),
                    _ if first && ok_prompt => "+OK\r\n".to_owned(),
                    _ => "+ \r\n".to_owned(),
                };
                self.push_octets(line.into_bytes());
            }
            (Outcome::Challenge(challenge), _) => {
                self.push_octets(format!("+ {}\r\n", STANDARD.encode(challenge)).into_bytes());
            }
            (Outcome::Accept(opened), _) => {
                self.phase = Phase::Start(None);
                self.log_in(opened, good, bad);
            }
            (Outcome::Refuse, _) => self.refuse_credentials(bad),
        }
    }

    pub(super) fn stls(&mut self) {
        let strip = self.knobs.stls_strip;
        let refused = matches!(strip, Some(StlsStrip::Absent | StlsStrip::Refused));
        if !self.may_stls() || refused {
            return self.err(Text::WrongState);
        }
        self.ok(Text::BeginTls);
        if let Some(octets) = self.knobs.stls_inject.clone() {
            self.push_octets(octets);
        }
        self.out.push_back(Piece::StartTls);
        // RFC 2595 §4: earlier knowledge is dropped, on this side too.
        self.phase = Phase::Start(None);
        self.pipelining_offered = false;
        self.drop_clear_text();
    }

    /// Drops input in the clear between STLS and the handshake, and reports it.
    pub(super) fn drop_clear_text(&mut self) {
        let behind = self.input.clear();
        if behind > 0 {
            self.note(format!(
                "{behind} octets in the clear behind STLS thrown away"
            ));
            self.violation("octets in the clear behind STLS");
        }
    }
}
