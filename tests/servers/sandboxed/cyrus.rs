//! Cyrus: its master, its POP3 server with and without TLS, and Cyrus SASL with a sasldb, which
//! brings more mechanisms than any other server.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

mod logins;

use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::alteration::{Alteration, BARE_LF, LAST_LINE};
use crate::sandbox::Sandbox;
use crate::server::{PATIENCE, Server, USER, greeting};
use support::dovecot::{PASSWORD, Tls, certificates, free_ports};
use support::mail::Mail;

/// A running Cyrus.
pub(crate) struct Cyrus {
    sandbox: Sandbox,
    plain_port: u16,
    tls_port: u16,
    delivered: AtomicU64,
}

/// The user and the group that it runs as, whatever their names are here.
const OWNER: (u32, u32) = (64003, 8);

impl Server for Cyrus {
    const NAME: &'static str = "Cyrus";
    const UNIQUE_IDS: &'static str = "the validity and the unique identifier of IMAP";
    const TOLERATED: &'static [&'static str] = &[];
    const PROBED: &'static [&'static str] = &[
        "TLS 1.3",
        "IMPLEMENTATION Cyrus POP3",
        "SCRAM-SHA-256",
        "NTLM",
        "after login: not USER",
        "announced; three commands in one write are answered in order",
        "exact, by 4 of 4 retrieved",
        "USER, PLAIN, LOGIN",
    ];
    const ALTERATIONS: &'static [Alteration] = &[BARE_LF, NUL, LAST_LINE];
    const REFUSES: &'static [(&'static str, &'static str)] = &[(
        "empty message",
        "an empty file is taken for the rest of a failure, and removed",
    )];

    fn start() -> Self {
        Self::with_mechanisms("PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 NTLM")
    }

    fn url(&self) -> String {
        format!("pop3s://{USER}@localhost:{}", self.tls_port)
    }

    fn trust(&self) -> Vec<String> {
        let ca = self.sandbox.folder().join("ca.pem");
        vec!["--ca-file".to_owned(), ca.display().to_string()]
    }

    fn plain_port(&self) -> u16 {
        self.plain_port
    }

    /// Writes files as its delivery does, with CRLF, and makes the server add them. Its delivery
    /// itself would refuse NUL and add headers.
    fn deliver(&self, mails: &[Mail]) {
        let mailbox = self.mailbox();
        for mail in mails {
            let number = self.delivered.fetch_add(1, Ordering::Relaxed) + 1;
            let path = mailbox.join(format!("{number}."));
            let mut file = File::create(&path).unwrap();
            file.write_all(&(BARE_LF.apply)(&mail.content)).unwrap();
            chown(path, Some(OWNER.0), Some(OWNER.1)).unwrap();
        }
        let output = self
            .sandbox
            .command("setpriv")
            .args(["--reuid=cyrus", "--regid=mail", "--clear-groups"])
            .args(["/usr/lib/cyrus/bin/reconstruct", "user/anna"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

impl Cyrus {
    /// A server that offers these SASL mechanisms.
    pub(crate) fn with_mechanisms(mechanisms: &str) -> Self {
        // Another process may take a port between its choice and its use.
        for _ in 0..5 {
            let [plain_port, tls_port] = free_ports();
            let folder = Sandbox::folder_of("cyrus");
            certificates(folder.path(), Tls::Good);
            let furnish = furnish(plain_port, tls_port, mechanisms);
            let sandbox = Sandbox::start("cyrus", folder, &furnish).unwrap();
            let cyrus = Self {
                sandbox,
                plain_port,
                tls_port,
                delivered: AtomicU64::new(0),
            };
            if cyrus.is_ready() {
                // The first login creates the mailbox.
                cyrus.session().quit();
                return cyrus;
            }
        }
        panic!("Cyrus does not start");
    }

    /// Waits for its greeting, and no other server's; after that it also listens for TLS.
    fn is_ready(&self) -> bool {
        let name = self.sandbox.folder().file_name().unwrap().to_string_lossy();
        let name = name.to_lowercase();
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Ok(greeting) = greeting(self.plain_port) {
                let listens = TcpStream::connect((Ipv4Addr::LOCALHOST, self.tls_port));
                return greeting.contains(&name) && listens.is_ok();
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// The URL for STLS.
    fn stls_url(&self) -> String {
        format!("pop3://{USER}@localhost:{}", self.plain_port)
    }

    /// The folder of the messages of the one mailbox.
    fn mailbox(&self) -> PathBuf {
        let mut path = self.sandbox.folder().join("spool");
        // It is some levels down, in the one folder of each.
        while !path.join("cyrus.index").exists() {
            let mut entries = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap());
            path = entries.find(|entry| entry.path().is_dir()).unwrap().path();
        }
        path
    }
}

/// It handles lines as C strings, which end at NUL.
const NUL: Alteration = Alteration {
    what: "a line ends at the first NUL, and the next line is joined to it",
    always: true,
    apply: |octets| {
        let lines = octets.split_inclusive(|&octet| octet == b'\n');
        let mut out = Vec::with_capacity(octets.len());
        let mut cut = false;
        for line in lines {
            let end = line.iter().position(|&octet| octet == 0);
            out.extend_from_slice(&line[..end.unwrap_or(line.len())]);
            cut = end.is_some();
        }
        if cut {
            out.extend_from_slice(b"\r\n");
        }
        out
    },
};

/// The script that prepares and starts it.
fn furnish(plain_port: u16, tls_port: u16, mechanisms: &str) -> String {
    let (uid, gid) = OWNER;
    format!(
        "\
# Names of hosts are compared in lower case.
name=$(basename $1 | tr A-Z a-z)
echo 'cyrus:x:{uid}:{gid}:Cyrus:/var/spool/cyrus:/usr/sbin/nologin' >> /etc/passwd
mkdir -p /run/cyrus/proc /run/cyrus/lock /run/cyrus/socket /var/lib/cyrus/log $1/spool
chown -R {uid}:{gid} /run/cyrus /var/lib/cyrus $1/spool $1/server.key

cat > /etc/imapd.conf <<END
# By this the server is known from others.
servername: $name
configdirectory: /var/lib/cyrus
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
partition-default: $1/spool
defaultpartition: default
unixhierarchysep: yes
autocreate_quota: 0
# It is the client that must not send a password in the clear.
allowplaintext: yes
allowapop: yes
popminpoll: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_mech_list: {mechanisms}
tls_server_cert: $1/server.pem
tls_server_key: $1/server.key
END
cat > /etc/cyrus.conf <<END
START {{
  recover cmd=\"ctl_cyrusdb -r\"
}}
SERVICES {{
  pop3 cmd=\"pop3d\" listen=\"127.0.0.1:{plain_port}\" prefork=0
  pop3s cmd=\"pop3d -s\" listen=\"127.0.0.1:{tls_port}\" prefork=0
}}
EVENTS {{
}}
END
printf %s '{PASSWORD}' | saslpasswd2 -p -c -u $name {USER}
chown {uid}:{gid} /etc/sasldb2

/usr/lib/cyrus/bin/master -D -p /run/cyrus/master.pid &
"
    )
}

crate::suite!(Cyrus, #[ignore = "needs root and an unpacked Cyrus: run by .ci/test"]);

#[test]
#[ignore = "needs root and an unpacked Cyrus: run by .ci/test"]
fn the_same_mailbox_comes_over_stls() {
    let server = Cyrus::start();
    crate::suite::the_same_mailbox_comes_over_stls(&server, &server.stls_url());
}
