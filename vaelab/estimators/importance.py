"""log p(x) by importance sampling, with any proposal; the prior's case is naive Monte Carlo."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density
from vaelab.estimators.proposals import Proposal

# torch makes normal numbers in groups of 16, so noise drawn sixteen samples at a time is
# the same noise however the samples are divided into chunks.
BLOCK = 16
# The largest array a chunk may make, in numbers, reckoning one row of pixels a draw.
CHUNK_NUMBERS = 2**22


@dataclass(frozen=True)
class ImportanceEstimate:
    r"""An estimate of log p(x) for each image, and how far to trust it.

    Attributes:
        log_marginal: :math:`\log \hat p(x)` in nats, ``(batch,)``. :math:`\hat p` is
            unbiased, so its logarithm is on average too low.
        standard_error: Of ``log_marginal``, from the spread of the weights, ``(batch,)``:
            infinite for K = 1, and too small where the weights that matter were not drawn.
        effective_sample_size: :math:`(\sum w)^2 / \sum w^2`, ``(batch,)``.
        num_samples: K, exactly as asked for.
    """

    log_marginal: Tensor
    standard_error: Tensor
    effective_sample_size: Tensor
    num_samples: int


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


def _noise_chunks(
    num_samples: int, rows: int, shape: tuple[int, ...], like: Tensor, generator
) -> Iterator[Tensor]:
    rows = max(BLOCK, rows // BLOCK * BLOCK)
    for start in range(0, num_samples, rows):
        wanted = min(rows, num_samples - start)
        drawn = math.ceil(wanted / BLOCK) * BLOCK
        noise = torch.randn(
            (drawn, *shape), generator=generator, dtype=like.dtype, device=like.device
        )
        yield noise[:wanted]


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
            nats of shape ``(K, batch)``. The prior is N(0, I).
        proposal: What to draw from, :math:`r`.
        num_samples: K, draws for each image.
        generator: Source of the noise; ``None`` takes torch's global one.
        chunk_size: Draws held at once, rounded to a multiple of 16; chosen to bound
            memory if left out. It changes nothing but memory: noise and answer are the
            same, to float error.

    Returns:
        The estimate, its standard error and the effective sample size, for each image.

    Raises:
        ValueError: If ``num_samples`` or ``chunk_size`` is under 1, or ``x`` is not of
            shape ``(batch, pixels)``.

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
    if x.ndim != 2:
        raise ValueError(f"x must have shape (batch, pixels), got {tuple(x.shape)}")
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    if chunk_size is None:
        chunk_size = CHUNK_NUMBERS // max(1, x.numel())
    elif chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1, got {chunk_size}")
    log_sum = torch.full((len(x),), -math.inf, dtype=x.dtype, device=x.device)
    log_sum_squares = log_sum.clone()
    with torch.no_grad():
        shape = (len(x), proposal.noise_dim)
        for noise in _noise_chunks(num_samples, chunk_size, shape, x, generator):
            z = proposal.transform(noise)
            log_weights = log_importance_weights(x, log_likelihood, proposal, z)
            log_sum = torch.logaddexp(log_sum, log_weights.logsumexp(0))
            log_sum_squares = torch.logaddexp(log_sum_squares, (2 * log_weights).logsumexp(0))
    ess = (2 * log_sum - log_sum_squares).exp()
    # Delta method: Var(log p-hat) = Var(w) / (K E[w]^2), both moments from the sample.
    relative_variance = (num_samples / ess - 1).clamp(min=0) / max(num_samples - 1, 1)
    unknown = torch.full_like(ess, math.inf)
    return ImportanceEstimate(
        log_marginal=log_sum - math.log(num_samples),
        standard_error=relative_variance.sqrt() if num_samples > 1 else unknown,
        effective_sample_size=ess,
        num_samples=num_samples,
    )
