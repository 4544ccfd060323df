"""How far an estimator is from the truth, and what it spent to get there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.testbed.problem import CountedLikelihood, Problem

#: Takes a problem, a budget and a generator. Returns log p(x) in nats, (batch,), or something with
#: a ``log_marginal`` (and ``trusted``, true or false, if it has a diagnostic), or None if the
#: budget does not suffice.
Estimator = Callable[[Problem, int, torch.Generator], Any]


@dataclass(frozen=True)
class Score:
    """One estimator at one budget, over all images and repeats.

    Attributes:
        budget: What the estimator was told to spend on an image.
        evaluations: Likelihoods that it did evaluate, an image and repeat.
        gradients: Gradients that it took, an image and repeat.
        mean_absolute_error: Of log p(x), in nats.
        standard_error: Of ``mean_absolute_error``, over images: what other digits would change.
        noise: Its standard error on these very digits, from the repeats alone; infinite for
            one repeat.
        mean_error: Estimate less truth, in nats. Negative: on average too low.
        mean_error_standard_error: Of ``mean_error``, over images.
        untrusted: Share of the estimates that the estimator itself warns of, or None.
    """

    budget: int
    evaluations: float
    gradients: float
    mean_absolute_error: float
    standard_error: float
    noise: float
    mean_error: float
    mean_error_standard_error: float
    untrusted: float | None

    @property
    def cost(self) -> float:
        """What an image took: evaluations and gradients, which cost the same."""
        return self.evaluations + self.gradients

    def __str__(self) -> str:
        warned = "" if self.untrusted is None else f", {self.untrusted:.0%} warned of"
        return (
            f"{self.cost:9,.0f} evaluations: error {self.mean_absolute_error:.4f} nats "
            f"(standard error {self.standard_error:.4f}), bias {self.mean_error:+.4f}{warned}"
        )


def evaluate(
    estimator: Estimator,
    problem: Callable[[CountedLikelihood], Problem],
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    log_marginal: Tensor,
    budgets: Sequence[int],
    repeats: int = 4,
    seed: int = 0,
) -> list[Score]:
    r"""Hold an estimator against the truth, with noise of its own for each budget and repeat.

    .. math::
        \frac1n \sum_i \frac1R \sum_r \big| \log \hat p_r(x_i) - \log p(x_i) \big|

    :meth:`vaelab.testbed.Testbed.evaluate` calls this with its own decoder.

    Args:
        estimator: See :data:`Estimator`.
        problem: Makes the problem around a counted likelihood.
        log_likelihood: The decoder's, to be counted.
        log_marginal: The truth, in nats, shape ``(batch,)``.
        budgets: What may be spent on an image.
        repeats: R, runs at each budget.
        seed: With the budget, it seeds the noise.

    Returns:
        A score for each budget that the estimator can do with.

    Raises:
        ValueError: If a number is under 1, or an estimate is NaN or of another shape.

    Source:
        A rule of this package.

    Example:
        >>> def naive(problem, budget, generator):
        ...     z = torch.randn(budget, 1, 1, generator=generator, dtype=torch.float64)
        ...     return problem.log_likelihood(problem.x, z).logsumexp(0) - math.log(budget)
        >>> x = torch.zeros(1, 1, dtype=torch.float64)
        >>> truth = torch.tensor([-0.5 * math.log(3)], dtype=torch.float64)  # E[exp(-z^2)]
        >>> (score,) = evaluate(
        ...     naive, lambda counted: Problem(x, x, x, counted),
        ...     lambda x, z: -z.sum(-1) ** 2, truth, budgets=(10_000,),
        ... )
        >>> score.evaluations, score.mean_absolute_error < 0.05
        (10000.0, True)
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    scores = []
    for budget in budgets:
        if budget < 1:
            raise ValueError(f"budgets must be at least 1, got {budget}")
        # Independent noise for every budget, whichever others are asked for.
        state = int(np.random.SeedSequence([seed, budget]).generate_state(1)[0])
        generator = torch.Generator().manual_seed(state)
        counted, errors, trusted = CountedLikelihood(log_likelihood), [], []
        for _ in range(repeats):
            run = CountedLikelihood(log_likelihood)
            estimate = estimator(problem(run), budget, generator)
            if estimate is None:
                break
            errors.append(_error(estimate, log_marginal))
            counted.evaluations += run.evaluations
            counted.gradients += run.gradients
            if hasattr(estimate, "trusted"):
                trusted.append(estimate.trusted)
        if len(errors) == repeats:
            scores.append(_score(budget, counted, torch.stack(errors), trusted))
    return scores


def _error(estimate: Any, log_marginal: Tensor) -> Tensor:
    value = torch.as_tensor(getattr(estimate, "log_marginal", estimate))
    if value.shape != log_marginal.shape or bool(value.isnan().any()):
        raise ValueError(
            f"the estimator must return numbers of shape {tuple(log_marginal.shape)}, "
            f"got {tuple(value.shape)} with {int(value.isnan().sum())} NaN"
        )
    return value.detach().to(log_marginal) - log_marginal


def _score(budget: int, counted: CountedLikelihood, errors: Tensor, trusted: list[Tensor]) -> Score:
    """From errors of shape ``(repeats, images)``."""
    repeats, images = errors.shape
    absolute = errors.abs()
    noise = (absolute.var(0).sum() / repeats).sqrt().item() / images if repeats > 1 else math.inf
    return Score(
        budget=budget,
        evaluations=counted.evaluations / errors.numel(),
        gradients=counted.gradients / errors.numel(),
        mean_absolute_error=absolute.mean().item(),
        standard_error=_standard_error(absolute.mean(0)),
        noise=noise,
        mean_error=errors.mean().item(),
        mean_error_standard_error=_standard_error(errors.mean(0)),
        untrusted=1 - torch.stack(trusted).double().mean().item() if trusted else None,
    )


def _standard_error(values: Tensor) -> float:
    return (values.std() / math.sqrt(len(values))).item() if len(values) > 1 else math.inf
