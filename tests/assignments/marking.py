"""Marks as nbgrader gives them, without its kernels: each test cell is passed or not.

nbgrader itself marks a few students of each chapter in test_course.py, which also holds it
against what is computed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from nbformat import NotebookNode

Cells = dict[str, NotebookNode]
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)


def code_answers(cells: Cells) -> list[str]:
    """Ids of the cells that ask for code, "03-1" for question 03.1."""
    return [
        name
        for name, cell in cells.items()
        if cell.metadata.nbgrader.solution and not cell.metadata.nbgrader.grade
    ]


def written_parts(cells: Cells) -> list[str]:
    """Ids of the cells that ask for words and are marked by hand, such as "03-3-b"."""
    return [
        name
        for name, cell in cells.items()
        if cell.metadata.nbgrader.solution and cell.metadata.nbgrader.grade
    ]


def marked_cells(cells: Cells, answer: str) -> list[NotebookNode]:
    """The test cells of one answer."""
    return [
        cell
        for name, cell in cells.items()
        if name.startswith(f"{answer}-") and not cell.metadata.nbgrader.solution
    ]


def function_name(cells: Cells, answer: str) -> str:
    return re.search(r"def (\w+)", cells[answer].source)[1]


def with_body(cells: Cells, answer: str, body: str) -> str:
    """The answer cell with another body between the solution's delimiters."""
    source, found = SOLUTION.subn(lambda _: body, cells[answer].source)
    assert found == 1, f"{answer} has {found} solutions"
    return source


def session(cells: Cells, answer: str, body: str | None = None) -> dict:
    """What a student's session holds once the answer cell has run; the solution by default."""
    names: dict = {}
    exec(cells["imports"].source, names)
    exec(cells[answer].source if body is None else with_body(cells, answer, body), names)
    return names


def points(
    cells: Cells,
    answer: str,
    body: str | None = None,
    function: Callable | None = None,
    hidden: bool = True,
) -> list[float]:
    """Points of each part, for the solution, another body or another function.

    Every part runs in a session of its own: none may lean on another.
    """
    given = []
    for cell in marked_cells(cells, answer):
        names = session(cells, answer, body)
        if function is not None:
            names[function_name(cells, answer)] = function
        code = cell.source if hidden else HIDDEN.sub("", cell.source)
        try:
            exec(code, names)
        except Exception:
            given.append(0.0)
        else:
            given.append(float(cell.metadata.nbgrader.points))
    return given


def full(cells: Cells, answer: str) -> list[float]:
    """Points of each part of a question's code."""
    return [float(cell.metadata.nbgrader.points) for cell in marked_cells(cells, answer)]
