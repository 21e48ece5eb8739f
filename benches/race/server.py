"""A Dovecot of the race's own, and the proxies in front of it. All of it listens on loopback,
lives in one folder and ends with the race."""
import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import time

PASSWORD = "race"
PATIENCE = 20
HERE = pathlib.Path(__file__).parent


class Owner:
    """Whom the server runs as: whoever runs the race, or nobody for root."""

    def __init__(self) -> None:
        root = os.geteuid() == 0
        user = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        self.name, self.ids = user.pw_name, (user.pw_uid, user.pw_gid)
        # However the race ends, the server ends with it.
        self.become = ["setpriv", "--pdeathsig", "TERM"]
        if root:
            self.become += [f"--reuid={self.ids[0]}", f"--regid={self.ids[1]}", "--clear-groups"]
        # Whom the server's files are given to; an ordinary user has them already.
        self.takes = self.ids if root else None


class Dovecot:
    """A running Dovecot 2.3, as fast as it can be: it writes no flags and syncs nothing."""

    name = "Dovecot"

    def __init__(self, folder: pathlib.Path):
        self.folder, self.owner = folder, Owner()
        self.mail = folder / "mail"
        self.ca, self.certificate, self.key = (folder / name for name in ("ca.pem", "server.pem", "server.key"))
        program = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if program is None:
            raise SystemExit("Dovecot is missing: apt-get install dovecot-core dovecot-pop3d")
        self.version = subprocess.run([program, "--version"], capture_output=True, text=True,
                                      check=True).stdout.split()[0]
        if not self.version.startswith("2.3."):
            raise SystemExit(f"this is written for Dovecot 2.3, here is {self.version}")
        for parent in (folder, *folder.parents):
            if self.owner.takes and not parent.stat().st_mode & 0o001:
                raise SystemExit(f"{self.owner.name}, whom the server runs as, cannot get past "
                                 f"{parent}: choose another folder, or chmod o+x {parent}")
        for part in (self.mail, folder / "run", folder / "home"):
            part.mkdir(exist_ok=True)
            if self.owner.takes:
                os.chown(part, *self.owner.takes)
        certify(folder)
        for _ in range(5):
            self.plain_port, self.tls_port = free_ports(2)
            if self.launch(program):
                return
        raise SystemExit(f"Dovecot does not start; see {folder / 'dovecot.log'}")

    def launch(self, program: str) -> bool:
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(CONFIGURATION.format(
            dir=self.folder, user=self.owner.name, group=group(self.owner.ids[1]), uid=self.owner.ids[0],
            gid=self.owner.ids[1], plain=self.plain_port, tls=self.tls_port, password=PASSWORD))
        log = self.folder / "dovecot.log"
        with open(log, "w") as out:
            if self.owner.takes:
                os.chown(log, *self.owner.takes)
            self.process = subprocess.Popen([*self.owner.become, program, "-F", "-c", str(configuration)],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.plain_port)) as one:
                if one.recv(100).startswith(b"+OK popsync-race"):
                    return True
            time.sleep(0.05)
        self.stop()
        return False

    def take(self, user: str) -> None:
        """It serves every Maildir there is."""

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


@contextlib.contextmanager
def proxy(*arguments: object):
    """A proxy as `proxy.py` makes it; gives its port."""
    command = [sys.executable, "-I", str(HERE / "proxy.py"), *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def group(gid: int) -> str:
    import grp
    return grp.getgrgid(gid).gr_name


def certify(folder: pathlib.Path) -> None:
    """Makes a CA, and a certificate by it for localhost and 127.0.0.1."""
    if (folder / "server.pem").exists():
        return

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=popsync race CA",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
            "-keyout", "server.key", "-out", "server.csr")
    (folder / "server.ext").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    # Where the server does not run as root it must be able to read its key; it guards nothing.
    (folder / "server.key").chmod(0o644)
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "3650", "-extfile", "server.ext", "-out", "server.pem")


CONFIGURATION = """\
base_dir = {dir}/run
state_dir = {dir}/run
log_path = /dev/stderr
instance_name = popsync-race
login_greeting = popsync-race
protocols = pop3
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
default_vsz_limit = 0

ssl = yes
ssl_cert = <{dir}/server.pem
ssl_key = <{dir}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain

mail_location = maildir:{dir}/mail/%u
mail_fsync = never
mail_max_userip_connections = 0
maildir_very_dirty_syncs = yes
pop3_no_flag_updates = yes

passdb {{
  driver = static
  args = password={{PLAIN}}{password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home
}}

service anvil {{
  chroot =
}}
service pop3-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener pop3 {{
    port = {plain}
  }}
  inet_listener pop3s {{
    port = {tls}
    ssl = yes
  }}
}}
service pop3 {{
  process_min_avail = 1
  service_count = 100
}}
service stats {{
  chroot =
}}
"""
