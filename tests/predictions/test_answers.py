"""What can be guessed, and how far off a guess is."""

import math

import numpy as np
import pytest

from vaelab.book.predictions import choice, linear_slider, log_slider
from vaelab.book.predictions.answers import format_number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 2, "0"),
        (2840.3, 2, "2,800"),
        (2840.3, 5, "2,840.3"),
        (0.0996, 2, "0.1"),
        (-0.038, 2, "−0.038"),
        (999_600, 3, "1,000,000"),
        (9_960_000, 2, "10⁷"),
        (2.07e8, 2, "2.1 × 10⁸"),
        (-1.04e-10, 2, "−10⁻¹⁰"),
        (2.075e-4, 2, "2.1 × 10⁻⁴"),
        (0.00104, 2, "0.001"),
    ],
)
def test_numbers_are_written_as_one_writes_them(value: float, digits: int, text: str) -> None:
    assert format_number(value, digits) == text


@pytest.mark.parametrize(
    ("slider", "value", "label"),
    [
        (log_slider(1, 100, "draws"), 1, "1 draw"),
        (log_slider(1, 100, "draws"), 1.2, "1.2 draws"),
        (linear_slider(0, 100, "%"), 1, "1%"),
        (linear_slider(0, 10), 1, "1"),
        (log_slider(1e-3, 1, "of the draws"), 1, "1 of the draws"),
        (linear_slider(-3, 3, "nats", step=0.5), -1.5, "−1.5 nats"),
    ],
)
def test_labels_carry_the_unit(slider, value: float, label: str) -> None:
    assert slider.label(value) == label
    assert value in slider.values


# Sliders


@pytest.mark.parametrize(("low", "high"), [(1, 10), (1e-6, 1), (1e-3, 1e5), (1e-9, 1e9)])
def test_a_log_slider_rises_by_like_factors(low: float, high: float) -> None:
    values = np.array(log_slider(low, high).values)
    factors = values[1:] / values[:-1]

    slider = log_slider(low, high)
    assert (values[0], values[-1]) == (low, high)
    assert (slider.place(low), slider.place(high)) == (0, 1)
    assert factors.min() > 1.14
    assert factors.max() < 2.6
    assert len(values) <= 101
    assert set(range(round(math.log10(low)), round(math.log10(high)))) <= set(np.log10(values))


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 100, 1), (-2, 2, 0.1), (0, 7, 1), (0, 1, 0.05)]
)
def test_a_linear_slider_rises_by_like_steps(low: float, high: float, step: float) -> None:
    values = linear_slider(low, high, step=step).values

    assert (values[0], values[-1]) == (low, high)
    assert np.diff(values) == pytest.approx(step)


@pytest.mark.parametrize("slider", [log_slider(1e-3, 1e5), log_slider(1, 10), linear_slider(0, 7)])
def test_marks_stand_where_their_numbers_are(slider) -> None:
    marks = slider.marks()
    places = [place for place, _ in marks]

    assert 2 <= len(marks) <= 6
    assert places[0] == 0
    assert places == sorted(places)
    labels = {format_number(value, 9): slider.place(value) for value in slider.values}
    for place, text in marks:
        if text in labels:  # 10⁵ stands for 100,000
            assert place == pytest.approx(labels[text])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: log_slider(0, 10), "low and high must be positive and rise, got 0 and 10"),
        (lambda: log_slider(10, 1), "must be positive and rise, got 10 and 1"),
        (lambda: log_slider(1, 50), "ends of a log slider must be powers of ten, got 50"),
        (lambda: linear_slider(1, 0), "must rise by steps, got 1, 0 and step 1"),
        (lambda: linear_slider(0, 1, step=0), "must rise by steps, got 0, 1 and step 0"),
        (lambda: linear_slider(0, 1, step=0.3), "a whole number of steps, at most 200, got 3.33"),
        (lambda: linear_slider(0, 1000), "a whole number of steps, at most 200, got 1000"),
        (lambda: choice("one"), r"two or more different texts, got \['one'\]"),
        (lambda: choice("one", "one"), "two or more different texts"),
    ],
)
def test_forms_that_make_no_sense_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# How far off


@pytest.mark.parametrize(
    ("answer", "guess", "truth", "words"),
    [
        (log_slider(1, 1e6, "draws"), 1000, 2800, "1,000 draws, is too low by a factor of 2.8."),
        (log_slider(1, 1e6, "draws"), 1, 1e6, "1 draw, is too low by a factor of 1,000,000."),
        (log_slider(1, 1e6), 100, 9.0, "100, is too high by a factor of 11."),
        (log_slider(1, 1e6), 3000, 2800, "3,000, is as near as the slider goes."),
        (linear_slider(0, 100, "%"), 50, 16, "50%, is too high by 34 percentage points."),
        (linear_slider(0, 100, "%"), 15, 16, "15%, is too low by 1 percentage point."),
        (linear_slider(-9, 0, "nats"), -4, -1.3, "−4 nats, is too low by 2.7 nats."),
        (linear_slider(-9, 0, "nats"), -1, -1.3, "−1 nat, is as near as the slider goes."),
    ],
)
def test_a_guess_is_told_how_far_off_it_is(answer, guess, truth, words) -> None:
    assert answer.verdict(guess, truth) == f"Your guess, {words}"


def test_a_choice_is_right_or_not() -> None:
    answer = choice("the prior", "the encoder")

    assert answer.verdict("the prior", "the prior") == "Your guess is right."
    assert answer.verdict("the encoder", "the prior") == "Your guess was: the encoder."
    assert answer.is_close("the prior", "the prior")
    assert not answer.is_close("the encoder", "the prior")


@pytest.mark.parametrize(
    ("slider", "truth", "close"),
    [
        (log_slider(1, 100), 10, [4, 5, 6, 8, 10, 12, 15, 20, 25, 30]),
        (linear_slider(0, 20), 5, [3, 4, 5, 6, 7]),
        (linear_slider(0, 1, step=0.05), 0.3, [0.2, 0.25, 0.3, 0.35, 0.4]),
    ],
)
def test_close_is_a_factor_of_3_or_a_tenth_of_the_scale(slider, truth, close) -> None:
    assert [value for value in slider.values if slider.is_close(value, truth)] == close
