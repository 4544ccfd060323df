"""log p(x) by importance sampling, with any proposal; the prior's case is naive Monte Carlo."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density
from vaelab.estimators import _chunks
from vaelab.estimators._chunks import check_images, map_pieces, noise_chunks
from vaelab.estimators.pareto import pareto_k_of_largest, pareto_k_threshold, pareto_tail_length
from vaelab.estimators.proposals import Proposal
from vaelab.estimators.reliability import ess_of_sums, log_mean_standard_error


@dataclass(frozen=True)
class ImportanceEstimate:
    r"""An estimate of log p(x) for each image, and how far to trust it.

    An image one of whose log weights is NaN or +infinity gets NaN throughout. Where all
    weights are zero the estimate is -infinity, with an infinite standard error and an
    effective sample size of 0.

    Attributes:
        log_marginal: :math:`\log \hat p(x)` in nats, ``(batch,)``. :math:`\hat p` is
            unbiased, so its logarithm is on average too low.
        standard_error: Of ``log_marginal``, from the spread of the weights, ``(batch,)``:
            infinite for K = 1, and too small where the weights that matter were not drawn.
        effective_sample_size: :math:`(\sum w)^2 / \sum w^2`, ``(batch,)``.
        pareto_k: How heavy the weights' tail is, ``(batch,)``: see :func:`pareto_k`.
        num_samples: K, exactly as asked for.
    """

    log_marginal: Tensor
    standard_error: Tensor
    effective_sample_size: Tensor
    pareto_k: Tensor
    num_samples: int

    @property
    def trusted(self) -> Tensor:
        """Where k-hat is at most the threshold for K draws, ``(batch,)``, true or false."""
        return self.pareto_k <= pareto_k_threshold(self.num_samples)


def log_importance_weights(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    proposal: Proposal,
    z: Tensor,
) -> Tensor:
    r"""The logarithm of each draw's weight.

    .. math::
        \log w = \log p(x \mid z) + \log p(z) - \log r(z)

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(K, batch)``.
        proposal: What z was drawn from, :math:`r`.
        z: Draws, shape ``(K, batch, latent)``.

    Returns:
        Nats, shape ``(K, batch)``.

    Source:
        Owen (2013), *Monte Carlo theory, methods and examples*, chapter 9.

    Example:
        >>> from vaelab.estimators.proposals import StandardNormal
        >>> z = torch.tensor([[[1.0]], [[2.0]]])  # two draws for one image
        >>> log_importance_weights(
        ...     torch.zeros(1, 1), lambda x, z: -z.sum(-1) ** 2, StandardNormal(1), z
        ... ).flatten().round(decimals=4)  # the prior cancels
        tensor([-1., -4.])
    """
    return log_likelihood(x, z) + standard_normal_log_density(z).sum(-1) - proposal.log_density(z)


def log_weights_in_parts(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    proposal: Proposal,
    num_samples: int,
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> Iterator[Tensor]:
    r"""The log weights of K draws, some draws at a time.

    .. math::
        \log w_1, \dots, \log w_K

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(K, batch)``.
        proposal: What to draw from.
        num_samples: K, draws for each image.
        generator: Source of the noise; ``None`` takes torch's global one.
        chunk_size: Draws whose pixels are held at once, rounded to a multiple of 16.

    Returns:
        Parts of shape ``(draws, batch)``, K draws in all.

    Raises:
        ValueError: If ``num_samples`` or ``chunk_size`` is under 1, or ``x`` is not of
            shape ``(batch, pixels)`` and a floating-point type.

    Source:
        Elementary.

    Example:
        >>> from vaelab.estimators.proposals import StandardNormal
        >>> parts = log_weights_in_parts(
        ...     torch.zeros(3, 1), lambda x, z: z.sum(-1), StandardNormal(1), num_samples=20
        ... )
        >>> torch.cat(list(parts)).shape
        torch.Size([20, 3])
    """
    check_images(x)
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    if chunk_size is None:
        chunk_size = _chunks.CHUNK_NUMBERS // max(1, x.numel())
    elif chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1, got {chunk_size}")

    def in_pieces(x: Tensor, z: Tensor) -> Tensor:
        return map_pieces(lambda x, z: (log_likelihood(x, z),), x, z)[0]

    shape, held = (len(x), proposal.noise_dim), []
    for noise in noise_chunks(num_samples, chunk_size, shape, x, generator):
        z = proposal.transform(noise)
        held.append(log_importance_weights(x, in_pieces, proposal, z))
        # Weights are small beside the pixels they came from, and what follows costs by the
        # chunk: pass them on by the million.
        if len(held) * held[0].numel() >= _chunks.CHUNK_NUMBERS:
            yield torch.cat(held)
            held = []
    if held:
        yield torch.cat(held)


@torch.no_grad()
def importance_log_marginal(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    proposal: Proposal,
    num_samples: int,
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> ImportanceEstimate:
    r"""Estimate log p(x) from K draws of a proposal, in log space and bounded memory.

    .. math::
        \log \hat p(x) = \log \frac1K \sum_{k=1}^K w_k, \qquad
        w_k = \frac{p(x \mid z_k)\, p(z_k)}{r(z_k)}, \quad z_k \sim r

    With the prior as proposal (``StandardNormal``) the weight is p(x | z) and this is
    naive Monte Carlo.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)`` for z of shape ``(K, batch, latent)``,
            nats of shape ``(K, batch)``; it is called on some draws and images at a time.
            The prior is N(0, I).
        proposal: What to draw from, :math:`r`.
        num_samples: K, draws for each image.
        generator: Source of the noise; ``None`` takes torch's global one.
        chunk_size: Draws held at once, rounded to a multiple of 16; chosen to bound
            memory if left out. It changes nothing but memory: noise and answer are the
            same, to float error.

    Returns:
        The estimate, its standard error, the effective sample size and Pareto k-hat, for
        each image.

    Raises:
        ValueError: If ``num_samples`` or ``chunk_size`` is under 1, or ``x`` is not of
            shape ``(batch, pixels)`` and a floating-point type.

    Source:
        Kloek & van Dijk (1978); as a bound on average, Burda et al. (2016).

    Example:
        >>> from vaelab.estimators.proposals import StandardNormal
        >>> x = torch.zeros(1, 1)
        >>> estimate = importance_log_marginal(
        ...     x, lambda x, z: -z.sum(-1) ** 2, StandardNormal(1), num_samples=100,
        ...     generator=torch.Generator().manual_seed(0),
        ... )
        >>> truth = -0.5 * math.log(3)  # E[exp(-z^2)] = 1 / sqrt(3)
        >>> bool((estimate.log_marginal - truth).abs() < 5 * estimate.standard_error)
        True
    """
    parts = log_weights_in_parts(x, log_likelihood, proposal, num_samples, generator, chunk_size)
    tail = pareto_tail_length(num_samples) + 1
    # Sums of half-precision weights need more digits than the weights.
    dtype = torch.promote_types(x.dtype, torch.float32)
    log_sum = torch.full((len(x),), -math.inf, dtype=dtype, device=x.device)
    log_sum_squares = log_sum
    largest = x.new_empty(0, len(x))
    for log_weights in parts:
        log_sum = torch.logaddexp(log_sum, log_weights.logsumexp(0))
        log_sum_squares = torch.logaddexp(log_sum_squares, (2 * log_weights).logsumexp(0))
        candidates = torch.cat([largest, log_weights])
        largest = candidates.topk(min(tail, len(candidates)), dim=0).values
    ess = ess_of_sums(log_sum, log_sum_squares)
    return ImportanceEstimate(
        log_marginal=log_sum.where(log_sum < math.inf, math.nan) - math.log(num_samples),
        standard_error=log_mean_standard_error(ess, num_samples),
        effective_sample_size=ess,
        pareto_k=pareto_k_of_largest(largest),
        num_samples=num_samples,
    )
