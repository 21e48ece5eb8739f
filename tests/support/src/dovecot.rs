//! A Dovecot for one test: folder, ports, certificates, users, and a record of the clients'
//! commands. Dropping it ends the server and removes the folder.
//!
//! It runs without privileges: as the user who runs the tests, or as `nobody` for root. The
//! configuration is for Dovecot 2.3.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use tempfile::TempDir;

use crate::mail::Mail;

/// The users of every server.
pub const USERS: [&str; 2] = ["anna", "bert"];

/// The password of every user.
pub const PASSWORD: &str = "correct horse battery";

/// The time limit for Dovecot to answer, and to write its log.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running Dovecot.
pub struct Dovecot {
    // Dropped before its folder is removed.
    _running: Running,
    folder: TempDir,
    plain_port: u16,
    tls_port: u16,
    delivered: AtomicU64,
}

/// The TLS of a Dovecot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS with a certificate for `localhost` and `127.0.0.1`.
    Good,
    /// With a certificate that was valid until 2020.
    Expired,
    /// With a certificate for another host.
    OtherHost,
    /// No TLS, neither on a port of its own nor by STLS.
    Off,
}

/// The user who runs the server and owns its files.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The name of the user.
    pub user: String,
    /// The name of the group.
    pub group: String,
    /// The number of the user.
    pub uid: u32,
    /// The number of the group.
    pub gid: u32,
}

impl Owner {
    /// The user who runs the tests, or `nobody` for root.
    pub fn unprivileged() -> &'static Self {
        static OWNER: OnceLock<Owner> = OnceLock::new();
        OWNER.get_or_init(|| {
            let id = |option: &str, user: &str| {
                let output = Command::new("id").arg(option).arg(user).output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                assert!(output.status.success(), "`id {option} {user}` failed");
                text.trim().to_owned()
            };
            let user = if geteuid().is_root() {
                "nobody".to_owned()
            } else {
                id("-un", &geteuid().as_raw().to_string())
            };
            Self {
                group: id("-gn", &user),
                uid: id("-u", &user).parse().unwrap(),
                gid: id("-g", &user).parse().unwrap(),
                user,
            }
        })
    }

    /// A command that runs `program` as this user, and is killed with the thread that starts it.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]);
        if geteuid().is_root() {
            command
                .arg(format!("--reuid={}", self.uid))
                .arg(format!("--regid={}", self.gid))
                .arg("--clear-groups");
        }
        command.arg(program);
        command
    }

    /// Gives this user a file or folder, and all that is in it.
    pub fn take(&self, path: &Path) {
        let found = fs::symlink_metadata(path).unwrap();
        if found.uid() != self.uid {
            chown(path, Some(self.uid), Some(self.gid)).unwrap();
        }
        if found.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                self.take(&entry.unwrap().path());
            }
        }
    }
}

impl Dovecot {
    /// Starts a server with a good certificate.
    pub fn start() -> Self {
        Self::with(Tls::Good)
    }

    /// Starts a server.
    pub fn with(tls: Tls) -> Self {
        Self::with_more(tls, |_| String::new())
    }

    /// Starts a server with further settings, which `more` returns for the server's folder. They
    /// come last, so that they count.
    pub fn with_more(tls: Tls, more: impl FnOnce(&Path) -> String) -> Self {
        let program = program();
        let folder = tempfile::Builder::new()
            .prefix("dovecot")
            .tempdir()
            .unwrap();
        furnish(folder.path(), tls);
        let more = more(folder.path());
        Owner::unprivileged().take(folder.path());
        // Another process may take a port between its choice and its use.
        for _ in 0..5 {
            let [plain_port, tls_port] = free_ports();
            configure(folder.path(), tls, plain_port, tls_port, &more);
            let mut running = Running::launch(&program, folder.path());
            let log = match running.wait_until_ready(folder.path(), plain_port) {
                Ok(()) => {
                    return Self {
                        _running: running,
                        folder,
                        plain_port,
                        tls_port,
                        delivered: AtomicU64::new(0),
                    };
                }
                Err(log) => log,
            };
            assert!(
                log.contains("Address already in use"),
                "{} does not start:\n{log}",
                program.display()
            );
        }
        panic!("no port of 127.0.0.1 stays free for Dovecot");
    }

    /// The port without TLS, which offers STLS.
    pub fn plain_port(&self) -> u16 {
        self.plain_port
    }

    /// `pop3s://USER@127.0.0.1:PORT`.
    pub fn pop3s(&self, user: &str) -> String {
        format!("pop3s://{user}@127.0.0.1:{}", self.tls_port)
    }

