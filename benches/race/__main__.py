"""Races popsync against mpop and against a pull that stores nothing, on this machine alone.

    python3 benches/race [--rows a,b,…] [--growth] [--file-system ext4] [--quick] …

Needs Debian's dovecot-core, dovecot-pop3d and openssl; mpop for the rows that compare with it,
strace for row i. Everything runs on loopback, in one folder, and ends with the script.
"""
import argparse
import fcntl
import pathlib
import signal
import sys

# Nothing but results is left in the repository.
sys.dont_write_bytecode = True

import report
from clients import Popsync
from disks import KINDS, Disk, own_namespace, workplace
from jobs import DOVECOT_ONLY, QUICK, ROWS, Lab, Scale, growth, log
from others import Courier, Cyrus
from server import Dovecot

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVERS = {"courier": Courier, "cyrus": Cyrus, "dovecot": Dovecot}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benches/race", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--rows", help=f"which rows, of {','.join(ROWS)}; or none; all that the server is measured by")
    add("--server", choices=SERVERS, default="dovecot", help="%(default)s, or others as root (not all rows)")
    add("--growth", action="store_true", help="also how time and memory grow with the mailbox")
    add("--growth-max", type=int, default=100_000, metavar="N", help="the largest mailbox of that; %(default)s")
    add("--file-system", choices=KINDS, default="as-is",
        help="where mail is stored: in the folder, or on a new file system for every first sync (root)")
    add("--folder", type=pathlib.Path, help="where everything lies, and the mailboxes stay for the next time "
                                            "(5 GB; 15 for a million messages); a temporary one")
    add("--popsync", default=str(ROOT / "target/release/popsync"), help="%(default)s")
    add("--rounds", type=int, default=5, help="%(default)s")
    add("--timeout", type=int, default=1800, metavar="SECONDS", help="for one run; %(default)s")
    add("--quick", action="store_true", help="small mailboxes and one round: does it work at all?")
    add("--json", type=pathlib.Path, metavar="FILE", help="also writes every figure of every run")
    add("--write-results", type=pathlib.Path, nargs="?", const=ROOT / "benches/README.md", metavar="FILE",
        help="puts the tables between the markers of benches/README.md, or of FILE")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.file_system != "as-is":
        own_namespace()
    known = [row for row in ROWS if options.server == "dovecot" or row not in DOVECOT_ONLY]
    rows = known if options.rows is None else [] if options.rows == "none" else options.rows.split(",")
    if unknown := set(rows) - set(known):
        sys.exit(f"no row {', '.join(sorted(unknown))}: {options.server} is measured by {', '.join(known)}")
    if options.server != "dovecot" and (options.growth or options.write_results):
        sys.exit("growth is measured, and results are written, with Dovecot alone")
    # So that what was started is stopped and what was mounted unmounted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with workplace(options.folder) as folder:
        race(options, rows, folder)


def race(options: argparse.Namespace, rows: list[str], folder: pathlib.Path) -> None:
    popsync = Popsync(options.popsync)
    lock = open(folder / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another race is under way in {folder}")
    disk = Disk(folder, options.file_system)
    server = SERVERS[options.server](folder)
    try:
        lab = Lab(server, disk, popsync, QUICK if options.quick else Scale(),
                  1 if options.quick else options.rounds, options.timeout)
        results = []
        for row in rows:
            log(f"row {row}")
            results.append(ROWS[row](lab))
        grown = growth(lab, 1_000 if options.quick else options.growth_max) if options.growth else []
    finally:
        server.stop()
        disk.remove()
    about = report.conditions(lab, options.quick)
    parts = {}
    if results:
        parts["measured"] = "\n\n".join([report.targets(results), report.details(results), about])
    if grown:
        parts["growth"] = f"{report.grown(grown)}\n\n{about}"
    print("\n\n".join(parts.values()))
    if options.json:
        options.json.write_text(report.to_json(results, grown, about))
    if options.write_results and not options.quick:
        for name, text in parts.items():
            report.write_between(options.write_results, name, text)


main()
