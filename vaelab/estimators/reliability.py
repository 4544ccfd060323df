"""How far to trust a weighted sample.

Two rules for weights that are no numbers: an image one of whose log weights is NaN or
+infinity gets NaN; a log weight of -infinity is a weight of zero, which counts as any other.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def effective_sample_size(log_weights: Tensor) -> Tensor:
    r"""How many equally weighted draws the weighted ones are worth.

    .. math::
        \mathrm{ESS} = \frac{\big(\sum_k w_k\big)^2}{\sum_k w_k^2}

    Between 1 (one weight is everything) and K (all equal); 0 where all weights are zero.
    Beware: it is computed from the draws that were made. Where none of them found the
    region that matters, it still reports at least 1 of K, far above the truth.

    Args:
        log_weights: :math:`\log w_k`, shape ``(K, *batch)``; a constant added to them all
            changes nothing.

    Returns:
        Shape ``(*batch,)``.

    Raises:
        ValueError: If there is no sample.

    Source:
        Kong (1992); Owen (2013), *Monte Carlo theory, methods and examples*, chapter 9.

    Example:
        >>> effective_sample_size(torch.tensor([0.0, 0.0, -torch.inf]))
        tensor(2.)
    """
    if log_weights.ndim == 0 or len(log_weights) == 0:
        raise ValueError(
            f"log_weights must have shape (K, *batch) with K at least 1, "
            f"got {tuple(log_weights.shape)}"
        )
    return ess_of_sums(log_weights.logsumexp(0), (2 * log_weights).logsumexp(0))


def ess_of_sums(log_sum: Tensor, log_sum_squares: Tensor) -> Tensor:
    r"""The effective sample size, from sums that were taken draw by draw.

    .. math::
        \mathrm{ESS} = \exp\Big(2 \log \sum_k w_k - \log \sum_k w_k^2\Big)

    Args:
        log_sum: :math:`\log \sum_k w_k`, any shape.
        log_sum_squares: :math:`\log \sum_k w_k^2`, same shape.

    Returns:
        The same shape; 0 where all weights are zero, NaN where a sum is infinite.

    Source:
        Kong (1992).

    Example:
        >>> sums = torch.tensor([3.0, 0.0]).log()
        >>> ess_of_sums(sums, sums)  # weights 1, 1, 1; and nothing but zeros
        tensor([3., 0.])
    """
    return (2 * log_sum - log_sum_squares).exp().where(~log_sum.isneginf(), 0.0)


def log_mean_standard_error(ess: Tensor, num_samples: int) -> Tensor:
    r"""The standard error of the logarithm of the average weight.

    .. math::
        \mathrm{Var}\Big(\log \frac1K \sum_k w_k\Big) \approx
        \frac{\mathrm{Var}(w)}{K\, E[w]^2} \approx \frac{K / \mathrm{ESS} - 1}{K - 1}

    by the delta method, with both moments taken from the sample: too small where the
    weights that matter were not drawn.

    Args:
        ess: Effective sample size of the weights, any shape.
        num_samples: K.

    Returns:
        Nats, the same shape; infinite for K = 1 and where all weights are zero.

    Raises:
        ValueError: If ``num_samples`` is under 1.

    Source:
        Owen (2013), *Monte Carlo theory, methods and examples*, chapter 9.

    Example:
        >>> log_mean_standard_error(torch.tensor([100.0, 50.0]), 100)
        tensor([0.0000, 0.1005])
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    if num_samples == 1:
        return torch.full_like(ess, math.inf).where(~ess.isnan(), math.nan)
    return ((num_samples / ess - 1).clamp(min=0) / (num_samples - 1)).sqrt()
