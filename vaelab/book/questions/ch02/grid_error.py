"""02.6: how fine a grid must be, measured in deviations of the posterior."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question


def grid_error(deviation: float, step: float) -> Tensor:
    """How far the grid's sum of a Gaussian is from 1, its integral; as a logarithm."""
    return _log_sum(deviation, step).abs()


def _log_sum(deviation: float, step: float, variance: float | None = None) -> Tensor:
    variance = deviation**2 if variance is None else variance
    side = math.floor(10 * deviation / step)
    z = step * torch.arange(-side, side + 1, dtype=torch.float64)
    log_density = -0.5 * z.square() / variance - 0.5 * math.log(2 * math.pi * variance)
    return log_density.logsumexp(0) + math.log(step)


def _table(answer: Answer) -> str:
    lines = ["Error in nats:    step / deviation = 0.5,      1,    1.5,      2,      3"]
    for deviation in (1.0, 0.1):
        errors = [answer(deviation, r * deviation).item() for r in (0.5, 1.0, 1.5, 2.0, 3.0)]
        listed = ", ".join(f"{e:6.0e}" if e > 1e-15 else "     0" for e in errors)
        lines.append(f"  deviation {deviation:3.1f}:                {listed}")
    return "\n".join(lines)


QUESTION = Question(
    solution=grid_error,
    result="one number",
    cases={
        "deviation 1, step 1.5": (1.0, 1.5),
        "deviation 0.5, step 1": (0.5, 1.0),
        "deviation 0.2, step 0.6": (0.2, 0.6),
    },
    mistakes=[
        Mistake(
            lambda deviation, step: (_log_sum(deviation, step) - math.log(step)).abs(),
            "The sum lacks the step: it counts points instead of measuring an area.",
        ),
        Mistake(
            lambda deviation, step: (_log_sum(deviation, step) + 0.5 * math.log(2 * math.pi)).abs(),
            "The Gaussian lacks its 2 pi, and does not integrate to one.",
        ),
        Mistake(
            lambda deviation, step: (_log_sum(deviation, step) + math.log(deviation)).abs(),
            "The Gaussian's height should depend on its deviation: a narrow one is taller.",
        ),
        Mistake(
            lambda deviation, step: _log_sum(deviation, step, variance=deviation).abs(),
            "You put the deviation where the variance belongs.",
        ),
        Mistake(
            lambda deviation, step: (
                _log_sum(deviation, step, variance=deviation**2 / 2) - 0.5 * math.log(2)
            ).abs(),
            "The Gaussian's exponent lacks its factor of 1/2.",
        ),
        Mistake(
            lambda deviation, step: grid_error(deviation, step).exp() - 1,
            "This is the relative error of the integral. The question asks for that of its log: "
            "nearly the same while it is small.",
        ),
    ],
    afterword=_table,
    rtol=1e-3,
    atol=1e-12,
)
