"""File systems to store mail on: a folder as it is, or a new one in an image, of any kind.

An old file system is a poor yardstick: the rate at which one creates files was seen to differ
tenfold from one minute to the next. Images need root and loop devices.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-i", "4096", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"],
    "xfs": ["mkfs.xfs", "-q", "-f", "-K"],
    "btrfs": ["mkfs.btrfs", "-q", "-f", "-K"],
}
KINDS = ("as-is", *MAKE, "tmpfs")
GIB = 1 << 30


@contextlib.contextmanager
def workplace(folder: pathlib.Path | None):
    """This folder, made if it is missing. None: a temporary one, which other users may enter."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="popsync-race-") as temporary:
        pathlib.Path(temporary).chmod(0o755)
        yield pathlib.Path(temporary)


def own_namespace() -> None:
    """Starts this program again where nobody else sees what it mounts. Whoever copied a mount
    into a namespace of theirs would keep it, and the image could not be made anew. However the
    program ends, what it mounted is gone."""
    mark = "POPSYNC_RACE_NAMESPACE"
    if os.geteuid() == 0 and mark not in os.environ:
        os.environ[mark] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.orig_argv[1:]])


class Disk:
    """A place to store mail, empty after every `renew`."""

    def __init__(self, folder: pathlib.Path, kind: str):
        self.kind, self.image = kind, folder / "disk.image"
        self.mount = folder / "disk"
        self.mount.mkdir(exist_ok=True)
        if kind == "as-is":
            return
        if os.geteuid() != 0:
            raise SystemExit(f"only root can mount: leave out --file-system {kind}")
        if kind in MAKE and not find(MAKE[kind][0]):
            raise SystemExit(f"{MAKE[kind][0]} is missing")

    def renew(self, gib: int) -> pathlib.Path:
        """A new file system of that size, or the folder emptied."""
        self.remove()
        if self.kind == "as-is":
            self.mount.mkdir()
            return self.mount
        if self.kind == "tmpfs":
            shell("mount", "-t", "tmpfs", "-o", f"size={gib}g", "tmpfs", str(self.mount))
            return self.mount
        self.allocate(gib)
        make = MAKE[self.kind]
        shell(find(make[0]) or make[0], *make[1:], str(self.image))
        shell("mount", "-o", "loop,nodiscard", str(self.image), str(self.mount))
        return self.mount

    def allocate(self, gib: int) -> None:
        """Writes the image once: where it had holes, filling them would be measured too."""
        if self.image.exists() and self.image.stat().st_size == gib * GIB:
            return
        zeros = bytes(1 << 20)
        with open(self.image, "wb") as file:
            for _ in range(gib * GIB >> 20):
                file.write(zeros)
            os.fsync(file.fileno())

    def remove(self) -> None:
        if os.path.ismount(self.mount):
            shell("umount", str(self.mount))
        elif self.kind == "as-is" and self.mount.exists():
            shutil.rmtree(self.mount)

    def name(self) -> str:
        if self.kind == "tmpfs":
            return "tmpfs"
        under = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", str(self.mount.parent)],
                               capture_output=True, text=True, check=True).stdout.strip()
        return under if self.kind == "as-is" else f"{self.kind}, new for every run, in an image on {under}"


def find(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def shell(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
