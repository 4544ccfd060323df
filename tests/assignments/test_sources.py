"""The sources agree with themselves: questions, checks, tests, points, rubrics, the book's copy."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.assignments.marking import (
    HIDDEN,
    SOLUTION,
    code_answers,
    function_name,
    marked_cells,
    session,
    written_parts,
)
from vaelab.book.exercises import feedback
from vaelab.book.questions import all_questions

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = all_questions()


def numbers(cells) -> list[str]:
    """The questions of a source in order, such as "03.1"."""
    return list(dict.fromkeys(".".join(name.split("-")[:2]) for name in cells if "-" in name))


def test_a_chapter_has_five_questions_or_more_of_four_kinds(source, cells) -> None:
    chapter = source.stem[:2]
    asked = numbers(cells)
    code = [answer.replace("-", ".") for answer in code_answers(cells)]
    letters = [name for name in code if hasattr(QUESTIONS[name], "options")]
    experiments = [name for name in code if getattr(QUESTIONS[name], "rtol", 0) != 1e-6]
    derivations = [name for name in asked if name not in code]

    assert asked == [f"{chapter}.{number}" for number in range(1, len(asked) + 1)]
    assert len(asked) >= 5
    assert len(letters) >= 1
    assert len(derivations) >= 1
    assert len(set(code) - set(letters) - set(experiments)) >= 2
    assert asked[-1] in experiments


def test_every_question_says_what_it_trains_and_gives_five_points(source, cells) -> None:
    notebook = nbformat.read(source, as_version=4)
    titled = {
        re.match(r"## (\d\d\.\d+) ", cell.source)[1]: cell.source
        for cell in notebook.cells
        if cell.source.startswith("## ")
    }

    assert list(titled) == numbers(cells)
    for name, text in titled.items():
        assert re.match(r"## .*\n\n\*Trains: .+\.\*\n", text), f"{name} does not say what it trains"
        of_this = [
            cell for id_, cell in cells.items() if id_.startswith(name.replace(".", "-") + "-")
        ]
        assert sum(cell.metadata.nbgrader.points for cell in of_this) == 5


def test_every_question_has_a_check_and_every_check_a_question(source, cells) -> None:
    chapter = source.stem[:2]
    asked = [name.replace("-", ".") for name in code_answers(cells)]

    assert asked == [name for name in QUESTIONS if name.startswith(f"{chapter}.")]
    text = source.read_text()
    assert all(f'check(\\"{question}\\"' in text for question in asked)


def test_solutions_pass_their_check(cells) -> None:
    for answer in code_answers(cells):
        function = session(cells, answer)[function_name(cells, answer)]
        question_id = answer.replace("-", ".")

        assert ": right." in feedback(question_id, QUESTIONS[question_id], function)


def test_every_marked_test_has_a_hidden_half(cells) -> None:
    for answer in code_answers(cells):
        assert marked_cells(cells, answer)
        for cell in marked_cells(cells, answer):
            assert HIDDEN.search(cell.source), f"{answer} has a part without hidden tests"


def test_the_points_promised_are_the_points_given(source, cells) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(source, as_version=4).cells)
    promised = dict(re.findall(r"^\| (\d\d\.\d+[a-z]) \|.*\| (\d+) \|$", text, re.MULTILINE))
    given = {
        re.sub(r"(\d+)-(\d+)-(\w+)", r"\1.\2\3", name): str(cell.metadata.nbgrader.points)
        for name, cell in cells.items()
        if cell.metadata.nbgrader.grade
    }

    assert promised == given != {}


def test_every_written_part_has_a_solution_and_a_rubric_that_adds_up(cells) -> None:
    for name in written_parts(cells):
        solution = SOLUTION.search(cells[name].source)[2]
        answer, rubric = solution.split("**How it is marked**")
        listed = [int(n) for n in re.findall(r"^- (\d) points?: ", rubric, re.MULTILINE)]

        assert len(answer.split()) >= 50
        assert sum(listed) == cells[name].metadata.nbgrader.points
        assert len(listed) >= 2


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
    for name in code_answers(cells) + written_parts(cells):
        solution = SOLUTION.search(cells[name].source)[2].rstrip()
        odd = int(name.split("-")[1]) % 2 == 1
        assert solution not in code
        assert (solution in words) == odd
