"""How far a gradient estimate stands out of its own noise."""

from __future__ import annotations

import torch
from torch import Tensor


def signal_to_noise(gradients: Tensor) -> Tensor:
    r"""Ratio of a gradient's mean to its standard deviation, from repeated estimates.

    .. math::
        \mathrm{SNR} = \frac{|E[g]|}{\sqrt{\operatorname{Var}(g)}}

    Below 1 a single step's direction is mostly chance. For :func:`iwae` it grows as
    :math:`\sqrt K` in the decoder's parameters and shrinks as :math:`1 / \sqrt K` in the
    encoder's. The mean is estimated too: of R repeats, a true ratio under about
    :math:`1 / \sqrt R` cannot be told from zero.

    Args:
        gradients: Independent estimates of one gradient, shape ``(repeats, *parameter)``.

    Returns:
        Shape ``(*parameter,)``, no unit; infinite where every repeat is the same number
        but zero, and not a number where they all are zero.

    Raises:
        ValueError: If there are fewer than 2 repeats.

    Source:
        Rainforth et al. (2018), *Tighter variational bounds are not necessarily better*.

    Example:
        >>> signal_to_noise(torch.tensor([1.0, 2.0, 3.0]))
        tensor(2.)
    """
    if gradients.ndim == 0 or len(gradients) < 2:
        raise ValueError(
            f"gradients must have shape (repeats, *parameter) with 2 repeats or more, "
            f"got {tuple(gradients.shape)}"
        )
    deviation, mean = torch.std_mean(gradients, dim=0)
    return mean.abs() / deviation
