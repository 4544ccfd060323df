"""Log densities of Gaussians, and KL divergences between them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: The logarithm of 2π.
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


def normal_log_likelihood(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Log density of real images: :func:`normal_log_density` summed over pixels.

    .. math::
        \log \mathcal N(x; \mu, \sigma^2) = -\tfrac12 \sum_i \Big( \log 2\pi + \log \sigma_i^2
        + \frac{x_i^2 - 2 x_i \mu_i + \mu_i^2}{\sigma_i^2} \Big)

    Where many images share their means, the square is multiplied out as here, so that two
    matrix products take the place of an array of every latent by every image by every pixel.
    That leaves an error of a few roundings of :math:`\sum_i x_i^2 / \sigma_i^2`.

    Args:
        x: Data, shape ``(batch, pixels)``.
        mean: :math:`\mu`, shape ``(*samples, batch, pixels)`` or ``(*samples, 1, pixels)``,
            the second scoring every image under the same latents.
        log_var: :math:`\log \sigma^2`, a shape that broadcasts to that of ``mean``; of no
            axes, one variance for all pixels.

    Returns:
        Nats, shape ``(*samples, batch)``.

    Raises:
        ValueError: If the numbers of pixels differ.

    Source:
        Bishop (2006), equation 1.46.

    Example:
        >>> normal_log_likelihood(torch.ones(3, 64), torch.zeros(5, 1, 64), torch.tensor(0.0)).shape
        torch.Size([5, 3])
    """
    if x.shape[-1] != mean.shape[-1]:
        raise ValueError(
            f"x and mean must have the same number of pixels, "
            f"got {tuple(x.shape)} and {tuple(mean.shape)}"
        )
    if mean.ndim < 2 or mean.shape[-2] != 1 or len(x) == 1:
        return normal_log_density(x, mean, log_var).sum(-1)
    log_var = log_var.expand_as(mean)
    precision = torch.exp(-log_var)
    own = LOG_2PI + log_var + mean.square() * precision  # the part without x
    products = torch.einsum("...bp,bp->...b", precision, x.square()) - 2 * torch.einsum(
        "...bp,bp->...b", mean * precision, x
    )
    return -0.5 * (own.sum(-1) + products)


def multivariate_normal_log_density(x: Tensor, mean: Tensor, cholesky: Tensor) -> Tensor:
    r"""Log density of a Gaussian with any covariance, given its Cholesky factor.

    .. math::
        \log \mathcal N(x; \mu, L L^\top) = -\tfrac12 \big( d \log 2\pi
        + \| L^{-1} (x - \mu) \|^2 \big) - \sum_j \log L_{jj}

    Args:
        x: Where the density is taken, shape ``(*samples, *batch, dim)``.
        mean: :math:`\mu`, a shape that broadcasts with ``x``.
        cholesky: L, lower triangular with a positive diagonal, shape ``(*batch, dim, dim)``:
            one for each of the last axes of ``x``, or ``(dim, dim)``, one for all.

    Returns:
        Log density in nats, shape ``(*samples, *batch)``.

    Raises:
        ValueError: If the shapes do not fit, or the diagonal of ``cholesky`` is not positive.

    Source:
        Bishop (2006), equation 2.43.

    Example:
        >>> L = torch.tensor([[1.0, 0.0], [3.0, 2.0]])
        >>> multivariate_normal_log_density(torch.zeros(5, 2), torch.zeros(2), L)[0]
        tensor(-2.5310)
    """
    residual = x - mean
    batch, dim = cholesky.shape[:-2], cholesky.shape[-1]
    lead = residual.ndim - 1 - len(batch)
    if cholesky.shape[-2:] != (dim, residual.shape[-1]) or residual.shape[lead:-1] != batch:
        raise ValueError(
            f"cholesky must have shape (*batch, dim, dim) for x - mean of (*samples, *batch, dim), "
            f"got {tuple(cholesky.shape)} and {tuple(residual.shape)}"
        )
    diagonal = cholesky.diagonal(dim1=-2, dim2=-1)
    if not bool((diagonal > 0).all()):
        raise ValueError(f"cholesky must have a positive diagonal, got {float(diagonal.min())}")
    # All samples of one image are columns of one system: its factor is read once.
    samples = math.prod(residual.shape[:lead])  # not -1, which an empty batch leaves open
    columns = residual.reshape(samples, *batch, dim).movedim(0, -1)  # (*batch, dim, samples)
    whitened = torch.linalg.solve_triangular(cholesky, columns, upper=False)
    squared = whitened.square().sum(-2).movedim(-1, 0).reshape(residual.shape[:-1])
    return -0.5 * (dim * LOG_2PI + squared) - diagonal.log().sum(-1)


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


def kl_normal(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    r"""KL divergence between two diagonal Gaussians, per dimension.

    .. math::
        \mathrm{KL}\big(\mathcal N(\mu_q, \sigma_q^2) \,\|\, \mathcal N(\mu_p, \sigma_p^2)\big)
        = \tfrac12 \Big( \frac{\sigma_q^2}{\sigma_p^2} - 1 - \log \frac{\sigma_q^2}{\sigma_p^2}
        + \frac{(\mu_q - \mu_p)^2}{\sigma_p^2} \Big)

    Args:
        mean_q: :math:`\mu_q`, shape ``(*batch, latent)``.
        log_var_q: :math:`\log \sigma_q^2`, same shape as ``mean_q``.
        mean_p: :math:`\mu_p`, same last axis; the others broadcast with ``mean_q``.
        log_var_p: :math:`\log \sigma_p^2`, same shape as ``mean_p``.

    Returns:
        KL in nats, of the broadcast shape; zero only where both parameters agree.

    Raises:
        ValueError: If a mean and its log-variance differ in shape, or q and p in the
            number of latents.

    Source:
        Bishop (2006), exercise 2.13.

    Example:
        >>> zero, one = torch.zeros(1), torch.ones(1)
        >>> kl_normal(one, zero, zero, zero), kl_normal(zero, zero, zero, 2 * one)
        (tensor([0.5000]), tensor([0.5677]))
    """
    if mean_q.shape != log_var_q.shape or mean_p.shape != log_var_p.shape:
        raise ValueError(
            f"a mean and its log_var must have the same shape, got {tuple(mean_q.shape)} and "
            f"{tuple(log_var_q.shape)} for q, {tuple(mean_p.shape)} and "
            f"{tuple(log_var_p.shape)} for p"
        )
    if mean_q.shape[-1:] != mean_p.shape[-1:]:
        raise ValueError(
            f"q and p must have the same number of latents, "
            f"got {tuple(mean_q.shape)} and {tuple(mean_p.shape)}"
        )
    log_ratio = log_var_q - log_var_p
    squared = (mean_q - mean_p).square() * torch.exp(-log_var_p)
    # expm1 keeps digits that exp(log_ratio) - 1 would lose where q is close to p.
    return 0.5 * (torch.expm1(log_ratio) - log_ratio + squared)
