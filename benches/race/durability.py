"""What it costs to make a batch of new files durable, by strategy, file system and neighbour.

    python3 benches/race/durability.py FOLDER [--file-systems ext4,xfs,btrfs,tmpfs] [--rounds 5]
                                       [--write-results]

Writes batches of messages of 2 kB as popsync does, and times only the making durable:

    syncfs          one call for the whole file system
    fsync           one call per file, then the folder
    fsync × 8       the same from eight threads
    begin, fsync    every file is first given to the disk, without waiting; then as `fsync`
    begin, × 8      the same, then as `fsync × 8`
    by what waits   from four files on syncfs where little waits to be written (by /proc/meminfo),
                    else begin, fsync

alone, and beside a neighbour who writes to the same file system as fast as it takes it and never
syncs. Prints milliseconds per batch: median, and the worst behind the stroke; and how much
waited to be written just before.
"""
import argparse
import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from disks import KINDS, Disk, own_namespace
from report import write_between

MESSAGE = bytes(2_000)
BATCHES = (1, 4, 16, 64, 512)
NEIGHBOUR = """
import os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
block = os.urandom(1 << 20)
while True:
    for place in range(1 << 10):
        os.pwrite(file, block, place << 20)
"""
libc = ctypes.CDLL(None, use_errno=True)


def syncfs(folder: int, files: list[str]) -> None:
    if libc.syncfs(folder) != 0:
        raise OSError(ctypes.get_errno(), "syncfs")


def fsync_one(folder: int, name: str) -> None:
    file = os.open(name, os.O_RDONLY, dir_fd=folder)
    os.fsync(file)
    os.close(file)


def fsync(folder: int, files: list[str]) -> None:
    for name in files:
        fsync_one(folder, name)
    os.fsync(folder)


def fsync_threads(folder: int, files: list[str]) -> None:
    list(POOL.map(lambda name: fsync_one(folder, name), files))
    os.fsync(folder)


def begin(folder: int, files: list[str]) -> None:
    for name in files:
        file = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def begin_fsync(folder: int, files: list[str]) -> None:
    begin(folder, files)
    fsync(folder, files)


def begin_fsync_threads(folder: int, files: list[str]) -> None:
    begin(folder, files)
    fsync_threads(folder, files)


def by_what_waits(folder: int, files: list[str]) -> None:
    if len(files) < 4 or waiting() > LITTLE:
        begin_fsync(folder, files)
    else:
        syncfs(folder, files)


def waiting() -> float:
    """MiB that anybody wrote and no disk has, on the whole machine."""
    with open("/proc/meminfo") as file:
        lines = dict(line.split(":") for line in file)
    return sum(int(lines[name].split()[0]) for name in ("Dirty", "Writeback")) / 1024


LITTLE = 64     # MiB: what a slow disk writes in half a second
POOL = concurrent.futures.ThreadPoolExecutor(8)
STRATEGIES = {"syncfs": syncfs, "fsync": fsync, "fsync × 8": fsync_threads, "begin, fsync": begin_fsync,
              "begin, × 8": begin_fsync_threads,
              "by what waits": by_what_waits}


def batch(folder: int, count: int, strategy) -> tuple[float, float]:
    """Milliseconds for one batch, and what waited before; the files are gone afterwards."""
    names = [f"{time.monotonic_ns()}.{number}" for number in range(count)]
    for name in names:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        os.write(file, MESSAGE)
        os.close(file)
    before = waiting()
    begun = time.perf_counter()
    strategy(folder, names)
    took = time.perf_counter() - begun
    for name in names:
        os.unlink(name, dir_fd=folder)
    return took * 1000, before


@contextlib.contextmanager
def neighbour(folder: pathlib.Path, busy: bool):
    if not busy:
        yield
        return
    process = subprocess.Popen([sys.executable, "-I", "-c", NEIGHBOUR, str(folder / "neighbour")])
    try:
        # Until there is much that is not yet on the disk.
        time.sleep(4)
        yield
    finally:
        process.kill()
        process.wait()


def measure(folder: pathlib.Path, rounds: int, busy: bool) -> str:
    """The table for one file system."""
    mail = folder / "mail"
    mail.mkdir(exist_ok=True)
    descriptor = os.open(mail, os.O_RDONLY | os.O_DIRECTORY)
    times = {(name, count): [] for name in STRATEGIES for count in BATCHES}
    waited = []
    with neighbour(folder, busy):
        for round in range(rounds):
            # One strategy leaves the disk to the next as it likes; so each follows each.
            order = list(times)
            random.Random(round).shuffle(order)
            for name, count in order:
                if busy:
                    # The neighbour makes up for what was just written for it.
                    time.sleep(1)
                took, before = batch(descriptor, count, STRATEGIES[name])
                times[name, count].append(took)
                waited.append(before)
    os.close(descriptor)
    lines = ["| files | " + " | ".join(map(str, BATCHES)) + " |", "|---|" + "---:|" * len(BATCHES)]
    for name in STRATEGIES:
        cells = (f"{statistics.median(times[name, count]):.1f} / {max(times[name, count]):.0f}" for count in BATCHES)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append(f"\nBefore a batch {statistics.median(waited):.0f} MiB waited to be written.\n")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--file-systems", default="ext4,xfs,btrfs,tmpfs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write-results", action="store_true", help="puts the tables into benches/README.md")
    options = parser.parse_args()
    own_namespace()
    options.folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for kind in options.file_systems.split(","):
        if kind not in KINDS:
            sys.exit(f"no file system {kind}: there are {', '.join(KINDS)}")
        disk = Disk(options.folder.resolve(), kind)
        try:
            for busy in (False, True):
                folder = disk.renew(4)
                table = measure(folder, options.rounds, busy)
                tables.append(f"{kind}, {'a neighbour writes' if busy else 'alone'}:\n\n{table}")
                print(tables[-1], flush=True)
        finally:
            disk.remove()
    if options.write_results:
        readme = pathlib.Path(__file__).resolve().parents[1] / "README.md"
        write_between(readme, "durability", "\n".join(tables))


if __name__ == "__main__":
    main()
