"""Families of q: what a per-image optimisation needs to know of one, and the Gaussian ones."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density


class Family(Protocol):
    r"""A family of densities over z, each member a row of unconstrained numbers.

    A member turns standard normal noise into z, and tells the log density of what it made.
    Any object with these two methods is a family: a flow, say.

    Attributes:
        initial: A Gaussian's mean and log-variance to the member that is nearest to it.
        transform: Noise to draws and their log densities.
    """

    def initial(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Parameters ``(batch, params)`` to start from a Gaussian's, each ``(batch, latent)``."""
        ...

    def transform(self, parameters: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Draws ``(K, batch, latent)`` and their log densities in nats, ``(K, batch)``.

        Noise is of shape ``(K, batch or 1, latent)``; both results are differentiable in
        the parameters ``(batch, params)``.
        """
        ...


class DiagonalGaussian:
    r"""Gaussians with independent latents: what an encoder usually outputs.

    .. math::
        q(z) = \mathcal N\big(z; \mu, \operatorname{diag} \sigma^2\big)

    Attributes:
        initial: The parameters are :math:`(\mu, \log \sigma^2)` themselves, 2 latent of them.
        transform: :math:`z = \mu + \sigma \epsilon`.

    Source:
        Kingma & Welling (2014), section 3.

    Example:
        >>> family = DiagonalGaussian()
        >>> parameters = family.initial(torch.zeros(1, 1), torch.zeros(1, 1))
        >>> z, log_density = family.transform(parameters, torch.ones(1, 1, 1))
        >>> z.item(), round(log_density.item(), 4)
        (1.0, -1.4189)
    """

    def initial(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Shape ``(batch, 2 latent)``: that very Gaussian."""
        return torch.cat([mean, log_var], -1)

    def transform(self, parameters: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Draws ``(K, batch, latent)`` and their log densities in nats, ``(K, batch)``."""
        mean, log_var = parameters.chunk(2, -1)
        z = mean + torch.exp(0.5 * log_var) * noise
        return z, standard_normal_log_density(noise).sum(-1) - 0.5 * log_var.sum(-1)


class FullGaussian:
    r"""Gaussians with any covariance, by its Cholesky factor.

    .. math::
        q(z) = \mathcal N(z; \mu, L L^\top), \qquad L = \operatorname{diag}(\sigma)\, (I + N)

    with N strictly lower triangular: its numbers are slopes, on the same scale however
    narrow q is, and :math:`\log \det L = \sum_j \log \sigma_j`.

    Attributes:
        initial: :math:`(\mu, 2 \log \sigma, N)`, 2 latent + latent (latent - 1) / 2 numbers.
        transform: :math:`z = \mu + L \epsilon`.

    Source:
        Opper & Archambeau (2009), *The variational Gaussian approximation revisited*.

    Example:
        >>> family = FullGaussian()
        >>> family.initial(torch.zeros(1, 3), torch.zeros(1, 3)).shape
        torch.Size([1, 9])
    """

    def initial(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Shape ``(batch, params)``: the Gaussian without correlations."""
        latent_dim = mean.shape[-1]
        slopes = mean.new_zeros(*mean.shape[:-1], latent_dim * (latent_dim - 1) // 2)
        return torch.cat([mean, log_var, slopes], -1)

    def transform(self, parameters: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Draws ``(K, batch, latent)`` and their log densities in nats, ``(K, batch)``."""
        latent_dim = noise.shape[-1]
        mean, log_var, slopes = parameters.split(
            [latent_dim, latent_dim, parameters.shape[-1] - 2 * latent_dim], -1
        )
        row, column = torch.tril_indices(latent_dim, latent_dim, -1, device=noise.device)
        lower = parameters.new_zeros(len(parameters), latent_dim, latent_dim)
        lower[:, row, column] = slopes
        mixed = noise + torch.einsum("bij,kbj->kbi", lower, noise.expand(-1, len(lower), -1))
        z = mean + torch.exp(0.5 * log_var) * mixed
        return z, standard_normal_log_density(noise).sum(-1) - 0.5 * log_var.sum(-1)
