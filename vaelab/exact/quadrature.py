"""log p(x) by summing over a grid of latents: exact for one or two, hopeless beyond."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density
from vaelab.exact.evaluate import check_images, evaluate_log_likelihood

# The largest array a chunk may make, in numbers: 2**22 float64 are 32 MiB.
CHUNK_NUMBERS = 2**22


@dataclass(frozen=True)
class Quadrature:
    """The integral over a grid, and how far it can be off.

    Attributes:
        log_marginal: log p(x) in nats, float64, ``(batch,)``.
        error: The most that a grid of twice the step differs by, wherever it starts, plus
            a bound on what lies beyond the ends, ``(batch,)``. Generous, since for a smooth
            decoder halving the step squares the error. Trust it while the largest of the
            batch is under 0.1; above, the step is too coarse for single images' errors.
            Infinite, the grid ends where the integrand still grows.
    """

    log_marginal: Tensor
    error: Tensor


def latent_grid(latent_dim: int, half_width: float = 7.0, step: float = 0.05) -> Tensor:
    r"""The points of a square grid centred on 0, in float64.

    .. math::
        \{-h, -h + \delta, \dots, h - \delta, h\}^d

    Args:
        latent_dim: d, 1 or 2.
        half_width: h, how far it reaches each way; the prior has 3e-12 of its mass beyond 7.
        step: :math:`\delta`, distance of neighbours.

    Returns:
        Shape ``(points, latent)``; in two dimensions the last coordinate runs fastest.

    Raises:
        ValueError: If ``latent_dim`` is not 1 or 2, or a length is not positive.

    Source:
        Trefethen & Weideman (2014), section 5.

    Example:
        >>> latent_grid(1, half_width=1.0, step=0.5).flatten()
        tensor([-1.0000, -0.5000,  0.0000,  0.5000,  1.0000], dtype=torch.float64)
    """
    if latent_dim not in (1, 2):
        raise ValueError(
            f"latent_dim must be 1 or 2 for quadrature, got {latent_dim}: a grid of m points "
            f"a side has m^latent_dim points. Estimate log p(x) with importance_log_marginal"
        )
    if not (step > 0 and half_width >= step):
        raise ValueError(
            f"step must be positive and at most half_width, got {step} and {half_width}"
        )
    # An even number of steps each side, so that every second point includes both ends.
    steps = 2 * math.ceil(half_width / step / 2)
    axis = torch.arange(-steps, steps + 1, dtype=torch.float64) * (half_width / steps)
    return torch.cartesian_prod(*[axis] * latent_dim).reshape(-1, latent_dim)


def quadrature_log_joint(
    x: Tensor, log_likelihood: Callable[[Tensor, Tensor], Tensor], grid: Tensor
) -> Tensor:
    r"""The logarithm of the joint density at every point of a grid.

    .. math::
        \log p(x, z) = \log p(x \mid z) + \log \mathcal N(z; 0, I)

    The points are taken some at a time, so that besides the result only a few tens of
    megabytes are needed.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, with z of shape ``(points, batch or 1,
            latent)``, returning nats of shape ``(points, batch)``. A prior of
            :math:`\mathcal N(0, I)` is understood.
        grid: Latents, shape ``(points, latent)``.

    Returns:
        Nats, shape ``(points, batch)``; differentiable in the decoder's weights.

    Raises:
        ValueError: If ``x`` is not a finite matrix, or the model's numbers are not of the
            grid's type: ``vae.double()`` makes them so.

    Source:
        Bishop (2006), equation 1.32: the product rule.

    Example:
        >>> grid = latent_grid(1, half_width=1.0, step=1.0)
        >>> quadrature_log_joint(torch.zeros(1, 1), lambda x, z: -z.sum(-1) ** 2, grid).shape
        torch.Size([5, 1])
    """
    check_images(x)
    rows = max(1, CHUNK_NUMBERS // max(1, x.numel()))
    log_joint = torch.empty(len(grid), len(x), dtype=grid.dtype)
    for start in range(0, len(grid), rows):
        z = grid[start : start + rows, None]  # (points, 1, latent)
        log_prior = standard_normal_log_density(z).sum(-1)
        values = evaluate_log_likelihood(log_likelihood, x, z)
        log_joint[start : start + rows] = values + log_prior
    return log_joint


def quadrature_log_marginal(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    latent_dim: int,
    half_width: float = 7.0,
    step: float = 0.05,
) -> Quadrature:
    r"""log p(x) by the trapezoidal rule over a square of latents.

    .. math::
        p(x) = \int p(x \mid z)\, p(z)\, dz
        \approx h^d \sum_{z \in \text{grid}} p(x \mid z)\, p(z)

    For a smooth decoder (tanh, softplus) the rule converges faster than any power of the
    step h, since the integrand and its derivatives vanish at the ends. How small a step that takes
    depends on how fast the decoder changes: 0.05 gives eight digits for most, and three
    for the sharpest in this package, whose single images then report an error of 0.2; look
    at ``.error``. A ReLU decoder has kinks, and stays near the sixth digit. Computed in
    float64; give weights of that type too (``vae.double()``).

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: See :func:`quadrature_log_joint`; ``vae.log_likelihood`` is one.
        latent_dim: 1 or 2.
        half_width: How far the grid reaches each way.
        step: Distance of neighbouring points.

    Returns:
        ``.log_marginal`` and its estimated ``.error`` in nats, each ``(batch,)``.

    Raises:
        ValueError: If ``latent_dim`` is above 2, a length is not positive, ``x`` is not a
            finite matrix, or the model's weights are not float64 (``vae.double()``).

    Source:
        Trefethen & Weideman (2014), *The exponentially convergent trapezoidal rule*.

    Example:
        >>> from vaelab.exact.linear_gaussian import LinearGaussian
        >>> x = torch.tensor([[0.3, -1.0, 2.0]], dtype=torch.float64)
        >>> model = LinearGaussian(x.T, torch.zeros(3, dtype=torch.float64), noise_var=0.5)
        >>> result = quadrature_log_marginal(x, model.log_likelihood, latent_dim=1)
        >>> bool((result.log_marginal - model.log_marginal(x)).abs() < 1e-10)
        True
    """
    check_images(x)
    grid = latent_grid(latent_dim, half_width, step)
    # Some images at a time: all training images on the default grid would need gigabytes.
    pieces = x.double().split(max(1, CHUNK_NUMBERS // len(grid)))
    with torch.no_grad():
        sums = [
            _grid_sums(quadrature_log_joint(piece, log_likelihood, grid), latent_dim)
            for piece in pieces
        ]
    log_sum, error = (torch.cat(parts) for parts in zip(*sums, strict=True))
    spacing = float(grid[1, -1] - grid[0, -1])
    # The rule's half weights at the ends are left out: next to nothing lies there.
    return Quadrature(log_marginal=log_sum + latent_dim * math.log(spacing), error=error)


def _grid_sums(log_joint: Tensor, latent_dim: int) -> tuple[Tensor, Tensor]:
    """The logarithm of the sum over the grid, and its error: two of ``(batch,)``."""
    side = round(len(log_joint) ** (1 / latent_dim))
    log_sum = log_joint.logsumexp(0)
    shares = torch.exp(log_joint - log_sum).unflatten(0, [side] * latent_dim)  # (side, ..., batch)
    coarse = [
        2**latent_dim * _sum(shares[tuple(slice(start, None, 2) for start in starts)])
        for starts in itertools.product((0, 1), repeat=latent_dim)
    ]
    change = torch.stack(coarse).log().abs().amax(0)
    return log_sum, change + torch.log1p(_share_beyond(shares, latent_dim))


def _share_beyond(shares: Tensor, latent_dim: int) -> Tensor:
    r"""A bound on the sum over the points past the grid's ends, by that within, ``(batch,)``.

    Where the tail is log-concave, as a Gaussian's is, sums over bands of equal width fall
    at least as fast as the last two, :math:`a > b`, do: what is left is at most
    :math:`b (r + r^2 + \dots) = b\, r / (1 - r)` with :math:`r = b / a`.
    """
    side = len(shares)
    band = max(1, side // 24)
    total = torch.zeros(shares.shape[-1], dtype=shares.dtype)
    for axis in range(latent_dim):
        for last, before in ((0, band), (side - band, side - 2 * band)):
            b = _sum(shares.narrow(axis, last, band))
            a = _sum(shares.narrow(axis, before, band))
            total += torch.where(b < a, b * b / (a - b), torch.where(b > 0, math.inf, 0.0))
    return total


def _sum(shares: Tensor) -> Tensor:
    return shares.flatten(end_dim=-2).sum(0)
