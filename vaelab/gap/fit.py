"""The best member of a family for each image: one optimisation an image, restarted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.gap.families import DiagonalGaussian, Family
from vaelab.gap.joint import at_once, check_rows, log_joint
from vaelab.gap.minimise import minimise_each
from vaelab.gap.starts import gaussian_starts

# Nodes for each parameter of the family. A rich one with few nodes fits the nodes, not p(z | x).
NODES_A_PARAMETER = 16
LEAST_NODES = 128
# Stop where the next step promises less than this, in nats.
TOLERANCE = 1e-5


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
        Cremer et al. (2018), table 1.

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
    gaussians = gaussian_starts(x, log_likelihood, mean, log_var, starts, generator)
    first = torch.stack([family.initial(*one) for one in gaussians])  # (starts, batch, params)
    nodes = _nodes(mean, first.shape[-1], num_nodes, generator)

    def loss(parameters: Tensor, index: Tensor) -> Tensor:
        z, log_q = family.transform(parameters, nodes[:, None])
        return (log_q - log_joint(x[index % len(x)], log_likelihood, z)).mean(0)

    parameters, value = minimise_each(
        loss, first.flatten(end_dim=1), at_once(len(nodes) * x.shape[1]), TOLERANCE
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
