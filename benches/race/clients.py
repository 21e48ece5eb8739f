"""The programs that race, and how each is told what to do: all by TLS, mail stays there."""
import json
import pathlib
import shutil
import subprocess
import sys
from typing import NamedTuple

import measure
from server import PASSWORD

HERE = pathlib.Path(__file__).parent


class Place(NamedTuple):
    """Where to get mail, and where to put it."""

    user: str
    port: int
    ca: pathlib.Path
    maildir: pathlib.Path
    state: pathlib.Path


class Client:
    """A program that retrieves mail."""

    name = ""
    stores = True

    def __init__(self, program: str, version: str):
        self.program, self.version = program, version

    def command(self, place: Place) -> list[str]:
        raise NotImplementedError

    def run(self, place: Place, timeout: int) -> measure.Run:
        done = measure.run(self.command(place), timeout)
        if done.status != 0:
            raise SystemExit(f"{self.name} ended with {done.status} after {done.wall:.1f} s:\n{done.output}")
        return done


class Popsync(Client):
    name = "popsync"

    def __init__(self, program: str, *flags: str):
        if not shutil.which(program):
            raise SystemExit(f"there is no {program}: cargo build --release, or --popsync PATH")
        super().__init__(program, first_line([program, "--version"]).removeprefix("popsync "))
        self.flags = flags

    def command(self, place: Place) -> list[str]:
        password = write(place.state / "password", PASSWORD + "\n")
        return [self.program, "--state-dir", str(place.state / "popsync"), "--json",
                "fetch", f"pop3s://{place.user}@127.0.0.1:{place.port}", *self.into(place),
                "--password-file", password, "--ca-file", str(place.ca), *self.flags]

    def into(self, place: Place) -> list[str]:
        return ["--maildir", str(place.maildir)]

    def summary(self, done: measure.Run) -> dict[str, object]:
        """What it says that it did."""
        return json.loads([line for line in done.output.splitlines() if line.startswith("{")][-1])


class PopsyncMbox(Popsync):
    name = "popsync, mbox"

    def into(self, place: Place) -> list[str]:
        return ["--mbox", str(mbox(place))]


def mbox(place: Place) -> pathlib.Path:
    return place.maildir.with_name("mbox")


class Mpop(Client):
    name = "mpop"

    def __init__(self) -> None:
        super().__init__("mpop", first_line(["mpop", "--version"]).removeprefix("mpop version "))

    def command(self, place: Place) -> list[str]:
        return ["mpop", "-Q", "-C", write(place.state / "mpoprc", f"""\
account race
host 127.0.0.1
port {place.port}
user {place.user}
password {PASSWORD}
tls on
tls_starttls off
tls_trust_file {place.ca}
keep on
received_header off
delivery maildir {place.maildir}
uidls_file {place.state}/uidls
account default : race
""")]


class RawPull(Client):
    """Every message and not one stored; or what else `rawpull.py` knows."""

    name = "raw pull"
    stores = False

    def __init__(self, *what: str):
        super().__init__(sys.executable, sys.version.split()[0])
        self.what = what

    def command(self, place: Place) -> list[str]:
        return [self.program, "-I", "-S", str(HERE / "rawpull.py"), str(place.port), place.user, PASSWORD,
                str(place.ca), *self.what]

    def run(self, place: Place, timeout: int) -> measure.Run:
        done = super().run(place, timeout)
        # Without Python's own start.
        done.wall = float(done.output.split()[0])
        return done


def mpop() -> Mpop | None:
    return Mpop() if shutil.which("mpop") else None


def write(path: pathlib.Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def first_line(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
