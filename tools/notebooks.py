"""Execute the chapters and store them in one canonical form, so that diffs show what changed.

Usage: python -m tools.notebooks [--check] [chapters/NN_topic.ipynb ...]

Outputs are kept, because nbval compares them with a fresh run. What differs between machines or
runs without anybody having changed anything is not: pictures (their text stays), the state of
widgets, times, the version of Python. ``--check`` executes nothing and names what is not in
this form.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections import Counter
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Tags steer the build and nbval, mystnb holds alternative texts and captions, nbgrader marks
# the cells of exercises, the other two fold a cell in Jupyter and on Colab.
CELL_METADATA = ("tags", "mystnb", "nbgrader", "jupyter", "cellView")
# nbval leaves the first three out of its comparison; it would miss an SVG, so none may be made.
DROPPED = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
REFUSED = "image/svg+xml"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="execute nothing, name what differs")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: all chapters)")
    options = parser.parse_args(arguments)
    paths = options.paths or sorted(CHAPTERS.glob("*.ipynb"))

    failures = 0
    for path in paths:
        problem = check(path) if options.check else renew(path)
        if problem:
            print(f"{path}: {problem}", file=sys.stderr)
            failures += 1
        elif not options.check:
            print(f"{path}: executed and written")
    return 1 if failures else 0


def check(path: Path) -> str:
    """What keeps a notebook from being in canonical form, or nothing."""
    text = path.read_text(encoding="utf-8")
    try:
        notebook = read(text)
        canonical = write(notebook)
    except ValueError as error:
        return str(error)
    if text == canonical:
        return ""
    pairs = zip(text.splitlines(), canonical.splitlines(), strict=False)
    line = next((n for n, (was, now) in enumerate(pairs, 1) if was != now), "at the end")
    return f"not in canonical form, first at line {line}: `python tasks.py notebooks` writes it"


def renew(path: Path) -> str:
    """Execute a notebook and write it in canonical form; says what failed, or nothing."""
    try:
        notebook = read(path.read_text(encoding="utf-8"))
        execute(notebook, path.resolve().parent)
        canonical = write(notebook)
    except CellExecutionError as error:
        return f"a cell failed, nothing was written\n{error}"
    except ValueError as error:
        return f"{error}; nothing was written"
    path.write_text(canonical, encoding="utf-8", newline="\n")
    return ""


def execute(notebook: NotebookNode, folder: Path) -> None:
    # As in the tests: under a kernel, not for a static page, and with claims that must hold.
    environment = {k: v for k, v in os.environ.items() if k != "VAELAB_HOST"}
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        skip_cells_with_tag="",  # what only the build leaves out
    )
    client.execute(env=environment | {"VAELAB_CLAIMS": "strict", "PYTHONUTF8": "1"})


def read(text: str) -> NotebookNode:
    # Cells from before format 4.5 have no ids, and get theirs below in any case.
    return nbformat.reads(text, as_version=4)


def write(notebook: NotebookNode) -> str:
    """The text of a notebook in canonical form.

    Raises:
        ValueError: If an output has no canonical form: an error, or an SVG.
    """
    cells = []
    seen: Counter[str] = Counter()
    count = 0
    for cell in notebook.cells:
        made = {
            "cell_type": cell.cell_type,
            "id": cell_id(cell, seen),
            "metadata": {k: cell.metadata[k] for k in CELL_METADATA if cell.metadata.get(k)},
            "source": cell.source,
        }
        if cell.cell_type == "code":
            # A cell without code is not executed, and so not counted.
            count += bool(cell.source.strip())
            made["execution_count"] = count if cell.source.strip() else None
            made["outputs"] = [canonical_output(output, count) for output in cell.outputs]
        cells.append(made)
    canonical = nbformat.from_dict(
        {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    )
    nbformat.validate(canonical)
    return nbformat.writes(canonical) + "\n"


def cell_id(cell: NotebookNode, seen: Counter[str]) -> str:
    """An id made from what the cell says: the same wherever and whenever it is written."""
    identity = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    seen[identity] += 1
    return identity if seen[identity] == 1 else f"{identity}-{seen[identity]}"


def canonical_output(output: NotebookNode, count: int) -> dict:
    kind = output.output_type
    if kind == "stream":
        return {"output_type": kind, "name": output.name, "text": output.text}
    if kind == "error":
        raise ValueError(f"cell {count} stored an error: {output.ename}: {output.evalue}")
    if REFUSED in output.data:
        raise ValueError(f"cell {count} made an SVG, which nbval would compare byte by byte")
    made = {
        "output_type": kind,
        "data": {key: value for key, value in output.data.items() if key not in DROPPED},
        "metadata": {},
    }
    if kind == "execute_result":
        made["execution_count"] = count
    return made


if __name__ == "__main__":
    sys.exit(main())
