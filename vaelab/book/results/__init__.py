"""Results of the recorded runs, shipped with the package so that a chapter can draw them.

``experiments/NAME.py`` made ``NAME.json``; the file says with which seed and versions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load_results(name: str) -> dict[str, Any]:
    """What a recorded run found.

    Args:
        name: The experiment's name, such as ``"naive_monte_carlo"``.

    Returns:
        Its record: command, seed, versions, and the tables it measured.

    Raises:
        FileNotFoundError: If there is no such record; the message lists those there are.

    Example:
        >>> load_results("naive_monte_carlo")["command"]
        'python -m experiments.naive_monte_carlo'
    """
    path = FOLDER / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.json"))) or "none"
        raise FileNotFoundError(f"no recorded results named {name!r}; there are: {known}")
    return json.loads(path.read_text(encoding="utf-8"))
