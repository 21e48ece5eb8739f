//! GSSAPI against Dovecot, with a Kerberos realm of the test's own on the loopback: an MIT KDC,
//! its database and all keys in a folder that goes away.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::home::{Ended, Home, run, stored};
use support::dovecot::{Dovecot, Owner, Tls};
use support::mail::ordinary;

/// How long the KDC may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A realm with anna and the POP3 service of localhost.
struct Realm {
    folder: TempDir,
    kdc: Option<Child>,
}

impl Realm {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("realm").tempdir().unwrap();
        let mut realm = Self { folder, kdc: None };
        // Another process may take a port between its choice and its use.
        for attempt in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            realm.configure(port);
            if attempt == 0 {
                realm.create();
            }
            if realm.launch(port) {
                return realm;
            }
        }
        panic!("no port of 127.0.0.1 stays free for a KDC");
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn configure(&self, port: u16) {
        let client = format!(
            "[libdefaults]\ndefault_realm = POPSYNC.TEST\ndns_lookup_realm = false\n\
             dns_lookup_kdc = false\nrdns = false\ndns_canonicalize_hostname = false\n\
             udp_preference_limit = 1\n\
             [realms]\nPOPSYNC.TEST = {{\n kdc = 127.0.0.1:{port}\n}}\n\
             [domain_realm]\nlocalhost = POPSYNC.TEST\n"
        );
        put(&self.path("krb5.conf"), &client);
        let server = format!(
            "[kdcdefaults]\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n\
             [realms]\nPOPSYNC.TEST = {{\n database_name = {}\n key_stash_file = {}\n \
             acl_file = {}\n}}\n",
            self.path("principal"),
            self.path("stash"),
            self.path("acl")
        );
        put(&self.path("kdc.conf"), &server);
    }

    /// A program of MIT Kerberos that knows this realm alone.
    fn command(&self, program: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM", program])
            .env_clear()
            .env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"))
            .env("KRB5_CONFIG", self.path("krb5.conf"))
            .env("KRB5_KDC_PROFILE", self.path("kdc.conf"))
            .stdin(Stdio::null());
        command
    }

    /// Runs one to its end.
    #[track_caller]
    fn succeeds(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !told.contains("while "),
            "{program} {arguments:?}: {told} (install krb5-kdc, krb5-admin-server and krb5-user)"
        );
    }

    fn create(&self) {
        self.succeeds(
            "kdb5_util",
            &["create", "-s", "-r", "POPSYNC.TEST", "-P", "master"],
        );
        let (service, user) = (self.path("pop.keytab"), self.path("anna.keytab"));
        for query in [
            "addprinc -randkey pop/localhost".to_owned(),
            "addprinc -randkey anna".to_owned(),
            format!("ktadd -q -k {service} pop/localhost"),
            format!("ktadd -q -k {user} anna"),
        ] {
            self.succeeds("kadmin.local", &["-q", &query]);
        }
    }

    /// Starts the KDC; false where the port was taken meanwhile.
    fn launch(&mut self, port: u16) -> bool {
        let kdc = self
            .command("krb5kdc")
            .args(["-n", "-P", &self.path("pid")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.kdc = Some(kdc);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.has_ended() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return true;
            }
            thread::yield_now();
        }
        panic!("the KDC does not answer");
    }

    fn has_ended(&mut self) -> bool {
        let kdc = self.kdc.as_mut();
        kdc.is_some_and(|kdc| kdc.try_wait().unwrap().is_some())
    }

    /// Gets anna's ticket into this file.
    fn ticket(&self, cache: &Path) {
        let cache = cache.to_str().unwrap();
        self.succeeds(
            "kinit",
            &["-c", cache, "-k", "-t", &self.path("anna.keytab"), "anna"],
        );
    }

    /// A Dovecot that takes its tickets, and nothing else.
    fn dovecot(&self, keytab: &str) -> Dovecot {
        Dovecot::with_more(Tls::Good, |folder| {
            let (own_keytab, own_conf) = (folder.join("keytab"), folder.join("krb5.conf"));
            fs::copy(self.path(keytab), &own_keytab).unwrap();
            fs::copy(self.path("krb5.conf"), &own_conf).unwrap();
            Owner::unprivileged().take(folder);
            format!(
                "auth_mechanisms = gssapi\nauth_gssapi_hostname = localhost\n\
                 auth_krb5_keytab = {}\nauth_username_format = %Ln\n\
                 import_environment = TZ KRB5_CONFIG={} KRB5RCACHETYPE=none\n",
                own_keytab.display(),
                own_conf.display()
            )
        })
    }

    /// `popsync fetch` with the tickets in this file.
    fn fetch(&self, home: &Home, server: &Dovecot, cache: &Path, method: &str) -> Ended {
        // Kerberos knows the server by this name.
        let url = server.pop3s("anna").replace("127.0.0.1", "localhost");
        let ca_file = server.ca_file();
        let ca_file = ca_file.to_str().unwrap();
        let arguments = [
            "fetch",
            &url,
            "--maildir",
            "Mail",
            "--ca-file",
            ca_file,
            "-vv",
        ];
        let mut command = home.popsync(&[&arguments[..], &["--auth", method]].concat());
        command
            .env("KRB5_CONFIG", self.path("krb5.conf"))
            .env("KRB5CCNAME", format!("FILE:{}", cache.display()));
        run(&mut command)
    }
}

