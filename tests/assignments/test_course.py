"""A small course, run for real: nbgrader releases, students answer, nbgrader marks them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import copy, copytree

import nbformat
import pytest

from tests.assignments.conftest import all_cells
from tests.assignments.marking import SOLUTION, code_answers, full, written_parts
from tests.assignments.wrong_answers import WRONG
from vaelab.book.exercises import SECRET_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
NAME = "03_naive_monte_carlo"
CELLS = all_cells()
STUB = re.compile(r" *# YOUR CODE HERE\n *raise NotImplementedError\(\)")
WORDS = "YOUR ANSWER HERE"


def blank(name: str) -> dict[str, str]:
    """Hands in the release as it is."""
    return {}


def right(name: str) -> dict[str, str]:
    """Knows the solutions, and has something to say about the rest."""
    cells = CELLS[name]
    code = {answer: SOLUTION.search(cells[answer].source)[2] for answer in code_answers(cells)}
    return code | {part: "See the chapter." for part in written_parts(cells)}


def mixed(name: str) -> dict[str, str]:
    """Types in formulas as they stand in the book, slips elsewhere, and is short of words."""
    return {answer: first_wrong(answer)[0] for answer in code_answers(CELLS[name])}


STUDENTS = {"blank": blank, "mixed": mixed, "right": right}


def first_wrong(answer: str) -> tuple[str, list[float]]:
    return next(iter(WRONG[answer].values()))


def fair(name: str, student: str) -> list[str]:
    """What the table of points should say, part by part and in order."""
    cells, table = CELLS[name], {}
    for part in written_parts(cells):
        table[part] = "?" if student == "right" else "0"
    for answer in code_answers(cells):
        points = full(cells, answer)
        worth = {"blank": [0] * len(points), "mixed": first_wrong(answer)[1], "right": points}
        for letter, value in zip("abc", worth[student], strict=False):
            table[f"{answer}-{letter}"] = f"{value:g}"
    return [table[key] for key, cell in cells.items() if cell.metadata.nbgrader.grade]


def tool(course: Path, *arguments: str, secret: str = "a course") -> subprocess.CompletedProcess:
    """The verb that an instructor runs, in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), SECRET_VARIABLE: secret}
    command = [sys.executable, "-m", "tools.assignments", *arguments, "--course", str(course)]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def answered(released: Path, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The released notebook with some of its empty answers filled in."""
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        answer = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if answer is not None:
            stub = STUB if cell.cell_type == "code" else WORDS
            cell.source, found = re.subn(stub, lambda _, text=answer: text, cell.source)
            assert found == 1, cell.source
    return notebook


@pytest.fixture(scope="module")
def course(nbgrader, tmp_path_factory) -> Path:
    """A course whose assignment has been released."""
    folder = tmp_path_factory.mktemp("course") / "assignments"
    copytree(ROOT / "assignments" / "source", folder / "source")
    copy(ROOT / "assignments" / "nbgrader_config.py", folder)
    done = tool(folder, "release")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def marked(course) -> Callable[[str], str]:
    """What the instructor sees after all students of an assignment are marked, in one call."""

    @cache
    def autograded(name: str) -> str:
        for student, answers in STUDENTS.items():
            submission = course / "submitted" / student / name / f"{name}.ipynb"
            submission.parent.mkdir(parents=True)
            nbformat.write(answered(released(course, name), answers(name)), submission)
        done = tool(course, "autograde", name)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return autograded


def released(course: Path, name: str) -> Path:
    return course / "release" / name / f"{name}.ipynb"


@pytest.mark.parametrize("name", CELLS)
def test_a_release_holds_no_solution_and_no_hidden_test(course, name) -> None:
    cells = CELLS[name]
    notebook = nbformat.read(released(course, name), as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells)

    for word in ("SOLUTION", "HIDDEN", "hidden_generator", "**How it is marked**", "1 point:"):
        assert word not in text
    assert len(STUB.findall(text)) == len(code_answers(cells))
    assert len(re.findall(f"^{WORDS}$", text, re.MULTILINE)) == len(written_parts(cells))
    for part in code_answers(cells) + written_parts(cells):
        assert SOLUTION.search(cells[part].source)[2].strip() not in text


@pytest.mark.parametrize("name", CELLS)
def test_marks_are_fair(marked, name) -> None:
    for student in STUDENTS:
        row = re.search(rf"^{student} +(.*?) of (\d+)(.*)$", marked(name), re.MULTILINE)
        assert row, marked(name)
        *points, total = row[1].split()
        assert points == fair(name, student)
        assert float(total) == sum(float(value) for value in points if value != "?")
        assert row[2] == str(5 * len({key[:4] for key in CELLS[name] if "-" in key}))
        by_hand = f", {len(written_parts(CELLS[name]))} to mark by hand"
        assert row[3] == (by_hand if student == "right" else "")


def test_feedback_shows_the_code_the_points_and_what_failed(course, marked) -> None:
    marked(NAME)

    done = tool(course, "feedback", NAME, "--student", "mixed")

    assert done.returncode == 0, done.stderr
    page = (course / "feedback" / "mixed" / NAME / f"{NAME}.html").read_text()
    total = sum(map(float, fair(NAME, "mixed")))
    assert f"(Score: {total} / 30.0)" in page
    assert "log_weights" in page
    assert "a large constant is not added" in page
    assert "AssertionError" in page


def test_nothing_is_graded_without_the_secret(course, marked) -> None:
    marked(NAME)

    done = tool(course, "autograde", NAME, secret="")

    assert done.returncode != 0
    assert f"{SECRET_VARIABLE} is not set" in done.stderr


def test_nbgraders_own_command_stops_without_the_secret_too(course, marked) -> None:
    marked(NAME)
    env = {**os.environ, "PYTHONPATH": str(ROOT), SECRET_VARIABLE: ""}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    command = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--force"]

    done = subprocess.run(command, cwd=course, env=env, capture_output=True, text=True)

    assert done.returncode != 0
    assert f"{SECRET_VARIABLE} is not set" in done.stderr


def test_an_unknown_assignment_and_an_empty_inbox_are_said_plainly(course) -> None:
    unknown = tool(course, "release", "99_nothing")
    nobody = tool(course, "autograde", NAME, "--student", "nobody")

    assert "no assignment '99_nothing'" in unknown.stderr
    assert NAME in unknown.stderr
    assert "Nothing to grade" in nobody.stderr
