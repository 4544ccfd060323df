"""The likelihoods that a loss is compared with, each on data of its own kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import (
    LOG_2PI,
    bernoulli_log_density,
    binomial_log_density,
    continuous_bernoulli_log_density,
)


def _nothing(scale: float) -> float:
    """The constant of a likelihood without a scale."""
    return 0.0


@dataclass(frozen=True)
class Candidate:
    """A likelihood, and how it reads the decoder's output.

    Attributes:
        likelihood: Its name.
        data: What its pixels are, in words.
        grey: Whether they are grey levels, or 0 and 1 only.
        output: What it takes the decoder's output for.
        log_density: ``(x, output)`` to nats per pixel. With a scale, at the scale where
            the gradient has no factor: variance 1, or b = 1.
        scale_name: ``"s²"``, ``"b"``, or ``""`` where there is no scale to choose.
        scale_constant: Nats per pixel that scale s² (or b) adds to minus the log density.
    """

    likelihood: str
    data: str
    grey: bool
    output: str
    log_density: Callable[[Tensor, Tensor], Tensor]
    scale_name: str = ""
    scale_constant: Callable[[float], float] = _nothing

    def gradient(self, x: Tensor, output: Tensor) -> Tensor:
        """Of minus the log density in the decoder's output, per pixel."""
        output = output.detach().clone().requires_grad_()
        return torch.autograd.grad(-self.log_density(x, output).sum(), output)[0]

    def negative_log(self, x: Tensor, output: Tensor, scale: float) -> Tensor:
        """Minus the log density in nats per pixel, at a scale (1 where there is none)."""
        return -self.log_density(x, output) / scale + self.scale_constant(scale)


def likelihoods(max_count: int) -> tuple[Candidate, ...]:
    r"""Every likelihood the audit knows, with every reading of the decoder's output.

    .. math::
        \log p(x \mid o), \qquad x \in \{0, 1\},\ \{0, \tfrac1n, \dots, 1\},\ [0, 1]
        \text{ or } \mathbb R

    Args:
        max_count: n, so that grey pixels are counts divided by n.

    Returns:
        Bernoulli, binomial and continuous Bernoulli, of logits or of probabilities; Gaussian
        and Laplace, whose mean is the output or its sigmoid.

    Source:
        Loaiza-Ganem & Cunningham (2019) for the continuous Bernoulli; the rest is textbook.

    Example:
        >>> [c.likelihood for c in likelihoods(16) if c.output == "logits"]
        ['Bernoulli', 'Binomial(16)', 'continuous Bernoulli', 'Gaussian', 'Laplace']
    """

    def binomial(x: Tensor, logits: Tensor) -> Tensor:
        return binomial_log_density((x * max_count).round(), logits, max_count)

    counts, real = f"counts / {max_count}", "real numbers"
    of_logits = (
        Candidate("Bernoulli", "0 or 1", False, "logits", bernoulli_log_density),
        Candidate(f"Binomial({max_count})", counts, True, "logits", binomial),
        Candidate(
            "continuous Bernoulli", "[0, 1]", True, "logits", continuous_bernoulli_log_density
        ),
    )
    gaussian = (_squared_error, "s²", lambda s2: 0.5 * (LOG_2PI + math.log(s2)))
    laplace = (_absolute_error, "b", lambda b: math.log(2 * b))
    located = tuple(
        Candidate(name, real, True, output, through(density), scale, constant)
        for name, (density, scale, constant) in (("Gaussian", gaussian), ("Laplace", laplace))
        for output, through in (("means", lambda f: f), ("logits", _of_sigmoid))
    )
    of_probabilities = tuple(
        Candidate(c.likelihood, c.data, c.grey, "probabilities", _of_logit(c.log_density))
        for c in of_logits
    )
    return (*of_logits, *of_probabilities, *located)


def _squared_error(x: Tensor, mean: Tensor) -> Tensor:
    return -0.5 * (x - mean).square()


def _absolute_error(x: Tensor, mean: Tensor) -> Tensor:
    return -(x - mean).abs()


def _of_logit(log_density: Callable[[Tensor, Tensor], Tensor]):
    return lambda x, probability: log_density(x, torch.logit(probability))


def _of_sigmoid(log_density: Callable[[Tensor, Tensor], Tensor]):
    return lambda x, logits: log_density(x, torch.sigmoid(logits))


def forgotten_normaliser(logits: Tensor) -> Tensor:
    r"""What cross-entropy on real grey values lacks of a log density, per pixel.

    .. math::
        -\log \int_0^1 p^x (1 - p)^{1 - x}\, dx \;\ge\; \log 2, \qquad
        p = \frac1{1 + e^{-\ell}}

    No constant: it grows with the logit's size, so leaving it out moves the optimum.

    Args:
        logits: :math:`\ell`, any shape.

    Returns:
        Nats per pixel, shape of ``logits``.

    Source:
        Loaiza-Ganem & Cunningham (2019).

    Example:
        >>> forgotten_normaliser(torch.tensor([0.0, 3.0]))
        tensor([0.6931, 1.1983])
    """
    # At any x in [0, 1] the two differ by the normaliser alone.
    x = torch.zeros_like(logits)
    return continuous_bernoulli_log_density(x, logits) - bernoulli_log_density(x, logits)
