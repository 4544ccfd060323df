"""Where an optimisation of q begins: from the encoder's q alone, some images stay stuck."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vaelab.gap.joint import at_once, check_rows, log_joint
from vaelab.gap.minimise import minimise_each

# How many draws of the prior compete for one start.
DRAWS_A_START = 32
# The log-variance of a start at a draw of the prior: narrower than the prior, and still wide.
DRAW_LOG_VAR = -2.0


def posterior_mode(
    x: Tensor, log_likelihood: Callable[[Tensor, Tensor], Tensor], start: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Climb to a mode of p(z | x), and measure how sharp it is (Laplace's approximation).

    .. math::
        \hat z = \arg\max_z \log p(x, z), \qquad
        \log \sigma_j^2 = -\log \Big( -\frac{\partial^2}{\partial z_j^2}
        \log p(x, \hat z) \Big)

    The mode found is one uphill of the start. For a Gaussian posterior, :math:`\hat z` and
    these variances are the best diagonal Gaussian, not the posterior's own variances.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(K, batch)``,
            differentiable in z.
        start: Where to begin, shape ``(batch, latent)``.

    Returns:
        The modes and the log-variances, each ``(batch, latent)``. Curvatures under 0.1 are
        taken as 0.1, a variance of 10.

    Raises:
        ValueError: If ``x`` and ``start`` are not finite matrices of as many rows, or what
            ``log_likelihood`` returns has another shape than is said here.

    Source:
        Tierney & Kadane (1986); Murphy (2023), *Advanced topics*.

    Example:
        >>> x = torch.tensor([[2.0]])
        >>> mode, log_var = posterior_mode(  # x = z + noise of variance 1
        ...     x, lambda x, z: -0.5 * (x - z).square().sum(-1), torch.zeros(1, 1)
        ... )
        >>> mode.round(decimals=3), log_var.exp().round(decimals=3)
        (tensor([[1.]]), tensor([[0.5000]]))
    """
    check_rows(x=x, start=start)

    def loss(z: Tensor, index: Tensor) -> Tensor:
        return -log_joint(x[index], log_likelihood, z[None])[0]

    mode, _ = minimise_each(loss, start, at_once(x.shape[1]))
    with torch.enable_grad():
        z = mode.clone().requires_grad_()
        (slope,) = torch.autograd.grad(
            loss(z, torch.arange(len(x), device=x.device)).sum(), z, create_graph=True
        )
        curvature = [
            torch.autograd.grad(one.sum(), z, retain_graph=True)[0][:, j]
            for j, one in enumerate(slope.unbind(-1))
        ]
    return mode, -torch.stack(curvature, -1).clamp(min=0.1).log()


def gaussian_starts(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    mean: Tensor,
    log_var: Tensor,
    count: int,
    generator: torch.Generator | None = None,
) -> list[tuple[Tensor, Tensor]]:
    r"""Gaussians to start from, for each image.

    .. math::
        \mathcal N\big(\mu, \operatorname{diag} \sigma^2\big), \quad
        \mathcal N\big(\hat z, \operatorname{diag} \hat\sigma^2\big), \; \dots

    First the encoder's q, then the mode uphill of its mean with Laplace's scale; then in
    turn a mode uphill of a good draw of the prior, and a wide Gaussian at a good draw.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(K, batch)``.
        mean: :math:`\mu` of the encoder's q, shape ``(batch, latent)``.
        log_var: Its :math:`\log \sigma^2`, same shape.
        count: How many.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        Pairs of means and log-variances, each ``(batch, latent)``.

    Source:
        A rule of this package; Laplace's scale: Tierney & Kadane (1986).

    Example:
        >>> starts = gaussian_starts(
        ...     torch.ones(3, 1), lambda x, z: z.sum(-1), torch.zeros(3, 2), torch.zeros(3, 2), 4
        ... )
        >>> [tuple(mean.shape) for mean, _ in starts]
        [(3, 2), (3, 2), (3, 2), (3, 2)]
    """
    found = [(mean, log_var)]
    if count > 1:
        found.append(posterior_mode(x, log_likelihood, mean))
    while len(found) < count:
        start = _good_draw(x, log_likelihood, mean, generator)
        if len(found) % 2 == 0:
            found.append(posterior_mode(x, log_likelihood, start))
        else:
            found.append((start, torch.full_like(log_var, DRAW_LOG_VAR)))
    return found


def _good_draw(x: Tensor, log_likelihood, like: Tensor, generator) -> Tensor:
    """The best of a few draws of the prior for each image, ``(batch, latent)``."""
    z = torch.randn(
        (DRAWS_A_START, *like.shape), generator=generator, dtype=like.dtype, device=like.device
    )
    best = []
    with torch.no_grad():
        size = at_once(DRAWS_A_START * x.shape[1])
        for piece, draws in zip(x.split(size), z.split(size, dim=1), strict=True):
            joint = log_joint(piece, log_likelihood, draws)
            best.append(draws[joint.argmax(0), torch.arange(len(piece), device=x.device)])
    return torch.cat(best)
