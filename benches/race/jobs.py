"""What is measured: for each row of the table a mailbox, a task and a target."""
import os
import pathlib
import shutil
import statistics
import sys
import time
from typing import Callable, NamedTuple

import clients
import mailbox
import measure
from clients import Client, Place
from disks import Disk
from mailbox import Mailbox
from server import Dovecot, proxy

Runs = dict[str, list[measure.Run]]
NEW = 100           # messages that are new where few are
SETTLING = 2.5      # seconds until Dovecot trusts a folder's time stamp, and no longer reads it anew
NOOPS = 100         # to tell what one round trip takes
SHORT = 5           # times as many rounds, where a run takes milliseconds
TINY = 450          # octets of a message where their number is what counts


class Verdict(NamedTuple):
    """A figure, and the most that it may be."""

    what: str
    figure: float
    target: float
    unit: str = ""

    def met(self) -> bool:
        return self.figure <= self.target


class Result(NamedTuple):
    """What a row came to."""

    row: str
    title: str
    runs: Runs
    verdicts: list[Verdict]


class Scale(NamedTuple):
    """How large the mailboxes are."""

    small: int = 10_000
    real: int = 5_000
    real_octets: int = 712_000_000
    many: int = 100_000
    huge_octets: int = 1_000_000_000
    distant: int = 1_000
    gib: int = 4        # of a new file system


QUICK = Scale(small=300, real=60, real_octets=6_000_000, many=2_000, huge_octets=20_000_000, distant=40, gib=1)


class Lab:
    """All that the jobs share."""

    def __init__(self, server: Dovecot, disk: Disk, popsync: Client, scale: Scale, rounds: int, timeout: int):
        self.server, self.disk, self.popsync = server, disk, popsync
        self.mpop = clients.mpop()
        self.scale, self.rounds, self.timeout = scale, rounds, timeout
        self.seed = int(time.time())

    def mailbox(self, user: str, sizes: list[int]) -> Mailbox:
        """A mailbox that the server has indexed, and its machine read."""
        user = f"{user}-{len(sizes)}"
        log(f"mailbox {user}: {sum(sizes) / 1e6:.0f} MB")
        box = Mailbox(self.server.mail, user).make(sizes, len(sizes), self.server.owner.takes)
        self.server.take(user)
        self.index(user)
        clients.RawPull("retr").run(self.place(user, pathlib.Path("/")), self.timeout)
        return box

    def index(self, user: str) -> None:
        clients.RawPull("uidl").run(self.place(user, pathlib.Path("/")), self.timeout)

    def place(self, user: str, folder: pathlib.Path, port: int | None = None) -> Place:
        return Place(user, port or self.server.tls_port, self.server.ca, folder / "mail", folder / "state")

    def against(self, *wanted: Client | None) -> list[Client]:
        return [client for client in (self.popsync, *wanted) if client]

    def alternate(self, racers: list[Client], once: Callable[[Client], measure.Run],
                  rounds: int | None = None) -> Runs:
        """Runs them in rounds; the order turns each time."""
        runs: Runs = {client.name: [] for client in racers}
        for round in range(rounds or self.rounds):
            first = round % len(racers)
            for client in racers[first:] + racers[:first]:
                os.sync()
                done = once(client)
                runs[client.name].append(done)
                log(f"  {client.name}: {done.wall:.3f} s, CPU {done.cpu:.2f} s, {done.memory:.1f} MiB")
        return runs

    def first_sync(self, client: Client, box: Mailbox, port: int | None = None,
                   gib: int | None = None) -> measure.Run:
        """Everything is new, and must be stored once and unaltered."""
        folder = self.disk.renew(gib or self.scale.gib) if client.stores else pathlib.Path("/")
        place = self.place(box.user, folder, port)
        if client.stores:
            mailbox.prepare(place.maildir)
            place.state.mkdir()
        done = client.run(place, self.timeout)
        if client.stores:
            check(client, box.digests(), mailbox.stored(place.maildir))
        return done

    def known(self, client: Client, box: Mailbox, folder: pathlib.Path, port: int | None = None) -> Place:
        """Lets a client retrieve a mailbox in which later there will be nothing new."""
        place = self.place(box.user, folder / client.name.replace(" ", "-"), port)
        if not client.stores:
            return place
        log(f"  {client.name} retrieves what it will know")
        mailbox.prepare(place.maildir)
        place.state.mkdir()
        if client.name == "mpop":
            # It flushes the disk several times a message, and does not care later where it put
            # them: let that be memory.
            aside = pathlib.Path("/dev/shm") / f"popsync-race-{os.getpid()}"
            mailbox.prepare(aside)
            client.run(place._replace(maildir=aside), 3600)
            mailbox.remove(aside)
            return place
        client.run(place, 3600)
        check(client, box.digests(), mailbox.stored(place.maildir))
        return place

    def noop(self, user: str, port: int) -> float:
        """How long one NOOP waits for its answer, in seconds."""
        place = self.place(user, pathlib.Path("/"), port)
        return clients.RawPull("noop", str(NOOPS)).run(place, self.timeout).wall

    def nothing_new(self, client: Client, place: Place) -> measure.Run:
        before = mailbox.names(place.maildir) if client.stores else frozenset()
        done = client.run(place, self.timeout)
        if client.stores and mailbox.names(place.maildir) != before:
            raise SystemExit(f"{client.name} stored something although nothing was new")
        return done

    def few_new(self, client: Client, box: Mailbox, place: Place) -> measure.Run:
        """Some messages are new. Afterwards all is as it was before."""
        self.seed += 1
        kept = place.state.with_name("state.kept")
        if client.stores:
            shutil.copytree(place.state, kept)
            before = mailbox.names(place.maildir)
        expected = box.deliver(NEW, 2_000, self.seed)
        time.sleep(SETTLING)
        self.index(box.user)
        os.sync()
        done = client.run(place, self.timeout)
        if client.stores:
            check(client, expected, mailbox.stored(place.maildir, but=before))
            for name in mailbox.names(place.maildir) - before:
                (place.maildir / name).unlink()
            mailbox.remove(place.state)
            kept.rename(place.state)
        box.withdraw(self.seed)
        self.index(box.user)
        return done


