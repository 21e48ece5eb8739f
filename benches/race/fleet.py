"""Many small mailboxes: `popsync sync` against `xargs -P` of mpop, over TLS.

    python3 benches/race/fleet.py [--folder FOLDER] [--accounts 1000] [--messages 20] [--rounds 3]

A Dovecot of the script's own. Each round is a first sync of all accounts and one with nothing new, by
popsync with several numbers of jobs, by mpop with several numbers of processes, and by a raw client
that logs in, asks for the unique-ids, pulls all messages in the first of the two, and stores nothing.
Stores and states are made anew for each round, and the old ones stay until the end, 0.1 GiB for each
first sync: for a minute or more after files were removed ext4 looks at the number of each before it gives
out another one, and whoever comes next pays; wait some minutes before the next race. After each first
sync the SHA-256 of each stored file is held against what the server has. Wall, CPU and memory are what the
kernel says (wait4).
"""
import argparse
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import measure
from clients import write
from disks import workplace
from mailbox import Mailbox, equal, prepare, remove, stored
from server import PASSWORD, Dovecot

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent
SIZE = 2_000
TIMEOUT = 600
RATIO, RAW_RATIO, MEMORY = 1 / 3, 1.3, 64


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--folder", type=pathlib.Path, help="where the mailboxes stay for the next time; a temporary one")
    add("--accounts", type=int, default=1_000, help="%(default)s")
    add("--messages", type=int, default=20, help="in each account; %(default)s")
    add("--rounds", type=int, default=3, help="%(default)s")
    add("--jobs", default="4,8,16", help="of popsync, and connections of the raw client; %(default)s")
    add("--processes", default="2,4,8,16", help="of mpop; %(default)s")
    add("--popsync", default=str(ROOT / "target/release/popsync"), help="%(default)s")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with workplace(options.folder) as folder:
        race(options, folder)


class Contender:
    """A program and how many of it, or of its connections, work at the same time."""

    def __init__(self, program: str, degree: int):
        self.program, self.degree = program, degree
        self.runs: dict[str, list[measure.Run]] = {"first": [], "nothing new": []}

    def median(self, job: str) -> float:
        return statistics.median(run.wall for run in self.runs[job])


def race(options: argparse.Namespace, folder: pathlib.Path) -> None:
    server = Dovecot(folder)
    users = [f"user{number:05}" for number in range(options.accounts)]
    boxes = [Mailbox(server.mail, user) for user in users]
    for number, box in enumerate(boxes):
        box.make(equal(options.messages, SIZE), number, server.owner.takes)
    wanted = {box.user: box.digests() for box in boxes}
    contenders = [Contender("popsync", int(degree)) for degree in options.jobs.split(",")]
    contenders += [Contender("mpop", int(degree)) for degree in options.processes.split(",")]
    contenders += [Contender("raw client", int(degree)) for degree in options.jobs.split(",")]
    all_work = folder / "work"
    all_work.mkdir(exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(dir=all_work))
    try:
        # Dovecot indexes each mailbox once.
        run(raw(options, server, users, 4, "uidl"))
        for number in range(options.rounds):
            for contender in contenders:
                place = work / f"{number}-{contender.program}-{contender.degree}".replace(" ", "-")
                compete(options, server, users, contender, place, wanted)
    finally:
        server.stop()
        remove(all_work)
    report(options, contenders)


def compete(options: argparse.Namespace, server: Dovecot, users: list[str], contender: Contender,
            work: pathlib.Path, wanted: dict) -> None:
    work.mkdir()
    mail = work / "mail"
    mail.mkdir()
    if contender.program == "raw client":
        for job, what in (("first", "retr"), ("nothing new", "uidl")):
            done = run(raw(options, server, users, contender.degree, what))
            done.wall = float(done.output.split()[0])
            contender.runs[job].append(done)
        return
    command = {"popsync": popsync, "mpop": mpop}[contender.program]
    argv = command(options, server, users, contender.degree, work)
    for job in ("first", "nothing new"):
        subprocess.run(["sync"], check=True)
        contender.runs[job].append(run(argv))
        print(f"  {contender.program} {contender.degree}, {job}: {contender.runs[job][-1].wall:.2f} s",
              file=sys.stderr)
        for user in users:
            if stored(mail / user) != wanted[user]:
                sys.exit(f"{contender.program} stored something else of {user} than the server has")