fn put(path: &str, content: &str) {
    let mut file = File::create(path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
}

impl Drop for Realm {
    fn drop(&mut self) {
        if let Some(mut kdc) = self.kdc.take() {
            let pid = i32::try_from(kdc.id()).ok().and_then(Pid::from_raw);
            // One that is gone already is what is wanted.
            let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
            let _ = kdc.wait();
        }
    }
}

#[test]
fn a_ticket_logs_in_without_a_password() {
    let realm = Realm::start();
    let server = realm.dovecot("pop.keytab");
    server.deliver_all("anna", &ordinary(3, 1));
    for method in ["gssapi", "auto"] {
        let home = Home::new();
        let cache = home.path("tickets");
        realm.ticket(&cache);
        let ended = realm.fetch(&home, &server, &cache, method);
        assert_eq!(ended.status, Some(0), "{ended:#?}");
        assert!(ended.err.contains("C: AUTH GSSAPI"), "{ended:#?}");
        assert!(ended.err.contains("S: + ***"), "{ended:#?}");
        assert_eq!(stored(&home.maildir()).len(), 3);
    }
}

#[test]
fn without_a_ticket_the_user_is_told_to_get_one() {
    let realm = Realm::start();
    let server = realm.dovecot("pop.keytab");
    let home = Home::new();
    let ended = realm.fetch(&home, &server, &home.path("none"), "gssapi");
    ended.fails(
        77,
        &[
            "GSSAPI: Kerberos: No Kerberos credentials available",
            "hint: get a ticket",
        ],
    );
    assert!(!ended.err.contains("C: AUTH"), "{ended:#?}");
}

/// A server with another service's key cannot read the ticket. Dovecot reports that as an internal
/// error.
#[test]
fn a_server_with_another_key_is_not_logged_in_to() {
    let realm = Realm::start();
    let other = realm.path("other.keytab");
    realm.succeeds("kadmin.local", &["-q", "addprinc -randkey pop/elsewhere"]);
    realm.succeeds(
        "kadmin.local",
        &["-q", &format!("ktadd -q -k {other} pop/elsewhere")],
    );
    let server = realm.dovecot("other.keytab");
    let home = Home::new();
    let cache = home.path("tickets");
    realm.ticket(&cache);
    let ended = realm.fetch(&home, &server, &cache, "gssapi");
    ended.fails(
        75,
        &[
            "the server refused AUTH: `[SYS/TEMP]",
            "hint: try again later",
        ],
    );
}
