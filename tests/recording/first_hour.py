#!/usr/bin/env python3
"""Records the first hour with popsync at a terminal, against a real Dovecot.

    tests/recording/first_hour.py [POPSYNC [FOLDER]]

From an empty home to a scheduled, verified sync. What is typed is in STEPS: the commands, and the
answers that popsync cannot know; that it is told of an authority is because Dovecot's certificate is
not of a public one. It fails if a question or a result does not come. FOLDER (this one)
gets `first-hour.cast`, an asciicast of version 2, and `first-hour.svg`, the picture of the README.

It needs Linux, root, Dovecot, OpenSSL, cron's `crontab` and util-linux's `unshare`: Dovecot listens
on the usual port, as pop.example.com, in a network of its own.
"""

import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

import screen

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS, ROWS = 84, 30
PASSWORD = "correct-horse-battery"
PROMPT = "$ "

# What to wait for, and what is typed then.
STEPS = [
    (PROMPT, "popsync account add anna@example.com --ca-file /home/ca.pem"),
    ("POP3 server of example.com [", ""),
    ("Maildir [", ""),
    ("Password", PASSWORD),
    ("only you can read?", ""),
    (PROMPT, "popsync sync"),
    (PROMPT, "popsync list example"),
    (PROMPT, "popsync verify"),
    (PROMPT, "popsync schedule --every 15m --install"),
    (PROMPT, "popsync status"),
]

SUBJECTS = [
    ("Ben Okafor <ben@example.org>", "Lunch on Thursday?"),
    ("Registry <registry@university.example>", "Minutes of 2 November"),
    ("Chiara Rossi <chiara@example.net>", "Photographs from Trieste"),
    ("Ben Okafor <ben@example.org>", "Re: Lunch on Thursday?"),
    ("Library <no-reply@library.example>", "Two books are due"),
]

DOVECOT = """
base_dir = {0}/run
state_dir = {0}/state
log_path = {0}/log
protocols = pop3
listen = 127.0.0.1
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
first_valid_uid = 1
first_valid_gid = 1
ssl = required
ssl_cert = <{0}/server.pem
ssl_key = <{0}/server.key
auth_mechanisms = plain login
mail_location = maildir:{0}/mail
passdb {{
  driver = static
  args = password={1}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={0}/mail
}}
service anvil {{
  chroot =
}}
service pop3-login {{
  chroot =
}}
"""


def run(*words, **more):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def certificates(folder):
    """An authority, and a certificate for pop.example.com."""
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Lab",
        "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pop.example.com",
        "-keyout", folder / "server.key", "-out", folder / "request")
    (folder / "names").write_text("subjectAltName=DNS:pop.example.com")
    run("openssl", "x509", "-req", "-in", folder / "request", "-CA", folder / "ca.pem",
        "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "30", "-extfile", folder / "names",
        "-out", folder / "server.pem")


def mail(folder):
    for name in ["new", "cur", "tmp"]:
        (folder / "mail" / name).mkdir(parents=True)
    for number, (author, subject) in enumerate(SUBJECTS, 1):
        text = (f"Date: Mon, {number + 1} Nov 2026 09:1{number}:00 +0000\nFrom: {author}\n"
                f"To: anna@example.com\nSubject: {subject}\n"
                f"Message-ID: <{number}@example.com>\n\n" + "Some words of a letter.\n" * (40 * number))
        (folder / "mail/new" / f"170000000{number}.M1.host").write_text(text)
    shutil.chown(folder / "mail", "nobody", "nogroup")
    for path in (folder / "mail").rglob("*"):
        shutil.chown(path, "nobody", "nogroup")


