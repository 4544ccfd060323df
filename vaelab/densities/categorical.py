"""Counts with a probability of their own for each level: as free as a pixel can be."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.densities._precision import at_least_float32
from vaelab.densities.counts import check_counts


def categorical_log_density(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log probability of counts under a categorical distribution over 0 to n, per element.

    .. math::
        \log p(x \mid \ell) = \ell_x - \log \sum_{k=0}^n e^{\ell_k}

    It knows nothing of the order of the levels: what is learnt about 7 says nothing of 8.

    Args:
        x: Counts 0 to n, shape ``(*batch, pixels)``.
        logits: :math:`\ell`, shape ``(*batch, pixels, n + 1)``; all axes but the last
            broadcast with ``x``.

    Returns:
        Log probability in nats, of the broadcast shape, in float32 or wider.

    Raises:
        ValueError: If ``x`` holds anything but whole numbers from 0 to n.

    Source:
        Bishop (2006), equation 2.26.

    Example:
        >>> categorical_log_density(torch.tensor([0.0, 16.0]), torch.zeros(17))
        tensor([-2.8332, -2.8332])
    """
    check_counts(x, logits.shape[-1] - 1)
    (logits,) = at_least_float32(logits)
    shape = torch.broadcast_shapes(x.shape, logits.shape[:-1])
    log_probabilities = torch.log_softmax(logits, -1).expand(*shape, -1)
    return log_probabilities.gather(-1, x.long().expand(shape)[..., None]).squeeze(-1)
