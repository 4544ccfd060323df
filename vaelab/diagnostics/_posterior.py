"""What every diagnostic asks of a model first: q(z | x) of each image, looked at once."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from vaelab.exact.evaluate import check_images
from vaelab.objectives.draws import check_encoded

# torch makes normal numbers in groups of 16, so noise drawn in whole groups for one image
# after another is the same however many images are taken at once.
BLOCK = 16
# The largest array of latents to make, in numbers.
CHUNK_NUMBERS = 2**18


@torch.no_grad()
def encode(vae, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Encode images to be averaged over, where one bad number would spoil the average.

    .. math::
        \mu_\phi(x_n), \; \log \sigma^2_\phi(x_n), \qquad n = 1, \dots, N

    Args:
        vae: A model with ``encode(x)``.
        x: Images, shape ``(batch, pixels)``, at least one.

    Returns:
        Mean and log-variance of q(z | x), each ``(batch, latent)``.

    Raises:
        ValueError: If ``x`` is empty, of another shape or not finite; or if what the
            encoder returns is of another shape, not finite, or too large for its
            exponential to fit its type.

    Source:
        None: a rule of this package.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> [part.shape for part in encode(vae, torch.zeros(3, 64))]
        [torch.Size([3, 2]), torch.Size([3, 2])]
    """
    if len(check_images(x)) == 0:
        raise ValueError(f"x must hold at least one image, got shape {tuple(x.shape)}")
    mean, log_var = vae.encode(x)
    if mean.ndim != 2 or len(mean) != len(x) or log_var.shape != mean.shape:
        raise ValueError(
            f"vae.encode(x) must give a mean and a log_var of shape (batch, latent) with "
            f"{len(x)} images, got {tuple(mean.shape)} and {tuple(log_var.shape)}"
        )
    return check_encoded(mean, log_var)


def noise_by_image(
    mean: Tensor, num_samples: int, generator: torch.Generator | None
) -> Iterator[tuple[slice, Tensor]]:
    r"""Standard normal noise for K draws of every image's latents, some images at a time.

    .. math::
        \epsilon_{k, n} \sim \mathcal N(0, I), \qquad k = 1, \dots, K, \; n = 1, \dots, N

    Args:
        mean: A tensor of the noise's type, device and shape for one draw,
            ``(batch, latent)``.
        num_samples: K.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        Pairs: which images, and their noise of shape ``(K, images, latent)``.

    Raises:
        ValueError: If ``num_samples`` is under 1.

    Source:
        Elementary.

    Example:
        >>> [(s, n.shape) for s, n in noise_by_image(torch.zeros(3, 2), 5, None)]
        [(slice(0, 3, None), torch.Size([5, 3, 2]))]
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    batch, latent = mean.shape
    drawn = math.ceil(num_samples / BLOCK) * BLOCK
    images = max(1, CHUNK_NUMBERS // (drawn * latent))
    for start in range(0, batch, images):
        some = slice(start, min(start + images, batch))
        noise = torch.randn(
            (some.stop - start, drawn, latent),
            generator=generator,
            dtype=mean.dtype,
            device=mean.device,
        )
        yield some, noise[:, :num_samples].transpose(0, 1)
