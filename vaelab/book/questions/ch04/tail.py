"""04.6: a proposal too narrow or too wide, as seen by k-hat and by the error."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.estimators.pareto import pareto_k

RUNS, DRAWS, LATENT = 50, 1_000, 10


def tail_and_error(deviation: float, seed: int) -> Tensor:
    """Mean k-hat and mean error of 50 runs."""
    return _summary(_log_weights(deviation, seed))


def _log_weights(deviation: float, seed: int, drawn: float | None = None) -> Tensor:
    """Log weights ``(draws, runs)`` of a proposal of some deviation for N(0, I)."""
    drawn = deviation if drawn is None else drawn
    generator = torch.Generator().manual_seed(seed)
    z = drawn * torch.randn(DRAWS, RUNS, LATENT, generator=generator, dtype=torch.float64)
    log_ratio = -0.5 * z.square() + 0.5 * (z / deviation).square() + math.log(deviation)
    return log_ratio.sum(-1)


def _summary(log_weights: Tensor) -> Tensor:
    estimate = log_weights.logsumexp(0) - math.log(len(log_weights))
    return torch.stack([pareto_k(log_weights).mean(), estimate.abs().mean()])


def _without_log_deviation(deviation: float, seed: int) -> Tensor:
    return _summary(_log_weights(deviation, seed) - LATENT * math.log(deviation))


def _summed(deviation: float, seed: int) -> Tensor:
    log_weights = _log_weights(deviation, seed)
    return torch.stack([pareto_k(log_weights).mean(), log_weights.logsumexp(0).abs().mean()])


def _signed(deviation: float, seed: int) -> Tensor:
    log_weights = _log_weights(deviation, seed)
    estimate = log_weights.logsumexp(0) - math.log(DRAWS)
    return torch.stack([pareto_k(log_weights).mean(), estimate.mean()])


def _k_of_weights(deviation: float, seed: int) -> Tensor:
    log_weights = _log_weights(deviation, seed)
    return torch.stack([pareto_k(log_weights.exp()).mean(), _summary(log_weights)[1]])


def _table(answer: Answer) -> str:
    lines = ["  deviation   k-hat   mean error (nats)"]
    for deviation in (0.4, 0.6, 0.7, 0.8, 0.9, 1.1, 1.25, 1.5):
        k_hat, error = answer(deviation, 0).tolist()
        lines.append(f"  {deviation:9.2f}   {k_hat:+.2f}   {error:.2f}")
    return "\n".join(lines)


QUESTION = Question(
    solution=tail_and_error,
    result="mean k-hat, then mean absolute error",
    cases={
        "a deviation of 0.6": (0.6, 0),
        "a deviation of 0.8": (0.8, 0),
        "a deviation of 1.5": (1.5, 0),
    },
    mistakes=[
        Mistake(
            _summed,
            "The second number is the log of the sum of the weights, not of their mean.",
        ),
        Mistake(
            _signed,
            "The second number lets errors up and down cancel. Take their size first.",
        ),
        Mistake(
            _without_log_deviation,
            "The proposal's density lacks its factor 1 / deviation in each dimension.",
        ),
        Mistake(
            _k_of_weights,
            "pareto_k asks for log weights.",
        ),
        Mistake(
            lambda deviation, seed: _summary(_log_weights(deviation, seed, drawn=1.0)),
            "Your draws seem to come from the target: their spread should be the proposal's.",
        ),
        Mistake(
            lambda deviation, seed: _summary(-_log_weights(deviation, seed)),
            "The weights are upside down: proposal over target.",
        ),
        Mistake(
            lambda deviation, seed: _summary(_log_weights(deviation**2, seed)),
            "You square the deviation once too often: a variance stands where it belongs.",
        ),
        Mistake(
            lambda deviation, seed: _summary(_log_weights(deviation, seed) / LATENT),
            "You average over the ten dimensions where the logs should be added.",
        ),
    ],
    afterword=_table,
    # Other draws move k-hat by 0.03 and the error by a tenth of itself (standard errors).
    rtol=0.15,
    atol=0.08,
)
