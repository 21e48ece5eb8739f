//! Dovecot in the suite of all; `tests/dovecot` asks it for more.

use crate::alteration::{Alteration, BARE_LF, FIRST_DOT, LAST_LINE};
use crate::server::{Server, USER};
use support::dovecot::Dovecot;
use support::mail::Mail;

impl Server for Dovecot {
    const NAME: &'static str = "Dovecot";
    const UNIQUE_IDS: &'static str = "the validity and the unique identifier of IMAP";
    const TOLERATED: &'static [&'static str] = &["OPOP3:C0021"];
    const PROBED: &'static [&'static str] = &[
        "TLS 1.3",
        "announced; three commands in one write are answered in order",
        "hexadecimal; 16 octets",
        "message 41: listed 0, sent 2",
        "exact for 3 of 4 retrieved",
    ];
    const ALTERATIONS: &'static [Alteration] = &[BARE_LF, LAST_LINE, FIRST_DOT];

    fn start() -> Self {
        Self::start()
    }

    fn url(&self) -> String {
        self.pop3s(USER)
    }

    fn trust(&self) -> Vec<String> {
        vec!["--ca-file".to_owned(), self.ca_file().display().to_string()]
    }

    fn plain_port(&self) -> u16 {
        Self::plain_port(self)
    }

    fn deliver(&self, mails: &[Mail]) {
        self.deliver_all(USER, mails);
    }
}

crate::suite!(Dovecot);
