"""The importance-weighted bound at a given K: what an estimate of log p(x) is on average."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.estimators.importance import log_weights_in_parts
from vaelab.estimators.proposals import Proposal


@dataclass(frozen=True)
class BoundEstimate:
    r"""An estimate of the importance-weighted bound for each image.

    Attributes:
        bound: :math:`E[\log \hat p_K(x)]` in nats, ``(batch,)``; -infinity where all the
            weights of a group are zero, NaN where one is NaN or infinite.
        standard_error: Of ``bound``, ``(batch,)``; infinite for one group.
        num_samples: K, draws in a group.
        num_repeats: R, groups.
    """

    bound: Tensor
    standard_error: Tensor
    num_samples: int
    num_repeats: int


def _log_sums(parts: Iterator[Tensor], size: int) -> Iterator[Tensor]:
    """Log of the sum of the exponentials of every ``size`` rows, some groups at a time."""
    begun, missing = None, 0  # a group that the last part left unfinished
    for rows in parts:
        if missing:
            head, rows = rows[:missing], rows[missing:]
            begun, missing = torch.logaddexp(begun, head.logsumexp(0)), missing - len(head)
            if missing:
                continue
            yield begun[None]
        whole = len(rows) // size
        if whole:
            yield rows[: whole * size].unflatten(0, (whole, size)).logsumexp(1)
        if len(rows) > whole * size:
            begun = rows[whole * size :].logsumexp(0)
            missing = (whole + 1) * size - len(rows)


@torch.no_grad()
def iwae_bound(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    proposal: Proposal,
    num_samples: int,
    num_repeats: int,
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> BoundEstimate:
    r"""Estimate the bound that K draws give on average, from R groups of K, in bounded memory.

    .. math::
        \mathcal L_K(x) = E\Big[\log \frac1K \sum_{k=1}^K w_k\Big]
        = \log p(x) - \frac{\mathrm{Var}(w)}{2 K\, E[w]^2} + O(K^{-2})

    The ELBO at K = 1 if the proposal is the encoder's q, rising with K to log p(x). One
    group's value is what :func:`importance_log_marginal` returns.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)`` for z of shape ``(K, batch, latent)``,
            nats of shape ``(K, batch)``; it is called on some draws and images at a time.
            The prior is N(0, I).
        proposal: What to draw from.
        num_samples: K, draws in a group.
        num_repeats: R, groups for each image.
        generator: Source of the noise; ``None`` takes torch's global one.
        chunk_size: Draws held at once; it changes nothing but memory.

    Returns:
        The bound in nats with its standard error, for each image.

    Raises:
        ValueError: If a count is under 1, or ``x`` is not of shape ``(batch, pixels)`` and a
            floating-point type.

    Source:
        Burda et al. (2016); the first order: Maddison et al. (2017), Nowozin (2018).

    Example:
        >>> from vaelab.estimators.proposals import StandardNormal
        >>> estimate = iwae_bound(
        ...     torch.zeros(1, 1), lambda x, z: -z.sum(-1) ** 2, StandardNormal(1), 1, 10_000,
        ...     generator=torch.Generator().manual_seed(0),
        ... )
        >>> bool((estimate.bound + 1).abs() < 5 * estimate.standard_error)  # E[-z^2] = -1
        True
    """
    for name, count in (("num_samples", num_samples), ("num_repeats", num_repeats)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    draws = num_samples * num_repeats
    parts = log_weights_in_parts(x, log_likelihood, proposal, draws, generator, chunk_size)
    done, mean, squares = 0, 0.0, 0.0
    for log_sums in _log_sums(parts, num_samples):
        values = log_sums.to(torch.promote_types(log_sums.dtype, torch.float32))
        own, count = values.mean(0), len(values)
        # Moments of a union from those of its parts (Chan et al. 1983): no sum of squares
        # from which a large mean would have to be taken off.
        ahead, done = own - mean, done + count
        squares = squares + (values - own).square().sum(0)
        squares = squares + ahead.square() * (count * (done - count) / done)
        mean = mean + ahead * (count / done)
    spread = (squares / max(num_repeats - 1, 1) / num_repeats).sqrt()
    known = mean.isfinite() & (num_repeats > 1)
    return BoundEstimate(
        bound=(mean - math.log(num_samples)).where(mean < math.inf, math.nan),
        standard_error=spread.where(known, math.inf).where(mean < math.inf, math.nan),
        num_samples=num_samples,
        num_repeats=num_repeats,
    )
