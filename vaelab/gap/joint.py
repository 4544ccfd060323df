"""What every part of the room asks of a model: checked input, log p(x, z), bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density

# The largest array to make, in numbers, reckoning one row of pixels a draw.
CHUNK_NUMBERS = 2**20


def check_rows(**arguments: Tensor) -> None:
    r"""Refuse arguments that are not finite matrices of one type with as many rows as x.

    .. math::
        x \in \mathbb R^{n \times D}, \quad \mu \in \mathbb R^{n \times d}, \dots

    Args:
        arguments: By name; ``x`` is one of them.

    Returns:
        Nothing.

    Raises:
        ValueError: If a shape, a type or a value is another.

    Source:
        None: a rule of this package.

    Example:
        >>> check_rows(x=torch.zeros(3, 64), mean=torch.zeros(3, 2))
    """
    x = arguments["x"]
    for name, value in arguments.items():
        if value.ndim != 2 or len(value) != len(x):
            raise ValueError(
                f"{name} must be a matrix with a row for each of the images, x "
                f"{tuple(x.shape)}, got {tuple(value.shape)}"
            )
        if value.dtype != x.dtype or value.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"{name} must be float32 or float64, and of the type of x, got {value.dtype} "
                f"and x {x.dtype}"
            )
        finite = value.isfinite()
        if not bool(finite.all()):
            raise ValueError(f"{name} must be finite, got {float(value.detach()[~finite][0])}")


def log_joint(x: Tensor, log_likelihood: Callable[[Tensor, Tensor], Tensor], z: Tensor) -> Tensor:
    r""":math:`\log p(x \mid z) + \log p(z)` under the prior N(0, I).

    .. math::
        \log p(x, z) = \log p(x \mid z) + \log \mathcal N(z; 0, I)

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(K, batch)``.
        z: Latents, shape ``(K, batch, latent)``.

    Returns:
        Nats, shape ``(K, batch)``.

    Raises:
        ValueError: If what ``log_likelihood`` returns has another shape.

    Source:
        Bishop (2006), equation 1.32: the product rule.

    Example:
        >>> log_joint(torch.zeros(1, 1), lambda x, z: z.sum(-1), torch.zeros(1, 1, 2))
        tensor([[-1.8379]])
    """
    value = log_likelihood(x, z)
    if value.shape != z.shape[:2]:
        raise ValueError(
            f"log_likelihood must return shape (K, batch) = {tuple(z.shape[:2])}, "
            f"got {tuple(value.shape)}"
        )
    return value + standard_normal_log_density(z).sum(-1)


def at_once(numbers: int) -> int:
    r"""How many things to handle at once when each makes arrays of so many numbers.

    .. math::
        \max(1, \lfloor M / n \rfloor)

    Args:
        numbers: n, numbers that one of them needs.

    Returns:
        At least 1, and no more than :math:`M = 2^{20}` numbers in all.

    Source:
        None: a rule of this package.

    Example:
        >>> at_once(64 * 1024)
        16
    """
    return max(1, CHUNK_NUMBERS // max(1, numbers))
