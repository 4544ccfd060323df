"""05.6: a bound from each side, estimated."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question

RUNS, LATENT = 500, 10


def two_bounds(deviation: float, num_draws: int, seed: int) -> Tensor:
    """Mean estimates of the lower and the upper bound over 500 runs."""
    return _bounds(_log_weights(deviation, num_draws, seed))


def _log_weights(deviation: float, num_draws: int, seed: int, drawn: float | None = None) -> Tensor:
    """Log weights ``(draws, runs)`` of q = N(0, t^2 I) for a joint that is N(0, I)."""
    drawn = deviation if drawn is None else drawn
    generator = torch.Generator().manual_seed(seed)
    z = drawn * torch.randn(num_draws, RUNS, LATENT, generator=generator, dtype=torch.float64)
    log_ratio = -0.5 * z.square() + 0.5 * (z / deviation).square() + math.log(deviation)
    return log_ratio.sum(-1)


def _log_mean(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def _bounds(log_weights: Tensor) -> Tensor:
    upper = 0.5 * _log_mean(2 * log_weights)
    return torch.stack([log_weights.mean(0).mean(), upper.mean()])


def _other(lower=None, upper=None) -> Answer:
    """An answer that makes one of its numbers otherwise from the log weights."""

    def answer(deviation: float, num_draws: int, seed: int) -> Tensor:
        log_weights = _log_weights(deviation, num_draws, seed)
        low, high = _bounds(log_weights)
        low = low if lower is None else lower(log_weights)
        return torch.stack([low, high if upper is None else upper(log_weights)])

    return answer


def exact_bounds(deviation: float) -> tuple[float, float]:
    """The two bounds without draws; the upper one may be infinite."""
    lower = -0.5 * LATENT * (deviation**2 - 1 - 2 * math.log(deviation))
    if 2 * deviation**2 <= 1:
        return lower, math.inf
    return lower, 0.5 * LATENT * math.log(deviation**2 / math.sqrt(2 * deviation**2 - 1))


def _table(answer: Answer) -> str:
    lines = ["log p(x) = 0. Lower and upper bound, by deviation of q and draws in a run:"]
    counts = (1, 10, 100, 1_000)
    lines.append("      " + "".join(f"   K = {count:<9,}" for count in counts) + "   exact")
    for deviation in (0.6, 0.8, 1.25):
        cells = [answer(deviation, count, 0).tolist() for count in counts]
        cells.append(exact_bounds(deviation))
        row = "   ".join(f"{lower:+.2f}, {upper:+.2f}" for lower, upper in cells)
        lines.append(f"  {deviation:4g}   {row}")
    return "\n".join(lines)


QUESTION = Question(
    solution=two_bounds,
    result="the mean estimate of the lower bound, then that of the upper one",
    cases={
        "ten draws at a deviation of 0.6": (0.6, 10, 0),
        "100 draws at one of 0.8": (0.8, 100, 0),
        "100 draws at one of 1.25": (1.25, 100, 0),
    },
    mistakes=[
        Mistake(
            _other(lower=lambda w: _log_mean(w).mean()),
            "In the first number the logarithm is outside the average over draws. That is an "
            "estimate of log p(x), not of the ELBO.",
        ),
        Mistake(
            _other(upper=lambda w: _log_mean(2 * w).mean()),
            "The second number lacks its factor of 1/2.",
        ),
        Mistake(
            _other(upper=lambda w: _log_mean(w).mean()),
            "The weights of the second number are not squared.",
        ),
        Mistake(
            _other(upper=lambda w: 0.5 * (2 * w).logsumexp(0).mean()),
            "In the second number the squares are summed where they should be averaged.",
        ),
        Mistake(
            _other(upper=lambda w: 0.5 * (_log_mean(2 * w).logsumexp(0) - math.log(RUNS))),
            "The second number pools the draws of all runs in one average. Each run makes an "
            "estimate of its own, and what was asked for is the mean of these.",
        ),
        Mistake(
            _other(lower=lambda w: w.sum(0).mean()),
            "The first number sums over the draws.",
        ),
        Mistake(
            lambda *a: two_bounds(*a).flip(0),
            "The two numbers have changed places.",
        ),
        Mistake(
            lambda t, draws, seed: _bounds(-_log_weights(t, draws, seed)),
            "The weights are upside down: q over the joint.",
        ),
        Mistake(
            lambda t, draws, seed: _bounds(_log_weights(t, draws, seed) - LATENT * math.log(t)),
            "The density of q lacks its factor 1 / deviation in each dimension.",
        ),
        Mistake(
            lambda t, draws, seed: _bounds(_log_weights(t, draws, seed, drawn=1.0)),
            "Your draws seem to come from the posterior. Both bounds are averages over q.",
        ),
        Mistake(
            lambda t, draws, seed: _bounds(_log_weights(t, draws, seed) / LATENT),
            "You average over the ten dimensions where the logs should be added.",
        ),
    ],
    afterword=_table,
    # Other draws move either number by 0.01 to 0.04 (standard error).
    rtol=0.02,
    atol=0.12,
)
