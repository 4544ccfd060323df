"""01.2: how long it would take to visit every state."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question

SECONDS_PER_YEAR = 365.25 * 24 * 3600


def log10_years(pixels: Tensor, levels: Tensor, rate: Tensor) -> Tensor:
    """log10 of the years that it takes to visit each state once."""
    return pixels * levels.log10() - rate.log10() - math.log10(SECONDS_PER_YEAR)


def _sizes(*pictures: tuple[float, float, float]) -> tuple[Argument, ...]:
    """Pixels, levels and states a second, written picture by picture."""
    return tuple(torch.tensor(pictures, dtype=torch.float64).T.contiguous())


def _bills(answer: Answer) -> str:
    kinds = {
        "8 x 8, black and white": (64, 2, 1e9),
        "28 x 28, black and white": (784, 2, 1e9),
        "256 x 256, 256 levels": (65_536, 256, 1e9),
    }
    lines = ["At a billion pictures a second, ten to the power of so many years:"]
    exponents = answer(*_sizes(*kinds.values())).tolist()
    lines += [f"  {kind}: {e:,.1f}" for kind, e in zip(kinds, exponents, strict=True)]
    lines.append("The universe is about 10 to the power 10.1 years old.")
    return "\n".join(lines)


QUESTION = Question(
    solution=log10_years,
    result="one number for each kind of picture",
    cases={
        "pictures of a few pixels": _sizes((20, 2, 1e6), (64, 2, 1e9), (30, 4, 1e7)),
        "photographs": _sizes((65_536, 256, 1e9), (196_608, 256, 1e12)),
    },
    mistakes=[
        Mistake(
            lambda n, levels, rate: (levels**n / rate / SECONDS_PER_YEAR).log10(),
            "The formula is right, but the number of states is more than float64 can hold "
            "(1.8e308), and becomes inf. The answer itself is a moderate number: which of "
            "the operations could be done on the logarithms?",
        ),
        Mistake(
            lambda n, levels, rate: levels**n / rate / SECONDS_PER_YEAR,
            "This is the number of years itself. The answer should be its logarithm.",
        ),
        Mistake(
            lambda n, levels, rate: n * levels.log() - rate.log() - math.log(SECONDS_PER_YEAR),
            "This is a natural logarithm. The question asks for powers of ten.",
        ),
        Mistake(
            lambda n, levels, rate: n * levels.log2() - rate.log2() - math.log2(SECONDS_PER_YEAR),
            "This is a logarithm to base 2. The question asks for powers of ten.",
        ),
        Mistake(
            lambda n, levels, rate: n * levels.log10() - rate.log10(),
            "This is a number of seconds, not of years.",
        ),
        Mistake(
            lambda n, levels, rate: (
                n * levels.log10() + rate.log10() - math.log10(SECONDS_PER_YEAR)
            ),
            "With a faster computer your answer grows.",
        ),
        Mistake(
            lambda n, levels, rate: log10_years(levels, n, rate),
            "Levels and pixels have changed places. With one pixel of two levels, how many "
            "pictures are there? And with three such pixels?",
        ),
        Mistake(
            lambda n, levels, rate: (
                (n * levels).log10() - rate.log10() - math.log10(SECONDS_PER_YEAR)
            ),
            "You multiply the number of pixels by the number of levels. Each pixel more "
            "multiplies the number of pictures; it does not add to it.",
        ),
        Mistake(
            lambda n, levels, rate: n * levels.log10(),
            "This is the number of states. How long does it take to visit them?",
        ),
    ],
    afterword=_bills,
)
