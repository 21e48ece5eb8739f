//! popa3d: an mbox, the system's passwords, no TLS, no CAPA.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use super::mbox::{self, DELIVERY};
use crate::alteration::{Alteration, EVERY_LF};
use crate::inetd::Inetd;
use crate::sandbox::Sandbox;
use crate::server::{Server, USER};
use crate::suite::Home;
use support::mail::Mail;

/// A running popa3d.
pub(crate) struct Popa3d {
    // Sessions end before their sandbox.
    inetd: Inetd,
    sandbox: Sandbox,
}

impl Server for Popa3d {
    const NAME: &'static str = "popa3d";
    const UNIQUE_IDS: &'static str = "some header lines";
    const TOLERATED: &'static [&'static str] = &["OPOP3:C0041"];
    const PROBED: &'static [&'static str] = &[
        "without TLS",
        "no CAPA",
        "not announced",
        "exact, by 4 of 4 retrieved",
        "hexadecimal; 16 octets",
        "no CAPA; USER and PASS work",
        "ids given before",
    ];
    const ALTERATIONS: &'static [Alteration] = &[DELIVERY, END_OF_HEADER, EVERY_LF];
    /// It computes the unique-id from a few header lines.
    const TWINS_ARE_ONE: bool = true;

    fn start() -> Self {
        let folder = Sandbox::folder_of("popa3d");
        let furnish = mbox::furnish("popa3d") + "mkdir -p /var/lib/popa3d\n";
        let sandbox = Sandbox::start("popa3d", folder, &furnish).unwrap();
        Self {
            inetd: Inetd::serve(sandbox.command("/usr/sbin/popa3d")),
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

/// The empty line is the one that separates it from the next message in the file.
const END_OF_HEADER: Alteration = Alteration {
    what: "a message without an empty line gets one, as the end of its header",
    always: true,
    apply: |octets| {
        let has = octets.starts_with(b"\n") || octets.windows(2).any(|two| two == b"\n\n");
        let more: &[u8] = if has { b"" } else { b"\n" };
        [octets, more].concat()
    },
};

crate::suite!(Popa3d, #[ignore = "needs root and an unpacked popa3d: run by .ci/test"]);

#[test]
#[ignore = "needs root and an unpacked popa3d: run by .ci/test"]
fn no_password_goes_out_without_tls() {
    crate::suite::no_password_goes_out_without_tls::<Popa3d>();
}

/// Its unique-id is computed from a few header lines, so all messages without them have the same
/// one.
#[test]
#[ignore = "needs root and an unpacked popa3d: run by .ci/test"]
fn messages_that_share_an_id_are_all_stored_and_only_then_deleted() {
    let server = Popa3d::start();
    let mails: Vec<Mail> = (0..5)
        .map(|number| Mail::new("alike", format!("X-Kind: alike\n\nnumber {number}\n")))
        .collect();
    server.deliver(&mails);
    let mut session = server.session();
    assert_eq!(
        session.unique_id(1),
        session.unique_id(5),
        "they no longer share one, and this test shows nothing"
    );
    session.quit();
    let home = Home::new();
    let summary = home.fetch(&server, &["--profile", "outlook-2016"]);
    assert_eq!(summary["retrieved"], 5);
    assert_eq!(server.messages(), 0);
    home.holds(&server, &mails);
}
