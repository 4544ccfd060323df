"""What the likelihoods of counts 0 to n share: a check of the data, and a sum over pixels.

The densities check their data at every call. That takes a hundredth of a training step,
and the slip it catches is the likely one: pixels divided by n where counts belong train
well and mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def check_counts(x: Tensor, max_count: int) -> None:
    r"""Refuse data that are not whole numbers from 0 to n.

    .. math::
        x_i \in \{0, 1, \dots, n\}

    Args:
        x: Data of any shape and type.
        max_count: n, the largest count there can be.

    Returns:
        Nothing.

    Raises:
        ValueError: If ``max_count`` is under 1, or an entry of ``x`` is no such number.

    Source:
        The support of the binomial distribution; Bishop (2006), section 2.1.

    Example:
        >>> check_counts(torch.tensor([0.0, 16.0]), 16)
        >>> check_counts(torch.tensor([0.0, 0.5]), 16)
        Traceback (most recent call last):
        ValueError: x must hold whole numbers from 0 to 16, got 0.5
    """
    if max_count < 1:
        raise ValueError(f"max_count must be at least 1, got {max_count}")
    # NaN equals nothing, itself included.
    if not torch.equal(x.round().clamp(0, max_count), x):
        wrong = x[x.round().clamp(0, max_count) != x][0].item()
        raise ValueError(f"x must hold whole numbers from 0 to {max_count}, got {wrong}")


def count_log_likelihood(
    log_density: Callable[..., Tensor], x: Tensor, *parameters: Tensor, max_count: int
) -> Tensor:
    r"""Sum a log density of counts over the pixels of whole images.

    .. math::
        \log p(x) = \sum_i \log p(x_i) = \sum_i \sum_{k=0}^n [x_i = k] \log p(k)

    Where more images than there are levels share their parameters, the second form is
    taken: the logarithm of each level once, then a matrix product with the images. That
    spares an array of every latent by every image by every pixel.

    Args:
        log_density: Takes counts and parameters, returns nats of the broadcast shape.
        x: Counts, shape ``(batch, pixels)``.
        parameters: One or more, each of shape ``(*samples, batch, pixels)`` or
            ``(*samples, 1, pixels)``, the second scoring every image under the same ones.
        max_count: n, the largest count there can be.

    Returns:
        Nats, shape ``(*samples, batch)``.

    Raises:
        ValueError: If the numbers of pixels differ, or ``x`` does not hold counts.

    Source:
        Bishop (2006), equation 2.26: one indicator a level.

    Example:
        >>> uniform = lambda x, logits: -torch.log(torch.tensor(17.0)) + 0 * (x + logits)
        >>> count_log_likelihood(uniform, torch.ones(3, 2), torch.zeros(5, 1, 2), max_count=16)[0]
        tensor([-5.6664, -5.6664, -5.6664])
    """
    if any(x.shape[-1] != p.shape[-1] for p in parameters):
        raise ValueError(
            f"x and its parameters must have the same number of pixels, got {tuple(x.shape)} "
            f"and {', '.join(str(tuple(p.shape)) for p in parameters)}"
        )
    if len(x) <= max_count + 1 or any(p.ndim < 2 or p.shape[-2] != 1 for p in parameters):
        return log_density(x, *parameters).sum(-1)
    check_counts(x, max_count)
    levels = torch.arange(max_count + 1, dtype=x.dtype, device=x.device)
    parameters = torch.broadcast_tensors(*parameters)
    each = levels.reshape(-1, *[1] * parameters[0].ndim)
    table = log_density(each, *parameters).squeeze(-2)  # (n + 1, *samples, pixels)
    is_level = (x == levels[:, None, None]).to(table.dtype)  # (n + 1, batch, pixels)
    return torch.einsum("l...p,lbp->...b", table, is_level)


def log_binomial_coefficient(x: Tensor, max_count: int, dtype: torch.dtype) -> Tensor:
    r"""Logarithm of the number of ways to pick x of n, by look-up.

    .. math::
        \log \binom nx = \log \frac{n!}{x!\,(n - x)!}

    Args:
        x: Counts 0 to n, any shape.
        max_count: n.
        dtype: Type of the result.

    Returns:
        Shape of ``x``, nats.

    Source:
        Bishop (2006), equation 2.10.

    Example:
        >>> log_binomial_coefficient(torch.tensor([0, 2, 4]), 4, torch.float32).exp()
        tensor([1., 6., 1.])
    """
    log_factorial = torch.arange(1, max_count + 2, dtype=torch.float64).lgamma()
    table = log_factorial[-1] - log_factorial - log_factorial.flip(0)
    return table.to(device=x.device, dtype=dtype)[x.long()]
