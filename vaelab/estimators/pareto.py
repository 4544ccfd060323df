"""Pareto k-hat: whether the tail of the importance weights is too heavy for an average.

As for the effective sample size: an image one of whose log weights is NaN or +infinity gets
NaN; a log weight of -infinity is a weight of zero, which counts as any other.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.estimators.generalised_pareto import (
    fit_generalised_pareto,
    generalised_pareto_quantile,
)

# Fewer tail weights than this say nothing about the tail.
LEAST_TAIL = 5
# The fitted k is drawn towards 1/2 as if by ten more weights (Vehtari et al. 2024).
PRIOR_WEIGHTS, PRIOR_K = 10, 0.5
# Tail weights that differ by a smaller share than this have no tail to fit, only rounding.
EQUAL = 1e-4


def _check(log_weights: Tensor) -> None:
    if log_weights.ndim == 0 or len(log_weights) == 0:
        raise ValueError(
            f"log_weights must have shape (K, *batch) with K at least 1, "
            f"got {tuple(log_weights.shape)}"
        )


def pareto_tail_length(num_samples: int) -> int:
    r"""How many of the largest weights count as the tail.

    .. math::
        M = \big\lceil \min(0.2\, K,\; 3 \sqrt K) \big\rceil

    Args:
        num_samples: K, at least 1.

    Returns:
        M.

    Raises:
        ValueError: If ``num_samples`` is under 1.

    Source:
        Vehtari et al. (2024), *Pareto smoothed importance sampling*.

    Example:
        >>> pareto_tail_length(100), pareto_tail_length(10_000)
        (20, 300)
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    return math.ceil(min(0.2 * num_samples, 3 * math.sqrt(num_samples)))


