"""The form of a question under a kernel, made of ipywidgets."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import ipywidgets

from vaelab.book.predictions.answers import Slider

if TYPE_CHECKING:
    from vaelab.book.predictions import Prediction


def kernel_form(prediction: Prediction) -> ipywidgets.VBox:
    """The question, a slider or options, and a button that commits the guess."""
    answer = prediction.answer
    options = [(answer.label(value), value) for value in answer.values]
    wide = ipywidgets.Layout(width="auto")
    if isinstance(answer, Slider):
        middle = answer.values[len(answer.values) // 2]
        control = ipywidgets.SelectionSlider(options=options, value=middle, layout=wide)
    else:
        control = ipywidgets.RadioButtons(options=options, value=None, layout=wide)
    control.tooltip = prediction.question
    note = ipywidgets.Label()
    commit = ipywidgets.Button(description="That is my guess", button_style="primary")

    def on_click(_: ipywidgets.Button) -> None:
        if control.value is None:
            note.value = "Choose an answer first."
            return
        prediction.guess = control.value
        note.value = f"Noted: {answer.label(control.value)}. Run the next cells to see."

    commit.on_click(on_click)
    words = f"<b>Predict before you run.</b> {html.escape(prediction.question)}"
    return ipywidgets.VBox([ipywidgets.HTML(words), control, ipywidgets.HBox([commit, note])])
