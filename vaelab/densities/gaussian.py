"""Log densities of Gaussians, and the KL divergence from one to the prior."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def normal_log_density(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Log density of a Gaussian with diagonal covariance, per element.

    .. math::
        \log \mathcal N(x; \mu, \sigma^2)
        = -\tfrac12 \Big( \log 2\pi + \log \sigma^2 + \frac{(x - \mu)^2}{\sigma^2} \Big)

    Args:
        x: Where the density is taken, shape ``(*batch, dim)``.
        mean: :math:`\mu`, a shape that broadcasts with ``x``.
        log_var: :math:`\log \sigma^2`, a shape that broadcasts with ``x``.

    Returns:
        Log density in nats, of the broadcast shape.

    Source:
        Bishop (2006), equation 1.46.

    Example:
        >>> normal_log_density(torch.zeros(1), torch.zeros(1), torch.zeros(1))
        tensor([-0.9189])
    """
    return -0.5 * (LOG_2PI + log_var + (x - mean).square() * torch.exp(-log_var))


def standard_normal_log_density(z: Tensor) -> Tensor:
    r"""Log density of the prior :math:`\mathcal N(0, 1)`, per element.

    .. math::
        \log \mathcal N(z; 0, 1) = -\tfrac12 (\log 2\pi + z^2)

    Args:
        z: Latent values, any shape.

    Returns:
        Log density in nats, shape of ``z``.

    Source:
        Bishop (2006), equation 1.46.

    Example:
        >>> standard_normal_log_density(torch.tensor([0.0, 2.0]))
        tensor([-0.9189, -2.9189])
    """
    return -0.5 * (LOG_2PI + z.square())


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    r"""KL divergence from a diagonal Gaussian to the standard normal, per dimension.

    .. math::
        \mathrm{KL}\big(\mathcal N(\mu, \sigma^2) \,\|\, \mathcal N(0, 1)\big)
        = \tfrac12 \big( \mu^2 + \sigma^2 - 1 - \log \sigma^2 \big)

    Nothing is summed here: ``.sum(-1)`` gives the KL of one example, and the mean
    over examples, dimension by dimension, shows which latents have collapsed.

    Args:
        mean: :math:`\mu`, shape ``(*batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape as ``mean``.

    Returns:
        KL in nats, shape ``(*batch, latent)``; zero only where mean = log_var = 0.

    Raises:
        ValueError: If the shapes differ. Broadcasting is refused because
            ``(batch, 1)`` against ``(batch, latent)`` is nearly always a bug.

    Source:
        Kingma & Welling (2014), Appendix B.

    Example:
        >>> kl_to_standard_normal(torch.tensor([1.0, 0.0]), torch.zeros(2))
        tensor([0.5000, 0.0000])
    """
    if mean.shape != log_var.shape:
        raise ValueError(
            f"mean and log_var must have the same shape, "
            f"got {tuple(mean.shape)} and {tuple(log_var.shape)}"
        )
    # expm1 keeps digits that exp(log_var) - 1 would lose near collapse, where log_var ~ 0.
    return 0.5 * (mean.square() + torch.expm1(log_var) - log_var)
