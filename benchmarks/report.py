"""The tables: what a run measured, as Markdown, and whether it is what we aim at."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
RESULTS, RECORD = FOLDER / "RESULTS.md", FOLDER / "results.json"
OURS = "vaelab"
BY_HAND = "<!-- What follows is written by hand; `python -m benchmarks` keeps it. -->"
PREFACE = """# Speed

Written by `python -m benchmarks`, which measures all of it again in one run, beside peers in the
environment of `benchmarks/requirements.txt`. Contestants took turns, round by round, and before
anything was timed it was asserted that they compute the same. A ratio is a contestant's time over
vaelab's: above 1, vaelab is faster. Its median is taken over rounds, each ratio of two runs in one
round, with the quartiles in brackets; the other ratio is that of the shortest times.
"""


@dataclass(frozen=True)
class Aim:
    """A ratio that we want: the time of ``slow`` over that of ``fast``."""

    section: str
    slow: str
    fast: str
    least: float | None = None
    most: float | None = None


def ratios(seconds: Mapping[str, list[float]], slow: str, fast: str) -> list[float]:
    """Round by round, so that what slows a whole round down cancels."""
    return [a / b for a, b in zip(seconds[slow], seconds[fast], strict=True)]


def spread(values: list[float]) -> str:
    """The median, with the quartiles where there are any."""
    middle = f"{statistics.median(values):.2f}"
    if len(values) < 2:
        return middle
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle} [{low:.2f}, {high:.2f}]"


def table(seconds: Mapping[str, list[float]], extra: Mapping[str, Mapping[str, str]]) -> str:
    """One line a contestant; ``extra`` has further columns: heading, then cell by contestant."""
    heads = ["", "seconds, median", "shortest", "ratio", "ratio of shortest", *extra]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, own in seconds.items():
        shortest = min(own) / min(seconds[OURS])
        cells = [name, f"{statistics.median(own):.4g}", f"{min(own):.4g}"]
        cells += ["1", "1"] if name == OURS else [spread(ratios(seconds, name, OURS))]
        cells += [] if name == OURS else [f"{shortest:.2f}"]
        cells += [column[name] for column in extra.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def aims_table(sections: Mapping[str, Any], aims: list[Aim]) -> str:
    lines = ["| the time of | over that of | aim | measured | |", "|---|---|---|---|---|"]
    for aim in aims:
        seconds = sections[aim.section]["seconds"]
        wanted = f"{aim.least} or more" if aim.least else f"{aim.most} or less"
        if not {aim.slow, aim.fast} <= seconds.keys():
            lines.append(f"| {aim.slow} | {aim.fast} | {wanted} | not installed | |")
            continue
        measured = ratios(seconds, aim.slow, aim.fast)
        middle = statistics.median(measured)
        met = middle >= aim.least if aim.least else middle <= aim.most
        row = [f"{aim.slow}, {aim.section}", aim.fast, wanted, spread(measured)]
        lines.append(f"| {' | '.join(row)} | {'met' if met else '**not met**'} |")
    return "\n".join(lines)


def machine_text(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    threads = "1 thread" if machine["threads"] == 1 else f"{machine['threads']} threads"
    return (
        f"Measured on {machine['processor']} ({machine['instructions']}), {machine['cores']} "
        f"cores, {threads}, {machine['system']}; {versions}."
    )


def markdown(record: Mapping[str, Any], aims: list[Aim]) -> str:
    """The generated part of ``RESULTS.md``, from a record and nothing else."""
    parts = [PREFACE.strip(), machine_text(record["machine"])]
    parts += ["## Aims", aims_table(record["sections"], aims)]
    for title, section in record["sections"].items():
        rounds = len(section["seconds"][OURS])
        parts += [f"## {title}", f"{section['about']} {rounds} rounds."]
        parts += [table(section["seconds"], section["extra"])]
        shares = (f"`{name}` {share:.0%}" for name, share in section["profile"].items())
        parts += [f"Where vaelab's time goes: {', '.join(shares)}.", *section["notes"]]
    return "\n\n".join(parts) + "\n"


def write(
    record: Mapping[str, Any], aims: list[Aim], results: Path = RESULTS, raw: Path = RECORD
) -> str:
    """Both files; what was written by hand below the tables stays."""
    text = markdown(record, aims)
    before = results.read_text(encoding="utf-8") if results.exists() else ""
    by_hand = before.partition(BY_HAND)[2] or "\n"
    results.write_text(f"{text}\n{BY_HAND}{by_hand}", encoding="utf-8", newline="\n")
    raw.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8", newline="\n")
    return text
