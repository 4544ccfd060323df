"""The forms that a guess can take, and how far a guess is from what was measured."""

from __future__ import annotations

import math
from typing import Any

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Steps within a decade, about equally far apart on a logarithmic scale.
FINE, COARSE = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 2, 5)
MOST_FINE_DECADES = 8  # more would leave a finger less than two pixels a step on a phone
MOST_STEPS = 200
MOST_MARKS = 6
CLOSE_FACTOR = 3  # what counts as close in the tally: on a log slider,
CLOSE_SHARE = 0.1  # and on a linear one, as a share of its length
EXACT = 9  # significant digits that show a slider's own values in full


def power_of_ten(power: int) -> str:
    return "10" + str(power).translate(SUPERSCRIPTS)


def format_number(value: float, digits: int) -> str:
    """A number to so many significant digits, as the book writes it: 1,200 or 3 × 10⁻⁵."""
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if value == 0 or -4 < power < 7:
        text = f"{float(f'{mantissa}e{power}'):,.{max(digits - 1 - power, 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{float(mantissa):g} × {power_of_ten(power)}"
        text = text.replace("1 × ", "") if abs(float(mantissa)) == 1 else text
    return text.replace("-", "\N{MINUS SIGN}")


def with_unit(number: str, unit: str) -> str:
    """A number and its unit: 3 draws, 1 draw, 16%, 1 of the draws."""
    if unit == "%":
        return f"{number}%"
    is_one = number.lstrip("\N{MINUS SIGN}") == "1" and not unit.startswith("of ")
    return f"{number} {unit.removesuffix('s') if is_one else unit}".rstrip()


class Slider:
    """A number out of ``values``, which stand at equal distances from left to right."""

    def __init__(self, values: list[float], unit: str) -> None:
        self.values = tuple(values)
        self.unit = unit

    @property
    def low(self) -> float:
        return self.values[0]

    @property
    def high(self) -> float:
        return self.values[-1]

    def place(self, value: float) -> float:
        """Where a number stands: 0 at the left end, 1 at the right one."""
        raise NotImplementedError

    def distance(self, guess: float, truth: float) -> str:
        """How far a guess is from the truth, in words."""
        raise NotImplementedError

    def is_close(self, guess: float, truth: float) -> bool:
        """Whether a guess counts as close in the tally."""
        raise NotImplementedError

    def marks(self) -> list[tuple[float, str]]:
        """Places along the slider and what is written there."""
        raise NotImplementedError

    def label(self, value: float, digits: int = EXACT) -> str:
        return with_unit(format_number(value, digits), self.unit)

    def describe(self) -> str:
        return f"a number from {self.label(self.low)} to {self.label(self.high)}"

    def checked(self, name: str, value: Any) -> float:
        """A value as a finite number.

        Raises:
            TypeError: If it is not one number.
            ValueError: If it is not finite.
        """
        if isinstance(value, str | bool) or getattr(value, "ndim", 0):
            raise TypeError(f"{name} must be one number, got {value!r}")
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} must be one number, got {value!r}") from error
        if not math.isfinite(number):
            raise ValueError(f"{name} must be finite, got {number}")
        return number

    def reaches(self, truth: float) -> bool:
        """Whether a guess could come near: the truth is not beyond an end by over half a step."""
        half_a_step = 0.5 / (len(self.values) - 1)
        return -half_a_step <= self.place(truth) <= 1 + half_a_step

    def verdict(self, guess: float, truth: float) -> str:
        """How far off a guess is."""
        said = f"Your guess, {self.label(guess)}, is"
        distances = [abs(self.place(value) - self.place(truth)) for value in self.values]
        if abs(self.place(guess) - self.place(truth)) <= min(distances):
            return f"{said} as near as the slider goes."
        return f"{said} too {'high' if guess > truth else 'low'} by {self.distance(guess, truth)}."


class LogSlider(Slider):
    """A slider on a logarithmic scale; a guess is off by a factor."""

    def place(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low)

    def checked(self, name: str, value: Any) -> float:
        number = super().checked(name, value)
        if number <= 0:
            raise ValueError(f"{name} must be positive on a log slider, got {number:g}")
        return number

    def distance(self, guess: float, truth: float) -> str:
        return f"a factor of {format_number(max(guess / truth, truth / guess), 2)}"

    def is_close(self, guess: float, truth: float) -> bool:
        return max(guess / truth, truth / guess) <= CLOSE_FACTOR

    def marks(self) -> list[tuple[float, str]]:
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        powers = range(first, last + 1, math.ceil((last - first) / (MOST_MARKS - 1)))
        # Long rows of zeros would run into one another.
        fits = first > -4 and last < 5
        return [
            (
                self.place(10.0**p),
                format_number(10.0**p, 1) if fits or p in (0, 1) else power_of_ten(p),
            )
            for p in powers
        ]