def a(lab: Lab) -> Result:
    count = lab.scale.small
    box = lab.mailbox("small", mailbox.equal(count, 2_000))
    runs = lab.alternate(lab.against(lab.mpop), lambda client: lab.first_sync(client, box))
    return Result("a", f"first sync of {count:,} × 2 kB", runs, [ratio("wall / mpop's", runs, "mpop", wall, 1 / 5)])


def b(lab: Lab) -> Result:
    sizes = mailbox.realistic(lab.scale.real, lab.scale.real_octets)
    box = lab.mailbox("real", sizes)
    runs = lab.alternate(lab.against(lab.mpop, clients.RawPull("retr")),
                         lambda client: lab.first_sync(client, box))
    return Result("b", f"first sync of {sum(sizes) / 1e6:,.0f} MB in {len(sizes):,}", runs, [
        ratio("wall / raw pull's", runs, "raw pull", wall, 1.08),
        ratio("CPU / mpop's", runs, "mpop", cpu, 2 / 3)])


def c(lab: Lab) -> Result:
    box = lab.mailbox("many", mailbox.equal(lab.scale.many, TINY))
    folder = lab.disk.renew(lab.scale.gib)
    racers = lab.against(lab.mpop, clients.RawPull("uidl"))
    places = {client.name: lab.known(client, box, folder) for client in racers}
    runs = lab.alternate(racers, lambda client: lab.nothing_new(client, places[client.name]))
    return Result("c", f"nothing new in {lab.scale.many:,}", runs, [
        ratio("wall / raw listing's", runs, "raw pull", wall, 1.05), memory(runs, 20)])


