"""What an estimator is given, and the count of what it spends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


class CountedLikelihood:
    r"""log p(x | z), with a count of how often it was asked for.

    One evaluation is one image at one z; z shared by several images counts for each of them.
    One gradient is one pass back to one z for one image. For a decoder of two layers it
    multiplies by the same two matrices as the evaluation did, so it costs as much again:

    .. math::
        \text{cost} = \text{evaluations} + \text{gradients}

    Args:
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(K, batch)``.

    Attributes:
        evaluations: How many so far, over all images and draws.
        gradients: How many so far; a second derivative counts each of its passes.

    Source:
        Griewank & Walther (2008), *Evaluating derivatives*, chapter 3, on the cost of a gradient.

    Example:
        >>> counted = CountedLikelihood(lambda x, z: -z.square().sum(-1))
        >>> z = torch.zeros(10, 3, 2, requires_grad=True)  # 10 draws for 3 images
        >>> counted(torch.zeros(3, 64), z).sum().backward()
        >>> counted.evaluations, counted.gradients, counted.cost
        (30, 30, 60)
    """

    def __init__(self, log_likelihood: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._log_likelihood = log_likelihood
        self.evaluations, self.gradients = 0, 0

    @property
    def cost(self) -> int:
        """Evaluations and gradients together."""
        return self.evaluations + self.gradients

    def __call__(self, x: Tensor, z: Tensor) -> Tensor:
        """The likelihood's own result, counted."""
        z = z.view_as(z)  # a node of this call's own, so that a hook sees this call's passes only
        value = self._log_likelihood(x, z)
        self.evaluations += value.numel()
        if z.requires_grad and torch.is_grad_enabled():
            z.register_hook(lambda _: self._count_gradients(value.numel()))
        return value

    def _count_gradients(self, count: int) -> None:
        self.gradients += count


@dataclass(frozen=True)
class Problem:
    """Digits whose log p(x) is asked for, and what may be used to find it.

    The truth is not in it. What the encoder says is free of charge.

    Attributes:
        x: Images, float64, shape ``(batch, 64)``.
        mean: Mean of the encoder's q(z | x), shape ``(batch, latent)``.
        log_var: Its log-variance, same shape.
        log_likelihood: log p(x | z) for z of shape ``(K, batch or 1, latent)``, nats of
            shape ``(K, batch)``, differentiable in z, counted. The prior is N(0, I).
    """

    x: Tensor
    mean: Tensor
    log_var: Tensor
    log_likelihood: CountedLikelihood

    @property
    def latent_dim(self) -> int:
        """Dimension of z."""
        return self.mean.shape[-1]

    @property
    def spent(self) -> float:
        """What an image has cost so far, on average: compare it with the budget."""
        return self.log_likelihood.cost / len(self.x)