def pareto_k_threshold(num_samples: int) -> float:
    r"""The :math:`\hat k` above which K draws are too few for an estimate to be trusted.

    .. math::
        \min\big(1 - 1 / \log_{10} K,\; 0.7\big)

    Args:
        num_samples: K, at least 1.

    Returns:
        A number; 0.7 from K = 2,155, and -infinity for K = 1.

    Raises:
        ValueError: If ``num_samples`` is under 1.

    Source:
        Vehtari et al. (2024).

    Example:
        >>> pareto_k_threshold(100), pareto_k_threshold(5_000)
        (0.5, 0.7)
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    return min(1 - 1 / math.log10(num_samples), 0.7) if num_samples > 1 else -math.inf


def pareto_k(log_weights: Tensor) -> Tensor:
    r"""How heavy the tail of the weights is: the shape of a generalised Pareto distribution.

    .. math::
        P(w > u) \propto u^{-1 / k} \text{ for large } u

    fitted to the largest weights. The weights' variance is finite if k is under 1/2, their
    mean if it is under 1. An estimate with :math:`\hat k` over 0.7 can't be trusted, nor can
    its standard error (:func:`pareto_k_threshold` says from where on for K draws). Like any
    diagnostic it knows the draws that were made: a region that none of them found is not
    in it.

    Args:
        log_weights: :math:`\log w_k`, shape ``(K, *batch)``; a constant added to them all
            changes nothing.

    Returns:
        Shape ``(*batch,)``, float64. -infinity where the largest weights are all equal: no
        tail, nothing to fear (the R package ``loo`` says +infinity). +infinity, not to be
        trusted, where there are fewer than 5 tail weights to fit: at K of 20 or less, or
        where nearly all weights are zero.

    Raises:
        ValueError: If there is no sample.

    Source:
        Vehtari et al. (2024), *Pareto smoothed importance sampling*.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> uniform = torch.rand(100_000, generator=generator, dtype=torch.float64)
        >>> pareto_k(-0.8 * uniform.log()).round(decimals=1)  # P(w > u) = u^(-1 / 0.8)
        tensor(0.8000, dtype=torch.float64)
    """
    _check(log_weights)
    count = min(pareto_tail_length(len(log_weights)) + 1, len(log_weights))
    return pareto_k_of_largest(log_weights.topk(count, dim=0).values)


def pareto_k_of_largest(largest: Tensor) -> Tensor:
    r""":func:`pareto_k`, for a caller who kept the largest weights only.

    .. math::
        \hat k = \frac{M \hat k_\text{fit} + 10 \cdot \tfrac12}{M + 10}

    Args:
        largest: The M + 1 largest of :math:`\log w_k` in descending order, shape
            ``(M + 1, *batch)``, M from :func:`pareto_tail_length`.

    Returns:
        Shape ``(*batch,)``, float64.

    Source:
        Vehtari et al. (2024).

    Example:
        >>> log_weights = torch.arange(100.0, 0.0, -1.0)
        >>> bool(pareto_k_of_largest(log_weights[:21]) == pareto_k(log_weights))
        True
    """
    return _fit_tail(largest)[0]


def _fit_tail(largest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """k, the scale in units of the largest weight, and how many weights exceed the cutoff."""
    shape = largest.shape[1:]
    tail = largest.double().reshape(len(largest), shape.numel())  # (M + 1, images)
    top, cutoff = tail[0], tail[-1]
    # w - u in units of the largest weight, without the digits that a difference would lose.
    excess = -(tail[:-1] - top).exp() * torch.expm1(cutoff - tail[:-1])
    counts = (excess > 0).sum(0)
    k, scale = torch.full_like(top, math.inf), torch.full_like(top, math.nan)
    if len(tail) > LEAST_TAIL:
        flat = top - cutoff < EQUAL
        k[flat] = -math.inf
        # Without ties at the cutoff there is one count, and one round of this.
        for count in counts[~flat].unique().tolist():
            if count >= LEAST_TAIL:
                columns = (counts == count) & ~flat
                fit, scale[columns] = fit_generalised_pareto(excess[:count, columns])
                fit = (count * fit + PRIOR_WEIGHTS * PRIOR_K) / (count + PRIOR_WEIGHTS)
                k[columns] = fit.nan_to_num(nan=math.inf)
    k[tail.isnan().any(0) | (top == math.inf)] = math.nan
    return tuple(part.reshape(shape) for part in (k, scale, counts))


def pareto_smoothed_log_weights(log_weights: Tensor) -> Tensor:
    r"""Log weights whose tail is replaced by what its fitted distribution expects there.

    .. math::
        w_{(K - M + j)} \leftarrow u + F^{-1}\Big(\frac{j - 1/2}{M}\Big), \qquad
        j = 1, \dots, M

    and no more than the largest weight, u being the largest weight outside the tail. The
    average becomes steadier, and slightly biased.

    Args:
        log_weights: :math:`\log w_k`, shape ``(K, *batch)``.

    Returns:
        The same shape and type; unchanged for an image whose tail can't be fitted or has
        ties at u.

    Raises:
        ValueError: If there is no sample.

    Source:
        Vehtari et al. (2024), *Pareto smoothed importance sampling*.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> log_weights = -0.9 * torch.rand(10_000, generator=generator).log()
        >>> smoothed = pareto_smoothed_log_weights(log_weights)
        >>> int((smoothed != log_weights).sum()) <= pareto_tail_length(10_000)
        True
    """
    _check(log_weights)
    length = pareto_tail_length(len(log_weights))
    largest, places = log_weights.topk(min(length + 1, len(log_weights)), dim=0)
    k, scale, counts = _fit_tail(largest)
    ranks = torch.arange(length, 0, -1, dtype=torch.float64, device=k.device)
    ranks = ((ranks - 0.5) / length).reshape(-1, *[1] * k.ndim)
    top, cutoff = largest[0].double(), largest[-1].double()
    expected = (cutoff - top).exp() + generalised_pareto_quantile(ranks, k, scale)
    smoothed = (top + expected.log().clamp(max=0)).to(log_weights.dtype)
    fitted = k.isfinite() & (counts == length)
    if not fitted.any():
        return log_weights
    tail = torch.where(fitted, smoothed, largest[:-1])
    return log_weights.scatter(0, places[:-1], tail)


def pareto_k_warning(k: Tensor, num_samples: int) -> str:
    r"""A sentence about the images whose estimate can't be trusted, if there are any.

    .. math::
        \hat k > \min\big(1 - 1 / \log_{10} K,\; 0.7\big)

    Args:
        k: From :func:`pareto_k`, any shape.
        num_samples: K.

    Returns:
        The sentence, or nothing; NaN counts as not to be trusted.

    Raises:
        ValueError: If ``num_samples`` is under 1.

    Source:
        Vehtari et al. (2024).

    Example:
        >>> pareto_k_warning(torch.tensor([0.2, 0.9]), 5_000)
        'Pareto k-hat is over 0.70 for 1 of 2 images: more draws or a better proposal is needed.'
        >>> pareto_k_warning(torch.tensor([0.2, 0.3]), 5_000)
        ''
    """
    threshold = pareto_k_threshold(num_samples)
    doubtful = int((~(k <= threshold)).sum())
    if not doubtful:
        return ""
    return (
        f"Pareto k-hat is over {threshold:.2f} for {doubtful} of {k.numel()} images: "
        f"more draws or a better proposal is needed."
    )