def d(lab: Lab) -> Result:
    box = lab.mailbox("many", mailbox.equal(lab.scale.many, TINY))
    folder = lab.disk.renew(lab.scale.gib)
    racers = lab.against(lab.mpop, clients.RawPull("new", str(NEW)))
    places = {client.name: lab.known(client, box, folder) for client in racers}
    runs = lab.alternate(racers, lambda client: lab.few_new(client, box, places[client.name]))
    return Result("d", f"{NEW} new in {lab.scale.many:,}", runs, [
        ratio("wall / mpop's", runs, "mpop", wall, 1 / 2),
        ratio("wall / raw pull's", runs, "raw pull", wall, float("inf"))])


def e(lab: Lab) -> Result:
    octets = lab.scale.huge_octets
    box = lab.mailbox("huge", [octets])
    runs = lab.alternate(lab.against(lab.mpop, clients.RawPull("retr")),
                         lambda client: lab.first_sync(client, box))
    return Result("e", f"one message of {octets / 1e9:g} GB", runs, [
        ratio("wall / raw pull's", runs, "raw pull", wall, 1.05), memory(runs, 12)])


def f(lab: Lab) -> Result:
    count = lab.scale.distant
    box = lab.mailbox("distant", mailbox.equal(count, 2_000))
    runs, trips = distant(lab, box.user, lab.server.tls_port, 50, lab.against(lab.mpop),
                          lambda client, port: lab.first_sync(client, box, port))
    return Result("f", f"first sync of {count:,} × 2 kB at RTT 50 ms", runs, [Verdict("round trips", trips, 14)])


def g(lab: Lab) -> Result:
    runs, trips = distant_nothing_new(lab, lab.server.tls_port)
    return Result("g", "nothing new at RTT 100 ms", runs, [Verdict("round trips", trips, 6)])


def g2(lab: Lab) -> Result:
    with proxy("no-pipelining", lab.server.plain_port, lab.server.certificate, lab.server.key) as port:
        runs, trips = distant_nothing_new(lab, port)
    return Result("g2", "the same without PIPELINING", runs, [Verdict("round trips", trips, 8)])


def h(lab: Lab) -> Result:
    count = lab.scale.distant
    box = lab.mailbox("distant", mailbox.equal(count, 2_000))
    with proxy("no-pipelining", lab.server.plain_port, lab.server.certificate, lab.server.key) as port:
        runs, trips = distant(lab, box.user, port, 50, lab.against(),
                              lambda client, port: lab.first_sync(client, box, port), rounds=min(lab.rounds, 2))
    return Result("h", "f without PIPELINING", runs, [Verdict("round trips", trips, count + 10)])


def h4(lab: Lab) -> Result:
    count = lab.scale.distant
    box = lab.mailbox("distant", mailbox.equal(count, 2_000))
    four = clients.Popsync(lab.popsync.program, "--connections", "4")
    four.name = "popsync, 4 connections"
    with (proxy("no-pipelining", lab.server.plain_port, lab.server.certificate, lab.server.key) as port,
          proxy("delay", port, 50) as far):
        runs = lab.alternate([four, lab.popsync], lambda client: lab.first_sync(client, box, far),
                             rounds=min(lab.rounds, 2))
    share = median(runs[four.name], wall) / median(runs["popsync"], wall)
    return Result("h4", "h over four connections", runs, [Verdict("wall / that of one", share, 1 / 3.5)])


def i(lab: Lab) -> Result:
    count = lab.scale.small
    box = lab.mailbox("small", mailbox.equal(count, 2_000))
    runs: Runs = {}
    verdicts = []
    for client in lab.against(lab.mpop):
        place = lab.place(box.user, lab.disk.renew(lab.scale.gib))
        mailbox.prepare(place.maildir)
        place.state.mkdir()
        done, calls = measure.fsync_like_calls(client.command(place), lab.timeout)
        check(client, box.digests(), mailbox.stored(place.maildir))
        log(f"  {client.name}: {calls}")
        runs[client.name] = [done]
        verdicts.append(Verdict(f"{client.name}: fsync-like calls per message", sum(calls.values()) / count, 0.02))
    # Only popsync is held to it.
    others = [verdict._replace(target=float("inf")) for verdict in verdicts[1:]]
    return Result("i", f"fsync-like calls in a ({count:,} messages)", runs, verdicts[:1] + others)


