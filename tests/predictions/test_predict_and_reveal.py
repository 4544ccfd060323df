"""A question and its answer as text, and under a kernel."""

import math

import numpy as np
import pytest
import torch

from vaelab.book import predictions
from vaelab.book.predictions import choice, linear_slider, log_slider, predict, reveal
from vaelab.book.predictions.form import kernel_form


def test_a_question_and_its_answer_read_well_as_text(shown) -> None:
    asked = predict("p03-x", "How many count?", log_slider(1, 1e5, "draws"))
    reveal("p03-x", 48.62)

    assert repr(asked) == (
        "Predict before you run: How many count? (a number from 1 draw to 100,000 draws)"
    )
    assert asked.guess is None
    assert repr(shown[0]) == "Measured: 49 draws"
    assert shown[0]._repr_html_() == "<p>Measured: 49 draws</p>"


@pytest.mark.parametrize(
    "value", [48, 48.0, np.float32(48), np.array(48), torch.tensor(48.0), torch.tensor([48])[0]]
)
def test_any_single_number_is_measured(shown, value) -> None:
    predict("p03-x", "How many?", linear_slider(0, 100))
    reveal("p03-x", value)

    assert repr(shown[0]) == "Measured: 48"


def test_a_guess_under_a_kernel_is_judged(shown) -> None:
    asked = predict("p03-x", "How many?", log_slider(1, 1e5))
    asked.guess = 1000
    reveal("p03-x", 48.62)

    # 1000 / 49, as what is shown is what counts.
    assert repr(shown[0]) == "Measured: 49. Your guess, 1,000, is too high by a factor of 20."

    predict("p03-x", "How many?", log_slider(1, 1e5))
    reveal("p03-x", 48.62)
    assert repr(shown[1]) == "Measured: 49"  # asked anew, nothing is guessed


@pytest.mark.parametrize("guess", ["many", 0, math.nan, True, np.ones(2)])
def test_a_guess_that_cannot_be_is_refused(guess) -> None:
    asked = predict("p03-x", "How many?", log_slider(1, 1e5))

    with pytest.raises((ValueError, TypeError), match="guess must be"):
        asked.guess = guess


@pytest.mark.parametrize(
    ("answer", "measured", "error", "message"),
    [
        (log_slider(1, 10), 0.0, ValueError, "measured of p03-x must be positive on a log slider"),
        (log_slider(1, 10), math.inf, ValueError, "measured of p03-x must be finite, got inf"),
        (linear_slider(0, 9), torch.tensor(math.nan), ValueError, "must be finite, got nan"),
        (linear_slider(0, 9), torch.ones(2), TypeError, "must be one number, got tensor"),
        (linear_slider(0, 9), "7", TypeError, "must be one number, got '7'"),
        (linear_slider(0, 9), None, TypeError, "must be one number, got None"),
        (choice("a", "b"), "c", ValueError, r"must be one of \['a', 'b'\], got 'c'"),
        (choice("a", "b"), np.ones(2), ValueError, r"must be one of \['a', 'b'\]"),
    ],
)
def test_what_cannot_be_measured_is_refused(shown, answer, measured, error, message) -> None:
    predict("p03-x", "How many?", answer)

    with pytest.raises(error, match=message):
        reveal("p03-x", measured)
    assert shown == []


def test_a_truth_beyond_the_slider_is_the_authors_slip(shown, monkeypatch) -> None:
    predict("p03-x", "How many?", linear_slider(0, 10))
    reveal("p03-x", 10.4, digits=3)  # a guess of 10 is as near as can be

    with pytest.raises(ValueError, match=r"p03-x is 11, where .* the slider goes from 0 to 10"):
        reveal("p03-x", 11)
    monkeypatch.delenv("VAELAB_CLAIMS")
    reveal("p03-x", 11)  # a reader may have changed something above
    assert repr(shown[1]) == "Measured: 11"


@pytest.mark.parametrize("name", ["ess", "p3-ess", "p03", "p03-", "p03-Ess", 'p03-"'])
def test_ids_have_one_form(name: str) -> None:
    with pytest.raises(ValueError, match="must be p, two digits and a name, as in p03-ess"):
        predict(name, "How many?", linear_slider(0, 9))


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a log_slider, a linear_slider or a choice"):
        predict("p03-x", "How many?", (0, 9))


def test_nothing_is_revealed_that_was_not_asked(monkeypatch) -> None:
    monkeypatch.setattr(predictions, "_asked", {})
    with pytest.raises(ValueError, match=r"got 'p03-y'; asked so far: nothing"):
        reveal("p03-y", 1)
    predict("p03-x", "How many?", linear_slider(0, 9))
    with pytest.raises(ValueError, match=r"got 'p03-y'; asked so far: p03-x"):
        reveal("p03-y", 1)


# The form under a kernel


def test_the_form_commits_what_stands_on_its_slider() -> None:
    asked = predict("p03-x", "How many <draws>?", log_slider(1, 1e4, "draws"))
    words, control, row = kernel_form(asked).children
    commit, note = row.children
    assert "How many &lt;draws&gt;?" in words.value

    control.value = 250
    assert asked.guess is None
    commit.click()

    assert asked.guess == 250
    assert note.value == "Noted: 250 draws. Run the next cells to see."


def test_the_form_waits_for_a_choice() -> None:
    asked = predict("p03-x", "Which?", choice("a", "b"))
    _, control, row = kernel_form(asked).children
    commit, note = row.children

    commit.click()
    assert asked.guess is None
    assert note.value == "Choose an answer first."
    control.value = "b"
    commit.click()
    assert asked.guess == "b"


def test_under_a_kernel_text_is_the_same_every_time(monkeypatch) -> None:
    monkeypatch.delenv("VAELAB_HOST", raising=False)
    view = "application/vnd.jupyter.widget-view+json"  # which nbval leaves out

    first, again = (
        predict("p03-x", "How < many?", linear_slider(0, 9))._repr_mimebundle_() for _ in range(2)
    )

    assert first.pop(view) != again.pop(view)
    assert first == again
    assert set(first) == {"text/plain", "text/html"}
    assert "How &lt; many?" in first["text/html"]
