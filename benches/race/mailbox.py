"""Deterministic mailboxes as Maildirs that Dovecot serves, and what became of them elsewhere.

Every message is ASCII in lines that end with LF and begin with no dot, so that a client that
stores LF holds exactly the octets of the server's file: its digest tells which message it is.
"""
import base64
import collections
import hashlib
import json
import math
import os
import pathlib
import random

LINE = 57                   # octets that base64 makes a line of
BLOCK = LINE * 16384        # as many as are made at a time
FIRST_SECOND = 1_600_000_000

Digests = collections.Counter[str]


class Mailbox:
    """One user's mailbox on the server."""

    def __init__(self, root: pathlib.Path, user: str):
        self.user = user
        self.folder = root / user
        self.notes = root / f"{user}.json"

    def make(self, sizes: list[int], seed: int, owner: tuple[int, int] | None) -> "Mailbox":
        """Fills it with messages of about these sizes on the wire, unless it is so already."""
        wish = {"messages": len(sizes), "octets": sum(sizes), "seed": seed}
        if not (self.notes.exists() and json.loads(self.notes.read_text())["wish"] == wish):
            self.notes.unlink(missing_ok=True)
            remove(self.folder)
            prepare(self.folder, owner)
            digests = [self.write("cur", number, size, seed) for number, size in enumerate(sizes)]
            self.notes.write_text(json.dumps({"wish": wish, "digests": digests}))
        return self

    def write(self, where: str, number: int, size: int, seed: int) -> str:
        """Writes one message; gives its digest."""
        path = self.folder / "tmp" / f"{number}"
        digest, stored, wire = hashlib.sha256(), 0, 0
        with open(path, "wb", buffering=0) as file:
            for octets in message(number, size, seed):
                file.write(octets)
                digest.update(octets)
                stored += len(octets)
                wire += len(octets) + octets.count(b"\n")
        # With both sizes in its name the server need not read a file to know them.
        name = f"{FIRST_SECOND + number}.M{number:07}S{seed}.race,S={stored},W={wire}"
        os.rename(path, self.folder / where / (name + ":2," if where == "cur" else name))
        return digest.hexdigest()

    def deliver(self, count: int, size: int, seed: int) -> Digests:
        """Delivers new messages behind all others; gives their digests."""
        first = 10_000_000
        return Digests(self.write("new", first + number, size, seed) for number in range(count))

    def withdraw(self, seed: int) -> None:
        """Takes delivered messages away again."""
        for folder in ("cur", "new"):
            for name in os.listdir(self.folder / folder):
                if f"S{seed}.race," in name:
                    os.unlink(self.folder / folder / name)

    def forget_ids(self) -> None:
        """Lets Dovecot give every message another unique-id."""
        for path in self.folder.glob("dovecot*"):
            path.unlink()

    def digests(self) -> Digests:
        return Digests(json.loads(self.notes.read_text())["digests"])

    def __len__(self) -> int:
        return json.loads(self.notes.read_text())["wish"]["messages"]


def message(number: int, size: int, seed: int):
    """The octets of a message, in pieces."""
    rnd = random.Random(f"{seed}/{number}")
    words = " ".join(rnd.choices(("invoice", "meeting", "report", "holiday", "server"), k=4))
    header = (f"Received: from mx.example.org (mx.example.org [192.0.2.1]) by mail.example.net\n"
              f"\twith ESMTPS id {rnd.getrandbits(40):010X}; Sun, 13 Sep 2020 12:26:40 +0000\n"
              f"From: Sender <sender.{number % 97}@example.org>\nTo: user@example.net\n"
              f"Subject: {words}\nDate: Sun, 13 Sep 2020 12:26:40 +0000\n"
              f"Message-ID: <{number}.{seed}.{rnd.getrandbits(64):016x}@example.org>\n\n").encode()
    yield header
    left = max(1, (size - len(header) - header.count(b"\n")) * LINE // (LINE // 3 * 4 + 2))
    while left > 0:
        yield base64.encodebytes(rnd.randbytes(min(left, BLOCK)))
        left -= BLOCK


def equal(count: int, size: int) -> list[int]:
    return [size] * count


def realistic(count: int, octets: int, largest: int = 10_000_000) -> list[int]:
    """Sizes as real mail has them, many small and few large, that sum up to `octets`."""
    rnd = random.Random(count)
    sizes = [min(largest, rnd.lognormvariate(math.log(20_000), 2)) for _ in range(count)]
    scale = octets / sum(sizes)
    return [max(900, min(largest, round(size * scale))) for size in sizes]


def stored(maildir: pathlib.Path, but: frozenset[str] = frozenset()) -> Digests:
    """The digests of what a client stored, but for the files of these names."""
    found = Digests()
    for name in names(maildir) - but:
        with open(maildir / name, "rb") as file:
            found[hashlib.file_digest(file, "sha256").hexdigest()] += 1
    return found


def stored_in(mbox: pathlib.Path) -> Digests:
    """The same of an mbox. No line of a message begins with `From `."""
    found, digest = Digests(), None
    with open(mbox, "rb") as file:
        held = b""
        for line in file:
            if line.startswith(b"From "):
                if digest:
                    found[digest.hexdigest()] += 1
                digest, held = hashlib.sha256(), b""
            else:
                # All but the blank line behind it.
                digest.update(held)
                held = line
    if digest:
        found[digest.hexdigest()] += 1
    return found


def names(maildir: pathlib.Path) -> frozenset[str]:
    return frozenset(f"{folder}/{name}" for folder in ("new", "cur")
                     for name in os.listdir(maildir / folder))


def differences(expected: Digests, found: Digests) -> str:
    """In words how the messages that were stored are not those that should be; or nothing."""
    missing = (expected - found).total()
    surplus = (found - expected).total()
    return f"{missing} messages missing, {surplus} altered or too many" if missing or surplus else ""


def prepare(maildir: pathlib.Path, owner: tuple[int, int] | None = None) -> pathlib.Path:
    """Makes an empty Maildir. Its files may be anybody's, but the server writes beside them."""
    for folder in (maildir, maildir / "cur", maildir / "new", maildir / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
        if owner:
            os.chown(folder, *owner)
    return maildir


def remove(folder: pathlib.Path) -> None:
    import shutil
    if folder.exists():
        shutil.rmtree(folder)
