"""How far to trust a weighted sample."""

from __future__ import annotations

from torch import Tensor


def effective_sample_size(log_weights: Tensor) -> Tensor:
    r"""How many equally weighted draws the weighted ones are worth.

    .. math::
        \mathrm{ESS} = \frac{\big(\sum_k w_k\big)^2}{\sum_k w_k^2}

    Between 1 (one weight is everything) and K (all equal). Beware: it is computed from
    the draws that were made. Where none of them found the region that matters, it still
    reports at least 1 of K, far above the truth.

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
        >>> import torch
        >>> effective_sample_size(torch.tensor([0.0, 0.0, -torch.inf]))
        tensor(2.)
    """
    if log_weights.ndim == 0 or len(log_weights) == 0:
        raise ValueError(
            f"log_weights must have shape (K, *batch) with K at least 1, "
            f"got {tuple(log_weights.shape)}"
        )
    return (2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0)).exp()
