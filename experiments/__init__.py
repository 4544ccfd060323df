"""Runs too long for a chapter, recorded with seed, versions and standard errors.

Each module here is one run; ``python tasks.py results`` repeats them all.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import numpy
import scipy
import torch

from vaelab.book.results import FOLDER


def record(name: str, seed: int, results: dict[str, Any]) -> Path:
    """Write one run's results beside the command, seed and versions that made them."""
    record = {
        "command": f"python -m experiments.{name}",
        "seed": seed,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "numpy": numpy.__version__,
            "scipy": scipy.__version__,
        },
        **results,
    }
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path
