"""Counts of n equal trials: the binomial, and the beta-binomial, whose trials share a mood."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from vaelab.densities._precision import at_least_float32
from vaelab.densities.bernoulli import SOFTPLUS_THRESHOLD, bernoulli_log_likelihood
from vaelab.densities.counts import check_counts, count_log_likelihood, log_binomial_coefficient

# The largest array of factors held at once, in numbers: 2**22 float64 are 32 MiB.
CHUNK_NUMBERS = 2**22


def binomial_log_density(x: Tensor, logits: Tensor, max_count: int) -> Tensor:
    r"""Log probability of counts under a binomial of n trials, per element.

    .. math::
        \log p(x \mid \ell) = \log \binom nx + x \ell - n \log(1 + e^{\ell}),
        \qquad x \in \{0, \dots, n\}

    All but the coefficient is n times the Bernoulli formula at the grey value x/n: minus n
    binary cross-entropies. So cross-entropy on grey pixels is a binomial likelihood
    divided by n, without the term that makes it sum to one.

    Args:
        x: Counts 0 to n, shape ``(*batch, pixels)``.
        logits: :math:`\ell`, of the probability of each trial; a shape that broadcasts.
        max_count: n, the number of trials.

    Returns:
        Log probability in nats, of the broadcast shape, in float32 or wider.

    Raises:
        ValueError: If ``x`` holds anything but whole numbers from 0 to n.

    Source:
        Bishop (2006), equation 2.9.

    Example:
        >>> binomial_log_density(torch.tensor([0.0, 1.0, 2.0]), torch.zeros(3), 2).exp()
        tensor([0.2500, 0.5000, 0.2500])
    """
    check_counts(x, max_count)
    counts, logits = at_least_float32(x, logits)
    kernel = counts * logits - max_count * softplus(logits, threshold=SOFTPLUS_THRESHOLD)
    return kernel + log_binomial_coefficient(x, max_count, logits.dtype)


def binomial_log_likelihood(x: Tensor, logits: Tensor, max_count: int) -> Tensor:
    r"""Log probability of images of counts: :func:`binomial_log_density` summed over pixels.

    .. math::
        \log p(x \mid \ell) = n \Big( \tfrac{x}{n}^\top \ell - \sum_i \log(1 + e^{\ell_i}) \Big)
        + \sum_i \log \binom n{x_i}

    The same number, reached by a matrix product.

    Args:
        x: Counts 0 to n, shape ``(batch, pixels)``.
        logits: :math:`\ell`, shape ``(*samples, batch, pixels)`` or ``(*samples, 1, pixels)``,
            the second scoring every image under the same latents.
        max_count: n, the number of trials.

    Returns:
        Nats, shape ``(*samples, batch)``.

    Raises:
        ValueError: If the numbers of pixels differ, or ``x`` does not hold counts 0 to n.

    Source:
        Bishop (2006), equation 2.9.

    Example:
        >>> binomial_log_likelihood(torch.full((3, 64), 8.0), torch.zeros(5, 1, 64), 16).shape
        torch.Size([5, 3])
    """
    check_counts(x, max_count)
    counts, logits = at_least_float32(x, logits)
    coefficients = log_binomial_coefficient(x, max_count, logits.dtype).sum(-1)
    return max_count * bernoulli_log_likelihood(counts / max_count, logits) + coefficients


def beta_binomial_log_density(
    x: Tensor, mean_logit: Tensor, log_concentration: Tensor, max_count: int
) -> Tensor:
    r"""Log probability of counts whose n trials share a probability drawn from a beta, per element.

    .. math::
        p(x \mid m, c) = \binom nx \int_0^1 \pi^x (1 - \pi)^{n - x}
        \mathrm{Beta}(\pi; c m, c (1 - m))\, d\pi
        = \binom nx \frac{\prod_{k=0}^{x-1} (c m + k) \prod_{k=0}^{n-x-1} (c (1 - m) + k)}
        {\prod_{k=0}^{n-1} (c + k)}

    with mean :math:`m = 1 / (1 + e^{-\ell})`, so that E[x] = n m. Each shown trial makes
    the next like it: a large concentration c gives back the binomial, a small one puts
    everything on 0 and n. The product keeps all digits at every c, where differences of
    log-gamma functions lose them, for half as much time again at n = 16.

    Args:
        x: Counts 0 to n, shape ``(*batch, pixels)``.
        mean_logit: :math:`\ell`, a shape that broadcasts with ``x``.
        log_concentration: :math:`\log c`, a shape that broadcasts with ``x``.
        max_count: n, the number of trials.

    Returns:
        Log probability in nats, of the broadcast shape, in float32 or wider.

    Raises:
        ValueError: If ``x`` holds anything but whole numbers from 0 to n.

    Source:
        Skellam (1948), *A probability distribution derived from the binomial distribution
        by regarding the probability of success as variable between the sets of trials*.

    Example:
        >>> flat = torch.tensor(2.0).log()  # Beta(1, 1): each count is as likely
        >>> beta_binomial_log_density(torch.arange(3), torch.zeros(3), flat, 2).exp()
        tensor([0.3333, 0.3333, 0.3333])
    """
    check_counts(x, max_count)
    counts, mean_logit, log_concentration = at_least_float32(x, mean_logit, log_concentration)
    # Divided by 1 + c: c m, c (1 - m), c and 1. So nothing overflows at any c.
    c, one = torch.sigmoid(log_concentration), torch.sigmoid(-log_concentration)
    ink, paper = c * torch.sigmoid(mean_logit), c * torch.sigmoid(-mean_logit)
    # The factors with k = 0, m and 1 - m, by logarithms that do not underflow.
    log_density = (
        log_binomial_coefficient(x, max_count, counts.dtype)
        + torch.where(x > 0, logsigmoid(mean_logit), 0)
        + torch.where(x < max_count, logsigmoid(-mean_logit), 0)
    )
    # The others, n - 1 below and as many above: number k of them is c m + k for k < x and
    # c (1 - m) + n - k for k > x. Number x, where there is one, is the c that m and 1 - m
    # leave over, and mends what the loop takes it for.
    mistaken = paper + (max_count - counts).clamp(min=1) * one
    mended = logsigmoid(log_concentration) - torch.log(mistaken)
    log_density = log_density + torch.where((x > 0) & (x < max_count), mended, 0)
    # Some numbers at a time: all of them make n arrays of the result's size.
    rows = max(1, CHUNK_NUMBERS // max(1, log_density.numel()))
    for start in range(1, max_count, rows):
        k = torch.arange(start, min(start + rows, max_count), device=x.device)
        k = k.to(counts.dtype).reshape(-1, *[1] * log_density.ndim)
        above = torch.where(
            k < x, torch.addcmul(ink, k, one), torch.addcmul(paper, max_count - k, one)
        )
        log_density = log_density + torch.log(above / torch.addcmul(c, k, one)).sum(0)
    return log_density


def beta_binomial_log_likelihood(
    x: Tensor, mean_logit: Tensor, log_concentration: Tensor, max_count: int
) -> Tensor:
    r"""Log probability of images of counts: :func:`beta_binomial_log_density` summed over pixels.

    .. math::
        \log p(x \mid m, c) = \sum_i \log p(x_i \mid m_i, c_i)

    Args:
        x: Counts 0 to n, shape ``(batch, pixels)``.
        mean_logit: :math:`\ell`, shape ``(*samples, batch, pixels)`` or ``(*samples, 1,
            pixels)``, the second scoring every image under the same latents.
        log_concentration: :math:`\log c`, same shape as ``mean_logit``.
        max_count: n, the number of trials.

    Returns:
        Nats, shape ``(*samples, batch)``.

    Raises:
        ValueError: If the numbers of pixels differ, or ``x`` does not hold counts 0 to n.

    Source:
        Skellam (1948).

    Example:
        >>> logits, flat = torch.zeros(5, 1, 64), torch.full((5, 1, 64), 2.0).log()
        >>> beta_binomial_log_likelihood(torch.ones(3, 64), logits, flat, 16).shape
        torch.Size([5, 3])
    """

    def log_density(x: Tensor, *parameters: Tensor) -> Tensor:
        return beta_binomial_log_density(x, *parameters, max_count)

    return count_log_likelihood(log_density, x, mean_logit, log_concentration, max_count=max_count)
