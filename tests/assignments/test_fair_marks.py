"""Right answers get all points, empty ones none, and wrong ones the parts that they got right."""

import pytest
import torch

from tests.assignments.conftest import all_cells
from tests.assignments.marking import code_answers, full, function_name, points, session
from tests.assignments.wrong_answers import WRONG
from vaelab.book.exercises import SECRET_VARIABLE
from vaelab.book.questions import Choice, all_questions

CELLS = all_cells()
ANSWERS = [(stem, answer) for stem, cells in CELLS.items() for answer in code_answers(cells)]
QUESTIONS = all_questions()
EMPTY = "    # YOUR CODE HERE\n    raise NotImplementedError()"


@pytest.fixture(autouse=True)
def secret(monkeypatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "a secret for this test")


@pytest.mark.parametrize(("stem", "answer"), ANSWERS)
def test_the_solution_gets_all_points_and_an_empty_answer_none(stem, answer) -> None:
    cells = CELLS[stem]

    assert points(cells, answer) == full(cells, answer)
    assert points(cells, answer, body=EMPTY) == [0] * len(full(cells, answer))


@pytest.mark.parametrize("secret_word", ["another course", "yet another"])
@pytest.mark.parametrize(("stem", "answer"), ANSWERS)
def test_the_solution_gets_all_points_whatever_the_secret(
    stem, answer, secret_word, monkeypatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, secret_word)

    assert points(CELLS[stem], answer) == full(CELLS[stem], answer)


def test_each_question_has_wrong_answers_and_each_formula_an_unstable_one() -> None:
    assert list(WRONG) == [answer for _, answer in ANSWERS]
    for stem, answer in ANSWERS:
        two_parts = len(full(CELLS[stem], answer)) == 2
        experiment = answer == "04-6"
        assert ("unstable" in WRONG[answer]) == (two_parts and not experiment)


@pytest.mark.parametrize(
    ("stem", "answer", "name"),
    [(stem, answer, name) for stem, answer in ANSWERS for name in WRONG[answer]],
)
def test_a_wrong_answer_keeps_what_it_got_right(stem, answer, name) -> None:
    body, fair = WRONG[answer][name]

    assert points(CELLS[stem], answer, body=body) == fair


@pytest.mark.parametrize(("stem", "answer"), ANSWERS)
def test_no_known_mistake_gets_full_marks(stem, answer) -> None:
    question = QUESTIONS[answer.replace("-", ".")]
    if isinstance(question, Choice):
        wrong = [question.options.replace(letter, "") for letter in question.right]
        mistakes = {letters: lambda letters=letters: letters for letters in [*wrong, "abcde", "a"]}
    else:
        mistakes = {mistake.hint: mistake.answer for mistake in question.mistakes}

    for hint, function in mistakes.items():
        given = points(CELLS[stem], answer, function=function)
        assert given != full(CELLS[stem], answer), f"full marks although: {hint}"


class Fitted:
    """A function that knows the numbers of the visible tests by heart, and shrugs at others."""

    def __init__(self, function, shrug: float) -> None:
        self.function, self.shrug, self.known = function, shrug, None

    def __call__(self, *arguments):
        result = self.function(*arguments)
        if self.known is None or any(same(arguments, seen) for seen in self.known):
            return result
        return torch.full_like(result, self.shrug)

    def learn(self, cells, answer) -> None:
        seen = []

        def watching(*arguments):
            seen.append(tuple(a.clone() if isinstance(a, torch.Tensor) else a for a in arguments))
            return self.function(*arguments)

        assert points(cells, answer, function=watching, hidden=False) == full(cells, answer)
        self.known = seen


def same(some: tuple, others: tuple) -> bool:
    return all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
        for a, b in zip(some, others, strict=True)
    )


@pytest.mark.parametrize("shrug", [0.0, 1.0])
@pytest.mark.parametrize(
    ("stem", "answer"),
    [(s, a) for s, a in ANSWERS if not isinstance(QUESTIONS[a.replace("-", ".")], Choice)],
)
def test_fitting_the_visible_numbers_earns_nothing(stem, answer, shrug) -> None:
    cells = CELLS[stem]
    fitted = Fitted(session(cells, answer)[function_name(cells, answer)], shrug)
    fitted.learn(cells, answer)

    # The visible tests alone do not see through it: the zeros are the hidden tests' doing.
    assert points(cells, answer, function=fitted, hidden=False) == full(cells, answer)
    assert points(cells, answer, function=fitted) == [0] * len(full(cells, answer))