def run(argv: list[str]) -> measure.Run:
    done = measure.run(argv, TIMEOUT)
    if done.status != 0:
        sys.exit(f"{shlex.join(argv)} ended with {done.status}:\n{done.output[-2000:]}")
    return done


def popsync(options: argparse.Namespace, server: Dovecot, users: list[str], jobs: int,
            work: pathlib.Path) -> list[str]:
    return [*program(options, server, users, work), "--quiet", "sync", "--jobs", str(jobs)]


def program(options: argparse.Namespace, server: Dovecot, users: list[str], work: pathlib.Path) -> list[str]:
    """popsync with these accounts in its configuration."""
    password = write(work / "password", PASSWORD + "\n")
    head = f"""\
[defaults]
server = "pop3s://127.0.0.1:{server.tls_port}"
password-file = "{password}"
tls = {{ ca-file = "{server.ca}" }}
"""
    tables = "".join(f'[accounts.{user}]\nuser = "{user}"\nmaildir = "{work}/mail/{user}"\n' for user in users)
    config = write(work / "config.toml", head + tables)
    return [options.popsync, "--config", config, "--state-dir", str(work / "state")]


def mpop(options: argparse.Namespace, server: Dovecot, users: list[str], processes: int,
         work: pathlib.Path) -> list[str]:
    lines = [f"""\
defaults
host 127.0.0.1
port {server.tls_port}
password {PASSWORD}
tls on
tls_starttls off
tls_trust_file {server.ca}
keep on
received_header off
"""]
    for user in users:
        # mpop makes no Maildir.
        prepare(work / "mail" / user, None)
        lines.append(f"account {user}\nuser {user}\ndelivery maildir {work}/mail/{user}\n"
                     f"uidls_file {work}/uidls-{user}\n")
    config = write(work / "mpoprc", "".join(lines))
    (work / "users").write_text("\n".join(users) + "\n")
    return ["xargs", "-P", str(processes), "-n", "1", "-a", str(work / "users"), "mpop", "-Q", "-C", config]


def raw(options: argparse.Namespace, server: Dovecot, users: list[str], connections: int, what: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(HERE / "rawfleet.py"), str(server.tls_port), PASSWORD, str(server.ca),
            what, str(connections), str(len(users))]


def report(options: argparse.Namespace, contenders: list[Contender]) -> None:
    print(f"{options.accounts} accounts of {options.messages} messages of {SIZE} octets, {options.rounds} rounds in "
          "turn, over TLS\n")
    print("| program | at once | job | wall s | least | most | CPU s | memory MiB |\n"
          "|---|---:|---|---:|---:|---:|---:|---:|")
    for job in ("first", "nothing new"):
        for contender in contenders:
            runs = contender.runs[job]
            walls = [run.wall for run in runs]
            print(f"| {contender.program} | {contender.degree} | {job} | {statistics.median(walls):.2f} | "
                  f"{min(walls):.2f} | {max(walls):.2f} | {statistics.median(run.cpu for run in runs):.2f} | "
                  f"{max(run.memory for run in runs):.1f} |")
    print()
    for job in ("first", "nothing new"):
        best = {program: min((one for one in contenders if one.program == program), key=lambda one: one.median(job))
                for program in ("popsync", "mpop", "raw client")}
        ours, theirs, floor = (best[name].median(job) for name in ("popsync", "mpop", "raw client"))
        memory = max(run.memory for run in best["popsync"].runs[job])
        print(f"{job}: wall / mpop's {ours / theirs:.2f} (target ≤ {RATIO:.2f}), wall / raw client's "
              f"{ours / floor:.2f} (target ≤ {RAW_RATIO}), memory {memory:.1f} MiB (target < {MEMORY})")


if __name__ == "__main__":
    main()
