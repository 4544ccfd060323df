"""What these tests share: the sources of the assignments, and whether nbgrader is there."""

from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "assignments" / "source").glob("*/*.ipynb"))


def cells_of(source: Path) -> dict:
    """The source's cells by their nbgrader id, such as "03-1" (an answer) or "03-1-a" (a part)."""
    notebook = nbformat.read(source, as_version=4)
    return {
        cell.metadata.nbgrader.grade_id: cell
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }


def all_cells() -> dict[str, dict]:
    """The cells of every source, by the source's name."""
    return {source.stem: cells_of(source) for source in SOURCES}


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def source(request) -> Path:
    return request.param


@pytest.fixture
def cells(source):
    return cells_of(source)


@pytest.fixture(scope="session")
def nbgrader() -> None:
    """Only ask whether it is there: importing it here would turn its warnings into errors."""
    if find_spec("nbgrader") is None:
        pytest.skip("nbgrader is not installed (requirements-dev.txt has it)")
