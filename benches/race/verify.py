"""`popsync verify` against `openssl dgst -sha256` over the same files.

    python3 benches/race/verify.py [--folder FOLDER] [--messages 100000] [--megabytes 2000] [--rounds 5]

A mailbox on a Dovecot of the script's own, synced once. Then both read the stored messages in turn,
after a round of each that does not count: all is in memory, where there is enough of it. Wall and
memory are what the kernel says (wait4). Both must have found every message.
"""
import argparse
import pathlib
import shlex
import statistics
import sys

sys.dont_write_bytecode = True

import measure
from clients import write
from disks import workplace
from mailbox import Mailbox, names, realistic
from server import PASSWORD, Dovecot

ROOT = pathlib.Path(__file__).resolve().parents[2]
USER = "verified"
RATIO, MEMORY = 1.25, 64
TIMEOUT = 1800


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--folder", type=pathlib.Path, help="where mailbox and store stay for the next time; a temporary one")
    add("--messages", type=int, default=100_000, help="%(default)s")
    add("--megabytes", type=int, default=2_000, help="of all messages; %(default)s")
    add("--rounds", type=int, default=5, help="%(default)s")
    add("--popsync", default=str(ROOT / "target/release/popsync"), help="%(default)s")
    return parser.parse_args()


def checked(argv: list[str]) -> measure.Run:
    done = measure.run(argv, TIMEOUT)
    if done.status != 0:
        sys.exit(f"{shlex.join(argv)} ended with {done.status}:\n{done.output}")
    return done


def main() -> None:
    options = arguments()
    with workplace(options.folder) as folder:
        compare(options, folder)


def compare(options: argparse.Namespace, folder: pathlib.Path) -> None:
    store = folder / "store"
    popsync = [options.popsync, "--config", str(folder / "config.toml"), "--state-dir", str(folder / "state"),
               "--json"]
    server = Dovecot(folder)
    try:
        sizes = realistic(options.messages, options.megabytes * 1_000_000)
        Mailbox(server.mail, USER).make(sizes, 15, server.owner.takes)
        password = write(folder / "password", PASSWORD + "\n")
        write(folder / "config.toml", f"""\
[accounts.{USER}]
server = "pop3s://127.0.0.1:{server.tls_port}"
user = "{USER}"
password-file = "{password}"
maildir = "{store}"
tls = {{ ca-file = "{server.ca}" }}
""")
        checked([*popsync, "sync"])
    finally:
        server.stop()
    files = sorted(names(store))
    if len(files) != options.messages:
        sys.exit(f"{len(files)} messages are stored, of {options.messages}")
    listed = folder / "files"
    listed.write_text("".join(f"{store / name}\0" for name in files))
    contenders = {
        "popsync verify": [*popsync, "verify"],
        "openssl dgst -sha256": ["sh", "-c", f"xargs -0 -a {shlex.quote(str(listed))} openssl dgst -sha256 | wc -l"],
    }
    runs = {name: [] for name in contenders}
    for number in range(options.rounds + 1):
        for name, argv in contenders.items():
            done = checked(argv)
            seen = done.output.strip() if name.startswith("openssl") else done.output
            if f'"intact":{options.messages},' not in seen and seen != str(options.messages):
                sys.exit(f"{name} did not read everything:\n{done.output[-2000:]}")
            if number > 0:
                runs[name].append(done)
    report(options, sum((store / name).stat().st_size for name in files), runs)


def report(options: argparse.Namespace, octets: int, runs: dict[str, list[measure.Run]]) -> None:
    with open("/proc/cpuinfo") as file:
        instructions = "with" if " sha_ni" in file.read() else "without"
    print(f"{options.messages} messages, {octets / 1e6:.0f} MB, {options.rounds} rounds in turn, warm, "
          f"on a processor {instructions} SHA instructions\n")
    print("| program | wall s | least | most | CPU s | memory MiB |\n|---|---:|---:|---:|---:|---:|")
    for name, done in runs.items():
        walls = [run.wall for run in done]
        print(f"| {name} | {statistics.median(walls):.3f} | {min(walls):.3f} | {max(walls):.3f} | "
              f"{statistics.median(run.cpu for run in done):.2f} | {max(run.memory for run in done):.1f} |")
    ours, theirs = (statistics.median(run.wall for run in done) for done in runs.values())
    memory = max(run.memory for run in runs["popsync verify"])
    print(f"\nwall / openssl's: {ours / theirs:.2f} (target ≤ {RATIO}); memory: {memory:.1f} MiB (target < {MEMORY})")
    if ours / theirs > RATIO or memory >= MEMORY:
        sys.exit(1)


main()
