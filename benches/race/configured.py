"""What thousands of configured accounts cost popsync: time, CPU and memory.

    python3 benches/race/configured.py [--folder FOLDER] [--accounts 10000] [--rounds 3]

Their mailboxes are empty, behind a Dovecot of the script's own, so that what is measured is what an account
costs and no message. At the end the server is stopped, and each of the accounts fails.
"""
import argparse
import pathlib
import shlex
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True

import measure
from disks import workplace
from fleet import ROOT, TIMEOUT, program
from mailbox import remove
from server import Dovecot

UNAVAILABLE = 69


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--folder", type=pathlib.Path, help="where the script works; a temporary one")
    add("--accounts", type=int, default=10_000, help="%(default)s")
    add("--jobs", type=int, default=16, help="of popsync; %(default)s")
    add("--rounds", type=int, default=3, help="of all but the first sync; %(default)s")
    add("--popsync", default=str(ROOT / "target/release/popsync"), help="%(default)s")
    return parser.parse_args()


class Job:
    """What is measured, and below which time (s) and memory (MiB) it is to stay."""

    def __init__(self, name: str, argv: list[str], seconds: float | None = None, memory: float | None = None,
                 status: int = 0):
        self.name, self.argv, self.seconds, self.memory, self.status = name, argv, seconds, memory, status
        self.runs: list[measure.Run] = []

    def measure(self) -> None:
        done = measure.run(self.argv, TIMEOUT)
        if done.status != self.status:
            sys.exit(f"{shlex.join(self.argv)} ended with {done.status}:\n{done.output[-2000:]}")
        self.runs.append(done)

    def row(self) -> str:
        wall, cpu = (statistics.median(getattr(run, what) for run in self.runs) for what in ("wall", "cpu"))
        target = " and ".join(f"< {limit} {unit}" for limit, unit in ((self.seconds, "s"), (self.memory, "MiB"))
                              if limit is not None)
        return (f"| {self.name} | {wall:.2f} | {cpu:.2f} | {self.most_memory():.1f} | {target} | "
                f"{('yes' if self.is_met() else '**no**') if target else ''} |")

    def most_memory(self) -> float:
        return max(run.memory for run in self.runs)

    def is_met(self) -> bool:
        return ((self.seconds is None or statistics.median(run.wall for run in self.runs) < self.seconds)
                and (self.memory is None or self.most_memory() < self.memory))


def main() -> None:
    options = arguments()
    with workplace(options.folder) as folder:
        jobs = run(options, folder)
    print(f"{options.accounts} accounts with empty mailboxes, {options.jobs} jobs, medians of {options.rounds} rounds\n")
    print("| job | wall s | CPU s | memory MiB | target | met |\n|---|---:|---:|---:|---|---|")
    for job in jobs:
        print(job.row())
    sys.exit(0 if all(job.is_met() for job in jobs) else 1)


def run(options: argparse.Namespace, folder: pathlib.Path) -> list[Job]:
    server = Dovecot(folder)
    work = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (work / "mail").mkdir()
    try:
        users = [f"user{number:05}" for number in range(options.accounts)]
        popsync = program(options, server, users, work)
        sync = [*popsync, "--quiet", "sync", "--jobs", str(options.jobs), "--per-host", str(options.jobs)]
        jobs = [
            Job("first sync", sync, memory=64),
            Job("sync with nothing new", sync, memory=64),
            Job("sync of one account", [*popsync, "--quiet", "sync", users[-1]], seconds=0.5),
            Job("`status`", [*popsync, "status"], seconds=0.5),
            Job("`account list`", [*popsync, "account", "list"], seconds=0.5),
        ]
        jobs[0].measure()
        for _ in range(options.rounds):
            for job in jobs[1:]:
                job.measure()
        server.stop()
        at_last = [
            Job("sync, and the server does not answer", sync, memory=64, status=UNAVAILABLE),
            Job("`status` after that", [*popsync, "status"], seconds=0.5),
        ]
        for _ in range(options.rounds):
            for job in at_last:
                job.measure()
        return jobs + at_last
    finally:
        if server.process.poll() is None:
            server.stop()
        remove(work)


main()
