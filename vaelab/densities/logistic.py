"""Counts as a rounded real number: the discretised logistic."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vaelab.densities._precision import at_least_float32
from vaelab.densities.bernoulli import SOFTPLUS_THRESHOLD
from vaelab.densities.counts import check_counts, count_log_likelihood


def discretised_logistic_log_density(
    x: Tensor, mean: Tensor, log_scale: Tensor, max_count: int
) -> Tensor:
    r"""Log probability of counts that are a logistic variable rounded and cut off, per element.

    .. math::
        p(x \mid \mu, s) = \sigma\Big(\frac{x + \frac12 - \mu}{s}\Big)
        - \sigma\Big(\frac{x - \frac12 - \mu}{s}\Big),
        \qquad \sigma(t) = \frac1{1 + e^{-t}}

    The bin of 0 reaches down to minus infinity, that of n up to infinity: its missing edge
    counts as 0 or 1, so that the bins sum to one. A difference of nearly equal numbers is
    avoided by :math:`\sigma(b) - \sigma(a) = \sigma(b)\, \sigma(-a)\, (1 - e^{a - b})`.

    Args:
        x: Counts 0 to n, shape ``(*batch, pixels)``.
        mean: :math:`\mu`, in counts (the logistic's own, not that of x, which is cut
            off); a shape that broadcasts with ``x``.
        log_scale: :math:`\log s`, from -80 to 80; a shape that broadcasts with ``x``.
        max_count: n, the largest count there can be.

    Returns:
        Log probability in nats, of the broadcast shape, in float32 or wider.

    Raises:
        ValueError: If ``x`` holds anything but whole numbers from 0 to n.

    Source:
        Salimans et al. (2017), *PixelCNN++*, section 2.1.

    Example:
        >>> x, wide = torch.tensor([0, 1, 2]), torch.tensor(80.0)
        >>> discretised_logistic_log_density(x, torch.ones(3), wide, 2)
        tensor([ -0.6931, -81.3863,  -0.6931])
    """
    check_counts(x, max_count)
    counts, mean, log_scale = at_least_float32(x, mean, log_scale)
    width = torch.exp(-log_scale)
    centre = (counts - mean) * width
    below = softplus(-centre - width / 2, threshold=SOFTPLUS_THRESHOLD)  # -log sigmoid(b)
    above = softplus(centre - width / 2, threshold=SOFTPLUS_THRESHOLD)  # -log sigmoid(-a)
    inside = (x > 0) & (x < max_count)
    return (
        torch.where(inside, torch.log(-torch.expm1(-width)), 0)
        - torch.where(x < max_count, below, 0)
        - torch.where(x > 0, above, 0)
    )


def discretised_logistic_log_likelihood(
    x: Tensor, mean: Tensor, log_scale: Tensor, max_count: int
) -> Tensor:
    r"""Log probability of images: :func:`discretised_logistic_log_density` summed over pixels.

    .. math::
        \log p(x \mid \mu, s) = \sum_i \log p(x_i \mid \mu_i, s_i)

    Args:
        x: Counts 0 to n, shape ``(batch, pixels)``.
        mean: :math:`\mu`, shape ``(*samples, batch, pixels)`` or ``(*samples, 1, pixels)``,
            the second scoring every image under the same latents.
        log_scale: :math:`\log s`, same shape as ``mean``.
        max_count: n, the largest count there can be.

    Returns:
        Nats, shape ``(*samples, batch)``.

    Raises:
        ValueError: If the numbers of pixels differ, or ``x`` does not hold counts 0 to n.

    Source:
        Salimans et al. (2017), section 2.1.

    Example:
        >>> mean, log_scale = torch.zeros(5, 1, 64), torch.zeros(5, 1, 64)
        >>> discretised_logistic_log_likelihood(torch.ones(3, 64), mean, log_scale, 16).shape
        torch.Size([5, 3])
    """

    def log_density(x: Tensor, *parameters: Tensor) -> Tensor:
        return discretised_logistic_log_density(x, *parameters, max_count)

    return count_log_likelihood(log_density, x, mean, log_scale, max_count=max_count)
