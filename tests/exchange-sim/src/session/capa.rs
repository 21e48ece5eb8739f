//! CAPA, and the list of AUTH without argument.

use std::sync::atomic::Ordering;

use super::output::{NextRow, Piece, Rows};
use super::{Phase, Session};
use crate::knobs::{CapaOdd, Missing, StlsStrip};
use crate::profile::Profile;
use crate::text::Text;
use crate::transcript::KeptRows;

impl Session {
    pub(super) fn capa(&mut self) {
        let lines = self.capabilities();
        self.pipelining_offered = lines
            .iter()
            .any(|line| line.trim().eq_ignore_ascii_case("PIPELINING"));
        if self.pipelining_offered {
            self.site.pipelining_known.store(true, Ordering::Relaxed);
        }
        self.ok(Text::Capabilities);
        let odd = self.knobs.capa_odd.clone();
        let mut lines: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
        for odd in &odd {
            match odd {
                CapaOdd::LowerCase => {
                    lines
                        .iter_mut()
                        .for_each(|line| line.make_ascii_lowercase());
                }
                CapaOdd::DoubleBlanks => {
                    for line in &mut lines {
                        *line = line
                            .split(|octet| *octet == b' ')
                            .collect::<Vec<_>>()
                            .join(&b"  "[..]);
                    }
                }
                CapaOdd::Empty => lines.clear(),
                CapaOdd::LongLine(octets) => {
                    let mut line = b"X-LONG ".to_vec();
                    line.resize(octets.saturating_sub(2), b'x');
                    lines.push(line);
                }
                CapaOdd::UnknownTags => {
                    lines.push(b"X-SIMULATED one two=3".to_vec());
                    lines.push(Vec::new());
                    lines.push(b"X!#$%&'()*+,-./:;<=>?@[]^_`{|}~".to_vec());
                }
                CapaOdd::LeadingDot => lines.push(b"..X-DOT".to_vec()),
                CapaOdd::Endless => {}
            }
        }
        let endless = odd.contains(&CapaOdd::Endless);
        let end = self.listing_line_end();
        let mut lines = lines.into_iter();
        let mut count = 0_u64;
        self.push_rows(Box::new(move |out| {
            match lines.next() {
                Some(line) => out.extend_from_slice(&line),
                None if endless => {
                    count += 1;
                    out.extend_from_slice(format!("X-ENDLESS-{count}").as_bytes());
                }
                None => return false,
            }
            out.extend_from_slice(end);
            true
        }));
        self.push_terminator();
    }

    pub(super) fn push_rows(&mut self, next: NextRow) {
        self.out.push_back(Piece::Rows(Rows {
            next,
            kept: KeptRows::default(),
        }));
    }

    pub(super) fn listing_line_end(&self) -> &'static [u8] {
        if self.knobs.bare_lf.listing {
            b"\n"
        } else {
            b"\r\n"
        }
    }

    /// The end of LIST, UIDL and CAPA (OPOP3:V0002: text may follow the dot).
    pub(super) fn push_terminator(&mut self) {
        let mut line = self.knobs.term.clone().unwrap_or_else(|| b".".to_vec());
        line.extend_from_slice(self.listing_line_end());
        line.extend(self.knobs.term_then_more.iter().flatten());
        self.push_octets(line);
    }

    /// The mechanisms that work now.
    pub(super) fn mechanisms(&self) -> Vec<String> {
        let own = match self.tls {
            false => &self.knobs.mechanisms_plain,
            true => &self.knobs.mechanisms_tls,
        };
        match own {
            Some(own) => own.clone(),
            None => {
                let names = self.site.profile.mechanisms(self.tls);
                names.iter().map(|name| (*name).to_owned()).collect()
            }
        }
    }

    fn capabilities(&self) -> Vec<String> {
        let knobs = &self.knobs;
        let own = match &self.phase {
            Phase::Transaction(_) if knobs.capa_after_login.is_some() => &knobs.capa_after_login,
            _ if self.tls => &knobs.capa_tls,
            _ => &knobs.capa_plain,
        };
        let mut lines = match own {
            Some(own) => own.clone(),
            None => self.profile_capabilities(),
        };
        let mut add = |line: &str| {
            if !lines.iter().any(|known| known == line) {
                lines.push(line.to_owned());
            }
        };
        if knobs.pipelining {
            add("PIPELINING");
        }
        if knobs.resp_codes {
            add("RESP-CODES");
            add("AUTH-RESP-CODE");
        }
        if let Some(seconds) = knobs.login_delay {
            add(&format!("LOGIN-DELAY {seconds} USER"));
        }
        if let Some(days) = &knobs.expire {
            add(&format!("EXPIRE {days}"));
        }
        if knobs.utf8 {
            add("UTF8");
            add("LANG");
        }
        knobs.capa_extra.iter().for_each(|line| add(line));
        lines
    }

    /// The lines in the order of the transcripts.
    fn profile_capabilities(&self) -> Vec<String> {
        let knobs = &self.knobs;
        let mut mechanisms = self.mechanisms();
        mechanisms.extend(
            knobs
                .broken_mechanisms
                .iter()
                .map(|broken| broken.name.clone()),
        );
        let sasl = format!("SASL {}", mechanisms.join(" "));
        let order: &[&str] = match self.site.profile {
            Profile::Ex2003 => &["TOP", "USER", "PIPELINING", "EXPIRE NEVER", "UIDL", &sasl],
            _ => &["TOP", "UIDL", &sasl, "USER", "STLS"],
        };
        let hidden = |missing: Option<Missing>| {
            matches!(missing, Some(Missing::Absent | Missing::Unannounced))
        };
        let hides_stls = matches!(
            knobs.stls_strip,
            Some(StlsStrip::Absent | StlsStrip::Unannounced)
        );
        let shown = |line: &&&str| match **line {
            "TOP" => !hidden(knobs.no_top),
            "UIDL" => !hidden(knobs.no_uidl),
            "STLS" => self.may_stls() && !hides_stls,
            "EXPIRE NEVER" => knobs.expire.is_none(),
            line if line == sasl => !mechanisms.is_empty(),
            _ => true,
        };
        let lines = order.iter().filter(shown);
        lines.map(|line| (*line).to_owned()).collect()
    }

    /// AUTH without argument lists the mechanisms (MS-POP3 §2.2.1).
    pub(super) fn list_mechanisms(&mut self) {
        self.ok_text(b"");
        let end = self.listing_line_end();
        let mut lines = self.mechanisms().into_iter();
        self.push_rows(Box::new(move |out| {
            let Some(line) = lines.next() else {
                return false;
            };
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(end);
            true
        }));
        let line = [b".", end].concat();
        self.push_octets(line);
    }
}
