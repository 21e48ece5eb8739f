"""Results as Markdown, and as JSON."""
import datetime
import json
import os
import pathlib
import platform

import measure
from jobs import Grown, Lab, Result, Verdict, cpu, median, wall


def conditions(lab: Lab, quick: bool) -> str:
    """Where and with what it was measured."""
    mpop = f"mpop {lab.mpop.version}, " if lab.mpop else "no mpop, "
    text = (f"{datetime.date.today()}: {processor()}, {os.cpu_count()} cores, {total_memory()}, "
            f"Linux {platform.release()}, {lab.disk.name()}; popsync {lab.popsync.version}, {mpop}"
            f"{lab.server.name} {lab.server.version}, Python {platform.python_version()}; "
            f"median of {lab.rounds} alternating rounds, each message compared by digest.")
    return text + ("\n\n**A smoke test with small mailboxes: the figures mean nothing.**" if quick else "")


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def total_memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def targets(results: list[Result]) -> str:
    lines = ["| | job | what | target | measured | met |", "|---|---|---|---:|---:|---|"]
    for result in results:
        for verdict in result.verdicts:
            lines.append(f"| {result.row} | {result.title} | {verdict.what} | {target(verdict)} | "
                         f"{number(verdict.figure)}{verdict.unit} | {met(verdict)} |")
    return "\n".join(lines)


def target(verdict: Verdict) -> str:
    return "" if verdict.target == float("inf") else f"≤ {number(verdict.target)}{verdict.unit}"


def met(verdict: Verdict) -> str:
    if verdict.target == float("inf"):
        return ""
    if verdict.figure != verdict.figure:
        return "cannot tell: the other is missing"
    return "yes" if verdict.met() else "**no**"


def number(figure: float) -> str:
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.4f}" if figure < 0.1 else f"{figure:.2f}"


def details(results: list[Result]) -> str:
    lines = ["| | client | wall s | least | most | CPU s | memory MiB |", "|---|---|---:|---:|---:|---:|---:|"]
    for result in results:
        # Strace makes these slow.
        if result.row == "i":
            continue
        for name, runs in result.runs.items():
            walls = sorted(map(wall, runs))
            lines.append(f"| {result.row} | {name} | {median(runs, wall):.3f} | {walls[0]:.3f} | {walls[-1]:.3f} | "
                         f"{median(runs, cpu):.2f} | {most_memory(runs):.1f} |")
    return "\n".join(lines)


def most_memory(runs: list[measure.Run]) -> float:
    return max(run.memory for run in runs)


def grown(rows: list[Grown]) -> str:
    lines = ["| messages | first sync | | nothing new | | 100 new | |", "|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        cells = (f"{median(runs, wall):.3f} s | {most_memory(runs):.1f} MiB"
                 for runs in (row.first, row.nothing, row.few))
        lines.append(f"| {row.messages:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_between(path: pathlib.Path, name: str, text: str) -> None:
    """Puts the text between the lines `<!-- NAME: begin … -->` and `<!-- NAME: end -->`."""
    lines = path.read_text().splitlines()
    try:
        begin = next(n for n, line in enumerate(lines) if line.startswith(f"<!-- {name}: begin"))
        end = next(n for n, line in enumerate(lines) if line.startswith(f"<!-- {name}: end"))
    except StopIteration:
        raise SystemExit(f"{path} has no lines `<!-- {name}: begin -->` and `<!-- {name}: end -->`") from None
    path.write_text("\n".join([*lines[:begin + 1], text, *lines[end:]]) + "\n")


def to_json(results: list[Result], rows: list[Grown], about: str) -> str:
    def plain(value: object) -> object:
        if isinstance(value, measure.Run):
            return {"wall": value.wall, "cpu": value.cpu, "memory": value.memory}
        raise TypeError(type(value))

    return json.dumps({"conditions": about, "rows": [result._asdict() for result in results],
                       "growth": [row._asdict() for row in rows]}, default=plain, indent=1)
