"""The ELBO written in two further ways: one expectation, other estimates of it.

The first form, reconstruction less a KL in closed form, is ``elbo_terms(...).elbo``. It samples
the least and is the one to train by; these two need less in closed form.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.densities import LOG_2PI
from vaelab.objectives.draws import draw_posterior, log_joint, log_posterior


def posterior_entropy(log_var: Tensor) -> Tensor:
    r"""Entropy of a Gaussian q(z | x), per latent.

    .. math::
        H(q) = -E_q[\log q(z \mid x)] = \tfrac12 (\log 2 \pi e + \log \sigma^2)

    A differential entropy: below zero once :math:`\sigma^2 < 1 / (2 \pi e)`.

    Args:
        log_var: :math:`\log \sigma^2`, shape ``(*batch, latent)``.

    Returns:
        Nats, shape of ``log_var``.

    Source:
        Cover & Thomas (2006), *Elements of information theory*, theorem 8.4.1.

    Example:
        >>> posterior_entropy(torch.zeros(1))
        tensor([1.4189])
    """
    return 0.5 * (LOG_2PI + 1 + log_var)


def sampled_kl(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    r"""KL(q || prior) estimated from draws of q, for when there is no closed form.

    .. math::
        \frac1K \sum_{k=1}^K \big( \log q(z_k \mid x) - \log p(z_k) \big), \qquad z_k \sim q

    Unbiased, but unlike the KL itself it may come out below zero.

    Args:
        z: Draws from q, shape ``(K, batch, latent)``.
        mean: :math:`\mu`, shape ``(batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape.

    Returns:
        Nats, per latent as :func:`kl_to_standard_normal` has it, shape ``(batch, latent)``.

    Raises:
        ValueError: If z holds no sample.

    Source:
        Kingma & Welling (2014), section 2.3.

    Example:
        >>> sampled_kl(torch.ones(1, 1, 1), torch.ones(1, 1), torch.zeros(1, 1))
        tensor([[0.5000]])
    """
    if z.ndim < 2 or len(z) == 0:
        raise ValueError(
            f"z must have shape (K, batch, latent) with K at least 1, got {tuple(z.shape)}"
        )
    log_ratio = -0.5 * (log_var + (z - mean).square() * torch.exp(-log_var) - z.square())
    return log_ratio.mean(0)  # (batch, latent)


def elbo_from_entropy(
    vae, x: Tensor, num_samples: int = 1, generator: torch.Generator | None = None
) -> Tensor:
    r"""The ELBO as expected log joint plus entropy: the entropy in closed form.

    .. math::
        \mathcal L = E_q[\log p(x, z)] + H\big(q(z \mid x)\big)

    Without the entropy q would shrink to a point at the peak of the joint.

    Args:
        vae: A model with ``encode(x)`` and ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        num_samples: K, draws for each image.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        An unbiased estimate in nats, shape ``(batch,)``.

    Raises:
        ValueError: If ``num_samples`` is under 1, or the encoder's output is not finite.

    Source:
        Hoffman & Johnson (2016).

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> elbo_from_entropy(vae, torch.zeros(4, 64)).shape
        torch.Size([4])
    """
    z, _, log_var = draw_posterior(vae, x, num_samples, generator)
    return log_joint(vae, x, z).mean(0) + posterior_entropy(log_var).sum(-1)


def elbo_from_log_ratio(
    vae, x: Tensor, num_samples: int = 1, generator: torch.Generator | None = None
) -> Tensor:
    r"""The ELBO as an expected log ratio, all of it sampled: log weights, averaged.

    .. math::
        \mathcal L = E_q\!\left[ \log \frac{p(x, z)}{q(z \mid x)} \right]

    The only form that needs no closed form, and the noisiest where q is poor. Where q is
    the exact posterior it is the quietest: the ratio is p(x) for every draw, so one draw
    gives log p(x) exactly.

    Args:
        vae: A model with ``encode(x)`` and ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        num_samples: K, draws for each image.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        An unbiased estimate in nats, shape ``(batch,)``.

    Raises:
        ValueError: If ``num_samples`` is under 1, or the encoder's output is not finite.

    Source:
        Kingma & Welling (2014), equation 2; Roeder et al. (2017).

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> elbo_from_log_ratio(vae, torch.zeros(4, 64)).shape
        torch.Size([4])
    """
    z, mean, log_var = draw_posterior(vae, x, num_samples, generator)
    return (log_joint(vae, x, z) - log_posterior(z, mean, log_var)).mean(0)
