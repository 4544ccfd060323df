"""All benchmarks in one run, the tables written to ``RESULTS.md``.

Usage: python -m benchmarks [--rounds N] [--threads N]
"""

from __future__ import annotations

import argparse
import sys

import torch

from benchmarks import log_marginal, report, timing, training_loop

AIMS = log_marginal.AIMS + training_loop.AIMS


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="times that each is measured (9)")
    parser.add_argument("--threads", type=int, help="of torch; as many as it chooses")
    options = parser.parse_args(arguments)
    if not __debug__:
        sys.exit("benchmarks: python -O leaves out the assertions that make the figures mean much")
    if options.threads:
        torch.set_num_threads(options.threads)
    # Three times as many passes as evaluations: they are short, and vary more.
    sections = log_marginal.measure(options.rounds) | training_loop.measure(3 * options.rounds)
    record = {"machine": timing.machine(), "sections": sections}
    print(report.write(record, AIMS))


if __name__ == "__main__":
    main()
