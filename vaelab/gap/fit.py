"""The best member of a family for each image: one optimisation an image, restarted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density
from vaelab.gap.families import DiagonalGaussian, Family
from vaelab.gap.minimise import minimise_each

# The largest array to make, in numbers, reckoning one row of pixels a draw.
CHUNK_NUMBERS = 2**20
# Nodes for each parameter of the family. A rich one with few nodes fits the nodes, not p(z | x).
NODES_A_PARAMETER = 16
LEAST_NODES = 128
# Stop where the next step promises less than this, in nats.
TOLERANCE = 1e-5
# How many draws of the prior compete for each start that is to lead to a mode.
DRAWS_A_START = 32


@dataclass(frozen=True)
class BestPosterior:
    """The best member of a family found for each image.

    Attributes:
        parameters: What ``family.transform`` takes, ``(batch, params)``.
        elbo: The ELBO that the optimisation reached on its own nodes, in nats, ``(batch,)``.
            It was selected for being high; evaluate afresh what you report.
        elbo_by_start: The same for every start, ``(starts, batch)``: the encoder's q first,
            then the modes, then the prior's draws. Where they differ, some of them stuck.
    """

    parameters: Tensor
    elbo: Tensor
    elbo_by_start: Tensor


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
        Tierney & Kadane (1986); Murphy (2023), *Advanced topics*, section 7.4.3.

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

    mode, _ = minimise_each(loss, start, _at_once(x.shape[1]))
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


def best_posterior(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    mean: Tensor,
    log_var: Tensor,
    family: Family | None = None,
    starts: int = 4,
    num_nodes: int | None = None,
    generator: torch.Generator | None = None,
) -> BestPosterior:
    r"""Maximise each image's ELBO over a family of q, from several starts.

    .. math::
        \max_\lambda \; \frac1K \sum_k \big( \log p(x, z_k) - \log q_\lambda(z_k) \big),
        \qquad z_k = \text{transform}(\lambda, \epsilon_k)

    The K nodes :math:`\epsilon_k` stand for standard normal noise
    and stay the same throughout, so that this is a plain, smooth maximisation. They are
    scrambled Sobol points in pairs :math:`\pm\epsilon`, whitened: their mean and
    covariance are exactly 0 and I, so for a Gaussian posterior a Gaussian q is found exactly.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)`` for z of shape ``(K, batch, latent)``,
            nats of shape ``(K, batch)``. The prior is N(0, I).
        mean: :math:`\mu` of the encoder's q, shape ``(batch, latent)``.
        log_var: Its :math:`\log \sigma^2`, same shape.
        family: Where to look; diagonal Gaussians if left out.
        starts: How many: the encoder's q; the mode uphill of its mean; then in turn a mode
            reached from good draws of the prior, and a good draw itself.
        num_nodes: An even number of nodes; 16 for each parameter of the family, and at
            least 128, if left out.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        The best parameters found and their ELBO, in nats.

    Raises:
        ValueError: If arguments are not finite matrices of one type and as many rows,
            ``starts`` is under 1, there are too few nodes, or the ELBO is not finite from
            any start.

    Source:
        Cremer et al. (2018), section 3.

    Example:
        >>> x = torch.tensor([[2.0]])
        >>> best = best_posterior(  # x = z + noise of variance 1: the posterior is N(1, 1/2)
        ...     x, lambda x, z: -0.5 * (x - z).square().sum(-1), torch.zeros(1, 1),
        ...     torch.zeros(1, 1), generator=torch.Generator().manual_seed(0),
        ... )
        >>> best.parameters.round(decimals=2)
        tensor([[ 1.0000, -0.6900]])
    """
    check_rows(x=x, mean=mean, log_var=log_var)
    if mean.shape != log_var.shape:
        raise ValueError(
            f"mean and log_var must have the same shape, "
            f"got {tuple(mean.shape)} and {tuple(log_var.shape)}"
        )
    if starts < 1:
        raise ValueError(f"starts must be at least 1, got {starts}")
    family = DiagonalGaussian() if family is None else family
    mean, log_var = mean.detach(), log_var.detach()
    gaussians = _starts(x, log_likelihood, mean, log_var, starts, generator)
    first = torch.stack([family.initial(*one) for one in gaussians])  # (starts, batch, params)
    nodes = _nodes(mean, first.shape[-1], num_nodes, generator)

    def loss(parameters: Tensor, index: Tensor) -> Tensor:
        z, log_q = family.transform(parameters, nodes[:, None])
        return (log_q - log_joint(x[index % len(x)], log_likelihood, z)).mean(0)

    parameters, value = minimise_each(
        loss, first.flatten(end_dim=1), _at_once(len(nodes) * x.shape[1]), TOLERANCE
    )
    elbo = -value.reshape(starts, len(x))
    best, which = elbo.max(0)
    if not bool(best.isfinite().all()):
        image = int((~best.isfinite()).nonzero()[0])
        raise ValueError(
            f"log_likelihood must be finite somewhere for each image, "
            f"got an ELBO of {best[image]} from every start for image {image}"
        )
    chosen = parameters.reshape(first.shape)[which, torch.arange(len(x), device=x.device)]
    return BestPosterior(chosen, best, elbo)


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


def _at_once(numbers: int) -> int:
    """Problems to evaluate at once when each makes arrays of so many numbers."""
    return max(1, CHUNK_NUMBERS // max(1, numbers))


def _nodes(
    like: Tensor, params: int, num_nodes: int | None, generator: torch.Generator | None
) -> Tensor:
    """Nodes ``(K, latent)`` that stand for N(0, I)."""
    latent_dim = like.shape[-1]
    if num_nodes is None:
        num_nodes = max(LEAST_NODES, NODES_A_PARAMETER * params)
    elif num_nodes < 4 * latent_dim or num_nodes % 2:
        raise ValueError(
            f"num_nodes must be even and at least {4 * latent_dim}, 4 for each latent, "
            f"got {num_nodes}"
        )
    seed = int(torch.randint(2**31, (), generator=generator, device=_device(generator)))
    engine = torch.quasirandom.SobolEngine(latent_dim, scramble=True, seed=seed)
    uniform = engine.draw(num_nodes // 2, dtype=torch.float64)
    half = torch.special.ndtri(uniform.clamp(2.0**-32, 1 - 2.0**-32))
    factor = torch.linalg.cholesky(half.T @ half / len(half))
    half = torch.linalg.solve_triangular(factor, half.T, upper=False).T
    return torch.cat([half, -half]).to(like)


def _device(generator: torch.Generator | None) -> torch.device | None:
    return None if generator is None else generator.device


def _starts(
    x: Tensor, log_likelihood, mean: Tensor, log_var: Tensor, count: int, generator
) -> list[tuple[Tensor, Tensor]]:
    """Means and log-variances to start from."""
    found = [(mean, log_var)]
    if count > 1:
        found.append(posterior_mode(x, log_likelihood, mean))
    while len(found) < count:
        start = _good_draw(x, log_likelihood, mean, generator)
        if len(found) % 2 == 0:
            found.append(posterior_mode(x, log_likelihood, start))
        else:
            found.append((start, torch.full_like(log_var, -2.0)))
    return found


def _good_draw(x: Tensor, log_likelihood, like: Tensor, generator) -> Tensor:
    """The best of a few draws of the prior for each image, ``(batch, latent)``."""
    z = torch.randn(
        (DRAWS_A_START, *like.shape), generator=generator, dtype=like.dtype, device=like.device
    )
    best = []
    with torch.no_grad():
        size = _at_once(DRAWS_A_START * x.shape[1])
        for piece, draws in zip(x.split(size), z.split(size, dim=1), strict=True):
            joint = log_joint(piece, log_likelihood, draws)
            best.append(draws[joint.argmax(0), torch.arange(len(piece), device=x.device)])
    return torch.cat(best)