def j(lab: Lab) -> Result:
    count = lab.scale.small
    box = lab.mailbox("small", mailbox.equal(count, 2_000))
    into_mbox = clients.PopsyncMbox(lab.popsync.program)

    def once(client: Client) -> measure.Run:
        if client is lab.popsync:
            return lab.first_sync(client, box)
        place = lab.place(box.user, lab.disk.renew(lab.scale.gib))
        done = client.run(place, lab.timeout)
        check(client, box.digests(), mailbox.stored_in(clients.mbox(place)))
        return done

    runs = lab.alternate([into_mbox, lab.popsync], once)
    faster = median(runs[into_mbox.name], wall) / median(runs["popsync"], wall)
    return Result("j", "a into an mbox", runs, [Verdict("wall / that into a Maildir", faster, float("inf"))])


def k(lab: Lab) -> Result:
    count = lab.scale.small
    box = lab.mailbox("small", mailbox.equal(count, 2_000))
    headers = clients.Popsync(lab.popsync.program, "--headers-only-above", "1 B")

    def once(client: Client) -> measure.Run:
        if client is lab.popsync:
            return lab.first_sync(client, box)
        place = lab.place(box.user, lab.disk.renew(lab.scale.gib))
        mailbox.prepare(place.maildir)
        done = client.run(place, lab.timeout)
        said = headers.summary(done)
        if said["headers"] != count or mailbox.names(place.maildir):
            raise SystemExit(f"not {count} headers and no message: {said}")
        return done

    headers.name = "popsync, headers"
    runs = lab.alternate([headers, lab.popsync], once)
    share = median(runs[headers.name], wall) / median(runs["popsync"], wall)
    return Result("k", "headers alone of a", runs, [Verdict("wall / that of whole messages", share, float("inf"))])


def l(lab: Lab) -> Result:
    sizes = mailbox.realistic(2 * lab.scale.real, 2 * lab.scale.real_octets)
    box = lab.mailbox("renamed", sizes)
    renamed = clients.Popsync(lab.popsync.program)
    renamed.name = "popsync, renamed"

    def once(client: Client) -> measure.Run:
        if client is lab.popsync:
            return lab.first_sync(client, box)
        # What the last first sync stored is there still.
        box.forget_ids()
        lab.index(box.user)
        os.sync()
        done = lab.nothing_new(client, lab.place(box.user, lab.disk.mount))
        if renamed.summary(done)["retrieved"] != 0:
            raise SystemExit("messages came again")
        return done

    runs: Runs = {lab.popsync.name: [], renamed.name: []}
    for _ in range(lab.rounds):
        for name, done in lab.alternate([lab.popsync, renamed], once, rounds=1).items():
            runs[name] += done
    share = median(runs[renamed.name], wall) / median(runs["popsync"], wall)
    return Result("l", f"all {len(sizes):,} unique-ids are others, of {sum(sizes) / 1e6:,.0f} MB", runs,
                  [Verdict("wall / that of the first sync", share, 1 / 5)])


def m(lab: Lab) -> Result:
    box = lab.mailbox("empty", [])
    folder = lab.disk.renew(lab.scale.gib)
    racers = lab.against(lab.mpop)
    places = {client.name: lab.known(client, box, folder) for client in racers}
    # These take milliseconds, so that one of them says little.
    rounds = lab.rounds * SHORT
    runs = lab.alternate(racers, lambda client: lab.nothing_new(client, places[client.name]), rounds=rounds)
    version = [measure.run([lab.popsync.program, "--version"], lab.timeout) for _ in range(rounds)]
    return Result("m", "an empty mailbox", runs, [
        ratio("wall / mpop's", runs, "mpop", wall, 1.5),
        Verdict("popsync --version", 1_000 * median(version, wall), 5, " ms")])


