"""Calling somebody else's model: what comes in and what comes back is looked at, once, here."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def check_images(x: Tensor) -> Tensor:
    r"""Images as the exact methods take them: a matrix of finite numbers.

    .. math::
        x \in \mathbb R^{\text{batch} \times \text{pixels}}

    Args:
        x: Anything; it passes if it is of shape ``(batch, pixels)``, a batch of 0 included.

    Returns:
        ``x`` itself (for log densities in nats, further on).

    Raises:
        ValueError: If ``x`` has another shape, or holds NaN or infinity: the first such
            value would quietly become the answer.

    Source:
        None: a rule of this package.

    Example:
        >>> check_images(torch.zeros(5, 64)).shape
        torch.Size([5, 64])
    """
    if x.ndim != 2:
        raise ValueError(f"x must have shape (batch, pixels), got {tuple(x.shape)}")
    finite = x.isfinite()
    if not bool(finite.all()):
        raise ValueError(f"x must be finite, got {float(x[~finite][0])}")
    return x


def evaluate_log_likelihood(
    log_likelihood: Callable[[Tensor, Tensor], Tensor], x: Tensor, z: Tensor
) -> Tensor:
    r"""``log_likelihood(x, z)``, of the shape and the precision that was asked for.

    .. math::
        \log p(x \mid z_k), \qquad k = 1, \dots, K

    Args:
        log_likelihood: A function or a model's method, such as ``vae.log_likelihood``.
        x: Images, shape ``(batch, pixels)``.
        z: Latents, shape ``(K, batch or 1, latent)``, of the type the answer shall have.

    Returns:
        Nats, shape ``(K, batch)``, of the type of ``z``.

    Raises:
        ValueError: If the model's weights, or what it returns, are of another type than
            ``z``; or if what it returns has another shape.

    Source:
        None: a rule of this package.

    Example:
        >>> evaluate_log_likelihood(lambda x, z: -(x - z)[..., 0] ** 2, torch.ones(2, 1),
        ...                         torch.zeros(3, 1, 1)).shape
        torch.Size([3, 2])
    """
    wanted = str(z.dtype).removeprefix("torch.")
    remedy = (
        f"this integral is computed in {wanted}, so give x and the weights of that type too"
        + (": vae.double(), x.double()" if z.dtype == torch.float64 else "")
    )
    try:
        values = log_likelihood(x, z)
    except RuntimeError as error:
        # torch's own words name matrices inside the model that the caller never sees.
        if "dtype" in str(error) or "scalar type" in str(error):
            raise ValueError(
                f"log_likelihood could not take z of dtype {wanted} and x of dtype "
                f"{str(x.dtype).removeprefix('torch.')} ({error}); {remedy}"
            ) from error
        raise
    if values.dtype != z.dtype:
        raise ValueError(f"log_likelihood must return {wanted}, got {values.dtype}; {remedy}")
    expected = (len(z), len(x))
    if values.shape != expected:
        raise ValueError(
            f"log_likelihood must return shape (samples, batch) = {expected}, "
            f"got {tuple(values.shape)}"
        )
    return values
