"""`check` knows a right answer, names the likely mistake, and never stops a notebook."""

import pytest
import torch

from vaelab.book.exercises import SECRET_VARIABLE, check, feedback, hidden_generator
from vaelab.book.questions import all_questions

QUESTIONS = all_questions()
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
def test_a_stub_is_not_answered_yet(question_id, capsys) -> None:
    def stub(log_weights):
        raise NotImplementedError

    check(question_id, stub)
    check(question_id, lambda log_weights: None)

    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{question_id} is not answered yet."
    assert second == f"{question_id} is not answered yet: the function returns nothing."


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
    with pytest.raises(ValueError, match=r"one of 03\.1, 03\.2.*, got '3\.1'"):
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
