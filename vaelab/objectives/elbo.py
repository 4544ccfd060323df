"""The evidence lower bound, its two terms kept apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import kl_to_standard_normal


@dataclass(frozen=True)
class ElboTerms:
    r"""The two terms of the ELBO, for each image of a batch, in nats.

    .. math::
        \mathrm{ELBO}(x) = \underbrace{E_{q(z \mid x)}[\log p(x \mid z)]}_{\text{reconstruction}}
        - \mathrm{KL}\big(q(z \mid x) \,\|\, p(z)\big)

    Attributes:
        reconstruction: Monte Carlo estimate of the expected log likelihood, ``(batch,)``.
        kl: Exact KL for each latent, ``(batch, latent)``.

    Source:
        Kingma & Welling (2014), equation 3; rate and distortion: Alemi et al. (2018).
    """

    reconstruction: Tensor
    kl: Tensor

    @property
    def rate(self) -> Tensor:
        """KL(q(z | x) || p(z)), summed over latents: what the code costs. ``(batch,)``."""
        return self.kl.sum(-1)

    @property
    def distortion(self) -> Tensor:
        """Minus the reconstruction term: what the code leaves to say. ``(batch,)``."""
        return -self.reconstruction

    @property
    def elbo(self) -> Tensor:
        """The bound itself, on average at most log p(x). ``(batch,)``."""
        return self.reconstruction - self.rate

    def beta_objective(self, beta: float) -> Tensor:
        """Reconstruction minus beta times KL, ``(batch,)``.

        A lower bound on log p(x) for beta of 1 and more; below 1 it may exceed it.
        ValueError if beta is negative or not finite.
        """
        if not (math.isfinite(beta) and beta >= 0):
            raise ValueError(f"beta must be finite and not negative, got {beta}")
        return self.reconstruction - beta * self.rate


def sample_posterior(
    mean: Tensor, log_var: Tensor, num_samples: int = 1, generator: torch.Generator | None = None
) -> Tensor:
    r"""Reparameterised draws from q(z | x), differentiable in its parameters.

    .. math::
        z = \mu + \sigma \epsilon, \qquad \epsilon \sim \mathcal N(0, I)

    The randomness is in :math:`\epsilon`, which knows nothing of the parameters: that is
    what lets a gradient pass.

    Args:
        mean: :math:`\mu`, shape ``(batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape.
        num_samples: Draws for each image, K.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        Shape ``(K, batch, latent)``.

    Raises:
        ValueError: If the shapes differ or ``num_samples`` is under 1.

    Source:
        Kingma & Welling (2014), section 2.4.

    Example:
        >>> z = sample_posterior(torch.zeros(3, 2), torch.zeros(3, 2), num_samples=5)
        >>> z.shape
        torch.Size([5, 3, 2])
    """
    if mean.shape != log_var.shape:
        raise ValueError(
            f"mean and log_var must have the same shape, "
            f"got {tuple(mean.shape)} and {tuple(log_var.shape)}"
        )
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    noise = torch.randn(
        (num_samples, *mean.shape), generator=generator, dtype=mean.dtype, device=mean.device
    )
    return mean + torch.exp(0.5 * log_var) * noise


def elbo_terms(
    vae, x: Tensor, num_samples: int = 1, generator: torch.Generator | None = None
) -> ElboTerms:
    r"""Estimate the ELBO of each image: reconstruction sampled, KL in closed form.

    .. math::
        \frac1K \sum_{k=1}^K \log p(x \mid z_k)
        - \tfrac12 \sum_j \big( \mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2 \big),
        \qquad z_k \sim q(z \mid x)

    Unbiased for any K, and differentiable by reparameterisation. Of the ELBO's three forms
    this one samples least; :func:`elbo_from_entropy` and :func:`elbo_from_log_ratio` are the
    others.

    Args:
        vae: A model with ``encode(x)`` and ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        num_samples: K, draws for each image.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        The terms in nats, ``.reconstruction`` of shape ``(batch,)`` and ``.kl`` of
        ``(batch, latent)``; ``.elbo``, ``.rate`` and ``.distortion`` follow from them.

    Raises:
        ValueError: If ``num_samples`` is under 1.

    Source:
        Kingma & Welling (2014), equation 10.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> generator = torch.Generator().manual_seed(0)
        >>> vae = VAE(latent_dim=2, generator=generator)
        >>> terms = elbo_terms(vae, torch.zeros(4, 64), generator=generator)
        >>> terms.elbo.shape, terms.kl.shape
        (torch.Size([4]), torch.Size([4, 2]))
    """
    mean, log_var = vae.encode(x)
    z = sample_posterior(mean, log_var, num_samples, generator)  # (K, batch, latent)
    return ElboTerms(
        reconstruction=vae.log_likelihood(x, z).mean(0),
        kl=kl_to_standard_normal(mean, log_var),
    )
