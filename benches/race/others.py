"""Courier and Cyrus in Dovecot's place. As root; each runs in the sandbox that the tests give it,
which see: `.ci/unpack-test-servers` gets them, and tests/servers/sandbox.sh lays them over the
system where nobody else sees it."""
import contextlib
import gzip
import os
import pathlib
import socket
import subprocess
import time

from server import HERE, PASSWORD, PATIENCE, Owner, certify, free_ports

SANDBOX = HERE.parents[1] / "tests/servers/sandbox.sh"


class Sandboxed:
    """A running server that is not Dovecot."""

    name = version = layer = FURNISH = ""

    def __init__(self, folder: pathlib.Path):
        if os.geteuid() != 0:
            raise SystemExit(f"{self.name} needs root")
        self.folder, self.owner = folder, Owner()
        self.mail = folder / "mail"
        self.ca, self.certificate, self.key = (folder / name for name in ("ca.pem", "server.pem", "server.key"))
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        unpacked = os.environ.get("POPSYNC_TEST_SERVERS") or cache / "popsync/test-servers"
        self.unpacked = pathlib.Path(unpacked) / self.layer
        if not self.unpacked.is_dir():
            raise SystemExit(f"{self.name} is not in {unpacked}: .ci/unpack-test-servers")
        self.mail.mkdir(exist_ok=True)
        os.chown(self.mail, *self.owner.ids)
        certify(folder)
        (folder / "both.pem").write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        for _ in range(5):
            self.plain_port, self.tls_port = free_ports(2)
            if self.launch():
                return
        raise SystemExit(f"{self.name} does not start; see {folder / 'log'}")

    def launch(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "area").rmdir()
        (self.folder / "furnish").write_text(self.FURNISH.format(
            plain=self.plain_port, tls=self.tls_port, password=PASSWORD))
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", str(SANDBOX),
             str(self.unpacked), str(self.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.keeper.stdout.readline() != b"ready\n":
            self.stop()
            raise SystemExit(f"{self.name} does not start; see {self.folder / 'log'}")
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.plain_port)) as one:
                if one.recv(100).startswith(b"+OK"):
                    return True
            time.sleep(0.05)
        self.stop()
        return False

    def run(self, *command: object, words: str = "") -> str:
        """Runs a program inside; gives what it says."""
        spaces = f"/proc/{self.keeper.pid}/ns"
        done = subprocess.run(
            ["nsenter", f"--mount={spaces}/mnt", f"--pid={spaces}/pid_for_children", "--", "chroot",
             str(self.folder / "area/root"), *map(str, command)], input=words, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def take(self, user: str) -> None:
        """Serves the Maildir of a user."""
        raise NotImplementedError

    def stop(self) -> None:
        # All that runs inside ends when this closes.
        self.keeper.stdin.close()
        self.keeper.wait(PATIENCE)


class Courier(Sandboxed):
    """Courier with its own inetd, authentication daemon and couriertls."""

    name, layer = "Courier", "courier"

    # What its configuration files and its scripts set for their daemons.
    FURNISH = """\
sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc
: > /etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb
mkdir -p /run/courier/authdaemon
/usr/lib/courier/courier-authlib/authdaemond &
until [ -S /run/courier/authdaemon/socket ]; do kill -0 $!; sleep 0.01; done
export POP3AUTH="PLAIN LOGIN" TLS_CERTFILE=$1/both.pem TLS_VERIFYPEER=NONE COURIERTLS=/usr/bin/couriertls
program="/usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir"
limits="-address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup"
POP3_STARTTLS=YES couriertcpd $limits {plain} $program &
POP3_TLS=1 couriertcpd $limits {tls} /usr/bin/couriertls -server -tcpd $program &
"""

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        # No program of it says its version.
        with gzip.open(self.unpacked / "usr/share/doc/courier-pop/changelog.Debian.gz", "rt") as changes:
            self.version = changes.readline().split()[1].strip("()")

    def take(self, user: str) -> None:
        password = self.run("userdbpw", "-md5", words=PASSWORD).strip()
        uid, gid = self.owner.ids
        maildir = self.mail / user
        self.run("userdb", user, "set", f"uid={uid}", f"gid={gid}", f"home={maildir}", f"mail={maildir}",
                 f"pop3pw={password}")
        self.run("makeuserdb")


class Cyrus(Sandboxed):
    """Cyrus with its own spool, which gets the messages of the Maildir."""

    name, layer = "Cyrus", "cyrus"
    IDS = (64003, 8)

    FURNISH = """\
echo 'cyrus:x:64003:8:Cyrus:/var/spool/cyrus:/usr/sbin/nologin' >> /etc/passwd
rm -rf $1/spool
mkdir -p /run/cyrus/proc /run/cyrus/lock /run/cyrus/socket /var/lib/cyrus/log $1/spool
cp $1/server.key $1/cyrus.key
chown -R 64003:8 /run/cyrus /var/lib/cyrus $1/spool $1/cyrus.key
cat > /etc/imapd.conf <<END
servername: popsync-race
configdirectory: /var/lib/cyrus
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
partition-default: $1/spool
defaultpartition: default
unixhierarchysep: yes
autocreate_quota: 0
allowplaintext: yes
popminpoll: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_mech_list: PLAIN LOGIN
tls_server_cert: $1/server.pem
tls_server_key: $1/cyrus.key
END
cat > /etc/cyrus.conf <<END
START {{
  recover cmd="ctl_cyrusdb -r"
}}
SERVICES {{
  pop3 cmd="pop3d" listen="127.0.0.1:{plain}" prefork=1
  pop3s cmd="pop3d -s" listen="127.0.0.1:{tls}" prefork=1
}}
EVENTS {{
}}
END
/usr/lib/cyrus/bin/master -D -p /run/cyrus/master.pid &
"""

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self.version = self.program("cyr_info", "version").split()[-1]

    def take(self, user: str) -> None:
        self.run("saslpasswd2", "-p", "-c", "-u", "popsync-race", user, words=PASSWORD)
        self.run("chown", "cyrus", "/etc/sasldb2")
        self.log_in(user)
        spool = pathlib.Path(self.program("mbpath", f"user/{user}").strip())
        if any(spool.glob("*.")):
            return
        for number, name in enumerate(sorted(os.listdir(self.mail / user / "cur")), 1):
            path = spool / f"{number}."
            path.write_bytes((self.mail / user / "cur" / name).read_bytes().replace(b"\n", b"\r\n"))
            os.chown(path, *self.IDS)
        self.program("reconstruct", f"user/{user}")

    def program(self, name: str, *arguments: str) -> str:
        return self.run("setpriv", "--reuid=cyrus", "--regid=mail", "--clear-groups",
                        f"/usr/lib/cyrus/bin/{name}", *arguments)

    def log_in(self, user: str) -> None:
        """The first login makes the mailbox."""
        with socket.create_connection(("127.0.0.1", self.plain_port)) as one, one.makefile("rb") as answers:
            for command in ("", f"USER {user}", f"PASS {PASSWORD}", "QUIT"):
                one.sendall(f"{command}\r\n".encode() if command else b"")
                if not (answer := answers.readline()).startswith(b"+OK"):
                    raise SystemExit(f"Cyrus does not let {user} in: {answer!r}")