def network():
    """Brings the loopback interface of the new network up: SIOCGIFFLAGS and SIOCSIFFLAGS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, 0x8913, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def world(popsync, folder):
    """The machine of somebody who has only just installed popsync."""
    network()
    (folder / "hosts").write_text("127.0.0.1 localhost pop.example.com\n")
    # No name server answers: the wait for one is not what is shown.
    (folder / "resolv").write_text("nameserver 127.0.0.1\n")
    run("mount", "--bind", folder / "hosts", "/etc/hosts")
    run("mount", "--bind", folder / "resolv", os.path.realpath("/etc/resolv.conf"))
    # The crontab of this machine's user stays what it is.
    run("mount", "-t", "tmpfs", "none", "/var/spool/cron/crontabs")
    os.chmod("/var/spool/cron/crontabs", 0o1730)
    (folder / "bin").mkdir()
    shutil.copy(popsync, folder / "bin/popsync")
    run("mount", "-t", "tmpfs", "none", "/home")
    home = pathlib.Path("/home/anna")
    home.mkdir()
    run("mount", "--bind", folder / "bin", "/usr/local/bin")
    return home


def server(folder):
    certificates(folder)
    shutil.copy(folder / "ca.pem", "/home/ca.pem")
    mail(folder)
    (folder / "dovecot.conf").write_text(DOVECOT.format(folder, PASSWORD))
    folder.chmod(0o755)
    process = subprocess.Popen(["dovecot", "-F", "-c", folder / "dovecot.conf"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", 995)).close()
            return process
        except OSError:
            select.select([], [], [], 0.05)
    sys.exit((folder / "log").read_text())


class Recording:
    """A shell in a pseudo terminal. Its clock is not the real one: what is typed takes the time of a
    person, what popsync does takes half a second, so that two recordings differ in nothing else."""

    def __init__(self, home):
        self.events, self.clock, self.unseen = [], 0.5, ""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(home)
            environment = {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "PS1": PROMPT,
                           "TERM": "xterm-256color", "LANG": "C.UTF-8", "USER": "anna",
                           "TZ": "UTC",
                           "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], environment)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, size)

    def read(self, patience=8):
        """What comes next; nothing at the end."""
        if not select.select([self.terminal], [], [], patience)[0]:  # seconds
            sys.exit(f"nothing more comes behind:\n{self.unseen}")
        try:
            text = os.read(self.terminal, 65536).decode(errors="replace")
        except OSError:
            return ""
        self.events.append((self.clock, text))
        self.unseen += text
        return text

    def wait_for(self, wanted):
        while wanted not in self.unseen:
            if not self.read():
                sys.exit(f"`{wanted}` does not come, but:\n{self.unseen}")
        self.unseen = self.unseen.split(wanted, 1)[1]
        self.clock += 0.5

    def enter(self, line):
        for character in line + "\n":
            os.write(self.terminal, character.encode())
            self.clock += 0.04
            # The echo; of a password there is none.
            if select.select([self.terminal], [], [], 0.05)[0]:
                self.read()
        self.clock += 0.2


def record(home, out):
    recording = Recording(home)
    for wanted, line in STEPS:
        recording.wait_for(wanted)
        recording.enter(line)
    recording.wait_for(PROMPT)
    os.write(recording.terminal, b"exit\n")
    while True:
        try:
            if not os.read(recording.terminal, 65536):
                break
        except OSError:
            break
    os.waitpid(recording.child, 0)
    shown = "".join(text for _, text in recording.events)
    for wanted in ["5 new messages", "5 messages, 5 intact", "*/15"]:
        if wanted not in shown and wanted.replace("*/15", ",") not in shown:
            sys.exit(f"`{wanted}` was not shown, but:\n{shown}")
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "The first hour with popsync",
              "env": {"TERM": "xterm-256color", "SHELL": "/bin/bash"}}
    lines = [header] + [[round(at, 2), "o", text] for at, text in recording.events]
    cast = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (out / "first-hour.cast").write_text(cast)
    (out / "first-hour.svg").write_text(screen.svg(shown, COLUMNS))


def inside(popsync, out, folder):
    home = world(popsync, folder)
    dovecot = server(folder)
    try:
        record(home, out)
    finally:
        dovecot.terminate()
        dovecot.wait()


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--inside"]:
        return inside(*map(pathlib.Path, arguments[1:]))
    popsync = pathlib.Path(arguments[0] if arguments else HERE / "../../target/release/popsync")
    out = pathlib.Path(arguments[1] if len(arguments) > 1 else HERE)
    with tempfile.TemporaryDirectory() as folder:
        words = ["unshare", "--net", "--mount", sys.executable, __file__, "--inside",
                 popsync.resolve(), out.resolve(), folder]
        return subprocess.run(words).returncode


if __name__ == "__main__":
    sys.exit(main())