class LinearSlider(Slider):
    """A slider in equal steps; a guess is off by a difference."""

    def place(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def distance(self, guess: float, truth: float) -> str:
        number = format_number(abs(guess - truth), 2)
        return with_unit(number, "percentage points" if self.unit == "%" else self.unit)

    def is_close(self, guess: float, truth: float) -> bool:
        # A little more, as 0.3 - 0.2 is over 0.1 in floating point.
        return abs(guess - truth) <= CLOSE_SHARE * (self.high - self.low) * (1 + 1e-9)

    def marks(self) -> list[tuple[float, str]]:
        steps = len(self.values) - 1
        parts = next(n for n in (5, 4, 2, 3, 1) if steps % n == 0)
        return [
            (i / parts, format_number(self.values[i * steps // parts], EXACT))
            for i in range(parts + 1)
        ]


class Choice:
    """One of a few options, each a short text."""

    def __init__(self, options: tuple[str, ...]) -> None:
        self.values = options

    def label(self, value: str, digits: int = 0) -> str:
        return value

    def describe(self) -> str:
        return "one of: " + "; ".join(self.values)

    def checked(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise ValueError(f"{name} must be one of {list(self.values)}, got {value!r}")
        return value

    def reaches(self, truth: str) -> bool:
        return True

    def verdict(self, guess: str, truth: str) -> str:
        return "Your guess is right." if guess == truth else f"Your guess was: {guess}."

    def is_close(self, guess: str, truth: str) -> bool:
        return guess == truth


def log_slider(low: float, high: float, unit: str = "") -> LogSlider:
    """A slider on a logarithmic scale, ten steps a decade (three, if it has many).

    Args:
        low, high: Powers of ten.
        unit: In the plural, such as ``"draws"``; ``"%"`` for shares.

    Raises:
        ValueError: If the ends are not powers of ten in rising order.

    Example:
        >>> log_slider(1, 1e5, "draws").describe()
        'a number from 1 draw to 100,000 draws'
    """
    if not 0 < low < high < math.inf:
        raise ValueError(f"low and high must be positive and rise, got {low} and {high}")
    ends = [round(math.log10(end)) for end in (low, high)]
    for end, power in zip((low, high), ends, strict=True):
        if not math.isclose(end, 10.0**power, rel_tol=1e-9):
            raise ValueError(f"the ends of a log slider must be powers of ten, got {end}")
    steps = FINE if ends[1] - ends[0] <= MOST_FINE_DECADES else COARSE
    # Through text, so that 3e-5 is the number that Python writes so.
    values = [float(f"{step}e{power}") for power in range(*ends) for step in steps]
    return LogSlider([*values, float(f"1e{ends[1]}")], unit)


def linear_slider(low: float, high: float, unit: str = "", step: float = 1) -> LinearSlider:
    """A slider in equal steps.

    Args:
        low, high: The ends.
        unit: In the plural, such as ``"nats"``; ``"%"`` for shares, from 0 to 100.
        step: From one value to the next.

    Raises:
        ValueError: If the ends don't rise, or are not a whole number of steps apart, or more
            than 200.

    Example:
        >>> linear_slider(0, 100, "%", step=5).describe()
        'a number from 0% to 100%'
    """
    if not (low < high and step > 0):
        raise ValueError(f"low and high must rise by steps, got {low}, {high} and step {step}")
    steps = round((high - low) / step)
    if not math.isclose(low + steps * step, high) or not 1 <= steps <= MOST_STEPS:
        raise ValueError(
            f"from low to high there must be a whole number of steps, at most {MOST_STEPS}, "
            f"got {(high - low) / step:g}"
        )
    return LinearSlider([round(low + i * step, EXACT) for i in range(steps + 1)], unit)


def choice(*options: str) -> Choice:
    """A choice among options.

    Raises:
        ValueError: If there are fewer than two, or two are the same.

    Example:
        >>> choice("the prior", "the encoder").describe()
        'one of: the prior; the encoder'
    """
    if len(options) < 2 or len(set(options)) < len(options):
        raise ValueError(f"options must be two or more different texts, got {list(options)}")
    return Choice(options)


Answer = Slider | Choice
