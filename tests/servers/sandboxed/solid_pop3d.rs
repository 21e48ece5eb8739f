//! solid-pop3d: an mbox, the system's passwords, no TLS, no CAPA.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use super::mbox::{self, DELIVERY};
use crate::alteration::{Alteration, EVERY_LF};
use crate::inetd::Inetd;
use crate::sandbox::Sandbox;
use crate::server::{Server, USER};
use support::mail::Mail;

/// A running solid-pop3d.
pub(crate) struct SolidPop3d {
    // Sessions end before their sandbox.
    inetd: Inetd,
    sandbox: Sandbox,
}

impl Server for SolidPop3d {
    const NAME: &'static str = "solid-pop3d";
    const UNIQUE_IDS: &'static str = "the content";
    const TOLERATED: &'static [&'static str] = &["OPOP3:C0041"];
    const PROBED: &'static [&'static str] = &[
        "without TLS",
        "no CAPA",
        "not announced",
        "exact, by 4 of 4 retrieved",
        "hexadecimal; 32 octets",
        "no CAPA; USER and PASS work",
        "ids given before",
    ];
    const ALTERATIONS: &'static [Alteration] = &[DELIVERY, SEPARATOR, EVERY_LF];
    /// It computes the unique-id from the content.
    const TWINS_ARE_ONE: bool = true;

    fn start() -> Self {
        let folder = Sandbox::folder_of("solid-pop3d");
        let furnish = mbox::furnish("spop3d");
        let sandbox = Sandbox::start("solid-pop3d", folder, &furnish).unwrap();
        Self {
            inetd: Inetd::serve(sandbox.command("/usr/sbin/solid-pop3d")),
            sandbox,
        }
    }

    fn url(&self) -> String {
        format!("pop3://{USER}@localhost:{}", self.inetd.port())
    }

    fn trust(&self) -> Vec<String> {
        ["--tls", "off"].map(str::to_owned).to_vec()
    }

    fn plain_port(&self) -> u16 {
        self.inetd.port()
    }

    fn deliver(&self, mails: &[Mail]) {
        for mail in mails {
            mbox::deliver(self.sandbox.folder(), mail);
        }
    }

    fn settle(&self) {
        self.inetd.settle();
    }
}

/// It takes all text between two `From ` lines.
const SEPARATOR: Alteration = Alteration {
    what: "the empty line that separates messages in the file is sent as their last line",
    always: true,
    apply: |octets| [octets, b"\n"].concat(),
};

crate::suite!(SolidPop3d, #[ignore = "needs root and an unpacked solid-pop3d: run by .ci/test"]);

#[test]
#[ignore = "needs root and an unpacked solid-pop3d: run by .ci/test"]
fn no_password_goes_out_without_tls() {
    crate::suite::no_password_goes_out_without_tls::<SolidPop3d>();
}
