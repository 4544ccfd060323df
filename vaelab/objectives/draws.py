"""Draws from q(z | x), and the log densities that every sampled objective is made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.densities import normal_log_density, standard_normal_log_density
from vaelab.objectives.elbo import sample_posterior


def check_encoded(mean: Tensor, log_var: Tensor) -> tuple[Tensor, Tensor]:
    r"""Refuse what an encoder says where no draw, or no density, could be made of it.

    .. math::
        |\mu| < \infty, \qquad e^{\pm \log \sigma^2} < \infty

    Args:
        mean: :math:`\mu` of q, of any shape.
        log_var: :math:`\log \sigma^2` of q, of the same shape.

    Returns:
        Both, as they came.

    Raises:
        ValueError: If one is not finite, or the variance or its inverse would overflow.

    Source:
        None: a rule of this package.

    Example:
        >>> check_encoded(torch.zeros(2), torch.tensor([0.0, math.inf]))
        Traceback (most recent call last):
        ValueError: the encoder's log_var must be finite, got inf
    """
    for name, value in (("mean", mean), ("log_var", log_var)):
        if not value.isfinite().all():
            worst = value[~value.isfinite()][0].item()
            raise ValueError(f"the encoder's {name} must be finite, got {worst}")
    # Beyond this the variance, or the precision that the density divides by, is infinite.
    limit = math.log(torch.finfo(log_var.dtype).max)
    if log_var.numel() and log_var.abs().max() > limit:
        worst = log_var.flatten()[log_var.abs().argmax()].item()
        raise ValueError(
            f"the encoder's log_var must lie within ±{limit:.1f} for its exponential to fit "
            f"{log_var.dtype}, got {worst}"
        )
    return mean, log_var


def draw_posterior(
    vae, x: Tensor, num_samples: int = 1, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Encode, check what the encoder says, and draw.

    .. math::
        z_k = \mu_\phi(x) + \sigma_\phi(x) \, \epsilon_k, \qquad \epsilon_k \sim \mathcal N(0, I)

    Args:
        vae: A model with ``encode(x)``.
        x: Images, shape ``(batch, pixels)``.
        num_samples: K, draws for each image.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        The draws, ``(K, batch, latent)``, then the mean and log-variance they come from,
        each ``(batch, latent)``.

    Raises:
        ValueError: If ``num_samples`` is under 1, or the encoder's mean or log-variance is
            not finite, or the variance itself would overflow.

    Source:
        Kingma & Welling (2014), section 2.4.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> z, mean, log_var = draw_posterior(vae, torch.zeros(3, 64), num_samples=5)
        >>> z.shape, mean.shape, log_var.shape
        (torch.Size([5, 3, 2]), torch.Size([3, 2]), torch.Size([3, 2]))
    """
    mean, log_var = check_encoded(*vae.encode(x))
    return sample_posterior(mean, log_var, num_samples, generator), mean, log_var


def log_likelihood(vae, x: Tensor, z: Tensor) -> Tensor:
    r"""The model's own log likelihood, its shape checked.

    .. math::
        \log p(x \mid z_k)

    Args:
        vae: A model with ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        z: Latents, shape ``(K, batch, latent)``.

    Returns:
        Nats, shape ``(K, batch)``.

    Raises:
        ValueError: If the model returns another shape: a likelihood that still has its
            pixels, say, or has been averaged, would broadcast without a word.

    Source:
        Kingma & Welling (2014), section 2.1.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> log_likelihood(vae, torch.zeros(3, 64), torch.zeros(5, 3, 2)).shape
        torch.Size([5, 3])
    """
    value = vae.log_likelihood(x, z)
    if value.shape != z.shape[:-1]:
        raise ValueError(
            f"vae.log_likelihood(x, z) must have shape {tuple(z.shape[:-1])}, samples by "
            f"images, got {tuple(value.shape)}"
        )
    return value


def log_joint(vae, x: Tensor, z: Tensor) -> Tensor:
    r"""Log of the joint density, the model's half of every weight.

    .. math::
        \log p(x, z) = \log p(x \mid z) + \log \mathcal N(z; 0, I)

    Args:
        vae: A model with ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        z: Latents, shape ``(K, batch, latent)``.

    Returns:
        Nats, shape ``(K, batch)``.

    Source:
        Kingma & Welling (2014), section 2.1.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> log_joint(vae, torch.zeros(3, 64), torch.zeros(5, 3, 2)).shape
        torch.Size([5, 3])
    """
    return log_likelihood(vae, x, z) + standard_normal_log_density(z).sum(-1)


def log_posterior(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Log density of q(z | x), summed over latents.

    .. math::
        \log q(z \mid x) = \sum_j \log \mathcal N(z_j; \mu_j, \sigma_j^2)

    Args:
        z: Latents, shape ``(K, batch, latent)``.
        mean: :math:`\mu`, shape ``(batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape.

    Returns:
        Nats, shape ``(K, batch)``.

    Source:
        Kingma & Welling (2014), Appendix C.2.

    Example:
        >>> log_posterior(torch.zeros(1, 1, 2), torch.zeros(1, 2), torch.zeros(1, 2))
        tensor([[-1.8379]])
    """
    return normal_log_density(z, mean, log_var).sum(-1)
