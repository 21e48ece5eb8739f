"""What it costs to make a batch of new files durable, by strategy, file system and neighbour.

    python3 benches/race/durability.py FOLDER [--file-systems ext4,xfs,btrfs,tmpfs,as-is] [--rounds 7]

Writes batches of messages of 2 kB as popsync does, and times only the making durable:

    syncfs          one call for the whole file system
    fsync           one call per file, then the folder
    fsync × 8       the same from eight threads
    begin, fsync    every file is first given to the disk, without waiting; then as `fsync`

alone, and beside a neighbour who writes to the same file system as fast as it takes it and never
syncs. Prints milliseconds per batch: median, and the worst behind the stroke.
"""
import argparse
import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from disks import KINDS, Disk, own_namespace

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


def begin_fsync(folder: int, files: list[str]) -> None:
    for name in files:
        file = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
    fsync(folder, files)


POOL = concurrent.futures.ThreadPoolExecutor(8)
STRATEGIES = {"syncfs": syncfs, "fsync": fsync, "fsync × 8": fsync_threads, "begin, fsync": begin_fsync}


def batch(folder: int, count: int, strategy) -> float:
    """Milliseconds for one batch; the files are gone afterwards."""
    names = [f"{time.monotonic_ns()}.{number}" for number in range(count)]
    for name in names:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        os.write(file, MESSAGE)
        os.close(file)
    begun = time.perf_counter()
    strategy(folder, names)
    took = time.perf_counter() - begun
    for name in names:
        os.unlink(name, dir_fd=folder)
    return took * 1000


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


def measure(folder: pathlib.Path, rounds: int, busy: bool) -> None:
    mail = folder / "mail"
    mail.mkdir(exist_ok=True)
    descriptor = os.open(mail, os.O_RDONLY | os.O_DIRECTORY)
    times = {(name, count): [] for name in STRATEGIES for count in BATCHES}
    with neighbour(folder, busy):
        for _ in range(rounds):
            for (name, count), found in times.items():
                # Beside a neighbour one batch of single fsyncs may take a minute.
                if not (busy and count == 512 and len(found) >= 3):
                    found.append(batch(descriptor, count, STRATEGIES[name]))
    os.close(descriptor)
    for name in STRATEGIES:
        cells = (f"{statistics.median(times[name, count]):.1f} / {max(times[name, count]):.0f}" for count in BATCHES)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--file-systems", default="ext4,xfs,btrfs,tmpfs,as-is")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    own_namespace()
    options.folder.mkdir(parents=True, exist_ok=True)
    for kind in options.file_systems.split(","):
        if kind not in KINDS:
            sys.exit(f"no file system {kind}: there are {', '.join(KINDS)}")
        disk = Disk(options.folder.resolve(), kind)
        try:
            for busy in (False, True):
                folder = disk.renew(4)
                print(f"\n{kind}, {'a neighbour writes' if busy else 'alone'}\n")
                print("| files | " + " | ".join(map(str, BATCHES)) + " |")
                print("|---|" + "---:|" * len(BATCHES), flush=True)
                measure(folder, options.rounds, busy)
        finally:
            disk.remove()


if __name__ == "__main__":
    main()
