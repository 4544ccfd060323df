"""`check` knows a right answer, names the likely mistake, and never stops a notebook."""

import re
from itertools import combinations

import pytest
import torch

from vaelab.book.exercises import SECRET_VARIABLE, check, feedback, hidden_generator
from vaelab.book.questions import Choice, all_questions

EVERY = all_questions()
QUESTIONS = {name: asked for name, asked in EVERY.items() if not isinstance(asked, Choice)}
CHOICES = {name: asked for name, asked in EVERY.items() if isinstance(asked, Choice)}
MISTAKES = [
    pytest.param(question_id, mistake, id=f"{question_id}-{number}")
    for question_id, question in QUESTIONS.items()
    for number, mistake in enumerate(question.mistakes)
]


@pytest.mark.parametrize("question_id", QUESTIONS)
def test_a_right_answer_is_told_so_and_what_was_checked(question_id, capsys) -> None:
    check(question_id, QUESTIONS[question_id].solution)

    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(f"{question_id}: right.")
    assert all(case in printed for case in QUESTIONS[question_id].cases)


def test_an_afterword_shows_the_answer_beside_the_exact_one() -> None:
    # One latent-variable model, known exactly: 10,000 draws come within a tenth of a nat.
    question = QUESTIONS["03.1"]

    told = question.afterword(question.solution)

    estimate, exact = (float(told.split(mark)[1].split()[0].strip(".")) for mark in ("at ", "is "))
    assert abs(estimate - exact) < 0.1


@pytest.mark.parametrize(("question_id", "mistake"), MISTAKES)
def test_each_known_mistake_is_named_and_no_other(question_id, mistake) -> None:
    told = feedback(question_id, QUESTIONS[question_id], mistake.answer)

    assert told.endswith(mistake.hint)


@pytest.mark.parametrize("question_id", QUESTIONS)
def test_a_hint_does_not_give_the_answer_away(question_id) -> None:
    for mistake in QUESTIONS[question_id].mistakes:
        assert not re.search(r"logsumexp|slogdet|logaddexp|softmax|\(\)|=", mistake.hint)


@pytest.mark.parametrize("question_id", QUESTIONS)
def test_no_two_mistakes_are_told_the_same(question_id) -> None:
    hints = [mistake.hint for mistake in QUESTIONS[question_id].mistakes]

    assert len(hints) >= 4
    assert len(set(hints)) == len(hints)


@pytest.mark.parametrize("question_id", CHOICES)
def test_letters_are_right_together_and_in_any_order(question_id) -> None:
    choice = CHOICES[question_id]
    for size in range(1, len(choice.options) + 1):
        for letters in map("".join, combinations(choice.options, size)):
            told = feedback(question_id, choice, lambda letters=letters: letters[::-1])
            hinted = [letter for letter, hint in choice.hints.items() if told.endswith(hint)]
            assert ("right. Now say why" in told) == (letters == choice.right)
            # The hint is about a letter that was judged wrongly.
            assert all((letter in letters) != (letter in choice.right) for letter in hinted)
            assert len(hinted) == (letters != choice.right)


@pytest.mark.parametrize("letters", ["", "bd!", "B", "f", 2, None, ["b"]])
def test_other_than_letters_is_said_plainly(letters) -> None:
    told = feedback("01.1", CHOICES["01.1"], lambda: letters)

    assert told == (
        "01.1: the function should return letters among a, b, c, d, e and nothing else, such as "
        f"'ab'; got {letters!r}."
    )


def test_several_letters_are_counted_and_a_single_one_is_not() -> None:
    assert "You judge 4 of 5 rightly." in feedback("01.1", CHOICES["01.1"], lambda: "b")
    assert "rightly" not in feedback("02.1", CHOICES["02.1"], lambda: "a")


@pytest.mark.parametrize("question_id", EVERY)
def test_a_stub_is_not_answered_yet(question_id, capsys) -> None:
    def stub(*arguments):
        raise NotImplementedError

    check(question_id, stub)

    assert capsys.readouterr().out == f"{question_id} is not answered yet.\n"


@pytest.mark.parametrize("question_id", QUESTIONS)
def test_a_function_that_returns_nothing_is_not_an_answer(question_id, capsys) -> None:
    check(question_id, lambda *arguments: None)

    told = capsys.readouterr().out
    assert told == f"{question_id} is not answered yet: the function returns nothing.\n"


def in_place(log_weights):
    largest = log_weights.amax(0)
    log_weights -= largest
    return largest + log_weights.exp().mean(0).log()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda w: w.logsumexp(1), "should have shape (3,): one estimate for each image"),
        (lambda w: w.exp().mean().log(), "Got ()."),
        (lambda w: w.logsumexp(0).tolist(), "should be a torch tensor, got list"),
        (lambda w: w.nonsense(), "Your function raised AttributeError"),
        (lambda w: w.logsumexp(0) - 1, "too large"),
        (lambda w: w.logsumexp(0) - 2, "too small"),
        (lambda w: w.logsumexp(0) * torch.nan, "should be finite"),
        (in_place, "changes the tensor it was given"),
    ],
)
def test_an_unknown_slip_is_described(answer, expected) -> None:
    told = feedback("03.1", QUESTIONS["03.1"], answer)

    assert told.startswith("03.1: not yet. On ordinary weights:\n")
    assert expected in told


def test_an_unknown_question_and_a_call_in_place_of_a_function_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one of 01\.1, 01\.2.*, got '3\.1'"):
        check("3.1", len)
    with pytest.raises(TypeError, match=r"the function itself.*got Tensor"):
        check("03.1", torch.zeros(3))


def test_the_secret_decides_the_hidden_inputs(monkeypatch) -> None:
    def inputs(secret: str, test_id: str) -> list[float]:
        monkeypatch.setenv(SECRET_VARIABLE, secret)
        return torch.rand(4, generator=hidden_generator(test_id)).tolist()

    assert inputs("one course", "03.1a") == inputs("one course", "03.1a")
    assert inputs("one course", "03.1a") != inputs("another", "03.1a")
    assert inputs("one course", "03.1a") != inputs("one course", "03.1b")


def test_without_the_secret_there_are_no_hidden_inputs(monkeypatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)

    with pytest.raises(RuntimeError, match="VAELAB_COURSE_SECRET is not set"):
        hidden_generator("03.1a")