ROWS: dict[str, Callable[[Lab], Result]] = {
    "a": a, "b": b, "c": c, "d": d, "e": e, "f": f, "g": g, "g2": g2, "h": h, "h4": h4, "i": i,
    "j": j, "k": k, "l": l, "m": m}


# Mail is delivered, or a proxy speaks, as only Dovecot has it.
DOVECOT_ONLY = frozenset(("d", "g2", "h", "h4", "l"))


class Grown(NamedTuple):
    """One row of the growth table."""

    messages: int
    first: list[measure.Run]
    nothing: list[measure.Run]
    few: list[measure.Run]


def growth(lab: Lab, most: int) -> list[Grown]:
    """How time and memory grow with the mailbox."""
    rows = []
    for messages in (count for count in (1_000, 10_000, 100_000, 1_000_000) if count <= most):
        box = lab.mailbox("growth", mailbox.equal(messages, TINY))
        rounds = 1 if messages > 100_000 else min(3, lab.rounds)
        # A file takes a block and an inode.
        gib = max(lab.scale.gib, messages * 12_000 // (1 << 30))
        one = [lab.popsync]
        name = lab.popsync.name
        first = lab.alternate(one, lambda client: lab.first_sync(client, box, gib=gib), rounds)[name]
        # What the last one stored is there still.
        place = lab.place(box.user, lab.disk.mount)
        nothing = lab.alternate(one, lambda client: lab.nothing_new(client, place))[name]
        few = lab.alternate(one, lambda client: lab.few_new(client, box, place))[name]
        rows.append(Grown(messages, first, nothing, few))
    return rows


def distant(lab: Lab, user: str, port: int, rtt: int, racers: list[Client],
            once: Callable[[Client, int], measure.Run], rounds: int | None = None) -> tuple[Runs, float]:
    """How long it takes at that distance, and how many round trips popsync waited for: what it
    took longer than at no distance, through the same proxies."""
    with proxy("delay", port, 0) as near, proxy("delay", port, rtt) as far:
        close = lab.alternate([lab.popsync], lambda client: once(client, near), rounds)
        runs = lab.alternate(racers, lambda client: once(client, far), rounds)
        # A machine that slept for a round trip takes its time to wake, everywhere on the way: a
        # round trip is what one NOOP waits for at that distance, and does not at none.
        trip = lab.noop(user, far) - lab.noop(user, near)
    log(f"  one round trip: {1000 * trip:.2f} ms")
    # Whatever else the machine does only adds: the least is nearest the truth. More digits than
    # one would be noise.
    least = [min(map(wall, those[lab.popsync.name])) for those in (runs, close)]
    return runs, round((least[0] - least[1]) / trip, 1)


def distant_nothing_new(lab: Lab, port: int) -> tuple[Runs, float]:
    box = lab.mailbox("ten", mailbox.equal(10, 2_000))
    folder = lab.disk.renew(lab.scale.gib)
    racers = lab.against(lab.mpop)
    places = {client.name: lab.known(client, box, folder, port) for client in racers}
    return distant(lab, box.user, port, 100, racers,
                   lambda client, port: lab.nothing_new(client, places[client.name]._replace(port=port)))


def wall(run: measure.Run) -> float:
    return run.wall


def cpu(run: measure.Run) -> float:
    return run.cpu


def median(runs: list[measure.Run], of: Callable[[measure.Run], float]) -> float:
    return statistics.median(map(of, runs))


def ratio(what: str, runs: Runs, other: str, of: Callable[[measure.Run], float], target: float) -> Verdict:
    """Popsync's figure by another's; not a number where that one did not run."""
    if other not in runs:
        return Verdict(what, float("nan"), target)
    return Verdict(what, median(runs["popsync"], of) / median(runs[other], of), target)


def memory(runs: Runs, target: float) -> Verdict:
    return Verdict("memory", max(run.memory for run in runs["popsync"]), target, " MiB")


def check(client: Client, expected: mailbox.Digests, found: mailbox.Digests) -> None:
    if wrong := mailbox.differences(expected, found):
        raise SystemExit(f"{client.name} did not store every message exactly once: {wrong}")


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