    /// `pop3://USER@127.0.0.1:PORT`.
    pub fn pop3(&self, user: &str) -> String {
        format!("pop3://{user}@127.0.0.1:{}", self.plain_port)
    }

    /// The certificate of the CA that the server's is signed by.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Delivers a message.
    pub fn deliver(&self, user: &str, mail: &Mail) {
        let maildir = self.maildir(user);
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        // Dovecot lists what arrived in one second by name.
        let name = format!("1700000000.M{number:08}.test");
        let written = maildir.join("tmp").join(&name);
        put(&written, &mail.content);
        rustix::fs::rename(&written, maildir.join("new").join(&name)).unwrap();
    }

    /// Delivers messages in this order.
    pub fn deliver_all(&self, user: &str, mails: &[Mail]) {
        for mail in mails {
            self.deliver(user, mail);
        }
    }

    /// The number of the user's messages on the server.
    pub fn messages(&self, user: &str) -> usize {
        self.files(user).len()
    }

    /// Another client deletes a user's first message.
    pub fn delete_first(&self, user: &str) {
        fs::remove_file(&self.files(user)[0]).unwrap();
    }

    /// Gives all of a user's messages new unique-ids, as a move to another server does.
    pub fn rename_all(&self, user: &str) {
        for entry in fs::read_dir(self.maildir(user)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // The other files remember the old generation, so that the new one differs.
            if name.starts_with("dovecot") && !name.starts_with("dovecot-uidvalidity") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// The user's messages, oldest first.
    fn files(&self, user: &str) -> Vec<PathBuf> {
        let maildir = self.maildir(user);
        let mut files: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .flat_map(|folder| fs::read_dir(maildir.join(folder)).unwrap())
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort_by_key(|path| path.file_name().map(OsStr::to_owned));
        files
    }

    fn maildir(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user)
    }

    /// The commands of clients since the start, or since [`Self::forget`]: one line each, those of
    /// one session in order. After the login it includes those under TLS; before it, only those in
    /// the clear.
    pub fn commands(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for folder in self.dialogues() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "in") {
                    let text = fs::read(&path).unwrap();
                    lines.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
                }
            }
        }
        // Each line begins with its time.
        lines.sort();
        let commands = lines
            .iter()
            .filter_map(|line| Some(line.split_once(' ')?.1));
        let is_command = |line: &str| {
            // A handshake is not a command, though one of its random octets may be a letter on a
            // line of its own. A keyword has three or four (RFC 1939 §3).
            let keyword = line.split(' ').next().unwrap_or_default();
            matches!(keyword.len(), 3 | 4)
                && keyword.bytes().all(|octet| octet.is_ascii_uppercase())
        };
        commands
            .filter(|line| is_command(line))
            .map(str::to_owned)
            .collect()
    }

    /// The lines of the server's log about connections with TLS, once there are this many.
    pub fn tls_sessions(&self, count: usize) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
            let sessions: Vec<String> = log
                .lines()
                .filter(|line| line.contains("pop3-login: ") && line.contains(", TLS"))
                .map(str::to_owned)
                .collect();
            if sessions.len() >= count || Instant::now() > until {
                return sessions;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The number of the [`commands`](Self::commands) with this keyword.
    pub fn count(&self, keyword: &str) -> usize {
        let commands = self.commands();
        let keywords = commands.iter().map(|line| line.split(' ').next());
        keywords.filter(|&found| found == Some(keyword)).count()
    }

    /// Forgets the commands.
    pub fn forget(&self) {
        for folder in self.dialogues() {
            for entry in fs::read_dir(folder).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
    }

    /// The folders in which Dovecot records dialogues before and after the login.
    fn dialogues(&self) -> [PathBuf; 2] {
        ["run/login/dialogue", "dialogue"].map(|path| self.folder.path().join(path))
    }
}

/// The server's processes.
struct Running(Child);

impl Running {
    fn launch(program: &Path, folder: &Path) -> Self {
        let owner = Owner::unprivileged();
        let mut command = owner.command(program);
        command
            .arg("-F")
            .arg("-c")
            .arg(folder.join("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("stderr")).unwrap())
            // All of them can be ended together.
            .process_group(0);
        Self(command.spawn().unwrap())
    }

    /// Waits for the greeting. Returns the log if it does not come.
    fn wait_until_ready(&mut self, folder: &Path, port: u16) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until && self.0.try_wait().unwrap().is_none() {
            if greets(port, folder) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        let read = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
        Err(read("log") + &read("stderr"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An orderly end would take a second. Their data belongs to a test, and need not be saved.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// Finds Dovecot.
fn program() -> PathBuf {
    if let Some(path) = env::var_os("POPSYNC_DOVECOT") {
        return path.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        // Its folder is for administrators, and often not in the path.
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("dovecot"))
        .find(|program| program.is_file())
        .unwrap_or_else(|| {
            panic!(
                "Dovecot is not installed, and this test needs it. `.ci/test` installs it; by \
                 hand: `apt-get install dovecot-core dovecot-pop3d`, or set POPSYNC_DOVECOT to \
                 its path"
            )
        })
}

/// Makes folders, certificates and users.
fn furnish(folder: &Path, tls: Tls) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for path in ["state", "dialogue", "run/login/dialogue"] {
        fs::create_dir_all(folder.join(path)).unwrap();
    }
    let mut users = String::new();
    for user in USERS {
        writeln!(users, "{user}:{{PLAIN}}{PASSWORD}").unwrap();
        for sub_folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(folder.join("mail").join(user).join(sub_folder)).unwrap();
        }
    }
    put(&folder.join("users"), users.as_bytes());
    certificates(folder, tls);
    Owner::unprivileged().take(folder);
}

/// Makes a CA and a certificate.
pub fn certificates(folder: &Path, tls: Tls) {
    let named = |name: &str| {
        let mut distinguished = DistinguishedName::new();
        distinguished.push(DnType::CommonName, name);
        distinguished
    };
    let mut ca = CertificateParams::default();
    ca.distinguished_name = named("CA of a test");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let names: &[&str] = match tls {
        Tls::OtherHost => &["mail.example.com"],
        _ => &["localhost", "127.0.0.1"],
    };
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut server = CertificateParams::new(names).unwrap();
    server.distinguished_name = named("server of a test");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if tls == Tls::Expired {
        server.not_before = date_time_ymd(2019, 1, 1);
        server.not_after = date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let server = server.signed_by(&key, &*ca).unwrap();
    put(&folder.join("ca.pem"), ca.pem().as_bytes());
    put(&folder.join("server.pem"), server.pem().as_bytes());
    put(&folder.join("server.key"), key.serialize_pem().as_bytes());
}

fn configure(folder: &Path, tls: Tls, plain_port: u16, tls_port: u16, more: &str) {
    let Owner {
        user,
        group,
        uid,
        gid,
    } = Owner::unprivileged();
    let (ssl, tls_port) = match tls {
        Tls::Off => ("no", 0),
        _ => ("yes", tls_port),
    };
    let dir = folder.display();
    let text = format!(
        "\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
instance_name = popsync-test
protocols = pop3
listen = 127.0.0.1
# By this the server is known from others.
login_greeting = {dir}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1

ssl = {ssl}
ssl_cert = <{dir}/server.pem
ssl_key = <{dir}/server.key
# It is the client that must not send a password in the clear.
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 apop
auth_failure_delay = 0

mail_location = maildir:{dir}/mail/%u
mail_fsync = never
mail_max_userip_connections = 0
pop3_no_flag_updates = yes
rawlog_dir = {dir}/dialogue

passdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%u
}}
service anvil {{
  chroot =
  # A wrong password does not slow down whoever comes next.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service pop3-login {{
  chroot =
  executable = pop3-login -R dialogue
  inet_listener pop3 {{
    port = {plain_port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = {ssl}
  }}
}}
{more}"
    );
    put(&folder.join("dovecot.conf"), text.as_bytes());
}

/// Writes a file of the server's owner.
fn put(path: &Path, content: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(content).unwrap();
    Owner::unprivileged().take(path);
}

/// Two ports of 127.0.0.1 that nobody listens on. They are outside the range from which the system
/// chooses: otherwise another connection might take one of them before the server does.
pub fn free_ports() -> [u16; 2] {
    let range = 10_000..32_768;
    let random = || RandomState::new().build_hasher().finish();
    let any = || range.start + (random() % range.len() as u64) as u16;
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, any())).ok();
    // Held together, so that they differ.
    let listeners = [(); 2].map(|()| (0..1_000).find_map(|_| listen()).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// True if the server of this folder, and no other, answers on the port.
fn greets(port: u16, folder: &Path) -> bool {
    let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut greeting = String::new();
    let read = BufReader::new(stream).read_line(&mut greeting);
    read.is_ok() && greeting.contains(&folder.display().to_string())
}
