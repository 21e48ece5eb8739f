//! Courier: its POP3 server behind its own login, authentication daemon and userdb; TLS by its
//! couriertls.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::alteration::{Alteration, EVERY_LF, FIRST_DOT, LAST_LINE};
use crate::inetd::Inetd;
use crate::sandbox::Sandbox;
use crate::server::{PATIENCE, Server, USER};
use support::dovecot::{Owner, PASSWORD, Tls, certificates};
use support::mail::Mail;

/// A running Courier.
pub(crate) struct Courier {
    // Sessions end before their sandbox.
    plain: Inetd,
    tls: Inetd,
    sandbox: Sandbox,
    delivered: AtomicU64,
}

const LOGIN: &str = "/usr/lib/courier/courier/courierpop3login";
const SERVER: &str = "/usr/lib/courier/courier/courierpop3d";

impl Server for Courier {
    const NAME: &'static str = "Courier";
    const UNIQUE_IDS: &'static str = "the order of arrival, kept beside the mail";
    const TOLERATED: &'static [&'static str] = &["OPOP3:C0021", "OPOP3:C0034", "OPOP3:C0039"];
    const PROBED: &'static [&'static str] = &[
        "TLS 1.3",
        "IMPLEMENTATION Courier Mail Server",
        "LOGIN-DELAY 10",
        "after login: the same",
        "announced; three commands in one write are answered in order",
        "exact for 3 of 4 retrieved",
        "45 outside 0x2E to 0x7E",
        "message 41: listed 0, sent 2",
        "18 octets of body, not asked for",
        "USER, PLAIN, LOGIN",
    ];
    const ALTERATIONS: &'static [Alteration] = &[EVERY_LF, LAST_LINE, FIRST_DOT, WRAPPER];

    fn start() -> Self {
        let folder = Sandbox::folder_of("courier");
        certificates(folder.path(), Tls::Good);
        let Owner { uid, gid, .. } = Owner::unprivileged();
        let furnish = format!(
            "\
mkdir -p $1/mail/{USER}
for folder in cur new tmp; do mkdir -p $1/mail/{USER}/Maildir/$folder; done
chown -R {uid}:{gid} $1/mail
cat $1/server.pem $1/server.key > $1/both.pem

sed -i 's/^authmodulelist=.*/authmodulelist=\"authuserdb\"/' /etc/courier/authdaemonrc
password=$(printf %s '{PASSWORD}' | userdbpw -md5)
printf '%s\\tuid=%s|gid=%s|home=%s|mail=%s|pop3pw=%s\\n' {USER} {uid} {gid} \\
    $1/mail/{USER} $1/mail/{USER}/Maildir \"$password\" > /etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb

mkdir -p /run/courier/authdaemon
/usr/lib/courier/courier-authlib/authdaemond &
until [ -S /run/courier/authdaemon/socket ]; do kill -0 $!; sleep 0.01; done
"
        );
        let sandbox = Sandbox::start("courier", folder, &furnish).unwrap();
        // The settings that its own inetd, couriertcpd, and its configuration files would make.
        let serve = |program: &[&str], variables: &[&str]| {
            let mut command = sandbox.command("env");
            command
                .args(["TCPLOCALIP=127.0.0.1", "TCPREMOTEIP=127.0.0.1"])
                .args(["TCPLOCALPORT=110", "TCPREMOTEPORT=40000"])
                .args(["POP3AUTH=PLAIN LOGIN", "TLS_VERIFYPEER=NONE"])
                .arg(format!(
                    "TLS_CERTFILE={}/both.pem",
                    sandbox.folder().display()
                ))
                .args(variables)
                .args(program)
                .args([LOGIN, SERVER, "Maildir"]);
            Inetd::serve(command)
        };
        Self {
            plain: serve(
                &[],
                &["POP3_STARTTLS=YES", "COURIERTLS=/usr/bin/couriertls"],
            ),
            tls: serve(
                &["/usr/bin/couriertls", "-server", "-tcpd"],
                &["POP3_TLS=1"],
            ),
            sandbox,
            delivered: AtomicU64::new(0),
        }
    }

    fn url(&self) -> String {
        format!("pop3s://{USER}@localhost:{}", self.tls.port())
    }

    fn trust(&self) -> Vec<String> {
        let ca = self.sandbox.folder().join("ca.pem");
        vec!["--ca-file".to_owned(), ca.display().to_string()]
    }

    fn plain_port(&self) -> u16 {
        self.plain.port()
    }

    fn deliver(&self, mails: &[Mail]) {
        let maildir = self
            .sandbox
            .folder()
            .join("mail")
            .join(USER)
            .join("Maildir");
        for mail in mails {
            let number = self.delivered.fetch_add(1, Ordering::Relaxed);
            let name = format!("1700000000.M{number:08}.test");
            let written = maildir.join("tmp").join(&name);
            let mut file = File::create(&written).unwrap();
            file.write_all(&mail.content).unwrap();
            Owner::unprivileged().take(&written);
            rustix::fs::rename(written, maildir.join("new").join(name)).unwrap();
        }
    }

    /// The boundary differs each time: it is made from process and clock.
    fn comparable(&self, octets: Vec<u8>) -> Vec<u8> {
        let boundary = octets
            .strip_prefix(WRAPPER_TOP.as_bytes())
            .and_then(|rest| rest.split(|&octet| octet == b'"').next());
        let Some(boundary) = boundary else {
            return octets;
        };
        let text = octets.as_slice();
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            if text[at..].starts_with(boundary) {
                out.extend_from_slice(BOUNDARY.as_bytes());
                at += boundary.len();
            } else {
                out.push(text[at]);
                at += 1;
            }
        }
        out
    }

    fn settle(&self) {
        self.plain.settle();
        self.tls.settle();
        // It answers QUIT, and deletes only then; couriertls does not wait for that.
        let until = Instant::now() + PATIENCE;
        while self.sandbox.runs(SERVER) {
            assert!(Instant::now() < until, "a session does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Courier {
    /// The URL for STLS.
    fn stls_url(&self) -> String {
        format!("pop3://{USER}@localhost:{}", self.plain.port())
    }
}

/// The start of a wrapper, up to the boundary.
const WRAPPER_TOP: &str = "From: Mail Delivery Subsystem <postmaster>\r\n\
    Subject: Cannot display Unicode content\r\n\
    Mime-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"";

/// The text in place of each boundary when messages are compared.
const BOUNDARY: &str = "BOUNDARY";

/// RFC 6856 §2.1: UTF-8 headers are for clients that sent `UTF8`, which Outlook never does.
const WRAPPER: Alteration = Alteration {
    what: "a message with 8-bit octets in its header comes attached to a note that says so",
    always: true,
    apply: |octets| {
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
        if octets[..end.unwrap_or(octets.len())].is_ascii() {
            return octets.to_vec();
        }
        let note = "This E-mail message was determined to be Unicode-formatted\r\n\
            but your E-mail reader does not support Unicode E-mail.\r\n\r\n\
            Please use an E-mail reader that supports POP3 with UTF-8\r\n\
            (see https://tools.ietf.org/html/rfc6856.html).\r\n\r\n\
            This can also happen when the sender's E-mail program does not\r\n\
            correctly format the sent message.\r\n\r\n\
            The original message is included as a separate attachment\r\n\
            so that it can be downloaded manually.\r\n\r\n";
        let top = format!(
            "{WRAPPER_TOP}{BOUNDARY}\"\r\n\r\n\r\n\r\n\
             --{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\n{note}\
             --{BOUNDARY}\r\nContent-Type: message/global\r\n\r\n"
        );
        let bottom = format!("\r\n--{BOUNDARY}--\r\n");
        [top.as_bytes(), octets, bottom.as_bytes()].concat()
    },
};

crate::suite!(Courier, #[ignore = "needs root and an unpacked Courier: run by .ci/test"]);

#[test]
#[ignore = "needs root and an unpacked Courier: run by .ci/test"]
fn the_same_mailbox_comes_over_stls() {
    let server = Courier::start();
    crate::suite::the_same_mailbox_comes_over_stls(&server, &server.stls_url());
}
