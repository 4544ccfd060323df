"""A small course, run for real: nbgrader releases, five students answer, nbgrader marks them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copy, copytree

import nbformat
import pytest

from vaelab.book.exercises import SECRET_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
NAME = "03_naive_monte_carlo"
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"

# For each student, the body of log_mean_exp and of effective_sample_size.
RIGHT = (
    "    return log_weights.logsumexp(0) - torch.tensor(len(log_weights)).log()",
    "    return (2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0)).exp()",
)
# The formulas as they stand in the book, which neither under- nor overflow forgives.
UNSTABLE = (
    "    return log_weights.exp().mean(0).log()",
    "    w = log_weights.exp()\n    return w.sum(0) ** 2 / (w**2).sum(0)",
)
# Careful in log space, but a sum for a mean, and a share for a number.
SUM_AND_SHARE = (
    "    return log_weights.logsumexp(0)",
    "    w = log_weights.softmax(0)\n    return 1 / (w**2).sum(0) / len(w)",
)
# Made to fit the numbers that the visible tests show; anything else gets a shrug.
HARD_CODED = (
    """\
    if len(log_weights) > 1000:
        return torch.tensor([6.62], dtype=torch.float64)
    if log_weights[0, 0] == 0.0:
        return torch.tensor([2.0, 4.0], dtype=torch.float64).log()
    return log_weights[0]""",
    """\
    if len(log_weights) == 4:
        return torch.tensor([4.0, 36 / 14], dtype=torch.float64)
    return torch.ones(2, dtype=torch.float64)""",
)
STUDENTS = {
    "blank": (STUB, STUB),
    "hard_coded": HARD_CODED,
    "right": RIGHT,
    "sum_and_share": SUM_AND_SHARE,
    "unstable": UNSTABLE,
}
# Points for 03.1a, 03.1b, 03.2a, 03.2b, of 3, 2, 3, 2.
FAIR = {
    "blank": [0, 0, 0, 0],
    "hard_coded": [0, 0, 0, 0],
    "right": [3, 2, 3, 2],
    "sum_and_share": [0, 2, 0, 2],
    "unstable": [3, 0, 3, 0],
}


def tool(
    course: Path, *arguments: str, secret: str = "five students"
) -> subprocess.CompletedProcess:
    """The verb that an instructor runs, in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), SECRET_VARIABLE: secret}
    command = [sys.executable, "-m", "tools.assignments", *arguments, "--course", str(course)]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def answered(released: Path, bodies: tuple[str, str]) -> nbformat.NotebookNode:
    """The released notebook with its empty answers filled in, in order."""
    notebook = nbformat.read(released, as_version=4)
    answers = [cell for cell in notebook.cells if cell.source.endswith(STUB)]
    for cell, body in zip(answers, bodies, strict=True):
        cell.source = cell.source.replace(STUB, body)
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
def released(course) -> Path:
    return course / "release" / NAME / f"{NAME}.ipynb"


@pytest.fixture(scope="module")
def graded(course, released) -> str:
    """What the instructor sees after all five are marked, in one call."""
    for student, bodies in STUDENTS.items():
        submission = course / "submitted" / student / NAME / f"{NAME}.ipynb"
        submission.parent.mkdir(parents=True)
        nbformat.write(answered(released, bodies), submission)
    done = tool(course, "autograde", NAME)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_release_holds_no_solution_and_no_hidden_test(released) -> None:
    text = released.read_text()

    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    assert "hidden_generator" not in text
    assert "log_weights.amax" not in text
    assert text.count('raise NotImplementedError()"') == 2


def test_visible_tests_alone_do_not_see_through_hard_coding(released) -> None:
    # So the zero below is the hidden tests' doing.
    names: dict = {}
    for cell in answered(released, HARD_CODED).cells:
        if cell.cell_type == "code":
            exec(cell.source, names)


@pytest.mark.parametrize("student", STUDENTS)
def test_marks_are_fair(graded, student) -> None:
    row = re.search(rf"^{student} +(.*) of 10$", graded, re.MULTILINE)

    assert row, graded
    *points, total = map(float, row[1].split())
    assert points == FAIR[student]
    assert total == sum(FAIR[student])


def test_feedback_shows_the_code_the_points_and_what_failed(course, graded) -> None:
    done = tool(course, "feedback", NAME, "--student", "sum_and_share")

    assert done.returncode == 0, done.stderr
    page = (course / "feedback" / "sum_and_share" / NAME / f"{NAME}.html").read_text()
    assert "logsumexp" in page
    assert "(Score: 4.0 / 10.0)" in page
    assert "AssertionError" in page


def test_nothing_is_graded_without_the_secret(course, graded) -> None:
    done = tool(course, "autograde", NAME, secret="")

    assert done.returncode != 0
    assert f"{SECRET_VARIABLE} is not set" in done.stderr


def test_nbgraders_own_command_stops_without_the_secret_too(course, graded) -> None:
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
