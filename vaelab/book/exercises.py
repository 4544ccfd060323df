"""Feedback on a reader's answer at once, and the seed of the tests that graders keep hidden."""

from __future__ import annotations

import hmac
import os
import textwrap
from collections.abc import Callable

import torch
from torch import Tensor

from vaelab.book.questions import (
    Answer,
    Argument,
    Choice,
    Mistake,
    Question,
    all_questions,
)

SECRET_VARIABLE = "VAELAB_COURSE_SECRET"


def check(question_id: str, answer: Answer) -> None:
    """Say whether an answer is right, and if it isn't, which mistake it looks like.

    It prints and never raises for the sake of the answer, so a notebook with empty
    questions runs from top to bottom. It gives no marks.

    Args:
        question_id: Chapter and number, such as ``"03.1"``.
        answer: The function that the question asked for.

    Raises:
        ValueError: If there is no such question.
        TypeError: If ``answer`` is not a function.

    Example:
        >>> def log_mean_exp(log_weights):
        ...     raise NotImplementedError
        >>> check("03.1", log_mean_exp)
        03.1 is not answered yet.
        >>> check("03.1", lambda log_weights: log_weights.logsumexp(0))
        03.1: not yet. On ordinary weights:
        This is the log of the sum of the weights. An estimate of p(x) must not grow just
        because you draw more.
    """
    questions = all_questions()
    if question_id not in questions:
        raise ValueError(f"question_id must be one of {', '.join(questions)}, got {question_id!r}")
    if not callable(answer):
        raise TypeError(
            f"answer must be the function itself, as in check({question_id!r}, my_function), "
            f"got {type(answer).__name__}"
        )
    told = feedback(question_id, questions[question_id], answer)
    for line in told.splitlines():
        print(textwrap.fill(line, width=85))


def feedback(question_id: str, question: Question | Choice, answer: Answer) -> str:
    """What :func:`check` prints."""
    if isinstance(question, Choice):
        return _choice_feedback(question_id, question, answer)
    # The mistakes that would have given every result so far.
    suspects = question.mistakes
    for name, arguments in question.cases.items():
        given = [a.clone() if isinstance(a, Tensor) else a for a in arguments]
        try:
            result = answer(*given)
        except NotImplementedError:
            return f"{question_id} is not answered yet."
        except Exception as error:
            problem = f"Your function raised {type(error).__name__}: {error}"
            return f"{question_id}: not yet. On {name}:\n{problem}"
        if result is None:
            return f"{question_id} is not answered yet: the function returns nothing."
        suspects = [s for s in suspects if _same(question, result, s.answer(*arguments))]
        problem = _problem(question, arguments, result, suspects)
        if problem is None and _changed(given, arguments):
            problem = "The answer is right, but the function changes the tensor it was given."
        if problem is not None:
            return f"{question_id}: not yet. On {name}:\n{problem}"

    verdict = f"{question_id}: right. Checked on {', '.join(question.cases)}."
    if question.afterword is not None:
        verdict += f"\n{question.afterword(answer)}"
    return verdict


def _choice_feedback(question_id: str, choice: Choice, answer: Callable[[], str]) -> str:
    """How many letters are judged rightly, and what to think over."""
    try:
        letters = answer()
    except NotImplementedError:
        return f"{question_id} is not answered yet."
    allowed = ", ".join(choice.options)
    if not isinstance(letters, str) or not letters or not set(letters) <= set(choice.options):
        return (
            f"{question_id}: the function should return letters among {allowed} and nothing "
            f"else, such as {choice.options[:2]!r}; got {letters!r}."
        )
    if set(letters) == set(choice.right):
        return f"{question_id}: right. Now say why, in words."
    # What was chosen wrongly first: what was left out may follow from it.
    wrong = [a for a in choice.options if a in letters and a not in choice.right]
    left_out = [a for a in choice.options if a in choice.right and a not in letters]
    hint = next(choice.hints[a] for a in wrong + left_out if a in choice.hints)
    judged = len(choice.options) - len(wrong + left_out)
    told = f"{question_id}: not yet."
    if len(choice.right) > 1:
        told += f" You judge {judged} of {len(choice.options)} rightly."
    return f"{told}\n{hint}"


def _changed(given: list[Argument], arguments: tuple[Argument, ...]) -> bool:
    return any(
        isinstance(before, Tensor) and not torch.equal(now, before)
        for now, before in zip(given, arguments, strict=True)
    )


def _problem(
    question: Question, arguments: tuple[Argument, ...], result: object, suspects: list[Mistake]
) -> str | None:
    """What is wrong with one result; ``None`` if nothing is."""
    expected = question.solution(*arguments)
    if not isinstance(result, Tensor):
        return f"The answer should be a torch tensor, got {type(result).__name__}."
    if result.shape != expected.shape:
        return (
            f"The answer should have shape {tuple(expected.shape)}: {question.result}. "
            f"Got {tuple(result.shape)}."
        )
    if _same(question, result, expected):
        return None
    if suspects:
        return suspects[0].hint
    if not result.isfinite().all():
        return f"The answer should be finite, got {result.tolist()}."
    difference = (result - expected).flatten()
    worst = difference[difference.abs().argmax()].item()
    return f"The answer is {abs(worst):.3g} too {'large' if worst > 0 else 'small'}."


def _same(question: Question, result: object, expected: Tensor) -> bool:
    """Equal within the question's tolerance, infinities and nan included."""
    close = {"rtol": question.rtol, "atol": question.atol, "equal_nan": True}
    return (
        isinstance(result, Tensor)
        and result.shape == expected.shape
        and torch.allclose(result.double(), expected.double(), **close)
    )


def hidden_generator(test_id: str) -> torch.Generator:
    """Where a hidden test's inputs come from: one secret makes them for a whole course.

    Args:
        test_id: Question and part, such as ``"03.1a"``, so that no two tests share
            their numbers.

    Raises:
        RuntimeError: If the instructor's environment holds no ``VAELAB_COURSE_SECRET``.
    """
    secret = os.environ.get(SECRET_VARIABLE, "")
    if not secret:
        raise RuntimeError(
            f"The environment variable {SECRET_VARIABLE} is not set, so hidden tests have no "
            f"inputs. Set it to a long random text, the same for all submissions of a course "
            f"(assignments/README.md says how)."
        )
    digest = hmac.digest(secret.encode(), test_id.encode(), "sha256")
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))
