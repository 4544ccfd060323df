"""What `check` knows about each question: one package a chapter, ``ch03`` for chapter 03.

A chapter's package holds ``QUESTIONS``, from id (``"03.1"``) to a :class:`Question` (write a
function) or a :class:`Choice` (name the letters). It is found by its name alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

Answer = Callable[..., Tensor]
Argument = Tensor | float | int | Callable[..., Tensor]


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
    """How a question that asks for a function is checked.

    Attributes:
        solution: A right answer.
        cases: What to try, from a name that completes "on ..." to the arguments.
            Tried in order, so put the plain one first.
        mistakes: The known wrong answers. The first that fits is named.
        result: What one answer is, to complete "should have shape (3,): ...".
        afterword: Given a right answer, puts it to use and tells what came out.
        rtol: Relative tolerance. Wide for an experiment, whose draws may differ.
        atol: Absolute tolerance.
    """

    solution: Answer
    cases: dict[str, tuple[Argument, ...]]
    mistakes: list[Mistake]
    result: str
    afterword: Callable[[Answer], str] | None = field(default=None)
    rtol: float = 1e-6
    atol: float = 1e-9


@dataclass(frozen=True)
class Choice:
    """How a question that asks for letters is checked.

    Attributes:
        options: All letters, such as ``"abcde"``.
        right: Those to be chosen, such as ``"bd"``.
        hints: For each letter that can be judged wrongly, what to think over. It asks, and
            does not answer.
    """

    options: str
    right: str
    hints: dict[str, str]


def all_questions() -> dict[str, Question | Choice]:
    """Every question of the book, by id and in order."""
    questions: dict[str, Question | Choice] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        questions |= importlib.import_module(f"{__name__}.{module.name}").QUESTIONS
    return questions
