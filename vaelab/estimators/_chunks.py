"""Many draws in bounded memory: noise a chunk at a time, likelihoods a piece at a time.

Arrays of latents are small; arrays of a row of pixels for each draw are not. Those are kept
to a size that a processor's cache holds, which is also the fastest: larger ones are fetched
from memory by every operation anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

# torch makes normal numbers in groups of 16, so noise drawn sixteen samples at a time is
# the same noise however the samples are divided into chunks.
BLOCK = 16
# The largest array to make, in numbers, reckoning one row of pixels a draw.
CHUNK_NUMBERS = 2**19


def check_images(x: Tensor) -> None:
    r"""Refuse images that are not rows of floating-point pixels.

    .. math::
        x \in \mathbb R^{n \times D}

    Args:
        x: Images.

    Returns:
        Nothing.

    Raises:
        ValueError: If ``x`` is not of shape ``(batch, pixels)``, or holds whole numbers:
            the type of the draws is that of the images.

    Source:
        Elementary.

    Example:
        >>> check_images(torch.zeros(3, 64))
    """
    if x.ndim != 2:
        raise ValueError(f"x must have shape (batch, pixels), got {tuple(x.shape)}")
    if not x.is_floating_point():
        raise ValueError(f"x must be of a floating-point type, got {x.dtype}")


def noise_chunks(
    num_samples: int,
    chunk_size: int,
    shape: tuple[int, ...],
    like: Tensor,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    r"""Standard normal noise for K samples, a chunk at a time.

    .. math::
        \epsilon_1, \dots, \epsilon_K \sim \mathcal N(0, I)

    Args:
        num_samples: K.
        chunk_size: Samples in a chunk, rounded down to a multiple of 16; the noise is the
            same whatever it is.
        shape: Shape of one sample's noise.
        like: A tensor whose type and device the noise takes.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        Chunks of shape ``(samples, *shape)``, K samples in all.

    Source:
        Elementary.

    Example:
        >>> [len(noise) for noise in noise_chunks(50, 32, (3, 2), torch.zeros(1))]
        [32, 18]
    """
    rows = max(BLOCK, chunk_size // BLOCK * BLOCK)
    for start in range(0, num_samples, rows):
        wanted = min(rows, num_samples - start)
        drawn = math.ceil(wanted / BLOCK) * BLOCK
        noise = torch.randn(
            (drawn, *shape), generator=generator, dtype=like.dtype, device=like.device
        )
        yield noise[:wanted]


def map_pieces(
    function: Callable[[Tensor, Tensor], tuple[Tensor, ...]], x: Tensor, z: Tensor
) -> tuple[Tensor, ...]:
    r"""Apply a function of images and latents to pieces of both, and put the results together.

    .. math::
        f(x, z)_{k, i} = f(x_i, z_{k, i})

    which holds for a likelihood and its gradient: each image has its own.

    Args:
        function: Takes ``(images, pixels)`` and ``(samples, images, latent)``, returns
            tensors that begin with ``(samples, images)``.
        x: Images, shape ``(batch, pixels)``.
        z: Latents, shape ``(K, batch, latent)``.

    Returns:
        The tensors that ``function(x, z)`` would return.

    Source:
        Elementary.

    Example:
        >>> x, z = torch.ones(3, 4), torch.ones(5, 3, 2)
        >>> map_pieces(lambda x, z: (z.sum(-1) + x.sum(-1),), x, z)[0].shape
        torch.Size([5, 3])
    """
    numbers = max(1, CHUNK_NUMBERS // max(1, x.shape[1]))  # draws for all images together
    images = min(max(1, numbers // max(1, len(z))), max(1, len(x)))
    rows = []
    for some in z.split(max(1, numbers // images)):
        pieces = zip(x.split(images), some.split(images, dim=1), strict=True)
        results = [function(*piece) for piece in pieces]
        rows.append([torch.cat(parts, dim=1) for parts in zip(*results, strict=True)])
    return tuple(torch.cat(parts) for parts in zip(*rows, strict=True))
