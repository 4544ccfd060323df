"""The sources agree with themselves: solution, check, tests, points and the book's copy."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vaelab.book.exercises import SECRET_VARIABLE, feedback
from vaelab.book.questions import all_questions

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = all_questions()
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)


def answers(cells) -> list[str]:
    """Ids of the answer cells, "03-1" for question 03.1."""
    return [name for name, cell in cells.items() if cell.metadata.nbgrader.solution]


def marked_cells(cells, answer: str) -> list[str]:
    """The code of the test cells of one answer, visible and hidden."""
    return [cell.source for name, cell in cells.items() if name.startswith(f"{answer}-")]


def run(cells, answer: str, code: str, function=None) -> None:
    """Execute a test cell after the source's own solution, or after another function."""
    names: dict = {}
    exec(cells["imports"].source, names)
    exec(cells[answer].source, names)
    if function is not None:
        names[function_name(cells, answer)] = function
    exec(code, names)


def function_name(cells, answer: str) -> str:
    return re.search(r"def (\w+)", cells[answer].source).group(1)


def passes(*arguments) -> bool:
    try:
        run(*arguments)
    except Exception:
        return False
    return True


@pytest.fixture(autouse=True)
def secret(monkeypatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "a secret for this test")


def test_every_question_has_a_check_and_every_check_a_question(source, cells) -> None:
    chapter = source.stem[:2]
    asked = [name.replace("-", ".") for name in answers(cells)]

    assert asked == [name for name in QUESTIONS if name.startswith(f"{chapter}.")]
    text = source.read_text()
    assert all(f'check(\\"{question}\\"' in text for question in asked)


def test_solutions_pass_their_check_and_their_tests(cells) -> None:
    for answer in answers(cells):
        names: dict = {}
        exec(cells["imports"].source, names)
        exec(cells[answer].source, names)
        function = names[function_name(cells, answer)]
        question_id = answer.replace("-", ".")

        assert ": right." in feedback(question_id, QUESTIONS[question_id], function)
        for code in marked_cells(cells, answer):
            run(cells, answer, code)


def test_no_known_mistake_gets_full_marks(cells) -> None:
    for answer in answers(cells):
        for mistake in QUESTIONS[answer.replace("-", ".")].mistakes:
            results = [
                passes(cells, answer, code, mistake.answer) for code in marked_cells(cells, answer)
            ]
            assert not all(results), f"{answer}: full marks although: {mistake.hint}"


def test_every_marked_test_has_a_hidden_half(cells) -> None:
    for name, cell in cells.items():
        if cell.metadata.nbgrader.grade:
            assert HIDDEN.search(cell.source), f"{name} has no hidden tests"


def test_the_points_promised_are_the_points_given(source, cells) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(source, as_version=4).cells)
    promised = dict(re.findall(r"^\| (\d\d\.\d+[a-z]) \|.*\| (\d+) \|$", text, re.MULTILINE))
    given = {
        re.sub(r"(\d+)-(\d+)-(\w+)", r"\1.\2\3", name): str(cell.metadata.nbgrader.points)
        for name, cell in cells.items()
        if cell.metadata.nbgrader.grade
    }

    assert promised == given != {}


@pytest.mark.usefixtures("nbgrader")
def test_the_books_copy_is_what_the_source_makes(source, tmp_path) -> None:
    again = tmp_path / source.name
    make = "import sys, pathlib, tools.exercises as e; e.make(*map(pathlib.Path, sys.argv[1:]))"

    subprocess.run([sys.executable, "-c", make, source, again], cwd=ROOT, check=True)

    committed = ROOT / "chapters" / "exercises" / source.name
    assert again.read_text() == committed.read_text(), "run `tasks.py exercises`"


def test_the_books_copy_folds_odd_solutions_and_keeps_even_ones_back(source, cells) -> None:
    notebook = nbformat.read(ROOT / "chapters" / "exercises" / source.name, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    words = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")

    assert "HIDDEN" not in code
    assert "SOLUTION" not in code + words
    for answer in answers(cells):
        solution = re.search(r"SOLUTION\n(.*)\n\s*### END", cells[answer].source, re.DOTALL)[1]
        odd = int(answer.split("-")[1]) % 2 == 1
        assert solution not in code
        assert (solution in words) == odd
