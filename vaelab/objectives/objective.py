"""A value to report and a surrogate to differentiate, kept apart by name."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Objective:
    r"""What is reported and what is differentiated, where the two are not the same number.

    Some gradient estimators are the gradient of no quantity one would report: their
    surrogate has the gradient that is wanted and a value that means nothing. Maximise by
    ``(-objective.surrogate.mean()).backward()``, and print ``objective.value``.

    Attributes:
        value: The bound itself in nats, without gradient, ``(batch,)``.
        surrogate: Carries the gradient, ``(batch,)``. Its value is no bound.

    Source:
        Schulman et al. (2015), *Gradient estimation using stochastic computation graphs*.
    """

    value: Tensor
    surrogate: Tensor
