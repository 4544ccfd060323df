"""Timing side by side.

A machine is never quite quiet, and slows down as it warms. So contestants take turns, and a ratio
compares two runs of the same round.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

PACKAGES = ("torch", "numpy", "pythae", "pyro-ppl")


def take_turns(
    contestants: Mapping[str, Callable[[], object]], rounds: int, calls: int = 1
) -> dict[str, list[float]]:
    """Time every contestant once a round, after a round that does not count.

    Args:
        contestants: What to call, by name.
        rounds: Rounds that count.
        calls: Calls in a row that are timed together, where one is short.

    Returns:
        For each contestant its seconds a call, one number a round.
    """
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        # Each begins a round as often as the others: who comes first finds other caches.
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            begun = time.perf_counter()
            for _ in range(calls):
                contestants[name]()
            if turn:
                seconds[name].append((time.perf_counter() - begun) / calls)
    return seconds


def machine() -> dict[str, object]:
    """What the figures were measured on, as far as it matters and no further."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": cores,
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "versions": {"Python": platform.python_version()} | versions(),
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def profile(call: Callable[[], object], calls: int = 1, top: int = 6) -> dict[str, float]:
    """Where the time of calls goes: the share of the operations that take most, by themselves."""
    call()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        for _ in range(calls):
            call()
    events = sorted(profiler.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return {event.key: round(event.self_cpu_time_total / total, 3) for event in events[:top]}
