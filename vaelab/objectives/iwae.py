"""The importance-weighted bound: K draws of q under one logarithm."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.objectives.draws import draw_posterior, log_joint, log_posterior


def iwae(vae, x: Tensor, num_samples: int = 5, generator: torch.Generator | None = None) -> Tensor:
    r"""Importance-weighted bound on log p(x): the log of the mean of K weights.

    .. math::
        \log \hat p_K(x) = \log \frac1K \sum_{k=1}^K w_k, \qquad
        w_k = \frac{p(x, z_k)}{q(z_k \mid x)}, \quad z_k \sim q

    On average at most log p(x), for K = 1 the ELBO, rising with K. One value is a random
    number and may lie above. It is differentiable by reparameterisation, and the gradient
    for the encoder fades into its own noise as K grows: :func:`doubly_reparameterised`
    mends that. All K draws are held at once; for K in the thousands, to evaluate rather
    than to train, ``importance_log_marginal`` takes bounded memory.

    Args:
        vae: A model with ``encode(x)`` and ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        num_samples: K, draws for each image.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        Nats, shape ``(batch,)``.

    Raises:
        ValueError: If ``num_samples`` is under 1, or the encoder's output is not finite.

    Source:
        Burda et al. (2016), section 3.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> iwae(vae, torch.zeros(4, 64), num_samples=10).shape
        torch.Size([4])
    """
    z, mean, log_var = draw_posterior(vae, x, num_samples, generator)
    log_weights = log_joint(vae, x, z) - log_posterior(z, mean, log_var)  # (K, batch)
    return log_weights.logsumexp(0) - math.log(num_samples)
