"""06.5: a Gaussian for pixels that are counts."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.special import log_ndtr, ndtr

from vaelab.book.questions import Answer, Argument, Mistake, Question
from vaelab.densities import normal_log_density


def rounded_gaussian(counts: Tensor, mean: Tensor, deviation: float, max_count: int) -> Tensor:
    """Log probability of whole pictures in nats."""
    return _log_probability(counts, mean, deviation, max_count).sum(-1)


def _log_probability(counts: Tensor, mean: Tensor, deviation: float, max_count: int) -> Tensor:
    low, high = _edges(counts, mean, deviation, max_count)
    # In the left tail a small probability keeps its digits.
    low, high = torch.where(low > 0, -high, low), torch.where(low > 0, -low, high)
    return _log_difference(log_ndtr(high), log_ndtr(low))


def _edges(
    counts: Tensor,
    mean: Tensor,
    deviation: float,
    max_count: int,
    half: tuple[float, float] = (0.5, 0.5),
    open_ends: bool = True,
) -> tuple[Tensor, Tensor]:
    low, high = (counts - half[0] - mean) / deviation, (counts + half[1] - mean) / deviation
    if open_ends:
        low = low.masked_fill(counts == 0, -math.inf)
        high = high.masked_fill(counts == max_count, math.inf)
    return low, high


def _log_difference(log_high: Tensor, log_low: Tensor) -> Tensor:
    """log(e^high - e^low)."""
    return log_high + (-torch.expm1(log_low - log_high)).log()


def _naive(*arguments, **options) -> Tensor:
    low, high = _edges(*arguments, **options)
    return (ndtr(high) - ndtr(low)).log().sum(-1)


def _one_tail(*arguments) -> Tensor:
    low, high = _edges(*arguments)
    return _log_difference(log_ndtr(high), log_ndtr(low)).sum(-1)


def _density(counts: Tensor, mean: Tensor, deviation: float, max_count: int) -> Tensor:
    return normal_log_density(counts, mean, torch.tensor(2 * math.log(deviation))).sum(-1)


def _cut_off(counts: Tensor, mean: Tensor, deviation: float, max_count: int) -> Tensor:
    low, high = (-0.5 - mean) / deviation, (max_count + 0.5 - mean) / deviation
    inside = _naive(counts, mean, deviation, max_count, open_ends=False)
    return inside - (ndtr(high) - ndtr(low)).log().sum(-1)


def _pictures(deviation: float = 1.5, shift: float | None = None) -> tuple[Argument, ...]:
    """Three pictures of four counts, the ends 0 and 5 among them, and means around or beside."""
    counts = torch.tensor([[0.0, 2, 3, 5], [5, 0, 4, 1], [2, 2, 0, 3]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    return counts, counts + (noise if shift is None else shift + 0.1 * noise), deviation, 5


def _no_reward(answer: Answer) -> str:
    from vaelab.data import load_digits

    digits = load_digits("grey", dtype=torch.float64)
    counts = 16 * torch.cat([digits.train, digits.test])
    blank = counts[:, [0, 32, 39]]  # never inked
    lines = ["The three pixels that never change, mean 0: nats a digit, by deviation in counts:"]
    for deviation in (1.0, 0.1, 1e-4, 1e-8):
        probability = answer(blank[:1], 0 * blank[:1], deviation, 16).item()
        density = _density(blank[:1], 0 * blank[:1], deviation, 16).item()
        lines.append(f"  {deviation:g}: yours {probability:z.3f}, a density {density:+.1f}")
    mean = 16 * digits.train.mean(0)
    lines.append("All pixels of held-out digits, each with the training digits' mean:")
    for deviation in (1.0, 2.0, 4.0, 8.0):
        x = 16 * digits.test
        found = answer(x, mean.expand_as(x), deviation, 16).mean().item()
        lines.append(f"  deviation {deviation:g}: {found:,.1f} nats a digit")
    return "\n".join(lines)


QUESTION = Question(
    solution=rounded_gaussian,
    result="one log probability for each picture",
    cases={
        "three pictures of counts to 5": _pictures(),
        "means far above": _pictures(deviation=0.01, shift=2.0),
        "means far below": _pictures(deviation=0.01, shift=-2.0),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but far from the mean both ends of a bin have the same "
            "cumulative probability in float64, and the logarithm of 0 is left. Which function "
            "of torch.special gives a small one's logarithm?",
        ),
        Mistake(
            _one_tail,
            "Far to the left of a count's bin it works. Far to the right both logarithms are 0 to "
            "rounding. What does a Gaussian look like in a mirror?",
        ),
        Mistake(
            lambda *a: _naive(*a, open_ends=False),
            "The bins at the two ends are as wide as the others. Add up the probabilities of all "
            "counts: do they make one?",
        ),
        Mistake(
            _density,
            "This is the density at the count. It can exceed one, and over the counts it sums to "
            "nothing in particular.",
        ),
        Mistake(
            _cut_off,
            "You divide by what lies between the two ends. That sums to one as well, but what was "
            "asked for puts the rest into the bins at the ends.",
        ),
        Mistake(
            lambda *a: _naive(*a, half=(0.0, 1.0)),
            "Your bins begin at the count. They should have it in their middle.",
        ),
        Mistake(
            lambda *a: _naive(*a, half=(1.0, 0.0)),
            "Your bins end at the count. They should have it in their middle.",
        ),
        Mistake(
            lambda counts, mean, deviation, n: rounded_gaussian(counts, mean, deviation**2, n),
            "You use the variance where the deviation belongs.",
        ),
        Mistake(
            lambda counts, mean, deviation, n: rounded_gaussian(counts, mean, deviation**0.5, n),
            "You take the deviation for a variance.",
        ),
        Mistake(
            lambda *a: _log_probability(*a).mean(-1),
            "You average over pixels. Independent pixels multiply: what do their logs do?",
        ),
        Mistake(
            lambda *a: _log_probability(*a).exp().sum(-1).log(),
            "You add the probabilities of the pixels, and take the logarithm then. For all of "
            "them to happen, they multiply.",
        ),
        Mistake(
            lambda *a: -rounded_gaussian(*a),
            "The sign is that of a loss.",
        ),
        Mistake(
            lambda *a: rounded_gaussian(*a) / math.log(2),
            "This is in bits. The answer should be in nats.",
        ),
    ],
    afterword=_no_reward,
)
