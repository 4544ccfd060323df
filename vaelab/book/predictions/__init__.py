"""Predict, run, read: the reader commits a guess, and only then sees what comes out.

A question stands in a cell of its own, which the book shows without its code::

    predict("p03-ess", "Of a million draws, how many count?", log_slider(1, 1e6, "draws"))

The cell that computes the answer, further down under the same heading, ends in::

    reveal("p03-ess", count)

In a built page all that stands between the two, and the second cell, stays closed until the
reader has made a guess or asks to be shown. Under a kernel the question has a slider or
options, and ``reveal`` says how far off the guess was.
"""

from __future__ import annotations

import html
import os
import re
from dataclasses import dataclass
from typing import Any

from IPython.display import display

from vaelab.book.predictions import page
from vaelab.book.predictions.answers import Answer, Slider, choice, linear_slider, log_slider
from vaelab.book.predictions.form import kernel_form

__all__ = ["choice", "linear_slider", "log_slider", "predict", "reveal"]

_asked: dict[str, Prediction] = {}


class Prediction:
    """A question, and the reader's guess once there is one.

    Attributes:
        prediction_id, question, answer: What :func:`predict` was given.
    """

    def __init__(self, prediction_id: str, question: str, answer: Answer) -> None:
        self.prediction_id = prediction_id
        self.question = question
        self.answer = answer
        self._guess: float | str | None = None

    @property
    def guess(self) -> float | str | None:
        """The guess; ``None`` until one is made, by the form or by setting it."""
        return self._guess

    @guess.setter
    def guess(self, value: float | str) -> None:
        self._guess = self.answer.checked("guess", value)

    def __repr__(self) -> str:
        return f"Predict before you run: {self.question} ({self.answer.describe()})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        if _in_built_page():
            shown = {"text/html": page.question_html(self)}
        else:
            words = html.escape(self.question)
            shown = kernel_form(self)._repr_mimebundle_(**kwargs)
            shown["text/html"] = f"<p><strong>Predict before you run.</strong> {words}</p>"
        return {**shown, "text/plain": repr(self)}


def predict(prediction_id: str, question: str, answer: Answer) -> Prediction:
    """Ask the reader for a guess; to be the last line of its cell.

    Args:
        prediction_id: Letter p, the chapter, and a name: ``"p03-ess"``.
        question: One or two plain sentences.
        answer: :func:`log_slider`, :func:`linear_slider` or :func:`choice`.

    Returns:
        What the cell shows. Its ``guess`` is the reader's, or ``None``.

    Raises:
        ValueError: If the id has another form.
        TypeError: If ``answer`` is none of the three.

    Example:
        >>> predict("p03-coin", "How many heads in a hundred tosses?", linear_slider(0, 100))
        Predict before you run: How many heads in a hundred tosses? (a number from 0 to 100)
    """
    if not re.fullmatch(r"p\d\d-[a-z0-9-]+", prediction_id):
        raise ValueError(
            f"prediction_id must be p, two digits and a name, as in p03-ess, got {prediction_id!r}"
        )
    if not isinstance(answer, Answer):
        raise TypeError(
            f"answer must be a log_slider, a linear_slider or a choice, got {type(answer).__name__}"
        )
    _asked[prediction_id] = Prediction(prediction_id, question, answer)
    return _asked[prediction_id]


def reveal(prediction_id: str, measured: object, digits: int = 2) -> None:
    """Show what came out, beside the reader's guess if there is one.

    Args:
        prediction_id: That of a :func:`predict` above.
        measured: One number or, for a choice, one of the options; computed in this notebook.
        digits: Significant digits of a number that survive another processor.

    Raises:
        ValueError: If nothing was asked by that id; if ``measured`` is not finite, not
            positive on a log slider, or none of the options; or, when the book is built or
            tested (``VAELAB_CLAIMS=strict``), if it lies beyond the ends of the slider.
        TypeError: If ``measured`` is not one number.

    Example:
        >>> _ = predict("p03-coin", "How many heads in a hundred tosses?", linear_slider(0, 100))
        >>> reveal("p03-coin", 48)
        Measured: 48
    """
    if prediction_id not in _asked:
        asked = ", ".join(_asked) or "nothing"
        raise ValueError(
            f"prediction_id must be one that predict() has asked, got {prediction_id!r}; "
            f"asked so far: {asked}"
        )
    prediction = _asked[prediction_id]
    answer = prediction.answer
    truth = answer.checked(f"measured of {prediction_id}", measured)
    if isinstance(answer, Slider):
        # What is shown is what guesses are held against.
        truth = float(f"{truth:.{digits - 1}e}")
    if os.environ.get("VAELAB_CLAIMS") == "strict" and not answer.reaches(truth):
        raise ValueError(
            f"measured of {prediction_id} is {truth:g}, where no guess can come near: "
            f"the slider goes from {answer.low:g} to {answer.high:g}"
        )
    display(Reveal(prediction, truth, answer.label(truth, digits)))


@dataclass(frozen=True)
class Reveal:
    """What a cell shows of an answer, as text and as HTML."""

    prediction: Prediction
    truth: float | str
    measured: str

    def __repr__(self) -> str:
        text = f"Measured: {self.measured}"
        if self.prediction.guess is None:
            return text
        return f"{text}. {self.prediction.answer.verdict(self.prediction.guess, self.truth)}"

    def _repr_html_(self) -> str:
        return page.reveal_html(self) if _in_built_page() else f"<p>{html.escape(repr(self))}</p>"


def _in_built_page() -> bool:
    return os.environ.get("VAELAB_HOST") == "static"
