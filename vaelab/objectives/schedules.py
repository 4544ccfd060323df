"""Schedules for beta: the weight of the KL as a plain function of the training step."""

from __future__ import annotations

import math


def _check(step: int, steps: int) -> None:
    if step < 0:
        raise ValueError(f"step must be 0 or more, got {step}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")


def linear_warmup(step: int, steps: int) -> float:
    r"""Beta rising in a straight line from 0, then 1 for ever.

    .. math::
        \beta_t = \min(1, t / T)

    While beta is below 1 the objective is no lower bound on log p(x).

    Args:
        step: t, counted from 0.
        steps: T, when 1 is reached.

    Returns:
        Beta, from 0 to 1.

    Raises:
        ValueError: If ``step`` is negative or ``steps`` is under 1.

    Source:
        Bowman et al. (2016); in a straight line, Sønderby et al. (2016).

    Example:
        >>> [linear_warmup(step, steps=4) for step in (0, 1, 4, 100)]
        [0.0, 0.25, 1.0, 1.0]
    """
    _check(step, steps)
    return min(1.0, step / steps)


def cyclical(step: int, steps: int, cycles: int = 4, ramp: float = 0.5) -> float:
    r"""Beta rising from 0 to 1 again and again: each cycle a ramp, then a level stretch.

    .. math::
        \beta_t = \min\!\Big(1, \frac{\tau}{R}\Big), \qquad
        \tau = \frac{t \bmod \lceil T / M \rceil}{T / M}

    After T it stays at 1.

    Args:
        step: t, counted from 0.
        steps: T, the length of all cycles together.
        cycles: M, how many there are.
        ramp: R, the share of a cycle in which beta rises, above 0 and at most 1.

    Returns:
        Beta, from 0 to 1.

    Raises:
        ValueError: If ``step`` is negative, ``steps`` is under 1, ``cycles`` is not from 1 to
            ``steps``, or ``ramp`` is out of range.

    Source:
        Fu et al. (2019), *Cyclical annealing schedule: a simple approach to mitigating KL
        vanishing*, whose t counts from 1.

    Example:
        >>> [cyclical(step, steps=8, cycles=2) for step in range(9)]
        [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0]
    """
    _check(step, steps)
    if not 1 <= cycles <= steps:
        raise ValueError(f"cycles must be from 1 to steps = {steps}, got {cycles}")
    if not 0 < ramp <= 1:
        raise ValueError(f"ramp must be above 0 and at most 1, got {ramp}")
    if step >= steps:
        return 1.0
    position = step % math.ceil(steps / cycles) / (steps / cycles)
    return min(1.0, position / ramp)
