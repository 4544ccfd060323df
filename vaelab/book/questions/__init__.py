"""What `check` knows about each question: one module a chapter, ``ch03`` for chapter 03.

A module holds ``QUESTIONS``, from id (``"03.1"``) to :class:`Question`. A new chapter's
questions are found by their module's name alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

Answer = Callable[..., Tensor]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and what to say to one who gave it.

    Attributes:
        answer: The wrong function. An answer that returns what it returns made its mistake.
        hint: Names the mistake; does not mend it.
    """

    answer: Answer
    hint: str


@dataclass(frozen=True)
class Question:
    """How one question is checked.

    Attributes:
        solution: A right answer.
        cases: What to try, from a name that completes "on ..." to the arguments.
            Tried in order, so put the plain one first.
        mistakes: The known wrong answers. The first that fits is named.
        result: What one answer is, to complete "should have shape (3,): ...".
        afterword: Given a right answer, puts it to use and tells what came out.
    """

    solution: Answer
    cases: dict[str, tuple[Tensor, ...]]
    mistakes: list[Mistake]
    result: str
    afterword: Callable[[Answer], str] | None = field(default=None)


def all_questions() -> dict[str, Question]:
    """Every question of the book, by id and in order."""
    questions: dict[str, Question] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        questions |= importlib.import_module(f"{__name__}.{module.name}").QUESTIONS
    return questions
