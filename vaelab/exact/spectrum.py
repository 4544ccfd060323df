"""The variances of data along their principal directions: all that linear models ask of them."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.exact.evaluate import check_images


def covariance_spectrum(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Mean, eigenvalues and eigenvectors of the data's covariance, the largest first.

    .. math::
        S = \frac1N \sum_n (x_n - \bar x)(x_n - \bar x)^\top = U \Lambda U^\top

    Args:
        x: Data, shape ``(images, pixels)``; computed in float64 whatever its type.

    Returns:
        The mean ``(pixels,)``; the eigenvalues, descending and not negative, in squared
        units of x, ``(pixels,)``; the eigenvectors as columns, ``(pixels, pixels)``.

    Raises:
        ValueError: If ``x`` is not a finite matrix of two images or more.

    Source:
        Bishop (2006), section 12.1.

    Example:
        >>> mean, eigenvalues, _ = covariance_spectrum(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        >>> eigenvalues
        tensor([1., 0.], dtype=torch.float64)
    """
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(
            f"x must have shape (images, pixels) with 2 images or more, got {tuple(x.shape)}"
        )
    x = check_images(x).double()
    covariance = torch.cov(x.T, correction=0).reshape(x.shape[1], x.shape[1])
    eigenvalues, eigenvectors = torch.linalg.eigh(covariance)  # ascending
    # Rounding turns zeros into numbers like -1e-17, of which no root can be taken.
    return x.mean(0), eigenvalues.flip(0).clamp(min=0), eigenvectors.flip(1)
