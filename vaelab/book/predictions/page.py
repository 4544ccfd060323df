"""A question and its answer as HTML, for a built page that has no kernel.

Python says everything in advance: what each position of a slider stands for, and what is to be
said of each possible guess. The script only opens, shows and remembers.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from vaelab.book.predictions.answers import CLOSE_FACTOR, CLOSE_SHARE, Choice, Slider

if TYPE_CHECKING:
    from vaelab.book.predictions import Prediction, Reveal

FOLDER = Path(__file__).parent
SHARED = FOLDER.parents[1] / "widgets" / "_js"
STYLES = (SHARED / "base.css", SHARED / "controls.css", FOLDER / "predictions.css")
# What the build looks for in the outputs of cells.
QUESTION_MARK, REVEAL_MARK = "data-vaelab-prediction", "data-vaelab-reveal"
SHOW_ALL = (
    '<button type="button" class="vaelab-button" data-do="all" '
    'title="Show every result on this page">Show all</button>'
)
# Stands once, at the end of a page; here, so that nothing moves when the script fills it in.
TALLY = (
    '<div class="vaelab vaelab-tally" role="group" aria-label="Your predictions">'
    "<p><b>Your predictions in this chapter:</b> <span></span></p>"
    f"<small>Close is within a factor of {CLOSE_FACTOR} on a logarithmic scale, within "
    f"{100 * CLOSE_SHARE:.0f}% of the length of another, or the right choice. "
    "Your guesses stay in this browser.</small>"
    '<div class="vaelab-commit">'
    f'<button type="button" class="vaelab-button" data-do="over">Start over</button>{SHOW_ALL}'
    "</div></div>"
)


def script_text() -> str:
    """The script of a page with predictions, in a function, so that its names stay its own."""
    text = (FOLDER / "predictions.js").read_text(encoding="utf-8")
    return f"(() => {{\n{text}}})();\n"


def style_text() -> str:
    """The style that widgets share, then that of predictions."""
    return "\n".join(path.read_text(encoding="utf-8") for path in STYLES)


def question_html(prediction: Prediction) -> str:
    """The question with its form, which only the script makes visible."""
    answer = prediction.answer
    form = slider_html if isinstance(answer, Slider) else choice_html
    return (
        f'<div class="vaelab vaelab-prediction" id="{prediction.prediction_id}" '
        f'{QUESTION_MARK}="{prediction.prediction_id}">'
        '<form autocomplete="off"><fieldset><legend><b>Predict before you run</b> '
        f"{html.escape(prediction.question)}</legend>"
        f"{form(prediction.prediction_id, answer)}</fieldset>"
        '<div class="vaelab-commit">'
        '<button type="submit" class="vaelab-button vaelab-first">That is my guess</button>'
        '<button type="button" class="vaelab-button" data-do="show">Show me</button>'
        f'{SHOW_ALL}</div></form><p class="vaelab-verdict" role="status"></p></div>'
    )


def slider_html(prediction_id: str, slider: Slider) -> str:
    labels = [slider.label(value) for value in slider.values]
    middle = len(labels) // 2
    marks = "".join(
        f'<span style="--at: {place:.4g}">{text}</span>' for place, text in slider.marks()
    )
    return (
        '<div class="vaelab-answer vaelab-slider">'
        f'<label for="{prediction_id}-guess">Your guess '
        f'<span class="vaelab-shown" aria-hidden="true">{labels[middle]}</span></label>'
        f'<input type="range" id="{prediction_id}-guess" max="{len(labels) - 1}" value="{middle}" '
        f"aria-valuetext=\"{html.escape(labels[middle])}\" data-labels='{attribute(labels)}'>"
        f'<div class="vaelab-marks" aria-hidden="true">{marks}</div></div>'
    )


def choice_html(prediction_id: str, choice: Choice) -> str:
    radios = "".join(
        f'<label><input type="radio" name="{prediction_id}" value="{html.escape(option)}" required>'
        f"<span>{html.escape(option)}</span></label>"
        for option in choice.values
    )
    return f'<div class="vaelab-answer vaelab-options">{radios}</div>'


def reveal_html(reveal: Reveal) -> str:
    """What was measured, and what is to be said of each guess."""
    answer, truth = reveal.prediction.answer, reveal.truth
    verdicts = {
        answer.label(value): [answer.verdict(value, truth), answer.is_close(value, truth)]
        for value in answer.values
    }
    place = ""
    if isinstance(answer, Slider):
        place = f' data-at="{min(max(answer.place(truth), 0), 1):.4g}"'
    return (
        f'<p class="vaelab-measured" {REVEAL_MARK}="{reveal.prediction.prediction_id}" '
        f"data-verdicts='{attribute(verdicts)}'{place}>"
        f"Measured: {html.escape(reveal.measured)}</p>"
    )


def attribute(value: object) -> str:
    """JSON that may stand in an attribute within single quotes: its own are double ones."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return html.escape(text, quote=False).replace("'", "&#39;")
